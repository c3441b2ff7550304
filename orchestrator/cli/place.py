"""What a command stands on: the world of this checkout, the reading asked for, and who asks."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from adapters.contract import Goal
from orchestrator.cli.options import Wish, wish_of
from orchestrator.cli.screen import Screen, screen_for
from orchestrator.errors import ConfigError, OrchestratorError, RecordError, SourceError, UsageError
from orchestrator.model.stack import MAIN, Stack, StackKey
from orchestrator.rules.choosing import choose, choose_one

if TYPE_CHECKING:
    from orchestrator.assembly.world import World
    from orchestrator.config.operator import Operator
    from orchestrator.effects.whereabouts import Whereabouts
    from orchestrator.engine.acts.caller import Caller
    from orchestrator.engine.outside import Outside, Reading
    from orchestrator.engine.standings import Situation
    from orchestrator.model.observed import Applying, State
    from orchestrator.ports import Entry, Run
    from orchestrator.telling.rows import Row as PlanRow


#: What is read and has no effect: said wherever somebody could count on it.
_WITHOUT_EFFECT: Final = ("HF-1050",)
#: A stack's folder is not there: it stops no other stack, and validate takes it for the error that it is.
NO_FOLDER: Final = "HF-1014"
#: All that is no error and must be said all the same, stacks that nobody declared among it.
NOTICES: Final = (*_WITHOUT_EFFECT, "HF-1051", NO_FOLDER)


@dataclass(frozen=True, kw_only=True)
class Place:
    """One command's surroundings."""

    world: World
    wish: Wish
    screen: Screen
    _read: Callable[[], Reading]

    @cached_property
    def reading(self) -> Reading:
        """The revision asked for, its files and stacks; read when first asked for. Raises OrchestratorError."""
        return self._read()

    @property
    def outside(self) -> Outside:
        """Everything that the engine can touch."""
        return self.world.outside

    @property
    def caller(self) -> Caller:
        """Who acts here."""
        from orchestrator.engine.acts.caller import Caller  # noqa: PLC0415 -- the engine is heavy

        actor = self.world.actor
        return Caller(actor=actor, door="cli", teams=self.world.operator.teams_of(actor))

    @property
    def is_main(self) -> bool:
        """Whether the reading follows the source itself."""
        return is_main(self.reading)

    @property
    def forgetful(self) -> bool:
        """Whether the record ends with the run of a build service that this is part of, and began with it."""
        return self.outside.forgetful

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self.outside.clock.now()

    @property
    def stacks(self) -> dict[StackKey, Stack]:
        """Every stack of the reading."""
        return dict(self.reading.layout.stacks)

    def chosen(self, words: Sequence[str], *, with_dependents: bool = False) -> tuple[StackKey, ...]:
        """Return the stacks that the words on the command line mean. Raises UsageError."""
        found = choose(words, self.wish.environment, self.reading.layout.stacks)
        return self.with_dependents(found) if with_dependents else found

    def with_dependents(self, found: Sequence[StackKey]) -> tuple[StackKey, ...]:
        """Return these stacks and all that wait for them, directly or not."""
        from orchestrator.rules.order import dependents, edges  # noqa: PLC0415 -- seldom asked for

        return tuple(sorted({*found, *dependents(edges(self.reading.layout.stacks), found)}))

    def chosen_to_go(self, words: Sequence[str]) -> tuple[StackKey, ...]:
        """Return the stacks that the words mean, those that left their source with them. Raises UsageError.

        What is no longer in its source can still be taken down: nothing else ever will.
        """
        from orchestrator.rules.choosing import named  # noqa: PLC0415 -- seldom asked for

        known = {*self.reading.layout.stacks, *self.recorded()}
        return tuple(sorted({key for word in words for key in named(word, self.wish.environment, known)}))

    def standings(self, words: Sequence[str]) -> list[Situation]:
        """Return where each stack stands that the words mean; no words mean all, also those gone from the source."""
        from orchestrator.engine.standings import standings  # noqa: PLC0415 -- the engine is heavy

        gone_from = frozenset() if words else frozenset({self.wish.environment})
        return standings(self.outside, self.reading, self.chosen(words), gone_from=gone_from)

    def going_down(self) -> Place:
        """Return this place as it would be with every stack taken down: only to be planned, on a track of its own."""
        from orchestrator.model.stack import GOING_DOWN  # noqa: PLC0415 -- likewise

        reading = replace(self.reading, track=GOING_DOWN)
        return replace(self, _read=lambda: reading)

    def one(self, word: str) -> StackKey:
        """Return the one stack that a word means; of those known to the record, too. Raises UsageError."""
        known = set(self.reading.layout.stacks) | set(self.recorded())
        return choose_one(word, self.wish.environment, known)

    def recorded(self) -> dict[StackKey, State]:
        """Return the stacks of this source that the record knows, whether they are still in it or not."""
        from orchestrator.engine.recorded import recorded  # noqa: PLC0415 -- the engine is heavy

        return recorded(self.outside, self.world.source)

    def words_of(self, run: int) -> list[str]:
        """Return the command that prints what the tools said in a run; none where no tool came to speak."""
        return [f"holdfast logs {run}"] if any((self.world.home / "logs" / str(run)).glob("*.log")) else []

    def command(self, *words: str) -> str:
        """Return a command that reaches this very place when it is typed as printed."""
        return typed(self.wish, *words)

    def at_work(self, run: int) -> dict[StackKey, Applying]:
        """Return the attempts of a run that the record knows no end of."""
        from orchestrator.engine.recorded import unended  # noqa: PLC0415 -- the engine is heavy

        return unended(self.outside, self.world.source, run)

    def warn_of_dirt(self, verb: str = "plan") -> None:
        """Say where files lie that no commit holds: people often forget to commit."""
        if not self.wish.ref and self.world.dirty:
            self.screen.say(f"note: files that are not committed are left out; holdfast {verb} --dirty looks at them")

    def warn_of_gone(self) -> None:
        """Say which stacks left their source while what they made still stands: nothing is destroyed by itself."""
        if not is_main(self.reading) or self.wish.ref:
            return
        for key, state in self.recorded().items():
            if state.vanished_at is not None and state.applied and state.applied.goal is not Goal.DESTROY:
                short = key.short
                self.screen.say(f"note: {short} is no longer in its source; what it made still stands")
                self.screen.say(f"      holdfast apply --destroy {short} takes it down, moved_from: renames it")

    def gravity(self, row: PlanRow) -> str:
        """Say what makes a plan too grave for a mere yes, empty where nothing does."""
        from orchestrator.engine.gravity import gravity  # noqa: PLC0415 -- the engine is heavy

        return gravity(self, row)

    def run(self, number: int) -> Run:
        """Return one run. Raises UsageError where there is none."""
        found = self.outside.record.run(number)
        if found is None:
            newest = self.outside.record.runs(limit=1)
            hint = f"the newest is {newest[0].number}" if newest else "nothing was ever run here"
            raise UsageError(f"no run {number}", code="HF-1904", hint=hint)
        return found

    def entries(self, number: int) -> list[Entry]:
        """Return everything that happened in one run, in order."""
        from orchestrator.engine.recorded import entries_of  # noqa: PLC0415 -- the engine is heavy

        return entries_of(self.outside.record, number)


