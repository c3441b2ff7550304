"""Opens the shells that adapters run their tools through."""

from __future__ import annotations

import fcntl
import os
import secrets
import shlex
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from adapters.contract import Command, Result, ToolMissing, ToolStopped
from orchestrator.effects import liveness, process, steps
from orchestrator.effects.environment import Private, search_path, tool_environment
from orchestrator.effects.redact import Redactor
from orchestrator.effects.runlog import Follower, RunLog, log_path
from orchestrator.effects.sandbox import Sandbox
from orchestrator.effects.sealed import sealed
from orchestrator.errors import ExecutionError, NotStarted
from orchestrator.ports import Clock, MaskingShell, ShellNeeds

#: Testing door: name of the point at which a keeper dies, see ``keeper``. Read from the worker's environment.
FAILPOINT: Final = "HOLDFAST_FAILPOINT"

#: Most of a failed tool's messages that the log takes. Bytes.
_MESSAGES: Final = 1 << 16
#: Seconds that a reading tool gets to let go of its lock once its worker is found dead.
_STOPPING: Final = 5.0
#: Seconds between tries for a lock.
_LOCK_TICK: Final = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolShells:
    """`ports.Shells` for real processes, under Holdfast's ``home`` on this host."""

    home: Path
    clock: Clock
    #: Our own environment: PATH and the allow-list are taken from it.
    outer: Mapping[str, str]
    sandbox: Sandbox | None = None
    #: Folders that stacks share: in a sandbox only a command that asks to be alone may write there.
    caches: tuple[Path, ...] = ()
    #: Every secret of this host that a tool might come upon, whoever it was granted to; asked for at each opening.
    known: Callable[[], Iterable[str]] = tuple
    #: Seconds that a tool gets between the SIGINT and its end.
    grace_s: float = 60.0

    def open(self, needs: ShellNeeds) -> MaskingShell:
        """Return a shell bound to one stack's credentials, limits and log. Raises ExecutionError."""
        process.shut_memory()
        redactor = Redactor((*needs.secrets, *self.known()))
        log = RunLog(path=log_path(self.home, needs.run, needs.stack), redactor=redactor, clock=self.clock)
        shell = ToolShell(shells=self, needs=needs, redactor=redactor, log=log)
        if needs.attempt:
            shell.join(needs.attempt)
        return shell

    def sweep(self) -> None:
        """Remove what workers that were killed left of reading commands: raw output holds secrets.

        A tool of theirs that still runs would hold its lock against the next one: it is stopped first.
        """
        for folder in (self.home / "spool").glob("*-*-*-*"):
            if liveness.orphaned(folder.name.rpartition("-")[0]):
                private = Private(folder=folder)
                liveness.stop({"HOME": str(private.home)}, grace_s=_STOPPING)
                private.remove()


