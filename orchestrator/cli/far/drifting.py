"""``drift`` of a service: looks that it makes now, what the last ones found, and people's words on that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import click

from orchestrator.cli.drift import found
from orchestrator.cli.far import errands
from orchestrator.cli.far.place import Far, asked
from orchestrator.cli.moments import moment
from orchestrator.cli.progress import progress
from orchestrator.cli.show_drift import Row, page
from orchestrator.cli.show_history import History
from orchestrator.cli.show_history import page as history_page
from orchestrator.errors import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED
from orchestrator.model.drift import Sighting
from orchestrator.model.moment import moment_of, stamp
from orchestrator.model.observed import Looks
from orchestrator.model.stack import StackKey
from orchestrator.rules.axes import Health
from orchestrator.rules.difference import Difference
from orchestrator.telling.drift_read import read, read_history


def look(ctx: click.Context, words: Sequence[str], *, detailed: bool, parallel: int) -> int:
    """Have a service look now; print what it found, and return the exit code. Raises OrchestratorError."""
    with asked(ctx) as far:
        keys = _keys(far, words)
        with progress(far.screen) as tell:
            came = errands.look(far, keys, tell, parallel=parallel)
        return EXIT_INTERRUPTED if came.interrupted else found(far, _rows(far, came.drifts), detailed=detailed)


def verified(far: Far, keys: Sequence[StackKey], *, parallel: int) -> int:
    """Have a service look at what was just applied, print what it found, and return the exit code."""
    with progress(far.screen) as tell:
        came = errands.look(far, keys, tell, parallel=parallel)
    rows = _rows(far, came.drifts)
    if far.screen.for_people:
        far.screen.emit(page(rows, far.now))
    if came.interrupted:
        return EXIT_INTERRUPTED
    return EXIT_FAILED if any(row.problem or row.items or row.judged.unconfirmed for row in rows) else EXIT_DONE


def remembered(ctx: click.Context, words: Sequence[str], *, detailed: bool) -> int:
    """Print what the last looks found, and return the exit code. Raises OrchestratorError."""
    with asked(ctx) as far:
        documents = [far.server.get(far.of(key, "drift")) for key in _keys(far, words)]
        return found(far, _rows(far, documents), detailed=detailed)


def history(ctx: click.Context, words: Sequence[str]) -> None:
    """Print each time that something drifted. Raises OrchestratorError."""
    with asked(ctx) as far:
        rows = []
        for key in _keys(far, words):
            now, before = (far.server.get(far.of(key, noun)) for noun in ("drift", "drift/history"))
            rows.append(far.read(lambda: History(key=key, judged=read(now, read_history(before)))))  # noqa: B023 -- read at once
        far.screen.emit(history_page(rows))


def ignore(ctx: click.Context, word: str, of: Difference, *, until: str, reason: str) -> None:
    """Have a difference left alone, and say what that means now. Raises OrchestratorError."""
    with asked(ctx) as far:
        key, end = far.one(word), moment(until, far.now)
        written = datetime.fromtimestamp(end, UTC).isoformat()
        said = far.server.post(far.of(key, "drift/ignore"), {"what": str(of), "until": written, "reason": reason})
        far.screen.say(f"{of} of {key.short} is ignored until {stamp(end)}")
        for note in far.read(lambda: list(said["notes"])):
            far.screen.say(f"note: {note}")
        far.screen.next(f"{far.command('drift', key.short, '--heed', str(of))}      takes it back")


def heed(ctx: click.Context, word: str, of: Difference, reason: str) -> None:
    """Have it count again. Raises OrchestratorError."""
    with asked(ctx) as far:
        key = far.one(word)
        far.server.post(far.of(key, "drift/heed"), {"what": str(of), "reason": reason})
        far.screen.say(f"{of} of {key.short} counts as drift again")


def _keys(far: Far, words: Sequence[str]) -> list[StackKey]:
    """Return the stacks that are meant; without words those that were applied and stand."""
    if words:
        return far.chosen(words)
    rows = far.standings(())
    stands = [one for one in rows if one["next"] and one["applied_at"] and one["health"] != Health.MISSING]
    return far.read(lambda: [StackKey.parse(one["key"]) for one in stands])


def _rows(far: Far, documents: Sequence[dict[str, Any]]) -> list[Row]:
    return far.read(lambda: [_row(one) for one in documents])


def _row(document: dict[str, Any]) -> Row:
    # How often each item was seen is told with it: that it was counted is all that has to be known here.
    looks = Looks(
        drift_at=moment_of(document["looked_at"]),
        drift_seen_at=moment_of(document["last_seen"]),
        drift_seen=int(document["times"]),
        sightings=(Sighting(place="", count=1),),
        blind_spots=tuple(document["blind_spots"]),
    )
    row = Row(
        key=StackKey.parse(document["key"]),
        judged=read(document),
        looks=looks,
        blind_spots=looks.blind_spots,
        problem=document["problem"],
        code=document["code"],
    )
    return replace(row, answered=document["answered"])
