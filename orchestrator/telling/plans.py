"""Plans, for programs: `holdfast plan` and the API tell the same. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.contract import Json, Plan, Problem
from orchestrator.model.observed import Counts, Proposal
from orchestrator.model.stack import StackKey
from orchestrator.telling import changes, counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is said of a plan beside what it would change."""

    #: ``changes``, ``none``, ``denied``, …: what became of the stack.
    result: str
    why: str = ""
    code: str = ""
    #: What people should know before they say yes.
    warnings: tuple[str, ...] = ()


def value(key: StackKey, tool: str, told: Told, proposal: Proposal | None, plan: Plan | None) -> dict[str, Json]:
    """Return one stack's plan; ``plan`` is the masked one, None where nothing was planned or its detail is gone."""
    return {
        "stack": key.short,
        "key": str(key),
        "tool": tool,
        "result": told.result,
        "why": told.why,
        "code": told.code,
        "run": proposal.run if proposal else None,
        "proposal": proposal.number if proposal else None,
        "revision": proposal.revision if proposal else None,
        "goal": proposal.goal.value if proposal else None,
        "digest": proposal.changes_digest if proposal else None,
        "counts": counts.value(proposal.counts if proposal else Counts()),
        "changes": [changes.value(change) for change in plan.changes] if plan else [],
        "outputs_changing": list(plan.outputs_changing) if plan else [],
        "warnings": list(told.warnings),
        "problems": [_problem(problem) for problem in plan.problems] if plan else [],
    }


def named(proposal: Proposal) -> str:
    """Return the words that tell one proposal from all others."""
    return f"proposal {proposal.number} at {proposal.revision[:7]}, digest {proposal.changes_digest[:12]}"


def _problem(problem: Problem) -> Json:
    return {
        "severity": problem.severity.value,
        "summary": problem.summary,
        "detail": problem.detail,
        "file": problem.file,
        "line": problem.line,
    }
