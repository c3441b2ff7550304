"""One turn of the service on the pull requests of a source: asks its forge, or tells it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from orchestrator.engine.post import Posts
from orchestrator.engine.pulls.desk import LOOK, source_of_pulls
from orchestrator.engine.pulls.looking import Looked
from orchestrator.errors import ForgeError, OrchestratorError
from orchestrator.ports import Clock, Due, Journal, Level
from orchestrator.rules.pace import ALONE_S, WHY_POISON, is_poison, jittered

if TYPE_CHECKING:
    from orchestrator.engine.tending import Tender

#: The wait until what could not be done is tried again, in seconds.
_AGAIN_S: Final = 30.0
#: The wait for the first look at the source itself, in seconds.
_FIRST_S: Final = 2.0


def see_to(due: Due, posts: Posts, tender: Tender, clock: Clock, journal: Journal) -> Due:
    """Do what is due on a row of pull requests; returns the row as it is due next. Never raises."""
    name, now = source_of_pulls(due.stack), clock.now()
    post = posts.get(name)
    if post is None or post.desk is None:
        return replace(due, at=float("inf"), why="nobody follows its pull requests")
    if is_poison(due):
        journal.say(Level.ERROR, "pull requests are left alone for a while", source=name, why=WHY_POISON)
        return replace(due, at=now + ALONE_S, why=WHY_POISON)
    try:
        pulls, base = tender.pulls(post), tender.newest(post)
        if pulls is None or base is None:
            return replace(due, at=now + _FIRST_S, why="its source is not read yet")
        if due.track != LOOK:
            at = pulls.tell(base)
            return replace(due, at=float("inf") if at is None else at, why="reviewers are told")
        looked = pulls.look(base)
    except OrchestratorError as error:
        journal.say(Level.WARNING, "reviewers could not be told", source=name, code=error.code, why=error.message)
        at = max(error.until if isinstance(error, ForgeError) else 0.0, now + jittered(_AGAIN_S, f"{name} {now}"))
        return replace(due, at=at, why=f"{error.code} {error.message}")
    except Exception as error:  # noqa: BLE001 -- one source's trouble is not the others'
        journal.say(Level.ERROR, "a look at pull requests broke", source=name, why=f"{type(error).__name__}: {error}")
        return replace(due, at=now + _AGAIN_S, why="the last look broke")
    _say(looked, name, journal)
    return replace(due, at=looked.at, why=looked.message or f"{looked.open} open")


def _say(looked: Looked, source: str, journal: Journal) -> None:
    if looked.code:
        journal.say(Level.WARNING, "a forge cannot be asked", source=source, code=looked.code, why=looked.message)
    elif looked.moved or looked.heard:
        about = {"source": source, "open": looked.open, "moved": looked.moved, "commands": looked.heard}
        journal.say(Level.INFO, "pull requests were looked at", **about)
