"""What witnesses are asked: who changed this, between these two times."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from adapters.contract import DriftItem
from orchestrator.model.observed import Applied
from orchestrator.model.stack import StackKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """One question about some of a stack's drift."""

    stack: StackKey
    items: tuple[DriftItem, ...]
    #: Marks of the differences that are meant, see `drift.Part`.
    marks: tuple[str, ...]
    #: It was as applied then (seconds since the epoch) and differs now: it was changed between the two.
    since: float
    until: float
    applied: Applied
    #: Who wrote the revision that was applied; empty where its source does not know.
    author: str = ""
    #: The run's own folder, for a file that a witness needs for a moment.
    folder: Path = Path()
    #: Where the stack's files say that its resources are; empty where they do not.
    region: str = ""
    #: Names of the variables that the stack's credentials for planning bring.
    granted: frozenset[str] = frozenset()
    #: Ids of the access keys that the stack is applied with.
    ours: frozenset[str] = frozenset()
