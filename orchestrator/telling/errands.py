"""What came of stacks that somebody asked to be worked, for programs: all that a command needs to go on. Pure.

Written here and read here: a client prints from it what a command on the service's own host prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from adapters.contract import AttributeChange, Change, ChangeKind, Goal, Json, Plan, Problem, Severity, ToolVersion
from orchestrator.model.fingerprint import Parts
from orchestrator.model.observed import Counts, Proposal
from orchestrator.model.stack import MAIN, StackKey
from orchestrator.telling import plans
from orchestrator.telling.rows import Mark, Row

_NO_TOOL: Final = ToolVersion(name="", version="", platform="")


class Needs(StrEnum):
    """What a plan still needs before it is applied."""

    #: There is nothing to apply.
    NOTHING = "nothing"
    #: Everybody who is asked has said yes to exactly this already.
    AGREED = "agreed"
    #: A yes would let it through.
    YES = "yes"
    #: No yes would.
    BARRED = "barred"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One stack, what its plan still needs, and why a mere yes would not do."""

    row: Row
    needs: Needs = Needs.NOTHING
    grave: str = ""
    #: What becomes of it where no yes lets it through.
    barred: Row | None = None


def value(told: Told) -> dict[str, Json]:
    """Return one stack for programs: its plan as `holdfast plan -o json` tells it, and what a command asks people."""
    row = told.row
    said = plans.Told(result=row.mark.value, why=row.why, code=row.code, warnings=row.warnings)
    return {
        **plans.value(row.key, row.tool, said, row.proposal, row.plan),
        "kept": row.kept,
        "backwards": row.backwards,
        "needs": told.needs.value,
        "grave": told.grave,
        "barred": {"result": told.barred.mark.value, "why": told.barred.why, "code": told.barred.code}
        if told.barred
        else None,
    }


def read(document: Mapping[str, Any]) -> Told:
    """Return what `value` told. Raises KeyError, TypeError, ValueError where it is no such document."""
    row, barred = read_row(document), document["barred"]
    return Told(
        row=row,
        needs=Needs(document["needs"]),
        grave=str(document["grave"]),
        barred=replace(row, mark=Mark(barred["result"]), why=barred["why"], code=barred["code"]) if barred else None,
    )


def read_row(document: Mapping[str, Any]) -> Row:
    """Return the row of a stack's plan as `plans.value` tells of it. Raises KeyError, TypeError, ValueError."""
    proposal = _proposal(document)
    return Row(
        key=StackKey.parse(document["key"]),
        tool=document["tool"],
        mark=Mark(document["result"]),
        why=document["why"],
        code=document["code"],
        warnings=tuple(document["warnings"]),
        kept=bool(document.get("kept")),
        backwards=bool(document.get("backwards")),
        proposal=proposal,
        plan=_plan(document, proposal) if proposal else None,
    )


def counts_of(document: Mapping[str, Any]) -> Counts:
    """Return counts as `counts.value` tells them."""
    kinds = ("create", "update", "replace", "delete", "unknown", "moved", "imported")
    return Counts(**{kind: int(document[kind]) for kind in kinds})


def change_of(document: Mapping[str, Any]) -> Change:
    """Return a change as `changes.value` tells it."""
    return Change(
        address=document["address"],
        kind=ChangeKind(document["kind"]),
        reason=document["reason"],
        attributes=tuple(
            AttributeChange(
                path=one["path"],
                before=one["before"],
                after=one["after"],
                sensitive=one["sensitive"],
                computed=one["computed"],
                forces_replacement=one["forces_replacement"],
            )
            for one in document["attributes"]
        ),
    )


def _proposal(document: Mapping[str, Any]) -> Proposal | None:
    """Return as much of a proposal as people are told: what it binds is the service's to know."""
    if document["proposal"] is None:
        return None
    return Proposal(
        number=int(document["proposal"]),
        run=int(document["run"]),
        track=MAIN,
        goal=Goal(document["goal"]),
        revision=document["revision"],
        fingerprint="",
        parts=Parts(tree=""),
        changes_digest=document["digest"],
        artifact="",
        detail="",
        inputs="",
        policy_digest="",
        tool=_NO_TOOL,
        counts=counts_of(document["counts"]),
        outputs_changing=tuple(document["outputs_changing"]),
    )


def _plan(document: Mapping[str, Any], proposal: Proposal) -> Plan:
    return Plan(
        goal=proposal.goal,
        changes=tuple(change_of(one) for one in document["changes"]),
        tool=_NO_TOOL,
        outputs_changing=proposal.outputs_changing,
        problems=tuple(
            Problem(
                severity=Severity(one["severity"]),
                summary=one["summary"],
                detail=one["detail"],
                file=one["file"],
                line=int(one["line"] or 0),
            )
            for one in document["problems"]
        ),
    )
