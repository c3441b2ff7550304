"""Tells people what goes on while they wait: a live line per stack on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.cli.options import Form
from orchestrator.cli.screen import Screen
from orchestrator.engine.side_by_side import Tell
from orchestrator.model.stack import StackKey


@contextmanager
def progress(screen: Screen) -> Iterator[Tell]:
    """Yield a function that tells people what goes on, on stderr. Safe to call from any thread."""
    if not screen.for_people and screen.form is not Form.GITHUB:
        yield lambda _key, _words: None
    elif sys.stderr.isatty():
        with _live(screen) as tell:
            yield tell
    else:
        yield lambda key, doing: screen.say(f"{key.short}: {doing}") if doing else None


@contextmanager
def _live(screen: Screen) -> Iterator[Tell]:
    from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn  # noqa: PLC0415 -- heavy

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    lines: dict[StackKey, TaskID] = {}
    with Progress(*columns, console=screen.console(sys.stderr), transient=True) as shown:

        def tell(key: StackKey, doing: str) -> None:
            if key in lines:
                shown.remove_task(lines.pop(key))
            if doing:
                lines[key] = shown.add_task(f"{key.short}  {doing}", total=None)

        yield tell
