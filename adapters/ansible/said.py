"""What the driver printed, as values. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.contract import OutputUnreadable

#: How a result ends.
_VERDICTS: Final = frozenset({"ok", "failed", "skipped", "unreachable"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One task of the playbook on one host, and how it ended."""

    #: ``ok``, ``failed``, ``skipped`` or ``unreachable``.
    verdict: str
    host: str
    name: str
    #: ``path:line`` as the tool gives it, the path absolute.
    place: str
    #: The module's full name.
    action: str
    #: Whether it runs for real even where the others only look.
    runs: bool
    #: Whether ``no_log`` hides its result.
    hidden: bool
    #: Whether a failure of it counts for nothing.
    ignored: bool
    result: Mapping[str, Any]

    @property
    def changed(self) -> bool:
        """Whether it changed something, or would."""
        return bool(self.result.get("changed"))

    @property
    def parts(self) -> list[Mapping[str, Any]]:
        """The results of a loop's items; of a task without a loop the one result."""
        items = self.result.get("items")
        return items if isinstance(items, list) else [self.result]


@dataclass(slots=True, kw_only=True)
class Said:
    """All of one run."""

    version: str = ""
    steps: list[Step] = field(default_factory=list)
    #: Each task that a host began, as (host, name), ended or not.
    begun: list[tuple[str, str]] = field(default_factory=list)
    #: What the tool counted for each host; None where it did not get as far.
    hosts: Mapping[str, Mapping[str, int]] | None = None
    #: What ``set_stats`` handed on: of the whole run under ``_run``, or by host.
    custom: Mapping[str, Any] = field(default_factory=dict)
    #: Everything else that it wrote, line by line.
    texts: list[str] = field(default_factory=list)
    stopped: bool = False
    #: Whether a play had no host to work on.
    unmatched: bool = False

    def count(self, host: str, what: str) -> int:
        """Return one of the tool's counts for a host."""
        return int((self.hosts or {}).get(host, {}).get(what, 0))

    @property
    def dark(self) -> list[str]:
        """Hosts that did not answer."""
        return sorted(host for host in self.hosts or {} if self.count(host, "unreachable"))

    @property
    def failures(self) -> list[Step]:
        """The last failure of each host that ended with one: earlier ones were rescued."""
        found = {
            step.host: step
            for step in self.steps
            if step.verdict == "failed" and not step.ignored and self.count(step.host, "failures")
        }
        return list(found.values())


def read(stdout: bytes) -> Said:
    """Read the driver's lines; one that was cut off is left out. Raises OutputUnreadable."""
    said = Said()
    for line in _lines(stdout):
        kind = line.get("kind")
        try:
            _take(said, str(kind), line)
        except (KeyError, TypeError, AttributeError) as error:
            raise OutputUnreadable(f"ansible's callback said something unknown: {kind}") from error
    return said


def step_of(line: str) -> Step | None:
    """Return the step that one line speaks of, None where it speaks of something else."""
    said = read(line.encode())
    return said.steps[0] if said.steps else None


def _lines(stdout: bytes) -> Iterator[dict[str, Any]]:
    for line in stdout.splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict):
            yield found


def _take(said: Said, kind: str, line: dict[str, Any]) -> None:
    if kind in _VERDICTS:
        said.steps.append(
            Step(
                verdict=kind,
                host=line["host"],
                name=line["name"],
                place=line["place"],
                action=line["action"],
                runs=bool(line["runs"]),
                hidden=bool(line["hidden"]),
                ignored=bool(line.get("ignored")),
                result=dict(line["result"]),
            )
        )
    elif kind == "begun":
        said.begun.append((line["host"], line["name"]))
    elif kind == "stats":
        said.hosts, said.custom = dict(line["hosts"]), dict(line["custom"])
    elif kind == "tool":
        said.version = str(line["version"])
    elif kind == "said":
        said.texts += str(line["text"]).splitlines()
    elif kind == "stopped":
        said.stopped = True
    elif kind == "unmatched":
        said.unmatched = True
