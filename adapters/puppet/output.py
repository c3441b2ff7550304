"""What Puppet said, as values of the contract: changes, drift and problems. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from adapters.contract import (
    MASK,
    AttributeChange,
    Change,
    ChangeKind,
    DriftItem,
    Drifts,
    Json,
    Problem,
    Severity,
)
from adapters.puppet.applied import Memory
from adapters.puppet.report import Event, Report, Resource
from adapters.telling import inverted, scrub

#: It says something each time, and changes nothing.
_SPEAKS_ONLY: Final = "Notify"
#: Whether what it did is still there, nobody can see.
_EXEC: Final = "Exec"

_FILE: Final = re.compile(r"(?:File|Concat|File_line|Ini_setting)\[(?P<path>/[^\]]*)\]")
_GONE: Final = frozenset({"absent", "purged"})
_REFRESH: Final = re.compile(r"Would have triggered '?(?:refresh|Refresh)'?")

#: From the least to the most; a resource is as bad as its worst property.
_RANK: Final = (ChangeKind.UPDATE, ChangeKind.CREATE, ChangeKind.REPLACE, ChangeKind.DELETE, ChangeKind.UNKNOWN)

_ERROR: Final = re.compile(
    r"^(?P<level>Error|Warning): (?P<text>.*?)"
    r"(?: \((?:file: (?P<file>[^,)]+))?(?:, )?(?:line: (?P<line>\d+))?(?:, column: \d+)?\))?(?: on node \S+)?$"
)
#: Most lines of a text's difference that a plan holds.
_MOST_LINES: Final = 200
#: Says so several times a run where it is not root, and goes on.
_NOISE: Final = ("Error: Facter: Permission denied",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How texts of the tool are told: paths from the repository's root, secrets masked."""

    #: What a path begins with, and what stands in its place; the longest first.
    prefixes: tuple[tuple[str, str], ...]
    secrets: frozenset[str]

    def path(self, text: str) -> str:
        """Return a path from the repository's root, empty where it is none of ours."""
        for prefix, place in self.prefixes:
            if text.startswith(f"{prefix}/"):
                return f"{place}/{text[len(prefix) + 1 :]}".removeprefix("./").removeprefix("/")
        return ""

    def text(self, text: str) -> str:
        """Return a text without our own folders and without secrets."""
        for prefix, place in self.prefixes:
            text = text.replace(f"{prefix}/", f"{place}/" if place not in {"", "."} else "")
        return scrub(text, self.secrets, shortest=1)

    def value(self, value: Json) -> Json:
        """Return a value with every text in it told so."""
        match value:
            case str():
                return self.text(value)
            case list():
                return [self.value(item) for item in value]
            case dict():
                return {self.text(name): self.value(item) for name, item in value.items()}
            case _:
                return value


def changes(report: Report, wording: Wording, memory: Memory | None = None) -> tuple[Change, ...]:
    """Return what a look says would be done; with ``memory`` each says whether the world or the files ask for it."""
    return tuple(_changes(report, wording, memory))


def drifts(report: Report, wording: Wording, memory: Memory, blind_spots: Iterable[str]) -> Drifts:
    """Return what has moved since the apply that ``memory`` knows of, apart from what only the files ask for."""
    items: list[DriftItem] = []
    pending: list[Change] = []
    blind = [*blind_spots, *(f"{ref}: puppet skipped it, for its schedule or its tags" for ref in _skipped(report))]
    for change in _changes(report, wording, None):
        corrective = [one for one in change.attributes if memory.corrective(change.address, _property(one.path))]
        intentional = [one for one in change.attributes if one not in corrective]
        if corrective and change.kind is ChangeKind.UNKNOWN:
            blind.append(f"{change.address}: {_unseen(change)}")
        elif corrective and not all(one.path == "refresh" for one in corrective):
            drifted = inverted(replace(change, attributes=tuple(corrective)))
            items.append(DriftItem(change=drifted, will_be_reverted=not memory.left_alone(change.address)))
        if intentional and not memory.left_alone(change.address):
            pending.append(replace(change, attributes=tuple(intentional)))
    return Drifts(items=tuple(items), blind_spots=tuple(blind), pending=tuple(pending))


def file_of(address: str) -> str:
    """Return the file that a resource is, empty where it is none."""
    found = _FILE.fullmatch(address)
    return found["path"] if found else ""


def failures(report: Report, wording: Wording) -> tuple[Problem, ...]:
    """Return each resource that failed, with what was said of it and where it is declared."""
    return tuple(
        Problem(
            severity=Severity.ERROR,
            summary=wording.text(f"{resource.ref}: {_said_of(resource, report)}"),
            file=wording.path(resource.file),
            line=resource.line,
        )
        for resource in report.resources
        if resource.failed
    )


