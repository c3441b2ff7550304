"""Tells people what goes on while they wait: a live line per stack on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from orchestrator.cli.options import Form
from orchestrator.cli.screen import Screen
from orchestrator.model.action import Action, Apply, Ask, CheckDrift, MakePlan, Rest
from orchestrator.model.stack import StackKey

#: Called with what is being done to a stack; empty words once it is at rest.
Tell: TypeAlias = Callable[[StackKey, str], None]


def words(action: Action) -> str:
    """Return what goes on, in one word; nothing for what takes no time."""
    match action:
        case MakePlan():
            return "planning"
        case Apply():
            return "applying"
        case CheckDrift():
            return "looking for drift"
        case Ask() | Rest():
            return ""


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
