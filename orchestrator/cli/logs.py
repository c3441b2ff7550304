"""``holdfast logs RUN``."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
import rich_click

from orchestrator.cli.options import Form, output_options, world_options
from orchestrator.cli.place import Place, at_record, is_far
from orchestrator.cli.printable import one_line, printable
from orchestrator.errors import UsageError
from orchestrator.model.stack import StackKey

#: Seconds between two looks at growing files.
_EVERY_S = 0.3


@rich_click.command()
@click.argument("run", metavar="RUN")
@click.argument("stacks", nargs=-1, metavar="[STACK]...")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, run: str, stacks: tuple[str, ...], *, follow: bool) -> None:
    """Print what the tools said in a run, secrets masked; each line begins with its stack."""
    if is_far():
        from orchestrator.cli.far.logs import logs as far_logs  # noqa: PLC0415 -- only where HOLDFAST_URL is set

        far_logs(ctx, run, stacks, follow=follow)
        return
    with at_record(ctx) as place:
        number = _number(place, run)
        found = place.run(number)
        logs = Logs(folder=place.world.home / "logs" / str(number), only=frozenset(stacks), form=place.screen.form)
        printed = logs.drain()
        if follow and _goes_on(place, number):
            from orchestrator.engine.adopting import adopt  # noqa: PLC0415 -- only a run that was left needs it

            adopt(place.outside, place.world.source, found, lambda: place.reading)
        while follow and _goes_on(place, number):
            time.sleep(_EVERY_S)
            printed += logs.drain()
        # What was written between the last look and the end.
        printed += logs.drain()
        if not printed and not follow:
            raise UsageError(f"run {number} has left no log here", code="HF-1910", hint=f"holdfast show {number}")
        if follow:
            place.screen.next(f"holdfast show {number}")


def _number(place: Place, word: str) -> int:
    """Return the run that a word means. Raises UsageError; of a stack's name it tells the stack's last run."""
    if word.isdecimal() and int(word):
        return int(word)
    stacks = [key for key in place.recorded() if word in {key.name, key.short}]
    newest = max((place.outside.record.last_run(str(key)) for key in stacks), default=0)
    if newest:
        hint = f"its last one is {newest}: holdfast logs {newest} {word}"
        raise UsageError(f'"{word}" is a stack, and its logs lie with its runs', hint=hint)
    raise UsageError(f'"{word}" is no run: runs have numbers', hint="holdfast runs")


@dataclass(slots=True)
class Logs:
    """The log files of one run, and how far each was printed."""

    folder: Path
    #: Stack names to print; empty prints all.
    only: frozenset[str]
    form: Form
    _at: dict[Path, int] = field(default_factory=dict)

    def drain(self) -> int:
        """Print every whole line that is new; returns how many."""
        lines = [line for path in sorted(self.folder.glob("*.log")) for line in self._new(path)]
        # The time stands in front of each line: it puts the stacks' lines in one order and keeps that of each.
        for stamp, name, rest in sorted(lines, key=lambda line: line[0]):
            click.echo(printed(self.form, stamp, name, rest))
        return len(lines)

    def _new(self, path: Path) -> Iterator[tuple[str, str, str]]:
        name = _stack_of(path)
        if self.only and not self.only & {name, name.partition("@")[0]}:
            return
        with path.open("rb") as growing:
            growing.seek(self._at.get(path, 0))
            whole, end, _ = growing.read().rpartition(b"\n")
        self._at[path] = self._at.get(path, 0) + len(whole) + len(end)
        for line in whole.decode("utf-8", "replace").splitlines():
            stamp, _, rest = line.partition(" ")
            yield stamp, name, rest


def printed(form: Form, stamp: str, name: str, rest: str) -> str:
    """Return one line of a log in the form asked for."""
    match form:
        case Form.JSON | Form.YAML:
            # A line each: a log that is followed has no end. It is YAML, too: documents in flow style.
            text = json.dumps({"at": stamp, "stack": name, "line": rest}, ensure_ascii=False)
            return f"--- {text}" if form is Form.YAML else text
        case Form.PLAIN:
            return "\t".join(map(one_line, (stamp, name, rest)))
        case _:
            return f"{stamp}  {name}  {printable(rest)}"


def _stack_of(path: Path) -> str:
    """Return the short name of the stack whose log this is: ``source+name=env.log``."""
    _, _, rest = path.stem.partition("+")
    name, _, environment = rest.rpartition("=")
    return StackKey(source="", name=name.replace("+", "/"), environment=environment).short


def _goes_on(place: Place, number: int) -> bool:
    return place.run(number).ended_at is None or bool(place.at_work(number))
