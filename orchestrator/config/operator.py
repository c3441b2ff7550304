"""What the operator of this host decides: stores, credential sets, ceilings, sources. No library is needed for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from orchestrator.errors import ConfigError
from orchestrator.model.forge import ForgeKind, ForgePlace
from orchestrator.model.policy import Policy
from orchestrator.model.reference import secret_references
from orchestrator.model.source import Source
from orchestrator.model.workers import Workers
from orchestrator.nearest import did_you_mean
from orchestrator.rules.rights import Role

#: Where the operator's file is looked for after ``$HOLDFAST_CONFIG``, the person's own first.
_FILES: Final = ("{config}/holdfast/holdfast.yaml", "/etc/holdfast/holdfast.yaml")
#: What to do where none is there, and something was asked for that only it can say.
NO_FILE: Final = "no operator's file was found: name it with HOLDFAST_CONFIG, or put it at /etc/holdfast/holdfast.yaml"
#: Where the service answers unless somebody says otherwise: to this host alone.
LISTEN: Final = "127.0.0.1:8080"
#: What stands there of a service that answers nobody.
NOWHERE: Final = "off"


class StoreKind(StrEnum):
    """The secret stores that this release reads."""

    #: Variables of Holdfast's own environment; for development.
    ENVIRONMENT = "environment"
    #: A directory made by systemd's LoadCredential.
    CREDENTIALS = "credentials"
    #: A folder with one file per secret.
    FILES = "files"
    #: Files that sops encrypted.
    SOPS = "sops"
    #: The KV engine of Vault or OpenBao.
    VAULT = "vault"
    #: The Parameter Store of AWS.
    AWS_SSM = "aws_ssm"


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultPlace:
    """Where in a Vault secrets are, and how one is let in."""

    mount: str
    path: str
    #: ``token`` or ``approle``.
    auth: str
    #: Each may be a ``${secret:name}`` of a store above; empty takes ``$VAULT_TOKEN``, ``_ROLE_ID``, ``_SECRET_ID``.
    token: str = ""
    role_id: str = ""
    secret_id: str = ""
    namespace: str = ""
    #: File of the authorities that may vouch for the address; empty takes the system's.
    ca: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """One secret store."""

    kind: StoreKind
    #: A folder; of the environment and of AWS a prefix; of Vault its address.
    location: str
    #: Of sops: absolute paths, with ``*``.
    files: tuple[str, ...] = ()
    vault: VaultPlace | None = None
    #: Of AWS.
    region: str = ""
    #: Globs over ``source/name@environment``: whose inputs and settings may read it.
    granted_to: tuple[str, ...] = ("*",)
    #: Whether what a pull request proposes may read it, too.
    pull_requests: bool = False
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
    #: Whether what a pull request proposes may be planned with it, too: keys that can only read.
    pull_requests: bool = False
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """The most that stacks of one environment (``*``: of all) may do by themselves."""

    policy: Policy
    where: str


class HookKind(StrEnum):
    """Who speaks: each signs and says things in a way of its own."""

    GITHUB = "github"
    GITLAB = "gitlab"
    #: Forgejo, too.
    GITEA = "gitea"
    BITBUCKET = "bitbucket"
    #: Whoever keeps to https://www.standardwebhooks.com.
    GENERIC = "generic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """Who may say by a webhook that a source is to be looked at."""

    kind: HookKind
    #: Names of the secrets that count; several while one takes another's place.
    secrets: tuple[str, ...]


class Sandbox(StrEnum):
    """What a tool is shut into."""

    NONE = "none"
    BWRAP = "bwrap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """Who is told of what happens, and of which of it."""

    #: Tells it from every other; its place in the record is kept under it.
    name: str
    #: Name of the secret that holds the receiver's URL.
    to_secret: str
    #: Globs over kinds of happenings; None takes those that ask for somebody.
    on: tuple[str, ...] | None = None
    #: Globs over ``source/name@environment``.
    stacks: tuple[str, ...] = ("*",)
    #: So many seconds what happens is gathered before it is sent.
    gather_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Which program is sent events."""

    name: str
    url: str
    #: Name of the secret that they are signed with.
    secret: str
    stacks: tuple[str, ...] = ("*",)
    #: Whether they may go over the network in clear.
    allow_http: bool = False


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
    #: Name -> kind of the sources that only a later release can read.
    later_sources: Mapping[str, str] = field(default_factory=dict)
    #: Where the service keeps all that is its own; None leaves it to whoever starts it.
    home: Path | None = None
    #: ``address:port`` that the service answers at, or ``off``.
    listen: str = LISTEN
    #: What people and hooks call the service by from outside, without a slash at its end; empty where nobody does.
    external_url: str = ""
    #: Source -> who may have it looked at.
    hooks: Mapping[str, Hook] = field(default_factory=dict)
    #: Source -> where its pull requests live.
    forges: Mapping[str, ForgePlace] = field(default_factory=dict)
    #: Kind of forge -> login in small letters -> name in the record. Only the operator says who somebody is.
    people: Mapping[ForgeKind, Mapping[str, str]] = field(default_factory=dict)
    #: Role -> what its bearers may do, beside the built-in ones.
    roles: Mapping[str, Role] = field(default_factory=dict)
    #: Whether /metrics asks for no token.
    metrics_open: bool = False
    #: Whose word about where a request comes from counts.
    trusted_proxies: tuple[str, ...] = ()
    workers: Workers = field(default_factory=Workers)
    #: URL of the record's database, which may hold ``${secret:name}``; empty keeps it in a file of the home.
    database: str = ""
    #: Name of the secret that encrypts at rest, empty where Holdfast keeps a key of its own.
    encryption_secret: str = ""
    sandbox: Sandbox = Sandbox.NONE
    #: What every tool in the sandbox may read besides.
    readable: tuple[Path, ...] = ()
    #: Where Terraform keeps providers for all stacks, None where each stack has its own.
    plugin_cache: Path | None = None
    notify: tuple[Notify, ...] = ()
    events: tuple[Events, ...] = ()
    #: What was read and has no effect yet.
    notices: tuple[ConfigError, ...] = ()

    @property
    def many_hosts(self) -> bool:
        """Whether the record lies where several hosts can share it."""
        return self.database.startswith("postgresql")

    def teams_of(self, person: str) -> tuple[str, ...]:
        """Return the teams that vouch for a person, sorted."""
        # As in `rules.consent`: nobody is put out of a team by a capital letter.
        wanted = person.lower()
        return tuple(sorted(team for team, members in self.teams.items() if wanted in map(str.lower, members)))

    def person_at(self, source: str, login: str) -> str:
        """Return by which name the record knows somebody whom a source's forge knows by ``login``; empty for nobody."""
        place = self.forges.get(source)
        return self.people.get(place.kind, {}).get(login.lower(), "") if place else ""

    def reserved_secrets(self) -> frozenset[str]:
        """Return the names of the secrets that are for the operator's own use and for credential sets."""
        named = {name for one in self.credentials.values() for name in secret_references(one.environment)}
        named |= set(secret_references({"database": self.database}))
        for place in (store.vault for store in self.stores if store.vault):
            named |= set(secret_references({"in": [place.token, place.role_id, place.secret_id]}))
        named |= {name for hook in self.hooks.values() for name in hook.secrets}
        named |= {one.token_secret for one in self.forges.values()}
        apps = (*(one.app for one in self.forges.values()), *(one.app for one in self.sources))
        named |= {app.key_secret for app in apps if app}
        named |= {one.to_secret for one in self.notify} | {one.secret for one in self.events}
        own = {self.encryption_secret, *(source.token_secret for source in self.sources)}
        return frozenset((named | own) - {""})

    def source(self, name: str) -> Source:
        """Return the source of that name. Raises ConfigError: HF-1052, or HF-1050 where it cannot be read yet."""
        for one in self.sources:
            if one.id == name:
                return one
        if name in self.later_sources:
            raise ConfigError(
                f"the source {name} is of the kind {self.later_sources[name]}: not supported yet",
                code="HF-1050",
                where=self.file,
                hint="use a git or directory source",
            )
        known = [*(one.id for one in self.sources), *self.later_sources]
        lacking = "declare it under sources: in the operator's file" if self.file else NO_FILE
        there = f"there are: {', '.join(known)}" if known else lacking
        hint = did_you_mean(name, known) or there
        raise ConfigError(f'no source "{name}"', code="HF-1052", where=self.file, hint=hint)


def operator_of(environment: Mapping[str, str]) -> Operator:
    """Return what the operator of this host decides, by the first of their files that is there.

    Raises ConfigError with every error of the file aboard.
    """
    config = environment.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    named = environment.get("HOLDFAST_CONFIG", "")
    candidates = [named] if named else [path.format(config=config) for path in _FILES]
    for candidate in candidates:
        if named or Path(candidate).is_file():
            # The libraries behind it take longer to import than most commands take to run.
            from orchestrator.config.operator_reading import read_operator  # noqa: PLC0415

            return _here(read_operator(Path(candidate), environment), environment)
    return _here(Operator(), environment)


def _here(operator: Operator, environment: Mapping[str, str]) -> Operator:
    """Have a build service say where providers are kept from run to run, unless the file does."""
    kept = environment.get("HOLDFAST_PLUGIN_CACHE", "")
    return replace(operator, plugin_cache=Path(kept)) if kept and operator.plugin_cache is None else operator
