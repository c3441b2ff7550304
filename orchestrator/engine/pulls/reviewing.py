"""Puts together what reviewers are told of a pull request. Reads record and files; starts no tool."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from orchestrator.engine.faults import fault_of
from orchestrator.engine.outside import Reading
from orchestrator.engine.post import Post
from orchestrator.engine.pulls.desk import Desk
from orchestrator.engine.pulls.fares import merged_part, proposed_part
from orchestrator.engine.pulls.proposing import Proposal, Proposed
from orchestrator.engine.pulls.touching import note_touch, touch_of
from orchestrator.engine.survey import Survey
from orchestrator.errors import OrchestratorError
from orchestrator.model.pull import PullState
from orchestrator.model.review import Answer, Fare, Part, Review
from orchestrator.model.stack import StackKey
from orchestrator.rules.edits import edits
from orchestrator.rules.following import Book, Followed, first_in_line
from orchestrator.rules.order import edges, waves

#: What is not at rest yet: more will be said of it soon.
MOVING: Final = frozenset({Fare.PLANNING, Fare.APPLYING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """One pull request as it stands, with the reading of what it proposes where that could be read."""

    followed: Followed
    review: Review
    reading: Reading | None = None
    #: Full keys of the stacks that it touches, or touched while it was open.
    touched: frozenset[StackKey] = frozenset()
    #: Whether what it proposes could not be read, and may be the next time.
    unread: bool = False

    @property
    def over(self) -> bool:
        """Whether nothing more is to be done for it: it is closed, or merged and all of it applied."""
        done = all(part.fare in {Fare.APPLIED, Fare.EMPTY} for part in self.review.parts)
        state = self.followed.pull.state
        return state is PullState.CLOSED or (state is PullState.MERGED and done and not self.review.trouble)


class Reviewing:
    """Draws up the reviews of one source's pull requests."""

    def __init__(self, post: Post, desk: Desk, proposed: Proposed) -> None:
        """Nothing is read yet."""
        self._post, self._desk, self._proposed = post, desk, proposed

    def every(self, book: Book, base: Reading) -> tuple[Reviewed, ...]:
        """Return every pull request of a book, by number; ``base`` is the newest reading of the source."""
        readings = {
            number: self._read(base, one) for number, one in book.pulls.items() if one.pull.state is PullState.OPEN
        }
        for number, found in readings.items():
            if isinstance(found, Proposal):
                note_touch(self._post, number, found.reading.touched)
        touching = {number: touch_of(self._post, number) for number in book.pulls}
        named = {number: frozenset(map(str, keys)) for number, keys in touching.items()}
        reviewed = []
        for number, one in sorted(book.pulls.items()):
            proposal = readings.get(number)
            review = self._contained(book, one, base, proposal, touching[number], named)
            reading = proposal.reading if isinstance(proposal, Proposal) else None
            unread = isinstance(proposal, OrchestratorError) and proposal.transient
            reviewed.append(
                Reviewed(followed=one, review=review, reading=reading, touched=touching[number], unread=unread)
            )
        return tuple(reviewed)

    def _read(self, base: Reading, one: Followed) -> Proposal | OrchestratorError:
        try:
            return self._proposed.read(self._post.outside, self._post.source, base, one.pull)
        except OrchestratorError as error:
            return error
        except Exception as error:  # noqa: BLE001 -- anybody may propose anything: the others are told of theirs
            return fault_of(error)

    def _contained(
        self,
        book: Book,
        one: Followed,
        base: Reading,
        proposal: Proposal | OrchestratorError | None,
        touched: frozenset[StackKey],
        touching: Mapping[int, Collection[str]],
    ) -> Review:
        try:
            return self._review(book, one, base, proposal, touched, touching)
        except OrchestratorError:
            raise
        except Exception as error:  # noqa: BLE001 -- as in reading it
            return self._review(book, one, base, fault_of(error), touched, touching)

    def _review(
        self,
        book: Book,
        one: Followed,
        base: Reading,
        proposal: Proposal | OrchestratorError | None,
        touched: frozenset[StackKey],
        touching: Mapping[int, Collection[str]],
    ) -> Review:
        blank = Review(
            pull=one.pull,
            revision=one.pull.head,
            run_url=self._desk.run_url,
            apply_on=self._desk.apply_on.value,
            answers=tuple(
                Answer(
                    login=said.login,
                    command=" ".join([said.verb, *(StackKey.parse(name).short for name in said.stacks)]),
                    done=said.done,
                    outcome=said.outcome,
                    at=said.written_at,
                )
                for said in one.answers
            ),
        )
        match proposal:
            case Proposal():
                return self._open(blank, book, one, proposal, touching)
            case OrchestratorError():
                return replace(blank, trouble=proposal.message, code=proposal.code)
            case None if one.pull.state is PullState.MERGED:
                return self._merged(blank, one, base, touched)
            case None:
                return _timed(blank, one.head_since)

    def _open(
        self, blank: Review, book: Book, one: Followed, proposal: Proposal, touching: Mapping[int, Collection[str]]
    ) -> Review:
        outside, reading = self._post.outside, proposal.reading
        survey = Survey(outside, reading)
        parts: list[Part] = []
        for key in ordered(reading):
            stack = reading.layout.stacks[key]
            if not one.may_run:
                parts.append(Part(key=key, tool=stack.tool, fare=Fare.UNTRUSTED, path=str(stack.path)))
                continue
            asked = survey.look(key)
            if asked is None:
                continue
            first = first_in_line(book, touching, str(key))
            part = proposed_part(outside, asked, turn=first if first != one.pull.number else 0)
            # What only reads of what is changed, and stays as it is, is no news.
            if part.fare is not Fare.EMPTY or key in proposal.changed:
                parts.append(part)
        survey.keep()
        return _timed(
            replace(
                blank,
                revision=reading.revision.id,
                parts=tuple(parts),
                edits=edits(reading.base.layout.stacks, proposal.wish.stacks) if reading.base else (),
            ),
            one.head_since,
        )

    def _merged(self, blank: Review, one: Followed, base: Reading, touched: frozenset[StackKey]) -> Review:
        outside = self._post.outside
        if one.pull.merged_as and outside.sources.lacking(self._post.source, base.revision.id, one.pull.merged_as) != 0:
            return replace(blank, trouble=f"it is merged; {one.pull.base or 'its base'} is about to be read")
        survey = Survey(outside, base)
        looks = [asked for key in sorted(touched) if (asked := survey.look(key))]
        parts = tuple(merged_part(outside, asked) for asked in looks)
        return _timed(replace(blank, revision=one.pull.merged_as or one.pull.head, parts=parts), one.head_since)


def ordered(reading: Reading) -> tuple[StackKey, ...]:
    """Return what a reading touches, upstreams first."""
    there = reading.touched & reading.layout.stacks.keys()
    return tuple(key for wave in waves(edges(reading.layout.stacks), there) for key in wave)


def _timed(review: Review, since: float) -> Review:
    """Say when it was planned, and in which run; ``since`` is when its commit was first seen."""
    made = [part.proposal for part in review.parts if part.proposal]
    return replace(
        review,
        run=max((one.run for one in made), default=0),
        planned_at=max((one.made_at for one in made), default=since),
    )
