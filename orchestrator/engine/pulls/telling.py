"""Tells reviewers how their pull requests fare: one comment, a check for each environment, one commit status.

What was told last is known by a digest: nothing is said twice, and where nothing is new nothing is asked of the forge.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from adapters.contract import Json
from orchestrator.engine.outside import Reading
from orchestrator.engine.post import Post
from orchestrator.engine.pulls.books import Books
from orchestrator.engine.pulls.desk import Desk
from orchestrator.engine.pulls.holding import release
from orchestrator.engine.pulls.proposing import Proposed
from orchestrator.engine.pulls.queueing import Queueing
from orchestrator.engine.pulls.reviewing import MOVING, Reviewed, Reviewing
from orchestrator.engine.pulls.touching import end_track, forget_touch
from orchestrator.errors import ForgeError
from orchestrator.model.pull import PullState
from orchestrator.model.pull_events import PullEnded
from orchestrator.model.verdict import Check, CheckConclusion
from orchestrator.ports import Due
from orchestrator.rules.pace import PLAN, jittered
from orchestrator.telling.review.checks import checks, status
from orchestrator.telling.review.comment import comment, marker
from orchestrator.telling.review.sheet import COMMENT_LIMIT, Sheet

_TOPIC: Final = "pulls told"
#: While stacks are being planned they are told of so often, in seconds, and at once when all have come to rest.
_MEANWHILE_S: Final = 60.0
#: The wait after a forge did not take what it was told, in seconds.
_AGAIN_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a forge was told of one pull request last."""

    comment: str = ""
    #: Name of the check -> the forge's id of it, on ``head``.
    checks: Mapping[str, str] = field(default_factory=dict)
    head: str = ""
    digest: str = ""
    at: float = 0.0


