"""Hears the commands that people write below pull requests, and does what they may have done.

Whoever the operator does not name is nobody: nothing is answered to them, and the record says that they were heard.
What a command is about is what its writer saw: a plan made later, or a commit pushed later, is none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Final

from orchestrator.engine.acts.caller import Caller, begun
from orchestrator.engine.acts.consent import Waiting, Word, approve, reject, unheard, waiting
from orchestrator.engine.faults import fault_of
from orchestrator.engine.outside import Reading
from orchestrator.engine.post import Post
from orchestrator.engine.pulls.books import Books
from orchestrator.engine.pulls.desk import Desk
from orchestrator.engine.pulls.holding import held_by, hold, release
from orchestrator.engine.pulls.proposing import Proposed
from orchestrator.engine.pulls.touching import end_track, touch_of
from orchestrator.errors import ForgeError, OrchestratorError
from orchestrator.model.event import Event
from orchestrator.model.forge import ApplyOn
from orchestrator.model.pull import PullState, Remark
from orchestrator.model.pull_events import PullHeard, PullTrusted
from orchestrator.model.stack import StackKey
from orchestrator.rules.commands import Asked, Command, Complaint, Verb, read
from orchestrator.rules.consent import same
from orchestrator.rules.following import Followed, first_in_line
from orchestrator.rules.rights import Identity, Right, allowed

_RIGHTS: Final[Mapping[Verb, Right]] = {
    Verb.PLAN: Right.PLAN,
    Verb.APPROVE: Right.APPROVE,
    Verb.REJECT: Right.APPROVE,
    Verb.APPLY: Right.APPLY,
    Verb.UNLOCK: Right.UNLOCK,
}
#: Merged, it is asked for what its plan on the source's own track would do, and for nothing else.
_AFTER_THE_MERGE: Final = frozenset({Verb.APPROVE, Verb.REJECT})
#: What the buttons of a check stand for. Who pressed one only the hook says, and a hook is no more than a nudge:
#: whoever came by its secret could have anybody press. So none says yes or no, and none applies.
_BUTTONS: Final[Mapping[str, Verb]] = {"replan": Verb.PLAN}
#: What runs say that they were begun by.
DOOR: Final = "pull request"


class Refused(Exception):
    """A command is not done; its text says why, to who wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One command of one known person about one pull request."""

    one: Followed
    remark: Remark
    who: Identity
    reading: Reading
    keys: tuple[StackKey, ...]

    @property
    def reason(self) -> str:
        """What is recorded as its reason."""
        return f"said below pull request #{self.one.pull.number}"


class Hearing:
    """Hears what is written below the pull requests of one source."""

    def __init__(self, post: Post, desk: Desk, books: Books, proposed: Proposed) -> None:
        """Nothing is heard yet."""
        self._post, self._desk, self._books, self._proposed = post, desk, books, proposed

    def hear(self, base: Reading, since: float) -> tuple[int, float]:
        """Do what was written from ``since`` on and is not done yet.

        Returns how many commands were heard, and when the last remark was written or changed, 0 where there was none: a
        forge may leave out the end of a long list. Raises ForgeError, Conflict.
        """
        source, count, last = self._post.source.id, self._press(base), 0.0
        for remark in self._desk.forge.remarks(since):
            last = max(last, remark.at, remark.changed_at)
            book = self._books.read(source)
            one = book.pulls.get(remark.pull)
            if one is None or one.pull.state is PullState.CLOSED or book.knows(remark.id):
                continue
            said = read(remark.text)
            if not said:
                continue
            known = self._desk.whois(remark.by) is not None
            # That a stranger was not heard is one line of the record, however much they wrote.
            said = said if known else said[:1]
            events: list[Event] = []
            for command in said:
                events += self._heard(base, one, remark, command)
            self._books.write(source, events)
            count += len(said)
            if known:
                # A forge that takes no reaction has heard the command all the same.
                with suppress(ForgeError):
                    self._desk.forge.thumb(remark)
        return count, last

    def _press(self, base: Reading) -> int:
        """Do what buttons were pressed for; returns how many."""
        source = self._post.source.id
        pressed = self._books.read(source).pressed
        for button, at in pressed:
            pulls = self._books.read(source).pulls.values()
            one = next((each for each in pulls if each.pull.head == button.head), None)
            verb = _BUTTONS.get(button.button)
            remark = Remark(
                id=button.delivery, pull=one.pull.number if one else 0, by=button.login, text=button.button, at=at
            )
            if one is None or verb is None:
                why = "no pull request proposes that commit any more" if verb else "there is no such button"
                self._books.write(source, [_unheard(remark, button.button, why)])
            else:
                self._books.write(source, self._heard(base, one, remark, Command(verb=verb)))
        return len(pressed)

    def _heard(self, base: Reading, one: Followed, remark: Remark, said: Asked) -> Sequence[Event]:
        who = self._desk.whois(remark.by)
        more: list[Event] = []
        keys: tuple[StackKey, ...] = ()
        verb = said.verb.value if isinstance(said, Command) else said.line
        try:
            if who is None:
                raise Refused("nobody here knows who that is: it was ignored")  # noqa: TRY301 -- told as every other
            if remark.edited:
                raise Refused("it was changed after it was written: say it in a new comment")  # noqa: TRY301
            if isinstance(said, Complaint):
                raise Refused(f"{said.why}; {said.hint}" if said.hint else said.why)  # noqa: TRY301
            keys, outcome, more = self._do(base, one, remark, said, who)
            done = True
        except (Refused, OrchestratorError) as error:
            done, outcome = False, str(error)
        except Exception as error:  # noqa: BLE001 -- what breaks us is heard once, and what others say is heard, too
            done, outcome = False, str(fault_of(error))
        event = PullHeard(
            pull=one.pull.number,
            remark=remark.id,
            written_at=remark.at,
            login=remark.by,
            person=who.name if who else "",
            verb=verb,
            stacks=tuple(map(str, keys)),
            done=done,
            outcome=outcome,
        )
        return [*more, event]

    def _do(
        self, base: Reading, one: Followed, remark: Remark, said: Command, who: Identity
    ) -> tuple[tuple[StackKey, ...], str, list[Event]]:
        if said.verb is Verb.HELP:
            return (), "the commands are listed at the end", []
        if one.pull.state is PullState.MERGED and said.verb not in _AFTER_THE_MERGE:
            raise Refused("it is merged: its stacks follow the source again")
        reading, commit = self._reading(base, one), _commit_among(said, one)
        keys = self._meant(reading, said, commit)
        if said.verb is Verb.PLAN and not one.may_run:
            # A yes to a fork's commit is one to all of it: what one stack's code does to this host is not up to its
            # name. Nobody lets more run than they may have planned, by naming less.
            keys = tuple(sorted(reading.touched & reading.layout.stacks.keys()))
        if not keys:
            raise Refused("it touches no such stack")
        barred = [key for key in keys if not allowed(who, _RIGHTS[said.verb], key)]
        if barred:
            raise Refused(f"{who.name} may not {said.verb.value} {', '.join(key.short for key in barred[:5])}")
        heard = Heard(one=one, remark=remark, who=who, reading=reading, keys=keys)
        if said.verb is Verb.PLAN:
            return keys, *self._plan(heard, commit)
        if not one.may_run and one.pull.state is PullState.OPEN:
            raise Refused(f"it comes from a fork, and nobody has let {one.pull.head[:7]} be planned yet")
        acts: Mapping[Verb, Callable[[Heard], str]] = {
            Verb.APPROVE: self._approve,
            Verb.REJECT: self._reject,
            Verb.APPLY: self._apply,
            Verb.UNLOCK: self._unlock,
        }
        return keys, acts[said.verb](heard), []

    def _reading(self, base: Reading, one: Followed) -> Reading:
        """Return what a command is about: what is proposed, or what became of it where it is merged."""
        if one.pull.state is PullState.MERGED:
            return replace(base, touched=touch_of(self._post, one.pull.number))
        return self._proposed.read(self._post.outside, self._post.source, base, one.pull).reading

    def _meant(self, reading: Reading, said: Command, commit: str) -> tuple[StackKey, ...]:
        """Return the stacks that a command is about: all that the pull request touches where it names none."""
        there = sorted(reading.touched & reading.layout.stacks.keys())
        if said.environment:
            there = [key for key in there if key.environment == said.environment]
        globs = [one for one in said.stacks if one != commit or not commit]
        found: list[StackKey] = []
        for glob in globs:
            meant = [key for key in there if any(fnmatchcase(name, glob) for name in (key.name, key.short, str(key)))]
            if not meant:
                raise Refused(f"it touches no stack {glob}; it touches {_listed(there)}")
            found += meant
        return tuple(dict.fromkeys(found if globs else there))

    def _plan(self, heard: Heard, commit: str) -> tuple[str, list[Event]]:
        pull = heard.one.pull
        if pull.fork and not heard.one.may_run:
            if not commit:
                raise Refused(
                    f"it comes from a fork: read it, then say for which commit, in full: holdfast plan {pull.head}"
                )
            trusted = PullTrusted(pull=pull.number, commit=pull.head, by=heard.who.name)
            return f"{pull.head[:7]} may be planned", [trusted]
        end_track(self._post, pull.track, heard.keys)
        return f"planning {_listed(heard.keys)} anew", []

    def _approve(self, heard: Heard) -> str:
        found = self._waiting(heard)
        caller = self._caller(heard)
        for one in found:
            why = self._unheard(one, caller, heard)
            if why:
                raise Refused(why)
        with begun(self._post.outside, caller, heard.reading, "approve") as run:
            for one in found:
                word = Word(caller=caller, reason=heard.reason)
                approve(self._post.outside, one.key, one.proposal, word, run=run.number)
        again = "; once it is merged its plan is made anew and asked about again: it comes from a fork"
        strange = heard.one.pull.fork and heard.one.pull.state is PullState.OPEN
        return f"approved {_listed([one.key for one in found])}{again if strange else ''}"

    def _unheard(self, one: Waiting, caller: Caller, heard: Heard) -> str:
        """Say why a yes does not count, empty where it does.

        The forge knows who opened it. Who wrote its commits says their author alone, and writes any name there.
        """
        author = self._desk.whois(heard.one.pull.author)
        barred = not one.asked.stack.policy.approvals.allow_author
        if barred and author is not None and same(author.name) == same(caller.actor):
            return f"{caller.actor} opened it, and {one.key.short} asks for somebody else's word"
        return unheard(one, caller, {})

    def _reject(self, heard: Heard) -> str:
        found = self._waiting(heard)
        caller = self._caller(heard)
        with begun(self._post.outside, caller, heard.reading, "reject") as run:
            for one in found:
                word = Word(caller=caller, reason=heard.reason)
                reject(self._post.outside, one.key, one.proposal, word, run=run.number)
        return f"rejected {_listed([one.key for one in found])}"

    def _apply(self, heard: Heard) -> str:
        if self._desk.apply_on is not ApplyOn.COMMENT:
            raise Refused("it is applied once it is merged: that is what this source's operator has said")
        if heard.one.pull.draft:
            raise Refused("it is a draft")
        self._check_may_be_held(heard)
        self._check_turn(heard)
        found = self._waiting(heard)
        caller = self._caller(heard)
        # Who may apply what they saw says yes to it, too, as far as their word counts.
        mine = [
            one for one in found if allowed(heard.who, Right.APPROVE, one.key) and not self._unheard(one, caller, heard)
        ]
        with begun(self._post.outside, caller, heard.reading, "apply") as run:
            for one in mine:
                word = Word(caller=caller, reason=heard.reason)
                approve(self._post.outside, one.key, one.proposal, word, run=run.number)
        keys = [one.key for one in found]
        hold(self._post, heard.one.pull, heard.reading, keys, caller)
        return f"applying {_listed(keys)}"

    def _unlock(self, heard: Heard) -> str:
        outside, pull = self._post.outside, heard.one.pull
        busy = [
            key
            for key in heard.keys
            if (state := outside.record.row(str(key)).state).applying is not None and held_by(pull, state)
        ]
        if busy:
            raise Refused(f"{_listed(busy)} is being applied")
        release(self._post, pull, heard.keys)
        return f"gave up its place for {_listed(heard.keys)}"

    def _waiting(self, heard: Heard) -> Sequence[Waiting]:
        """Return the proposals that a yes or no can be about: those that its writer can have seen."""
        found = waiting(self._post.outside, heard.reading, heard.keys)
        if not found:
            raise Refused("no plan of it waits for a word")
        late = [one.key for one in found if one.proposal.made_at > heard.remark.at]
        if late or heard.one.head_since > heard.remark.at:
            what = f"{_listed(late)} was planned" if late else "it was pushed to"
            raise Refused(f"{what} after that was written: look again, and say it once more")
        return found

    def _check_may_be_held(self, heard: Heard) -> None:
        """Refuse what nobody has accepted the rules of, and what somebody keeps where it is."""
        pull, base = heard.one.pull, heard.reading.base
        if pull.fork:
            raise Refused("it comes from a fork: it is applied once it is merged")
        new = [key for key in heard.keys if base is None or key not in base.layout.stacks]
        if new:
            # What it may do, with which keys and after whose yes, only its own proposal says as yet.
            raise Refused(f"{_listed(new)} is new: it is applied once it is merged")
        for key in heard.keys:
            state = self._post.outside.record.row(str(key)).state
            if state.hold is not None and not held_by(pull, state):
                raise Refused(f"{key.short} is held by {state.hold.by}: {state.hold.reason or state.hold.kind.value}")

    def _check_turn(self, heard: Heard) -> None:
        source = self._post.source.id
        book = self._books.read(source)
        touching = {number: frozenset(map(str, touch_of(self._post, number))) for number in book.pulls}
        for key in heard.keys:
            first = first_in_line(book, touching, str(key))
            if first not in {0, heard.one.pull.number}:
                raise Refused(f"pull request #{first} has {key.short}; its turn comes once that is done")

    def _caller(self, heard: Heard) -> Caller:
        teams = self._post.outside.people.teams_of(heard.who.name)
        return Caller(actor=heard.who.name, door=DOOR, teams=teams)


def _unheard(remark: Remark, verb: str, why: str) -> PullHeard:
    return PullHeard(
        pull=remark.pull,
        remark=remark.id,
        written_at=remark.at,
        login=remark.by,
        person="",
        verb=verb,
        stacks=(),
        done=False,
        outcome=why,
    )


def _commit_among(said: Command, one: Followed) -> str:
    """Return the argument that names the commit proposed now, empty where none does.

    In full: two commits that begin alike in twelve digits are made within seconds, the one to be read, the other to be
    pushed before the word about the first is heard.
    """
    return next((word for word in said.stacks if word == one.pull.head), "")


def _listed(keys: Sequence[StackKey]) -> str:
    shown = 5
    names = [key.short for key in keys]
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more if names else "no stack"
