"""Turns whatever went wrong into two lines for a person, an exit code, and never a traceback."""

from __future__ import annotations

import errno
import os
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from adapters.contract import AdapterError
from orchestrator.cli.printable import printable
from orchestrator.errors import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    ConfigError,
    OrchestratorError,
)
from orchestrator.telling.exits import adapter_exit

#: Parts of a variable's name that say its value is nobody's business.
_SECRET_NAMES = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "KEY", "CREDENTIAL")
#: Values shorter than this are too common to be masked.
_SHORTEST_SECRET = 6


def report(error: BaseException) -> int:
    """Print ``error`` on stderr and return the exit code it ends in."""
    lines, code = words(error)
    if lines:
        _stderr("\n".join(lines))
    return code


def words(error: BaseException) -> tuple[tuple[str, ...], int]:
    """Return the lines to print and the exit code."""
    match error:
        case ConfigError(others=others) if others:
            return tuple(_all_places(error)), error.exit_code
        case OrchestratorError():
            return tuple(_lines(error.code, error.message, error.where, error.hint)), error.exit_code
        case AdapterError():
            return tuple(_adapter_lines(error)), adapter_exit(error)
        case click.Abort():
            return ("interrupted",), EXIT_INTERRUPTED
        case click.UsageError():
            return tuple(_usage_lines(error)), EXIT_USAGE
        case click.ClickException():
            return tuple(_lines("HF-1900", error.format_message(), "", "")), EXIT_USAGE
        case OSError():
            return tuple(_system_lines(error)), EXIT_FAILED
        case _:
            return tuple(_our_fault(error)), EXIT_FAILED


def _lines(code: str, cause: str, where: str, hint: str) -> Iterator[str]:
    yield f"{code}  {printable(cause)}"
    if where:
        yield f"  at    {printable(where)}"
    if hint:
        yield f"  hint  {printable(hint)}"


def _all_places(error: ConfigError) -> Iterator[str]:
    every = (error, *error.others)
    for one in every:
        place = f"{printable(one.where)}  " if one.where else ""
        hint = f"; {printable(one.hint)}" if one.hint else ""
        yield f"{place}error {one.code}  {printable(one.message)}{hint}"
    yield f"{len(every)} errors."


def _adapter_lines(error: AdapterError) -> Iterator[str]:
    yield from _lines(error.code, error.message, "", error.hint)
    for problem in error.problems:
        yield f"  {printable(str(problem))}"


def _usage_lines(error: click.UsageError) -> Iterator[str]:
    cause = error.format_message().rstrip(".")
    hint = f"see: {error.ctx.command_path} --help" if error.ctx else "see: holdfast --help"
    yield from _lines("HF-1900", cause[:1].lower() + cause[1:], "", hint)


def _system_lines(error: OSError) -> Iterator[str]:
    place = f" at {error.filename}" if error.filename else ""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        yield from _lines("HF-1911", f"the disk is full{place}", "", "free some space and run the command again")
        return
    cause = (error.strerror or type(error).__name__).lower()
    yield from _lines("HF-1912", f"{cause}{place}", "", "check the path and who may use it")


def _our_fault(error: BaseException) -> Iterator[str]:
    cause = f"a fault of ours: {type(error).__name__}"
    try:
        path = write_debug_log(error, os.environ)
    except OSError:
        yield from _lines("HF-9000", cause, "", "no debug log could be written; is the disk full?")
        return
    yield from _lines("HF-9000", cause, "", f"report it with the debug log: {path}")


def write_debug_log(error: BaseException, environment: Mapping[str, str]) -> Path:
    """Write the traceback to a file that only this user reads, and return its path. Raises OSError."""
    state = environment.get("XDG_STATE_HOME") or str(Path("~/.local/state").expanduser())
    home = environment.get("HOLDFAST_HOME")
    folder = (Path(home).absolute() if home else Path(state) / "holdfast") / "debug"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir())
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    number, name = tempfile.mkstemp(prefix=f"{stamp}-", suffix=".log", dir=folder, text=True)
    with os.fdopen(number, "w", encoding="utf-8") as log:
        log.write(_masked("".join(traceback.format_exception(error)), environment))
    return Path(name)


def _masked(text: str, environment: Mapping[str, str]) -> str:
    """Mask what the environment holds under a name that speaks of a secret, in whatever form it is quoted."""
    from orchestrator.effects.redact import Redactor  # noqa: PLC0415 -- only a fault of ours pays for it

    secret = [
        value
        for name, value in environment.items()
        if name.startswith("HOLDFAST_SECRET_")
        or (len(value) >= _SHORTEST_SECRET and any(part in name.upper() for part in _SECRET_NAMES))
    ]
    # Line by line: what a line's end stands for is the traceback's own.
    return "\n".join(map(Redactor(secret).mask, text.split("\n")))


def _stderr(text: str) -> None:
    try:
        click.echo(text, err=True)
    except OSError:
        # Nobody is left to read it; the exit code still speaks.
        return
