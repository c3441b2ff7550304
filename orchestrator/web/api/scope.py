"""What of all that is served somebody may see, and how a stack is found that the path names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Final

from fastapi import Depends, Query

from adapters.contract import AdapterError
from orchestrator.engine.outside import Outside, Reading
from orchestrator.engine.post import Post
from orchestrator.errors import OrchestratorError
from orchestrator.model.stack import StackKey
from orchestrator.ports import Level, Row
from orchestrator.rules.choosing import choose
from orchestrator.rules.rights import Identity, Right, allowed
from orchestrator.web.inside import Inside
from orchestrator.web.problems import Problem

#: So many words name stacks in one request.
_MOST_WORDS: Final = 200


@dataclass(frozen=True, kw_only=True)
class Spot:
    """One stack that the path named, with the source that it belongs to."""

    key: StackKey
    post: Post
    reading: Reading

    @property
    def outside(self) -> Outside:
        """Everything that the engine can touch."""
        return self.post.outside

    @cached_property
    def row(self) -> Row:
        """What the record knows of it."""
        return self.outside.record.row(str(self.key))


def spot(house: Inside, stack: str) -> Spot:
    """Return the stack of a full key that the gate has let through.

    Raises Problem: 404 where there is none, 503 where its source cannot be read just now.
    """
    key = StackKey.parse(stack)
    post = house.served.posts.get(key.source)
    reading = _read(house, post) if post else None
    if post is None or reading is None:
        raise Problem(404)
    found = Spot(key=key, post=post, reading=reading)
    if key not in reading.layout.stacks and (not found.row.state.version or found.row.state.moved_to):
        raise Problem(404)
    return found


def readings(house: Inside, source: str = "") -> Iterator[tuple[Post, Reading]]:
    """Yield each source (of that name) with its newest reading; one that cannot be read just now is left out."""
    for post in house.served.posts.every():
        if source and post.source.id != source:
            continue
        with suppress(Problem):
            if reading := _read(house, post):
                yield post, reading


def theirs(who: Identity, post: Post, reading: Reading) -> list[StackKey]:
    """Return the stacks of a source that are theirs to see, those that left it among them, sorted."""
    known = {*reading.layout.stacks, *_recorded(post)}
    return sorted(key for key in known if allowed(who, Right.VIEW, key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which stacks are meant, in the words of the command line."""

    #: Names, globs and selectors; none means all.
    which: tuple[str, ...] = ()
    environment: str = ""
    source: str = ""


def chosen(house: Inside, who: Identity, wanted: Wanted) -> tuple[StackKey, ...]:
    """Return the stacks in the sources that are meant, of those that are theirs to see.

    Raises UsageError (HF-1901, HF-1903) where there are none: what is not theirs is not there.
    """
    every = {
        key: stack
        for _, reading in readings(house, wanted.source)
        for key, stack in reading.layout.stacks.items()
        if allowed(who, Right.VIEW, key)
    }
    return choose(wanted.which, wanted.environment, every)


def known(house: Inside, who: Identity, source: str = "") -> list[StackKey]:
    """Return every stack that is theirs to see, those that left their source among them."""
    return sorted(key for post, reading in readings(house, source) for key in theirs(who, post, reading))


def wanted_of(
    which: Annotated[list[str], Query(max_length=_MOST_WORDS, description="Names, globs and selectors.")] = [],  # noqa: B006 -- FastAPI copies what is given here
    environment: Annotated[str, Query(max_length=256, description="Only stacks of this environment.")] = "",
    source: Annotated[str, Query(max_length=256, description="Only stacks of this source.")] = "",
) -> Wanted:
    """Return which stacks a request means."""
    return Wanted(which=tuple(which), environment=environment, source=source)


#: Which stacks a request means.
Which = Annotated[Wanted, Depends(wanted_of)]


def _recorded(post: Post) -> Iterator[StackKey]:
    for name in post.outside.record.versions(post.source.id):
        with suppress(ValueError):
            yield StackKey.parse(name)


def _read(house: Inside, post: Post) -> Reading | None:
    try:
        return house.newest.of(post)
    except (OrchestratorError, AdapterError) as error:
        mark = f"{post.source.id} {error.code} {error.message}"
        if not house.heard.knows(mark):
            house.heard.note(mark)
            house.journal.say(
                Level.WARNING, "a source cannot be shown", source=post.source.id, code=error.code, why=error.message
            )
        raise Problem(
            503, code=error.code, detail="its source cannot be read just now", headers={"retry-after": "10"}
        ) from error
