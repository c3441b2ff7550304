"""Who applied it, why and when, from git alone: told of a run and of a stack as docs/json.md promises."""

from __future__ import annotations

import json

import pytest
from e2e_yard import Yard
from promised import EXAMPLES, shape

pytestmark = pytest.mark.needs("git", "terraform")

STACKS = "version: 1\nproject: estate\nstacks:\n  web: {tool: terraform, path: web}\n"
WEB = 'resource "terraform_data" "web" { input = "%s" }\n'
MESSAGE = """fix(web)!: open the port

Fixes #7

Deploy-Intent: hotfix
Incident: INC-481
Runbook: runbooks/web.md#failover
Reviewed-by: Bob <bob@lab.example>
Holdfast-Allow: destroy(web)
"""


def test_an_apply_tells_why_it_was_made_and_going_back_does_too(yard: Yard) -> None:
    first = yard.commit({"stacks.yaml": STACKS, "web/main.tf": WEB % "one"}, "feat: the first")
    yard.apply().ended(0)
    yard.git("checkout", "--quiet", "-b", "port")
    change = yard.commit({"web/main.tf": WEB % "two"}, MESSAGE)
    yard.git("checkout", "--quiet", "main")
    yard.git("merge", "--quiet", "--no-ff", "--message=Merge pull request #12 from acme/port", "port")
    proposed = yard.run("plan", "-o", "json").ended(0)
    assert proposed.json["totals"]["stacks_changes"] == 1
    shown = yard.run("show", "web", "-o", "json").ended(0).json
    assert (shown["proposed"]["purpose"], shown["applied"]["purpose"]) == ("hotfix", "routine")
    assert [one["id"] for one in shown["applied"]["commits"]] == [first]

    yard.apply().ended(0)
    run = yard.run("runs", "-o", "json").ended(0).json["runs"][0]["run"]
    told = yard.run("show", str(run), "-o", "json").ended(0).json
    (intent,) = told["intents"]
    assert (intent["purpose"], intent["basis"], intent["since"], intent["covered"]) == ("hotfix", "trailer", first, 2)
    assert (intent["incidents"], intent["runbooks"]) == (["INC-481"], ["runbooks/web.md#failover"])
    assert (intent["issues"], intent["authors"]) == ([{"ref": "#7", "closes": True}], ["ana@lab.example"])
    assert [(one["number"], one["known"]) for one in intent["pulls"]] == [(12, False)]
    merge, commit = intent["commits"]
    assert (merge["merge"], commit["id"], commit["type"], commit["breaking"]) == (True, change, "fix", True)
    assert commit["people"] == [{"role": "reviewed", "who": "Bob <bob@lab.example>"}]
    assert commit["permits"] == [{"act": "destroy", "of": "web", "may_count": False}]
    # Each list in the example holds one: what it is made of is compared, where something is there.
    example = EXAMPLES["show RUN"]["intents"][0]
    assert set(intent) == set(example)
    assert shape(commit) == shape(example["commits"][0])
    assert "why: hotfix, INC-481, closes #7, perhaps pull request #12" in yard.run("show", str(run)).ended(0).out

    yard.run("rollback", "web", "--yes", "--reason", "worse").ended(0)
    shown = yard.run("show", "web").ended(0)
    assert "Nothing is proposed for web" in shown.out
    assert "rollback" in shown.out
    back = yard.run("runs", "-o", "json").ended(0).json["runs"][0]["intents"][0]
    assert (back["purpose"], back["basis"], back["undone"], back["covered"]) == ("rollback", "command", 2, 0)
    assert back["revision"] == first
    exported = [json.loads(line) for line in yard.run("audit", "export").ended(0).out.splitlines()]
    kept = [line["event"]["intent"] for line in exported if line["event"]["kind"] == "intended"]
    # What reports need later: each commit that an apply brought, by whom and from when.
    assert [(one["email"], one["committed_at"] > 0) for one in kept[1]["commits"]] == [("ana@lab.example", True)] * 2
