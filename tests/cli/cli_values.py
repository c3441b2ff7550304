"""Values of the model that the pages are made of, and a way to read what a page prints."""

from __future__ import annotations

import io
from pathlib import PurePosixPath

from rich.console import Console

from adapters.contract import (
    AttributeChange,
    Change,
    ChangeKind,
    Goal,
    Json,
    Plan,
    ToolVersion,
)
from orchestrator.cli.screen import Page
from orchestrator.model.fingerprint import Parts
from orchestrator.model.observed import Applied, Counts, Proposal
from orchestrator.model.policy import Policy
from orchestrator.model.stack import MAIN, Stack, StackKey

TOOL = ToolVersion(name="terraform", version="1.11.4", platform="linux_amd64")
REVISION = "3f2a91c0" * 5


def key(text: str) -> StackKey:
    name, _, environment = text.partition("@")
    return StackKey(source="infra", name=name, environment=environment or "default")


def stack(text: str, **more: object) -> Stack:
    its = key(text)
    given = {"tool": "terraform", "path": PurePosixPath(its.name), "policy": Policy(), **more}
    return Stack(key=its, **given)


def stacks(*texts: str) -> dict[StackKey, Stack]:
    return {key(text): stack(text) for text in texts}


def change(address: str, kind: ChangeKind, *attributes: AttributeChange, reason: str = "") -> Change:
    return Change(address=address, kind=kind, attributes=attributes, reason=reason)


def attribute(path: str, before: Json, after: Json, **more: bool) -> AttributeChange:
    return AttributeChange(path=path, before=before, after=after, **more)


def plan(*changes: Change, **more: object) -> Plan:
    return Plan(goal=Goal.CONVERGE, changes=changes, tool=TOOL, **more)


def proposal(counts: Counts | None = None, *, run: int = 7, goal: Goal = Goal.CONVERGE) -> Proposal:
    return Proposal(
        number=3,
        run=run,
        track=MAIN,
        goal=goal,
        revision=REVISION,
        fingerprint="f" * 64,
        parts=Parts(tree="t"),
        changes_digest="d" * 64,
        artifact="",
        detail="",
        inputs="",
        policy_digest="p",
        tool=TOOL,
        counts=counts or Counts(),
        made_at=1000.0,
    )


def applied(fingerprint: str = "f" * 64, *, goal: Goal = Goal.CONVERGE, at: float = 1000.0) -> Applied:
    return Applied(
        attempt=1,
        run=7,
        goal=goal,
        revision=REVISION,
        fingerprint=fingerprint,
        parts=Parts(tree="t"),
        inputs="",
        tool=TOOL,
        counts=Counts(),
        at=at,
    )


def text(page: Page, *, whole: bool = False) -> str:
    """Return what the page prints for people, without colour."""
    out = io.StringIO()
    Console(file=out, width=200, highlight=False, markup=False, emoji=False).print(page.view(whole))
    return out.getvalue()
