"""Why an apply is made: asked of the source's commits, the book of pull requests and the people who said yes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from orchestrator.engine.former import now_called
from orchestrator.engine.outside import Outside
from orchestrator.engine.people import read_by
from orchestrator.engine.pulls.books import Books
from orchestrator.engine.recorded import entries_of
from orchestrator.engine.survey import Asked
from orchestrator.errors import OrchestratorError, RecordAway
from orchestrator.model.commit import Covered
from orchestrator.model.intent import CommitNote, Intended, Intent, PullNote, YesNote
from orchestrator.model.observed import Proposal
from orchestrator.model.pull import Pull
from orchestrator.model.stack import StackKey
from orchestrator.ports import Run
from orchestrator.rules.intent import clean, judge, note_of

#: So many pull requests of one apply are kept.
_MOST_PULLS: Final = 20
_LONGEST_URL: Final = 500


def intent_of(outside: Outside, asked: Asked, proposal: Proposal, run: Run | None) -> Intent:
    """Return why a proposal is, or would be, applied. Raises RecordAway.

    Reports live on it and nothing else does: where the source cannot say, the apply goes on and the intent says so.
    """
    applied = asked.state.applied
    since = applied.revision if applied else ""
    found, undone, unread = Covered(), 0, ""
    source = asked.reading.source
    try:
        paths = read_by(asked.reading, asked.stack, applied, asked.desired.parts, asked.outside_paths)
        found = outside.sources.commits(source, proposal.revision, since, paths)
        undone = (outside.sources.lacking(source, proposal.revision, since) or 0) if since else 0
    except RecordAway:
        raise
    except OrchestratorError as error:
        unread = f"{error.code} {clean(error.message)}"
    notes = tuple(map(note_of, found.commits))
    verb = run.verb if run else ""
    purpose, basis = judge(notes, verb=verb, undone=undone)
    return Intent(
        revision=proposal.revision,
        since=since,
        whole=found.whole or not since,
        commits=notes,
        count=found.count,
        undone=undone,
        purpose=purpose,
        basis=basis,
        repairs=asked.observed.drift is not None,
        pulls=_pulls(outside, source.id, proposal.revision, notes),
        approvals=_approvals(asked, proposal),
        by=run.actor if run else "",
        verb=verb,
        trigger=run.trigger if run else "",
        unread=unread,
    )


def intent_behind(outside: Outside, asked: Asked) -> Intended | None:
    """Return why a stack was last applied, None where it never was, or by a release that did not ask."""
    state, key = asked.state, asked.stack.key
    if not state.intended_in:
        return None
    found = {
        entry.stack: entry.event
        for entry in entries_of(outside.record, state.intended_in)
        if isinstance(entry.event, Intended) and entry.event.attempt == state.attempts
    }
    if str(key) in found:
        return found[str(key)]
    # It went by another name then.
    return next((one for name, one in found.items() if now_called(outside, StackKey.parse(name), {key}) == key), None)


def _pulls(outside: Outside, source: str, revision: str, notes: Iterable[CommitNote]) -> tuple[PullNote, ...]:
    """Return the pull requests that the book has for these commits, and those that only the commits' words name."""
    notes = tuple(notes)
    ids = {revision, *(note.id for note in notes)}
    known = [_noted(pull) for pull in Books(outside.record).read(source).brought(ids)]
    numbers = {pull.number for pull in known}
    told = {note.pull: PullNote(number=note.pull) for note in notes if note.pull and note.pull not in numbers}
    return (*known, *told.values())[:_MOST_PULLS]


def _noted(pull: Pull) -> PullNote:
    return PullNote(
        number=pull.number,
        title=clean(pull.title),
        url=clean(pull.url, _LONGEST_URL),
        author=clean(pull.author),
        # Nobody's own yes says anything.
        approvers=tuple(clean(one) for one in pull.approvers if one != pull.author),
        merged_at=pull.merged_at,
        head=pull.head,
        merged_as=pull.merged_as,
    )


def _approvals(asked: Asked, proposal: Proposal) -> tuple[YesNote, ...]:
    binding = proposal.binding(str(asked.stack.key))
    given = {one.by: one for one in asked.observed.consents if one.binding == binding}
    return tuple(YesNote(by=one.by, at=one.at, reason=clean(one.reason)) for one in given.values())
