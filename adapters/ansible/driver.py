"""The child process that drives ansible-runner: ``python -I -m adapters.ansible.driver REQUEST``.

It reads what to run from the file REQUEST (see ``commands.request``), prints one JSON line for each thing that
happens, and leaves nothing behind: neither the files that ansible-runner writes (its ``command`` file holds the
whole environment) nor a process. ansible-core's workers lead sessions of their own, so a signal to the process
group reaches neither them nor the ssh clients below them: on SIGINT or SIGTERM ansible-playbook itself is asked
to stop, which ends both, the remote side included, and whatever is left after it is killed.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, Final, TextIO

import ansible_runner
import psutil

#: prctl(2): orphans of our descendants become our children, and so we find them.
_PR_SET_CHILD_SUBREAPER: Final = 36
#: Events of ansible-runner whose text the callback plugin knows nothing of.
_TOLD: Final = frozenset({"verbose", "error", "warning", "deprecated", "system_warning"})
#: The exit code of one that was asked to stop.
STOPPED: Final = 130


class Drive:
    """One run of ansible-playbook."""

    def __init__(self, request: dict[str, Any], folder: Path, out: TextIO) -> None:
        self.request = request
        self.folder = folder
        self.out = out
        self.lines = folder / "lines"
        self.read = 0
        self.stopped = False

    def run(self) -> int:
        """Run to the end and return the exit code."""
        self.lines.touch(mode=0o600)
        (self.folder / "runner").mkdir(mode=0o700)
        ran = ansible_runner.run(
            private_data_dir=str(self.folder / "runner"),
            host_cwd=self.request["cwd"],
            project_dir=self.request["cwd"],
            playbook=self.request["playbook"],
            cmdline=self.request["cmdline"],
            envvars={
                **self.request["env"],
                "HOLDFAST_LINES": str(self.lines),
                # A socket's path has 107 bytes: below HOME it would be too long.
                "ANSIBLE_SSH_CONTROL_PATH_DIR": tempfile.gettempdir(),
            },
            # Joined to a folder of its own, which an absolute path overrides.
            fact_cache=self.request["facts"] or "facts",
            # Whatever it is given, it would write into files that the next run takes up by itself.
            suppress_env_files=True,
            settings={"suppress_output_file": True, "pexpect_timeout": 1},
            quiet=True,
            event_handler=self.heard,
            cancel_callback=self.tick,
        )
        self.pass_on()
        if self.stopped:
            self.say({"kind": "stopped"})
            return STOPPED
        code = int(ran.rc)
        return code if code >= 0 else 128 - code

    def heard(self, event: dict[str, Any]) -> bool:
        """Pass on what there is to tell; false has ansible-runner keep no file of it."""
        with suppress(OSError):
            (self.folder / "runner/artifacts" / str(event.get("runner_ident")) / "command").unlink()
        self.pass_on()
        text = event.get("stdout", "")
        if event.get("event") in _TOLD and text.strip():
            self.say({"kind": "said", "text": text})
        return False

    def pass_on(self) -> None:
        """Print what the callback plugin wrote since the last time, whole lines only."""
        with self.lines.open("rb") as lines:
            lines.seek(self.read)
            new = lines.read()
        whole = new[: new.rfind(b"\n") + 1]
        self.read += len(whole)
        self.out.write(whole.decode("utf-8", "replace"))
        self.out.flush()

    def say(self, line: dict[str, Any]) -> None:
        """Print one line of our own."""
        self.out.write(json.dumps(line) + "\n")
        self.out.flush()

    def tick(self) -> bool:
        """Do what is due each second; false keeps ansible-runner from cancelling, which would leave workers behind."""
        if self.stopped:
            # Asked already, and maybe before there was anybody to hear it.
            self.ask()
        # What began is told within the second: ansible-runner's own event of it comes before our line.
        self.pass_on()
        return False

    def stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's
        """Ask ansible-playbook to stop: it ends its workers, and they their connections."""
        self.stopped = True
        self.ask()

    def ask(self) -> None:
        """Send ansible-playbook, our one child, a SIGTERM."""
        for child in psutil.Process().children():
            with suppress(psutil.Error):
                child.terminate()


def end_descendants() -> None:
    """Kill whatever is left of us, until nothing is: a kept ssh connection, a daemon that a module started."""
    while left := psutil.Process().children(recursive=True):
        for process in left:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, timeout=5)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def main() -> int:
    """Run what the request says."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    request = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    os.environ["PATH"] = os.pathsep.join([request["program_folder"], os.environ.get("PATH", os.defpath)])
    folder = Path(tempfile.mkdtemp(prefix="ansible-", dir=request["private"]))
    drive = Drive(request, folder, sys.stdout)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, drive.stop)
    try:
        return drive.run()
    finally:
        end_descendants()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
