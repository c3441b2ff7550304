"""Reads out of a commit's words why it was made, and out of many why an apply is made. Pure.

Conventional Commits 1.0 (https://www.conventionalcommits.org/en/v1.0.0/) are a hint: they were written for changelogs.
Trailers (https://git-scm.com/docs/git-interpret-trailers) are fact, as far as the author's word goes. Anybody who may
commit writes them, so every text is cut to length, freed of control characters, and counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from orchestrator.model.commit import Commit
from orchestrator.model.intent import Basis, CommitNote, Named, Permit, Purpose
from orchestrator.rules.issue_links import links, pull_number

#: So many characters of a message, trailers of a commit, and values of one kind are read.
MOST_TEXT: Final = 65_536
MOST_TRAILERS: Final = 100
MOST_VALUES: Final = 20
#: The first second of the year 10000.
_END_OF_TIME: Final = 253_402_300_800.0
#: The longest subject, and the longest value of a trailer, in characters.
_SUBJECT: Final = 200
_VALUE: Final = 200

_CONVENTIONAL: Final = re.compile(r"([A-Za-z][A-Za-z-]{0,30})(?:\(([^()]{1,100})\))?(!)?: +\S")
_BREAKING: Final = re.compile(r"^BREAKING[ -]CHANGE: ", re.MULTILINE)
#: What `git revert` writes; of a merge it goes on with ", reversing".
_REVERTS: Final = re.compile(r"\bThis reverts commit ([0-9a-f]{7,64})\b")
#: The footer that Conventional Commits suggest: ``Refs: 676104e, a215868``.
_ID: Final = re.compile(r"[0-9a-f]{7,64}")
#: A revert that is taken back itself brings the change once more. Newer gits call that ``Reapply``.
_TWICE: Final = re.compile(r'(?:Reapply "|Revert "Revert ")')
_PERMIT: Final = re.compile(r"([a-z][a-z-]{0,30}) *\( *([^()\s]{1,200}) *\)")
_HINTS: Final = {"revert": Purpose.ROLLBACK, "rollback": Purpose.ROLLBACK, "hotfix": Purpose.HOTFIX}
_ROLES: Final = {f"{role}-by": role for role in ("co-authored", "reviewed", "signed-off")}
_STRENGTH: Final = (Purpose.ROUTINE, Purpose.HOTFIX, Purpose.ROLLBACK)
_SURENESS: Final = tuple(Basis)


def note_of(commit: Commit) -> CommitNote:
    """Return what a commit says of why it was made. Never fails, whatever stands in it."""
    text = commit.message[:MOST_TEXT]
    trailers = [(key.lower(), value) for key, value in commit.trailers[:MOST_TRAILERS]]
    subject = text.partition("\n")[0]
    form = _CONVENTIONAL.match(subject)
    type_ = form[1].lower() if form else ""
    said = [Purpose(word) for word in _words(trailers) if word in set(Purpose)]
    reverts = _reverted(text, trailers, type_) if not _TWICE.match(subject) else ()
    hint = Purpose.ROLLBACK if reverts else _HINTS.get(type_)
    return CommitNote(
        id=commit.id,
        author=clean(commit.author),
        email=clean(commit.email),
        committed_at=_moment(commit.committed_at),
        written_at=_moment(commit.written_at) if commit.written_at != commit.committed_at else 0.0,
        subject=clean(subject, _SUBJECT),
        merge=commit.parents > 1,
        type=type_,
        scope=clean(form[2] or "") if form else "",
        breaking=bool(form and form[3]) or bool(_BREAKING.search(text)),
        reverts=reverts,
        purpose=max(said, key=_STRENGTH.index) if said else hint,
        stated=bool(said),
        strange=_few(word for word in _words(trailers) if word not in set(Purpose)),
        incidents=_few(part for value in _of(trailers, "incident") for part in value.split(",")),
        runbooks=_few(_of(trailers, "runbook")),
        permits=_permits(trailers),
        people=_people(trailers),
        links=links(text, trailers, most=MOST_VALUES),
        pull=pull_number(subject, text),
        verified=commit.verified,
        unread=_unread(commit),
    )


def judge(notes: Sequence[CommitNote], *, verb: str, undone: int) -> tuple[Purpose, Basis]:
    """Return what an apply is for, and how that is known: the strongest of what is said, and of it the surest word.

    Args:
        notes: What its commits say.
        verb: What the run was asked for.
        undone: Commits that were applied and are taken back.
    """
    found = [(one.purpose, Basis.TRAILER if one.stated else Basis.HINT) for one in notes if one.purpose is not None]
    if verb == "rollback":
        found.append((Purpose.ROLLBACK, Basis.COMMAND))
    if undone and not notes:
        # With something new beside it may be another branch that goes its own way.
        found.append((Purpose.ROLLBACK, Basis.HISTORY))
    return max(
        found,
        key=lambda one: (_STRENGTH.index(one[0]), _SURENESS.index(one[1])),
        default=(Purpose.ROUTINE, Basis.SILENCE),
    )


def clean(text: str, most: int = _VALUE) -> str:
    """Return ``text`` on one line, without what cannot be seen, and cut to length."""
    # A little more than is kept, so that what is cut says that it was.
    shown = "".join(letter if letter.isprintable() else " " for letter in text[: 4 * most])
    line = " ".join(shown.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _moment(at: float) -> float:
    """Return a time that a calendar knows, 0 for any other: git takes whatever number a commit holds."""
    return at if 0.0 < at < _END_OF_TIME else 0.0


def _of(trailers: Iterable[tuple[str, str]], key: str) -> Iterator[str]:
    return (value for name, value in trailers if name == key)


def _few(values: Iterable[str]) -> tuple[str, ...]:
    """Return the values that say something, each once, and no more than a person would read."""
    found: dict[str, None] = {}
    for value in filter(None, map(clean, values)):
        found[value] = None
        if len(found) == MOST_VALUES:
            break
    return tuple(found)


def _words(trailers: Iterable[tuple[str, str]]) -> list[str]:
    return [clean(value).lower() for value in _of(trailers, "deploy-intent") if value.strip()]


def _reverted(text: str, trailers: Iterable[tuple[str, str]], type_: str) -> tuple[str, ...]:
    found = [match[1] for match in _REVERTS.finditer(text)]
    if type_ == "revert":
        found += [one for value in _of(trailers, "refs") for one in _ID.findall(value)]
    return _few(found)


def _permits(trailers: Iterable[tuple[str, str]]) -> tuple[Permit, ...]:
    found = (match for value in _of(trailers, "holdfast-allow") for match in _PERMIT.finditer(value))
    permits = dict.fromkeys(Permit(act=match[1], of=clean(match[2])) for match in found)
    return tuple(permits)[:MOST_VALUES]


def _people(trailers: Iterable[tuple[str, str]]) -> tuple[Named, ...]:
    named = ((_ROLES[key], clean(value)) for key, value in trailers if key in _ROLES)
    return tuple(Named(role=role, who=who) for role, who in dict.fromkeys(named) if who)[:MOST_VALUES]


def _unread(commit: Commit) -> str:
    if commit.too_long:
        return f"it is {commit.too_long} bytes long"
    if len(commit.message) > MOST_TEXT:
        return f"its message has {len(commit.message)} characters"
    if len(commit.trailers) > MOST_TRAILERS:
        return f"it has {len(commit.trailers)} trailers"
    return ""
