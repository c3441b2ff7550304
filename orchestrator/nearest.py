"""The nearest spelling of a mistyped word."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, words: Iterable[str]) -> str:
    """Return the one of ``words`` that is nearest to ``word``, empty where none is near."""
    from difflib import get_close_matches  # noqa: PLC0415 -- only a mistyped word pays for it

    found = get_close_matches(word, list(words), n=1, cutoff=0.6)
    return found[0] if found else ""


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Return ``did you mean "…"?`` with the word nearest to ``word``, or nothing where none is near."""
    found = nearest(word, words)
    return f'did you mean "{found}"?' if found else ""
