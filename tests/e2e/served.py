"""`holdfast serve` on a yard's repository, and what it says of itself."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import preloaded
from e2e_yard import PROJECT, Yard, until


class Serving:
    """One service at work."""

    def __init__(self, yard: Yard, config: Path, *words: str, **env: str) -> None:
        self.yard, self.log = yard, yard.folder / f"serve-{len(list(yard.folder.glob('serve-*')))}.log"
        self.log.touch()
        self.process = preloaded.Begun(
            ["serve", "--config", str(config), *words],
            yard.folder,
            {**yard.environment, **env},
            [self.log, self.log],
        )

    @property
    def said(self) -> str:
        return self.log.read_text()

    def lines(self, event: str = "") -> list[dict[str, Any]]:
        """Return what it said so far, of one kind."""
        whole = [line for line in self.said.splitlines(keepends=True) if line.endswith("\n") and line.startswith("{")]
        return [line for line in map(json.loads, whole) if event in {"", line["event"]}]

    def sees(self, event: str, **about: object) -> dict[str, Any]:
        """Wait until it says one thing, and return it."""

        def found() -> list[dict[str, Any]]:
            return [line for line in self.lines(event) if all(line.get(name) == value for name, value in about.items())]

        self.until(found)
        return found()[0]

    def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds, as long as the service is there."""

        def looks() -> object:
            assert self.process.poll() is None, self.said
            return holds()

        until(looks)

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ends(self, code: int = 0, timeout: float = 60.0) -> str:
        """Wait for its end, and return all that it said."""
        assert self.process.wait(timeout) == code, self.said
        assert "Traceback" not in self.said, self.said
        return self.said

    def stop(self) -> str:
        self.tell(signal.SIGTERM)
        return self.ends()


def configured(yard: Yard, **keys: object) -> Path:
    """Write the operator's file of a service that follows the yard's repository; returns its path."""
    source = {"name": PROJECT, "git": {"url": str(yard.checkout), "branch": "main", "every": "5s"}}
    body = {"version": 1, "home": str(yard.home), "listen": "off", "sources": [source], **keys}
    file = yard.folder / "operator.yaml"
    file.write_text(json.dumps(body))
    return file


@contextmanager
def serving(yard: Yard, config: Path, *words: str, **env: str) -> Iterator[Serving]:
    """Serve for as long as the block runs; what is still at work at its end is killed."""
    made = Serving(yard, config, *words, **env)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(made.process.pid, signal.SIGKILL)
            made.process.wait()
