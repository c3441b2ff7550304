"""What the operator of this host decides: stores, credential sets, ceilings, sources. No library is needed for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from orchestrator.errors import ConfigError
from orchestrator.model.policy import Policy
from orchestrator.model.source import Source


class StoreKind(StrEnum):
    """The secret stores that this release reads."""

    #: Variables of Holdfast's own environment; for development.
    ENVIRONMENT = "environment"
    #: A directory made by systemd's LoadCredential.
    CREDENTIALS = "credentials"
    #: A folder with one file per secret.
    FILES = "files"


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """One secret store."""

    kind: StoreKind
    #: A folder, or of the environment the prefix of its variables.
    location: str
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialSet:
    """What a tool may use, and which stacks may use it."""

    name: str
    #: Variable -> value, which may hold ``${secret:path}``.
    environment: Mapping[str, str] = field(default_factory=dict)
    #: Variables passed on from Holdfast's own environment.
    passed: tuple[str, ...] = ()
    #: Globs over ``source/name@environment``.
    granted_to: tuple[str, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """The most that stacks of one environment (``*``: of all) may do by themselves."""

    policy: Policy
    where: str


class Sandbox(StrEnum):
    """What a tool is shut into."""

    NONE = "none"
    BWRAP = "bwrap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """The operator's file. Without one, every default below counts."""

    file: str = ""
    #: The first that knows a name wins.
    stores: tuple[Store, ...] = ()
    credentials: Mapping[str, CredentialSet] = field(default_factory=dict)
    #: Environment -> ceiling.
    ceilings: Mapping[str, Ceiling] = field(default_factory=dict)
    #: Team -> its members. Only the operator says who is in a team: a repository would let itself in.
    teams: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    #: Name of the secret that encrypts at rest, empty where Holdfast keeps a key of its own.
    encryption_secret: str = ""
    sandbox: Sandbox = Sandbox.NONE
    #: What was read and has no effect yet.
    notices: tuple[ConfigError, ...] = ()

    def teams_of(self, person: str) -> tuple[str, ...]:
        """Return the teams that vouch for a person, sorted."""
        return tuple(sorted(team for team, members in self.teams.items() if person in members))
