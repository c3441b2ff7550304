"""The summary of a CI run, for ``$GITHUB_STEP_SUMMARY``: what the comment says, in more room. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from orchestrator.model.review import Review
from orchestrator.telling.review.comment import body
from orchestrator.telling.review.sheet import LEAST, SUMMARY_LIMIT, Sheet, bytes_of

#: In bytes: as many characters as are needed at least, each of the longest kind.
_LEAST: Final = 4 * LEAST


def summary(review: Review, sheet: Sheet, *, written: int = 0) -> str:
    """Return the summary, never longer than GitHub's limit in bytes of UTF-8: it drops a longer one as a whole.

    ``written`` is how many bytes the step's summary holds already: all that a step writes counts together. Nothing is
    returned where nothing sensible fits any more.
    """
    if SUMMARY_LIMIT - written < _LEAST:
        return ""
    wide = replace(sheet, limit=SUMMARY_LIMIT, size=bytes_of)
    return f"{body(review, wide, room=SUMMARY_LIMIT - written - 1)}\n"
