"""Metrics for Prometheus, read from the record when somebody asks for them.

Counters begin with the entry after the last that an earlier service counted, so that nothing is counted twice and
nothing is missed; to Prometheus a new service is a reset, which ``rate`` and ``increase`` know. No label is a commit,
a run or a person: https://prometheus.io/docs/practices/naming/#labels
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from orchestrator.model.event import ApplyEnded, ApplyStarted, Approved, Asked, Outcome, Planned
from orchestrator.model.observed import Applying, State
from orchestrator.model.stack import StackKey
from orchestrator.ports import Entry, Record
from orchestrator.report.conditions import conditions, suspended
from orchestrator.report.cursor import Cursor
from orchestrator.report.results import Result, result_of

#: Seconds: an apply of a file, of a cluster.
_DURATIONS: Final = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600)
#: Seconds: minutes to weeks.
_WAITS: Final = (60, 300, 900, 3600, 4 * 3600, 86400, 3 * 86400, 7 * 86400, 30 * 86400)
#: Of applies from longer before the service began, in seconds, nobody asks when their commit was made.
_RECENT_S: Final = 86400.0

disable_created_metrics()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFares:
    """How a source fares."""

    name: str
    #: Seconds since the epoch, 0 for never.
    read_at: float
    #: Looks that came to nothing, since the record knows it.
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fares:
    """What no event says: how the service fares at this moment."""

    version: str
    now: float
    sources: tuple[SourceFares, ...]
    #: Rows of the agenda that are due and that nobody works on.
    waiting: int
    busy: int
    idle: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """A stack's row as it was last read."""

    version: int
    key: StackKey
    state: State


class Metrics:
    """One registry, and the reader that fills it. Safe to share between threads."""

    def __init__(self, record: Record, committed_at: Callable[[str, str], float]) -> None:
        """``committed_at`` returns when a revision (source, id) was made, seconds since the epoch, 0 for unknown."""
        self._record, self._committed_at = record, committed_at
        self._lock = threading.Lock()
        self._cursor: Cursor | None = None
        self._counts = _Counts()
        self._seen: dict[str, _Seen] = {}
        self._begun: dict[tuple[str, int], Applying] = {}
        self._asked_at: dict[tuple[str, str, int], float] = {}
        self._tools: dict[str, str] = {}
        self._recent = float("inf")

    def page(self, fares: Fares) -> bytes:
        """Return every metric in the text format. Raises OrchestratorError where the record does not answer."""
        with self._lock:
            if self._cursor is None:
                self._cursor = Cursor(self._record, "metrics")
                self._recent = fares.now - _RECENT_S
            self._look_again(fares)
            for entry in self._cursor.news():
                self._count(entry)
            return self._counts.page(self._now(fares))

    def _look_again(self, fares: Fares) -> None:
        """Read anew the rows that have moved on, and no other."""
        seen: dict[str, _Seen] = {}
        for source in fares.sources:
            for name, version in self._record.versions(source.name).items():
                known = self._seen.get(name)
                if known is not None and known.version == version:
                    seen[name] = known
                    continue
                try:
                    key = StackKey.parse(name)
                except ValueError:
                    continue
                seen[name] = _Seen(version, key, self._record.row(name).state)
        self._seen = seen
        for name, one in seen.items():
            if one.state.applied:
                self._tools.setdefault(name, one.state.applied.tool.name)

    def _count(self, entry: Entry) -> None:
        event, stack, counts = entry.event, entry.stack, self._counts
        match event:
            case Planned(proposal=proposal):
                self._tools[stack] = proposal.tool.name
            case Asked(track=track, proposal=number):
                self._asked_at[stack, track, number] = entry.at
            case Approved(track=track, proposal=number) if (stack, track, number) in self._asked_at:
                counts.approvals.observe(max(0.0, entry.at - self._asked_at.pop((stack, track, number))))
            case ApplyStarted(attempt=attempt):
                self._tools[stack] = attempt.proposal.tool.name
                self._begun[stack, attempt.number] = attempt
            case _:
                pass
        ended = result_of(event)
        if ended is None:
            return
        try:
            key = StackKey.parse(stack)
        except ValueError:
            return
        operation, result = ended
        tool = self._tools.get(stack, "")
        counts.runs.labels(_name(key), key.environment, tool, operation, result.value).inc()
        if isinstance(event, ApplyEnded):
            self._count_apply(key, event, entry.at, result)

    def _count_apply(self, key: StackKey, event: ApplyEnded, at: float, result: Result) -> None:
        begun = self._begun.pop((str(key), event.attempt), None)
        if begun:
            tool = begun.proposal.tool.name
            self._counts.durations.labels(tool, "apply", result.value).observe(max(0.0, at - begun.started_at))
        self._counts.deployments.labels(key.environment, result.value).inc()
        if event.outcome is Outcome.SUCCEEDED and event.applied and at >= self._recent:
            committed = self._committed_at(key.source, event.applied.revision)
            if committed:
                self._counts.leads.observe(max(0.0, at - committed))

    def _now(self, fares: Fares) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        _, gates = self._record.gates()
        condition = GaugeMetricFamily(
            "holdfast_stack_condition",
            "1 for the status that each condition of a stack has, 0 for the other",
            labels=("stack", "environment", "type", "status"),
        )
        drifted = GaugeMetricFamily(
            "holdfast_stack_drifted_resources",
            "Differences that the last look for drift found",
            labels=("stack", "environment"),
        )
        for one in self._seen.values():
            if one.state.vanished_at is not None or one.state.moved_to:
                continue
            where = (_name(one.key), one.key.environment)
            found = {**conditions(one.state), "Suspended": suspended(one.key, one.state, gates, fares.now)}
            for kind, holds in found.items():
                condition.add_metric((*where, kind, "True"), float(holds))
                condition.add_metric((*where, kind, "False"), float(not holds))
            drifted.add_metric(where, len(one.state.drift.items) if one.state.drift else 0)
        yield condition
        yield drifted
        yield from _of_house(fares)