def problems(text: bytes, wording: Wording, ends: Mapping[str, int] | None = None) -> tuple[Problem, ...]:
    """Return the errors in what the tool printed; ``ends`` gives the last line of files, for what it says of an end."""
    found: dict[Problem, None] = {}
    for line in text.decode("utf-8", "replace").splitlines():
        match = _ERROR.match(line.strip())
        if match is None or match["level"] != "Error" or line.startswith(_NOISE):
            continue
        file = wording.path(match["file"] or "")
        number = int(match["line"] or 0) or (ends or {}).get(file, 0)
        summary = wording.text(match["text"])
        found[Problem(severity=Severity.ERROR, summary=summary, file=file, line=number)] = None
    return tuple(found)


def _changes(report: Report, wording: Wording, memory: Memory | None) -> Iterator[Change]:
    refreshed = {line.source for line in report.lines if _REFRESH.match(line.message)}
    broken = any(resource.failed for resource in report.resources)
    for resource in report.resources:
        events = [event for event in resource.events if event.property and event.status != "audit"]
        unseen = resource.failed or (resource.skipped and broken)
        if resource.type == _SPEAKS_ONLY or not (events or unseen or resource.where in refreshed):
            continue
        if memory is not None and memory.left_alone(resource.ref):
            continue
        attributes = [*_attributes(events, resource, report, wording)]
        if resource.where in refreshed:
            attributes.append(AttributeChange(path="refresh", before=None, after="triggered"))
        kinds = [_kind(event, resource.type) for event in events]
        if resource.type == _EXEC or unseen:
            kinds = [ChangeKind.UNKNOWN]
        yield Change(
            address=wording.text(resource.ref),
            kind=max(kinds, key=_RANK.index, default=ChangeKind.UPDATE),
            attributes=tuple(attributes),
            reason=", ".join(_reasons(resource, report, wording, memory, unseen=unseen)),
        )


def _skipped(report: Report) -> list[str]:
    if any(resource.failed for resource in report.resources):
        return []
    return [resource.ref for resource in report.resources if resource.skipped]


def _reasons(
    resource: Resource, report: Report, wording: Wording, memory: Memory | None, *, unseen: bool
) -> Iterator[str]:
    if unseen:
        yield wording.text(_said_of(resource, report)) if resource.failed else "skipped: what it needs failed"
    if memory is not None and resource.type != _EXEC:
        properties = [event.property for event in resource.events]
        if properties:
            corrective = all(memory.corrective(resource.ref, name) for name in properties)
            yield "corrective" if corrective and memory.then is not None else "intentional"
    file = wording.path(resource.file)
    if file:
        yield f"{file}:{resource.line}"


def _attributes(
    events: Sequence[Event], resource: Resource, report: Report, wording: Wording
) -> Iterator[AttributeChange]:
    for event in events:
        if event.redacted:
            yield AttributeChange(path=event.property, before=MASK, after=MASK, sensitive=True)
            continue
        yield AttributeChange(path=event.property, before=wording.value(event.before), after=wording.value(event.after))
        difference = _difference(f"{resource.where}/{event.property}", report)
        if difference is not None:
            before, after = difference
            path = f"{event.property}.text"
            yield AttributeChange(path=path, before=wording.text(before), after=wording.text(after))


def _difference(source: str, report: Report) -> tuple[str, str] | None:
    """Return the lines of a text before and after, as far as the tool's own comparison of them shows."""
    for line in report.lines:
        if line.source != source or "\n@@ " not in line.message:
            continue
        shown = line.message[line.message.index("\n@@ ") + 1 :].splitlines()
        shown = [one for one in shown if not one.startswith(("@@ ", "\\"))]
        return _joined(shown, "+"), _joined(shown, "-")
    return None


def _joined(shown: Sequence[str], other: str) -> str:
    """Return one side of a comparison, its first lines where it is long."""
    lines = [one[1:] for one in shown if not one.startswith(other)]
    more = [f"… ({len(lines) - _MOST_LINES} more lines)"] if len(lines) > _MOST_LINES else []
    return "\n".join([*lines[:_MOST_LINES], *more])


def _kind(event: Event, kind: str) -> ChangeKind:
    if event.status == "failure":
        return ChangeKind.UNKNOWN
    if event.property != "ensure":
        return ChangeKind.UPDATE
    if event.redacted:
        # The values are hidden, the tool's word for it is not.
        words = {"created": ChangeKind.CREATE, "removed": ChangeKind.DELETE, "changed": ChangeKind.UPDATE}
        return words.get(event.name.rpartition("_")[2], ChangeKind.UNKNOWN)
    if event.after in _GONE:
        return ChangeKind.DELETE
    if event.before in _GONE:
        return ChangeKind.CREATE
    return ChangeKind.REPLACE if kind == "File" else ChangeKind.UPDATE


def _said_of(resource: Resource, report: Report) -> str:
    said = [line for line in report.lines if line.level == "err" and line.source.startswith(resource.where)]
    events = [event.message for event in resource.events if event.status == "failure"]
    return next(
        (line.message.strip().splitlines()[0] for line in said if line.message.strip()), *events[:1] or ["failed"]
    )


def _unseen(change: Change) -> str:
    if change.address.startswith(f"{_EXEC}["):
        return "it would run again; whether what it did is still there cannot be seen"
    return "it could not be looked at"


def _property(path: str) -> str:
    return path.removesuffix(".text")
