"""The life of the service: from its first breath over reloads to the last apply that it lets end."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from orchestrator.assembly.doorkeeping import serving_home
from orchestrator.assembly.reporting import reporters_of
from orchestrator.assembly.served import Served, open_served
from orchestrator.config.operator import NOWHERE, Operator, operator_of
from orchestrator.effects import leftovers
from orchestrator.effects.announcing import Announcing
from orchestrator.effects.journal import StreamJournal
from orchestrator.effects.supervisor import Supervisor
from orchestrator.engine.dispatch import LAST_S, Dispatch
from orchestrator.engine.tending import Halt, Tender
from orchestrator.errors import EXIT_DONE, EXIT_UNKNOWN, ConfigError, OrchestratorError
from orchestrator.model.source import Source
from orchestrator.ports import Level
from orchestrator.report.reporters import Reporters

#: Seconds between two words to whoever supervises us.
_BEAT_S = 1.0
#: Seconds for what comes after the last apply has ended.
_BEYOND_S = 30.0


def serve(config: Path | None, listen: str | None, home: Path | None) -> int:
    """Serve until told to stop; return the exit code. Raises OrchestratorError where it cannot begin."""
    environment, operator = _configured(config)
    with open_served(operator, serving_home(operator, home, environment), environment) as served:
        return _Life(served, environment, listen or operator.listen).live()


def work(config: Path | None, home: Path | None) -> int:
    """Work beside other hosts until told to stop; return the exit code. Raises OrchestratorError as `serve`."""
    environment, operator = _configured(config)
    if not operator.many_hosts:
        raise ConfigError(
            "a worker shares its record with other hosts, and this one is kept in a file of one host",
            code="HF-1062",
            where=operator.file,
            hint="name a PostgreSQL database under database:, or run holdfast serve alone",
        )
    with open_served(operator, serving_home(operator, home, environment), environment) as served:
        return _Life(served, environment, NOWHERE).live()


def _configured(config: Path | None) -> tuple[Mapping[str, str], Operator]:
    environment = dict(os.environ)
    if config is not None:
        environment["HOLDFAST_CONFIG"] = str(config)
    return environment, operator_of(environment)


class _Life:
    """One service from beginning to end."""

    def __init__(self, served: Served, environment: Mapping[str, str], listen: str) -> None:
        self.served, self.environment = served, environment
        self.listen = listen
        self.journal = StreamJournal.on(sys.stderr, environment, lambda: served.host.masker())  # noqa: PLW0108 -- a reload brings another host
        self.supervisor = Supervisor.of(environment)
        self.stopping, self.halt = threading.Event(), Halt()
        self.reload_wanted = threading.Event()
        self.spoken_at = 0.0
        self.announcing = Announcing(self._changed)
        self.reporters = Reporters(())
        self.clock = served.posts.every()[0].outside.clock
        self.dispatch = Dispatch(served.posts, served.host.agenda, self.clock, self.journal)
        self.tender = Tender(served.posts, self.halt, on_action=self.dispatch.notice)

    def live(self) -> int:
        """Begin, work, drain."""
        leftovers.forget_told(self.environment)
        self.dispatch.workers = self.served.operator.workers
        for notice in self.served.operator.notices:
            self.journal.say(Level.WARNING, notice.message, code=notice.code, where=notice.where)
        with self._signals(), self._door() as address:
            self.dispatch.begin()
            self.tender.recall()
            self._follow()
            self.journal.say(Level.INFO, "serving", sources=self._names(), home=self.served.host.home, listen=address)
            self.supervisor.ready(f"serving {self._names()}")
            self._report()
            try:
                self.dispatch.run(self.tender, self.stopping, self._beat)
                return self._drain()
            finally:
                self.reporters.stop()

    def _report(self) -> None:
        """Have told what happens, by the operator's file that is in force; by one host of many for all of them."""
        # A receiver that hangs must not hold up the loop: what it was sent last it may be sent again.
        self.reporters.stop(within_s=1.0)
        self.reporters = reporters_of(self.served, self.journal, self.environment)
        self.reporters.start()

    def _names(self) -> str:
        return ", ".join(post.source.id for post in self.served.posts.every())

    def _follow(self) -> None:
        self.announcing.follow(post.source for post in self.served.posts.every())

    def _changed(self, source: Source) -> None:
        # Lost because the agenda cannot be reached, it costs no more than the wait for the next look.
        with suppress(OrchestratorError):
            self.dispatch.nudge(source.id, "its files changed")

    @contextmanager
    def _door(self) -> Iterator[str]:
        """Answer requests for as long as the block runs, also while it drains; yields where."""
        from orchestrator.web.door import Door  # noqa: PLC0415 -- a service that answers nobody needs none of it

        door = Door.at(self.listen, self.environment)
        if door is None:
            yield self.listen
            return
        from orchestrator.web.app import make_app  # noqa: PLC0415 -- likewise
        from orchestrator.web.first import say_first_token  # noqa: PLC0415 -- likewise

        try:
            say_first_token(self.served.host.tokens, self.clock.now(), sys.stderr)
            app = make_app(self.served, self.dispatch, self.journal, self.stopping.is_set)
            door.serve(app, self.journal, self.served.operator.trusted_proxies)
            yield door.address
        finally:
            door.close()

    def _drain(self) -> int:
        leftovers.say_told(self.environment)
        grace_s = self.served.operator.workers.grace_s
        self.journal.say(Level.INFO, "draining", at_work=len(self.dispatch.pulse.working), grace_s=grace_s)
        self.supervisor.stopping("draining", more_s=grace_s + LAST_S + _BEYOND_S)
        ended = self.dispatch.drain(self.halt, grace_s, self._beat)
        left = ", ".join(one.due.stack for one in self.dispatch.pulse.working)
        self.journal.say(Level.INFO if ended else Level.WARNING, "stopped", left_to_their_keepers=left)
        return EXIT_DONE if ended else EXIT_UNKNOWN

    def _beat(self) -> None:
        """Show that the loop goes round, and read the operator's file anew where somebody asked for it."""
        if self.reload_wanted.is_set():
            self.reload_wanted.clear()
            self._reload()
        now = time.monotonic()
        if now - self.spoken_at >= _BEAT_S:
            self.spoken_at = now
            self.supervisor.alive()

    def _reload(self) -> None:
        self.supervisor.reloading()
        try:
            operator = operator_of(self.environment)
            if not operator.sources:
                raise ConfigError("it declares no source", code="HF-1060", where=operator.file)
            later = self.served.reload(operator)
        except OrchestratorError as error:
            self.journal.say(
                Level.ERROR,
                "the new operator's file is not in force: the old one stays",
                code=error.code,
                where=getattr(error, "where", ""),
                why=error.message,
            )
            self.supervisor.ready(f"the new operator's file is bad, the old one is in force: {error.message}")
            return
        self.tender.forget()
        self._follow()
        self.dispatch.workers = operator.workers
        self._report()
        self.dispatch.begin()
        self.journal.say(Level.INFO, "the operator's file was read anew", needs_a_restart=", ".join(later))
        self.supervisor.ready(f"serving {self._names()}")

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def stop(_number: int, _frame: FrameType | None) -> None:
            if self.stopping.is_set():
                self.halt.harden()
            self.stopping.set()

        def reload(_number: int, _frame: FrameType | None) -> None:
            self.reload_wanted.set()

        wanted: Mapping[int, Callable[[int, FrameType | None], None]] = {
            signal.SIGTERM: stop,
            signal.SIGINT: stop,
            signal.SIGHUP: reload,
        }
        before = {number: signal.signal(number, take) for number, take in wanted.items()}
        try:
            yield
        finally:
            for number, earlier in before.items():
                signal.signal(number, earlier)
