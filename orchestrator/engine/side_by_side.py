"""Works many stacks of one run side by side, wave by wave."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

from adapters.contract import AdapterError
from orchestrator.engine.outside import Outside, Reading
from orchestrator.errors import OrchestratorError
from orchestrator.model.stack import Stack, StackKey
from orchestrator.rules.order import edges, waves

_T = TypeVar("_T")
#: Seconds between two looks at whether somebody wants an end.
_LOOK_S = 0.2
#: So many stacks are worked side by side unless somebody says otherwise: tools need much memory.
_MOST_AT_ONCE = 4

#: Called with what is being done to a stack; empty words once it is at rest.
Tell: TypeAlias = Callable[[StackKey, str], None]


class Ground(Protocol):
    """What stacks are worked on: a reading, with everything that the engine can touch."""

    @property
    def outside(self) -> Outside:
        """Everything that the engine can touch."""

    @property
    def reading(self) -> Reading:
        """The revision, its files and stacks."""

    @property
    def stacks(self) -> dict[StackKey, Stack]:
        """Every stack of the reading."""

    @property
    def now(self) -> float:
        """Seconds since the epoch."""


class Stopping(Protocol):
    """Whether somebody wants the work to end, and what happens then."""

    @property
    def wanted(self) -> bool:
        """Whether nothing new is to be started."""

    @property
    def detaches(self) -> bool:
        """Whether to leave at once what runs."""

    def cancelled(self) -> bool:
        """Whether tools that run are to be stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Generic[_T]):
    """What came of one stack: a result, or the error that kept it from one."""

    key: StackKey
    result: _T | None = None
    error: OrchestratorError | AdapterError | None = None


def ordered(ground: Ground, keys: Sequence[StackKey], *, backwards: bool = False) -> list[tuple[StackKey, ...]]:
    """Return the stacks in waves; ``backwards`` for taking down: what depends on others goes first."""
    found = list(waves(edges(ground.reading.layout.stacks), keys))
    return found[::-1] if backwards else found


def at_once(wished: int) -> int:
    """Return how many stacks are worked side by side."""
    return wished or min(_MOST_AT_ONCE, os.cpu_count() or 1)


def side_by_side(
    keys: Sequence[StackKey], work: Callable[[StackKey], _T], *, parallel: int, stop: Stopping, tell: Tell
) -> list[Ended[_T]]:
    """Work each stack, ``parallel`` at once, and return what came of each, in the order given.

    Once ``stop`` is wanted nothing new starts; where it detaches this returns without waiting for what runs.
    """

    def one(key: StackKey) -> Ended[_T] | None:
        if stop.wanted:
            return None
        try:
            return Ended(key=key, result=work(key))
        except (OrchestratorError, AdapterError) as error:
            return Ended(key=key, error=error)
        finally:
            tell(key, "")

    pool = ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="stack")
    futures: list[Future[Ended[_T] | None]] = [pool.submit(one, key) for key in keys]
    pending = set(futures)
    while pending and not (stop.wanted and stop.detaches):
        _, pending = wait(pending, timeout=_LOOK_S)
    pool.shutdown(wait=not pending, cancel_futures=True)
    done = [future.result() for future in futures if future.done() and not future.cancelled()]
    return [ended for ended in done if ended is not None]
