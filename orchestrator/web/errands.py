"""What people asked to be worked now: in threads beside the loop, with what came of it kept until it was asked for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.contract import AdapterError, Json
from orchestrator.errors import OrchestratorError
from orchestrator.model.stack import StackKey
from orchestrator.ports import Run
from orchestrator.web.problems import Problem, of_error

#: So many are at work at once; whoever comes on top of them is told to come back.
_AT_ONCE: Final = 8
#: Of so many what came of them is kept.
_KEPT: Final = 100
#: Seconds in which a run must have begun.
_BEGINS_S: Final = 30.0


@dataclass(slots=True)
class Outcome:
    """What came of one of them so far."""

    #: Name of who asked for it: it is told to nobody else.
    who: str
    #: ``plan``, ``apply`` or ``drift``.
    verb: str
    doing: dict[str, str] = field(default_factory=dict)
    rows: Sequence[Json] = ()
    done: bool = False
    interrupted: bool = False
    #: What ended it before its time.
    problem: Problem | None = None

    def tell(self, key: StackKey, doing: str) -> None:
        """Take note of what is being done to a stack; empty words once it is at rest."""
        if doing:
            self.doing[key.short] = doing
        else:
            self.doing.pop(key.short, None)


class Errands:
    """Those at work, and those whose outcome may still be asked for."""

    def __init__(self) -> None:
        """None yet."""
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self._kept: OrderedDict[int, Outcome] = OrderedDict()

    def of(self, run: int, who: str) -> Outcome | None:
        """Return what came of a run, None where it was asked for by somebody else, or is not kept."""
        with self._lock:
            found = self._kept.get(run)
        return found if found and found.who == who else None

    def begin(self, who: str, verb: str, work: Callable[[Outcome, Callable[[Run], None]], None]) -> int:
        """Begin, and return the run that tells of it; ``work`` is given where to tell, and what to call with its run.

        Raises Problem: 429 where too many are at work, else what kept its run from beginning.
        """
        if not self._places.acquire(blocking=False):
            raise Problem(429, detail="so much is under way already; try again later", headers={"retry-after": "10"})
        begins: Future[int] = Future()
        outcome = Outcome(who=who, verb=verb)

        def begun(run: Run) -> None:
            with self._lock:
                self._kept[run.number] = outcome
                over = [number for number, one in self._kept.items() if one.done][: max(0, len(self._kept) - _KEPT)]
                for number in over:
                    del self._kept[number]
            begins.set_result(run.number)

        threading.Thread(target=self._work, args=(work, outcome, begun, begins), name="errand", daemon=True).start()
        return begins.result(_BEGINS_S)

    def _work(
        self,
        work: Callable[[Outcome, Callable[[Run], None]], None],
        outcome: Outcome,
        begun: Callable[[Run], None],
        begins: Future[Any],
    ) -> None:
        try:
            work(outcome, begun)
        except (OrchestratorError, AdapterError) as error:
            outcome.problem = of_error(error)
            if not begins.done():
                begins.set_exception(error)
        except BaseException as error:
            outcome.problem = Problem(500)
            if not begins.done():
                begins.set_exception(error)
            raise
        finally:
            outcome.done = True
            self._places.release()
