"""Our one comment below a pull request: changed in place, found by its marker among our own, else written."""

from __future__ import annotations

from typing import Protocol

from orchestrator.effects.forge_words import clean
from orchestrator.errors import ForgeError


class Pen(Protocol):
    """What a forge lets us do with comments."""

    def rewritten(self, number: int, comment: str, text: str) -> bool:
        """Change a comment; whether it is there. Raises ForgeError."""
        ...

    def ours(self, number: int, marker: str) -> str:
        """Return the id of our own comment with the marker, empty where there is none. Raises ForgeError.

        A marker can be read and written by everybody: only where we wrote it, and begin with it, the comment is ours.
        What writes by our login besides, such as another workflow, may say after somebody what it is told.
        """
        ...

    def write(self, number: int, text: str) -> str:
        """Write a comment; returns its id. Raises ForgeError."""
        ...


def put_comment(pen: Pen, number: int, body: str, *, marker: str, known: str, limit: int) -> str:
    """Put the comment there; returns its id. Raises ForgeError: HF-4706 where it is longer than ``limit``, unsent."""
    text = clean(body if body.startswith(marker) else f"{marker}\n{body}")
    if len(text) > limit:
        raise ForgeError(
            f"a comment of {len(text)} characters: this forge takes {limit}",
            code="HF-4706",
            hint="cut it before it is said",
        )
    if known and pen.rewritten(number, known, text):
        return known
    found = pen.ours(number, marker)
    if found and pen.rewritten(number, found, text):
        return found
    return pen.write(number, text)
