"""The state that Holdfast keeps where a stack declares no backend, and what is left of one that failed to save.

Files in ``Workspace.kept``:

    terraform.tfstate              the state of the default workspace; others: ``workspaces/<name>/terraform.tfstate``
    terraform.tfstate.before       the last good copy, made before and after each apply
    terraform.tfstate.broken-<n>   a state that could not be read, put aside
    errored.tfstate                a state that the tool could not save, not pushed yet
    errored.tfstate.pushed         the last such state that was pushed
    state-seen.json                which state was applied with last, see ``seen``

No good state is overwritten here without a copy of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from adapters.files import write_private
from adapters.terraform.hcl import declares_backend

#: Terraform merges files of this form of name over the others, last in the order of the alphabet.
OVERRIDE: Final = "zz_holdfast_override.tf.json"
ERRORED: Final = "errored.tfstate"

_SOURCES: Final = (".tf", ".tf.json")
#: What OpenTofu reads besides, and in the place of a file of the same name with the suffix beside it.
_TOFU: Final[Mapping[str, str]] = {".tofu": ".tf", ".tofu.json": ".tf.json"}


def keeps_state(folder: Path, tool: str) -> bool:
    """Say whether the stack declares no place for its state, so that it is ours to keep."""
    return not any(
        declares_backend(file.name, file.read_text("utf-8", "replace"))
        for file in configuration(folder, tool)
        if file.name != OVERRIDE
    )


def configuration(folder: Path, tool: str) -> list[Path]:
    """Return the files of the stack's root module that ``tool`` reads, sorted."""
    try:
        names = {file.name for file in folder.iterdir() if not file.name.startswith(".") and file.is_file()}
    except FileNotFoundError:
        return []
    found = {name for name in names if name.endswith(_SOURCES)}
    if tool == "opentofu":
        for suffix, shadowed in _TOFU.items():
            own = {name for name in names if name.endswith(suffix)}
            found = (found | own) - {name.removesuffix(suffix) + shadowed for name in own}
    return [folder / name for name in sorted(found)]


def place_in(folder: Path, scratch: Path, workspace: str) -> Path | None:
    """Return the file that the tool keeps its state in, None where that is no file of this host.

    Asks what ``init`` made of the files and left in ``TF_DATA_DIR``: nothing where no backend is declared.
    """
    made = parsed(bytes_of(scratch / "terraform" / "terraform.tfstate")).get("backend") or {"type": "local"}
    if made.get("type") != "local":
        return None
    said = made.get("config") or {}
    if workspace == "default":
        return folder / (said.get("path") or "terraform.tfstate")
    return folder / (said.get("workspace_dir") or "terraform.tfstate.d") / workspace / "terraform.tfstate"


def override(kept: Path) -> str:
    """Return the configuration that has the tool keep its state in ``kept``."""
    backend = {"path": str(kept / "terraform.tfstate"), "workspace_dir": str(kept / "workspaces")}
    return json.dumps({"terraform": {"backend": {"local": backend}}}, indent=2) + "\n"


def kept_file(kept: Path, workspace: str) -> Path:
    """Return where the tool keeps the state of ``workspace`` under :func:`override`."""
    return (
        kept / "terraform.tfstate" if workspace == "default" else kept / "workspaces" / workspace / "terraform.tfstate"
    )


def keep_copy(state: Path) -> None:
    """Keep a copy of a good state: a full disk breaks the file that the tool writes in place."""
    content = bytes_of(state)
    if parsed(content):
        write_private(state.with_name(f"{state.name}.before"), content)


def mend(state: Path) -> str:
    """Put the copy back where the state cannot be read; return a sentence for people, empty where all is well."""
    content = bytes_of(state)
    before = bytes_of(state.with_name(f"{state.name}.before"))
    # An empty file without a copy is what locking a state leaves that was never written.
    if not state.exists() or parsed(content) or not (content or before):
        return ""
    number = 1 + len(list(state.parent.glob(f"{state.name}.broken-*")))
    state.rename(state.with_name(f"{state.name}.broken-{number}"))
    if not parsed(before):
        return "the kept state could not be read and was put aside; there is no earlier copy"
    write_private(state, before)
    return "the kept state could not be read: the last good copy was put back"


def collect_errored(folder: Path, kept: Path, dump: Mapping[str, Any] | None) -> Path | None:
    """Gather what a failed save left (a file in ``folder``, or the state the tool printed) into ``kept``.

    Returns the newest one that waits to be pushed, None where there is none. One that was pushed waits no more,
    wherever else it still lies.
    """
    waiting = kept / ERRORED
    dumped = json.dumps(dump).encode() if dump else b""
    done = parsed(bytes_of(kept / f"{ERRORED}.pushed"))
    newest = _newest(
        content for content in (bytes_of(waiting), bytes_of(folder / ERRORED), dumped) if parsed(content) != done
    )
    if newest:
        if newest != bytes_of(waiting):
            write_private(waiting, newest)
        (folder / ERRORED).unlink(missing_ok=True)
    return waiting if newest else None


def take_in(waiting: Path, kept: Path) -> str:
    """Put a state that waits in the place of the one that we keep; returns why it may not be, empty where it may.

    The rule is the tool's own for a push: the same lineage, and not older.
    """
    now, new = parsed(bytes_of(kept)), parsed(bytes_of(waiting))
    if now and now.get("lineage") != new.get("lineage"):
        return "it belongs to another state"
    if int(now.get("serial", 0)) > int(new.get("serial", 0)):
        return "it is older than the state that is kept"
    keep_copy(kept)
    write_private(kept, bytes_of(waiting))
    pushed(waiting)
    return ""


def pushed(waiting: Path) -> None:
    """Mark a state as pushed; its bytes stay."""
    waiting.replace(waiting.with_name(f"{waiting.name}.pushed"))


def _newest(candidates: Iterable[bytes]) -> bytes:
    serial: Callable[[bytes], int] = lambda content: int(parsed(content).get("serial", 0))  # noqa: E731
    good = [content for content in candidates if parsed(content)]
    return max(good, key=serial) if good else b""


def parsed(content: bytes) -> dict[str, Any]:
    """Return a state as an object, empty where it is none."""
    try:
        state = json.loads(content)
    except ValueError:
        return {}
    return state if isinstance(state, dict) and "version" in state else {}


def bytes_of(path: Path) -> bytes:
    """Return a file's bytes, none where it is not there."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
