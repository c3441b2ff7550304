"""The gates that stand before one stack: those that people closed, and those that follow from policy. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from orchestrator.model.gate import Act, Gate, GateKind
from orchestrator.model.stack import Stack
from orchestrator.rules.windows import opening

#: What nobody does while an upstream or another environment is not ready: changing things.
_CHANGES = frozenset({Act.APPLY, Act.REPAIR, Act.ROLLBACK})


def closed_for(stack: Stack, gates: Iterable[Gate]) -> tuple[Gate, ...]:
    """Return the recorded gates whose selector means this stack, by full key or short name."""
    key = stack.key
    return tuple(
        gate for gate in gates if any(fnmatchcase(name, gate.selector) for name in (str(key), key.short, key.name))
    )


def window(stack: Stack, now: float) -> tuple[Gate, ...]:
    """Return a gate where ``now`` lies outside every window of the stack's policy."""
    windows = stack.policy.windows
    if not windows:
        return ()
    opens_at = opening(windows, now)
    if opens_at is not None and opens_at <= now:
        return ()
    return (
        Gate(
            kind=GateKind.WINDOW,
            why=f"outside its windows ({', '.join(windows)})",
            selector=str(stack.key),
            until=opens_at,
        ),
    )


def order(stack: Stack, unready: Iterable[str]) -> tuple[Gate, ...]:
    """Return a gate for each stack of ``depends_on`` that is not at rest: planning goes on, applying waits."""
    return tuple(
        Gate(kind=GateKind.UPSTREAM, why=f"waits for {name}", selector=str(stack.key), stops=_CHANGES)
        for name in unready
    )


def promotion(stack: Stack, *, ready: bool) -> tuple[Gate, ...]:
    """Return a gate where the environment before this one is not at rest on the same revision."""
    if not stack.promote_from or ready:
        return ()
    why = f"not ready in {stack.promote_from} at this revision yet"
    return (Gate(kind=GateKind.PROMOTION, why=why, selector=str(stack.key), stops=_CHANGES | {Act.PLAN}),)
