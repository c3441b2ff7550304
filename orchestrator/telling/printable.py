"""Makes text from tools and repositories harmless wherever people read it. Pure."""

from __future__ import annotations

import re
from typing import Final

#: A resource's name must not move the cursor, hide a line, turn the direction of writing around or look like another
#: (https://trojansource.codes).
_UNSEEN: Final = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, without tab and newline
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # which way text runs
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164\uffa0"  # no width
    "\u2028\u2029\ufeff\ufff0-\ufffb\ufffe\uffff"  # line ends that are none, marks of order
    # variants of a sign; the last two only choose between it and its picture
    "\ufe00-\ufe0d\U000e0000-\U000e0fff"
    "\ud800-\udfff"  # halves of pairs, which nothing can encode
    "]"
)
_NARROW: Final = 0xFF
_WIDE: Final = 0xFFFF


def printable(text: str) -> str:
    r"""Return ``text`` with each character written out that shows nothing of itself: ``\x1b``, ``\u202e``."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub(lambda found: _written_out(ord(found.group())), text)


def one_line(text: str) -> str:
    """Return ``text`` printable and on one line, with no tab: a field of ``--plain``."""
    return printable(text).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def _written_out(number: int) -> str:
    if number <= _NARROW:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= _WIDE else f"\\U{number:08x}"
