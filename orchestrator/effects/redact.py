"""Masks secrets in everything that leaves a shell, whatever form a tool gives them.

A value is found as it is and as base64 (in each of the three positions it can have inside something longer,
plain and URL-safe, whole and wrapped), hexadecimal, percent-encoded and escaped for JSON (once and twice, also
the way Go escapes ``<>&``). A value of several lines is found line by line too, because tools indent them.

Values, lines and forms shorter than :data:`SHORTEST` characters are not looked for: masking every ``a`` would
hide nothing and make every log unreadable. Keep secrets longer than that.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from threading import Lock
from typing import Final
from urllib.parse import quote, quote_plus

from adapters.contract import MASK

#: The shortest text that is masked. Characters.
SHORTEST: Final = 4

#: Widths at which programs wrap base64. Characters.
_WRAPS: Final = (64, 76)

#: Terminal escapes, carriage returns, bidirectional and invisible marks: a log must read the way it was written.
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


class Redactor:
    """Knows the secrets of one shell. More may be added at any time, from any thread."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: tuple[str, ...] = ()
        self._lock = Lock()
        self.conceal(secrets)

    def conceal(self, values: Iterable[str]) -> None:
        """Mask these values too, from now on."""
        new = {form for value in values for form in forms_of(value)}
        with self._lock:
            self._forms = tuple(sorted(new.union(self._forms)))

    def mask(self, text: str) -> str:
        """Return ``text`` with secrets masked and what a terminal would act on made visible."""
        return visible(_masked(text, self.spans(text)))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return where secrets stand in ``text``: in order, those that touch as one."""
        found = []
        for form in self._forms:
            at = text.find(form)
            while at >= 0:
                found.append((at, at + len(form)))
                at = text.find(form, at + 1)
        merged: list[tuple[int, int]] = []
        for start, end in sorted(found):
            if merged and start < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged

    def settled(self, text: str) -> int:
        """Return how much of ``text`` can be let go of whatever comes after it: a secret may just have begun."""
        settled = len(text)
        for form in self._forms:
            at = text.find(form[0], max(0, len(text) - len(form) + 1))
            while 0 <= at < settled and not form.startswith(text[at:]):
                at = text.find(form[0], at + 1)
            if at >= 0:
                settled = min(settled, at)
        for start, end in reversed(self.spans(text)):
            if start < settled < end:
                settled = start
        return settled


class Stream:
    """Masks a text that comes in pieces, cut anywhere."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = ""

    def feed(self, piece: str) -> str:
        """Take the next piece; return what can be shown by now."""
        text = self._held + piece
        settled = self._redactor.settled(text)
        self._held = text[settled:]
        return self._redactor.mask(text[:settled])

    def close(self) -> str:
        """Return what was held back."""
        held, self._held = self._held, ""
        return self._redactor.mask(held)


def visible(text: str) -> str:
    """Return ``text`` with control characters, bidirectional and invisible marks spelled out."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def forms_of(value: str) -> set[str]:
    """Return every text in which ``value`` is looked for."""
    raw = value.encode("utf-8", "surrogatepass")
    forms = {value, raw.hex(), raw.hex().upper()}
    forms |= {quote(raw, safe=""), quote(raw), quote_plus(raw)}
    forms |= {re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), form) for form in forms}
    forms |= _escaped(value) | {again for once in _escaped(value) for again in _escaped(once)}
    for line in value.splitlines():
        forms |= {line.strip()} | _escaped(line.strip())
    if len(value) >= SHORTEST:
        forms |= _base64(raw)
    return {form for form in forms if len(form) >= SHORTEST}


def _escaped(value: str) -> set[str]:
    plain = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    return plain | {form.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026") for form in plain}


def _base64(raw: bytes) -> set[str]:
    whole = base64.b64encode(raw).decode("ascii")
    forms = {whole, *(whole[at : at + width] for width in _WRAPS for at in range(0, len(whole), width))}
    for before in range(3):
        # What stands before and after shares its characters with the value's edges: only the middle is certain.
        encoded = base64.b64encode(b"\0" * before + raw).decode("ascii")
        forms.add(encoded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6])
    return forms | {form.replace("+", "-").replace("/", "_") for form in forms}


def _masked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    pieces = []
    shown = 0
    for start, end in spans:
        pieces += [text[shown:start], MASK]
        shown = end
    return "".join([*pieces, text[shown:]])
