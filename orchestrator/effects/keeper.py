"""Keeps one run of a tool, and outlives whoever asked for it.

Started as ``python -I -S keeper.py FOLDER``, with what to run on standard input (see ``steps.Spec``): a
secret in the environment never touches a disk. It claims the folder, starts the tool in a session of its
own with output going to files, bounds its time, passes on a wish to stop as exactly one SIGINT, and leaves
word of how the tool ended once every descendant of it is dead. What it writes into the folder:

    claim       who keeps the run; made by link(2), so that of two claimants one loses. The loser starts nothing
    stdout      what the tool wrote, raw: mode 0600, never shown
    stderr
    tool.json   the tool's pid and start time
    exit.json   how it ended: written whole, synced, then renamed

It reads ``cancel``: whoever makes that file, or sends SIGTERM or SIGINT, wants the tool to stop.

A keeper starts with every change to the world, so its start-up is paid for every time: it imports built-in
modules only (``json``, ``signal`` and ``typing`` would cost more than all the rest) and nothing of Holdfast.
"""

from __future__ import annotations

import ctypes
import marshal
import os
import resource
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import Any, Final
else:
    import _signal as signal

#: Seconds between looks at ``cancel``; signals and the tool's end wake the keeper at once.
TICK: Final = 0.5
#: Seconds that processes the tool left behind get to end by themselves.
LINGER: Final = 1.0
#: Room set aside for each word, so that a full disk cannot silence it. Bytes.
ROOM: Final = 4096
#: Exit code of a keeper that started nothing.
STARTED_NOTHING: Final = 3

PR_SET_CHILD_SUBREAPER: Final = 36
STOPPING: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT})
WAKING: Final = STOPPING | {signal.SIGCHLD}


