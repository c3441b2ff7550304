"""What a person can ask of a plan: only what changed since, and what taking down would do. Nothing comes of a look."""

from __future__ import annotations

import pytest
from e2e_yard import Yard

pytestmark = pytest.mark.needs("git", "terraform")

STACKS = """
version: 1
project: estate
stacks:
  net: {tool: terraform, path: net}
  web: {tool: terraform, path: web, inputs: {net: "${output:net.name}"}}
  dns: {tool: terraform, path: dns, inputs: {size: 1}}
"""
NET = 'resource "terraform_data" "net" { input = "%s" }\noutput "name" { value = terraform_data.net.output }\n'
WEB = 'variable "net" {}\nresource "terraform_data" "web" { input = var.net }\n'
DNS = 'variable "size" {}\nresource "terraform_data" "dns" { input = var.size }\n'


@pytest.fixture
def estate(yard: Yard) -> Yard:
    yard.commit({"stacks.yaml": STACKS, "net/main.tf": NET % "a", "web/main.tf": WEB, "dns/main.tf": DNS})
    yard.apply().ended(0)
    yard.git("tag", "before")
    return yard


def planned(yard: Yard, *words: str) -> dict[str, str]:
    rows = yard.run("plan", "-o", "json", *words).ended(0).json["stacks"]
    return {row["stack"]: row["result"] for row in rows}


def test_only_what_changed_since_is_planned(estate: Yard) -> None:
    assert planned(estate, "--changed-since", "before") == {}
    estate.commit({"net/main.tf": NET % "b"})
    assert planned(estate, "--changed-since", "before") == {"net": "changes"}
    assert set(planned(estate, "--changed-since", "before", "--with-dependents")) == {"net", "web"}
    estate.commit({"stacks.yaml": STACKS.replace("size: 1", "size: 2")})
    assert set(planned(estate, "--changed-since", "HEAD~1")) == {"dns"}
    estate.run("plan", "--changed-since", "no-such-tag").ended(64)


def test_a_look_at_taking_down_lists_what_would_go_and_leaves_all_as_it_was(estate: Yard) -> None:
    objects = estate.state("web").applied
    done = estate.run("plan", "--destroy", "net", "web", "-o", "json").ended(0).json["stacks"]
    assert [row["stack"] for row in done] == ["web", "net"]
    assert all(change["kind"] == "delete" for row in done for change in row["changes"])
    assert all(row["goal"] == "destroy" for row in done)
    estate.run("plan", "--destroy", "web", "--detailed-exitcode").ended(2, "holdfast apply --destroy web")
    state = estate.state("web")
    assert (state.hold, state.applied) == (None, objects)
    # No apply takes up what was only looked at.
    estate.forget_starts()
    estate.apply().ended(0)
    assert estate.starts() == []


def test_who_takes_down_what_others_read_is_told_who_they_are_and_asked_by_name(estate: Yard) -> None:
    planned = estate.run("plan", "--destroy", "net", "-o", "json").ended(0).json["stacks"]
    assert planned[0]["warnings"] == ["web reads its outputs, and still stands"]
    asked = estate.run("apply", "--destroy", "net", "--yes").ended(3)
    assert "net takes everything down that web reads outputs of and asks for its name" in asked.err
    assert estate.state("net").hold is None
    # Both together: the reader goes first.
    both = estate.run("apply", "--destroy", "net", "web", "--confirm", "net", "--confirm", "web").ended(0)
    assert "reads outputs of" not in both.said


def test_a_stack_that_left_its_source_can_be_looked_at_too(estate: Yard) -> None:
    estate.commit({"stacks.yaml": STACKS.replace("  dns:", "  other:"), "dns/main.tf": DNS})
    done = estate.run("plan", "--destroy", "dns", "-o", "json").ended(0).json["stacks"]
    assert [(row["stack"], row["result"]) for row in done] == [("dns", "changes")]


def test_taking_everything_down_is_no_slip_of_the_hand(estate: Yard) -> None:
    estate.run("plan", "--destroy").ended(64, "--destroy needs the names")
    estate.run("plan", "--destroy", "--dirty", "web").ended(64, "--destroy needs the names")
    for more in (["--with-dependents"], ["--changed-since", "before"]):
        estate.run("plan", "--destroy", "net", *more).ended(64, "the stacks that are named, and no others")
