"""Where a stack's data comes from, and whether it is there to stay. Pure."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from adapters.contract import Goal
from orchestrator.model.desired import Known, Missing, Pending, Upstream
from orchestrator.model.observed import Applying, Observed, Proposal
from orchestrator.model.reference import OutputRef
from orchestrator.model.stack import StackKey


def locate(ref: OutputRef, reader: StackKey, stacks: Container[StackKey]) -> StackKey:
    """Return the stack that ``ref`` means when ``reader`` says it.

    The environment named, else the reader's own, else the stack without one. A stack that is not
    there is returned all the same: validation names it, the survey calls its outputs missing.
    """
    named = StackKey(source=reader.source, name=ref.stack, environment=ref.environment or reader.environment)
    if ref.environment or named in stacks:
        return named
    return StackKey(source=reader.source, name=ref.stack)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeder:
    """An upstream stack as its readers must know it."""

    stack: str
    observed: Observed
    #: Whether it is at rest on what is asked of it now.
    settled: bool
    #: The fingerprint asked of it now.
    fingerprint: str
    #: What it waits for or failed on, empty where it is merely due.
    trouble: str = ""


def judge(ref: OutputRef, feeder: Feeder) -> Upstream:
    """Say whether an upstream output is known, pending or missing.

    Pending means: its stack is due or applying, and that output is unknown or would change.
    """
    if isinstance(feeder.observed.progress, Applying):
        return Pending(ref=ref, stack=feeder.stack, why=f"{feeder.stack} is being applied")
    applied = feeder.observed.applied
    gone = applied is None or applied.goal is Goal.DESTROY
    mark = None if applied is None or gone else applied.outputs.get(ref.key)
    if feeder.settled and not _would_change(ref, feeder):
        if mark is None:
            return Missing(ref=ref, stack=feeder.stack)
        return Known(ref=ref, hmac=mark.hmac)
    if mark is not None and _stays(ref, feeder):
        return Known(ref=ref, hmac=mark.hmac)
    return Pending(ref=ref, stack=feeder.stack, why=feeder.trouble or f"{feeder.stack} is due first")


def _would_change(ref: OutputRef, feeder: Feeder) -> bool:
    """Whether a plan that waits, to repair what drifted, would change this output."""
    proposal = feeder.observed.progress
    return (
        isinstance(proposal, Proposal)
        and proposal.fingerprint == feeder.fingerprint
        and ref.key in proposal.outputs_changing
    )


def _stays(ref: OutputRef, feeder: Feeder) -> bool:
    """Whether a plan for what is asked of the upstream now leaves this output as it is."""
    proposal = feeder.observed.progress
    return (
        isinstance(proposal, Proposal)
        and feeder.observed.unknown is None
        and proposal.fingerprint == feeder.fingerprint
        and proposal.goal is Goal.CONVERGE
        and ref.key not in proposal.outputs_changing
    )
