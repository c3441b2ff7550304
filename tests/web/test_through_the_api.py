"""A change from the question to the applied resource, with nothing but the API and a real tool behind the service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from serviced import Service

STACK = "/api/v1/stacks/lab/web@default"


@pytest.mark.needs("git", "terraform")
def test_a_change_is_asked_about_approved_applied_and_told(tmp_path: Path, lab_cli_config: Path) -> None:
    made = Service(tmp_path)
    cloud = tmp_path / "cloud"
    (made.lab / "web").mkdir()
    (made.lab / "web/main.tf").write_text(
        'terraform {\n  required_providers {\n    lab = { source = "lab.test/lab/lab", version = "0.1.0" }\n  }\n}\n'
        f'provider "lab" {{ root = "{cloud}" }}\nresource "lab_object" "one" {{\n  name = "one"\n}}\n'
        'output "name" {\n  value = "one"\n}\n'
    )
    stacks = {
        "version": 1,
        "defaults": {"apply": "approve", "approvals": {"required": 1, "from": ["team:platform"]}},
        "stacks": {"web": {"tool": "terraform", "path": "web"}},
    }
    (made.lab / "stacks.yaml").write_text(json.dumps(stacks))
    made.keys["sources"] = [made.source("lab")]
    made.keys["teams"] = {"platform": ["ana@acme.example"]}
    made.write()
    made.extra["TF_CLI_CONFIG_FILE"] = str(lab_cli_config)
    with made.at_work():
        ana, bob = made.token("ana", "admin", "--for", "ana@acme.example"), made.token("bob", "admin")
        made.until(lambda: made.get("/api/v1/approvals", ana).json()["items"])
        (waiting,) = made.get("/api/v1/approvals", ana).json()["items"]
        assert waiting["approvers"] == ["team:platform (ana@acme.example)"]
        assert waiting["unheard"] == ""
        plan = made.get(f"{STACK}/plan", ana).json()
        assert (plan["counts"]["create"], plan["digest"]) == (1, waiting["digest"])

        def say(act: str, token: str, **body: object) -> tuple[int, dict[str, object]]:
            found = made.http.post(f"{STACK}/{act}", json=body, headers={"authorization": f"Bearer {token}"})
            return found.status_code, found.json()

        code, refused = say("approve", bob, proposal=plan["proposal"])
        assert (code, refused["code"]) == (403, "HF-4101")
        assert not (cloud / "ledger.jsonl").exists()
        code, done = say("approve", ana, proposal=plan["proposal"], digest=plan["digest"])
        assert (code, done["by"]) == (202, "ana@acme.example")
        made.until(lambda: made.get(STACK, ana).json()["sync"] == "Synced")
        assert len((cloud / "ledger.jsonl").read_text().splitlines()) >= 1
        assert made.get(f"{STACK}/outputs", ana).json()["outputs"]["name"]["value"] == "one"
        told = made.get(f"/api/v1/events?cursor={done['position']}", ana).json()["items"]
        ended = next(one for one in told if one["kind"] == "apply_ended")
        said = made.get(f"/api/v1/runs/{ended['run']}/logs", ana).text
        assert "lab_object.one: Creation complete" in said
        assert said.rstrip().split("\n")[-3] == "event: end"
        run = say("drift/check", ana)[1]["run"]
        made.until(lambda: made.get(f"/api/v1/runs/{run}", ana).json()["ended_at"])
        assert made.get(f"{STACK}/drift", ana).json()["drifted"] is False
    assert "Traceback" not in made.said
