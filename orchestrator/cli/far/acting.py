"""``suspend``, ``resume``, ``cancel``, ``unlock`` and ``resolve`` at a service, under one's token."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from adapters.contract import Json
from orchestrator.cli.far.logs import ended_with
from orchestrator.cli.far.place import Far, asked
from orchestrator.cli.moments import moment
from orchestrator.cli.show_resolved import page_of
from orchestrator.errors import OrchestratorError, UsageError
from orchestrator.model.moment import stamp
from orchestrator.model.stack import StackKey


def suspend(ctx: click.Context, words: Sequence[str], *, until: str, reason: str) -> None:
    """Have stacks rest. Raises OrchestratorError."""
    with asked(ctx) as far:
        if not words:
            raise _everything("suspend")
        end = moment(until, far.now) if until else None
        keys = far.chosen(words)
        written = datetime.fromtimestamp(end, UTC).isoformat() if end is not None else None
        said = [far.server.post(far.of(key, "suspend"), {"reason": reason, "until": written}) for key in keys]
        names = [key.short for key in keys]
        far.screen.did(
            {
                "suspended": [*names],
                "everything": False,
                "until": stamp(end) if end else None,
                "reason": reason,
                "by": str(said[0]["by"]) if said else "",
            },
            f"suspended {', '.join(names)}{f' until {stamp(end)}' if end else ''}",
        )
        far.screen.next(f"holdfast resume {' '.join(words)}".rstrip())


def resume(ctx: click.Context, words: Sequence[str], reason: str) -> None:
    """Have stacks follow their source again. Raises OrchestratorError."""
    with asked(ctx) as far:
        if not words:
            raise _everything("resume")
        done: dict[str, list[Any]] = {"lifted": [], "released": [], "repaired_again": []}
        nothing: OrchestratorError | None = None
        for key in far.keys(words):
            try:
                said = far.server.post(far.of(key, "resume"), {"reason": reason})
            except OrchestratorError as error:
                if error.code != "HF-1914":
                    raise
                nothing = error
                continue
            done["lifted"] += far.read(lambda: said["lifted"])  # noqa: B023 -- read at once
            done["released"] += far.read(lambda: said["released"])  # noqa: B023 -- likewise
            done["repaired_again"] += far.read(lambda: said["repaired_again"])  # noqa: B023 -- likewise
        if nothing is not None and not any(done.values()):
            raise nothing
        far.screen.did(
            {name: [*every] for name, every in done.items()},
            *(f"lifted the suspension of {one['of']}: {one['why']}" for one in done["lifted"]),
            *(f"{name} follows its source again" for name in done["released"]),
            *(f"drift of {name} is repaired again" for name in done["repaired_again"]),
        )
        verb = "apply" if done["lifted"] or done["released"] else "drift --answer"
        far.screen.next(f"holdfast {verb} {' '.join(words)}".rstrip())


def cancel(ctx: click.Context, run: int) -> None:
    """Stop a run, and wait for what it ends in. Raises OrchestratorError."""
    with asked(ctx) as far:
        far.run(run)
        far.server.post(f"runs/{run}/cancel", {})
        if far.screen.for_people:
            far.screen.say(f"run {run} is told to stop")
        events, left = ended_with(far, run)
        document: dict[str, Json] = {
            "run": run,
            "ended": [{"stack": one["stack"], "key": one["key"], "how": one["sentence"]} for one in events],
            "at_work": [*left],
        }
        far.screen.did(document, *(f"{one['stack']}: {one['sentence']}" for one in events))
        far.screen.next(f"holdfast logs -f {run}" if left else f"holdfast show {run}")


def unlock(ctx: click.Context, word: str, confirm: str) -> None:
    """Free the tool's own lock that one of our runs left behind. Raises OrchestratorError."""
    with asked(ctx) as far:
        key = far.one(word)
        found = far.server.get(far.of(key, "lock"))
        lock = far.read(lambda: str(found["lock"]))
        if not _named(far, key, confirm, f"Type {key.short} to free lock {lock}"):
            raise UsageError("not confirmed", code="HF-1905", hint=f"pass --confirm {key.short}")
        far.server.post(far.of(key, "unlock"), {"lock": lock})
        far.screen.did({"stack": key.short, "key": str(key), "lock": lock}, f"freed lock {lock} of {key.short}")
        far.screen.next(f"holdfast plan {key.short}")


def resolve(ctx: click.Context, word: str, confirm: str, reason: str) -> None:
    """Say that nothing of an attempt is alive any more. Raises OrchestratorError."""
    with asked(ctx) as far:
        key = far.one(word)
        found = far.server.get(far.of(key, "doubt"))
        number = far.read(lambda: int(found["attempt"]))
        what = f"attempt {number}" if number else "whoever holds it"
        far.screen.say(f"{key.short}: nobody here can tell whether {what} is alive: {found['why']}")
        if not _named(far, key, confirm, f"Type {key.short} if {what} is dead for certain"):
            raise UsageError(f"{key.short} asks for its name", code="HF-1905", hint=f"pass --confirm {key.short}")
        said = far.server.post(far.of(key, "resolve"), {"attempt": number, "reason": reason})
        far.read(lambda: far.screen.emit(page_of(said["resolved"])))
        far.screen.next(f"holdfast plan {key.short}")


def _named(far: Far, key: StackKey, confirm: str, question: str) -> bool:
    if confirm or not far.screen.interactive:
        return confirm == key.short
    typed = click.prompt(question, default="", show_default=False, err=True)
    return bool(typed == key.short)


def _everything(verb: str) -> UsageError:
    hint = f"name the stacks, a glob counts: holdfast {verb} '*'"
    return UsageError(
        f"{verb} without STACK means all stacks of a record, also those to come: that is said on the service's host",
        code="HF-1915",
        hint=hint,
    )