class Teller:
    """Has what is due on pull requests planned, and tells how they fare."""

    def __init__(self, post: Post, desk: Desk, books: Books, proposed: Proposed) -> None:
        """Nothing is told yet."""
        self._post, self._desk, self._books = post, desk, books
        self._reviewing, self._queueing = Reviewing(post, desk, proposed), Queueing(post, desk, proposed)
        #: What was made due last: number -> all that its plans depend on.
        self._arranged: dict[int, object] = {}
        #: Until when the forge is left alone, seconds since the epoch.
        self._quiet_until = 0.0

    def tell(self, base: Reading) -> float | None:
        """See to every pull request once; returns when something is to be told next, None where a nudge will say.

        Raises ForgeError where the forge does not take it: what could be told is told.
        """
        now = self._post.outside.clock.now()
        every = self._reviewing.every(self._books.read(self._post.source.id), base)
        versions = self._post.outside.record.versions(self._post.source.id)
        for one in every:
            self._arrange(one, versions)
        if now < self._quiet_until:
            # A nudge is no reason to ask a forge that has said when, or that has just not answered.
            return self._quiet_until
        # What is secret may have changed since the last time: asked once for all that is told now.
        failed, mask = list[ForgeError](), self._desk.masker()
        soon = [now + jittered(_AGAIN_S, str(one.followed.pull)) for one in every if one.unread]
        later = [at for one in every if (at := self._said(one, mask, failed)) is not None]
        try:
            self._queueing.judge(base, every, mask)
        except ForgeError as error:
            failed.append(error)
        if failed:
            until = max(error.until for error in failed)
            self._quiet_until = max(until, now + jittered(_AGAIN_S, f"{self._post.source.id} {now}"))
            raise failed[0]
        return min([*later, *soon], default=None)

    def _said(self, one: Reviewed, mask: Callable[[str], str], failed: list[ForgeError]) -> float | None:
        """Tell of one, and end it where it is over; what the forge does not take is added to ``failed``."""
        try:
            at = self._say(one, mask)
        except ForgeError as error:
            failed.append(error)
            return None
        if at is None and one.over:
            self._end(one)
        return at

    def _arrange(self, one: Reviewed, versions: Mapping[str, int]) -> None:
        """Make due what the pull request touches, where anything that it depends on has moved."""
        if one.followed.pull.state is not PullState.OPEN and not one.review.trouble:
            release(self._post, one.followed.pull, one.touched)
        if one.reading is None or not one.followed.may_run:
            return
        outside, number = self._post.outside, one.followed.pull.number
        mark = (one.reading.revision.id, {str(key): versions.get(str(key), 0) for key in one.touched})
        if self._arranged.get(number) == mark:
            return
        now, why = outside.clock.now(), f"pull request {number} at {one.followed.pull.head[:7]}"
        there = sorted(one.touched & one.reading.layout.stacks.keys())
        outside.agenda.nudge(
            *(Due(stack=str(key), track=one.reading.track, at=now, why=why, priority=PLAN) for key in there)
        )
        self._arranged[number] = mark

    def _say(self, one: Reviewed, mask: Callable[[str], str]) -> float | None:
        """Tell what is new; returns when to tell more, None where everything is told."""
        outside, desk, pull = self._post.outside, self._desk, one.followed.pull
        told, now = self._told(pull.number), outside.clock.now()
        sheet = Sheet(source=self._post.source.id, limit=min(desk.forge.traits.comment_limit, COMMENT_LIMIT))
        body = mask(comment(one.review, sheet))
        head = pull.merged_as if pull.state is PullState.MERGED and pull.merged_as else pull.head
        verdict = status(one.review)
        verdict = replace(verdict, title=mask(verdict.title))
        found = tuple(_masked(check, mask) for check in checks(one.review, sheet))
        digest = hashlib.sha256("\0".join([body, head, *map(repr, (verdict, *found))]).encode()).hexdigest()
        if digest == told.digest:
            return None
        moving = any(part.fare in MOVING for part in one.review.parts)
        if moving and told.digest and told.head == head and now < told.at + _MEANWHILE_S:
            return told.at + _MEANWHILE_S
        known = told.checks if told.head == head else {}
        told = replace(
            told, comment=desk.forge.say(pull.number, body, marker=marker(self._post.source.id), known=told.comment)
        )
        self._keep(pull.number, told)
        heads = dict.fromkeys((pull.head, head))
        for sha in heads:
            desk.forge.status(sha, name=verdict.name, conclusion=verdict.conclusion, title=verdict.title, url=pull.url)
        if not desk.forge.traits.checks:
            # There a check is a commit status too, and the one of that name is said already.
            found = tuple(each for each in found if each.name != verdict.name)
        if not moving:
            # Each is told when it has something to say: while plans are made the status says so.
            found = (*found, *(_over(name) for name in known if name not in {one.name for one in found}))
            known = {one.name: desk.forge.check(head, one, known=known.get(one.name, "")) for one in found}
        self._keep(pull.number, replace(told, checks=known, head=head, digest=digest, at=now))
        return now + _MEANWHILE_S if moving else None

    def _end(self, one: Reviewed) -> None:
        """Close the tracks of a pull request that is over."""
        outside, pull = self._post.outside, one.followed.pull
        end_track(self._post, pull.track, one.touched)
        self._books.write(self._post.source.id, [PullEnded(pull=pull.number)])
        # Opened again, it is known by its marker: nothing is kept of thousands that are over.
        outside.record.remember(_TOPIC, {self._name(pull.number): None})
        forget_touch(self._post, pull.number)
        self._arranged.pop(pull.number, None)

    def _told(self, number: int) -> Told:
        found = self._post.outside.record.remembered(_TOPIC, self._name(number))
        return Told(**cast("Mapping[str, Any]", found)) if isinstance(found, dict) else Told()

    def _keep(self, number: int, told: Told) -> None:
        kept: dict[str, Json] = {
            "comment": told.comment,
            "checks": dict(told.checks),
            "head": told.head,
            "digest": told.digest,
            "at": told.at,
        }
        self._post.outside.record.remember(_TOPIC, {self._name(number): kept})

    def _name(self, number: int) -> str:
        return f"{self._post.source.id}#{number}"


def _over(name: str) -> Check:
    """Return what ends a check of an environment that the pull request touches no more."""
    said = "Nothing of it is touched any more."
    return Check(name=name, conclusion=CheckConclusion.NEUTRAL, title="not touched any more", summary=said)


def _masked(check: Check, mask: Callable[[str], str]) -> Check:
    """Hide what is secret in all that a check says: it is read by whoever reads the comment."""
    said = (replace(one, title=mask(one.title), message=mask(one.message)) for one in check.annotations)
    return replace(check, title=mask(check.title), summary=mask(check.summary), annotations=tuple(said))
