"""What every source on this host shares: the record, the stores, the shells. Built once, whoever asks."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import quote

from adapters.contract import Json
from orchestrator.assembly.forges import OperatorForges
from orchestrator.assembly.stores import own_secrets, shelves
from orchestrator.config.load import Given, StackFiles
from orchestrator.config.operator import Operator
from orchestrator.config.operator import Sandbox as SandboxKind
from orchestrator.effects.agenda import LEASE, open_agenda
from orchestrator.effects.answers import Answers
from orchestrator.effects.artifacts import FolderArtifacts
from orchestrator.effects.artifacts_shared import SharedArtifacts
from orchestrator.effects.attempts import KeptAttempts
from orchestrator.effects.clock import SystemClock, clock_of
from orchestrator.effects.credentials import CredentialSet, GrantedCredentials
from orchestrator.effects.database import Database
from orchestrator.effects.directory import to_nobody
from orchestrator.effects.encryption import Cipher, keys_at
from orchestrator.effects.failpoints import Failpoint, armed
from orchestrator.effects.home import make_home
from orchestrator.effects.lineage import Lineage
from orchestrator.effects.plugins import InstalledAdapters
from orchestrator.effects.process import quick
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_schema import open_database
from orchestrator.effects.redact import Redactor, visible
from orchestrator.effects.rotation import Rotation
from orchestrator.effects.running import Running
from orchestrator.effects.sandbox import Sandbox
from orchestrator.effects.secrets import StoreSecrets
from orchestrator.effects.shells import FAILPOINT, ToolShells
from orchestrator.effects.sources import VersionedSources
from orchestrator.effects.tokens import Tokens
from orchestrator.effects.witness_cloudtrail import CloudTrail
from orchestrator.effects.witness_history import HistoryWitness
from orchestrator.effects.workflow import ephemeral
from orchestrator.effects.workspaces import LaidWorkspaces
from orchestrator.effects.wrapped_keys import WrappedKeys
from orchestrator.engine.outside import Outside
from orchestrator.errors import ConfigError
from orchestrator.model.reference import fill
from orchestrator.model.stack import StackKey
from orchestrator.ports import Agenda, Clock

#: Settings that a variable of our own environment can give.
_SETTINGS: Final = {"timeout": "HOLDFAST_TIMEOUT", "retries": "HOLDFAST_RETRIES"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One home on this host, opened."""

    home: Path
    operator: Operator
    actor: str
    record: SqlRecord
    running: Running
    sources: VersionedSources
    #: Where the pull requests of sources live.
    forges: OperatorForges
    _outer: Mapping[str, str]
    _agenda: Agenda
    _database: Database
    _clock: Clock
    _secrets: StoreSecrets
    _failpoint: Failpoint | None

    def outside(self, source: str, marks: Callable[[], frozenset[str]]) -> Outside:
        """Return everything that the engine can touch for one source; ``marks``: see `lineage`."""
        operator, failpoint, home, record = self.operator, self._failpoint, self.home, self.record
        workspaces = LaidWorkspaces(home=home, lineage=Lineage(home=home, source=source, marks=marks))
        return Outside(
            record=armed(record, "record", failpoint),
            artifacts=armed(self._artifacts(), "artifacts", failpoint),
            agenda=self._agenda,
            sources=armed(self.sources, "sources", failpoint),
            layouts=StackFiles(
                operator=operator, given=_given(self._outer), remembered=record.remembered, remember=record.remember
            ),
            workspaces=armed(workspaces, "workspaces", failpoint),
            # Their folders bear the times of this host's file system.
            attempts=armed(KeptAttempts(home=home, clock=SystemClock()), "attempts", failpoint),
            shells=armed(self._shells(), "shells", failpoint),
            adapters=InstalledAdapters(given=_given_to_tools(operator, self._outer)),
            secrets=self._secrets,
            credentials=self._credentials,
            clock=self._clock,
            running=self.running,
            shared=operator.many_hosts,
            forgetful=ephemeral(self._outer, shared=operator.many_hosts),
            people=operator,
            witnesses=(CloudTrail(), HistoryWitness(record=record)),
        )

    @property
    def agenda(self) -> Agenda:
        """Who works on what, and when: one for every source."""
        return self._agenda

    @property
    def tokens(self) -> Tokens:
        """By what people and programs are known."""
        return Tokens(record=self.record)

    @property
    def answers(self) -> Answers:
        """What was answered to requests that bear a key."""
        return Answers(database=self.record.database, clock=self._clock)

    def own_secret(self, name: str) -> str:
        """Return a secret that is for the service itself. Raises SecretMissing."""
        return self._secrets.get(name).value

    @property
    def clock(self) -> Clock:
        """What time it is, for everybody who shares the record."""
        return self._clock

    def masker(self) -> Callable[[str], str]:
        """Return what hides in texts all that this host knows to be secret now, and what would move a terminal.

        Waits for no store: the loop itself speaks here. What none of us was ever told is in no text of ours.
        """
        quick = _credentials(self.operator, self._secrets.at_hand(), self._outer).secrets_at_large()
        redactor = Redactor((*own_secrets(self.operator, self._outer), *quick, *self._secrets.told()))
        return lambda text: visible(redactor.mask(text))

    def under(self, operator: Operator) -> Host:
        """Return the same home under another operator's file."""
        secrets = StoreSecrets(
            shelves=shelves(operator, self._outer), key=self.record.key(), reserved=operator.reserved_secrets()
        )
        forges = OperatorForges(operator, lambda name: secrets.get(name).value, self._outer)
        sources = VersionedSources(
            home=self.home, outer=self._outer, run=quick, secrets=secrets, app_token=forges.fetching
        )
        return replace(self, operator=operator, sources=sources, forges=forges, _secrets=secrets)

    def sweep(self) -> None:
        """Remove what killed workers left behind, and say of their runs that they are over."""
        record = self.record
        self._shells().sweep()
        KeptAttempts(home=self.home, clock=SystemClock()).sweep(lambda: _attempts_in_use(record))
        # Of every source alike: no lineage is asked for.
        nobody = Lineage(home=self.home, source="", marks=frozenset)
        LaidWorkspaces(home=self.home, lineage=nobody).sweep(lambda: _stacks_in_use(record))
        for number in self.running.forsaken():
            record.close_run(number)

    @property
    def secrets(self) -> StoreSecrets:
        """The secret stores."""
        return self._secrets

    @property
    def cipher(self) -> Cipher:
        """What encrypts at rest, and vouches for what leaves the record."""
        keys = self._keys()
        return Cipher(read_keys=keys.keys, former=keys.outer)

    @property
    def rotation(self) -> Rotation:
        """The steps that exchange the outer key."""
        own_file = None if self.operator.encryption_secret else self.home / "key"
        rotation = Rotation(keys=self._keys(), artifacts=self._artifacts(), file=own_file, home=self.home)
        return armed(rotation, "rotation", self._failpoint)

    def _keys(self) -> WrappedKeys:
        return _wrapped_keys(self.operator, self._database, self.home, self._secrets)

    def _artifacts(self) -> FolderArtifacts | SharedArtifacts:
        if self.operator.many_hosts:
            return SharedArtifacts(database=self._database, cipher=self.cipher)
        return FolderArtifacts(folder=self.home / "artifacts", cipher=self.cipher)

    @property
    def _credentials(self) -> GrantedCredentials:
        return _credentials(self.operator, self._secrets, self._outer)

    def _known_secrets(self) -> tuple[str, ...]:
        """Return what to mask wherever it could be seen; asks the stores."""
        asked = (*own_secrets(self.operator, self._outer), *self._credentials.secrets_at_large())
        return (*asked, *self._secrets.told())

    def _shells(self) -> ToolShells:
        operator, outer = self.operator, self._outer
        wanted = operator.sandbox is SandboxKind.BWRAP
        return ToolShells(
            home=self.home,
            clock=self._clock,
            outer=outer,
            sandbox=Sandbox.find(outer.get("PATH", ""), operator.readable) if wanted else None,
            caches=(operator.plugin_cache,) if operator.plugin_cache else (),
            known=self._known_secrets,
        )


