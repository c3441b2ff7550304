"""How our adapters tell what they found: without secrets, and drift the way round that people read it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from adapters.contract import MASK, Change, ChangeKind

#: Shorter secrets are masked where they are marked, but not looked for elsewhere: "on" is in every text.
TELLING: Final = 4
_INVERTED: Final[Mapping[ChangeKind, ChangeKind]] = {
    ChangeKind.CREATE: ChangeKind.DELETE,
    ChangeKind.DELETE: ChangeKind.CREATE,
}


def scrub(text: str, secrets: Iterable[str], *, shortest: int = TELLING) -> str:
    """Return ``text`` with every secret of ``shortest`` characters or more masked.

    The longest first: of one that begins like another, the rest would stay.
    """
    for secret in sorted((one for one in secrets if len(one) >= shortest), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def inverted(change: Change) -> Change:
    """Return a change that would put things right as the change that put them wrong."""
    return replace(
        change,
        kind=_INVERTED.get(change.kind, change.kind),
        attributes=tuple(replace(one, before=one.after, after=one.before) for one in change.attributes),
    )
