"""What stands behind the door: everything that a request can reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import BoundedSemaphore

from fastapi import Request

from orchestrator.assembly.served import Served
from orchestrator.config.operator import Operator
from orchestrator.effects.tokens import Tokens
from orchestrator.engine.dispatch import Dispatch
from orchestrator.engine.newest import Newest
from orchestrator.ports import Clock, Journal, Record
from orchestrator.report.metrics import Metrics
from orchestrator.web.errands import Errands
from orchestrator.web.pacing import Heard, Limiter, counted_as

#: Wrong tokens from one address in a minute. More than the requests that are looked at side by side.
_LOGINS = 50
#: Knocks of hooks from one address in a minute, whatever they say.
_KNOCKS = 600
#: Nudges by hooks of one source in a minute.
_NUDGES = 60
#: What one identity may have done in a minute.
_ACTS = 300
#: Refusals of one identity in a minute that the record keeps.
_REFUSALS = 20
#: Looks for drift that people asked for, at once.
_LOOKS = 4
_MINUTE_S = 60.0


@dataclass(slots=True)
class Checks:
    """The last look at what the database must answer before the service counts as ready."""

    at: float = float("-inf")
    found: dict[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """Everything that a request can reach. A reload changes what `served` holds: ask it each time."""

    served: Served
    dispatch: Dispatch
    journal: Journal
    clock: Clock
    metrics: Metrics
    #: Whether the service was told to stop.
    stopping: Callable[[], bool]
    logins: Limiter = field(default_factory=lambda: Limiter(_LOGINS, _MINUTE_S))
    knocks: Limiter = field(default_factory=lambda: Limiter(_KNOCKS, _MINUTE_S))
    nudges: Limiter = field(default_factory=lambda: Limiter(_NUDGES, _MINUTE_S))
    #: What each source held when it was last read.
    newest: Newest = field(default_factory=Newest)
    acts: Limiter = field(default_factory=lambda: Limiter(_ACTS, _MINUTE_S))
    refusals: Limiter = field(default_factory=lambda: Limiter(_REFUSALS, _MINUTE_S))
    looks: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(_LOOKS))
    #: How many streams each identity has open; only the door's own thread counts.
    streams: dict[str, int] = field(default_factory=dict)
    errands: Errands = field(default_factory=Errands)
    heard: Heard = field(default_factory=Heard)
    checks: Checks = field(default_factory=Checks)

    @property
    def operator(self) -> Operator:
        """The operator's file that is in force."""
        return self.served.operator

    @property
    def record(self) -> Record:
        """What happened."""
        return self.served.host.record

    @property
    def tokens(self) -> Tokens:
        """By what people and programs are known."""
        return self.served.host.tokens


def inside_of(request: Request) -> Inside:
    """Return what stands behind the door that a request came through."""
    found: Inside = request.app.state.inside
    return found


def origin(request: Request) -> str:
    """Return what the address that a request comes from counts as."""
    return counted_as(request.client.host if request.client else "")
