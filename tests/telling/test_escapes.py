"""Text that others wrote is seen and does nothing: no link, no HTML, no table broken, nobody called, no order given."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import example as also
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import REFERENCE, page, tags
from reviews import attribute, change, key, part, plan, planned, review

from adapters.contract import ChangeKind, Problem, Severity
from orchestrator.model.review import Edit, Fare, Review
from orchestrator.rules.commands import Complaint, read
from orchestrator.telling.printable import printable
from orchestrator.telling.review import answers
from orchestrator.telling.review.comment import comment, marker
from orchestrator.telling.review.escapes import code, fence, href, html_code, link, prose, seen
from orchestrator.telling.review.sheet import Sheet

EVIL = [
    "[click](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "<https://evil.example>",
    "https://evil.example/a?b=c",
    "www.evil.example",
    "ftp://evil.example",
    "mail@evil.example",
    "https://evil.example|x",
    "www.evil.example/|x",
    "mail@evil.example|x",
    "mailto:mail@evil.example|x",
    "xmpp:mail@evil.example|x",
    "<img src=x onerror=alert(1)>",
    "</summary></details><script>alert(1)</script>",
    "</code></details>",
    "<!-- hidden",
    "--> <b>shown</b> <!--",
    "<![CDATA[x]]>",
    "<?php x ?>",
    "&lt;b&gt; &amp; &#64;ana &commat;ana",
    "a | b | c",
    "a \\| b",
    "a \\\\| b\\",
    "`code`",
    "``two`` ```three```",
    "`",
    "\\`",
    "a`|`b",
    "*a* **b** _c_ __d__ ~~e~~",
    "# heading",
    "```\nnot code any more\n```",
    "~~~",
    "````",
    "- item\n- item",
    "1. item",
    "> quote",
    "| a | b |\n|-|-|\n| c | d |",
    "---",
    "===",
    "    code",
    "[a]: https://evil.example\n\n[a]",
    "[^1]: note",
    "@ana please @acme/platform",
    "x @ana",
    "(@ana)",
    "#123 and acme/infra#123 and GH-123",
    '!12 $12 %12 &12 ~12 ^12 ~label ~"a label" %"a milestone" [vulnerability:12] *iteration:12',
    "/merge",
    "\n/merge\n/approve",
    "\n\nholdfast apply\n\n",
    "\r\nholdfast apply\r\n",
    "\u202eevil\u202c",
    "a\u200bb\u2060c\ufeff",
    "a\x1b[2Jb\rc\x00d\x07",
    "\u2028\n\u2029",
    "\udc80",
    "a\x85/merge",
    "$x^2$ $`x`$",
    marker("other"),
    "<!-- holdfast:pr other -->",
    ":white_check_mark:",
    "{{ 7*7 }} ${{ github.token }}",
    " ",
    "",
    "x" * 5_000,
    "|" * 500,
    "`" * 500,
    "@a" * 200,
]
#: Whole pieces that mean something, among signs that do and signs that do not.
PIECES = [
    "https://e.example",
    "www.e.example",
    "a@e.example",
    "@ana",
    "#12",
    "](",
    "<b>",
    "-->",
    "```",
    "/merge",
    "\n\n",
    "|",
]
SIGNS = st.characters(codec="utf-8") | st.sampled_from("`~|<>\\@#*_[]()!&$^%\n\r\t /-:.\u202e\u200b")
ANY = st.lists(st.sampled_from(PIECES) | st.text(SIGNS, max_size=8), max_size=12).map("".join)


def hostile(text: str) -> Review:
    """A review in which everything that comes from elsewhere is ``text``."""
    lost = change(
        text, ChangeKind.REPLACE, attribute(text, text, f"{text}\n{text}", forces_replacement=True), reason=text
    )
    problem = Problem(severity=Severity.ERROR, summary=text, detail=f"{text}\n{text}", file=text, line=3)
    whole = plan(
        lost,
        change(text, ChangeKind.CREATE, attribute(text, None, text)),
        outputs_changing=(text,),
        problems=(problem,),
    )
    evil = {"why": text, "code": text, "asks": text, "approved_by": (text,), "url": text, "voided": True}
    parts = [
        replace(planned("x"), plan=whole, proposal=None, fare=fare, **evil) for fare in (Fare.PLANNED, Fare.DENIED)
    ]
    parts += [
        part("x", fare, problems=(problem,), **evil) for fare in (Fare.FAILED, Fare.UNKNOWN, Fare.DEFERRED, Fare.QUEUED)
    ]
    named = [
        replace(one, key=replace(key("x"), name=f"{number}{text}", environment=text))
        for number, one in enumerate(parts)
    ]
    edit = Edit(key=named[0].key, setting=text, before=text, after=text, where=text)
    return review(
        *named, edits=(edit,), trouble=text, code=text, problems=(problem,), run_url=f"https://h.example/{text}/{{run}}"
    )


def check_comment(text: str, drawn: str) -> None:
    found = page(drawn)
    # Addresses of ours alone, whatever stands in them.
    assert [
        one
        for one in found.links
        if not one.startswith(("https://h.example", *([href(text).replace("&amp;", "&")] if href(text) else [])))
    ] == []
    assert found.images == 0
    allowed = re.compile(r"<!-- holdfast:pr infra -->|</?(details|summary|code|sub)>|<details open>")
    assert [tag for tag in tags(found) if not allowed.fullmatch(tag)] == []
    # Five cells or six in each row, and no table but ours.
    assert set(found.rows) <= {5, 6}
    assert [one for one in found.texts if REFERENCE.search(one)] == []
    lines = re.split(r"\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", drawn)
    assert [line for line in lines if line.startswith("/")] == []
    assert marker("other") not in drawn
    assert drawn.count("<!-- holdfast") == 1
    assert read(drawn.partition("\n")[2]) == ()
    assert "Planned" in found.texts[[one.startswith("Planned") for one in found.texts].index(True)]
    ours = drawn.replace("&#8203;", "").replace("\n", "").replace("\ufe0f", "")
    assert printable(ours) == ours
    drawn.encode()


@pytest.mark.parametrize("text", EVIL, ids=[ascii(one)[:40] for one in EVIL])
def test_evil_text_does_nothing_wherever_it_comes_from(text: str) -> None:
    check_comment(text, comment(hostile(text), Sheet(source="infra")))


@settings(max_examples=50, deadline=None)
@given(ANY)
def test_no_text_does_anything_wherever_it_comes_from(text: str) -> None:
    check_comment(text, comment(hostile(text), Sheet(source="infra")))


@settings(max_examples=100, deadline=None)
@given(ANY)
@also("``` a")
@also(" `")
@also("` ")
@also("a|b`c")
@also("\\|")
@also("|\\")
def test_inline_code_shows_its_text_in_a_sentence_and_in_a_cell(text: str) -> None:
    shown_as = seen(text).replace("\n", "\\n").replace("\t", "\\t")
    for drawn in (f"x {code(text, 2_000)} y", f"| a | b |\n|-|-|\n| {code(text, 2_000)} | z |"):
        found = page(drawn)
        assert found.links == []
        assert set(tags(found)) <= {"<code>", "</code>"}
        shown = "".join(found.codes) or "".join(found.texts).replace("\u200b", "")
        assert shown_as.strip() in shown
        assert found.rows in ([], [2, 2])


@settings(max_examples=100, deadline=None)
@given(ANY)
def test_prose_is_read_as_what_it_says(text: str) -> None:
    said = page(f"| a | b |\n|-|-|\n| x {prose(text, 2_000)} y | z |")
    joined = "".join(said.texts[2:-1]).replace("\u200b", "")
    plain = " ".join(text.split())
    assert joined.split() == ["x", *seen(plain).split(), "y"]
    assert said.rows == [2, 2]
    assert said.codes == said.html == said.links == []


@settings(max_examples=100, deadline=None)
@given(st.lists(ANY, max_size=6))
def test_a_fence_is_longer_than_anything_in_it(lines: list[str]) -> None:
    own = [f"  {printable(line)}".replace("\n", "\\n") for line in lines]
    found = page(f"before\n\n{fence(own, 'diff')}\n\nafter")
    ((language, content),) = found.blocks
    assert language == "diff"
    assert content.split("\n")[:-1] == [line if line.strip() else "" for line in own]
    assert found.texts == ["before", "after"]


@settings(max_examples=100, deadline=None)
@given(ANY)
def test_nothing_gets_out_of_a_summary(text: str) -> None:
    found = page(f"<details><summary>{html_code(text)}: x</summary>\n\ny\n\n</details>")
    assert list(tags(found)) == ["<details>", "<summary>", "<code>", "</code>", "</summary>", "</details>"]
    assert found.texts == ["y"]


def test_only_pages_that_people_can_open_are_linked() -> None:
    for bad in (
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "/merge",
        "https://",
        "https://a@b/",
        "http://\n",
        "",
    ):
        assert link("open", bad) == "open"
    found = page(link("open", 'https://h.example/a b)|"<x>\n`'))
    assert found.links == ["https://h.example/a%20b%29%7C%22%3Cx%3E%0A%60"]
    assert link("open", "https://h.example/" + "x" * 2_000) == "open"


def test_signs_that_nobody_sees_are_written_out() -> None:
    drawn = comment(review(planned("web", change("a\u202eb\u200bc\x1bd"))), Sheet())
    assert "a\\u202eb\\u200bc\\x1bd" in drawn


def test_a_complaint_about_an_evil_line_does_nothing() -> None:
    for text in EVIL:
        found = page(answers.complaint([Complaint(line=text, why=f'no command "{text}"', hint=text)]))
        assert found.links == []
        assert set(tags(found)) <= {"<code>", "</code>"}
        assert [one for one in found.texts if REFERENCE.search(one)] == []


def test_help_names_every_command() -> None:
    found = page(answers.usage())
    for verb in ("plan", "apply", "approve", "reject", "unlock", "help"):
        assert any(one.startswith(f"holdfast {verb}") for one in found.codes)
    assert set(found.rows) == {2}
