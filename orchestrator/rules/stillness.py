"""Why a stack stands where it stands, in words: what people said about it, then what the decision says. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.contract import Goal
from orchestrator.model.action import Action, Reason
from orchestrator.model.gate import Gate
from orchestrator.model.moment import stamp
from orchestrator.model.observed import Hold, HoldKind, State
from orchestrator.model.stack import StackKey

#: Reasons that say no more than that a stack is where people put it.
_NOTHING_MORE = frozenset({Reason.CONVERGED, Reason.DESTROYED, Reason.OBSERVED_ONLY, Reason.NOTHING_TO_DO})


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """What people said that keeps a stack from following its source."""

    key: StackKey
    suspensions: tuple[Gate, ...] = ()
    hold: Hold | None = None
    #: Whether what is to be held down is down.
    down: bool = True

    def __bool__(self) -> bool:
        """Whether anything keeps it."""
        return bool(self.suspensions or self.hold)

    @property
    def words(self) -> tuple[str, ...]:
        """One clause for each, with the command that ends it."""
        held = (_held(self.key, self.hold, down=self.down),) if self.hold else ()
        return (*map(_suspended, self.suspensions), *held)

    def told(self, action: Action) -> str:
        """Return all of it in one line, and what the decision adds to it."""
        repeated = action.reason is Reason.GATED and any(gate.why == action.why for gate in self.suspensions)
        if self and (repeated or action.reason in _NOTHING_MORE):
            return "; ".join(self.words)
        return "; ".join((*self.words, decided(self.key, action)))


def held_at(key: StackKey, state: State) -> Still:
    """Return what its own record says that keeps a stack: its hold."""
    down = state.applied is None or state.applied.goal is Goal.DESTROY
    return Still(key=key, hold=state.hold, down=down)


def decided(key: StackKey, action: Action) -> str:
    """Return the decision's sentence as it is true on a command line: nothing happens here by itself."""
    return f"ready: holdfast apply {key.short}" if action.reason is Reason.AUTOMATIC else action.why


def _suspended(gate: Gate) -> str:
    until = f" (until {stamp(gate.until)})" if gate.until else ""
    return f"suspended by {gate.who}: {gate.why}{until}"


def _held(key: StackKey, hold: Hold, *, down: bool) -> str:
    taken = "taken down" if down else "to be taken down"
    what = taken if hold.kind is HoldKind.DESTROYED else f"held at {hold.revision[:7]}"
    why = f" ({hold.reason})" if hold.reason else ""
    return f"{what} by {hold.by}{why}: holdfast resume {key.short}"
