"""``status``, ``runs``, ``show RUN`` and ``wait`` of a service."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import islice, takewhile

import click

from orchestrator.cli.far.place import Far, asked
from orchestrator.cli.moments import since as since_when
from orchestrator.cli.show_runs import page_of as runs_page
from orchestrator.cli.show_runs import timeline_of
from orchestrator.cli.show_status import page_of as status_page
from orchestrator.cli.steps import after_status
from orchestrator.errors import EXIT_DONE, EXIT_FAILED
from orchestrator.model.moment import moment_of
from orchestrator.telling.runs import TROUBLE


def status(ctx: click.Context, words: Sequence[str]) -> int:
    """Show where each stack stands; return the exit code of ``--check``."""
    with asked(ctx) as far:
        rows = far.standings(words)
        _say_what_is_old(far)
        far.read(lambda: far.screen.emit(status_page(rows, far.now)))
        far.screen.next(*after_status(far.command, rows))
    return EXIT_DONE if all(row["conditions"]["Ready"] for row in rows) else EXIT_FAILED


def follow_status(ctx: click.Context, words: Sequence[str], every_s: float) -> None:
    """Look again and again, until Ctrl-C."""
    while True:
        time.sleep(every_s)
        if ctx.obj.form in {"table", "wide"}:
            click.clear()
        status(ctx, words)


def _say_what_is_old(far: Far) -> None:
    """Say of which sources what follows may be old, or missing: the last looks at them came to nothing."""
    for source in far.server.pages("sources"):
        if source["failures"] and far.wish.source in {"", source["name"]}:
            far.screen.say(f"note: source {source['name']} cannot be read: {source['code']} {source['message']}")


def runs(ctx: click.Context, *, since: str, failed: bool, everything: bool, limit: int) -> None:
    """List what was done, newest first."""
    with asked(ctx) as far:
        oldest = since_when(since, far.now) if since else 0.0
        narrowed = bool(since or failed)
        found = far.server.pages("runs", {"all": "true"} if everything else {}, limit=0 if narrowed else limit)
        newer = takewhile(lambda row: moment_of(row["started_at"]) >= int(oldest), found)
        rows = far.read(lambda: list(islice((row for row in newer if not failed or row["result"] in TROUBLE), limit)))
        far.read(lambda: far.screen.emit(runs_page(rows, far.now)))
        if rows:
            far.screen.next(f"holdfast show {rows[0]['run']}")


def show_run(ctx: click.Context, number: int) -> None:
    """Show a run as a timeline."""
    with asked(ctx) as far:
        document = {**far.run(number), "events": list(far.server.pages(f"runs/{number}/events"))}
        far.read(lambda: far.screen.emit(timeline_of(document)))
        far.screen.next(*far.words_of(number))


def looked(ctx: click.Context, words: Sequence[str], condition: str) -> tuple[list[str], list[str]]:
    """Return the stacks that meet a condition, and those that do not."""
    with asked(ctx) as far:
        rows = far.standings(words)
        holds = far.read(lambda: {row["stack"]: bool(row["conditions"][condition]) for row in rows})
    return [name for name, met in holds.items() if met], [name for name, met in holds.items() if not met]
