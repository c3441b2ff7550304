"""What was done: the list of runs, and one run as a timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from adapters.contract import Json
from orchestrator.cli.event_words import sentence
from orchestrator.cli.moments import age
from orchestrator.cli.printable import printable
from orchestrator.cli.screen import Page
from orchestrator.model.event import (
    ApplyEnded,
    ApplyRefused,
    ApplyStarted,
    Approved,
    Asked,
    DriftCheckFailed,
    NotConverged,
    Outcome,
    PlanFailed,
    Planned,
    SavingFailed,
)
from orchestrator.model.moment import stamp
from orchestrator.model.stack import StackKey
from orchestrator.ports import Entry, Run


class Result(StrEnum):
    """How a run went, in OpenTelemetry's words where it has one (cicd.pipeline.result), else ours."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILURE = "failure"
    WAITING = "waiting"
    UNKNOWN = "unknown"


#: Verbs of runs that are there to change the world: planning alone is no success of theirs.
_CHANGING = frozenset({"apply", "rollback", "destroy"})
#: What `--failed` asks for.
TROUBLE = frozenset({Result.FAILURE, Result.UNKNOWN})
_STYLES = {
    Result.RUNNING: ("◐", "cyan"),
    Result.SUCCESS: ("✓", "green"),
    Result.FAILURE: ("✗", "bold red"),
    Result.WAITING: ("⏸", "yellow"),
    Result.UNKNOWN: ("?", "magenta"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One run with what happened in it."""

    run: Run
    entries: Sequence[Entry]

    @property
    def result(self) -> Result:
        """How it went."""
        return result_of(self.run, self.entries)

    @property
    def idle(self) -> bool:
        """Whether it is over and nothing came of it: nothing was new, or it was let go ahead with nothing."""
        return self.run.ended_at is not None and not self.entries

    @property
    def stacks(self) -> tuple[str, ...]:
        """The stacks that something happened to."""
        return tuple(dict.fromkeys(short_name(entry.stack) for entry in self.entries if entry.stack != "*"))


def result_of(run: Run, entries: Sequence[Entry]) -> Result:
    """Fold a run's events to one word: the last word on each stack counts, and the worst of them."""
    if run.ended_at is None:
        return Result.RUNNING
    last: dict[str, Result] = {}
    for entry in entries:
        last[entry.stack] = _after(entry, last.get(entry.stack, Result.SUCCESS), run.verb)
    # An attempt without an end outlives the command that began it: its keeper is at work.
    for worst in (Result.RUNNING, Result.UNKNOWN, Result.FAILURE, Result.WAITING):
        if worst in last.values():
            return worst
    return Result.SUCCESS


def _after(entry: Entry, before: Result, verb: str) -> Result:
    match entry.event:
        case SavingFailed() | PlanFailed() | ApplyRefused() | NotConverged() | DriftCheckFailed():
            return Result.FAILURE
        case ApplyStarted():
            return Result.RUNNING
        case ApplyEnded(outcome=Outcome.UNKNOWN):
            return Result.UNKNOWN
        case ApplyEnded(outcome=Outcome.SUCCEEDED):
            return Result.SUCCESS
        case ApplyEnded():
            return Result.FAILURE
        case Asked():
            return Result.WAITING
        case Planned() | Approved():
            # What was to be applied so far was not.
            return Result.WAITING if verb in _CHANGING else Result.SUCCESS
        case _:
            return before


def short_name(key: str) -> str:
    """Return the short form of a full key; other streams keep their name."""
    try:
        return StackKey.parse(key).short
    except ValueError:
        return key


def page(rows: Sequence[Row], now: float) -> Page:
    """Return the list in every form."""
    return Page(
        value=lambda: {"runs": [value(row) for row in rows]},
        records=lambda: [_record(row) for row in rows],
        view=lambda whole: _view(rows, now, whole=whole),
    )


def _view(rows: Sequence[Row], now: float, *, whole: bool) -> RenderableType:
    if not rows:
        return Text("No runs yet.", style="bold")
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for heading in ("RUN", "DID", "RESULT", "REVISION", "BY", "AGE", "TOOK"):
        table.add_column(heading, no_wrap=True)
    table.add_column("STACKS", overflow="fold" if whole else "ellipsis", no_wrap=not whole)
    for row in rows:
        mark, style = _STYLES[row.result]
        run = row.run
        took = age(run.ended_at - run.at) if run.ended_at else ""
        table.add_row(
            Text(str(run.number), style="bold"),
            Text(run.verb),
            Text(f"{mark} {row.result.value}", style=style),
            Text(run.revision[:7]),
            Text(printable(run.actor)),
            Text(age(now - run.at)),
            Text(took),
            Text(printable(", ".join(row.stacks))),
        )
    return table


def _record(row: Row) -> tuple[str, ...]:
    run = row.run
    ended = stamp(run.ended_at or 0.0)
    return (
        str(run.number),
        run.verb,
        row.result.value,
        run.revision,
        run.actor,
        stamp(run.at),
        ended,
        ",".join(row.stacks),
    )


def value(row: Row) -> dict[str, Json]:
    """Return one run for programs."""
    run = row.run
    return {
        "run": run.number,
        "verb": run.verb,
        "trigger": run.trigger,
        "result": row.result.value,
        "revision": run.revision,
        "actor": run.actor,
        "started_at": stamp(run.at),
        "ended_at": stamp(run.ended_at or 0.0) or None,
        "stacks": list(row.stacks),
    }


def timeline(row: Row) -> Page:
    """Return one run, event by event, in every form."""
    return Page(
        value=lambda: {**value(row), "events": [_event_value(entry) for entry in row.entries]},
        records=lambda: [
            (stamp(entry.at), short_name(entry.stack), entry.event.kind, sentence(entry.event)) for entry in row.entries
        ],
        view=lambda _: _timeline(row),
    )


def _timeline(row: Row) -> RenderableType:
    run, (mark, style) = row.run, _STYLES[row.result]
    head = Text(f"run {run.number}", style="bold").append(f"  {run.verb}  {run.revision[:7]}  {printable(run.actor)}")
    table = Table.grid(padding=(0, 2, 0, 0))
    for entry in row.entries:
        since = Text(f"+{age(entry.at - run.at)}", style="dim", justify="right")
        name = Text(printable(short_name(entry.stack)), style="bold")
        table.add_row(Text(" "), since, name, Text(printable(sentence(entry.event))))
    return Group(head, table, Text(), Text(f"{mark} {row.result.value}", style=style))


def _event_value(entry: Entry) -> Json:
    return {
        "seq": entry.seq,
        "at": stamp(entry.at),
        "stack": short_name(entry.stack),
        "kind": entry.event.kind,
        "actor": entry.actor,
        "sentence": sentence(entry.event),
    }
