"""What is known of a source's pull requests, folded from what happened to them; whose turn it is. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace

from orchestrator.model.event import Event
from orchestrator.model.pull import Pull, PullState
from orchestrator.model.pull_events import ButtonPressed, PullEnded, PullHeard, PullSeen, PullTrusted

#: So many remarks are known again; a forge is asked for those of the last minutes alone.
_KNOWN = 500
#: So many merged pull requests are known again: what is applied of them may be applied late.
_MERGED = 200
#: So many commands are answered in the comment.
_ANSWERS = 5
#: So many presses wait at most: a signed hook may still say them as often as it likes.
_PRESSED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """One pull request that something is still to be done or said about."""

    pull: Pull
    #: When it was first seen here, and when its head was: seconds since the epoch.
    since: float
    head_since: float
    #: The commit of a fork that may be planned, empty where none may.
    trusted: str = ""
    #: Full key of a stack -> when somebody asked for its apply, and the last time that they did so counts.
    wished: Mapping[str, float] = field(default_factory=dict)
    #: Full key of a stack -> when its place in the queue was given up.
    yielded: Mapping[str, float] = field(default_factory=dict)
    #: What came of the last commands of people who are known here, oldest first.
    answers: tuple[PullHeard, ...] = ()

    @property
    def may_run(self) -> bool:
        """Whether its code may be run here: a fork's only once somebody has said so of exactly this commit."""
        return not self.pull.fork or self.trusted == self.pull.head


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The pull requests of one source."""

    pulls: Mapping[int, Followed] = field(default_factory=dict)
    #: Remarks that were heard, the last ones.
    heard: tuple[str, ...] = ()
    #: Those of people whom nobody knows here. On their own: else whoever may comment has what people said forgotten, by
    #: saying much, and done a second time.
    ignored: tuple[str, ...] = ()
    #: When the last one was written, seconds since the epoch; 0 where none was.
    heard_until: float = 0.0
    #: Buttons that were pressed and are not heard yet, each with when: seconds since the epoch.
    pressed: tuple[tuple[ButtonPressed, float], ...] = ()
    #: Those that were merged last, the latest at the end, whether or not anything is still to be done about them.
    merged: tuple[Pull, ...] = ()

    def knows(self, remark: str) -> bool:
        """Whether a remark was heard."""
        return remark in self.heard or remark in self.ignored

    def brought(self, commits: Container[str]) -> tuple[Pull, ...]:
        """Return the pull requests that brought any of these commits: as they were merged, or as they are proposed."""
        known = {pull.number: pull for pull in (*self.merged, *(one.pull for one in self.pulls.values()))}
        return tuple(
            pull for _, pull in sorted(known.items()) if pull.head in commits or (pull.merged_as or None) in commits
        )


def follow(book: Book, event: Event, at: float) -> Book:
    """Return what is known after ``event`` happened at ``at``."""
    match event:
        case PullSeen(pull=pull):
            return _put(_kept(book, pull), _seen(book.pulls.get(pull.number), pull, at))
        case PullTrusted(pull=number, commit=commit) if number in book.pulls:
            return _put(book, replace(book.pulls[number], trusted=commit))
        case PullHeard():
            return _heard(book, event)
        case ButtonPressed(delivery=delivery) if book.knows(delivery):
            # Whoever administers a repository has the forge deliver it once more, days later: nobody pressed again.
            return book
        case ButtonPressed():
            return replace(book, pressed=(*book.pressed, (event, at))[-_PRESSED:])
        case PullEnded(pull=number):
            return replace(book, pulls={key: one for key, one in book.pulls.items() if key != number})
        case _:
            return book


def _put(book: Book, one: Followed) -> Book:
    return replace(book, pulls={**book.pulls, one.pull.number: one})


def _kept(book: Book, pull: Pull) -> Book:
    if pull.state is not PullState.MERGED:
        return book
    others = (one for one in book.merged if one.number != pull.number)
    return replace(book, merged=(*others, pull)[-_MERGED:])


def _seen(before: Followed | None, pull: Pull, at: float) -> Followed:
    if before is None:
        return Followed(pull=pull, since=at, head_since=at)
    return replace(before, pull=pull, head_since=before.head_since if before.pull.head == pull.head else at)


def _heard(book: Book, event: PullHeard) -> Book:
    pressed = tuple(one for one in book.pressed if one[0].delivery != event.remark)
    known = replace(book, heard_until=max(book.heard_until, event.written_at), pressed=pressed)
    if event.person:
        known = replace(known, heard=_with(book.heard, event.remark))
    else:
        known = replace(known, ignored=_with(book.ignored, event.remark))
    one = book.pulls.get(event.pull)
    if one is None or not event.person:
        return known
    one = replace(one, answers=(*one.answers, event)[-_ANSWERS:])
    known = _put(known, one)
    if not event.done:
        return known
    said = dict.fromkeys(event.stacks, event.written_at)
    if event.verb == "apply":
        return _put(known, replace(one, wished={**one.wished, **said}))
    if event.verb == "unlock":
        wished = {key: at for key, at in one.wished.items() if key not in said}
        return _put(known, replace(one, wished=wished, yielded={**one.yielded, **said}))
    return known


def _with(remarks: tuple[str, ...], remark: str) -> tuple[str, ...]:
    """Return the last remarks with one more, which counts once however many commands it held."""
    return remarks if remark in remarks else (*remarks, remark)[-_KNOWN:]


def first_in_line(book: Book, touching: Mapping[int, Container[str]], stack: str) -> int:
    """Return the pull request whose turn a stack is: the one that has waited longest for it; 0 where none touches it.

    ``touching`` are the full keys that each touches. One that is merged goes first: what it brings is being applied.
    What nobody has let run has no place: else a stranger's fork of everything would hold up everybody.
    """

    def place(one: Followed) -> tuple[bool, float, int]:
        waiting_since = max(one.since, one.yielded.get(stack, 0.0))
        return (one.pull.state is not PullState.MERGED, waiting_since, one.pull.number)

    waiting: Iterable[Followed] = (
        one for number, one in book.pulls.items() if stack in touching.get(number, ()) and _waits(one)
    )
    first = min(waiting, key=place, default=None)
    return first.pull.number if first else 0


def _waits(one: Followed) -> bool:
    state = one.pull.state
    return state is PullState.MERGED or (state is PullState.OPEN and one.may_run and not one.pull.draft)
