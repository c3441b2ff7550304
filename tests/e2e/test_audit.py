"""The record proves itself through the installed program, and a checkpoint elsewhere proves that nothing is missing."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from e2e_yard import Yard
from promised import EXAMPLES, shape

from orchestrator.effects.record_chain import link

pytestmark = pytest.mark.needs("git", "terraform")

CANARY = "canary-51c0ff"
STACKS = 'version: 1\nproject: estate\nstacks:\n  web: {path: web, inputs: {word: "${secret:word}"}}\n'
WEB = 'variable "word" { sensitive = true }\nresource "terraform_data" "web" { input = "%s" }\n'


@pytest.fixture
def web(yard: Yard) -> Yard:
    yard.extra["HOLDFAST_SECRET_WORD"] = CANARY
    yard.commit({"stacks.yaml": STACKS, "web/main.tf": WEB % "one"})
    yard.apply().ended(0)
    return yard


def checkpointed(yard: Yard) -> Path:
    file = yard.folder / "elsewhere.jsonl"
    with file.open("a") as lines:
        lines.write(yard.run("audit", "checkpoint").ended(0).out)
    return file


def tamper(yard: Yard, *statements: str) -> None:
    with closing(sqlite3.connect(yard.home / "record.db")) as record, record:
        for statement in statements:
            record.execute(statement)


CUT_OFF = (
    "DELETE FROM events WHERE seq > 2",
    "UPDATE marks SET number = 2, digest = (SELECT chain FROM events WHERE seq = 2) WHERE name = 'chain'",
)


def chain_anew(yard: Yard) -> None:
    """Do what somebody can who may write to the database and knows how entries are chained."""
    with closing(sqlite3.connect(yard.home / "record.db")) as record, record:
        record.row_factory = sqlite3.Row
        record.execute("UPDATE events SET actor = 'mallory' WHERE seq = 2")
        digest = ""
        for row in record.execute("SELECT * FROM events ORDER BY seq").fetchall():
            digest = link(digest, dict(row))
            record.execute("UPDATE events SET chain = ? WHERE seq = ?", (digest, row["seq"]))
        record.execute("UPDATE marks SET digest = ? WHERE name = 'chain'", (digest,))


def test_a_bent_entry_is_named_and_no_checkpoint_is_made_of_it(web: Yard) -> None:
    web.run("audit", "verify").ended(0, "the record is whole")
    tamper(web, "UPDATE events SET actor = 'mallory' WHERE seq = 2")
    web.run("audit", "verify").ended(1, "HF-4320", "entry 2")
    assert web.run("audit", "checkpoint").ended(1, "HF-4320").out == ""


def test_an_end_that_was_cut_off_is_found_by_a_checkpoint_alone(web: Yard) -> None:
    file = checkpointed(web)
    tamper(web, *CUT_OFF)
    web.run("audit", "verify").ended(0)
    web.run("audit", "verify", "--checkpoint", str(file)).ended(1, "HF-4321", "was cut off", "entry 3")


def test_a_record_that_was_chained_anew_is_found_by_a_checkpoint_alone(web: Yard) -> None:
    file = checkpointed(web)
    chain_anew(web)
    web.run("audit", "verify").ended(0)
    web.run("audit", "verify", "--checkpoint", str(file)).ended(1, "HF-4321", "was rewritten")


def test_a_record_restored_from_before_a_checkpoint_is_found(web: Yard) -> None:
    shutil.copy(web.home / "record.db", web.folder / "backup.db")
    web.commit({"web/main.tf": WEB % "two"})
    web.apply().ended(0)
    file = checkpointed(web)
    for left in web.home.glob("record.db*"):
        left.unlink()
    shutil.copy(web.folder / "backup.db", web.home / "record.db")
    web.run("audit", "verify", "--checkpoint", str(file)).ended(1, "HF-4321", "was cut off")


def test_checkpoints_hold_while_the_record_grows_and_the_key_is_exchanged(web: Yard) -> None:
    file = checkpointed(web)
    web.run("rotate-key").ended(0)
    web.commit({"web/main.tf": WEB % "two"})
    web.apply().ended(0)
    file = checkpointed(web)
    said = web.run("audit", "verify", "--checkpoint", str(file), "-o", "json").ended(0).json
    assert said == {"whole": True, "checkpoints": 2}
    assert shape(json.loads(file.read_text().splitlines()[0])) == shape(EXAMPLES["audit checkpoint"])


def test_a_forged_or_altered_checkpoint_is_refused(web: Yard) -> None:
    file = checkpointed(web)
    line = json.loads(file.read_text())
    tamper(web, *CUT_OFF)
    for change in ({"seq": 2}, {"mac": "0" * 64}, {"at": "2020-01-01T00:00:00Z"}, {"mac": ""}):
        file.write_text(json.dumps({**line, **change}))
        web.run("audit", "verify", "--checkpoint", str(file)).ended(1, "HF-4322")


@pytest.mark.parametrize("content", ["no json", '{"seq": 1}', "[]", '{"seq": "x", "chain": "", "at": "", "mac": ""}'])
def test_what_holds_no_checkpoint_is_wrong_usage(web: Yard, content: str) -> None:
    file = web.folder / "file"
    file.write_text(content)
    web.run("audit", "verify", "--checkpoint", str(file)).ended(64, "something else than checkpoints")


def test_checkpoints_that_pruning_has_muted_prove_nothing(web: Yard) -> None:
    file = checkpointed(web)
    web.commit({"web/main.tf": WEB % "two"})
    web.apply().ended(0)
    with web.record() as record:
        record.prune(record.clock.now() + 1)
    web.run("audit", "verify").ended(0)
    web.run("audit", "verify", "--checkpoint", str(file)).ended(1, "HF-4322", "pruned")
    newer = checkpointed(web)
    web.run("audit", "verify", "--checkpoint", str(newer)).ended(0, "what 1 checkpoint")


def test_an_export_holds_every_entry_and_no_secret(web: Yard) -> None:
    out = web.run("audit", "export").ended(0).out
    lines = [json.loads(line) for line in out.splitlines()]
    assert [one["seq"] for one in lines] == [one.seq for one in web.entries()]
    assert set(lines[0]) == set(EXAMPLES["audit export"])
    assert CANARY not in out
    rest = web.run("audit", "export", "--after", "2").ended(0).out.splitlines()
    assert [json.loads(line) for line in rest] == lines[2:]
