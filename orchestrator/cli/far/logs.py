"""``logs`` of a service: a stream that is read on where it broke."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any, Final

import click

from orchestrator.cli.far.place import Far, asked
from orchestrator.cli.logs import printed
from orchestrator.errors import UsageError

#: Seconds for which it is waited that a run ends which was told to: tools get a minute before they are killed.
_PATIENCE_S: Final = 90.0
_EVERY_S: Final = 0.5


def logs(ctx: click.Context, word: str, stacks: Sequence[str], *, follow: bool) -> None:
    """Print what the tools said in a run. Raises OrchestratorError."""
    with asked(ctx) as far:
        number = _number(far, word)
        if far.run(number) and not follow_lines(far, number, stacks, follow=follow) and not follow:
            raise UsageError(f"run {number} has left no log here", code="HF-1910", hint=f"holdfast show {number}")
        if follow:
            far.screen.next(f"holdfast show {number}")


def follow_lines(far: Far, run: int, stacks: Sequence[str] = (), *, follow: bool = True) -> int:
    """Print the lines of a run, as they come where it is followed; return how many."""
    only, count = frozenset(stacks), 0
    for event in far.server.events(f"runs/{run}/logs", {"follow": "true" if follow else "false"}):
        if event.kind != "message":
            continue
        line = far.read(lambda body=event.body: _line(body))  # type: ignore[misc]
        if not only or only & {line[1], line[1].partition("@")[0]}:
            click.echo(printed(far.screen.form, *line))
            count += 1
    return count


def ended_with(far: Far, run: int) -> tuple[list[dict[str, Any]], list[str]]:
    """Wait for the end of a run that was told to stop; return how its attempts ended, and the stacks still at work."""
    until = time.monotonic() + _PATIENCE_S
    while far.run(run)["result"] == "running" and time.monotonic() < until:
        time.sleep(_EVERY_S)
    found = list(far.server.pages(f"runs/{run}/events"))
    ended = far.read(lambda: [one for one in found if one["kind"] == "apply_ended"])
    begun = far.read(lambda: [one["stack"] for one in found if one["kind"] == "apply_started"])
    over = {one["stack"] for one in ended}
    keys = {name: str(far.one(name)) for name in over}
    return [{**one, "key": keys[one["stack"]]} for one in ended], [name for name in begun if name not in over]


def _line(body: str) -> tuple[str, str, str]:
    document = json.loads(body)
    return str(document["at"]), str(document["stack"]), str(document["line"])


def _number(far: Far, word: str) -> int:
    """Return the run that a word means. Raises UsageError."""
    if word.isdecimal() and int(word):
        return int(word)
    if any(word in {key.name, key.short} for key in far.keys(())):
        raise UsageError(f'"{word}" is a stack, and its logs lie with its runs', hint="holdfast runs")
    raise UsageError(f'"{word}" is no run: runs have numbers', hint="holdfast runs")
