"""Runs as traces: a span for each run and one for each step of it, read from the record once the run has ended.

Names are those of OpenTelemetry's conventions for pipelines, which are still in development:
https://opentelemetry.io/docs/specs/semconv/cicd/cicd-spans/. Ids are made of the record's key and the run's number,
so that what is sent twice is the same span.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from orchestrator.model.event import ApplyEnded, ApplyStarted, Converged, DriftSeen, Planned
from orchestrator.model.stack import StackKey
from orchestrator.ports import Entry, Level, Record, Run, Spot
from orchestrator.report.outbox import Ground
from orchestrator.report.reading import POLL_S, Reading
from orchestrator.report.results import Result, result_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span

_READER: Final = "traces"
#: Runs that are looked at in one turn.
_AT_ONCE: Final = 50
#: What every trace of a pipeline is told by; ``failure`` is the tool's no, ``error`` is ours.
_WORST: Final = (Result.ERROR, Result.FAILURE, Result.CANCELLATION)
_BAD: Final = frozenset({Result.FAILURE, Result.ERROR})
_TASK_TYPES: Final = {"plan": "test", "apply": "deploy", "drift": "test"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a run, on one stack."""

    stack: str
    operation: str
    result: Result
    began: float
    ended: float
    revision: str = ""
    tool: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One run that has ended, with its steps in order."""

    run: Run
    steps: tuple[Step, ...]

    @property
    def ended(self) -> float:
        """Return when the last of it ended, in seconds since the epoch."""
        return max([self.run.ended_at or self.run.at, *(step.ended for step in self.steps)])

    @property
    def result(self) -> Result:
        """Return how it ended: as badly as the worst of its steps."""
        found = {step.result for step in self.steps}
        return next((one for one in _WORST if one in found), Result.SUCCESS)


def trace_of(run: Run, entries: Sequence[Entry]) -> Trace:
    """Return a run and its steps. A step begins where the one before it on the same stack ended. Pure."""
    return Trace(run=run, steps=tuple(_steps(run, entries)))


def _steps(run: Run, entries: Sequence[Entry]) -> Iterator[Step]:
    began: dict[str, float] = {}
    about: dict[str, tuple[str, str]] = {}
    for entry in entries:
        event, stack = entry.event, entry.stack
        match event:
            case Planned(proposal=proposal):
                about[stack] = proposal.revision, proposal.tool.name
            case ApplyStarted(attempt=attempt):
                about[stack] = attempt.proposal.revision, attempt.proposal.tool.name
                began[stack] = attempt.started_at or entry.at
            case Converged(applied=applied) | ApplyEnded(applied=applied) if applied:
                about[stack] = applied.revision, applied.tool.name
            case DriftSeen(revision=revision):
                about[stack] = revision, about.get(stack, ("", ""))[1]
            case _:
                pass
        ended = result_of(event)
        if ended is None:
            continue
        operation, result = ended
        revision, tool = about.get(stack, ("", ""))
        start = min(began.get(stack, run.at), entry.at)
        yield Step(
            stack=stack,
            operation=operation,
            result=result,
            began=start,
            ended=entry.at,
            revision=revision,
            tool=tool,
        )
        began[stack] = entry.at


@dataclass(slots=True)
class Spans:
    """Makes spans of traces."""

    record: Record
    external_url: str = ""

    def of(self, trace: Trace) -> Sequence[ReadableSpan]:
        """Return the run's span and those of its steps."""
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 -- an extra
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 -- likewise
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: PLC0415 -- likewise
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.trace.id_generator import IdGenerator  # noqa: PLC0415 -- likewise
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON  # noqa: PLC0415 -- likewise
        from opentelemetry.trace import SpanKind, set_span_in_context  # noqa: PLC0415 -- likewise

        key, number = self.record.key(), trace.run.number

        class Derived(IdGenerator):
            """Ids that are the same whenever the same is sent."""

            def __init__(self) -> None:
                self.made = 0

            def generate_trace_id(self) -> int:
                return _derived(key, f"run {number}", 16)

            def generate_span_id(self) -> int:
                self.made += 1
                return _derived(key, f"run {number} span {self.made}", 8)

        kept = InMemorySpanExporter()
        named = bool(os.environ.get("OTEL_SERVICE_NAME"))
        provider = TracerProvider(
            sampler=ALWAYS_ON,
            # $OTEL_SERVICE_NAME and $OTEL_RESOURCE_ATTRIBUTES count, as everywhere.
            resource=Resource.create({} if named else {"service.name": "holdfast"}),
            id_generator=Derived(),
            shutdown_on_exit=False,
        )
        provider.add_span_processor(SimpleSpanProcessor(kept))
        tracer = provider.get_tracer("holdfast")
        whole = tracer.start_span(
            f"RUN {trace.run.verb}",
            kind=SpanKind.SERVER,
            start_time=_ns(trace.run.at),
            attributes=self._of_run(trace),
        )
        for count, step in enumerate(trace.steps, 1):
            part = tracer.start_span(
                f"{step.operation} {_short(step.stack)}",
                context=set_span_in_context(whole),
                kind=SpanKind.INTERNAL,
                start_time=_ns(step.began),
                attributes=_of_step(step, f"{number}.{count}"),
            )
            _judge(part, step.result)
            part.end(end_time=_ns(step.ended))
        _judge(whole, trace.result)
        whole.end(end_time=_ns(trace.ended))
        return kept.get_finished_spans()

    def _of_run(self, trace: Trace) -> Mapping[str, str]:
        run = trace.run
        found = {
            "cicd.pipeline.name": run.verb,
            "cicd.pipeline.run.id": str(run.number),
            "cicd.pipeline.result": trace.result.value,
            "vcs.ref.head.revision": run.revision,
            "holdfast.run.trigger": run.trigger,
            "cicd.pipeline.run.url.full": f"{self.external_url}/runs/{run.number}" if self.external_url else "",
        }
        return {name: value for name, value in found.items() if value}


