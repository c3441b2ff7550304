"""Shuts a tool in with bubblewrap: it sees its own folders, the system's programs and no other process.

https://github.com/containers/bubblewrap. The network stays open: tools talk to clouds.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestrator.errors import ExecutionError

#: The system's own programs and libraries.
_SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
#: What programs read of the system's settings: names, certificates, accounts (no passwords), time zone.
_SETTINGS: Final = (
    *("/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/ca-certificates.conf", "/etc/alternatives"),
    *("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services"),
    *("/etc/passwd", "/etc/group", "/etc/localtime", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d"),
)

_ROOT: Final = Path("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """How tools are shut in on this host."""

    bwrap: Path
    #: What every tool may read besides: plugin caches and mirrors, a private CA bundle, tools outside ``/usr``.
    readable: tuple[Path, ...] = ()

    @classmethod
    def find(cls, path: str, readable: tuple[Path, ...] = ()) -> Sandbox:
        """Find bubblewrap on ``path`` (a PATH). Raises ExecutionError (HF-5005): nobody goes without, once asked."""
        bwrap = shutil.which("bwrap", path=path)
        if bwrap is None:
            raise ExecutionError(
                "a sandbox is asked for and bwrap is not installed",
                code="HF-5005",
                hint="install the package bubblewrap, or set workers.sandbox to none",
            )
        return cls(bwrap=Path(bwrap), readable=readable)

    def wrap(
        self, argv: Sequence[str], *, cwd: Path, writable: Iterable[Path], readable: Iterable[Path], dies_with_us: bool
    ) -> tuple[str, ...]:
        """Return the command line that runs ``argv`` shut in; folders that are missing are left out.

        A reading tool ``dies_with_us``; one that changes the world goes on without its keeper.
        """
        words = [str(self.bwrap), "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
        words += ["--die-with-parent"] if dies_with_us else []
        words += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]  # noqa: S108 -- the sandbox's own
        for system in map(Path, _SYSTEM):
            if system.is_symlink():
                words += ["--symlink", str(system.readlink()), str(system)]
            else:
                words += ["--ro-bind-try", str(system), str(system)]
        tool = Path(argv[0])
        programs = _python() if tool.is_relative_to(sys.prefix) else (tool.resolve(), tool)
        for path in (*map(Path, _SETTINGS), *self.readable, *readable, *programs):
            words += [] if _in_system(path) else ["--ro-bind-try", str(path), str(path)]
        # A command that only asks a program for its version stands at the root: that opens nothing.
        for path in (*writable, *([] if cwd == _ROOT else [cwd])):
            words += ["--bind-try", str(path), str(path)]
        return (*words, "--chdir", str(cwd), "--", *argv)


def _python() -> tuple[Path, ...]:
    """Return what a Python of ours reads: child processes of adapters, and programs that came with their libraries."""
    found = (sys.prefix, sys.base_prefix, *sys.path)
    return tuple(Path(path) for path in dict.fromkeys(found) if path.startswith("/") and path != "/")


def _in_system(path: Path) -> bool:
    return any(path.is_relative_to(system) for system in _SYSTEM)
