"""The tool's machine-readable stream (``plan -json``, ``apply -json``), one JSON object a line. Pure.

Format: https://developer.hashicorp.com/terraform/internals/machine-readable-ui
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Line: TypeAlias = Mapping[str, Any]

#: Lines that people want to see go by; refreshing is noise.
_TOLD: Final = frozenset(
    {
        "planned_change",
        "resource_drift",
        "apply_start",
        "apply_progress",
        "apply_complete",
        "apply_errored",
        "provision_start",
        "provision_progress",
        "provision_errored",
        "change_summary",
        "diagnostic",
    }
)
#: Lines that say how a run went; a provisioner may print without end, and none of that is kept in memory.
_TELLING: Final = frozenset(
    {
        "version",
        "diagnostic",
        "change_summary",
        "planned_change",
        "resource_drift",
        "outputs",
        "apply_start",
        "apply_complete",
        "apply_errored",
        "log",
    }
)

#: How the tool's word on a signal begins.
_INTERRUPT: Final = "Interrupt received"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What one run of the tool said."""

    #: Empty where the tool did not even get to its first line.
    version: str
    diagnostics: tuple[Line, ...]
    #: The last ``change_summary``; None where the run ended before it.
    summary: Line | None
    planned: int
    moved: int
    drifted: int
    #: Output names with what happens to each (``create``, ``update``, ``noop``…), in a plan only.
    outputs: Mapping[str, str]
    #: Addresses that the tool had begun to create, whether or not it ended.
    creating: tuple[str, ...]
    #: Addresses that were begun, and of which the tool said neither that it is done nor that it failed.
    open: tuple[str, ...]
    #: Whether a signal told the tool to stop.
    interrupted: bool
    #: The whole state, which the tool prints when it can write it nowhere. Secret.
    dump: Line | None

    @property
    def imported(self) -> int:
        """How many objects are only taken over into the state."""
        return int((self.summary or {}).get("import", 0))

    @property
    def quiet(self) -> bool:
        """Whether nothing at all would change and nothing drifted, so that no more need be asked."""
        return not (self.planned or self.drifted or any(action != "noop" for action in self.outputs.values()))

    @property
    def applied(self) -> bool:
        """Whether an apply came to its good end; printed only after the state is saved."""
        return (self.summary or {}).get("operation") in {"apply", "destroy"}


def lines(printed: bytes) -> Iterator[Line]:
    """Yield each line that is a JSON object; providers and crashes print others, which say nothing here."""
    for line in io.BytesIO(printed):
        if line.startswith(b"{"):
            try:
                parsed = json.loads(line.decode("utf-8", "replace"))
            except ValueError:
                continue
            if isinstance(parsed, dict):
                yield parsed


def read(stdout: bytes) -> Stream:
    """Return what the stream says; one that was cut off anywhere is read as far as it goes."""
    said = [line for line in lines(stdout) if line.get("type") in _TELLING or isinstance(line.get("state"), dict)]
    of = {kind: [line for line in said if line.get("type") == kind] for kind in {line.get("type") for line in said}}
    begun = [(_address(line), line["hook"].get("action")) for line in of.get("apply_start", ())]
    ended = {_address(line) for kind in ("apply_complete", "apply_errored") for line in of.get(kind, ())}
    first = next(iter(of.get("version", ())), {})
    actions = [line["change"] for line in of.get("planned_change", ())]
    return Stream(
        version=str(first.get("terraform") or first.get("tofu") or ""),
        diagnostics=tuple(line["diagnostic"] for line in of.get("diagnostic", ())),
        summary=next((line["changes"] for line in reversed(of.get("change_summary", []))), None),
        planned=len(actions),
        moved=sum(1 for change in actions if "previous_resource" in change),
        drifted=len(of.get("resource_drift", ())),
        outputs={
            name: str(output.get("action", "noop"))
            for line in of.get("outputs", ())
            for name, output in line["outputs"].items()
        },
        creating=tuple(address for address, action in begun if action == "create"),
        open=tuple(address for address, _ in begun if address not in ended),
        interrupted=any(str(line.get("@message", "")).strip().startswith(_INTERRUPT) for line in of.get("log", ())),
        dump=next((line["state"] for line in said if isinstance(line.get("state"), dict)), None),
    )


def progress(line: str) -> str:
    """Return what to tell people about one line of the stream, empty where it says nothing to them."""
    for parsed in lines(line.encode("utf-8", "surrogatepass")):
        if parsed.get("type") in _TOLD:
            detail = str((parsed.get("diagnostic") or {}).get("detail", ""))
            return "\n".join(filter(None, (str(parsed.get("@message", "")), detail)))
    return ""


def _address(line: Line) -> str:
    return str(line["hook"]["resource"]["addr"])
