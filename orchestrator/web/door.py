"""The door: a server in a thread of its own beside the loop, which neither waits for the other."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import uvicorn
from fastapi import FastAPI

from orchestrator.config.operator import NOWHERE
from orchestrator.errors import ConfigError
from orchestrator.ports import Journal, Level
from orchestrator.web.pacing import Heard
from orchestrator.web.patience import Patient

#: The first descriptor that a supervisor hands over: sd_listen_fds(3).
_FIRST: Final = 3
#: Connections at once; whoever comes on top of them is told to come back.
_MOST: Final = 500
#: Seconds that answers which are under way get to end in.
_LAST_S: Final = 5
_BACKLOG: Final = 128
#: Seconds for which the server's complaint is not repeated.
_SAID_S: Final = 60.0
_PORTS: Final = 65536


class Door:
    """A socket that is open already, so that nobody is told of a service that cannot be reached."""

    def __init__(self, opened: socket.socket) -> None:
        """``opened``: bound, perhaps not listening yet."""
        self._socket = opened
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @classmethod
    def at(cls, listen: str, environment: Mapping[str, str]) -> Door | None:
        """Open the door where the supervisor says, else at ``address:port``; None for ``off``.

        Raises ConfigError (HF-1063) where that address cannot be had.
        """
        if listen == NOWHERE:
            return None
        if environment.get("LISTEN_PID") == str(os.getpid()) and environment.get("LISTEN_FDS", "0") != "0":
            given = socket.socket(fileno=_FIRST)
            given.set_inheritable(False)
            return cls(given)
        host, _, port = listen.rpartition(":")
        if not (host and port.isascii() and port.isdigit() and int(port[:9]) < _PORTS):
            raise _unusable(listen, ValueError("that is no address and port"))
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            opened = socket.socket(family, kind, protocol)
        except (OSError, ValueError, UnicodeError) as error:
            raise _unusable(listen, error) from error
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind(address)
            # Two may bind one port with that option; only one of them may listen there.
            opened.listen(_BACKLOG)
        except (OSError, OverflowError) as error:
            opened.close()
            raise _unusable(listen, error) from error
        return cls(opened)

    @property
    def address(self) -> str:
        """Where it is, as it turned out."""
        name = self._socket.getsockname()
        if not isinstance(name, tuple):
            return str(name)
        return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"

    def serve(self, app: FastAPI, journal: Journal, proxies: tuple[str, ...] = ()) -> None:
        """Answer from now on. ``proxies``: whose word about where a request comes from counts."""
        _tell(journal)
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http=Patient,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies),
            limit_concurrency=_MOST,
            timeout_graceful_shutdown=_LAST_S,
        )
        begun = threading.Event()
        server = self._server = _Server(config, begun)

        def run() -> None:
            with suppress(asyncio.CancelledError):
                server.run(sockets=[self._socket])

        self._thread = threading.Thread(target=run, name="door", daemon=True)
        self._thread.start()
        begun.wait(_LAST_S)

    def close(self) -> None:
        """Take no new request, let those under way end, and close."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(_LAST_S + 1)
        self._socket.close()


class _Server(uvicorn.Server):
    """uvicorn's own, which says when it has begun. Outside the main thread it leaves signals alone."""

    def __init__(self, config: uvicorn.Config, begun: threading.Event) -> None:
        super().__init__(config)
        self._begun = begun

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin."""
        await super().startup(sockets)
        self._begun.set()


class _ToJournal(logging.Handler):
    """Says in the journal what the server has to complain of, in a line."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(logging.WARNING)
        self._journal = journal
        self._heard = Heard(for_s=_SAID_S, most=100)

    def emit(self, record: logging.LogRecord) -> None:
        """Say one thing. What broke in a request is said where it broke."""
        why = record.getMessage().partition("\n")[0]
        # Whoever sends what is no request must not fill the journal with it.
        if record.exc_info is None and record.levelno >= logging.WARNING and not self._heard.knows(why):
            self._heard.note(why)
            self._journal.say(Level.WARNING, "the door", why=why)


def _tell(journal: Journal) -> None:
    """Have the server speak to the journal and to nobody else."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], name.startswith("uvicorn.")
    logging.getLogger("uvicorn").addHandler(_ToJournal(journal))
    logging.getLogger("asyncio").addHandler(logging.NullHandler())


def _unusable(listen: str, error: Exception) -> ConfigError:
    why = (getattr(error, "strerror", None) or str(error)).lower()
    return ConfigError(
        f"the service cannot answer at {listen}: {why}",
        code="HF-1063",
        hint="end what listens there, or say another address: listen: in the operator's file, or --listen",
    )
