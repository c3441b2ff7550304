"""Workflow commands: escaped as a runner reads them, ten of each kind, and none that a tool's own output smuggles in."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.verdict import Annotation, Severity
from orchestrator.telling.printable import printable
from orchestrator.telling.review.annotations import command, commands, grouped

TOKEN = "t0ken" * 6
ANY = st.text(st.characters(codec="utf-8") | st.sampled_from("%\r\n:,=# ["), max_size=40)


def obeyed(log: str) -> list[tuple[str, dict[str, str], str]]:
    """What a runner makes of a log, by its own rules: actions/runner, ActionCommand.cs and ActionCommandManager.cs."""
    found, waiting = [], ""
    for line in re.split(r"\r\n|\r|\n", log):
        old = re.search(r"##\[([\w-]+)[^\]]*\]", line)
        new = re.match(r"::([\w-]+|\w+)(?: ([^:]*))?::(.*)", line.lstrip())
        if waiting:
            waiting = "" if new and new[1] == waiting else waiting
            continue
        if new and new[1] == "stop-commands":
            waiting = new[3]
        elif new:
            pairs = dict(pair.split("=", 1) for pair in (new[2] or "").split(",") if "=" in pair)
            found.append((new[1], {key: plain(value, more=True) for key, value in pairs.items()}, plain(new[3])))
        elif old:
            found.append((old[1], {}, ""))
    return found


def plain(text: str, *, more: bool = False) -> str:
    for sign, written in ([(":", "%3A"), (",", "%2C")] if more else []) + [("\r", "%0D"), ("\n", "%0A"), ("%", "%25")]:
        text = text.replace(written, sign)
    return text


def error(number: int = 0, severity: Severity = Severity.FAILURE) -> Annotation:
    return Annotation(severity=severity, title="HF-1003", message=f"m{number}", file="stacks.yaml", line=6, column=5)


def test_an_error_stands_at_its_line() -> None:
    assert command(error()) == "::error file=stacks.yaml,line=6,col=5,title=HF-1003::m0"


def test_what_is_not_known_is_not_said() -> None:
    bare = Annotation(severity=Severity.NOTICE, title="holdfast", message="x")
    assert command(bare) == "::notice title=holdfast::x"


def test_what_would_end_a_command_is_escaped_as_the_toolkit_does() -> None:
    odd = Annotation(
        severity=Severity.WARNING, title="a:b,c%d", message="x: 100%, y\r\n::error::z", file="a,b:c.yaml", line=1
    )
    assert command(odd) == ("::warning file=a%2Cb%3Ac.yaml,line=1,title=a%3Ab%2Cc%25d::x: 100%25, y\\x0d%0A::error::z")


@given(ANY, ANY, ANY)
def test_whatever_is_in_it_a_runner_reads_one_command_with_just_that(title: str, message: str, file: str) -> None:
    log = commands([Annotation(severity=Severity.FAILURE, title=title, message=message, file=file, line=2)])
    ((name, properties, said),) = obeyed(log)
    assert name == "error"
    assert said == printable(message)
    assert properties.get("title", "") == printable(title)
    assert properties.get("file", "") == printable(file)


def test_ten_errors_and_ten_warnings_are_shown_and_the_rest_is_counted() -> None:
    every = [error(number, severity) for severity in reversed(Severity) for number in range(12)]
    lines = commands(every).splitlines()
    kinds = [line.split()[0] for line in lines]
    assert kinds == ["::error"] * 10 + ["::warning"] * 10 + ["::notice"] * 10
    assert lines[-1] == "::notice title=holdfast::and 7 more in the summary"
    assert commands([error()] * 10).count("\n") == 10
    assert commands([]) == ""


EVIL = [
    "::set-output name=a::b",
    "::add-mask::x",
    "  ::error::y",
    "::endgroup::",
    "##[set-env name=PATH;]x",
    "text ##[error]z",
    "::stop-commands::other",
    "::other::",
    "a\n::warning::b",
    "a\r::warning::b",
    "\u2028::warning::b",
]


def test_no_command_in_what_a_tool_prints_is_obeyed() -> None:
    log = grouped("plan of web", EVIL, TOKEN) + commands([error()])
    assert [name for name, _, _ in obeyed(log)] == ["group", "endgroup", "error"]


@given(st.lists(ANY), ANY)
def test_no_output_ends_the_silence(lines: list[str], title: str) -> None:
    log = grouped(title, lines, TOKEN)
    assert [name for name, _, _ in obeyed(log)] == ["group", "endgroup"]


def test_the_same_output_without_the_silence_would_be_obeyed() -> None:
    assert len(obeyed("\n".join(EVIL))) > 3


def test_a_token_that_could_be_guessed_or_is_in_the_output_is_refused() -> None:
    with pytest.raises(ValueError, match="sixteen"):
        grouped("x", [], "short")
    with pytest.raises(ValueError, match="sixteen"):
        grouped("x", [], "pause-logging-or-so")
    with pytest.raises(ValueError, match="holds the token"):
        grouped("x", [f"::{TOKEN}::"], TOKEN)
