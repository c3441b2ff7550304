"""What an apply says while it runs, and how it ended where its worker is gone. Pure but for reading files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from adapters.contract import Finished, Handle, Resumed, Running, Shell, Unknown
from adapters.puppet.output import Wording, problems

Tell: TypeAlias = Callable[[str], None]

#: Puppet's last word, said only once it has worked through the whole catalog.
_LAST_WORD: Final = b"Notice: Applied catalog in "
_DID: Final = b"Notice: /Stage["
_NOTICE: Final = "Notice: "


def teller(shell: Shell, wording: Wording) -> Tell:
    """Return what tells people of each line in which Puppet says what it did."""

    def tell(line: str) -> None:
        if line.startswith(_NOTICE):
            shell.report(wording.text(line.removeprefix(_NOTICE).rstrip()))

    return tell


def outcome(handle: Handle, wording: Wording) -> Resumed:
    """Say how an attempt ended."""
    if handle.alive:
        return Running()
    printed, complaints = _streams(handle)
    if printed is None:
        return Unknown(why="the attempt left no output")
    code = None if handle.result is None else handle.result.exit_code
    # A message of the manifest's own may read the same, and comes before it.
    finished = (printed.splitlines() or [b""])[-1].startswith(_LAST_WORD)
    # With 1 it ends where it could not begin: what it said of a resource says that it did.
    if not finished and (code != 1 or _DID in printed):
        return Unknown(why="puppet ended before it had worked through its catalog")
    errors = "; ".join(str(problem) for problem in problems(complaints, wording))
    if finished and not errors and code in {None, 0, 2}:
        return Finished()
    return Finished(error=errors or f"puppet ended with exit code {code}")


def well(resumed: Resumed) -> bool:
    """Whether an attempt is known to have ended well."""
    return resumed == Finished()


def _streams(handle: Handle) -> tuple[bytes | None, bytes]:
    if handle.result is not None:
        return handle.result.stdout, handle.result.stderr
    try:
        printed = (handle.folder / "stdout").read_bytes()
    except FileNotFoundError:
        return None, b""
    try:
        return printed, (handle.folder / "stderr").read_bytes()
    except FileNotFoundError:
        return printed, b""
