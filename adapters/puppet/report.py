"""Puppet's run report, the one place where it says all that it saw: exit codes do not. Pure.

See https://www.puppet.com/docs/puppet/7/format_report.html (format 12).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from adapters.contract import Json, OutputUnreadable

#: Most that is read of a report or a catalog. Bytes.
LARGEST: Final = 64 * 1024 * 1024

#: What Puppet writes in the place of a value that is ``Sensitive``.
REDACTED: Final = "[redacted]"

#: Most values that a report may hold once its aliases are followed: a few letters of it may stand for millions.
_MOST_VALUES: Final = 5_000_000

#: Of a file's content: ``{sha256}5891b5b5…``.
_CHECKSUM: Final = re.compile(r"\{\w+\}[0-9a-f]+")
_KNOWN_FORMATS: Final = range(10, 13)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One property that is, or was, not as it should be."""

    property: str
    before: Json
    after: Json
    #: ``file_created``, ``content_changed``: the tool's own word.
    name: str
    #: ``noop``, ``success``, ``failure`` or ``audit``.
    status: str
    message: str
    redacted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What came of one resource."""

    ref: str
    type: str
    file: str
    line: int
    #: Where it stands in the catalog: the source of its log lines.
    where: str
    failed: bool
    skipped: bool
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One log line."""

    level: str
    source: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One run."""

    version: str
    completed: bool
    status: str
    resources: tuple[Resource, ...]
    lines: tuple[Line, ...]


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the quick one, where it is built
    """Reads Ruby's YAML as plain values: a tag names a class, and none is ever made."""


def _plain(loader: Any, _suffix: str, node: yaml.Node) -> Any:
    match node:
        case yaml.MappingNode():
            return loader.construct_mapping(node, deep=True)
        case yaml.SequenceNode():
            return loader.construct_sequence(node, deep=True)
        case _:
            return loader.construct_scalar(node)


def _binary(loader: Any, node: yaml.Node) -> str:
    text = str(loader.construct_scalar(node))
    try:
        return base64.b64decode(text).decode("utf-8", "replace")
    except binascii.Error:
        return text


def _text(loader: Any, node: yaml.Node) -> str:
    return str(loader.construct_scalar(node))


_Loader.add_multi_constructor("!ruby/", _plain)
_Loader.add_constructor("!binary", _binary)
_Loader.add_constructor("tag:yaml.org,2002:binary", _binary)
# Times are told as they stand.
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _text)


def read(content: bytes) -> Report:
    """Return a report as a value. Raises OutputUnreadable."""
    if len(content) > LARGEST:
        raise OutputUnreadable(f"puppet's report has {len(content)} bytes", hint="split the stack")
    try:
        # The loader derives from the safe one: see there.
        found = yaml.load(content, _Loader)  # noqa: S506
        check_size(found, _MOST_VALUES)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise OutputUnreadable("puppet's report is no YAML", hint="run it again; if it stays, report it") from error
    if not isinstance(found, dict) or found.get("report_format") not in _KNOWN_FORMATS:
        form = found.get("report_format") if isinstance(found, dict) else None
        raise OutputUnreadable(
            f"puppet's report has the format {form}, not one from {_KNOWN_FORMATS[0]} to {_KNOWN_FORMATS[-1]}",
            hint="install Puppet 6, 7 or 8",
        )
    statuses, lines = found.get("resource_statuses"), found.get("logs")
    return Report(
        version=str(found.get("puppet_version", "")),
        completed=found.get("transaction_completed") is True,
        status=str(found.get("status", "")),
        resources=tuple(
            _resource(str(ref), status)
            for ref, status in (statuses.items() if isinstance(statuses, dict) else ())
            if isinstance(status, dict)
        ),
        lines=tuple(_line(one) for one in (lines if isinstance(lines, list) else ()) if isinstance(one, dict)),
    )


def check_size(found: Any, most: int) -> None:
    """Raise ValueError where a value holds more than ``most`` others, counted as often as they are named."""
    waiting, count = [found], 0
    while waiting:
        one = waiting.pop()
        inside = list(one.values()) if isinstance(one, dict) else one if isinstance(one, list) else []
        count += len(inside)
        if count > most:
            message = "its aliases expand without end"
            raise ValueError(message)
        waiting += inside


def _resource(ref: str, status: Mapping[str, Any]) -> Resource:
    events, path = status.get("events"), status.get("containment_path")
    return Resource(
        ref=ref,
        type=str(status.get("resource_type", "")),
        file=str(status.get("file") or ""),
        line=_number(status.get("line")),
        where="/" + "/".join(str(part) for part in (path if isinstance(path, list) else ())),
        failed=status.get("failed") is True or status.get("failed_to_restart") is True,
        skipped=status.get("skipped") is True,
        events=tuple(
            _event(one)
            for one in (events if isinstance(events, list) else ())
            if isinstance(one, dict) and one.get("audited") is not True
        ),
    )


def _event(event: Mapping[str, Any]) -> Event:
    return Event(
        property=str(event.get("property") or ""),
        before=_checksum(_json(event.get("previous_value"))),
        after=_checksum(_json(event.get("desired_value"))),
        name=str(event.get("name") or ""),
        status=str(event.get("status") or ""),
        message=str(event.get("message") or ""),
        redacted=event.get("redacted") is True or REDACTED in (event.get("previous_value"), event.get("desired_value")),
    )


def _line(line: Mapping[str, Any]) -> Line:
    return Line(
        level=str(line.get("level", "")),
        source=str(line.get("source") or ""),
        message=str(line.get("message") or ""),
    )


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _checksum(value: Json) -> Json:
    """Return a checksum as text: Puppet writes the wanted one in base64 and does not say so."""
    if not isinstance(value, str) or not value.startswith("e"):
        return value
    try:
        decoded = base64.b64decode(value, validate=True).decode("ascii")
    except ValueError:
        return value
    return decoded if _CHECKSUM.fullmatch(decoded) else value


def _json(value: Any) -> Json:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list():
            return [_json(item) for item in value]
        case dict():
            return {str(name): _json(item) for name, item in value.items()}
        case _:
            return str(value)
