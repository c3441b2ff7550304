"""A yes and a no are for the plan that was seen, and whoever meets them is told what to type."""

from __future__ import annotations

import shlex

import pytest
from e2e_yard import Terminal, Yard, until

pytestmark = pytest.mark.needs("git", "terraform")

STACKS = "version: 1\nproject: estate\nstacks:\n  web: {path: web}\n"
WEB = 'resource "terraform_data" "web" { input = "%s" }\n'


@pytest.fixture
def planned(yard: Yard) -> Yard:
    yard.commit({"stacks.yaml": STACKS, "web/main.tf": WEB % "one"})
    yard.run("plan").ended(0)
    return yard


def suggested(said: str, verb: str) -> list[str]:
    """Return the words of the first suggested command with this verb."""
    return next(
        shlex.split(line)[1:]
        for line in map(str.strip, said.replace("Next:", "").splitlines())
        if line.startswith(f"holdfast {verb}")
    )


def test_a_yes_that_names_no_plan_is_refused_where_nobody_can_be_shown_one(planned: Yard) -> None:
    planned.run("approve", "web").ended(64, "HF-1930", "holdfast show web")
    assert not planned.state("web").tracks["main"].consents


def test_the_command_that_plan_apply_and_show_print_says_yes_to_what_they_showed(planned: Yard) -> None:
    for words, code in (("plan", 0), ("apply", 3), ("show web", 0)):
        assert suggested(planned.run(*words.split()).ended(code).err, "approve") == [
            "approve",
            "web",
            "--proposal",
            "1",
        ]
    planned.run("approve", "web", "--proposal", "1").ended(0, "approved web")
    planned.run("apply").ended(0, "1 applied")


def test_a_yes_to_a_plan_that_another_has_replaced_is_refused(planned: Yard) -> None:
    planned.commit({"web/main.tf": WEB % "two"})
    planned.run("plan").ended(0)
    planned.run("approve", "web", "--proposal", "1").ended(64, "HF-1906", "proposal 1 of web does not stand: 2 does")
    assert not planned.state("web").tracks["main"].consents


def test_in_front_of_a_person_the_plan_is_shown_before_the_question(planned: Yard) -> None:
    person = Terminal(planned, "approve", "web")
    until(lambda: person.sees(b"Approve exactly this for web?"))
    assert b"terraform_data.web" in person.said
    person.press(b"n\n")
    assert person.ends() == 0
    assert not planned.state("web").tracks["main"].consents
    person = Terminal(planned, "approve", "web")
    until(lambda: person.sees(b"Approve exactly this for web?"))
    person.press(b"y\n")
    assert person.ends() == 0
    assert len(planned.state("web").tracks["main"].consents) == 1


def test_who_answered_no_is_not_told_to_approve_it(planned: Yard) -> None:
    person = Terminal(planned, "apply", "web")
    until(lambda: person.sees(b"Apply exactly this to web?"))
    person.press(b"n\n")
    assert person.ends() == 3
    assert b"holdfast approve" not in person.said


def test_a_no_is_told_everywhere_with_who_and_why_and_a_new_plan_is_asked_about_again(planned: Yard) -> None:
    planned.run("reject", "web", "--reason", "too big").ended(0, "holdfast plan web")
    no = "rejected by ana@lab.example: too big"
    planned.run("show", "web").ended(0, no)
    assert no in planned.status()["web"]["why"]
    planned.forget_starts()
    for words, code in (("plan",), 4), (("apply", "--yes"), 4):
        said = planned.run(*words).ended(code, no)
        assert suggested(said.err, "plan") == ["plan", "web", "plans", "afresh", "what", "was", "rejected"]
    assert planned.starts() == [], "a plan that was not asked for by name starts no tool"
    planned.run("plan", "web").ended(0, "+1")
    planned.apply().ended(0, "1 applied")


def test_who_changes_their_mind_says_yes_to_what_they_rejected(planned: Yard) -> None:
    planned.run("reject", "web").ended(0)
    planned.run("plan").ended(4, "rejected by ana@lab.example")
    planned.run("approve", "web", "--proposal", "1").ended(0)
    planned.run("apply").ended(0, "1 applied")
