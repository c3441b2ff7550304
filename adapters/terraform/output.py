"""What the tool printed, as values of the contract. Pure, and the only place that sees plan JSON.

Plan JSON (``show -json``) holds every secret in clear; what leaves this module is masked.
Format: https://developer.hashicorp.com/terraform/internals/json-format
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final

from adapters.contract import Change, ChangeKind, DriftItem, Drifts, Output, OutputUnreadable, Problem, Severity
from adapters.telling import scrub
from adapters.terraform.attributes import differences, is_noise, secret_texts

_KINDS: Final[Mapping[tuple[str, ...], ChangeKind]] = {
    ("create",): ChangeKind.CREATE,
    ("update",): ChangeKind.UPDATE,
    ("delete",): ChangeKind.DELETE,
    ("create", "delete"): ChangeKind.REPLACE,
    ("create", "forget"): ChangeKind.REPLACE,
}
#: Actions that change nothing in the world.
_NO_CHANGE: Final = frozenset({("no-op",), ("read",), ()})
#: Attributes by which providers and their clouds name a resource.
_NAMES: Final = ("arn", "id", "bucket", "name")
#: The longest ARN there may be.
_LONGEST_NAME: Final = 2048
_SHOWN_FORMAT: Final = re.compile(r"^1\.\d+$")
#: The last block of an error in the tool's text form: ``  on main.tf line 3, in resource "x":``.
_TEXT_ERROR: Final = re.compile(
    r"^Error: (?P<summary>[^\n]+)\n(?:\n\s+on (?P<file>\S+) line (?P<line>\d+)[^\n]*\n(?:\s+\d+:[^\n]*\n)*)?"
    r"(?P<detail>.*?)(?=^Error: |\Z)",
    re.MULTILINE | re.DOTALL,
)
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m|[│╷╵]\s?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A saved plan in detail, masked; ``secrets`` are the texts that were masked."""

    changes: tuple[Change, ...]
    drift: tuple[Change, ...]
    outputs_changing: tuple[str, ...]
    secrets: frozenset[str]
    #: Of what drifted, by address: the names under which its provider knows it.
    identities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def shown(stdout: bytes, known: frozenset[str]) -> Shown:
    """Read ``show -json PLAN``; ``known`` secrets are masked with those the tool marks. Raises OutputUnreadable."""
    plan = _json_object(stdout, "show")
    if not _SHOWN_FORMAT.match(str(plan.get("format_version", ""))):
        raise OutputUnreadable(
            f"plan JSON has format {plan.get('format_version')!r}, this adapter reads 1.x",
            hint="use a version of the tool that holdfast doctor lists",
        )
    secrets = known | frozenset(_secrets(plan))
    return Shown(
        changes=tuple(_changes(plan.get("resource_changes"), secrets)),
        drift=tuple(change for change in _changes(plan.get("resource_drift"), secrets) if _real(change)),
        outputs_changing=tuple(
            sorted(
                name for name, change in (plan.get("output_changes") or {}).items() if change["actions"] != ["no-op"]
            )
        ),
        secrets=secrets,
        identities={
            _address(entry): _identities(entry["change"], secrets) for entry in plan.get("resource_drift") or ()
        },
    )


def drifts(found: Shown, blind_spots: tuple[str, ...]) -> Drifts:
    """Tell what the world did (drift) from what the files ask for (pending)."""
    planned = {change.address for change in found.changes}
    drifted = {change.address for change in found.drift}
    return Drifts(
        items=tuple(
            DriftItem(
                change=change,
                will_be_reverted=change.address in planned,
                identities=found.identities.get(change.address, ()),
            )
            for change in found.drift
        ),
        blind_spots=blind_spots,
        pending=tuple(change for change in found.changes if change.address not in drifted),
    )


def outputs(stdout: bytes) -> dict[str, Output]:
    """Read ``output -json``. Raises OutputUnreadable."""
    return {
        name: Output(value=output.get("value"), sensitive=bool(output.get("sensitive")))
        for name, output in _json_object(stdout, "output").items()
    }


def output_secrets(found: Mapping[str, Output]) -> frozenset[str]:
    """Return each text that a sensitive output holds."""
    return frozenset(text for output in found.values() for text in secret_texts(output.value, output.sensitive))


def version(stdout: bytes) -> tuple[str, str]:
    """Read ``version -json``: version and platform. Raises OutputUnreadable."""
    said = _json_object(stdout, "version")
    try:
        return str(said["terraform_version"]), str(said["platform"])
    except KeyError as missing:
        raise OutputUnreadable(f"version -json has no {missing}") from missing


def validated(stdout: bytes, folder: PurePosixPath, secrets: frozenset[str]) -> tuple[Problem, ...]:
    """Read ``validate -json``. Raises OutputUnreadable."""
    return problems(_json_object(stdout, "validate").get("diagnostics") or (), folder, secrets)


