"""Which state a stack was last applied with, so that a state which is not there any more is noticed.

``init -reconfigure`` opens whatever backend the files name now. Where the state did not move along, the tool would
plan to create everything a second time. So the lineage and serial of the state are kept after each apply, in
``Workspace.kept`` under ``state-seen.json``, and each plan is held against them: a saved plan carries the state that
it was made on. Format of a state: https://developer.hashicorp.com/terraform/internals/json-format
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from adapters.contract import Json, Output, Problem, Severity, StateElsewhere
from adapters.files import write_private
from adapters.terraform.hcl import backends, literals
from adapters.terraform.settings import Settings
from adapters.terraform.state import configuration, parsed

SEEN: Final = "state-seen.json"
OURS: Final = "the folder that holdfast keeps"

#: Inside a saved plan: the state that it was made on, refreshed, with lineage and serial as the backend has them.
_STATE: Final = "tfstate"
#: Keys of backends that say where state lies and never let anybody in.
_TELLING: Final = (
    "organization",
    "storage_account_name",
    "container_name",
    "bucket",
    "address",
    "prefix",
    "key",
    "path",
    "schema_name",
    "namespace",
    "secret_suffix",
    "name",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """As much of a state as tells it apart from others: no value of it."""

    #: Made with the state and kept for its life; empty where there is no state.
    lineage: str
    #: Counts up with each change.
    serial: int
    #: Whether it speaks of anything that exists.
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The state after the last apply, and where it was."""

    where: str
    lineage: str
    serial: int
    holds: bool
    #: The tool that applied last, empty where nobody noted it.
    tool: str = ""


def snapshot(content: bytes) -> Snapshot | None:
    """Return what tells a state apart, None where ``content`` is none."""
    state = parsed(content)
    if not state:
        return None
    held = any(one.get("mode") == "managed" for one in state.get("resources") or ())
    return Snapshot(lineage=str(state.get("lineage", "")), serial=int(state.get("serial", 0)), holds=held)


def planned_on(saved: Path) -> Snapshot | None:
    """Return the state that a saved plan was made on, None where the plan does not tell (an encrypted one)."""
    return snapshot(_state_in(saved))


def outputs_in(saved: Path) -> dict[str, Output] | None:
    """Return the outputs of the state that a saved plan was made on, None where the plan does not tell."""
    return outputs_of(_state_in(saved))


def outputs_of(content: bytes) -> dict[str, Output] | None:
    """Return the outputs that a state holds, None where ``content`` is none that can be read (an encrypted one).

    Asking the tool for them would cost another start of it, and with a large provider a second of hashing.
    """
    state = parsed(content)
    if not state:
        return None
    found = state.get("outputs") or {}
    return {name: Output(value=one["value"], sensitive=bool(one.get("sensitive"))) for name, one in found.items()}


def _state_in(saved: Path) -> bytes:
    try:
        with zipfile.ZipFile(saved) as plan:
            return plan.read(_STATE)
    except (OSError, KeyError, zipfile.BadZipFile):
        return b""


def read(kept: Path) -> Seen | None:
    """Return what was kept after the last apply, None where there is nothing."""
    try:
        held = json.loads((kept / SEEN).read_bytes())
        return Seen(**held)
    except (OSError, ValueError, TypeError):
        return None


def write(kept: Path, where: str, now: Snapshot, tool: str) -> None:
    """Keep which state was applied with, where it was, and which tool wrote it."""
    seen = Seen(where=where, lineage=now.lineage, serial=now.serial, holds=now.holds, tool=tool)
    if seen != read(kept):
        write_private(kept / SEEN, json.dumps(asdict(seen), indent=2).encode())


def check(seen: Seen, now: Snapshot | None, here: str, kept: Path) -> None:
    """Raise StateElsewhere unless ``now``, the state found ``here``, is the one that was ``seen``, or a newer one."""
    if not seen.holds or (now is not None and now.lineage == seen.lineage and now.serial >= seen.serial):
        return
    if now is None or not now.lineage:
        found = "no state"
    elif now.lineage != seen.lineage:
        found = "another state"
    else:
        found = f"an older one ({now.serial}, not {seen.serial})"
    message = f"what was applied is in {seen.where}: the files name {here} now, and there is {found} in it"
    if here == seen.where:
        message = f"what was applied was in {seen.where}, and there is {found} in it now"
    raise StateElsewhere(
        message,
        hint="nothing was changed: move the state over (init -migrate-state, or state pull and state push), then plan "
        f"again; to leave it behind and create everything anew, remove {kept / SEEN}",
    )


def of_another_tool(kept: Path, tool: str) -> tuple[Problem, ...]:
    """Return a warning where the state was written by the other of the two tools: each reads it in its own way."""
    last = read(kept)
    if last is None or not last.holds or last.tool in {"", tool}:
        return ()
    summary = f"{last.tool} wrote the state, and {tool} reads it now: some of these changes may be none"
    detail = f"apply once, and stay with {tool}; back and forth, each finds differences that the other does not see"
    return (Problem(severity=Severity.WARNING, summary=summary, detail=detail),)


def place(settings: Settings, root: Path) -> str:
    """Say in words where the stack's files and settings keep the state, with no secret in them."""
    folder = root / settings.path
    kind, values = "", dict[str, Json]()
    for file in configuration(folder, settings.tool):
        for found, said in backends(file.name, file.read_text("utf-8", "replace")):
            kind, values = found, {**values, **said}
    for path in settings.backend_files:
        values |= literals(_text(root / path))
    values |= settings.backend_config
    told = [f"{key} {value}" for key, value in _telling(values)]
    if settings.workspace != "default":
        told.append(f"workspace {settings.workspace}")
    return f"backend {kind} ({', '.join(told)})" if told else f"backend {kind}"


def _telling(values: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for key in _TELLING:
        value = values.get(key)
        if isinstance(value, str) and value:
            yield key, _without_login(value)


def _without_login(text: str) -> str:
    if "://" not in text:
        return text
    split = urlsplit(text)
    return f"{split.scheme}://{split.netloc.rpartition('@')[2]}{split.path}"


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
