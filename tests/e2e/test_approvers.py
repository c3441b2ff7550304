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
    guarded.run("approve", "web", "--proposal", "1").ended(4, "bob@lab.example, who wrote what is new")


def test_somebody_elses_commit_on_top_does_not_let_an_author_approve_their_own(guarded: Yard) -> None:
    own = STACKS.replace("allow_author: true", "allow_author: false")
    becomes(guarded, "bob")
    guarded.commit({"stacks.yaml": own, "web/main.tf": WEB.replace("one", "two")})
    becomes(guarded, "ana")
    guarded.commit({"readme": "nothing of the stack's"})
    becomes(guarded, "bob")
    guarded.run("plan").ended(0)
    guarded.run("approve", "web", "--proposal", "1").ended(4, "HF-4101", "bob@lab.example, who wrote what is new")


def test_who_has_left_the_team_before_the_apply_has_no_say_left(guarded: Yard) -> None:
    guarded.run("plan").ended(0)
    becomes(guarded, "bob")
    guarded.run("approve", "web", "--proposal", "1").ended(0)
    (guarded.folder / "operator.yaml").write_text("version: 1\nteams:\n  platform: [cid@lab.example]\n")
    becomes(guarded, "ana")
    guarded.apply().ended(3, "has 0; bob@lab.example, who said yes, is no longer in platform")
    assert guarded.state("web").applied is None


def test_two_groups_take_two_people_and_what_is_lacking_is_said(guarded: Yard) -> None:
    groups = "groups: [{from: [team:security]}], required: 1, valid_for: 24h"
    guarded.commit({"stacks.yaml": STACKS.replace("allow_author: true", f"allow_author: true, {groups}")})
    (guarded.folder / "operator.yaml").write_text(
        "version: 1\nteams:\n  platform: [bob@lab.example]\n  security: [bob@lab.example, dan@lab.example]\n"
    )
    guarded.run("plan").ended(0)
    becomes(guarded, "bob")
    guarded.run("approve", "web", "--proposal", "1").ended(0)
    guarded.apply().ended(3, "needs 1 approval from team:platform and 1 from team:security, has 1, lacks 1 approval")
    settings = {one["name"]: one["value"] for one in guarded.run("explain", "web", "-o", "json").json["settings"]}
    assert settings["approvals.groups"] == [{"from": ["team:security"], "at_least": 1}]
    assert settings["approvals.valid_for"] == "1d"
    becomes(guarded, "dan")
    guarded.run("approve", "web", "--proposal", "1").ended(0)
    guarded.apply().ended(0)
