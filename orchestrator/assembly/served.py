"""What the service stands on: every declared source of the operator's file, on one home."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.assembly.desks import desk_of
from orchestrator.assembly.host import Host, open_host
from orchestrator.config.operator import NO_FILE, Operator
from orchestrator.effects.sole import sole
from orchestrator.effects.whereabouts import Whereabouts
from orchestrator.engine.post import Post, Posts
from orchestrator.engine.tending import ACTOR
from orchestrator.errors import ConfigError


@dataclass(slots=True, kw_only=True)
class Served:
    """Everything that `holdfast serve` works with."""

    host: Host
    posts: Posts
    #: Our own environment.
    _outer: Mapping[str, str] = field(repr=False)

    @property
    def operator(self) -> Operator:
        """The operator's file that is in force."""
        return self.host.operator

    def reload(self, operator: Operator) -> tuple[str, ...]:
        """Go by another operator's file from now on; returns what of it counts only once the service begins anew."""
        before = self.operator
        self.host = self.host.under(operator)
        self.posts.replace(_posts(self.host, self._outer))
        return tuple(
            name
            for name in ("home", "database", "listen", "trusted_proxies")
            if getattr(before, name) != getattr(operator, name)
        )


@contextmanager
def open_served(operator: Operator, home: Path, outer: Mapping[str, str]) -> Iterator[Served]:
    """Open the home and every declared source, for this process alone. Raises OrchestratorError."""
    if not operator.sources:
        raise ConfigError(
            "no source is declared that could be served",
            code="HF-1060",
            where=operator.file,
            hint="add one under sources: a git url, or a directory" if operator.file else NO_FILE,
        )
    before = os.umask(0o077)
    try:
        with sole(home), open_host(home, operator, outer, actor=ACTOR) as host:
            host.sweep()
            yield Served(host=host, posts=Posts(_posts(host, outer)), _outer=outer)
    finally:
        os.umask(before)


def _posts(host: Host, outer: Mapping[str, str]) -> Iterator[Post]:
    for source in host.operator.sources:
        where = Whereabouts.named(source, host.home, host.home, outer)
        yield Post(source=source, outside=host.outside(source.id, where.marks), desk=desk_of(host, source))
