"""What a review is drawn on: how much fits, and how much may be said. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

#: https://github.com/orgs/community/discussions/27190: the longest comment GitHub takes, in characters.
COMMENT_LIMIT: Final = 65_536
#: Of a check's summary (https://docs.github.com/en/rest/checks/runs), in characters.
CHECK_LIMIT: Final = 65_535
#: Of a step's summary in bytes of UTF-8: a larger one is dropped as a whole
#: (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands).
SUMMARY_LIMIT: Final = 1_048_576
#: Below this much nothing sensible fits, and nothing is promised.
LEAST: Final = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Where a review is shown."""

    #: The source that the change belongs to: its comment bears the name.
    source: str = ""
    #: As `size` counts.
    limit: int = COMMENT_LIMIT
    size: Callable[[str], int] = len
    #: Say counts and links only: no name of a resource, no value, no tool's own word.
    quiet: bool = False
    #: Page that says what the comment is and which commands there are.
    help_url: str = ""


def bytes_of(text: str) -> int:
    """Return how long ``text`` is in UTF-8."""
    return len(text.encode("utf-8", "replace"))
