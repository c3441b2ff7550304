"""Starts programs; nothing else in Holdfast does.

Four ways, each with exactly the environment given; the first three in a session of the program's own:

- :func:`run` for tools that read: output to files, so that a reader who stalls or dies never stalls or kills
  the tool; bounded in time; stopped by one SIGINT, and by the end of its whole process tree where that is not heeded;
- :func:`start_keeper` for tools that change the world: see ``keeper``;
- :func:`quick` for small commands whose output fits in memory;
- :func:`attended` for a program that speaks to the person on our own terminal.
"""

from __future__ import annotations

import ctypes
import errno
import marshal
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from adapters.contract import Result
from orchestrator.effects import liveness
from orchestrator.errors import ExecutionError, NotStarted

#: Seconds between looks at a tool's output and at a wish to cancel; its end is noticed at once.
TICK: Final = 0.1
#: What the kernel says when something has run out: nothing started, and it may work later.
_EXHAUSTED: Final = {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT}
#: prctl(2).
_PR_SET_DUMPABLE: Final = 4

_KEEPER: Final = Path(__file__).with_name("keeper.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What to run, and what bounds it."""

    argv: Sequence[str]
    cwd: Path
    #: The whole environment: nothing is added.
    env: Mapping[str, str]
    #: Wall-clock seconds; None sets no limit.
    timeout_s: float | None = None
    #: Seconds between the SIGINT and the end of the whole tree.
    grace_s: float = 10.0
    #: Run by a sandbox program, which must not get the SIGINT meant for the tool.
    wrapped: bool = False
    #: Asked every tick; true means stop.
    cancelled: Callable[[], bool] = lambda: False
    #: Called every tick and once at the end: time to read what was written.
    attend: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a tool ended: negative codes are signals."""

    exit_code: int
    timed_out: bool = False
    cancelled: bool = False


class Child:
    """A started program and the kernel's handle on it."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen
        self._poll = select.poll()
        self._handle = -1
        # It runs already: want of a descriptor must not make us lose sight of it.
        with suppress(OSError):
            self._handle = os.pidfd_open(popen.pid)
            self._poll.register(self._handle, select.POLLIN)

    @property
    def pid(self) -> int:
        """The process id, ours until :meth:`collect`."""
        return self._popen.pid

    def ended_within(self, seconds: float) -> bool:
        """Wait for the end, no longer than ``seconds``; the id stays taken until :meth:`collect`."""
        if self._handle >= 0:
            return bool(self._poll.poll(max(0.0, seconds) * 1000))
        deadline = time.monotonic() + seconds
        while os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        return True

    def collect(self) -> int:
        """Wait for the end and return the exit code, negative for a signal."""
        code = self._popen.wait()
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
        return code


def run(launch: Launch, *, stdout: Path, stderr: Path) -> Ended:
    """Run a reading tool to its end, its output into two new files of mode 0600.

    Raises NotStarted, ExecutionError (HF-5009).
    """
    with _create(stdout) as out, _create(stderr) as err:
        child = _spawn(launch.argv, cwd=launch.cwd, env=launch.env, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
    try:
        timed_out, cancelled = _tend(child, launch)
    except BaseException:
        _end_tree(child)
        child.collect()
        raise
    # Not collected yet, so the group's number is still its own: whatever it left behind goes too.
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    code = child.collect()
    launch.attend()
    return Ended(exit_code=code, timed_out=timed_out, cancelled=cancelled)


def start_keeper(
    launch: Launch, folder: Path, *, held: Sequence[int] = (), handed: Sequence[int] = (), failpoint: str = ""
) -> Child:
    """Start a keeper that runs ``launch`` into ``folder``. It goes on whatever becomes of us.

    ``held`` are descriptors (locks) that it holds until it ends, ``handed`` those that the tool gets.
    Raises NotStarted.
    """
    spec = {
        "argv": list(launch.argv),
        "cwd": str(launch.cwd),
        "env": dict(launch.env),
        "timeout_s": launch.timeout_s,
        "grace_s": launch.grace_s,
        "wrapped": launch.wrapped,
        "held": list(held),
        "failpoint": failpoint,
    }
    argv = (sys.executable, "-I", "-S", str(_KEEPER), str(folder))
    # In memory and whole before anybody reads: no secret on a disk, and no half a specification.
    with _started(argv), os.fdopen(os.memfd_create("spec", os.MFD_CLOEXEC), "wb", 0) as letter:
        letter.write(marshal.dumps(spec))
        letter.seek(0)
        return _spawn(argv, cwd=folder, env={}, stdin=letter, pass_fds=(*held, *handed))


def quick(
    argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, stdin: bytes = b"", timeout: float = 60.0
) -> Result:
    """Run a small command and return what it wrote; ``timeout`` in seconds.

    Raises NotStarted, ExecutionError (HF-5009 where the program is missing, HF-5008 where it takes too long).
    """
    pipe = subprocess.PIPE
    with _started(argv):
        child = subprocess.Popen(argv, cwd=cwd, env=env, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
    with child:
        try:
            out, err = child.communicate(stdin, timeout=timeout)
        except BaseException as error:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise ExecutionError(f"{argv[0]} did not end within {timeout:g} s", code="HF-5008") from None
            raise
    return Result(exit_code=child.returncode, stdout=out, stderr=err)


def attended(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> int:
    """Run a program on our own terminal and return its exit code; Ctrl-C reaches it as it reaches us.

    Raises NotStarted, ExecutionError (HF-5009).
    """
    with _started(argv):
        child = subprocess.Popen(argv, cwd=cwd, env=env)
    with child:
        return child.wait()


def shut_memory() -> None:
    """Have no process of ours leave its memory on a disk, and no program that we run read ours, or our environment.

    That no core is dumped is inherited by all we start.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _tend(child: Child, launch: Launch) -> tuple[bool, bool]:
    """Wait for the end; returns whether it ran out of time and whether it was cancelled."""
    deadline = None if launch.timeout_s is None else time.monotonic() + launch.timeout_s
    timed_out = cancelled = False
    kill_at: float | None = None
    while not child.ended_within(TICK if deadline is None else min(TICK, max(0.0, deadline - time.monotonic()))):
        launch.attend()
        now = time.monotonic()
        if kill_at is None:
            timed_out = deadline is not None and now >= deadline
            cancelled = launch.cancelled()
            if timed_out or cancelled:
                _interrupt(child, wrapped=launch.wrapped)
                kill_at = deadline = now + launch.grace_s
        elif now >= kill_at:
            _end_tree(child)
            deadline = None
    return timed_out, cancelled


def _interrupt(child: Child, *, wrapped: bool) -> None:
    with suppress(ProcessLookupError):
        if not wrapped:
            os.killpg(child.pid, signal.SIGINT)
            return
        for life in liveness.table().values():
            if life.group == child.pid and life.pid != child.pid:
                os.kill(life.pid, signal.SIGINT)


def _end_tree(child: Child) -> None:
    """Kill the program with all its descendants."""
    liveness.end(liveness.descendants(liveness.table(), [child.pid]))
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def _create(path: Path) -> IO[bytes]:
    """Open a new file that only we can read. Raises NotStarted where that cannot be."""
    try:
        return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600), "wb", 0)
    except OSError as error:
        raise NotStarted(f"cannot write the output of a tool: {error.strerror}: {path}") from error


def _spawn(  # noqa: PLR0913 -- one place that knows how
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: IO[bytes] | int,
    stdout: IO[bytes] | int = subprocess.DEVNULL,
    stderr: IO[bytes] | int = subprocess.DEVNULL,
    pass_fds: Sequence[int] = (),
) -> Child:
    with _started(argv):
        return Child(
            subprocess.Popen(
                argv,
                cwd=cwd,
                env=env,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
                umask=0o077,
                pass_fds=pass_fds,
            )
        )


@contextmanager
def _started(argv: Sequence[str]) -> Iterator[None]:
    """Name what kept a program from starting."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
        what = error.filename or argv[0]
        hint = "install it, or mend the path: holdfast doctor"
        raise ExecutionError(f"cannot run {argv[0]}: {what}: {error.strerror}", code="HF-5009", hint=hint) from None
    except OSError as error:
        if error.errno in _EXHAUSTED:
            raise NotStarted(f"{argv[0]} could not start: {error.strerror}") from error
        raise ExecutionError(f"{argv[0]} could not start: {error.strerror}") from error
