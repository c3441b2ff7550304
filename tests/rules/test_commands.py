"""What counts as a command below a pull request, and what does not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.rules.commands import MOST_COMMANDS, MOST_STACKS, Command, Complaint, Verb, read

APPLY = Command(verb=Verb.APPLY)


def complaint(body: str) -> Complaint:
    (found,) = read(body)
    assert isinstance(found, Complaint), found
    return found


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ("holdfast plan", Command(verb=Verb.PLAN)),
        ("holdfast apply web", Command(verb=Verb.APPLY, stacks=("web",))),
        ("holdfast apply web db@prod", Command(verb=Verb.APPLY, stacks=("web", "db@prod"))),
        ("holdfast apply web web", Command(verb=Verb.APPLY, stacks=("web",))),
        ("holdfast approve -e prod", Command(verb=Verb.APPROVE, environment="prod")),
        ("holdfast reject --environment prod web", Command(verb=Verb.REJECT, stacks=("web",), environment="prod")),
        ("holdfast apply --environment=prod", Command(verb=Verb.APPLY, environment="prod")),
        ("holdfast apply web@prod -e prod", Command(verb=Verb.APPLY, stacks=("web@prod",), environment="prod")),
        ("/holdfast unlock", Command(verb=Verb.UNLOCK)),
        ("Holdfast Help", Command(verb=Verb.HELP)),
        ("   holdfast   apply \t web  ", Command(verb=Verb.APPLY, stacks=("web",))),
        ("holdfast plan web-*@prod net-* *_a*", Command(verb=Verb.PLAN, stacks=("web-*@prod", "net-*", "*_a*"))),
        ("holdfast plan apps/web tool=terraform", Command(verb=Verb.PLAN, stacks=("apps/web", "tool=terraform"))),
        ("holdfast plan größe", Command(verb=Verb.PLAN, stacks=("größe",))),
        ("Looks good to me.\r\n\r\nholdfast plan\r\n", Command(verb=Verb.PLAN)),
        ("Looks good to me:\nholdfast plan\nThank you!", Command(verb=Verb.PLAN)),
        ("<details>\n\nholdfast plan\n\n</details>", Command(verb=Verb.PLAN)),
        ("> what about this?\n\nholdfast plan", Command(verb=Verb.PLAN)),
        ("```\nlog\n```\nholdfast plan", Command(verb=Verb.PLAN)),
        ("<!-- hidden -->\n\nholdfast plan", Command(verb=Verb.PLAN)),
    ],
)
def test_a_command_on_a_line_of_its_own_counts(body: str, command: Command) -> None:
    assert read(body) == (command,)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "nothing of the kind",
        "please holdfast apply",
        "- holdfast apply",
        "1. holdfast apply",
        "# holdfast apply",
        "holdfast apply\n===",
        "> holdfast apply",
        ">holdfast apply",
        "  > > holdfast apply",
        "> somebody wrote\nholdfast apply",
        "- somebody wrote\nholdfast apply",
        "```\nholdfast apply\n```",
        "```\nholdfast apply",
        "~~~~\n~~~\nholdfast apply\n~~~~",
        "````\n```\nholdfast apply\n```\n````",
        "- ```\n  holdfast apply\n  ```",
        "> ```\n> x\n> ```\n> holdfast apply",
        "    holdfast apply",
        "\tholdfast apply",
        "`holdfast apply`",
        "`\nholdfast apply\n`",
        "a `code\nholdfast apply\nmore` b",
        "<!--\nholdfast apply\n-->",
        "a <!--\nholdfast apply\n--> b",
        "<pre>\nholdfast apply\n</pre>",
        "<pre>\n\nholdfast apply\n\n</pre>",
        "<details>\nholdfast apply\n</details>",
        "| a |\n|-|\n| holdfast apply |",
        ">>>\na\n\nholdfast apply\n\n>>>",
        ">>>\na\n\nholdfast apply",
        "[holdfast apply](https://x.example)",
        "**holdfast apply**",
        "~~x~~ holdfast apply",
        "holdfast apply <b>web</b>",
        "holdfast apply &#42;",
        "holdfast: apply",
        "holdfast.apply",
        "holdfast-cli apply",
        "holdfasts apply",
        "//holdfast apply",
        "holdfast is a fine thing",
        "Holdfast, apply yourself",
        "<!-- holdfast:pr infra -->\nholdfast apply",
        "a\x0bholdfast apply",
        "a\u2028holdfast apply",
        "a\x85holdfast apply",
        "\u200bholdfast apply",
    ],
)
def test_what_is_only_shown_or_talked_about_is_none(body: str) -> None:
    assert read(body) == ()


def test_several_commands_are_taken_in_their_order_and_each_once() -> None:
    assert read("holdfast plan\nholdfast apply\n\nholdfast plan") == (Command(verb=Verb.PLAN), APPLY)


def test_one_wrong_line_does_not_keep_the_others_from_counting() -> None:
    first, second = read("holdfast aply\nholdfast plan")
    assert isinstance(first, Complaint)
    assert second == Command(verb=Verb.PLAN)


def test_a_near_spelling_is_suggested() -> None:
    assert complaint("holdfast aply web").hint == 'did you mean "apply"?'
    assert complaint("/holdfast xyzzy").hint == "holdfast help"
    assert complaint("holdfast").hint == "holdfast help"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("holdfast apply web.", '"web."'),
        ("holdfast apply web, please", '"web,"'),
        ("holdfast plan looks right?", '"right?"'),
        ("holdfast apply --yes", '"--yes"'),
        ("holdfast apply -e", '"-e"'),
        ("holdfast apply -e -e", '"-e"'),
        ("holdfast apply -e pr@od", '"-e"'),
        ("holdfast apply —e prod", '"—e"'),
        ("holdfast apply $(touch m)", '"$(touch"'),
        ("holdfast apply ../../etc", '"../../etc"'),
        ("holdfast apply web -e prod -e dev", "two environments"),
        ("holdfast apply web@dev -e prod", "not in the environment prod"),
        ("holdfast apply w\u200beb", "cannot be seen"),
        ("holdfast apply \u202ebew", "cannot be seen"),
        ("holdfast apply\u00a0web", "cannot be seen"),
        ("holdfast apply " + "x" * 3_000, "too long"),
        ("holdfast apply " + "x" * 300, "is no name"),
        ("holdfast apply " + " ".join(f"s{number}" for number in range(MOST_STACKS + 1)), "more than"),
        ("holdfast apply\n" + "x" * 40_000, "too long to look"),
    ],
)
def test_what_was_meant_and_makes_no_sense_is_complained_about(body: str, why: str) -> None:
    found = complaint(body)
    assert why in found.why
    assert len(found.line) <= 200


def test_there_is_an_end_to_the_commands_of_one_comment() -> None:
    found = read("\n".join(f"holdfast plan s{number}" for number in range(500)))
    assert len(found) == MOST_COMMANDS + 1
    assert isinstance(found[-1], Complaint)


@pytest.mark.parametrize(
    "piece",
    [
        "`",
        "~~~\n",
        "> ",
        ">>>\n",
        "<!--",
        "[",
        "*a ",
        "holdfast ",
        "holdfast aply\n",
        "<a ",
        "&",
        "\\",
        "- ",
        "![",
        "](",
    ],
)
def test_no_body_takes_long(piece: str) -> None:
    body = "holdfast apply\n\n" + piece * (16_000 // len(piece))
    started = time.process_time()
    read(body)
    assert time.process_time() - started < 10


LINES = st.sampled_from(
    [
        "holdfast apply web",
        "holdfast plan",
        "> q",
        "```",
        "~~~",
        "",
        "text",
        "- x",
        "<!--",
        "-->",
        ">>>",
        "`",
        "  ",
        "<pre>",
        "</pre>",
        "    x",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.lists(LINES, max_size=12))
def test_any_body_is_read_and_only_its_own_lines_are_obeyed(text: str, lines: list[str]) -> None:
    body = "\n".join([*lines, text])
    for found in read(body):
        assert isinstance(found, Command | Complaint)
        if isinstance(found, Command):
            assert any("holdfast" in line.lower() and found.verb.value in line.lower() for line in body.split("\n"))


@settings(max_examples=100, deadline=None)
@given(st.lists(LINES, max_size=12))
def test_what_is_quoted_line_by_line_asks_for_nothing(lines: list[str]) -> None:
    assert read("\n".join(f"> {line}" for line in lines)) == ()


@settings(max_examples=100, deadline=None)
@given(st.lists(LINES.filter(lambda line: not line.startswith("```")), max_size=12))
def test_what_is_in_a_block_of_code_asks_for_nothing(lines: list[str]) -> None:
    assert read("\n".join(["```", *lines, "```"])) == ()
