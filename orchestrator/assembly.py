"""Builds everything. The only module that knows every concrete part; the environment is handed to it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from adapters.contract import Json
from orchestrator.config.load import Given, StackFiles
from orchestrator.config.operator import Operator, StoreKind, VaultPlace
from orchestrator.config.operator import Sandbox as SandboxKind
from orchestrator.config.operator import Store as DeclaredStore
from orchestrator.effects.agenda_local import LocalAgenda
from orchestrator.effects.artifacts import FolderArtifacts
from orchestrator.effects.attempts import KeptAttempts
from orchestrator.effects.clock import SystemClock
from orchestrator.effects.credentials import CredentialSet, GrantedCredentials
from orchestrator.effects.database import Database
from orchestrator.effects.encryption import Cipher, keys_at
from orchestrator.effects.failpoints import Failpoint, armed
from orchestrator.effects.home import make_home
from orchestrator.effects.lineage import Lineage
from orchestrator.effects.plugins import InstalledAdapters
from orchestrator.effects.process import quick
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_schema import open_database
from orchestrator.effects.rotation import Rotation
from orchestrator.effects.running import Running
from orchestrator.effects.sandbox import Sandbox
from orchestrator.effects.secrets import (
    PREFIX,
    EnvironmentStore,
    FileStore,
    Remembering,
    Shelf,
    Store,
    StoreSecrets,
    SystemdStore,
)
from orchestrator.effects.secrets_sops import SopsStore
from orchestrator.effects.secrets_ssm import ParameterStore
from orchestrator.effects.secrets_vault import VaultStore
from orchestrator.effects.shells import FAILPOINT, ToolShells
from orchestrator.effects.sources import VersionedSources
from orchestrator.effects.whereabouts import Whereabouts
from orchestrator.effects.witness_cloudtrail import CloudTrail
from orchestrator.effects.witness_history import HistoryWitness
from orchestrator.effects.working_tree import WorkingTree
from orchestrator.effects.workspaces import LaidWorkspaces
from orchestrator.effects.wrapped_keys import WrappedKeys
from orchestrator.engine.outside import Outside, Reading, read_at
from orchestrator.engine.renaming import follow_renames
from orchestrator.engine.watch import NO_RUN, last_good, read_source
from orchestrator.errors import RevisionRejected, SecretMissing, UsageError
from orchestrator.model.reference import fill
from orchestrator.model.source import Source, SourceKind, Verify
from orchestrator.model.stack import StackKey

#: Settings that a variable of our own environment can give.
_SETTINGS: Final = {"timeout": "HOLDFAST_TIMEOUT", "retries": "HOLDFAST_RETRIES"}
#: What lets somebody into Vault -> the variable that everybody keeps it in.
_LETS_IN: Final = {"token": "VAULT_TOKEN", "role_id": "VAULT_ROLE_ID", "secret_id": "VAULT_SECRET_ID"}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One source on this host, with everything that the engine can touch."""

    outside: Outside
    source: Source
    home: Path
    #: Who asks: the e-mail address of the person's git, else their login name.
    actor: str
    operator: Operator
    secrets: StoreSecrets
    record: SqlRecord
    #: Vouches for what leaves the record.
    cipher: Cipher
    rotation: Rotation
    running: Running
    _sources: VersionedSources
    _working_tree: WorkingTree | None

    def read(self, *, ref: str = "", dirty: bool = False) -> Reading:
        """Read the source at its newest revision, at ``ref``, or the files alone as they lie there.

        What has gone from the source at its newest revision is recorded on the way. Raises OrchestratorError.
        """
        if dirty:
            self._check_dirty()
        if dirty and self._working_tree:
            # Whatever HEAD holds, nobody asked about it.
            revision = self._working_tree.revision(self.source, self._sources.objects(self.source))
            tree = self.outside.sources.tree(self.source, revision.id)
            layout = self.outside.layouts.at(self.source, revision, tree)
            track = f"tree/{revision.short}"
            return Reading(source=self.source, revision=revision, tree=tree, layout=layout, track=track)
        return self.at(ref) if ref else read_source(self.outside, self.source)

    def last_good(self) -> Reading | None:
        """Read the source at the revision that could be read last, None where none ever could."""
        return last_good(self.outside, self.source)

    def _check_dirty(self) -> None:
        """Refuse to look at files that lie in no checkout, or that nobody has signed where a signature is asked for."""
        if self.source.kind is SourceKind.GIT and self._working_tree is None:
            raise UsageError(
                f"source {self.source.id} is read without a checkout: it has no files that are not committed",
                code="HF-1921",
                hint="leave out --dirty, or run the command in a checkout without --source",
            )
        if self.source.verify is Verify.SIGNED:
            raise RevisionRejected(
                f"source {self.source.id} asks for signed commits, and files that are not committed bear no signature",
                code="HF-3016",
                hint="commit and sign them, then plan without --dirty",
            )

    def take_over(self, reading: Reading) -> tuple[tuple[StackKey, StackKey], ...]:
        """Carry over what stacks left that the reading has under a new name; returns each old and new name."""
        return follow_renames(self.outside, reading, NO_RUN)

    def at(self, name: str) -> Reading:
        """Read the source at a revision, in any words that git has for it in the checkout: ``HEAD~1``, a tag, an id."""
        commit = self._working_tree.commit(name) if self._working_tree else ""
        return read_at(self.outside, self.source, commit or name)

    @property
    def dirty(self) -> bool:
        """Whether files lie there that are in no commit."""
        return self._working_tree is not None and self._working_tree.is_dirty()