class _Counts(Collector):
    """What only ever grows, and beside it what holds at the moment of asking."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._gauges: Iterable[GaugeMetricFamily | CounterMetricFamily] = ()
        self._registry.register(self)
        to = self._registry
        self.runs = Counter(
            "holdfast_runs_total",
            "Plans, applies and looks for drift by how they ended; a look that finds nothing new is not among them",
            ("stack", "environment", "tool", "operation", "result"),
            registry=to,
        )
        self.durations = Histogram(
            "holdfast_run_duration_seconds",
            "From the beginning of an attempt to apply to its end",
            ("tool", "operation", "result"),
            registry=to,
            buckets=_DURATIONS,
        )
        self.approvals = Histogram(
            "holdfast_approval_wait_seconds",
            "From the question to the yes",
            registry=to,
            buckets=_WAITS,
        )
        self.deployments = Counter(
            "holdfast_deployments_total", "Applies by how they ended", ("environment", "result"), registry=to
        )
        self.leads = Histogram(
            "holdfast_change_lead_time_seconds",
            "From the commit that was applied to the end of the apply",
            registry=to,
            buckets=_WAITS,
        )

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        """Yield what holds at this moment."""
        return self._gauges

    def page(self, gauges: Iterable[GaugeMetricFamily | CounterMetricFamily]) -> bytes:
        """Return everything in the text format."""
        self._gauges = tuple(gauges)
        return generate_latest(self._registry)


def _of_house(fares: Fares) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
    read = GaugeMetricFamily(
        "holdfast_source_last_success_timestamp_seconds", "When a source was last read", labels=("source",)
    )
    failures = CounterMetricFamily(
        "holdfast_source_fetch_failures_total", "Looks at a source that came to nothing", labels=("source",)
    )
    for source in fares.sources:
        read.add_metric((source.name,), source.read_at)
        failures.add_metric((source.name,), source.failures)
    yield read
    yield failures
    yield GaugeMetricFamily("holdfast_queue_depth", "What is due and nobody works on", value=fares.waiting)
    workers = GaugeMetricFamily("holdfast_workers", "Places for stacks to be worked on", labels=("state",))
    workers.add_metric(("busy",), fares.busy)
    workers.add_metric(("idle",), fares.idle)
    yield workers
    build = GaugeMetricFamily("holdfast_build_info", "The release that answers", labels=("version",))
    build.add_metric((fares.version,), 1)
    yield build


def _name(key: StackKey) -> str:
    return f"{key.source}/{key.name}"