class Keeper:
    """One run and what is known of it."""

    def __init__(self, folder: str, spec: dict[str, Any]) -> None:
        self.folder = folder
        self.spec = spec
        self.tool = 0
        self.status: int | None = None
        #: Somebody wants it to stop; ``cancelled`` only once it was told so.
        self.wish = False
        self.cancelled = False
        self.timed_out = False

    def keep(self) -> int:
        """Claim, run, tend, leave word. Returns the keeper's own exit code."""
        try:
            self.reserve("tool.json")
            self.reserve("exit.json")
        except OSError:
            return STARTED_NOTHING
        self.failpoint("keeper.begun")
        if not self.claim():
            return STARTED_NOTHING
        self.failpoint("keeper.claimed")
        try:
            self.start()
        except OSError as error:
            self.leave_word(error.errno or -1)
            return STARTED_NOTHING
        self.failpoint("keeper.spawned")
        started = start_of(self.tool)
        self.publish("tool.json", f'{{"pid": {self.tool}, "start": {started or 0}}}\n', durable=False)
        self.tend()
        self.failpoint("keeper.exited")
        self.bury()
        self.failpoint("keeper.before_exit_written")
        self.leave_word(0)
        return 0

    def claim(self) -> bool:
        """Put our name on the folder; False where somebody's is on it."""
        draft = f"{self.folder}/.claim.{os.getpid()}"
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as kernel:
            boot = kernel.read().strip()
        space = os.readlink("/proc/self/ns/pid")
        start = start_of(os.getpid())
        text = f'{{"pid": {os.getpid()}, "start": {start}, "boot_id": "{boot}", "pid_space": "{space}"}}\n'
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        os.write(handle, text.encode())
        os.fsync(handle)
        os.close(handle)
        try:
            os.link(draft, f"{self.folder}/claim")
        except FileExistsError:
            return False
        finally:
            os.unlink(draft)
        sync_folder(self.folder)
        return True

    def start(self) -> None:
        """Start the tool: own session, no input, output to files, default signals. Raises OSError."""
        os.chdir(self.spec["cwd"])
        new = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND
        self.tool = os.posix_spawn(
            self.spec["argv"][0],
            self.spec["argv"],
            self.spec["env"],
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, f"{self.folder}/stdout", new, 0o600),
                (os.POSIX_SPAWN_OPEN, 2, f"{self.folder}/stderr", new, 0o600),
            ],
            setsid=True,
            setsigmask=[],
            setsigdef=[signal.SIGPIPE, signal.SIGXFSZ, *WAKING],
        )
        # The workspace may go away; a keeper must not hold it.
        os.chdir("/")

    def tend(self) -> None:
        """Wait for the tool; on a wish to stop or at its time limit, one SIGINT, grace, then the end."""
        limit = self.spec["timeout_s"]
        deadline = None if limit is None else time.monotonic() + limit
        kill_at: float | None = None
        while not self.reap() and self.status is None:
            now = time.monotonic()
            if kill_at is None:
                self.timed_out = deadline is not None and now >= deadline
                self.cancelled = self.wish or os.path.exists(f"{self.folder}/cancel")
                if self.timed_out or self.cancelled:
                    self.interrupt()
                    kill_at = now + self.spec["grace_s"]
            elif now >= kill_at:
                # The tool first: one whose children are killed may end as if all were well.
                kill([self.tool, *descendants()])
            due = kill_at or deadline
            woken = signal.sigtimedwait(WAKING, TICK if due is None else max(0.02, min(TICK, due - now)))
            # Whatever comes after the first wish changes nothing: the tool gets one SIGINT, never two.
            self.wish = self.wish or (woken is not None and woken.si_signo in STOPPING)

    def interrupt(self) -> None:
        """Send the tool's process group its one SIGINT."""
        try:
            if not self.spec["wrapped"]:
                os.killpg(self.tool, signal.SIGINT)
                return
            # The sandbox's own process leads the group and would die of it, taking the tool along.
            for pid, (_, group) in processes().items():
                if group == self.tool and pid != self.tool:
                    os.kill(pid, signal.SIGINT)
        except ProcessLookupError:
            return

    def bury(self) -> None:
        """Return once no descendant is left: who does not go in good time is killed."""
        patience = time.monotonic() + LINGER
        while not self.reap():
            if time.monotonic() >= patience:
                kill(descendants())
            signal.sigtimedwait(WAKING, 0.02)

    def reap(self) -> bool:
        """Collect the dead; True where no descendant is left: as the subreaper we are every orphan's parent."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return False
            if pid == self.tool:
                self.status = status

    def leave_word(self, errno: int) -> None:
        """Write how it ended. ``errno`` is not 0 where the tool could not even be started."""
        code = signalled = "null"
        if errno == 0 and self.status is not None:
            number = os.waitstatus_to_exitcode(self.status)
            if self.spec["wrapped"] and number > 128:  # noqa: PLR2004 -- a sandbox passes a signal on so
                number = 128 - number
            code, signalled = ("null", str(-number)) if number < 0 else (str(number), "null")
        words = {
            "exit_code": code,
            "signal": signalled,
            "errno": str(errno),
            "timed_out": "true" if self.timed_out else "false",
            "cancelled": "true" if self.cancelled else "false",
            "ended_at": f"{time.time():.3f}",
        }
        body = ", ".join(f'"{name}": {value}' for name, value in words.items())
        self.publish("exit.json", f"{{{body}}}\n", durable=True)

    def reserve(self, name: str) -> None:
        """Take the disk space for a word while there is some. Raises OSError."""
        handle = os.open(f"{self.folder}/.{name}", os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            os.posix_fallocate(handle, 0, ROOM)
        finally:
            os.close(handle)

    def publish(self, name: str, text: str, *, durable: bool) -> None:
        """Write a word into its reserved space and show it whole."""
        draft = f"{self.folder}/.{name}"
        handle = os.open(draft, os.O_WRONLY)
        os.write(handle, text.encode())
        os.ftruncate(handle, len(text))
        if durable:
            os.fsync(handle)
        os.close(handle)
        os.rename(draft, f"{self.folder}/{name}")
        if durable:
            sync_folder(self.folder)

    def failpoint(self, name: str) -> None:
        """Die here if a test asks for it: ``HOLDFAST_FAILPOINT=name[:step]`` in the worker's environment."""
        wanted, _, step = self.spec["failpoint"].partition(":")
        if wanted == name and step in {"", os.path.basename(self.folder)}:
            os.kill(os.getpid(), signal.SIGKILL)


def sync_folder(folder: str) -> None:
    """Make the folder's entries last."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(handle)
    os.close(handle)


def stat_of(pid: int) -> list[str]:
    """Return the fields of ``/proc/PID/stat`` from the state on (proc(5), field 3). Raises OSError."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as kernel:
        return kernel.read().rpartition(")")[2].split()


def start_of(pid: int) -> int | None:
    """Return a process's start time in clock ticks since boot, None where it is gone."""
    try:
        return int(stat_of(pid)[19])
    except (OSError, IndexError):
        return None


def processes() -> dict[int, tuple[int, int]]:
    """Return parent and process group of every process that we can see."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                fields = stat_of(int(name))
                found[int(name)] = (int(fields[1]), int(fields[2]))
            except (OSError, IndexError):
                continue
    return found


def descendants() -> list[int]:
    """Return our descendants, parents before children."""
    table = processes()
    found = [os.getpid()]
    for parent in found:
        found.extend(pid for pid, (above, _) in table.items() if above == parent)
    return found[1:]


def kill(pids: list[int]) -> None:
    """Kill each of them; those that are gone are fine."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def main() -> int:
    """Read what to run and keep it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, WAKING)
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    spec = marshal.load(sys.stdin.buffer)  # noqa: S302 -- from the worker that started us, nobody else
    for held in spec["held"]:
        # A lock that we hold for as long as we live; the tool never sees it.
        os.set_inheritable(held, False)  # noqa: FBT003 -- positional only
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    return Keeper(sys.argv[1], spec).keep()


if __name__ == "__main__":
    sys.exit(main())
