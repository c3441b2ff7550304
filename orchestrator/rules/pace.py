"""When a stack is looked at again after it came to rest, and how urgently. Pure."""

from __future__ import annotations

import hashlib
from typing import Final

from orchestrator.model.action import Reason, Rest
from orchestrator.ports import Due

#: Urgency of a row of the agenda: the smaller goes first.
APPLY: Final = 0
PLAN: Final = 10
DRIFT: Final = 20

#: Seconds after which even a stack that waits for nothing but a nudge is looked at: nudges can be lost.
ANYWAY_S: Final = 6 * 3600.0
#: The same, in seconds, of what may end without anybody telling: a store that did not answer, a tool that is missing.
_UNTOLD_S: Final = {Reason.GATED: 300.0, Reason.UPSTREAM_MISSING: 900.0, Reason.APPLYING: 60.0}
#: By how much of itself a wait is stretched at most, so that what began together does not come due together.
_STRETCH: Final = 0.1

#: Rests that end with a look for drift.
_QUIET: Final = frozenset(
    {Reason.CONVERGED, Reason.UNCONFIRMED, Reason.DRIFTED, Reason.RECURRING, Reason.AWAITING_APPROVAL}
)
#: So many processes in a row that worked on something have died of it: it is left alone then.
_DEATHS: Final = 3
#: For so long, in seconds.
ALONE_S: Final = 3600.0
WHY_POISON: Final = f"whoever worked on it died, {_DEATHS} times in a row"


def is_poison(due: Due) -> bool:
    """Whether something has to be left alone: it ends whatever process works on it, and all others' work with it."""
    return due.deaths >= _DEATHS


def jittered(wait_s: float, seed: str) -> float:
    """Return ``wait_s`` stretched by up to a tenth, by an amount that ``seed`` alone decides."""
    share = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4], "big") / 2**32
    return wait_s * (1.0 + _STRETCH * share)


def again_of_a_pull(stack: str, rest: Rest, now: float) -> tuple[float, int]:
    """Return the same for a stack of a pull request: never (``inf``) where whatever it waits for will nudge it.

    That is people and other stacks; for a look at drift, and against nudges that got lost, there is the source's own.
    """
    at, priority = again(stack, rest, now)
    return (at if rest.until is not None or rest.reason in _UNTOLD_S else float("inf")), priority


def again(stack: str, rest: Rest, now: float) -> tuple[float, int]:
    """Return when a stack at rest is due next (seconds since the epoch), and how urgent that is."""
    wait = max(0.0, rest.until - now) if rest.until is not None else _UNTOLD_S.get(rest.reason, ANYWAY_S)
    priority = DRIFT if rest.until is None or rest.reason in _QUIET else PLAN
    return now + jittered(wait, f"{stack} {rest.until}"), priority
