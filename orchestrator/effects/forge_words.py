"""Texts as a forge takes them: cleaned of what it would refuse, and cut to its limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from orchestrator.model.verdict import CheckConclusion

#: What moves a terminal or stands for nothing; half a character is neither.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_FENCE: Final = re.compile(r"^(`{3,}|~{3,})", re.MULTILINE)
_CUT: Final = "\n\n*The rest was cut: it is too long for this page.*"
_DOTS: Final = "…"

#: A check's end as a commit status tells it, at GitHub and at Gitea.
STATES: Final[Mapping[CheckConclusion, str]] = {
    CheckConclusion.PENDING: "pending",
    CheckConclusion.SUCCESS: "success",
    CheckConclusion.FAILURE: "failure",
    # Nothing went wrong, and yet nobody shall merge by it: a person is asked.
    CheckConclusion.ACTION_REQUIRED: "pending",
    CheckConclusion.NEUTRAL: "success",
}


def clean(text: str) -> str:
    """Return a text of several lines without what no forge takes."""
    return _CONTROL.sub("\ufffd", text.replace("\r\n", "\n"))


def plain(text: str, most: int) -> str:
    """Return a text as one line of at most ``most`` characters."""
    line = " ".join(clean(text).split())
    return line if len(line) <= most else line[: most - len(_DOTS)].rstrip() + _DOTS


def page(text: str, most: int) -> str:
    """Return Markdown of at most ``most`` characters, cut at the end of a line and never inside a fence."""
    text = clean(text)
    if len(text) <= most:
        return text
    kept = _whole_lines(text[: most - len(_CUT)])
    closing = _open_fence(kept)
    if closing:
        kept = _whole_lines(text[: most - len(_CUT) - len(closing) - 1]) + "\n" + closing
    return kept + _CUT


def _whole_lines(text: str) -> str:
    return text[: text.rfind("\n")] if "\n" in text else text


def _open_fence(text: str) -> str:
    """Return what ends the fence that a text leaves open: as many of its own signs as it began with."""
    within = ""
    for fence in _FENCE.findall(text):
        if not within:
            within = fence
        elif fence.startswith(within):
            within = ""
    return within