def typed(wish: Wish, *words: str) -> str:
    """Return a command that reaches the place that a wish names when it is typed as printed."""
    # Of a stack that is named the name says the environment, too.
    flags = ["-e", wish.environment] if wish.environment and len(words) == 1 else []
    flags += ["--ref", wish.ref] if wish.ref else []
    folder = wish.directory
    return shlex.join(["holdfast", *(["-C", str(folder)] if folder != Path() else []), *words, *flags])


def is_far() -> bool:
    """Whether commands are to ask a service, and not what lies on this host."""
    return bool(os.environ.get("HOLDFAST_URL"))


def screen_of(ctx: click.Context) -> Screen:
    """Return where a command prints."""
    return screen_for(wish_of(ctx))


@contextmanager
def opened(
    ctx: click.Context, *, dirty: bool = False, notices: Collection[str] = _WITHOUT_EFFECT, key: bytes = b""
) -> Iterator[Place]:
    """Open the world that the command line means and read it at the revision asked for.

    ``dirty`` reads the files as they are, on a track of their own; ``notices`` are the codes of what is no error
    and must be said all the same; ``key`` is what the record's own must be. Raises OrchestratorError.
    """
    wish, screen = wish_of(ctx), screen_of(ctx)
    with _world(*sought(wish), screen, key) as world:
        place = Place(
            world=world, wish=wish, screen=screen, _read=lambda: _read(world, wish, screen, notices, dirty=dirty)
        )
        # What is wrong with the files is said before anything is done.
        _ = place.reading
        yield place


