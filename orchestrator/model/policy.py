"""What people allow. A value: `rules.narrow` combines two, `rules.decide` obeys one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Mode(IntEnum):
    """How far the loop may go by itself. Ordered: the smaller is the stricter."""

    OBSERVE = 0
    PROPOSE = 1
    AUTO = 2


class DriftAnswer(StrEnum):
    """What is done about drift without asking."""

    REPORT = "report"
    PROPOSE = "propose"
    REPAIR = "repair"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """So many yeses of some people."""

    #: ``team:security``, ``user:ana@acme.example``; empty means anybody who may apply.
    of: tuple[str, ...]
    at_least: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """Who has to say yes, and how many of them. None needed in mode AUTO with ``required`` 0 and no group."""

    required: int = 1
    #: ``team:platform``, ``user:ana@acme.example``; empty means anybody who may apply.
    eligible: tuple[str, ...] = ()
    #: Of whom yeses are needed besides; whoever counts for one of them, or for ``required``, counts for no other.
    groups: tuple[Group, ...] = ()
    #: Whether who wrote what is new in the revision may be one of them.
    allow_author: bool = True
    #: Seconds that a yes is good for; None sets no end.
    valid_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """Differences that somebody answers for and has left alone: they are shown, and nothing is done about them."""

    #: Glob over addresses: only ``*`` and ``?`` are wild.
    address: str
    #: Glob over attributes; empty means whatever is with the resource, that it is gone, too.
    path: str = ""
    owner: str
    reason: str
    #: Seconds since the epoch; None sets no end.
    until: float | None = None

    def holds(self, now: float) -> bool:
        """Whether the rule still counts."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairLimit:
    """How often drift is put back before people must see who keeps changing things."""

    repairs: int = 3
    within_s: float = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftPolicy:
    """How often drift is looked for, and what follows."""

    #: Seconds between looks; 0 never looks.
    every_s: float = 3600.0
    answer: DriftAnswer = DriftAnswer.REPORT
    #: Looks in a row that must see a difference before it counts.
    confirm: int = 1
    #: None sets no limit.
    limit: RepairLimit | None = RepairLimit()
    ignore: tuple[Ignore, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The resolved policy of one stack on one track."""

    mode: Mode = Mode.PROPOSE
    approvals: Approvals = Approvals()
    #: ``Mon-Fri 09:00-16:00 Europe/Berlin``; empty means always open.
    windows: tuple[str, ...] = ()
    #: Most deletions and replacements one apply may hold; None sets no limit.
    delete_limit: int | None = None
    drift: DriftPolicy = DriftPolicy()
    #: Further tries after a failure that could pass.
    retries: int = 2
    #: Wall-clock seconds for one run of the tool.
    timeout_s: float = 1800.0
    #: A proposal older than this is made anew. Seconds.
    plan_ttl_s: float = 86400.0
