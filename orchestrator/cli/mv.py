"""``holdfast mv OLD NEW``."""

from __future__ import annotations

import click
import rich_click

from adapters.contract import Json
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import Place, opened
from orchestrator.errors import UsageError
from orchestrator.model.stack import StackKey


@rich_click.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, old: str, new: str) -> None:
    """Say that a stack has a new name: what it made, its state and its history go on under it.

    The new name has to be committed already. `moved_from: OLD` in stacks.yaml says the same to everybody.
    """
    from orchestrator.cli.working import begun  # noqa: PLC0415 -- nothing is opened for a mistyped word
    from orchestrator.engine.renaming import move  # noqa: PLC0415 -- likewise

    with opened(ctx) as place:
        pairs = [(key, _renamed(place, key, new)) for key in _gone(place, old)]
        said: list[str] = []
        renamed: list[Json] = []
        refused = ""
        with begun(place, "mv") as run:
            for before, after in pairs:
                if place.outside.record.row(str(before)).state.moved_to == str(after):
                    said.append(f"{before.short} is {after.short} already")
                elif move(place.outside, place.reading.source, (before, after), run.number):
                    said.append(f"{before.short} is {after.short} now: what it made was taken over")
                else:
                    refused = f"{after.short} cannot take over what {before.short} left: it has a life of its own"
                    hint = f"see: holdfast show {after.short}, holdfast forget {before.short}"
                    break
                renamed.append({"from": before.short, "to": after.short, "key": str(after)})
        # What was renamed before one was refused is renamed.
        if renamed or not refused:
            place.screen.did({"renamed": renamed}, *said)
        if refused:
            raise UsageError(refused, code="HF-1918", hint=hint)
        place.screen.next(f"holdfast plan {' '.join(after.short for _, after in pairs)}")


def _gone(place: Place, word: str) -> list[StackKey]:
    """Return the stacks that the old name means. Raises UsageError where one of them is still in the source."""
    from orchestrator.cli.choose import named  # noqa: PLC0415 -- nothing is opened for a mistyped word

    found = sorted(named(word, place.wish.environment, place.recorded()))
    gone = [key for key in found if key not in place.stacks]
    if not gone:
        raise UsageError(
            f"{found[0].short} is still in its source under this name",
            code="HF-1917",
            hint="rename it in stacks.yaml, commit, then run this again",
        )
    return gone


def _renamed(place: Place, old: StackKey, word: str) -> StackKey:
    """Return the new key: in the environment that the word names, else in the old one."""
    from orchestrator.cli.choose import spellings  # noqa: PLC0415 -- seldom asked for
    from orchestrator.nearest import did_you_mean  # noqa: PLC0415 -- likewise

    name, _, environment = word.partition("@")
    key = StackKey(source=old.source, name=name, environment=environment or old.environment)
    if key not in place.stacks:
        hint = did_you_mean(word, spellings(place.stacks)) or "commit the new name first"
        raise UsageError(f"no stack {key.short} at {place.reading.revision.short}", code="HF-1901", hint=hint)
    return key
