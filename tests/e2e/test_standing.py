"""What status says of stacks that people keep still, that wait for a word, or whose attempt nobody follows any more."""

from __future__ import annotations

import pytest
from e2e_yard import Terminal, Yard, until

pytestmark = pytest.mark.needs("git", "terraform")

STACKS = """\
version: 1
project: estate
environments: {dev: {apply: auto}, prod: {}}
stacks:
  db: {path: db, environments: [dev, prod], workspace: "${env.name}"}
"""
DB = 'resource "terraform_data" "db" { input = "%s" }\n'
SLOW = 'resource "lab_object" "slow" {\n  name  = "slow"\n  delay = 20\n}\n'


@pytest.fixture
def estate(yard: Yard) -> Yard:
    yard.commit({"stacks.yaml": STACKS, "db/main.tf": DB % "one"})
    return yard


def test_a_suspended_stack_says_so_in_every_form_until_it_is_resumed(estate: Yard) -> None:
    estate.run("suspend", "db@dev", "--reason", "holidays", "--until", "2099-01-01").ended(0)
    said = "suspended by ana@lab.example: holidays (until 20"
    estate.run("status").ended(0, said, "OutOfSync suspended")
    assert said in estate.run("status", "--plain").out
    rows = estate.status()
    assert [rows[name]["conditions"]["Suspended"] for name in ("db@dev", "db@prod")] == [True, False]
    assert rows["db@dev"]["suspensions"][0]["why"] == "holidays"
    estate.run("wait", "db@dev", "--for", "Suspended", "--timeout", "0s").ended(0)
    estate.run("wait", "db@prod", "--for", "Suspended", "--timeout", "0s").ended(1, "HF-1916")
    estate.run("plan", "db@dev").ended(0, said)
    estate.apply("db@dev").ended(5, said)
    estate.run("resume", "db@dev").ended(0)
    assert not estate.status()["db@dev"]["conditions"]["Suspended"]


def test_a_held_stack_says_at_what_by_whom_and_how_to_let_it_go(estate: Yard) -> None:
    estate.apply("db@dev").ended(0)
    old = estate.git("rev-parse", "--short=7", "HEAD")
    estate.commit({"db/main.tf": DB % "two"})
    estate.apply("db@dev").ended(0)
    said = f"held at {old} by ana@lab.example: holdfast resume db@dev"
    last = estate.run("rollback", "db@dev", "--yes").ended(0).err.splitlines()[-2:]
    assert last == [f"db@dev is {said}", "Next:  holdfast resume db@dev"]
    for words in (("status", "db@dev"), ("plan", "db@dev"), ("apply", "db@dev"), ("status", "--plain", "db@dev")):
        assert said in estate.run(*words).ended(0).out, words
    assert estate.run("plan", "db@dev", "-o", "json").json["stacks"][0]["why"] == said


def test_what_is_next_names_the_command_that_is_missing_and_keeps_the_environment(estate: Yard) -> None:
    estate.run("status", "-e", "dev").ended(0, "Next:  holdfast plan db@dev")
    estate.run("plan").ended(0)
    status = estate.run("status").ended(0, "ready: holdfast apply db@dev", "holdfast approve db@prod --proposal 1")
    assert "by itself" not in status.said
    estate.run("explain", "db@dev").ended(0, "it is to be applied: ready: holdfast apply db@dev")


def test_what_is_next_for_many_stacks_keeps_the_environment_and_the_revision(estate: Yard) -> None:
    four = "".join(f"  s{n}: {{path: s{n}, environments: [dev]}}\n" for n in range(4))
    many = STACKS.replace("  db:", f"{four}  db:")
    estate.commit({"stacks.yaml": many, **{f"s{n}/main.tf": DB % n for n in range(4)}})
    estate.run("status", "-e", "dev", "--ref", "main").ended(0, "Next:  holdfast plan -e dev --ref main")


def test_an_attempt_that_nobody_is_at_any_more_is_told_from_one_at_work(yard: Yard) -> None:
    yard.commit({"stacks.yaml": "version: 1\nproject: estate\nstacks:\n  web: {path: web}\n"})
    yard.commit({"web/main.tf": yard.lab + SLOW})
    process = yard.start("apply", "--yes")
    until(lambda: yard.created()["slow"])
    assert yard.status()["web"]["why"].startswith("attempt 1 is at work on ")
    process.kill()
    process.communicate()
    assert yard.status()["web"]["why"].startswith("attempt 1 is at work on "), "its keeper lives"
    yard.clear()
    until(lambda: "its processes are gone" in yard.status()["web"]["why"])
    before = len(yard.entries())
    yard.run("status").ended(0, "holdfast apply web settles it", "Next:  holdfast apply web")
    yard.run("explain", "web").ended(0, "its processes are gone")
    assert len(yard.entries()) == before, "a look records nothing"


def test_an_output_cannot_move_the_cursor_and_a_script_gets_it_as_it_is(estate: Yard) -> None:
    estate.commit({"db/main.tf": 'output "o" { value = "a\\u001b[2Jb" }\n'})
    estate.apply("db@dev").ended(0)
    assert estate.run("outputs", "db@dev", "o").out == "a\x1b[2Jb\n"
    person = Terminal(estate, "outputs", "db@dev", "o")
    assert person.ends() == 0
    assert b"\x1b[2J" not in person.said
    assert b"a\\x1b[2Jb" in person.said


def test_what_is_resumed_is_named_as_people_name_it(estate: Yard) -> None:
    estate.run("suspend", "--reason", "holidays").ended(0)
    estate.run("suspend", "db@dev", "--reason", "quiet").ended(0)
    estate.run("resume").ended(0, "the suspension of everything: holidays", "the suspension of db@dev: quiet")


def test_a_revision_that_is_not_there_is_wrong_usage(estate: Yard) -> None:
    estate.run("status", "--ref", "nope").ended(64, "HF-3006")


def test_leaving_a_watch_is_no_failure(estate: Yard) -> None:
    person = Terminal(estate, "status", "--watch")
    until(lambda: person.said.count(b"0 of 2 ready") > 1 or person.sees(b"\0"))
    person.press(b"\x03")
    assert person.ends() == 0, person.said
    assert b"interrupted" not in person.said