@contextmanager
def open_host(
    home: Path,
    operator: Operator,
    outer: Mapping[str, str],
    *,
    actor: str = "",
    tell: Callable[[str], None] = to_nobody,
    key: bytes = b"",
) -> Iterator[Host]:
    """Open the home ``home`` for ``actor``, empty for who is logged in; ``tell`` hears of what takes long to read.

    ``key`` is what the record's own key must be, empty for what it is: see `open_database`.

    Raises OrchestratorError.
    """
    make_home(home)
    if operator.many_hosts and not operator.encryption_secret:
        raise ConfigError(
            "the record is in PostgreSQL for several hosts, and no key is named that all of them have",
            code="HF-1061",
            where=operator.file,
            hint='add encryption: {key: "${secret:data-key}"}; plans and inputs lie in the record, encrypted with it',
        )
    database = open_database(database_url(operator, home, outer), key=key)
    clock = clock_of(database)
    agenda = open_agenda(database, clock, lease_s=outer.get(LEASE, ""))
    try:
        record = SqlRecord(database=database, clock=clock, actor=actor or _login(outer))
        secrets = StoreSecrets(shelves=shelves(operator, outer), key=record.key(), reserved=operator.reserved_secrets())
        forges = OperatorForges(operator, lambda name: secrets.get(name).value, outer)
        yield Host(
            home=home,
            operator=operator,
            actor=record.actor,
            record=record,
            running=Running(home=home),
            sources=VersionedSources(
                home=home, outer=outer, run=quick, secrets=secrets, app_token=forges.fetching, tell=tell
            ),
            forges=forges,
            _outer=outer,
            _agenda=agenda,
            _database=database,
            _clock=clock,
            _secrets=secrets,
            _failpoint=Failpoint.read(outer.get(FAILPOINT, "")),
        )
    finally:
        agenda.close()
        database.close()


def database_url(operator: Operator, home: Path, outer: Mapping[str, str]) -> str:
    """Return the URL of the record's database, its secrets filled in. Raises SecretMissing."""
    if not operator.database:
        return f"sqlite:///{home}/record.db"
    # Where the record lies cannot depend on the record's key, by which versions of secrets are told apart.
    secrets = StoreSecrets(shelves=shelves(operator, outer), key=b"")
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


def _wrapped_keys(operator: Operator, database: Database, home: Path, secrets: StoreSecrets) -> WrappedKeys:
    name = operator.encryption_secret
    if not name:
        return WrappedKeys(database=database, outer=lambda: keys_at(home / "key"))
    return WrappedKeys(database=database, outer=lambda: tuple(secrets.get(name).value.encode().split()), secret=name)


def _credentials(operator: Operator, secrets: StoreSecrets, outer: Mapping[str, str]) -> GrantedCredentials:
    sets = {
        name: CredentialSet(
            environment=one.environment, passed=one.passed, stacks=one.granted_to, pull_requests=one.pull_requests
        )
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
    # What one host keeps on its disk another would not find.
    # Nor would the next run of a build service.
    passing = operator.many_hosts or ephemeral(outer, shared=False)
    given |= {"state_elsewhere": True} if passing else {}
    return {"terraform": given, "opentofu": given}