@contextmanager
def open_world(where: Whereabouts, operator: Operator) -> Iterator[World]:
    """Open the world that `Whereabouts` found on the host of ``operator``. Raises OrchestratorError."""
    outer, home, source, checkout = dict(where.outer), where.home, where.source, where.checkout
    make_home(home)
    lineage = Lineage(home=home, source=source.id, marks=where.marks)
    lineage.check(source.location)
    actor = where.email() or _login(outer)
    clock = SystemClock()
    database = open_database(_database_url(operator, home, outer))
    record = SqlRecord(database=database, clock=clock, actor=actor)
    secrets = StoreSecrets(shelves=_shelves(operator, outer), key=record.key(), reserved=operator.reserved_secrets())
    failpoint = Failpoint.read(outer.get(FAILPOINT, ""))
    sources = VersionedSources(home=home, outer=outer, run=quick, secrets=secrets)
    wanted = operator.sandbox is SandboxKind.BWRAP
    sandbox = Sandbox.find(outer.get("PATH", ""), operator.readable) if wanted else None
    credentials = _credentials(operator, secrets, outer)
    own = _own_secrets(operator, outer)
    shells = ToolShells(
        home=home,
        clock=clock,
        outer=outer,
        sandbox=sandbox,
        caches=(operator.plugin_cache,) if operator.plugin_cache else (),
        known=lambda: (*own, *credentials.secrets_at_large()),
    )
    shells.sweep()
    attempts = KeptAttempts(home=home, clock=clock)
    attempts.sweep(lambda: _attempts_in_use(record))
    workspaces = LaidWorkspaces(home=home, lineage=lineage)
    workspaces.sweep(lambda: _stacks_in_use(record))
    running = Running(home=home)
    for number in running.forsaken():
        record.close_run(number)
    keys = _wrapped_keys(operator, database, home, secrets)
    cipher = Cipher(read_keys=keys.keys, former=keys.outer)
    artifacts = FolderArtifacts(folder=home / "artifacts", cipher=cipher)
    own_file = None if operator.encryption_secret else home / "key"
    rotation = Rotation(keys=keys, artifacts=artifacts, file=own_file, home=home)
    outside = Outside(
        record=armed(record, "record", failpoint),
        artifacts=armed(artifacts, "artifacts", failpoint),
        agenda=LocalAgenda(database=database, clock=clock),
        sources=armed(sources, "sources", failpoint),
        layouts=StackFiles(
            operator=operator, given=_given(outer), remembered=record.remembered, remember=record.remember
        ),
        workspaces=armed(workspaces, "workspaces", failpoint),
        attempts=armed(attempts, "attempts", failpoint),
        shells=armed(shells, "shells", failpoint),
        adapters=InstalledAdapters(given=_given_to_tools(operator, outer)),
        secrets=secrets,
        credentials=credentials,
        clock=clock,
        witnesses=(CloudTrail(), HistoryWitness(record=record)),
    )
    try:
        yield World(
            outside=outside,
            source=source,
            home=home,
            actor=actor,
            operator=operator,
            secrets=secrets,
            record=record,
            cipher=cipher,
            rotation=armed(rotation, "rotation", failpoint),
            running=running,
            _sources=sources,
            _working_tree=checkout,
        )
    finally:
        database.close()


def _database_url(operator: Operator, home: Path, outer: Mapping[str, str]) -> str:
    if not operator.database:
        return f"sqlite:///{home}/record.db"
    # Where the record lies cannot depend on the record's key, by which versions of secrets are told apart.
    secrets = StoreSecrets(shelves=_shelves(operator, outer), key=b"")
    return str(
        fill(operator.database, lambda inside: quote(secrets.get(inside.removeprefix("secret:")).value, safe=""))
    )


def _attempts_in_use(record: SqlRecord) -> set[str]:
    """Return the folders of the attempts that are at work or of unknown end."""
    states = [row.state for row in record.rows()]
    unknown = [state.unknown.attempt for state in states if state.unknown]
    return {attempt.folder for attempt in (*(state.applying for state in states), *unknown) if attempt}


def _stacks_in_use(record: SqlRecord) -> list[StackKey]:
    """Return the stacks whose tool may be at work without its worker."""
    return [StackKey.parse(row.key) for row in record.rows() if row.state.applying or row.state.unknown]


