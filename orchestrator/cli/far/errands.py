"""Has a service work stacks now, and waits for what comes of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from orchestrator.cli.far.place import Far
from orchestrator.engine.side_by_side import Tell
from orchestrator.errors import OrchestratorError, Unreached
from orchestrator.model.stack import StackKey
from orchestrator.telling import errands
from orchestrator.telling.errands import Told

#: Seconds between two looks at what came of it: soon at first, then as often as people care to know.
_SOONEST_S, _SLOWER, _LATEST_S = 0.1, 1.3, 2.0


@dataclass(slots=True)
class Came:
    """What came of it."""

    run: int = 0
    rows: list[Told] = field(default_factory=list)
    interrupted: bool = False
    #: What looks found, as the service tells it.
    drifts: list[dict[str, Any]] = field(default_factory=list)


class Lost(OrchestratorError):
    """The service knows no more of what it was asked for."""

    code = "HF-4132"
    exit_code = 5


def plan(far: Far, keys: Sequence[StackKey], tell: Tell, **wanted: Any) -> Came:
    """Have stacks planned, and return what came of each in the order that they are worked. Raises OrchestratorError."""
    came = Came()
    for some in _by_source(keys):
        _do(far, "plan", {"stacks": [str(key) for key in some], **wanted}, tell, came)
    return came


def apply(far: Far, plans: Sequence[Mapping[str, Any]], tell: Tell, **wanted: Any) -> Came:
    """Have exactly the plans that were seen applied, and return what came of each. Raises OrchestratorError."""
    came = Came()
    by_key = {StackKey.parse(one["stack"]): one for one in plans}
    for some in _by_source(by_key):
        _do(far, "apply", {"plans": [dict(by_key[key]) for key in some], **wanted}, tell, came)
    return came


def look(far: Far, keys: Sequence[StackKey], tell: Tell, **wanted: Any) -> Came:
    """Have stacks looked at for drift, and return what each look found. Raises OrchestratorError."""
    came = Came()
    for some in _by_source(keys):
        _do(far, "drift", {"stacks": [str(key) for key in some], **wanted}, tell, came)
    return came


def _by_source(keys: Sequence[StackKey] | Mapping[StackKey, Any]) -> Iterator[list[StackKey]]:
    for _, some in groupby(sorted(keys), key=lambda key: key.source):
        yield list(some)


def _do(far: Far, verb: str, body: Mapping[str, Any], tell: Tell, came: Came) -> None:
    begun = far.server.post(f"runs/{verb}", body)
    run = came.run = far.read(lambda: int(begun["run"]))
    try:
        found = _followed(far, run, tell)
    except KeyboardInterrupt:
        far.screen.say(f"run {run} goes on without us")
        far.screen.say(f"Next:  holdfast logs -f {run}")
        raise
    except Unreached as error:
        raise Unreached(
            f"{error.message}; run {run} was asked for, and what it began goes on under its keepers",
            code="HF-4804",
            hint=f"holdfast show {run}, once it answers again",
        ) from error
    came.rows += far.read(lambda: [errands.read(one) for one in found["stacks"]])
    came.drifts += far.read(lambda: list(found["drifts"]))
    came.interrupted |= bool(found["interrupted"])


def _followed(far: Far, run: int, tell: Tell) -> dict[str, Any]:
    """Return what came of a run once it is done, and tell meanwhile what goes on."""
    said: dict[str, str] = {}
    wait_s = _SOONEST_S
    while True:
        found = _outcome(far, run)
        done = far.read(lambda: bool(found["done"]))  # noqa: B023 -- asked at once
        doing = {} if done else far.read(lambda: dict(found["doing"]))  # noqa: B023 -- likewise
        for name in {*said, *doing}:
            if said.get(name) != doing.get(name):
                tell(_shown(name), doing.get(name, ""))
        said = doing
        if done:
            return found
        time.sleep(wait_s)
        wait_s = min(wait_s * _SLOWER, _LATEST_S)


def _outcome(far: Far, run: int) -> dict[str, Any]:
    try:
        return far.server.get(f"runs/{run}/outcome")
    except OrchestratorError as error:
        if error.code not in {"HF-4120", "HF-4132"}:
            raise
    raise Lost(
        f"the service began anew, and no longer knows what came of run {run} for us", hint=f"holdfast show {run}"
    )


def _shown(short: str) -> StackKey:
    name, _, environment = short.partition("@")
    return StackKey(source="", name=name, environment=environment or "default")
