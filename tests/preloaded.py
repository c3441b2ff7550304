"""Runs the command line in processes that begin with all of it imported, so that a test does not pay for that each time.

The fork server of the standard library imports Holdfast once; every command is a fork of it, a process of its own with
its own session, environment, folder and output. Tests of starting up, and of being killed, start the program itself.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing import forkserver
from pathlib import Path
from unittest import mock

_FORKS = multiprocessing.get_context("forkserver")
_PRELOADED = "preloaded_modules"
_FORKS.set_forkserver_preload([_PRELOADED])


@functools.cache
def _serve() -> None:
    """Start the fork server. What it is to preload it finds on no path of ours, and passes over in silence."""
    with mock.patch.dict(os.environ, {"PYTHONPATH": str(Path(__file__).parent)}):
        forkserver.ensure_running()


def run(words: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float) -> tuple[int, str, str]:
    """Run ``holdfast WORDS`` to its end and return its exit code, negative for a signal, and what it wrote."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        paths = [f"/proc/{os.getpid()}/fd/{file.fileno()}" for file in (out, err)]
        begun = Begun(words, cwd, env, paths)
        try:
            code = begun.wait(timeout)
        except subprocess.TimeoutExpired:
            begun.kill()
            raise TimeoutError(words) from None
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
        return code, texts[0], texts[1]


class Begun:
    """A command at work, held as `subprocess.Popen` holds one."""

    def __init__(self, words: Sequence[str], cwd: Path, env: Mapping[str, str], outputs: Sequence[str | Path]) -> None:
        """Start ``holdfast WORDS``, both of its outputs appended to the files of these names."""
        _serve()
        self._process = _FORKS.Process(
            target=_command, args=(list(words), str(cwd), dict(env), [str(path) for path in outputs])
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired("holdfast", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _command(words: list[str], cwd: str, env: dict[str, str], outputs: list[str]) -> None:
    assert _PRELOADED in sys.modules, "the fork server imported nothing: every command would pay for that"
    os.setsid()
    # In the background, or under nohup, whoever runs the tests ignores them.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        *((n + 1, p, os.O_WRONLY) for n, p in enumerate(outputs)),
    ):
        opened = os.open(path, flags | os.O_APPEND)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 -- the descriptor that was just put there
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["holdfast", *words]
    from orchestrator.cli.main import run as holdfast  # noqa: PLC0415 -- imported long ago where this runs

    holdfast()
