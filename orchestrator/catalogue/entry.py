"""One code's page."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """What a code means and what to do about it."""

    title: str
    meaning: str
    remedy: str