@contextmanager
def at_record(ctx: click.Context) -> Iterator[Place]:
    """Open the world for a command that the record answers: files that cannot be read do not stand in its way.

    Where stacks must be known all the same, those of the last revision that could be read count. Raises
    OrchestratorError.
    """
    wish, screen = wish_of(ctx), screen_of(ctx)
    with _world(*sought(wish), screen) as world:
        yield Place(world=world, wish=wish, screen=screen, _read=lambda: _read_or_last(world, wish, screen))


@contextmanager
def looked_at(ctx: click.Context, *, dirty: bool) -> Iterator[Place]:
    """Open the world only to look at its files: where the record is not ours to use, it does without.

    Raises OrchestratorError.
    """
    wish, screen = wish_of(ctx), screen_of(ctx)
    operator, where = _here(wish)
    with ExitStack() as open_now:
        try:
            world = open_now.enter_context(_world(operator, where, screen))
        except RecordError:
            home = open_now.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-"))
            here = replace(operator, database="")
            world = open_now.enter_context(_world(here, replace(where, home=Path(home)), screen))
        yield Place(world=world, wish=wish, screen=screen, _read=lambda: world.read(ref=wish.ref, dirty=dirty))


def _teller(screen: Screen) -> Callable[[str], None]:
    return screen.say if screen.for_people else lambda _: None


@contextmanager
def _world(operator: Operator, where: Whereabouts, screen: Screen, key: bytes = b"") -> Iterator[World]:
    before = os.umask(0o077)
    try:
        where.fetch_ahead()
        # Heavier than all before: it loads while the fetch is on its way.
        from orchestrator.assembly.world import open_world  # noqa: PLC0415

        with open_world(where, operator, _teller(screen), key=key) as world:
            yield world
    finally:
        # What is made in the home is for its owner alone; what is written beside a person's files is theirs to judge.
        os.umask(before)


def sought(wish: Wish) -> tuple[Operator, Whereabouts]:
    """Return what the operator of this host decides, and where the source is that the command line means.

    Raises UsageError, ConfigError, SourceError, Denied.
    """
    if is_far():
        raise UsageError(
            "HOLDFAST_URL is set, and this command works on what lies on the service's own host",
            code="HF-1915",
            hint="run it there, or unset HOLDFAST_URL to work on this one",
        )
    return _here(wish)


def _here(wish: Wish) -> tuple[Operator, Whereabouts]:
    from orchestrator.config.operator import operator_of  # noqa: PLC0415 -- nothing is opened for a mistyped word
    from orchestrator.effects.whereabouts import Whereabouts  # noqa: PLC0415 -- likewise

    operator = operator_of(os.environ)
    if wish.source:
        home = wish.home or operator.home
        return operator, Whereabouts.named(operator.source(wish.source), wish.directory, home, os.environ)
    taken = operator.later_sources
    where = Whereabouts.of(wish.directory, wish.home, os.environ, operator.sources, taken)
    declared = any(one.id == where.source.id for one in operator.sources)
    if declared and operator.home and not wish.home:
        # A service on this host keeps the record of these sources: there is one, whoever asks.
        where = replace(where, home=operator.home)
    return operator, where


def _read(world: World, wish: Wish, screen: Screen, notices: Collection[str], *, dirty: bool = False) -> Reading:
    reading = world.read(ref=wish.ref, dirty=dirty)
    for notice in (*world.operator.notices, *reading.layout.notices):
        if notice.code in notices:
            screen.say(f"{notice.where + '  ' if notice.where else ''}note {notice.code}  {notice.message}")
    # Only where the source itself has come: to look at a branch must not rename what others work with.
    for old, new in world.take_over(reading) if is_main(reading) and not wish.ref else ():
        screen.say(f"{old.short} is {new.short} now: what it made was taken over")
    return reading


def _read_or_last(world: World, wish: Wish, screen: Screen) -> Reading:
    try:
        return _read(world, wish, screen, ())
    except (ConfigError, SourceError) as error:
        last = _last_good(world) if not wish.ref else None
        if last is None:
            raise
        where = f"{error.where}  " if error.where else ""
        screen.say(f"{where}note {error.code}  {error.message}; this goes by {last.revision.short}, read before")
        return last


def _last_good(world: World) -> Reading | None:
    try:
        return world.last_good()
    except OrchestratorError:
        return None


def is_main(reading: Reading) -> bool:
    """Whether the reading follows the source itself: only then anything can be applied."""
    return reading.track == MAIN
