"""``holdfast unlock STACK``."""

from __future__ import annotations

import click
import rich_click

from orchestrator.cli.arguments import confirm_option, stack_argument
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import Place, at_record
from orchestrator.errors import Conflict, UsageError
from orchestrator.model.stack import StackKey


@rich_click.command()
@stack_argument
@confirm_option
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, stack: str, *, confirm: str) -> None:
    """Free the tool's own lock that one of our runs left behind; others' locks are not ours to free."""
    with at_record(ctx) as place:
        key = place.one(stack)
        lock = _ours(place, key)
        if not _confirmed(place, key, confirm, lock):
            raise UsageError("not confirmed", code="HF-1905", hint=f"pass --confirm {key.short}")
        _free(place, key, lock)
        place.screen.did({"stack": key.short, "key": str(key), "lock": lock}, f"freed lock {lock} of {key.short}")
        place.screen.next(f"holdfast plan {key.short}")


def _ours(place: Place, key: StackKey) -> str:
    from orchestrator.engine.recovery import at_work  # noqa: PLC0415 -- heavy
    from orchestrator.engine.resolving import in_doubt  # noqa: PLC0415 -- likewise
    from orchestrator.engine.unlocking import left_by  # noqa: PLC0415 -- likewise

    state = place.outside.record.row(str(key)).state
    if (attempt := in_doubt(state)) and not attempt.unsaved:
        # Its lock is in use.
        raise at_work(place.outside, key, attempt)
    if not state.tool_lock or left_by(state) is None:
        raise UsageError(
            f"the record knows of no lock that a run of ours left on {key.short}",
            code="HF-1913",
            hint="ask its holder, or use the tool's own command",
        )
    return state.tool_lock


def _confirmed(place: Place, key: StackKey, confirm: str, lock: str) -> bool:
    if confirm or not place.screen.interactive:
        return confirm == key.short
    typed = click.prompt(f"Type {key.short} to free lock {lock}", default="", show_default=False, err=True)
    return bool(typed == key.short)


def _free(place: Place, key: StackKey, lock: str) -> None:
    from orchestrator.cli.working import begun  # noqa: PLC0415 -- heavy
    from orchestrator.engine.station import Case  # noqa: PLC0415 -- likewise
    from orchestrator.engine.survey import Survey  # noqa: PLC0415 -- likewise
    from orchestrator.engine.unlocking import left_by, unlock  # noqa: PLC0415 -- likewise

    with begun(place, "unlock") as run, place.outside.agenda.hold(str(key)):
        asked = Survey(place.outside, place.reading).look(key)
        # Asked again under the hold: somebody may have begun, or freed it, meanwhile.
        attempt = left_by(asked.state) if asked else None
        if asked is None or attempt is None or _ours(place, key) != lock:
            raise Conflict(f"{key.short} moved meanwhile", hint="run the command again")
        unlock(Case(outside=place.outside, today=place.reading, asked=asked, run=run), attempt, lock)
