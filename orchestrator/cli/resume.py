"""``holdfast resume [STACK…]``."""

from __future__ import annotations

from collections.abc import Sequence

import click
import rich_click

from orchestrator.cli.arguments import stacks_argument
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import Place, at_record
from orchestrator.errors import UsageError
from orchestrator.model.stack import StackKey


@rich_click.command()
@stacks_argument
@click.option("--reason", default="", help="Kept in the record.")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, stacks: tuple[str, ...], *, reason: str) -> None:
    """Let stacks follow their source again: ends suspensions, rollbacks, destroys, and a stop of recurring repairs.

    A suspension of several stacks ends for all of them only by `holdfast resume` without STACK.
    """
    from orchestrator.cli.choose import named  # noqa: PLC0415 -- nothing is opened for a mistyped word
    from orchestrator.cli.holding import release  # noqa: PLC0415 -- likewise
    from orchestrator.cli.living_with import repair_again  # noqa: PLC0415 -- likewise

    with at_record(ctx) as place:
        known = {*place.reading.layout.stacks, *place.recorded()}
        chosen = sorted({key for word in stacks for key in named(word, place.wish.environment, known)})
        lifted = _lift(place, chosen, reason)
        released = [key for key in chosen if release(place, key, reason)]
        repaired = [key for key in chosen if repair_again(place, key, reason)]
        if not lifted and not released and not repaired:
            raise UsageError(
                "nothing is suspended or held here" if stacks else "nothing is suspended",
                code="HF-1914",
                hint="see: holdfast status; a rolled back or destroyed stack is resumed by its name",
            )
        place.screen.did(
            {
                "lifted": [{"of": of, "why": why} for of, why in lifted],
                "released": [key.short for key in released],
                "repaired_again": [key.short for key in repaired],
            },
            *(f"lifted the suspension of {of}: {why}" for of, why in lifted),
            *(f"{key.short} follows its source again" for key in released),
            *(f"drift of {key.short} is repaired again" for key in repaired),
        )
        if lifted or released:
            place.screen.next(f"holdfast apply {' '.join(stacks)}".rstrip())
        else:
            place.screen.next(f"holdfast drift --answer {' '.join(stacks)}")


def _lift(place: Place, chosen: Sequence[StackKey], reason: str) -> list[tuple[str, str]]:
    """Lift the suspensions that stand for exactly these stacks, all where none is named; return of what, and why."""
    import glob  # noqa: PLC0415 -- only here

    from orchestrator.cli.working import begun  # noqa: PLC0415 -- heavy
    from orchestrator.model.gate import GateKind  # noqa: PLC0415 -- likewise

    known = {*place.reading.layout.stacks, *place.recorded()}
    names = {glob.escape(str(key)): key.short for key in known} | {"*": "everything"}
    mine = {glob.escape(str(key)) for key in chosen}
    _, gates = place.outside.record.gates()
    found = [g for g in gates if g.kind is GateKind.SUSPENSION and (not chosen or g.selector in mine)]
    if found:
        with begun(place, "resume") as run:
            for gate in found:
                place.outside.record.lift_gate(gate.id, by=place.world.actor, reason=reason, run=run.number)
    return [(names.get(gate.selector, gate.selector), gate.why) for gate in found]
