"""A commit that does not contain what is applied: said at the plan, asked about by name at the apply."""

from __future__ import annotations

import pytest
from e2e_yard import Yard

pytestmark = pytest.mark.needs("git", "terraform")

WEB = 'resource "terraform_data" "web" { input = "%s" }\noutput "web" { value = terraform_data.web.output }\n'


@pytest.fixture
def ahead(yard: Yard) -> Yard:
    """The third commit is applied, the first is checked out."""
    yard.commit(
        {"stacks.yaml": "version: 1\nproject: estate\nstacks:\n  web: {path: web}\n", "web/main.tf": WEB % "one"}
    )
    for word in ("two", "three"):
        yard.commit({"web/main.tf": WEB % word})
    yard.apply().ended(0)
    yard.git("switch", "--quiet", "--detach", "HEAD~2")
    return yard


def test_an_older_commit_is_told_at_the_plan_and_asked_about_by_name(ahead: Yard) -> None:
    old, new = ahead.git("rev-parse", "--short=7", "HEAD"), ahead.git("rev-parse", "--short=7", "main")
    planned = ahead.run("plan").ended(0)
    assert f"{old} is not after {new}, which is applied: 2 applied commits are missing from it" in planned.out
    assert ahead.run("plan", "-o", "json").ended(0).json["stacks"][0]["warnings"]
    ahead.apply().ended(3, "--confirm web", "would be undone")
    assert ahead.run("outputs", "web", "web").out == "three\n"
    ahead.apply("--confirm", "other").ended(3)
    ahead.apply("--confirm", "web").ended(0)
    assert ahead.run("outputs", "web", "web").out == "one\n"
    # Forward again is nothing to ask about.
    ahead.git("switch", "--quiet", "main")
    assert "is not after" not in ahead.run("plan").ended(0).said
    ahead.apply().ended(0)


def test_a_branch_beside_what_is_applied_is_asked_about_too(ahead: Yard) -> None:
    ahead.commit({"web/main.tf": WEB % "beside"})
    ahead.apply().ended(3, "2 applied commits are missing")
    # A merge has both.
    ahead.git("merge", "--quiet", "--strategy=ours", "--message=both", "main")
    assert "is not after" not in ahead.apply().ended(0).said


def test_the_word_of_another_does_not_answer_for_who_applies(ahead: Yard) -> None:
    run = str(ahead.run("plan", "-o", "json").ended(0).json["stacks"][0]["run"])
    ahead.git("config", "user.email", "bob@lab.example")
    ahead.run("approve", run).ended(0)
    ahead.git("config", "user.email", "ana@lab.example")
    ahead.apply().ended(3, "--confirm web")
    assert ahead.run("outputs", "web", "web").out == "three\n"


def test_a_rollback_is_meant_and_not_asked_about(ahead: Yard) -> None:
    ahead.git("switch", "--quiet", "main")
    ahead.run("rollback", "web", "--to", "HEAD~1", "--yes").ended(0)
    assert ahead.run("outputs", "web", "web").out == "two\n"
    ahead.run("resume", "web").ended(0)
    ahead.apply().ended(0)


def test_a_rewritten_history_is_asked_about_though_the_applied_commit_is_on_no_branch(ahead: Yard) -> None:
    ahead.git("switch", "--quiet", "main")
    ahead.git("reset", "--quiet", "--hard", "HEAD~1")
    ahead.commit({"web/main.tf": WEB % "rewritten"})
    ahead.git("reflog", "expire", "--expire=now", "--all")
    ahead.git("gc", "--quiet", "--prune=now")
    ahead.apply().ended(3, "1 applied commit is missing")


def test_other_stacks_go_on_while_one_is_asked_about(ahead: Yard) -> None:
    more = "version: 1\nproject: estate\nstacks:\n  web: {path: web}\n  db: {path: db}\n"
    ahead.commit({"stacks.yaml": more, "db/main.tf": WEB % "db"})
    ahead.apply().ended(3, "--confirm web")
    assert ahead.run("outputs", "db", "web").out == "db\n"
    assert ahead.run("outputs", "web", "web").out == "three\n"
