"""A check in GitHub's words, within its limits: https://docs.github.com/rest/checks/runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from adapters.contract import Json
from orchestrator.effects.forge_words import STATES, clean, page, plain
from orchestrator.model.verdict import Annotation, Button, Check, CheckConclusion, Severity

#: Annotations of one request; more are sent with a request of their own each.
BATCH: Final = 50
#: So many are shown, the worst first: nobody reads more, and each batch is a request of everybody's allowance.
_ANNOTATIONS: Final = 100
_TEXT: Final = 65_535
_TITLE, _NAME, _MESSAGE = 255, 255, 16_000
_BUTTONS: Final = 3
_LABEL, _DESCRIPTION, _IDENTIFIER = 20, 40, 20
#: Of a commit status.
_STATUS, _CONTEXT = 140, 255


def batches(check: Check) -> list[list[Json]]:
    """Return the annotations as they are sent, request by request; one empty batch where there are none.

    A check that has not ended bears none: GitHub adds to annotations and takes none away.
    """
    if check.conclusion is CheckConclusion.PENDING:
        return [[]]
    worst = sorted(_placed(check), key=lambda one: list(Severity).index(one.severity))[:_ANNOTATIONS]
    shown: list[Json] = [_annotation(one) for one in worst]
    return [shown[at : at + BATCH] for at in range(0, len(shown), BATCH)] or [[]]


def body_of(check: Check, annotations: Sequence[Json]) -> dict[str, Json]:
    """Return what is sent of a check, with these of its annotations."""
    pending = check.conclusion is CheckConclusion.PENDING
    body: dict[str, Json] = {
        "name": plain(check.name, _NAME),
        "status": "in_progress" if pending else "completed",
        "output": _output(check, annotations),
        "actions": [_button(one) for one in check.buttons[:_BUTTONS]],
    }
    if not pending:
        body["conclusion"] = check.conclusion.value
    if check.url:
        body["details_url"] = check.url
    return body


def status_of(*, name: str, conclusion: CheckConclusion, title: str, url: str) -> dict[str, Json]:
    """Return what is sent of a commit status."""
    body: dict[str, Json] = {
        "state": STATES[conclusion],
        "context": plain(name, _CONTEXT),
        "description": plain(title, _STATUS),
    }
    return {**body, "target_url": url} if url else body


def _output(check: Check, annotations: Sequence[Json]) -> dict[str, Json]:
    output: dict[str, Json] = {
        "title": plain(check.title, _TITLE) or plain(check.name, _TITLE),
        "summary": page(check.summary, _TEXT) or plain(check.title, _TITLE),
    }
    if annotations:
        output["annotations"] = list(annotations)
    if text := "\n".join(_unplaced(check)):
        output["text"] = page(text, _TEXT)
    return output


def _placed(check: Check) -> list[Annotation]:
    return [one for one in check.annotations if one.file]


def _unplaced(check: Check) -> Iterator[str]:
    """Yield what GitHub can put beside no line: what is about no file, and how many are not shown."""
    for one in check.annotations:
        if not one.file:
            yield f"- **{one.severity.value}** {plain(one.title, _TITLE)}: {plain(one.message, _MESSAGE)}"
    if more := len(_placed(check)) - _ANNOTATIONS:
        yield from (f"- and {more} more that are not shown",) if more > 0 else ()


def _annotation(one: Annotation) -> dict[str, Json]:
    line = max(one.line, 1)
    said: dict[str, Json] = {
        "path": clean(one.file),
        "start_line": line,
        "end_line": line,
        "annotation_level": one.severity.value,
        "message": clean(one.message)[:_MESSAGE] or plain(one.title, _TITLE) or one.severity.value,
    }
    if title := plain(one.title, _TITLE):
        said["title"] = title
    if one.line and one.column:
        said |= {"start_column": one.column, "end_column": one.column}
    return said


def _button(one: Button) -> dict[str, Json]:
    return {
        "label": plain(one.label, _LABEL),
        "description": plain(one.description, _DESCRIPTION),
        "identifier": one.identifier[:_IDENTIFIER],
    }
