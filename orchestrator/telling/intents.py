"""Why an apply was made, as people and programs are told. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.contract import Json
from orchestrator.model.intent import Basis, CommitNote, Intended, Intent, PullNote
from orchestrator.model.moment import stamp
from orchestrator.telling.counts import counted

_SHORT = 7
#: So many names of one kind are told in a sentence.
_NAMED = 3


def why(intent: Intent) -> str:
    """Return in one line why it is applied: ``hotfix, INC-481, pull request #12 by ana, approved by bob``."""
    return ", ".join([*_purpose(intent), *_links(intent), *map(_pull, intent.pulls[:_NAMED]), *_people(intent)])


def briefly(intent: Intent) -> str:
    """Return the same without the words of commits and pull requests: for messages that leave the house."""
    said = [*_purpose(intent), *_links(intent), *(f"pull request #{pull.number}" for pull in intent.pulls[:_NAMED])]
    return ", ".join([*said, *_approvals(intent)])


def _purpose(intent: Intent) -> Iterator[str]:
    match intent.basis:
        case Basis.HINT:
            yield f"{intent.purpose.value} by the looks of its subject"
        case Basis.HISTORY:
            yield f"{intent.purpose.value}: {counted(intent.undone, 'commit')} taken back"
        case Basis.SILENCE if intent.repairs and not intent.count:
            yield "drift is put back"
        case _:
            yield intent.purpose.value
    if intent.strange:
        yield f"also called {_listed(intent.strange)}, which means nothing here"


def _links(intent: Intent) -> Iterator[str]:
    if intent.incidents:
        yield _listed(intent.incidents)
    for closes, word in ((True, "closes"), (False, "speaks of")):
        if refs := tuple(link.ref for link in intent.links if link.closes is closes):
            yield f"{word} {_listed(refs)}"


def _pull(pull: PullNote) -> str:
    if not pull.known:
        return f"perhaps pull request #{pull.number}"
    by = f" by {pull.author}" if pull.author else ""
    return f"pull request #{pull.number}{by}" + (f", approved by {_listed(pull.approvers)}" if pull.approvers else "")


def _people(intent: Intent) -> Iterator[str]:
    if intent.unread:
        yield f"its commits could not be read ({intent.unread})"
    elif intent.count == 1 and intent.commits:
        note = intent.commits[0]
        subject = f' "{note.subject}"' if note.subject else ""
        yield f"{note.id[:_SHORT]}{subject}" + (f" by {note.author or note.email}" if note.author or note.email else "")
    elif intent.count:
        by = f" by {_listed(intent.authors)}" if intent.authors else ""
        yield f"{counted(intent.count, 'commit')}{by}"
    yield from _approvals(intent)


def _approvals(intent: Intent) -> Iterator[str]:
    if intent.approvals:
        yield f"said yes to by {_listed(tuple(one.by for one in intent.approvals))}"


def _listed(words: tuple[str, ...]) -> str:
    more = f" and {len(words) - _NAMED} more" if len(words) > _NAMED else ""
    return ", ".join(words[:_NAMED]) + more


def value(intent: Intent) -> dict[str, Json]:
    """Return it for programs, all but the commits themselves."""
    return {
        "why": why(intent),
        "purpose": intent.purpose.value,
        "basis": intent.basis.value,
        "strange": list(intent.strange),
        "repairs": intent.repairs,
        "revision": intent.revision,
        "since": intent.since or None,
        "whole": intent.whole,
        "covered": intent.count,
        "undone": intent.undone,
        "authors": list(intent.authors),
        "incidents": list(intent.incidents),
        "runbooks": list(intent.runbooks),
        "issues": [{"ref": link.ref, "closes": link.closes} for link in intent.links],
        "pulls": [_pull_value(pull) for pull in intent.pulls],
        "approvals": [{"by": one.by, "at": stamp(one.at), "reason": one.reason} for one in intent.approvals],
        "unread": intent.unread,
    }


def whole_value(intent: Intent) -> dict[str, Json]:
    """Return it for programs with each commit that was read."""
    return {**value(intent), "commits": [_commit(intent, note) for note in intent.commits]}


def of_attempt(stack: str, intended: Intended, *, whole: bool = False) -> dict[str, Json]:
    """Return why an attempt was made; ``stack`` is its short name."""
    intent = intended.intent
    return {
        "stack": stack,
        "run": intended.run,
        "attempt": intended.attempt,
        **(whole_value(intent) if whole else value(intent)),
    }


def _pull_value(pull: PullNote) -> Json:
    return {
        "number": pull.number,
        "title": pull.title,
        "url": pull.url,
        "author": pull.author,
        "approvers": list(pull.approvers),
        "merged_at": stamp(pull.merged_at) or None,
        "known": pull.known,
    }


def _commit(intent: Intent, note: CommitNote) -> Json:
    return {
        "id": note.id,
        "author": note.author,
        "email": note.email,
        "committed_at": stamp(note.committed_at) or None,
        "written_at": stamp(note.written_at or note.committed_at) or None,
        "subject": note.subject,
        "merge": note.merge,
        "type": note.type,
        "scope": note.scope,
        "breaking": note.breaking,
        "reverts": list(note.reverts),
        "purpose": note.purpose.value if note.purpose else None,
        "stated": note.stated,
        "pull": note.pull or None,
        "people": [{"role": one.role, "who": one.who} for one in note.people],
        "permits": [{"act": one.act, "of": one.of, "may_count": intent.counts(note)} for one in note.permits],
        "verified": note.verified,
        "unread": note.unread,
    }
