"""``approve`` and ``reject`` at a service: a word on exactly the proposals that were seen."""

from __future__ import annotations

import sys
from typing import Any

import click

from adapters.contract import Json
from orchestrator.cli.asking import Leave, allowed
from orchestrator.cli.far.place import Far, asked
from orchestrator.cli.far.planning import Asker
from orchestrator.cli.show_plan import view
from orchestrator.errors import Denied, UsageError
from orchestrator.model.stack import StackKey
from orchestrator.telling.counts import short
from orchestrator.telling.errands import counts_of, read_row


def approve(ctx: click.Context, what: str, number: int | None, *, reason: str, accept_duplicates: bool) -> None:
    """Say yes to what is proposed. Raises OrchestratorError."""
    with asked(ctx) as far:
        found = _waiting(far, what, number)
        refusals = [one["unheard"] for one in found if one["unheard"]]
        counted = [one for one in found if not one["unheard"]]
        if counted and number is None and not what.isdigit():
            counted = _asked_about(far, counted)
        if counted:
            said = [_say(far, "approve", one, reason, accept_duplicates=accept_duplicates) for one in counted]
            far.screen.did(
                {"approved": [*said]},
                *(
                    f"approved {one['stack']}  {short(counts_of(one['counts']))}  as {word['by']}"
                    for one, word in zip(counted, said, strict=True)
                ),
            )
            far.screen.next(far.command("apply", *(one["stack"] for one in counted)))
        if refusals:
            raise Denied("; ".join(refusals), code="HF-4101", hint="ask one of them to approve it")


def reject(ctx: click.Context, what: str, number: int | None, *, reason: str) -> None:
    """Say no to what is proposed. Raises OrchestratorError."""
    with asked(ctx) as far:
        said = [_say(far, "reject", one, reason) for one in _waiting(far, what, number)]
        names = [str(one["stack"]) for one in said]
        far.screen.did({"rejected": [*said]}, *(f"rejected {one['stack']}  as {one['by']}" for one in said))
        far.screen.next(f"{far.command('plan', *names)}      plans it afresh, and people are asked again")


def _waiting(far: Far, what: str, number: int | None) -> list[dict[str, Any]]:
    """Return each proposal that is meant.

    Raises UsageError (HF-1906) where none waits, or another one than was seen.
    """
    run = far.run(int(what))["run"] if what.isdigit() else None
    key = None if run else str(far.one(what))
    every = list(far.server.pages("approvals"))
    found = far.read(lambda: [one for one in every if one["key"] == key or (run and one["run"] == run)])
    if not found:
        raise UsageError(f"nothing waits for a word in {what}", code="HF-1906", hint="see: holdfast status")
    for one in found:
        if number is not None and one["proposal"] != number:
            raise UsageError(
                f"proposal {number} of {one['stack']} does not stand: {one['proposal']} does",
                code="HF-1906",
                hint=f"look again: holdfast show {one['stack']}",
            )
    return found


def _asked_about(far: Far, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Show the plans and ask. Raises UsageError (HF-1930) where nobody can be shown anything."""
    if not far.screen.interactive:
        name = found[0]["stack"]
        raise UsageError(
            f"which plan of {name} do you mean? By now it may be another than you have seen",
            code="HF-1930",
            hint=f"holdfast show {name} prints the command to paste",
        )
    plans = [far.server.get(far.of(StackKey.parse(one["key"]), "plan")) for one in found]
    rows = far.read(lambda: [read_row(one) for one in plans])
    far.screen.console(sys.stderr).print(view(rows, whole=far.screen.form == "wide"))
    asker = Asker(screen=far.screen, grave={StackKey.parse(one["key"]): one["grave"] for one in found})
    granted = {str(row.key) for row in allowed(asker, rows, Leave(), question="Approve exactly this for {}?")}
    return [one for one in found if one["key"] in granted]


def _say(far: Far, act: str, one: dict[str, Any], reason: str, **more: Any) -> dict[str, Json]:
    body = {"proposal": one["proposal"], "digest": one["digest"], "reason": reason, **more}
    done = far.server.post(far.of(StackKey.parse(one["key"]), act), body)
    return {name: one[name] for name in ("stack", "key", "proposal", "digest")} | {"by": done["by"], "reason": reason}
