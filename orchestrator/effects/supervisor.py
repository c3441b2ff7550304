"""Tells the process that supervises the service how it fares, in systemd's own words.

The protocol is a datagram of ``KEY=value`` lines to the socket that ``NOTIFY_SOCKET`` names:
https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Supervisor:
    """Whoever listens, if anybody does."""

    #: A path, or a name in the abstract namespace that begins with ``@``; empty where nobody listens.
    address: str = ""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Supervisor:
        """Return who listens, by our own environment."""
        return cls(environment.get("NOTIFY_SOCKET", ""))

    def ready(self, status: str) -> None:
        """Say that the service works."""
        self._tell(f"READY=1\nSTATUS={_line(status)}")

    def status(self, status: str) -> None:
        """Say in a line what it does."""
        self._tell(f"STATUS={_line(status)}")

    def alive(self) -> None:
        """Say that the loop goes round."""
        self._tell("WATCHDOG=1")

    def reloading(self) -> None:
        """Say that the configuration is read anew; `ready` follows."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self, status: str, *, more_s: float) -> None:
        """Say that nothing new is begun, and that the end may take ``more_s`` seconds more."""
        self._tell(f"STOPPING=1\nSTATUS={_line(status)}\nEXTEND_TIMEOUT_USEC={int(more_s * 1e6)}")

    def _tell(self, message: str) -> None:
        if not self.address:
            return
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        # That nobody hears us is no reason to stop working.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as door:
            door.connect(address)
            door.sendall(message.encode())


def _line(text: str) -> str:
    return " ".join(text.split())