def problems(
    diagnostics: Iterable[Mapping[str, Any]], folder: PurePosixPath, secrets: frozenset[str]
) -> tuple[Problem, ...]:
    """Return the tool's diagnostics with their places told from the repository's root."""
    return tuple(
        Problem(
            severity=Severity.ERROR if found.get("severity") == "error" else Severity.WARNING,
            summary=scrub(str(found.get("summary", "")), secrets),
            detail=scrub(str(found.get("detail", "")), secrets),
            file=_from_root(folder, (found.get("range") or {}).get("filename", "")),
            line=int(((found.get("range") or {}).get("start") or {}).get("line", 0)),
        )
        for found in diagnostics
    )


def text_problems(stderr: bytes, folder: PurePosixPath, secrets: frozenset[str]) -> tuple[Problem, ...]:
    """Return the errors that the tool printed as text; ``init`` has no other form in every version."""
    text = scrub(_COLOURS.sub("", stderr.decode("utf-8", "replace")), secrets)
    found = [match.groupdict() for match in _TEXT_ERROR.finditer(text)]
    # The tool announces errors in the files with an error of its own, which says nothing where others follow.
    telling = [error for error in found if error["file"]] or found
    return tuple(
        Problem(
            severity=Severity.ERROR,
            summary=error["summary"],
            detail=" ".join(error["detail"].split()),
            file=_from_root(folder, error["file"] or ""),
            line=int(error["line"] or 0),
        )
        for error in telling
    )


def tested(stdout: bytes, folder: PurePosixPath, secrets: frozenset[str]) -> tuple[Problem, ...]:
    """Return what ``test -json`` found wrong."""
    from adapters.terraform.stream import lines  # noqa: PLC0415 - only where tests are asked for

    said = [line["diagnostic"] for line in lines(stdout) if line.get("type") == "diagnostic"]
    return problems(said, folder, secrets)


def _json_object(stdout: bytes, verb: str) -> dict[str, Any]:
    try:
        parsed = json.loads(stdout)
    except ValueError as unreadable:
        raise OutputUnreadable(f"{verb} -json did not print JSON") from unreadable
    if not isinstance(parsed, dict):
        raise OutputUnreadable(f"{verb} -json did not print an object")
    return parsed


def _changes(entries: Any, secrets: frozenset[str]) -> Iterator[Change]:
    for entry in entries or ():
        change = entry["change"]
        actions = tuple(sorted(change["actions"]))
        if actions in _NO_CHANGE:
            continue
        forgets = "forget" in actions
        yield Change(
            address=_address(entry),
            # Forgetting is no deletion, yet what is forgotten is lost to the stack: people must see it.
            kind=_KINDS.get(actions, ChangeKind.UNKNOWN),
            attributes=differences(change, secrets),
            reason="forget" if forgets else str(entry.get("action_reason", "")),
        )


def _address(entry: Mapping[str, Any]) -> str:
    return f"{entry['address']} (deposed {entry['deposed']})" if entry.get("deposed") else str(entry["address"])


def _identities(change: Mapping[str, Any], secrets: frozenset[str]) -> tuple[str, ...]:
    """Return the names that a resource has outside of the state: none that a side marks, or that holds a secret."""
    found: dict[str, None] = {}
    for side in ("before", "after"):
        values, marks = change.get(side) or {}, change.get(f"{side}_sensitive") or {}
        hidden = {name for name in _NAMES if marks is True or (isinstance(marks, Mapping) and marks.get(name))}
        names = (values.get(name) for name in _NAMES if name not in hidden) if isinstance(values, Mapping) else ()
        found |= {name: None for name in names if isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME}
    return tuple(name for name in found if scrub(name, secrets) == name)


def _real(change: Change) -> bool:
    """Say whether a drift entry is one: tools report null that became {} as an update."""
    return change.kind is not ChangeKind.UPDATE or not all(is_noise(found) for found in change.attributes)


def _secrets(plan: Mapping[str, Any]) -> Iterator[str]:
    for name in ("resource_changes", "resource_drift"):
        for entry in plan.get(name) or ():
            yield from _secrets_of(entry["change"])
    for change in (plan.get("output_changes") or {}).values():
        yield from _secrets_of(change)
    declared = ((plan.get("configuration") or {}).get("root_module") or {}).get("variables") or {}
    for name, variable in (plan.get("variables") or {}).items():
        yield from secret_texts(variable.get("value"), bool((declared.get(name) or {}).get("sensitive")))


def _secrets_of(change: Mapping[str, Any]) -> Iterator[str]:
    yield from secret_texts(change.get("before"), change.get("before_sensitive"))
    yield from secret_texts(change.get("after"), change.get("after_sensitive"))


def _from_root(folder: PurePosixPath, name: str) -> str:
    """Return a file that the tool names from the stack's folder as the repository knows it; none outside of it."""
    if not name or name.startswith("/"):
        return ""
    path = posixpath.normpath(posixpath.join(str(folder), name))
    return "" if path.startswith("../") else path