def _login(outer: Mapping[str, str]) -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return outer.get("USER", "somebody")


def _shelves(operator: Operator, outer: Mapping[str, str]) -> tuple[Shelf, ...]:
    if operator.stores:
        found: tuple[Shelf, ...] = ()
        for one in operator.stores:
            # Outside of systemd there is no folder of its credentials.
            if one.location or one.kind is StoreKind.ENVIRONMENT:
                # What lets us into a store is looked for in those above it.
                above = StoreSecrets(shelves=found, key=b"")
                shelf = Shelf(store=_store(one, outer, above), stacks=one.granted_to, foreign=one.pull_requests)
                found = (*found, shelf)
        return found
    given = outer.get("CREDENTIALS_DIRECTORY", "")
    systemd = (Shelf(store=SystemdStore(folder=Path(given))),) if given else ()
    return (*systemd, Shelf(store=EnvironmentStore(environ=outer)))


def _own_secrets(operator: Operator, outer: Mapping[str, str]) -> tuple[str, ...]:
    """Return every value of our own environment that is a secret by the name of its variable."""
    given = (one.location for one in operator.stores if one.kind is StoreKind.ENVIRONMENT and one.location)
    prefixes = (PREFIX, *given)
    known = tuple(value for name, value in outer.items() if name.startswith(prefixes))
    return (*known, *(outer[name] for name in _LETS_IN.values() if outer.get(name)))


def _store(one: DeclaredStore, outer: Mapping[str, str], above: StoreSecrets) -> Store:
    match one.kind:
        case StoreKind.CREDENTIALS:
            return SystemdStore(folder=Path(one.location))
        case StoreKind.FILES:
            return FileStore(folder=Path(one.location))
        case StoreKind.ENVIRONMENT:
            return EnvironmentStore(environ=outer, prefix=one.location or PREFIX)
        case StoreKind.SOPS:
            return Remembering(lambda: SopsStore(globs=one.files, environ=outer))
        case StoreKind.AWS_SSM:
            return Remembering(lambda: ParameterStore(prefix=one.location, region=one.region))
        case StoreKind.VAULT:
            return Remembering(lambda: _vault(one, outer, above))


def _vault(one: DeclaredStore, outer: Mapping[str, str], above: StoreSecrets) -> VaultStore:
    place = one.vault or VaultPlace(mount="", path="", auth="token")

    def login() -> Mapping[str, str]:
        wanted = {"token": place.token} if place.auth == "token" else {}
        wanted |= {"role_id": place.role_id, "secret_id": place.secret_id} if place.auth == "approle" else {}
        given = {name: text or outer.get(_LETS_IN[name], "") for name, text in wanted.items()}
        for name, text in given.items():
            if not text:
                raise SecretMissing(
                    f"nothing lets Holdfast into {one.location}: there is no {name}",
                    code="HF-4403",
                    hint=f"set {_LETS_IN[name]}, or say {name}: of the store in the operator's file",
                )
        return {
            name: str(fill(text, lambda inside: above.get(inside.removeprefix("secret:")).value))
            for name, text in given.items()
        }

    return VaultStore(
        address=one.location,
        mount=place.mount,
        path=place.path,
        login=login,
        namespace=place.namespace,
        ca=place.ca,
    )


def _wrapped_keys(operator: Operator, database: Database, home: Path, secrets: StoreSecrets) -> WrappedKeys:
    name = operator.encryption_secret
    if not name:
        return WrappedKeys(database=database, outer=lambda: keys_at(home / "key"))
    return WrappedKeys(database=database, outer=lambda: tuple(secrets.get(name).value.encode().split()), secret=name)


def _credentials(operator: Operator, secrets: StoreSecrets, outer: Mapping[str, str]) -> GrantedCredentials:
    sets = {
        name: CredentialSet(environment=one.environment, passed=one.passed, stacks=one.granted_to)
        for name, one in operator.credentials.items()
    }
    return GrantedCredentials(sets=sets, secrets=secrets, environ=outer)


def _given(outer: Mapping[str, str]) -> tuple[Given, ...]:
    """Return the settings that our own environment gives above every file."""
    return tuple(
        Given(setting=setting, value=outer[variable], origin=variable)
        for setting, variable in _SETTINGS.items()
        if outer.get(variable)
    )


def _given_to_tools(operator: Operator, outer: Mapping[str, str]) -> Mapping[str, Mapping[str, Json]]:
    """Return what this host says about tools: where Terraform installs providers from, and where it keeps them."""
    config, cache = outer.get("TF_CLI_CONFIG_FILE", ""), operator.plugin_cache
    given: dict[str, Json] = {"cli_config_file": config} if config else {}
    given |= {"plugin_cache": str(cache)} if cache else {}
    return {"terraform": given, "opentofu": given}
