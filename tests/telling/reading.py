"""Reads what we draw as a forge does: CommonMark with tables, strikethrough and bare links, then mentions in its text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

_PARSER = MarkdownIt("commonmark", {"linkify": True}).enable(["table", "strikethrough", "linkify"])
# GitHub, GitLab and Gitea make links of addresses with a scheme, with www, and of mail addresses.
_PARSER.linkify.set({"fuzzy_link": False})

#: What forges make of displayed text: https://docs.github.com/en/get-started/writing-on-github and
#: https://docs.gitlab.com/user/markdown/#gitlab-specific-references
REFERENCE = re.compile(r"(?<![\w`])[@#!$%&~^][\w\"{/]|GH-\d|\bwww\.\w|\[\w+:\w|\*iteration:")


@dataclass
class Page:
    """What is displayed."""

    #: Text outside of code, a piece for each element.
    texts: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    #: Blocks of code, with their language.
    blocks: list[tuple[str, str]] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    #: Rows of tables: how many cells each has.
    rows: list[int] = field(default_factory=list)
    images: int = 0

    @property
    def displayed(self) -> str:
        return "\n".join([*self.texts, *self.codes, *(text for _, text in self.blocks), *self.html])


def page(markdown: str) -> Page:
    """Return what a forge displays of ``markdown``."""
    found = Page()
    for token in _PARSER.parse(markdown):
        match token.type:
            case "fence" | "code_block":
                found.blocks.append((token.info, token.content))
            case "html_block":
                found.html.append(token.content)
            case "tr_open":
                found.rows.append(0)
            case "td_open" | "th_open":
                found.rows[-1] += 1
            case "inline":
                _inline(token.children or [], found)
    return found


def _inline(children: list[Token], found: Page) -> None:
    for child in children:
        match child.type:
            case "text":
                found.texts.append(child.content)
            case "code_inline":
                found.codes.append(child.content)
            case "html_inline":
                found.html.append(child.content)
            case "link_open":
                found.links.append(str(child.attrs["href"]))
            case "image":
                found.images += 1


def tags(found: Page) -> Iterator[str]:
    """Yield every HTML tag that is on a page, as it is written."""
    for html in found.html:
        yield from re.findall(r"<[^>]*>", html)
