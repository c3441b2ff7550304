"""Who may do what: roles, who bears them, and the one question that every door asks. Pure.

Everything that nobody granted is denied. A glob of a role is over the full key, ``source/name@environment``, where it
holds a slash, and else over ``name@environment`` in every source: which of the two is meant never depends on what
stacks are called.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from orchestrator.model.stack import StackKey


class Right(StrEnum):
    """What somebody may be let do."""

    VIEW = "view"
    PLAN = "plan"
    APPROVE = "approve"
    APPLY = "apply"
    UNLOCK = "unlock"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Rights, and over which stacks."""

    name: str
    rights: frozenset[Right]
    #: Globs over stacks; None is everything: every stack, every source and the service itself.
    stacks: tuple[str, ...] | None = None
    #: The team whose members bear it without being told so one by one; ``*`` is everybody who is known.
    group: str = ""


#: The roles that are there without anybody's file.
BUILT_IN: Final = {
    "admin": Role(name="admin", rights=frozenset(Right)),
    "view": Role(name="view", rights=frozenset({Right.VIEW})),
}


#: The group of a role that everybody bears who is known.
EVERYBODY: Final = "*"
#: What the name of everybody begins with who is no person, for all that is known.
_PROGRAM: Final = "token:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody whose word was proven, and the roles that they bear."""

    name: str
    roles: tuple[Role, ...] = ()
    #: Who that is, as the record names people; empty where nobody said so.
    person: str = ""

    @property
    def speaker(self) -> str:
        """Under which name their word counts: one person has one, through whichever door they come."""
        return self.person or self.name


@dataclass(frozen=True, slots=True)
class SourceName:
    """A source as something to act on."""

    name: str


def named_program(token: str) -> str:
    """Return what whoever bears a token is called where nobody said whose it is."""
    return _PROGRAM + token


def is_program(name: str) -> bool:
    """Whether nobody knows which person stands behind a name, if any does."""
    return name.startswith(_PROGRAM)


def allowed(who: Identity, right: Right, on: StackKey | SourceName | None) -> bool:
    """Whether ``who`` may do this to a stack, to a source, or (None) to everything that there is here."""
    return any(right in role.rights and _covers(role, right, on) for role in who.roles)


def allowed_somewhere(who: Identity, right: Right) -> bool:
    """Whether there can be anything at all that ``who`` may do this to: lists are then cut down to that."""
    return any(right in role.rights and (role.stacks is None or role.stacks) for role in who.roles)


def borne(names: Iterable[str], declared: dict[str, Role]) -> tuple[Role, ...]:
    """Return the roles of these names; one that nobody declares any more grants nothing."""
    known = {**declared, **BUILT_IN}
    return tuple(known[name] for name in names if name in known)


def of_teams(declared: Iterable[Role], teams: Iterable[str]) -> tuple[Role, ...]:
    """Return the roles that somebody bears because of the teams that they are in."""
    groups = {EVERYBODY, *teams}
    return tuple(role for role in declared if role.group in groups)


def _covers(role: Role, right: Right, on: StackKey | SourceName | None) -> bool:
    if role.stacks is None:
        return True
    match on:
        case StackKey():
            return any(_means(glob, on) for glob in role.stacks)
        case SourceName():
            # Who works with some of its stacks may see how it fares, and do nothing to it.
            named = [glob.partition("/")[0] for glob in role.stacks if "/" in glob]
            return right is Right.VIEW and any(fnmatchcase(on.name, glob) for glob in named)
        case None:
            return False


def _means(glob: str, key: StackKey) -> bool:
    if "/" not in glob:
        return fnmatchcase(f"{key.name}@{key.environment}", glob)
    source, _, rest = glob.partition("/")
    return fnmatchcase(key.source, source) and fnmatchcase(f"{key.name}@{key.environment}", rest)
