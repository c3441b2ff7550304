"""What a build service says of a run: whatever shape it has, nobody takes code of others for our own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli.foreign import check_ours, of_a_fork
from orchestrator.effects.workflow import Workflow, ephemeral, workflow_of
from orchestrator.errors import Denied

OURS = {"full_name": "acme/infra"}
THEIRS = {"full_name": "mallory/infra"}


def told(tmp_path: Path, event: str, payload: object, **more: str) -> dict[str, str]:
    path = tmp_path / "event.json"
    path.write_text(json.dumps(payload))
    named = {"GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": str(path), "GITHUB_REPOSITORY": "acme/infra"}
    return {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "7", **named, **more}


def pull(head: object, base: object = OURS) -> dict[str, Any]:
    return {"pull_request": {"number": 5, "head": {"repo": head, "sha": "a" * 40}, "base": {"repo": base}}}


@pytest.mark.parametrize(
    "payload",
    [
        pull(THEIRS),
        pull(None),
        pull(OURS, None),
        pull(7),
        pull({"full_name": ["acme/infra"]}),
        {"pull_request": {"head": []}},
        {"pull_request": None},
        {},
        [],
    ],
)
def test_what_does_not_prove_that_it_is_ours_is_not(tmp_path: Path, payload: object) -> None:
    outer = told(tmp_path, "pull_request", payload)
    with pytest.raises(Denied, match="fork") as refused:
        check_ours("plan", outer)
    assert refused.value.code == "HF-1620"
    assert of_a_fork(outer)
    assert not of_a_fork({**outer, "GITHUB_EVENT_NAME": "pull_request_target"})
    with pytest.raises(Denied) as refused:
        check_ours("plan", {**outer, "GITHUB_EVENT_NAME": "pull_request_target"})
    assert refused.value.code == "HF-1621"
    check_ours("plan", {**outer, "HOLDFAST_RUN_FOREIGN_CODE": "true"})


def test_a_file_that_is_not_there_or_holds_no_json_proves_nothing(tmp_path: Path) -> None:
    outer = told(tmp_path, "pull_request", {})
    for content in (b"", b"{", b"\xff\xfe", b"[" * 100_000):
        (tmp_path / "event.json").write_bytes(content)
        assert of_a_fork(outer)
    assert of_a_fork({**outer, "GITHUB_EVENT_PATH": ""})
    assert of_a_fork({**outer, "GITHUB_EVENT_PATH": str(tmp_path)})


@pytest.mark.parametrize("payload", [{"issue": {"number": 5, "pull_request": {"url": "x"}}}, {"issue": 5}, {}, []])
def test_a_comment_below_a_pull_request_has_nothing_of_it_run_with_our_rights(tmp_path: Path, payload: object) -> None:
    with pytest.raises(Denied) as refused:
        check_ours("plan", told(tmp_path, "issue_comment", payload))
    assert refused.value.code == "HF-1621"


def test_a_comment_below_an_issue_is_about_no_code(tmp_path: Path) -> None:
    check_ours("drift", told(tmp_path, "issue_comment", {"issue": {"number": 5}}))


def test_what_is_ours_is_planned(tmp_path: Path) -> None:
    for event, payload in (
        ("pull_request", pull(OURS, {"full_name": "Acme/Infra"})),
        ("push", {"ref": "refs/heads/main"}),
        ("schedule", {}),
        ("merge_group", {"merge_group": {"head_sha": "a" * 40}}),
    ):
        check_ours("plan", told(tmp_path, event, payload))
    run = {"workflow_run": {"head_repository": THEIRS}, "repository": OURS}
    with pytest.raises(Denied, match="rights"):
        check_ours("plan", told(tmp_path, "workflow_run", run))
    found = workflow_of(told(tmp_path, "pull_request", pull(OURS), GITHUB_ACTOR="ana", GITHUB_SERVER_URL="https://g.e"))
    assert (found.actor, found.page) == ("ana", "https://g.e/acme/infra/actions/runs/7")
    assert found.pull is not None
    assert (found.pull.number, found.pull.head, found.pull.fork) == (5, "a" * 40, False)


def test_a_record_lasts_unless_a_build_service_takes_its_machine_away() -> None:
    assert workflow_of({}) == Workflow()
    assert not ephemeral({}, shared=False)
    for outer in ({"CI": "true"}, {"GITHUB_ACTIONS": "true"}, {"HOLDFAST_RECORD": "ephemeral"}):
        assert ephemeral(outer, shared=False)
        assert not ephemeral(outer, shared=True)
    assert not ephemeral({"CI": "true", "HOLDFAST_RECORD": "lasting"}, shared=False)
    assert not ephemeral({"CI": "false"}, shared=False)
