"""Judges what a merge queue tries out: pull requests put together on top of their base.

Nothing is planned for it, and nothing of it is run. It passes where each stack would come to exactly what some pull
request was planned for and may be merged, or is as it is already: what nobody has reviewed does not slip in by merging.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final, cast

from adapters.contract import Json
from orchestrator.engine.outside import Reading
from orchestrator.engine.post import Post
from orchestrator.engine.pulls.desk import Desk
from orchestrator.engine.pulls.proposing import Proposed
from orchestrator.engine.pulls.reviewing import Reviewed
from orchestrator.engine.survey import Survey
from orchestrator.errors import ForgeError, OrchestratorError
from orchestrator.model.observed import State
from orchestrator.model.pull import Candidate, Pull
from orchestrator.model.verdict import CheckConclusion, CommitStatus
from orchestrator.telling.review.checks import NAME, status

#: What each source's queue tried out when its forge was last asked, by whichever host, and what was said of each.
_QUEUED: Final = "pulls queued"
_JUDGED: Final = "pulls judged"
#: The longest title of a status, in characters.
_LONGEST: Final = 140


def note_queue(post: Post, candidates: Sequence[Candidate]) -> None:
    """Remember what the merge queue of a source tries out now: another host may be the one that judges it."""
    record, kept = post.outside.record, [asdict(one) for one in candidates]
    if (record.remembered(_QUEUED, post.source.id) or []) != kept:
        record.remember(_QUEUED, {post.source.id: cast("Json", kept) or None})


class Queueing:
    """Sees to the merge queue of one source."""

    def __init__(self, post: Post, desk: Desk, proposed: Proposed) -> None:
        """Nothing is judged yet."""
        self._post, self._desk, self._proposed = post, desk, proposed

    def judge(self, base: Reading, reviewed: Sequence[Reviewed], mask: Callable[[str], str]) -> None:
        """Set the commit status of each candidate, where it is not the one it has. Raises ForgeError."""
        record, source = self._post.outside.record, self._post.source.id
        queued = cast("list[dict[str, Any]]", record.remembered(_QUEUED, source) or [])
        known = cast("dict[str, Json]", record.remembered(_JUDGED, source) or {})
        by_number = {each.followed.pull.number: each for each in reviewed}
        told = {head: said for head, said in known.items() if head in {one["head"] for one in queued}}
        try:
            for one in (Candidate(**each) for each in queued):
                verdict = self._verdict(base, by_number, one)
                verdict = replace(verdict, title=mask(verdict.title))
                said: list[Json] = [verdict.conclusion.value, verdict.title]
                if told.get(one.head) != said:
                    self._desk.forge.status(
                        one.head, name=NAME, conclusion=verdict.conclusion, title=verdict.title, url=""
                    )
                    told[one.head] = said
        finally:
            if told != known:
                record.remember(_JUDGED, {source: told or None})

    def _verdict(self, base: Reading, reviewed: Mapping[int, Reviewed], one: Candidate) -> CommitStatus:
        own = reviewed.get(one.pull)
        if own is not None and (verdict := status(own.review)).conclusion is not CheckConclusion.SUCCESS:
            return verdict
        pull = Pull(number=one.pull, head=one.head, ref=one.ref)
        try:
            proposal = self._proposed.read(self._post.outside, self._post.source, base, pull)
            survey = Survey(self._post.outside, proposal.reading)
            looks = [asked for key in sorted(proposal.changed) if (asked := survey.look(key))]
        except ForgeError:
            raise
        except OrchestratorError as error:
            return _failing(f"{error.code} {error.message}")
        passing = {number for number, each in reviewed.items() if _passes(each)}
        strange = [
            asked.stack.key.short
            for asked in looks
            if not asked.settled and not _planned(asked.state, asked.desired.fingerprint, passing)
        ]
        if strange:
            return _failing(f"put together, nobody has reviewed it: {', '.join(strange[:5])}")
        return CommitStatus(name=NAME, conclusion=CheckConclusion.SUCCESS, title="as it was reviewed")


def _failing(why: str) -> CommitStatus:
    return CommitStatus(name=NAME, conclusion=CheckConclusion.FAILURE, title=why[:_LONGEST])


def _passes(one: Reviewed) -> bool:
    return status(one.review).conclusion is CheckConclusion.SUCCESS


def _planned(state: State, fingerprint: str, passing: set[int]) -> bool:
    """Whether a pull request that may be merged was planned for exactly this."""
    views = [state.tracks.get(f"pull/{number}") for number in passing]
    return any(view and view.proposal and view.proposal.fingerprint == fingerprint for view in views)