class Tracing(Reading):
    """Sends the trace of each run that has ended, by OTLP over HTTP, to where $OTEL_EXPORTER_OTLP_ENDPOINT says."""

    def __init__(self, ground: Ground, *, poll_s: float = POLL_S) -> None:
        super().__init__(_READER, ground.journal, alone=ground.alone, poll_s=poll_s)
        self._ground = ground
        self._spans = Spans(ground.record, ground.external_url)
        self._exporter: SpanExporter | None = None
        #: Every run up to this number was sent.
        self._upto: int | None = None
        #: Those after it that were, too: an earlier one has not ended yet.
        self._sent: set[int] = set()
        self._down = False

    def begin(self) -> None:
        """Find the run that it has come to; a new one begins with the runs from now on."""
        if self._upto is None:
            self._upto = self._begun()

    def turn(self) -> None:
        """Send what has ended. Raises OrchestratorError."""
        self.begin()
        first = (self._upto or 0) + 1
        for number in range(first, first + _AT_ONCE):
            run = self._ground.record.run(number)
            if run is None:
                break
            if run.ended_at is None or number in self._sent:
                continue
            if not self._export(trace_of(run, self._entries(number))):
                break
            self._sent.add(number)
        self._move()

    def _begun(self) -> int:
        known = self._ground.cursors.at(_READER)
        if known is not None:
            return known.number
        newest = self._ground.record.runs(limit=1)
        first = newest[0].number if newest else 0
        self._ground.cursors.keep(_READER, Spot(first))
        return first

    def _entries(self, run: int) -> list[Entry]:
        found: list[Entry] = []
        while some := self._ground.record.events(run=run, after=found[-1].seq if found else 0):
            found += some
        return found

    def _export(self, trace: Trace) -> bool:
        from opentelemetry.sdk.trace.export import SpanExportResult  # noqa: PLC0415 -- an extra

        if self._exporter is None:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

            self._exporter = OTLPSpanExporter()
        taken = self._exporter.export(self._spans.of(trace)) is SpanExportResult.SUCCESS
        if taken is self._down:
            words = "traces are taken again" if taken else "traces are not taken: they are kept and sent later"
            level, code = (Level.INFO, "") if taken else (Level.WARNING, "HF-4600")
            self.journal.say(level, words, receiver=_READER, code=code)
        self._down = not taken
        return taken

    def _move(self) -> None:
        upto = self._upto or 0
        while upto + 1 in self._sent:
            upto += 1
            self._sent.discard(upto)
        if upto != self._upto:
            self._upto = upto
            self._ground.cursors.keep(_READER, Spot(upto), durable=False)


def _of_step(step: Step, name: str) -> Mapping[str, str]:
    try:
        environment = StackKey.parse(step.stack).environment
    except ValueError:
        environment = ""
    found = {
        "cicd.pipeline.task.name": f"{step.operation} {step.stack}",
        "cicd.pipeline.task.run.id": name,
        "cicd.pipeline.task.run.result": step.result.value,
        "cicd.pipeline.task.type": _TASK_TYPES[step.operation],
        "vcs.ref.head.revision": step.revision,
        "deployment.environment.name": environment,
        "holdfast.stack": step.stack,
        "holdfast.tool": step.tool,
    }
    return {key: value for key, value in found.items() if value}


def _judge(span: Span, result: Result) -> None:
    from opentelemetry.trace import StatusCode  # noqa: PLC0415 -- an extra

    if result in _BAD:
        span.set_status(StatusCode.ERROR)
        span.set_attribute("error.type", result.value)


def _short(stack: str) -> str:
    try:
        return StackKey.parse(stack).short
    except ValueError:
        return stack


def _derived(key: bytes, what: str, length: int) -> int:
    """Return an id of so many bytes, never 0."""
    return int.from_bytes(hmac.new(key, f"trace {what}".encode(), hashlib.sha256).digest()[:length], "big") or 1


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)
