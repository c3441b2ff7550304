"""The testing door of the worker: at a named point it dies as if by ``kill -9``.

``HOLDFAST_FAILPOINT=record.append.after:3`` ends the process right after the third append. A point is
``<port>.<method>.before`` or ``.after``; points whose name begins with ``keeper.`` are the keeper's own.
Without the variable no port is wrapped at all.
"""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

_Port = TypeVar("_Port")

#: Every point at which a worker can be made to die: port -> methods.
POINTS: Final = {
    "record": ("append", "look", "open_run", "close_run"),
    "artifacts": ("put", "get"),
    "sources": ("read", "pin"),
    "workspaces": ("lay", "verify"),
    "attempts": ("prepare", "look", "kill", "close"),
    "shells": ("open",),
    "rotation": ("prepare", "rewrap", "renew", "retire"),
}


@dataclass(slots=True)
class Failpoint:
    """One armed point: the ``n``-th time it is passed, the process is gone."""

    name: str
    times: int
    _passed: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def read(cls, text: str) -> Failpoint | None:
        """Read the variable; None where it is empty or arms a point of the keeper."""
        name, _, times = text.partition(":")
        if not name or name.startswith("keeper."):
            return None
        return cls(name=name, times=int(times or 1))

    def passing(self, name: str) -> None:
        """Die where this is the armed point's time."""
        if name != self.name:
            return
        with self._lock:
            self._passed += 1
            if self._passed == self.times:
                os.kill(os.getpid(), signal.SIGKILL)


def armed(port: _Port, name: str, failpoint: Failpoint | None) -> _Port:
    """Return ``port`` as it is, or with the failpoint watching its methods."""
    if failpoint is None:
        return port
    return cast("_Port", _Watched(port, name, failpoint))


class _Watched:
    """A port whose named methods pass the failpoint before and after."""

    def __init__(self, port: object, name: str, failpoint: Failpoint) -> None:
        self._port, self._name, self._failpoint = port, name, failpoint

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._port, method)
        if method not in POINTS[self._name]:
            return found
        point = f"{self._name}.{method}"

        def passed(*args: Any, **kwargs: Any) -> Any:
            self._failpoint.passing(f"{point}.before")
            answer = found(*args, **kwargs)
            self._failpoint.passing(f"{point}.after")
            return answer

        return passed
