"""What is asked for: a stack at a revision, with everything that `decide` must know of its surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from adapters.contract import Goal
from orchestrator.model.fingerprint import Parts
from orchestrator.model.gate import Gate
from orchestrator.model.reference import OutputRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An upstream output that is there and will stay."""

    ref: OutputRef
    hmac: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An upstream output that is unknown, or that would change: its stack is due or applying."""

    ref: OutputRef
    stack: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """An upstream output that its stack, at rest, does not have."""

    ref: OutputRef
    stack: str


Upstream: TypeAlias = Known | Pending | Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """One stack on one track, as asked for now."""

    revision: str
    fingerprint: str
    parts: Parts
    policy_digest: str
    goal: Goal = Goal.CONVERGE
    #: Whether it is held at an earlier revision: bringing it there is a rollback, which gates may tell apart.
    held: bool = False
    #: False for a working tree: it can be planned, never applied.
    committed: bool = True
    #: E-mails of who wrote what is new in it, for policies that bar authors from approving their own.
    authors: frozenset[str] = frozenset()
    upstream: tuple[Upstream, ...] = ()
    gates: tuple[Gate, ...] = ()
