"""Every command that acts says what it did as one document, with the keys that docs/json.md promises."""

from __future__ import annotations

import json

import pytest
import yaml
from e2e_yard import Yard
from promised import EXAMPLES, shape

pytestmark = pytest.mark.needs("git", "terraform")

STACKS = "version: 1\nproject: estate\nstacks:\n  web: {tool: terraform, path: web}\n"
TWO = STACKS + "  old: {tool: terraform, path: old}\n"
RENAMED = STACKS + "  new: {tool: terraform, path: old}\n"
WEB = 'resource "terraform_data" "web" { input = "%s" }\n'


def keeps_its_promise(heading: str, document: object) -> None:
    assert shape(document) == shape(EXAMPLES[heading])


@pytest.fixture
def planned(yard: Yard) -> Yard:
    yard.commit({"stacks.yaml": TWO, "web/main.tf": WEB % "one", "old/main.tf": WEB % "old"})
    yard.run("plan").ended(0)
    return yard


def test_a_word_on_a_plan_is_a_document_and_nothing_else_is_on_stdout(planned: Yard) -> None:
    said = planned.run("reject", "web", "--reason", "no", "-o", "json").ended(0)
    keeps_its_promise("approve, reject", {"approved": said.json["rejected"]})
    assert "rejected web" not in said.err
    planned.run("plan", "web").ended(0)
    number = planned.run("show", "web", "-o", "json").json["stacks"][0]["proposal"]
    said = planned.run("approve", "web", "--proposal", str(number), "-o", "json").ended(0)
    keeps_its_promise("approve, reject", said.json)
    assert said.json["approved"][0]["by"] == "ana@lab.example"


def test_a_suspension_and_its_end_are_documents(planned: Yard) -> None:
    one = planned.run("suspend", "web", "--until", "12h", "--reason", "holidays", "-o", "json").ended(0).json
    keeps_its_promise("suspend", one)
    everything = planned.run("suspend", "--reason", "move", "-o", "json").ended(0).json
    assert (everything["suspended"], everything["everything"], everything["until"]) == ([], True, None)
    back = planned.run("resume", "web", "-o", "json").ended(0).json
    keeps_its_promise("resume", {**back, "released": ["none"], "repaired_again": ["none"]})
    assert back == {"lifted": [{"of": "web", "why": "holidays"}], "released": [], "repaired_again": []}
    planned.run("resume", "--plain").ended(0, "lifted the suspension of everything: move")


def test_what_waits_and_what_is_checked_are_documents(planned: Yard) -> None:
    planned.apply().ended(0)
    keeps_its_promise("wait", planned.run("wait", "--for", "Ready", "-o", "json").ended(0).json)
    keeps_its_promise("audit verify", planned.run("audit", "verify", "-o", "json").ended(0).json)
    log = planned.run("logs", "2", "web", "-o", "json").ended(0).out.splitlines()
    assert log
    for line in log:
        keeps_its_promise("logs", json.loads(line))
    documents = list(yaml.safe_load_all(planned.run("logs", "2", "web", "-o", "yaml").ended(0).out))
    assert documents == [json.loads(line) for line in log]
    assert all(line.count("\t") == 2 for line in planned.run("logs", "2", "--plain").ended(0).out.splitlines())


def test_a_rename_and_a_farewell_are_documents(planned: Yard) -> None:
    planned.apply().ended(0)
    planned.commit({"stacks.yaml": RENAMED})
    keeps_its_promise("mv", planned.run("mv", "old", "new", "-o", "json").ended(0).json)
    planned.commit({"stacks.yaml": STACKS})
    planned.run("plan").ended(0)
    keeps_its_promise("forget", planned.run("forget", "new", "--confirm", "new", "-o", "json").ended(0).json)


def test_files_that_are_written_are_told_of_with_their_text(yard: Yard) -> None:
    yard.commit({"web/main.tf": yard.lab, "atlantis.yaml": "version: 3\nautomerge: true\nprojects:\n- dir: web\n"})
    shown = yard.run("init", "--dry-run", "-o", "json").ended(0).json
    assert not (yard.checkout / "stacks.yaml").exists()
    written = yard.run("init", "-o", "json").ended(0).json
    keeps_its_promise("init", written)
    assert (shown["text"], shown["written"]) == (written["text"], False)
    assert (yard.checkout / "stacks.yaml").read_text() == written["text"]
    taken = yard.run("import", "atlantis", "--force", "-o", "json").ended(0).json
    keeps_its_promise("import", taken)
    assert taken["unmapped"][0]["key"] == "automerge"
