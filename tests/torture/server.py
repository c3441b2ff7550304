"""A PostgreSQL server of one's own that can be stopped in the middle of everything, and started again."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

#: Safe against everything but a loss of power, and quick.
_UNSAFE = "-c fsync=off -c full_page_writes=off -c max_connections=100 -c shared_buffers=64MB"


@dataclass(kw_only=True)
class Server:
    """One cluster below ``folder``, which must be open to the user that the server runs as."""

    folder: Path
    address: str = "127.0.0.1"
    port: int = 0
    _as: dict[str, str | int] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"postgresql://postgres@{self.address}:{self.port}/postgres"

    @property
    def cluster(self) -> str:
        return str(self.folder / "cluster")

    def make(self) -> None:
        """Make the cluster and start it."""
        self.folder.mkdir(mode=0o755)
        if os.geteuid() == 0:
            # The server refuses to run as root.
            name = next(one.pw_name for one in pwd.getpwall() if one.pw_name in {"postgres", "nobody"})
            self._as = {"user": name, "group": pwd.getpwnam(name).pw_gid}
            shutil.chown(self.folder, name)
        self.run(
            "initdb", "-D", self.cluster, "-U", "postgres", "-A", "trust", "--no-sync", "--no-locale", "-E", "UTF8"
        )
        with (self.folder / "cluster/pg_hba.conf").open("a") as file:
            file.write(f"host all all {self.address}/24 trust\n")
        with socket.socket() as free:
            free.bind((self.address, 0))
            self.port = free.getsockname()[1]
        self.start()

    def start(self) -> None:
        where = f"-k {self.folder} -p {self.port} -c listen_addresses={self.address}"
        self.run("pg_ctl", "-D", self.cluster, "-w", "-s", "-o", f"{where} {_UNSAFE}", "start")

    def stop(self) -> None:
        """Stop it as if it had crashed."""
        self.run("pg_ctl", "-D", self.cluster, "-m", "immediate", "-s", "stop")

    def run(self, *argv: str) -> None:
        with (self.folder / "log").open("ab") as log:
            subprocess.run(argv, check=True, cwd="/", stdout=log, stderr=log, timeout=120, **self._as)  # type: ignore[call-overload]
