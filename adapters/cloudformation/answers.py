"""What the child process printed, and which error of the contract a refusal is. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from adapters.contract import (
    AdapterError,
    InvalidSettings,
    OutputUnreadable,
    PlanStale,
    Result,
    ToolBusy,
    ToolFailed,
    ToolStopped,
)
from adapters.telling import scrub

_ERRORS: Final[Mapping[str, type[AdapterError]]] = {
    "settings": InvalidSettings,
    "stale": PlanStale,
    "failed": ToolFailed,
    "offline": ToolFailed,
    "unclear": ToolStopped,
}


def progress(line: str) -> str:
    """Return what to tell people of one line, empty where it is not for them."""
    return next((str(one["say"]) for one in _objects(line) if "say" in one), "")


def result(ended: Result, secrets: frozenset[str]) -> Mapping[str, Any]:
    """Return what a verb came to. Raises what the child says of its failure, in one line, masked."""
    found = list(_objects(ended.stdout.decode("utf-8", "replace")))
    last: Mapping[str, Any] = found[-1] if found else {}
    if ended.exit_code == 0 and isinstance(last.get("result"), dict):
        answer: Mapping[str, Any] = last["result"]
        return answer
    raise refused(last.get("error"), secrets, tail=ended.stderr, exit_code=ended.exit_code)


def refused(error: Any, secrets: frozenset[str], *, tail: bytes = b"", exit_code: int = 1) -> AdapterError:
    """Return the error that the child's word on its failure stands for."""
    if not isinstance(error, dict):
        lines = scrub(tail.decode("utf-8", "replace"), secrets).strip().splitlines()
        said = lines[-1] if lines else f"exit code {exit_code}"
        return OutputUnreadable(f"the CloudFormation client ended without a word: {said}", hint="read the run's log")
    message = " ".join(scrub(str(error.get("message")), secrets).split())
    hint = scrub(str(error.get("hint") or ""), secrets)
    if error.get("kind") == "busy":
        return ToolBusy(message, hint=hint)
    return _ERRORS.get(str(error.get("kind")), ToolFailed)(message, hint=hint)


def ended(printed: bytes) -> bool:
    """Whether an apply said how it ended. One that did not was killed, or saw no more: the service may be at work."""
    found = list(_objects(printed.decode("utf-8", "replace")))
    error = found[-1].get("error") if found else None
    return bool(found) and ("result" in found[-1] or (isinstance(error, dict) and error.get("kind") != "unclear"))


def failure(printed: bytes) -> str | None:
    """Return why an apply that said how it ended failed; None where it ended well."""
    *_, last = _objects(printed.decode("utf-8", "replace"))
    return None if "result" in last else str(last["error"].get("message"))


def _objects(text: str) -> Iterator[Mapping[str, Any]]:
    for line in text.splitlines():
        if not line.startswith("{"):
            continue
        try:
            parsed = json.loads(line)
        except ValueError:
            continue
        if isinstance(parsed, dict):
            yield parsed
