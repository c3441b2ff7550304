"""Whose yes counts: teams are the operator's to say, and everybody is told who may."""

from __future__ import annotations

import pytest
from e2e_yard import Yard

pytestmark = pytest.mark.needs("git", "terraform")

STACKS = """\
version: 1
project: estate
discover: false
environments:
  default: {apply: approve, approvals: {from: [team:platform], allow_author: true}}
stacks:
  web: {path: web}
"""
WEB = 'resource "terraform_data" "web" { input = "one" }\n'


@pytest.fixture
def guarded(yard: Yard) -> Yard:
    yard.commit({"stacks.yaml": STACKS, "web/main.tf": WEB})
    operator = yard.folder / "operator.yaml"
    operator.write_text("version: 1\nteams:\n  platform: [bob@lab.example]\n")
    yard.extra["HOLDFAST_CONFIG"] = str(operator)
    return yard


def becomes(yard: Yard, person: str) -> None:
    yard.git("config", "user.email", f"{person}@lab.example")


def test_the_word_of_somebody_else_does_not_count_and_they_are_told_whose_does(guarded: Yard) -> None:
    guarded.run("plan").ended(0)
    guarded.run("approve", "web", "--proposal", "1").ended(4, "HF-4101", "team:platform (bob@lab.example)")
    guarded.apply().ended(3, "needs 1 approval from team:platform, has 0")
    guarded.run("explain", "web").ended(0, "may approve", "team:platform (bob@lab.example)")
    assert guarded.run("explain", "web", "-o", "json").json["approvers"] == ["team:platform (bob@lab.example)"]
    assert guarded.state("web").applied is None


def test_the_word_of_a_member_counts(guarded: Yard) -> None:
    guarded.run("plan").ended(0)
    becomes(guarded, "bob")
    guarded.run("approve", "web", "--proposal", "1").ended(0, "approved web")
    becomes(guarded, "ana")
    guarded.apply().ended(0)
    assert guarded.state("web").applied is not None


def test_a_team_that_the_operator_does_not_know_is_said_to_be_nobody(guarded: Yard) -> None:
    (guarded.folder / "operator.yaml").write_text("version: 1\n")
    guarded.run("plan").ended(0)
    guarded.run("approve", "web", "--proposal", "1").ended(4, "HF-4101", "has no team of that name")


def test_a_repository_says_nothing_about_teams(guarded: Yard) -> None:
    guarded.commit({"stacks.yaml": f"{STACKS}teams: {{platform: [ana@lab.example]}}\n"})
    guarded.run("plan").ended(64, "HF-1003", "teams")


def test_who_wrote_it_is_named_where_they_may_not_approve_it(guarded: Yard) -> None:
    becomes(guarded, "bob")
    guarded.commit({"stacks.yaml": STACKS.replace("allow_author: true", "allow_author: false")})
    guarded.run("plan").ended(0)
    guarded.run("approve", "web", "--proposal", "1").ended(4, "not bob@lab.example, who wrote the revision")