@dataclass(slots=True, kw_only=True)
class ToolShell:
    """`contract.Shell` for one stack in one run."""

    shells: ToolShells
    needs: ShellNeeds
    redactor: Redactor
    log: RunLog
    #: The number that the next changing command takes in the attempt.
    _next: int = field(default=1, init=False)
    #: Whether a command has changed the world already.
    _changed: bool = field(default=False, init=False)
    concealed: frozenset[str] = field(default=frozenset(), init=False)

    def run(self, command: Command, on_line: Callable[[str], None] | None = None) -> Result:
        """Run to the end; see the contract.

        Raises ToolMissing, ToolStopped, PlanStale, and ExecutionError: HF-5001 where nobody can say how a change ended,
        HF-5002 for a change outside an attempt, HF-5003 where the attempt was closed, HF-5004 for a refused variable.
        """
        if command.mutates and self.needs.attempt is None:
            raise ExecutionError(
                f"{_name(command)} may change the world, and no attempt is recorded",
                code="HF-5002",
                hint="the adapter is wrong: it changes things where only reading is allowed",
            )
        program = self._program(command)
        began = time.monotonic()
        self.report(f"$ {shlex.join(command.argv)}")
        with self._exclusive(command) as held:
            if command.mutates and self.needs.attempt:
                result = self._change(command, program, on_line, held)
            else:
                result = self._read(command, program, on_line)
        if result.exit_code != 0 and result.stderr:
            self.report(result.stderr[-_MESSAGES:].decode("utf-8", "replace"))
        self.report(f"{_name(command)} ended with {result.exit_code} after {time.monotonic() - began:.1f} s")
        return result

    def conceal(self, values: Iterable[str]) -> None:
        """Have these values masked in everything that is stored or shown from now on."""
        told = frozenset(values)
        self.concealed |= told
        self.redactor.conceal(told)

    def report(self, line: str) -> None:
        """Write into the run's log, masked."""
        self.log.write(line)

    def mask(self, text: str) -> str:
        """Return ``text`` with every known secret masked and control characters made visible."""
        return self.redactor.mask(text)

    def join(self, attempt: Path) -> None:
        """Take the attempt's next step for our first change. Raises ExecutionError where the attempt is gone."""
        try:
            found = steps.steps_of(attempt)
        except OSError as error:
            message = f"the attempt's folder {attempt} cannot be read: {error.strerror}"
            raise ExecutionError(message, code="HF-5003", hint="nothing ran: run it again") from None
        self._next = found[0].number + 1 if found else 1

    def _read(self, command: Command, program: str, on_line: Callable[[str], None] | None) -> Result:
        with self._private() as private:
            stdout, stderr = private.folder / "stdout", private.folder / "stderr"
            follower = self._follower(stdout, on_line)
            launch = self._launch(command, program, private, follower)
            ended = process.run(launch, stdout=stdout, stderr=stderr)
            if follower:
                follower.close()
            if ended.exit_code != 0 and (ended.timed_out or ended.cancelled):
                raise self._stopped(command, launch, timed_out=ended.timed_out)
            with _legible(command, "HF-5000"):
                return Result(exit_code=ended.exit_code, stdout=stdout.read_bytes(), stderr=stderr.read_bytes())

    def _change(
        self, command: Command, program: str, on_line: Callable[[str], None] | None, held: tuple[int, ...]
    ) -> Result:
        """Run under a keeper. Whatever is raised here, the tool goes on; only its keeper speaks of its end."""
        if not command.aside and not self._changed:
            # Later on the files may be as the first change left them.
            self.needs.verify(command.sealed.keys())
            self._changed = True
        with sealed(command) as (proven, handed):
            step = steps.begin(self.needs.attempt or Path(), self._next, aside=command.aside)
            self._next += 1
            follower = self._follower(step.folder / "stdout", on_line, told=step.folder / "told")
            launch = self._launch(proven, program, _made(step.folder), follower)
            failpoint = self.shells.outer.get(FAILPOINT, "")
            child = process.start_keeper(launch, step.folder, held=held, handed=handed, failpoint=failpoint)
        wish = False
        while not child.ended_within(process.TICK):
            launch.attend()
            if not wish and not command.aside and launch.cancelled():
                wish = True
                step.cancel()
        child.collect()
        if follower:
            follower.close()
        with _legible(command, "HF-5001"):
            return self._outcome(command, launch, step)

    def _outcome(self, command: Command, launch: process.Launch, step: steps.Step) -> Result:
        word = step.word
        if word is None:
            with suppress(OSError):
                # Its keeper is gone for good; a disk too full to say so changes nothing.
                step.give_up()
            if step.keeping is None:
                raise NotStarted(f"{_name(command)} was not started: its keeper found no room or was killed")
            message = f"nobody can say how {_name(command)} ended: its keeper is gone"
            raise ExecutionError(message, code="HF-5001", hint="its processes may live on: holdfast status")
        if word.errno:
            raise NotStarted(f"{_name(command)} could not start: {os.strerror(word.errno)}")
        result = step.result
        if result is None:
            if word.timed_out or word.cancelled:
                raise self._stopped(command, launch, timed_out=word.timed_out)
            hint = "what it did until then is unknown: holdfast status"
            raise ToolStopped(f"{_name(command)} was ended by signal {word.signal}", hint=hint)
        return result

    def _stopped(self, command: Command, launch: process.Launch, *, timed_out: bool) -> ToolStopped:
        why = f"did not end within {launch.timeout_s:g} s" if timed_out else "was cancelled"
        error = ToolStopped(f"{_name(command)} {why} and was stopped", hint="raise its timeout if it needs longer")
        self.report(error.message)
        return error

    def _launch(self, command: Command, program: str, private: Private, follower: Follower | None) -> process.Launch:
        needs, shells = self.needs, self.shells
        env = tool_environment(outer=shells.outer, private=private, command=command.env, credentials=needs.credentials)
        if command.mutates:
            env[liveness.MARKER] = str(needs.attempt)
        argv = (program, *command.argv[1:])
        if shells.sandbox:
            alone = shells.caches if command.exclusive else ()
            readable = (*(Path(env[name]) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if name in env), *shells.caches)
            writable = (*needs.writable, *private.folders, *alone)
            argv = shells.sandbox.wrap(
                argv, cwd=command.cwd, writable=writable, readable=readable, dies_with_us=not command.mutates
            )
        return process.Launch(
            argv=argv,
            cwd=command.cwd,
            env=env,
            timeout_s=needs.timeout_s if command.timeout is None else command.timeout,
            grace_s=shells.grace_s,
            wrapped=shells.sandbox is not None,
            cancelled=needs.cancelled or (lambda: False),
            attend=follower.pull if follower else lambda: None,
        )

    def _follower(self, path: Path, on_line: Callable[[str], None] | None, told: Path | None = None) -> Follower | None:
        return Follower(path=path, redactor=self.redactor, on_line=on_line, told=told) if on_line else None

    def _program(self, command: Command) -> str:
        """Return the program's absolute path. Raises ToolMissing."""
        name = command.argv[0]
        found = shutil.which(name, path=search_path(self.shells.outer))
        if found is None or not found.startswith("/"):
            raise ToolMissing(f"{name} is not installed, or not on PATH", hint="install it, then: holdfast doctor")
        return found

    @contextmanager
    def _private(self) -> Iterator[Private]:
        """Make the folders of one reading command, named after us, so that others can tell when we are gone."""
        folder = self.shells.home / "spool" / f"{liveness.owner()}-{secrets.token_hex(6)}"
        private = Private(folder=folder)
        try:
            yield _made(folder)
        finally:
            private.remove()

    @contextmanager
    def _exclusive(self, command: Command) -> Iterator[tuple[int, ...]]:
        """Hold the command's lock on this host, if it asks for one. Raises ExecutionError (HF-5006), ToolStopped."""
        if not command.exclusive:
            yield ()
            return
        path = self.shells.home / "locks" / command.exclusive.replace("/", "+")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise NotStarted(f"cannot lock {path}: {error.strerror}", hint="free some space") from error
        try:
            self._wait_for(lock, command)
            yield (lock,)
        finally:
            # A keeper that holds it too goes on holding it.
            os.close(lock)

    def _wait_for(self, lock: int, command: Command) -> None:
        limit = self.needs.timeout_s if command.timeout is None else command.timeout
        deadline = time.monotonic() + limit
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                return
            if self.needs.cancelled and self.needs.cancelled():
                raise ToolStopped(f"{_name(command)} was cancelled before it started")
            if time.monotonic() >= deadline:
                message = f"{_name(command)} waited {limit:g} s for {command.exclusive!r}, which another run holds"
                raise ExecutionError(message, code="HF-5006", hint="see holdfast runs for what is at work")
            time.sleep(_LOCK_TICK)


def _made(folder: Path) -> Private:
    """Make the private folders of one command. Raises NotStarted."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Private.make(folder)
    except OSError as error:
        raise NotStarted(f"cannot write to {folder}: {error.strerror}", hint="free some space") from error


@contextmanager
def _legible(command: Command, code: str) -> Iterator[None]:
    """Say in one line that what a command left cannot be read. Raises ExecutionError."""
    try:
        yield
    except OSError as error:
        raise ExecutionError(f"what {_name(command)} left cannot be read: {error.strerror}", code=code) from error


def _name(command: Command) -> str:
    """Return what people call the command: program and first word."""
    return " ".join([Path(command.argv[0]).name, *command.argv[1:2]])
