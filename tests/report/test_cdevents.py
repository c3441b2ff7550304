"""Each event has what the specification asks of it, and nothing that it does not know.

https://github.com/cdevents/spec/blob/v0.5.0/continuous-deployment.md, core.md and spec.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from test_webhook import APPLIED

from orchestrator.model.intent import Basis, CommitNote, Intent, Link, PullNote, Purpose
from orchestrator.model.telling import Kind
from orchestrator.report.cdevents import KINDS, event_of, purl
from orchestrator.report.message import messages

TEXT = {"type": "string", "minLength": 1}
ENVIRONMENT = {
    "type": "object",
    "properties": {"id": TEXT, "source": {"type": "string"}},
    "required": ["id"],
    "additionalProperties": False,
}
#: Predicate -> what its subject may hold, and must.
CONTENTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "service.deployed": ({"environment": ENVIRONMENT, "artifactId": TEXT}, ["environment", "artifactId"]),
    "service.upgraded": ({"environment": ENVIRONMENT, "artifactId": TEXT}, ["environment", "artifactId"]),
    "service.removed": ({"environment": ENVIRONMENT}, ["environment"]),
    "environment.modified": ({"name": TEXT, "uri": {"type": "string", "format": "uri"}}, []),
    "pipelinerun.finished": (
        {
            "pipelineName": TEXT,
            "uri": {"type": "string", "format": "uri"},
            "outcome": {"enum": ["success", "failure", "cancel", "error"]},
            "errors": TEXT,
        },
        [],
    ),
}


def schema_of(predicate: str) -> dict[str, Any]:
    properties, required = CONTENTS[predicate]
    content = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    kind = {"const": f"dev.cdevents.{predicate}.0.3.0"}
    time = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}
    context = {"specversion": {"const": "0.5.0"}, "id": TEXT, "source": TEXT, "type": kind, "timestamp": time}
    subject = {"id": TEXT, "source": TEXT, "content": content}
    data = {
        "context": {
            "type": "object",
            "properties": context,
            "required": list(context),
            "additionalProperties": False,
        },
        "subject": {
            "type": "object",
            "properties": subject,
            "required": ["id", "content"],
            "additionalProperties": False,
        },
        "customData": {"type": "object"},
        "customDataContentType": {"const": "application/json"},
    }
    return {
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "type": kind,
            "time": time,
            "id": TEXT,
            "source": TEXT,
            "data": {
                "type": "object",
                "properties": data,
                "required": ["context", "subject"],
                "additionalProperties": False,
            },
        },
        "required": ["specversion", "id", "source", "type", "data"],
    }


@pytest.mark.parametrize(
    ("happening", "predicate"),
    [
        (replace(APPLIED, first=True), "service.deployed"),
        (APPLIED, "service.upgraded"),
        (replace(APPLIED, removed=True), "service.removed"),
        (replace(APPLIED, kind=Kind.APPLY_FAILED, link="https://h.example/runs/3"), "pipelinerun.finished"),
        (replace(APPLIED, kind=Kind.APPLY_UNKNOWN), "pipelinerun.finished"),
        (replace(APPLIED, kind=Kind.DRIFT_FOUND), "environment.modified"),
        (replace(APPLIED, kind=Kind.DRIFT_REPAIRED), "environment.modified"),
    ],
)
def test_every_event_fits(happening, predicate):
    event = event_of(happening, "/holdfast", "cd-7")
    jsonschema.validate(event, schema_of(predicate))
    assert event["time"] == "1970-01-12T13:46:40.500Z"
    assert event["data"]["customData"]["stack"] == "infra/web@prod"
    assert event == event_of(happening, "/holdfast", "cd-7")


def test_every_kind_that_is_sent_has_an_event():
    for kind in KINDS:
        predicate = event_of(replace(APPLIED, kind=kind), "/holdfast", "1")["type"]
        assert predicate.removeprefix("dev.cdevents.").removesuffix(".0.3.0") in CONTENTS


def test_what_was_applied_is_a_package_at_a_revision():
    assert purl(APPLIED) == f"pkg:generic/infra/web@{'c' * 40}"
    assert purl(replace(APPLIED, stack="infra/a b@x", revision="v/1")) == "pkg:generic/infra/a%20b@v%2F1"


def test_an_event_names_incidents_issues_and_pull_requests_and_nobody_s_words() -> None:
    intent = Intent(
        revision=APPLIED.revision,
        since="a81d0e2",
        commits=(CommitNote(id="3f2a91c", subject="s3cret words", incidents=("INC-481",), links=(Link(ref="#7"),)),),
        count=1,
        purpose=Purpose.HOTFIX,
        basis=Basis.TRAILER,
        pulls=(PullNote(number=12, title="s3cret title", url="https://git.acme.example/12", merged_as="3f2a91c"),),
    )
    event = event_of(replace(APPLIED, intent=intent), "/holdfast", "n-1")
    jsonschema.validate(event, schema_of("service.upgraded"))
    assert event["data"]["customData"]["intent"] == {
        "purpose": "hotfix",
        "basis": "trailer",
        "since": "a81d0e2",
        "commits": 1,
        "incidents": ["INC-481"],
        "issues": ["#7"],
        "pulls": [{"number": 12, "url": "https://git.acme.example/12", "known": True}],
    }
    assert "s3cret" not in repr(event)
    (message,) = messages([replace(APPLIED, intent=intent)], "ops")
    assert "why: hotfix, INC-481, speaks of #7, pull request #12" in message.body
    assert "s3cret" not in message.body
