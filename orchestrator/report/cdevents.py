"""Happenings as CDEvents 0.5.0 in the structured form of CloudEvents 1.0. Pure.

https://github.com/cdevents/spec/blob/v0.5.0/continuous-deployment.md and core.md: a stack is a service of its
environment, an apply is a deployment of a revision to it, and drift is an environment that somebody modified.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from adapters.contract import Json
from orchestrator.model.intent import Intent
from orchestrator.model.telling import Kind
from orchestrator.report.happening import Happening

SPEC: Final = "0.5.0"
#: Of each event that is sent: the version of the event, not of the specification.
_VERSION: Final = "0.3.0"
MEDIA_TYPE: Final = "application/cloudevents+json"

#: What is sent of; all else is for people.
KINDS: Final = (
    Kind.APPLY_SUCCEEDED,
    Kind.APPLY_FAILED,
    Kind.APPLY_UNKNOWN,
    Kind.DRIFT_FOUND,
    Kind.DRIFT_REPAIRED,
)


@dataclass(frozen=True, slots=True)
class _Shape:
    """A kind of CDEvent."""

    subject: str
    predicate: str
    #: Returns id and content of the subject.
    of: Callable[[Happening], tuple[str, Mapping[str, Json]]]


def event_of(happening: Happening, source: str, name: str) -> dict[str, Json]:
    """Return the CloudEvent for a happening.

    Args:
        happening: One of `KINDS`.
        source: Who says so, as a URI reference: the service's address from outside, or ``/holdfast``.
        name: The event's id; the same whenever it is sent again.
    """
    shape = _shape(happening)
    kind = f"dev.cdevents.{shape.subject}.{shape.predicate}.{_VERSION}"
    time = datetime.fromtimestamp(happening.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    subject, content = shape.of(happening)
    custom: dict[str, Json] = {
        "kind": happening.kind.value,
        "stack": happening.stack,
        "tool": happening.tool,
        "revision": happening.revision,
        "run": happening.run,
        "summary": happening.summary,
        **({"intent": _intent(happening.intent)} if happening.intent else {}),
    }
    return {
        "specversion": "1.0",
        "id": name,
        "source": source,
        "type": kind,
        "time": time,
        "subject": subject,
        "datacontenttype": "application/json",
        "data": {
            "context": {"specversion": SPEC, "id": name, "source": source, "type": kind, "timestamp": time},
            "subject": {"id": subject, "source": source, "content": dict(content)},
            "customData": custom,
            "customDataContentType": "application/json",
        },
    }


def _intent(intent: Intent) -> Json:
    """Return what joins a deployment to tickets, incidents and pull requests: names and numbers, nobody's words."""
    return {
        "purpose": intent.purpose.value,
        "basis": intent.basis.value,
        "since": intent.since or None,
        "commits": intent.count,
        "incidents": list(intent.incidents),
        "issues": [link.ref for link in intent.links],
        "pulls": [{"number": pull.number, "url": pull.url, "known": pull.known} for pull in intent.pulls],
    }


def _shape(happening: Happening) -> _Shape:
    match happening.kind:
        case Kind.APPLY_SUCCEEDED if happening.removed:
            return _Shape("service", "removed", _taken_down)
        case Kind.APPLY_SUCCEEDED if happening.first:
            return _Shape("service", "deployed", _deployed)
        case Kind.APPLY_SUCCEEDED:
            return _Shape("service", "upgraded", _deployed)
        case Kind.APPLY_FAILED | Kind.APPLY_UNKNOWN:
            return _Shape("pipelinerun", "finished", _run)
        case _:
            return _Shape("environment", "modified", _environment)


def _taken_down(one: Happening) -> tuple[str, Mapping[str, Json]]:
    return one.stack, {"environment": {"id": one.environment}}


def _deployed(one: Happening) -> tuple[str, Mapping[str, Json]]:
    return one.stack, {"environment": {"id": one.environment}, "artifactId": purl(one)}


def _run(one: Happening) -> tuple[str, Mapping[str, Json]]:
    outcome = "failure" if one.kind is Kind.APPLY_FAILED else "error"
    content: dict[str, Json] = {"pipelineName": one.stack, "outcome": outcome, "errors": one.summary}
    return str(one.run), content | ({"uri": one.link} if one.link else {})


def _environment(one: Happening) -> tuple[str, Mapping[str, Json]]:
    return one.environment, {"name": one.environment}


def purl(one: Happening) -> str:
    """Return the package URL of what was applied: https://github.com/package-url/purl-spec, type ``generic``."""
    name = one.stack.rpartition("@")[0]
    return f"pkg:generic/{quote(name, safe='/')}@{quote(one.revision, safe='')}"
