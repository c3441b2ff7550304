"""What the service says of itself: in lines for people on a terminal, with priorities for journald, else in JSON.

journald reads ``<3>`` at the beginning of a line as the priority of sd-daemon(3), and says by ``JOURNAL_STREAM``
that it is the one who reads: https://www.freedesktop.org/software/systemd/man/latest/sd-daemon.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TextIO

import structlog

from orchestrator.ports import Level

_PRIORITIES: Final = {Level.INFO: 6, Level.WARNING: 4, Level.ERROR: 3}


@dataclass(frozen=True, slots=True)
class StreamJournal:
    """`ports.Journal` on a stream."""

    _logger: Any
    _masker: Callable[[], Callable[[str], str]]

    @classmethod
    def on(
        cls, stream: TextIO, environment: Mapping[str, str], masker: Callable[[], Callable[[str], str]]
    ) -> StreamJournal:
        """Return a journal that writes to ``stream`` as whoever reads it there expects.

        ``masker`` is asked once for each line for what hides secrets in a text: to know them may take asking stores.
        """
        stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
        if _is_journald(stream, environment):
            chain: list[Any] = [_for_journald]
        elif stream.isatty():
            chain = [_level, stamp, structlog.dev.ConsoleRenderer(colors="NO_COLOR" not in environment)]
        else:
            chain = [_level, stamp, _ordered, structlog.processors.JSONRenderer(ensure_ascii=False)]
        logger = structlog.wrap_logger(
            structlog.WriteLogger(stream), processors=chain, wrapper_class=structlog.BoundLogger
        )
        return cls(logger, masker)

    def say(self, level: Level, what: str, **about: object) -> None:
        """Say one thing, with what it is about; secrets in it are masked, and so is what would move a terminal."""
        mask = self._masker()
        shown = {
            name: value if isinstance(value, bool | int | float) else mask(str(value))
            for name, value in about.items()
            if value not in {"", None}
        }
        self._logger.msg(mask(what), level_=level, **shown)


def _is_journald(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether journald reads the stream: it names the very device and inode."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environment.get("JOURNAL_STREAM", "") == f"{found.st_dev}:{found.st_ino}"


def _level(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    event["level"] = event.pop("level_").value
    return event


def _ordered(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    first = {name: event.pop(name) for name in ("timestamp", "level", "event")}
    return first | event


def _for_journald(_: Any, __: str, event: dict[str, Any]) -> str:
    priority, what = _PRIORITIES[event.pop("level_")], event.pop("event")
    return f"<{priority}>{what}" + "".join(f" {name}={_quoted(value)}" for name, value in event.items())


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if not text or any(sign in text for sign in ' "=\\') else text
