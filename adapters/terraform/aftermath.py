"""How an attempt ended whose worker is gone, told from what the tool left behind. Pure but for reading files."""

from __future__ import annotations

import io

from adapters.contract import Finished, Handle, Problem, Resumed, Running, Severity, Unknown
from adapters.terraform import stream

#: How a tool says that it, or the provider that was creating something, was cut short.
_CUT_SHORT = (
    "operation canceled",
    "context canceled",
    "request cancelled",
    "plugin did not respond",
    "plugin error",
)


def stdout_of(handle: Handle) -> bytes | None:
    """Return what the attempt's apply printed, None where it left nothing at all."""
    if handle.result is not None:
        return handle.result.stdout
    try:
        return (handle.folder / "stdout").read_bytes()
    except FileNotFoundError:
        return None


def untold(handle: Handle, printed: bytes | None) -> bytes:
    """Return what the attempt's apply printed after the worker was gone that told people of it."""
    return b"".join(list(io.BytesIO(printed or b""))[handle.told :])


def outcome(handle: Handle, said: stream.Stream | None, errors: tuple[Problem, ...]) -> Resumed:
    """Say how it ended. ``errors`` are what the tool called errors, masked."""
    if handle.alive:
        return Running()
    if said is None:
        return Unknown(why="the attempt left no output", started=None)
    if said.applied and (handle.result is None or handle.result.exit_code == 0):
        return Finished()
    if handle.result is None or handle.result.exit_code < 0:
        return Unknown(why="the tool ended before it said how", started=said.creating)
    if cut_short(said, errors):
        # Interrupted in the middle of a create, the tool ends orderly and the object may be there all the same.
        return Unknown(why="the tool was stopped in the middle of its work", started=said.creating)
    if handle.result.exit_code == 0:
        return Unknown(why="the tool ended well without saying that it applied anything", started=said.creating)
    return Finished(
        error="; ".join(str(error) for error in errors) or f"it ended with exit code {handle.result.exit_code}"
    )


def cut_short(said: stream.Stream, errors: tuple[Problem, ...]) -> bool:
    """Whether the tool was stopped, or its provider died, in the middle of a change.

    The tool counts that as failed and its state knows nothing of it; it may have happened all the same.
    """
    texts = [f"{error.summary} {error.detail}".lower() for error in errors]
    return bool(said.open) or said.interrupted or any(word in text for text in texts for word in _CUT_SHORT)


def errors_of(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Return those problems that the tool called errors."""
    return tuple(problem for problem in problems if problem.severity is Severity.ERROR)
