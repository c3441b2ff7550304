"""What an adapter that knows who changed something shares with the orchestrator, beside the contract."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from adapters.contract import DriftItem, Workspace


class Confidence(StrEnum):
    """How much a :class:`Testimony` proves of what it says."""

    CERTAIN = "certain"
    LIKELY = "likely"
    HINT = "hint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Testimony:
    """What somebody or something knows of how a difference came about, without secrets; ``who`` and ``at`` if known."""

    #: The drifted resource; empty where all that drifted is meant.
    address: str = ""
    who: str = ""
    at: float | None = None
    #: The evidence, or why there is none, in one sentence.
    what: str
    #: Who says so: ``CloudTrail``, ``state``, ``host``.
    source: str
    confidence: Confidence
    #: It may know more in a while, and is to be asked once more.
    late: bool = False


@runtime_checkable
class Testifying(Protocol):
    """What an adapter may offer besides: evidence of who changed what drifted."""

    def testify(self, workspace: Workspace, items: tuple[DriftItem, ...], since: float) -> tuple[Testimony, ...]:
        """Return what can be known of who changed new ``items`` after ``since``. Follows `drift`, changes nothing."""
        ...
