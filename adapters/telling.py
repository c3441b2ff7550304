"""How our adapters tell what they found: without secrets, and drift the way round that people read it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from adapters.contract import MASK, Change, ChangeKind

#: Shorter secrets are masked where they are marked, but not looked for elsewhere: "on" is in every text.
TELLING: Final = 4
_INVERTED: Final[Mapping[ChangeKind, ChangeKind]] = {
    ChangeKind.CREATE: ChangeKind.DELETE,
    ChangeKind.DELETE: ChangeKind.CREATE,
}


def secret_texts(value: object) -> Iterator[str]:
    """Yield what is to be masked of a secret value: each text and number in it, its lines, and how JSON writes it.

    True, false and nothing are no secrets: they are in every text.
    """
    if isinstance(value, Mapping):
        for item in value.values():
            yield from secret_texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from secret_texts(item)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        text = str(value)
        lines = text.splitlines()
        forms = {text, json.dumps(text)[1:-1], *(line for line in lines if len(line.strip()) >= TELLING)}
        yield from forms if text.strip() else ()


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
