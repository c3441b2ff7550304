"""What a command stands on whose world is a service's."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import click

from orchestrator.cli.options import Wish, wish_of
from orchestrator.cli.place import screen_of, typed
from orchestrator.cli.screen import Screen
from orchestrator.errors import OrchestratorError, SourceUnreachable, UsageError
from orchestrator.model.stack import StackKey
from orchestrator.remote.address import Address
from orchestrator.remote.refusals import understood
from orchestrator.remote.server import Params, Server, quoted
from orchestrator.rules.choosing import choose_one

_T = TypeVar("_T")
#: Seconds that a service gets to look at its sources.
_LOOKS_S: Final = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Far:
    """A service, and what the person asked for around a command."""

    server: Server
    wish: Wish
    screen: Screen

    @property
    def is_main(self) -> bool:
        """Whether it is about the source itself: a service looks at nothing else."""
        return True

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def command(self, *words: str) -> str:
        """Return a command that reaches this very place when it is typed as printed."""
        return typed(self.wish, *words)

    def meant(self, words: Sequence[str]) -> Params:
        """Return how the service is told which stacks are meant."""
        return {"which": tuple(words), "environment": self.wish.environment, "source": self.wish.source}

    def standings(self, words: Sequence[str]) -> list[dict[str, Any]]:
        """Return where each stack stands that the words mean; no words mean all. Raises OrchestratorError."""
        found = self.server.pages("stacks", self.meant(words))
        return self.read(lambda: sorted(found, key=lambda one: StackKey.parse(one["key"])))

    def look(self) -> None:
        """Have the service look at its sources now: what is planned is what they hold at this moment.

        Raises OrchestratorError where none of them can be read.
        """
        found = self.server.post("look", {"source": self.wish.source, "within_s": _LOOKS_S})
        failed = self.read(lambda: [one for one in found["sources"] if one["code"] or not one["looked"]])
        for one in failed:
            why = f"{one['code']} {one['message']}".strip() or "it takes too long"
            self.screen.say(f"note: source {one['name']} cannot be read just now: {why}")
        if failed and len(failed) == len(found["sources"]):
            raise SourceUnreachable(
                str(failed[0]["message"] or "it takes too long"), code=str(failed[0]["code"]), hint="holdfast status"
            )

    def chosen(self, words: Sequence[str], *, with_dependents: bool = False) -> list[StackKey]:
        """Return the stacks in their sources that the words mean; no words mean all. Raises OrchestratorError."""
        return [key for wave in self.waves_of(words, with_dependents=with_dependents) for key in wave]

    def waves_of(self, words: Sequence[str], *, with_dependents: bool = False) -> list[list[StackKey]]:
        """Return those stacks in the waves in which they are worked: whoever waits for another comes after it."""
        more: Params = {"bare": "true", **({"dependents": "true"} if with_dependents else {})}
        graph = self.server.get("graph", {**self.meant(words), **more})
        return self.read(lambda: [[StackKey.parse(key) for key in wave] for wave in graph["waves"]])

    def one(self, word: str) -> StackKey:
        """Return the one stack that a word means. Raises OrchestratorError."""
        found = list(self.server.pages("names", self.meant([word])))
        keys = self.read(lambda: [StackKey.parse(one["key"]) for one in found])
        return choose_one(word, self.wish.environment, keys)

    def keys(self, words: Sequence[str]) -> list[StackKey]:
        """Return the stacks that words mean, those that left their source with them. Raises OrchestratorError."""
        found = list(self.server.pages("names", self.meant(words)))
        return self.read(lambda: sorted(StackKey.parse(one["key"]) for one in found))

    def of(self, key: StackKey, noun: str = "") -> str:
        """Return the path of a stack, or of a noun below it."""
        return f"stacks/{quoted(str(key))}{f'/{noun}' if noun else ''}"

    def run(self, number: int) -> dict[str, Any]:
        """Return one run. Raises UsageError (HF-1904) where there is none."""
        try:
            return self.server.get(f"runs/{number}")
        except OrchestratorError as error:
            if error.code != "HF-4120":
                raise
        newest = list(self.server.pages("runs", {"all": "true"}, limit=1))[:1]
        hint = f"the newest is {newest[0]['run']}" if newest else "nothing was ever run here"
        raise UsageError(f"no run {number}", code="HF-1904", hint=hint)

    def words_of(self, run: int) -> list[str]:
        """Return the command that prints what the tools said in a run; none where no tool came to speak."""
        events = self.server.events(f"runs/{run}/logs", {"follow": "false"})
        return [f"holdfast logs {run}"] if any(event.kind == "message" for event in events) else []

    def read(self, make: Callable[[], _T]) -> _T:
        """Return what is made of what the service says. Raises Unreached (HF-4801) where it makes no sense."""
        with understood(self.server.url):
            return make()


@contextmanager
def asked(ctx: click.Context) -> Iterator[Far]:
    """Open the way to the service that HOLDFAST_URL names. Raises OrchestratorError."""
    wish = wish_of(ctx)
    if wish.ref:
        raise UsageError(
            "--ref: a service reads its sources at their newest revision",
            code="HF-1915",
            hint="in a checkout, without HOLDFAST_URL, any commit can be looked at",
        )
    server = Server(address=Address.of(os.environ))
    try:
        yield Far(server=server, wish=wish, screen=screen_of(ctx))
    finally:
        server.close()
