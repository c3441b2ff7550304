"""Makes text from tools and repositories harmless for a terminal."""

from __future__ import annotations

import re

#: C0 and C1 controls without tab and newline, and the marks that turn the direction of writing around:
#: a resource's name must not move the cursor or hide a line (https://trojansource.codes).
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """Return ``text`` with each control character written out."""
    return _UNSEEN.sub(lambda found: f"\\x{ord(found.group()):02x}", text)


def one_line(text: str) -> str:
    """Return ``text`` printable and on one line, with no tab: a field of ``--plain``."""
    return printable(text).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
