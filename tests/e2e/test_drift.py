"""Drift at the command line, with the real tool: told, proposed, repaired, ignored, and coming back."""

from __future__ import annotations

import pytest
from e2e_yard import Yard

from orchestrator.model.drift import Ending

pytestmark = pytest.mark.needs("git", "terraform")

OBJECT = 'resource "lab_object" "web" {\n  name = "web"\n  size = 1\n}\n'


def stacks(drift: str, apply: str = "auto") -> str:
    return f"version: 1\nproject: estate\nstacks:\n  web: {{path: web, apply: {apply}, drift: {{{drift}}}}}\n"


def made(yard: Yard, drift: str, apply: str = "auto") -> Yard:
    """Have the stack applied under this policy."""
    yard.commit({"stacks.yaml": stacks(drift, apply), "web/main.tf": yard.lab + OBJECT})
    yard.apply().ended(0)
    return yard


def size(yard: Yard) -> int:
    (one,) = yard.objects()
    return int(one["size"])


def row(yard: Yard, *words: str, code: int = 0) -> dict[str, object]:
    """Return what ``holdfast drift -o json`` says of the one stack."""
    (found,) = yard.run("drift", "-o", "json", *words).ended(code).json["stacks"]
    return found


def test_report_tells_and_propose_waits_for_a_yes_though_the_stack_applies_by_itself(yard: Yard) -> None:
    made(yard, "answer: report")
    yard.edit_object("web", size=2)
    yard.run("drift", "--answer").ended(0, "reported", "expected 1  is 2")
    assert not yard.state("web").tracks["main"].proposal
    unknown = "by whom: unknown (state: nobody has written the state since the last apply"
    yard.run("drift", "--show").ended(0, unknown)
    yard.run("explain", "web").ended(0, unknown, "record: last applied by ana@lab.example in run 1")
    yard.commit({"stacks.yaml": stacks("answer: propose")})
    yard.run("drift", "--answer").ended(3, "proposal 2 waits for a yes", "holdfast approve web --proposal 2")
    assert size(yard) == 2
    yard.run("approve", "web", "--proposal", "2").ended(0)
    yard.run("apply").ended(0, "1 applied")
    assert size(yard) == 1
    assert [one.ended for one in yard.state("web").occurrences] == [Ending.REPAIRED]
    yard.everything_belongs_to_an_attempt("web")
    yard.record_is_sound()


def test_repair_asks_nobody_until_what_it_puts_back_keeps_coming_back_and_is_resumed_by_name(yard: Yard) -> None:
    made(yard, "answer: repair, limit: {repairs: 1}")
    yard.edit_object("web", size=2)
    yard.run("drift", "--answer").ended(0, "repaired in run")
    assert size(yard) == 1
    yard.edit_object("web", size=3)
    yard.run("drift", "--answer").ended(5, "recurring: repaired 1 time,", "holdfast resume web")
    assert size(yard) == 3
    status = yard.status()["web"]
    assert status["conditions"]["Recurring"]
    assert "repaired 1 time and drifted again: lab_object.web" in status["why"]
    yard.run("explain", "web").ended(0, "holdfast resume web", "drift.limit.repairs")
    (history,) = yard.run("drift", "--history", "web", "-o", "json").ended(0).json["stacks"]
    assert [(one["actual"], one["ended"]) for one in history["occurrences"]] == [
        ("2", "repaired"),
        ("3", None),
    ]
    assert history["recurring"]
    yard.run("drift", "--history", "web").ended(0, "repaired in run", "by ana@lab.example", "not over")
    yard.run("resume", "web", "--reason", "the cron job is gone").ended(0, "repaired again")
    assert not yard.status()["web"]["conditions"]["Recurring"]


def test_a_difference_that_somebody_lives_with_is_told_and_left_alone(yard: Yard) -> None:
    made(yard, "answer: repair")
    yard.edit_object("web", size=2)
    words = ("drift", "web", "--ignore", "lab_object.web#size", "--until", "1d", "--reason", "being moved")
    yard.run(*words).ended(0, "is ignored until", "nothing that is known to differ")
    found = row(yard, "--answer")
    assert (found["drifted"], found["items"]) == (False, [])
    (ignored,) = found["ignored"]
    assert ignored["rule"]["owner"] == "ana@lab.example"
    assert size(yard) == 2
    yard.run("drift", "--show").ended(0, "ignored: lab_object.web#size by ana@lab.example", "1 ignored")
    assert yard.status()["web"]["ignored"] == 1
    yard.run("explain", "web").ended(0, "being moved")
    yard.commit({"web/main.tf": yard.lab + OBJECT.replace('"web"\n', '"web"\n  tags = { a = "b" }\n')})
    yard.run("plan").ended(0, "may put back what is ignored as drift: lab_object.web#size")
    yard.run("drift", "web", "--heed", "lab_object.web#size").ended(0, "counts as drift again")
    assert row(yard, "--show")["drifted"]


def test_a_difference_counts_once_enough_looks_saw_it(yard: Yard) -> None:
    made(yard, "answer: repair, confirm: 2")
    yard.edit_object("web", size=2)
    first = row(yard, "--answer")
    assert (first["drifted"], len(first["unconfirmed"])) == (False, 1)
    assert not yard.status()["web"]["conditions"]["Drifted"]
    yard.run("drift", "--show").ended(0, "to be confirmed, counts once 2 looks")
    second = row(yard)
    assert (second["drifted"], second["items"][0]["times"]) == (True, 2)
    assert (second["answer"], second["answered"]) == ("repair", "")
    assert size(yard) == 2


#: What is typed -> what it is told.
SLIPS = {
    "--ignore x.one --until 1d": "HF-1932",
    "--ignore x.one --reason r": "HF-1932",
    "--reason r": "HF-1932",
    "--ignore x.one# --until 1d --reason r": "HF-1931",
    "--ignore #size --until 1d --reason r": "HF-1931",
    "--ignore x.one --until soon --reason r": "HF-1908",
    "--ignore x.one --until 2020-01-01 --reason r": "over already",
    "--heed x.one": "HF-1933",
    "--heed x.one --until 1d": "--heed takes one STACK and no --until",
    "--show --history": "do not go together",
}


def test_words_that_make_no_sense_are_refused_and_leave_nothing_behind(yard: Yard) -> None:
    yard.commit({"stacks.yaml": stacks("answer: report"), "web/main.tf": 'output "a" {\n  value = 1\n}\n'})
    for words, says in SLIPS.items():
        yard.run("drift", "web", *words.split()).ended(64, says)
    assert not yard.state("web").ignores
