"""Text that others wrote, made harmless for the place in a comment where it is shown. Pure.

A comment is CommonMark with the additions of forges: tables, bare links, mentions, references to issues. What a
repository, a tool or a person wrote may use none of them: it is seen as it is and does nothing (T59, T67). Two rules go
further than markdown needs:

- No untrusted text begins a line. GitLab takes a line that begins with a slash for an order (``/merge``), given with
  the rights of whoever posted the comment: https://docs.gitlab.com/user/project/quick_actions/.
- Outside of code a mark that would make a reference (``@ana``, ``#12``, ``!12``) is followed by a space of no width:
  forges look for references in the text as it is displayed, where no markdown escape is left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import quote

from orchestrator.telling.printable import printable

#: So long are names and single values in prose and tables, in characters.
SHORT: Final = 120
#: So long are sentences.
LONG: Final = 300
_URL: Final = re.compile(r"https?://[^\s/?#@\\]+(?:[/?#].*)?", re.DOTALL)
_LONGEST_URL: Final = 500
#: What stays as it is in a link's address; all else that is no letter or digit is percent-encoded.
_IN_URL: Final = "-._~:/?#@!$&*+,;=%"
#: A comment of our own is known by a mark of this beginning: nobody else writes one.
_MARK: Final = re.compile(r"<!--(?=\s*holdfast)", re.IGNORECASE)
_APART: Final = "&#8203;"
#: What forges make references and links of: GitHub @ and #, GitLab also ! $ % & ~ ^ * [, Gitea !; and ``GH-12``.
_REFERENCE: Final = re.compile(r"[@#!$%&~^*\[](?=[\w\"'\[{/])|\bGH-(?=\d)|(?<=:)(?=//)|\b[Ww]{3}(?=\.)")
#: Punctuation that may be markup, as what cannot be any: an entity never is (https://spec.commonmark.org/0.31.2/).
_ENTITIES: Final = {ord(sign): f"&#{ord(sign)};" for sign in "\\`*_{}[]()|~$^!\"'"} | {
    ord("&"): "&amp;",
    ord("<"): "&lt;",
    ord(">"): "&gt;",
}
_TICKS: Final = re.compile("`+")
_SHORTEST_FENCE: Final = 3


def seen(text: str) -> str:
    """Return ``text`` with everything written out that shows nothing of itself; it may span lines."""
    text = printable(text)
    return _MARK.sub(r"<\\x21--", text) if "<!--" in text else text


def flat(text: str, longest: int = SHORT) -> str:
    """Return ``text`` on one line, no longer than that; what is left out is said by an ellipsis."""
    text = seen(text[: longest + 1]).replace("\n", "\\n").replace("\t", "\\t")
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def prose(text: str, longest: int = LONG) -> str:
    """Return text for a sentence, a table's cell or the inside of an HTML element: no markup, no reference."""
    return _within(" ".join(text[: 2 * longest].split()), longest, _escaped)


def _within(text: str, longest: int, written: Callable[[str], str]) -> str:
    """Return text as it is written, cut to twice the length: markup may make each character six."""
    shown = written(flat(text, longest))
    while len(shown) > 2 * longest:
        longest //= 2
        shown = written(flat(text, longest))
    return shown


def _escaped(text: str) -> str:
    # Places are found before the escaping, and put apart after it: an entity holds a reference's marks itself.
    return "".join(part.translate(_ENTITIES) + _APART for part in _parted(text)).removesuffix(_APART)


def _parted(text: str) -> Iterable[str]:
    start = 0
    for found in _REFERENCE.finditer(text):
        yield text[start : found.end()]
        start = found.end()
    yield text[start:]


def code(text: str, longest: int = SHORT) -> str:
    """Return text as inline code, for a sentence or a table's cell; empty where there is none."""
    text = flat(text, longest)
    if not text.strip():
        return "" if not text else "<code> </code>"
    # Parsers do not agree on a backslash before a bar in a cell: elements and entities mean the same to each. To a
    # parser what is in such an element is no code, and an address in it a link.
    if "|" in text or text.endswith("\\"):
        return f"<code>{_within(text, longest, _escaped)}</code>"
    ticks = max((len(run) for run in _TICKS.findall(text)), default=0) + 1
    edge = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{'`' * ticks}{edge}{text}{edge}{'`' * ticks}"


def html_code(text: str, longest: int = SHORT) -> str:
    """Return text as inline code where markdown is not read: in a ``<summary>``."""
    return f"<code>{_within(text, longest, lambda shown: shown.translate(_ENTITIES))}</code>"


def fence(lines: Iterable[str], language: str = "") -> str:
    """Return a block of code. Each line is shown with its first two characters as they are: the caller's own."""
    shown = [line if line.strip() else "" for line in lines]
    ticks = max((len(run) for line in shown for run in _TICKS.findall(line)), default=0) + 1
    bar = "`" * max(ticks, _SHORTEST_FENCE)
    return "\n".join([f"{bar}{language}", *shown, bar])


def link(label: str, url: str) -> str:
    """Return a link; ``label`` is markdown of ours. Only the label where the address is none that people can open."""
    address = href(url)
    return f"[{label}]({address})" if address else label


def href(url: str) -> str:
    """Return an address that ends neither a link nor an attribute; empty where it is not http or too long."""
    if not _URL.fullmatch(url) or len(url) > _LONGEST_URL:
        return ""
    return quote(url, safe=_IN_URL, errors="replace").replace("&", "&amp;")
