"""Builds what tells people and programs elsewhere, of the operator's file and our own environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

from orchestrator.assembly.served import Served
from orchestrator.config.operator import Events, Notify, Operator
from orchestrator.effects.cursors import RecordCursors
from orchestrator.effects.redact import Redactor
from orchestrator.engine.watching import glimpse_of
from orchestrator.errors import OrchestratorError
from orchestrator.ports import Journal, Level
from orchestrator.report.absence import Absence, AbsenceJournal
from orchestrator.report.cdevents import KINDS
from orchestrator.report.happening import DEFAULT_ON, Selection
from orchestrator.report.notify import AppriseSink
from orchestrator.report.outbox import Ground, Outbox, Pace
from orchestrator.report.reading import Reading, among_nobody
from orchestrator.report.reporters import Reporters
from orchestrator.report.webhook import WebhookSink

#: Events are for programs, which gather for themselves.
_AT_ONCE: Final = Pace(gather_s=0.0)
#: What sends them.
_TRACING: Final = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")
#: Either of them says where traces go, as everywhere.
_TRACES: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def reporters_of(served: Served, journal: Journal, environment: Mapping[str, str]) -> Reporters:
    """Return everything that tells somebody something, not begun yet."""
    host, operator = served.host, served.operator
    clock = host.clock
    ground = Ground(
        record=host.record,
        cursors=RecordCursors(database=host.record.database),
        journal=_Discreet(journal, _own(served, operator)),
        now=clock.now,
        external_url=operator.external_url,
        alone=(lambda name: host.agenda.hold(f"report/{name}")) if operator.many_hosts else among_nobody,
    )

    def absence(reader: str) -> Absence:
        return Absence(
            reader,
            ground.cursors,
            lambda: [glimpse_of(host.record, source) for source in operator.sources],
            watched_since=clock.now(),
        )

    return Reporters(
        [
            AbsenceJournal(absence("journal"), ground.journal, clock.now, ground.alone),
            *(_notifying(served, ground, one, absence(f"notify-{one.name}")) for one in operator.notify),
            *(_sending(served, ground, one) for one in operator.events),
            *_traces(ground, environment),
        ]
    )


def _notifying(served: Served, ground: Ground, to: Notify, absence: Absence) -> Reading:
    return Outbox(
        f"notify-{to.name}",
        ground,
        AppriseSink(to.name, _value(served, to.to_secret), ground.external_url),
        Selection(on=DEFAULT_ON if to.on is None else to.on, stacks=to.stacks),
        absence=absence,
        pace=Pace(gather_s=to.gather_s),
    )


def _sending(served: Served, ground: Ground, to: Events) -> Reading:
    sink = WebhookSink(
        to.name,
        to.url,
        _value(served, to.secret),
        source=ground.external_url,
        allow_http=to.allow_http,
        now=ground.now,
    )
    wanted = Selection(on=tuple(kind.value for kind in KINDS), stacks=to.stacks)
    return Outbox(f"events-{to.name}", ground, sink, wanted, pace=_AT_ONCE)


def _traces(ground: Ground, environment: Mapping[str, str]) -> Iterator[Reading]:
    if not any(environment.get(name) for name in _TRACES):
        return
    if not all(_installed(name) for name in _TRACING):
        ground.journal.say(
            Level.WARNING,
            "traces are asked for, and the library that sends them is not installed",
            code="HF-4606",
            remedy="pip install 'holdfast[tracing]'",
        )
        return
    from orchestrator.report.traces import Tracing  # noqa: PLC0415 -- an extra

    yield Tracing(ground)


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        # Not even what it lies in is there.
        return False


def _value(served: Served, name: str) -> Callable[[], str]:
    return lambda: served.host.secrets.get(name).value


def _own(served: Served, operator: Operator) -> Callable[[], Iterator[str]]:
    names = (*(one.to_secret for one in operator.notify), *(one.secret for one in operator.events))

    def known() -> Iterator[str]:
        # Asks nobody who may hang: a receiver was reached with what is at hand, or with what was told once.
        secrets = served.host.secrets
        for name in names:
            try:
                yield secrets.at_hand().get(name).value
            except OrchestratorError:
                continue
        yield from secrets.told()

    return known


@dataclass(frozen=True, slots=True)
class _Discreet:
    """A journal that hides what receivers are reached with: a receiver may repeat it in its answer."""

    _journal: Journal
    _secrets: Callable[[], Iterator[str]]

    def say(self, level: Level, what: str, **about: object) -> None:
        """Say one thing."""
        redactor = Redactor(part for secret in self._secrets() for part in _parts(secret))
        shown = {name: redactor.mask(value) if isinstance(value, str) else value for name, value in about.items()}
        self._journal.say(level, redactor.mask(what), **shown)


#: Parts of a URL that are shorter say nothing to anybody.
_SHORT: Final = 8


def _parts(secret: str) -> Iterator[str]:
    """Yield a secret, and each part of the URL that it is: a library may say a token without the rest."""
    yield secret
    _, _, rest = secret.partition("://")
    if rest:
        yield rest
        for sign in "@?&=:":
            rest = rest.replace(sign, "/")
        yield from (part for part in rest.split("/") if len(part) >= _SHORT)
