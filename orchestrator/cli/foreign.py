"""Refuses to run what somebody from outside proposes: planning runs code, and code has whatever the run has."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from orchestrator.effects.workflow import FOREIGN, runs_foreign_code, workflow_of
from orchestrator.errors import Denied

ONLY_VALIDATED: Final = (
    "This pull request comes from a fork: it was validated and not planned, for a plan runs code that nobody has read."
)


def of_a_fork(outer: Mapping[str, str] = os.environ) -> bool:
    """Whether a build service has us look at what a fork proposes, without any right that could be taken."""
    work = workflow_of(outer)
    return work.on_github and work.foreign and not work.privileged and not runs_foreign_code(outer)


def check_ours(verb: str, outer: Mapping[str, str] = os.environ) -> None:
    """Refuse ``verb`` where a build service has us look at code of somebody else's repository.

    Raises Denied: HF-1620 for a pull request from a fork, HF-1621 where such a run has the repository's own rights.
    """
    work = workflow_of(outer)
    if not work.on_github or runs_foreign_code(outer):
        return
    if work.privileged and work.pull is not None:
        raise Denied(
            f"holdfast {verb} would run what a pull request proposes with this repository's own rights ({work.event})",
            code="HF-1621",
            hint="let the workflow run on pull_request instead: it has no secrets of the repository then",
        )
    if work.foreign:
        raise Denied(
            f"holdfast {verb} would run code of a fork: a plan runs what the files say, before anybody has read them",
            code="HF-1620",
            hint=f"holdfast validate runs none of it; a branch here may be planned; or {FOREIGN}=true",
        )
