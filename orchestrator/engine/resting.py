"""Says of stacks that there is nothing to do about them, and when they are due next. Reads, changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from orchestrator.engine.outside import Outside, Reading
from orchestrator.engine.survey import Asked, Survey
from orchestrator.model.action import Rest
from orchestrator.model.policy import Policy
from orchestrator.model.stack import StackKey
from orchestrator.ports import Due, Secret
from orchestrator.rules.decide import decide
from orchestrator.rules.pace import again

#: From this many stacks on, all that is known of them is read at once.
_MANY: Final = 20


def rest_of(asked: Asked, now: float, policy: Policy | None = None) -> Rest | None:
    """Return why there is nothing to do about a stack at ``now`` (seconds since the epoch).

    ``policy`` is what is allowed where that is not all that the stack's own policy allows.

    None where there is something, and where an attempt waits for somebody to find out what came of it.
    """
    unknown = asked.state.unknown
    if asked.state.applying is not None or (unknown is not None and not unknown.dead):
        return None
    action = decide(asked.desired, asked.observed, policy or asked.stack.policy, now)
    return action if isinstance(action, Rest) else None


def next_look(due: Due, rest: Rest, now: float) -> Due:
    """Return when a stack that came to rest is due next; ``now`` is seconds since the epoch."""
    at, priority = again(due.stack, rest, now)
    return replace(due, at=at, priority=priority, why=rest.why)


def all_due(outside: Outside, reading: Reading, keys: Collection[StackKey]) -> Iterator[Due]:
    """Yield when each of these stacks is due: now, or later where it is certain that nothing is to be done before.

    Certain is what the record and the files say. Whatever somebody else would have to be asked for, or goes wrong, is
    for whoever works the stack: it is due now.
    """
    now = outside.clock.now()
    survey = Survey(replace(outside, secrets=_Unasked()), reading, whole=len(keys) > _MANY)
    for key in sorted(keys):
        due = Due(stack=str(key), track=reading.track, at=now, why=f"revision {reading.revision.short}")
        try:
            asked = survey.look(key)
            rest = rest_of(asked, now) if asked else None
        except Exception:  # noqa: BLE001 -- it is told of the stack alone, once that is worked
            rest = None
        yield next_look(due, rest, now) if rest else due
    survey.keep()


class _NotNow(Exception):
    """A secret store would have to be asked."""


@dataclass(frozen=True, slots=True)
class _Unasked:
    """`ports.Secrets` that nobody asks: a store that hangs would keep every stack waiting, and not its own alone."""

    def get(self, name: str) -> Secret:
        """Refuse."""
        raise _NotNow(name)

    def versions(self, names: Iterable[str]) -> Mapping[str, str]:
        """Answer where nothing is asked."""
        return {name: self.get(name).version for name in names}

    def forget(self) -> None:
        """Nothing is known."""

    def readable_by(self, stack: StackKey, *, foreign: bool) -> _Unasked:  # noqa: ARG002 -- the port's
        """Return the same for every stack."""
        return self
