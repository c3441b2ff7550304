"""Lets each stack's own tool check its files."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.contract import AdapterError, Problem, Severity
from orchestrator.cli.place import Place
from orchestrator.cli.working import begun, listening
from orchestrator.engine.recovery import recover
from orchestrator.engine.side_by_side import Tell, at_once, side_by_side
from orchestrator.engine.station import Case, station
from orchestrator.engine.survey import Survey
from orchestrator.engine.work import contained, raised
from orchestrator.errors import Conflict
from orchestrator.model.stack import StackKey


def check(place: Place, keys: Sequence[StackKey], tell: Tell) -> list[tuple[StackKey, Problem]]:
    """Return what each tool has to say; a tool that could not be asked is a problem, too.

    Raises Conflict (HF-4203) where somebody works on one of the stacks.
    """
    with begun(place, "validate") as run, listening(place, run) as stop:

        def one(key: StackKey) -> tuple[Problem, ...]:
            tell(key, "checking")
            return contained(place.outside, run, key, lambda: validated(key), raised)

        def validated(key: StackKey) -> tuple[Problem, ...]:
            with place.outside.agenda.hold(str(key)):
                asked = Survey(place.outside, place.reading).look(key)
                if asked is None:
                    return ()
                case = Case(outside=place.outside, today=place.reading, asked=asked, run=run, cancelled=stop.cancelled)
                # Settled where it is over; where it is not the station refuses.
                recover(case, follow_s=0.0)
                with station(case) as ready:
                    return ready.adapter.validate(ready.workspace)

        ended = side_by_side(keys, one, parallel=at_once(0), stop=stop, tell=tell)
    found: list[tuple[StackKey, Problem]] = []
    for result in ended:
        error = result.error
        problems = result.result or ()
        if isinstance(error, Conflict):
            # Says nothing about the files.
            raise error
        if error is not None:
            said = error.problems if isinstance(error, AdapterError) else ()
            problems = (Problem(severity=Severity.ERROR, summary=error.message), *said)
        found += [(result.key, problem) for problem in problems]
    return found
