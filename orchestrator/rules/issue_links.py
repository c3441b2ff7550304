"""Issues and pull requests that the words of a commit name, in the ways of GitHub, GitLab, Gitea and Jira. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from orchestrator.model.intent import Link

#: https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue
_CLOSING: Final = ["close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves", "resolved"]
_SPEAKING: Final = ["ref", "refs", "references", "see", "related"]
_KEYWORD: Final = re.compile(rf"\b({'|'.join([*_CLOSING, *_SPEAKING])}):?[ \t]+", re.IGNORECASE)
_NAME: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_NUMBER: Final = r"[0-9]{1,9}\b"
#: ``#12``, ``owner/repo#12``, ``group/sub/repo#12`` and the page of an issue at any of the three.
_REF: Final = re.compile(rf"(?:{_NAME}(?:/{_NAME}){{1,4}})?#{_NUMBER}|https?://[^\s<>\"'()]{{1,180}}/issues/{_NUMBER}")
#: Between two of a list: ``Closes #1, #2 and #3``.
_BETWEEN: Final = re.compile(r"[ \t]*(?:,|,?[ \t]+and)[ \t]+|[ \t]*,")
#: A key of Jira. Outside of trailers ``UTF-8`` and ``SHA-256`` look the same.
_KEY: Final = re.compile(r"\b[A-Z][A-Z0-9_]{1,19}-[0-9]{1,9}\b")
#: So many characters of a trailer's value are looked at.
_VALUE: Final = 400
_TRAILERS: Final = frozenset([*_CLOSING, *_SPEAKING, "issue", "issues", "jira", "ticket"])

#: What each forge makes of a pull request once it is merged, in the subject or, GitLab, further below.
_SUBJECTS: Final = (
    re.compile(rf"^Merge pull request #({_NUMBER}) from "),
    re.compile(rf"^Merge pull request '.{{1,300}}' \(#({_NUMBER})\) from "),
    re.compile(rf"\(#({_NUMBER})\)$"),
)
_MERGE_REQUEST: Final = re.compile(rf"^See merge request (?:{_NAME}(?:/{_NAME}){{1,9}})?!({_NUMBER})", re.MULTILINE)


def links(text: str, trailers: Iterable[tuple[str, str]], *, most: int) -> tuple[Link, ...]:
    """Return the issues that a commit names, each once, ``most`` of them; ``trailers`` with keys in lower case."""
    found: dict[str, Link] = {}
    for link in (*_in_text(text), *_in_trailers(trailers)):
        if link.ref not in found or link.closes:
            found[link.ref] = link
        if len(found) == most:
            break
    return tuple(found.values())


def pull_number(subject: str, text: str) -> int:
    """Return the number of the pull request that a merge or a squash names, 0 where none is named."""
    line = subject[:500].rstrip()
    match = next(filter(None, (form.search(line) for form in _SUBJECTS)), None) or _MERGE_REQUEST.search(text)
    return int(match[1]) if match else 0


def _in_text(text: str) -> Iterator[Link]:
    for keyword in _KEYWORD.finditer(text):
        closes, at = keyword[1].lower() in _CLOSING, keyword.end()
        while ref := _REF.match(text, at):
            yield Link(ref=ref[0], closes=closes)
            between = _BETWEEN.match(text, ref.end())
            at = between.end() if between else len(text)


def _in_trailers(trailers: Iterable[tuple[str, str]]) -> Iterator[Link]:
    for key, value in trailers:
        if key in _TRAILERS:
            for ref in (*_REF.findall(value[:_VALUE]), *_KEY.findall(value[:_VALUE])):
                yield Link(ref=ref, closes=key in _CLOSING)
