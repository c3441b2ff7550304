"""A real sshd on loopback that stands for a host of somebody's."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ports import free_port

SSHD = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {user_key}.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
"""


@dataclass(frozen=True, kw_only=True)
class Host:
    """Where it answers, and what opens it."""

    port: int
    user: str
    user_key: Path
    #: Its line of ``known_hosts``.
    known: str


@contextmanager
def serving_ssh(folder: Path, *, user_key: Path | None = None) -> Iterator[Host]:
    """Run a host below ``folder``; ``user_key`` is one that opens another host, too."""
    folder.mkdir()
    key = user_key or folder / "user_key"
    for made in {folder / "host_key", key}:
        if not made.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", made], check=True)
    port = free_port()
    (folder / "config").write_text(SSHD.format(port=port, folder=folder, user_key=key))
    if os.geteuid() == 0:
        # Where sshd drops its privileges; a service's start makes it as a rule.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    program = shutil.which("sshd")
    assert program
    public = " ".join((folder / "host_key.pub").read_text().split()[:2])
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([program, "-D", "-e", "-f", folder / "config"], stdout=log, stderr=log)
    try:
        _until_it_answers(port, server)
        name = pwd.getpwuid(os.geteuid()).pw_name
        yield Host(port=port, user=name, user_key=key, known=f"[127.0.0.1]:{port} {public}\n")
    finally:
        server.terminate()
        server.wait()


def _until_it_answers(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert server.poll() is None, "sshd ended"
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as found:
            if found.recv(4) == b"SSH-":
                return
    raise AssertionError("sshd does not answer")
