"""Turns holdfast.yaml into an `Operator`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from orchestrator.config.layers import ceiling, flatten
from orchestrator.config.operator import (
    LISTEN,
    NOWHERE,
    Ceiling,
    CredentialSet,
    Operator,
    Sandbox,
    Store,
    StoreKind,
    VaultPlace,
)
from orchestrator.config.operator_forges import ForgeReading
from orchestrator.config.operator_reporting import ReportReading
from orchestrator.config.operator_schema import (
    GitKeys,
    OperatorFile,
    SopsKeys,
    SourceKeys,
    StoreKeys,
    VaultKeys,
    one_kind,
)
from orchestrator.config.operator_web import DoorReading
from orchestrator.config.reading import check, joined, raise_all, subject
from orchestrator.config.yamltree import Node, place, read
from orchestrator.errors import ConfigError
from orchestrator.model.source import EVERY_S, Source, SourceKind, Verify
from orchestrator.model.workers import Limit, Workers

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SECRET = re.compile(r"\$\{secret:([^{}\s]+)\}")
_SOURCES: Final = ("git", "directory", "s3", "azure_blob", "oci")
_STORES: Final = ("credentials", "files", "environment", "sops", "vault", "aws_ssm")
_LATER: Final = ("retention",)
_PORTS: Final = 65536
#: Polling more often is what hooks are for.
_SOONEST_S: Final = 5.0
#: Where what is in clear does not leave this host.
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
#: Variables that change what the tool is, rather than let it in.
_TAKES_OVER: Final = ("LD_*", "DYLD_*", "PATH", "PYTHONPATH", "PYTHONHOME", "GIT_SSH*", "TF_CLI_*", "TF_DATA_DIR")


def read_operator(path: Path, environment: Mapping[str, str]) -> Operator:
    """Read holdfast.yaml; ``${VARIABLE}`` in a store's folder comes from ``environment``.

    Raises ConfigError with every error aboard.
    """
    name = PurePosixPath(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {(error.strerror or 'unknown error').lower()}",
            code="HF-1020",
            where=str(path),
            hint="check the path and its permissions",
        ) from None
    node = read(content, name)
    found, errors = check(OperatorFile, node, name)
    if found is None:
        raise joined(errors)
    return _Reading(found, node, name, environment).run()


class _Reading:
    """One file on its way; keeps every error until the end."""

    def __init__(self, file: OperatorFile, node: Node, name: PurePosixPath, environment: Mapping[str, str]) -> None:
        self.keys, self.node, self.name, self.environment = file, node, name, environment
        self.errors: list[ConfigError] = []
        self.notices: list[ConfigError] = []
        self.later_sources: dict[str, str] = {}

    def run(self) -> Operator:
        keys = self.keys
        for key in _LATER:
            if getattr(keys, key) is not None:
                self._later(key, (key,))
        door = DoorReading(self._error, self._later)
        report = ReportReading(self._error, self._secret)
        forges = ForgeReading(self._error, self._secret, self.environment)
        found = Operator(
            file=str(self.name),
            stores=tuple(self._stores()),
            credentials={one.name: one for one in self._credentials()},
            ceilings=self._ceilings(),
            teams={name: tuple(members) for name, members in keys.teams.items()},
            sources=tuple(self._sources(forges)),
            later_sources=self.later_sources,
            home=self._folder(keys.home, ("home",)) if keys.home else None,
            listen=self._listen(),
            external_url=self._external_url(),
            hooks=door.hooks(keys.sources),
            forges=forges.forges(keys.sources),
            people=forges.people(keys.people),
            roles=door.roles(keys.auth, keys.teams),
            metrics_open=keys.metrics == "open",
            trusted_proxies=door.proxies(keys.trusted_proxies),
            workers=self._workers(),
            database=self._database(),
            encryption_secret=self._secret(keys.encryption.key, ("encryption", "key")) if keys.encryption else "",
            sandbox=Sandbox(keys.workers.sandbox),
            readable=tuple(
                self._folder(text, ("workers", "readable", n)) for n, text in enumerate(keys.workers.readable)
            ),
            plugin_cache=self._folder(keys.workers.plugin_cache, ("workers", "plugin_cache"))
            if keys.workers.plugin_cache
            else None,
            notify=tuple(report.notify(keys.notify)),
            events=tuple(report.events(keys.events)),
            notices=tuple(self.notices),
        )
        raise_all(self.errors)
        return found

    def _where(self, path: tuple[str | int, ...]) -> str:
        return place(self.name, *self.node.at(path).starts)

    def _error(self, message: str, path: tuple[str | int, ...], hint: str) -> None:
        self.errors.append(ConfigError(message, code="HF-1004", where=self._where(path), hint=hint))

    def _folder(self, text: str, path: tuple[str | int, ...]) -> Path:
        if not text.startswith("/"):
            self._error(f'"{text}" is no absolute path', path, "write the whole path: /var/cache/holdfast/plugins")
        return Path(text)

    def _later(self, what: str, path: tuple[str | int, ...]) -> None:
        message = f"{what}: not supported yet, it has no effect"
        self.notices.append(ConfigError(message, code="HF-1050", where=self._where(path)))

    def _kind(self, model: SourceKeys | StoreKeys, kinds: tuple[str, ...], path: tuple[str | int, ...]) -> str:
        try:
            return one_kind(model, kinds)
        except ValueError as error:
            self._error(f"{path[0]}[{path[1]}]: {error}", path, "write one entry for each")
            return ""

    def _stores(self) -> Iterator[Store]:
        for number, keys in enumerate(self.keys.secrets):
            path = ("secrets", number)
            kind = self._kind(keys, _STORES, path)
            if kind:
                found = self._store(StoreKind(kind), keys, (*path, kind))
                granted = ("*",) if keys.stacks is None else tuple(keys.stacks)
                yield replace(found, granted_to=granted, pull_requests=keys.pull_requests)

    def _store(self, kind: StoreKind, keys: StoreKeys, path: tuple[str | int, ...]) -> Store:
        where = self._where(path)
        if keys.sops:
            return Store(kind=kind, location=str(self.name), files=self._files(keys.sops, path), where=where)
        if keys.vault:
            place = self._vault(keys.vault, path)
            return Store(kind=kind, location=keys.vault.address.rstrip("/"), vault=place, where=where)
        if keys.aws_ssm:
            return Store(kind=kind, location=keys.aws_ssm.prefix, region=keys.aws_ssm.region, where=where)
        if keys.environment:
            return Store(kind=kind, location=keys.environment.prefix, where=where)
        return Store(kind=kind, location=self._expanded(getattr(keys, kind), path), where=where)

    def _files(self, keys: SopsKeys, path: tuple[str | int, ...]) -> tuple[str, ...]:
        """Return the globs from the root on: beside the operator's file, wherever a command is started."""
        given = [keys.files] if isinstance(keys.files, str) else keys.files
        if not all(given) or not given:
            self._error("sops: no files are named", path, 'write files: "secrets/*.enc.yaml"')
        return tuple(os.path.normpath(Path(self.name).absolute().parent / one) for one in given)

    def _vault(self, keys: VaultKeys, path: tuple[str | int, ...]) -> VaultPlace:
        host = urlsplit(keys.address).hostname or ""
        if keys.address.startswith("http://") and host not in _LOOPBACK:
            self._error("vault: a token would go over the network in clear", (*path, "address"), "write https://")
        for key in ("token", "secret_id"):
            if text := getattr(keys, key):
                self._secret(text, (*path, key))
        mount, _, below = keys.path.partition("/")
        return VaultPlace(
            mount=mount,
            path=below,
            auth=keys.auth,
            token=keys.token or "",
            role_id=keys.role_id or "",
            secret_id=keys.secret_id or "",
            namespace=keys.namespace,
            ca=self._absolute(keys.ca or "", (*path, "ca")),
        )

    def _expanded(self, text: str, path: tuple[str | int, ...]) -> str:
        """Fill in variables. A store whose variable is not set is empty: outside systemd there is no such directory."""
        return self._absolute(_VARIABLE.sub(lambda match: self.environment.get(match[1], ""), text), path)

    def _absolute(self, text: str, path: tuple[str | int, ...]) -> str:
        """Return a path that means the same from wherever a command is started."""
        if text and not text.startswith("/"):
            self._error(f'"{text}" is no absolute path', path, "write the path from the root on")
        return text

    def _workers(self) -> Workers:
        keys = self.keys.workers
        limits = tuple(
            Limit(stacks=one.stacks, at_once=one.at_once, drift_at_once=one.drift_at_once) for one in keys.limits
        )
        grace = {"grace_s": keys.grace} if keys.grace is not None else {}
        return Workers(count=keys.count, limits=limits, **grace)

    def _listen(self) -> str:
        given = self.keys.listen
        if given is None:
            return LISTEN
        if given == NOWHERE:
            return given
        host, colon, port = given.rpartition(":")
        if not (host and colon and port.isascii() and port.isdigit() and int(port) < _PORTS):
            self._error(f'"{given}" is no address and port', ("listen",), 'write "127.0.0.1:8080", or "[::1]:8080"')
        return given

    def _external_url(self) -> str:
        given = self.keys.external_url or ""
        if given and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", given):
            self._error(f'"{given}" is no URL', ("external_url",), 'write "https://holdfast.example.org"')
        return given.rstrip("/")

    def _database(self) -> str:
        """Return the URL of the database; a password in it does not stand in this file."""
        url = self.keys.database or ""
        login = url.partition("://")[2].rpartition("@")[0]
        if ":" in login and not _SECRET.search(login):
            self._error(
                "database: a password does not stand in this file",
                ("database",),
                "write postgresql://user:${secret:name}@host/name",
            )
        return url

    def _secret(self, text: str, path: tuple[str | int, ...]) -> str:
        found = _SECRET.fullmatch(text)
        if not found:
            self._error(f"{subject(path)}: a secret does not stand in this file", path, 'write "${secret:name}"')
            return ""
        return found[1]

    def _credentials(self) -> Iterator[CredentialSet]:
        for name, keys in self.keys.credentials.items():
            path = ("credentials", name)
            for later in ("assume_role", "oidc", "ssh_key"):
                if getattr(keys, later) is not None:
                    self._later(f"credentials.{name}.{later}", (*path, later))
            for variable in (*keys.environment, *keys.pass_):
                if any(fnmatchcase(variable.upper(), taken) for taken in _TAKES_OVER):
                    at = (*path, "environment", variable) if variable in keys.environment else (*path, "pass")
                    self._error(f"{variable} would take over the tool", at, "leave it out")
            yield CredentialSet(
                name=name,
                environment=dict(keys.environment),
                passed=tuple(keys.pass_),
                granted_to=tuple(keys.stacks),
                pull_requests=keys.pull_requests,
                where=self._where(path),
            )

    def _ceilings(self) -> dict[str, Ceiling]:
        found = {}
        for name, keys in self.keys.ceilings.items():
            node = self.node.at(("ceilings", name))
            where = f"{self.name}:{node.starts[0]} (ceiling)"
            found[name] = Ceiling(policy=ceiling(flatten(keys, node, self.name)), where=where)
        return found

    def _sources(self, forges: ForgeReading) -> Iterator[Source]:
        seen: set[str] = set()
        for number, keys in enumerate(self.keys.sources):
            path = ("sources", number)
            if keys.name in seen:
                self._error(f'two sources go by "{keys.name}"', path, "give one another name")
            seen.add(keys.name)
            kind = self._kind(keys, _SOURCES, path)
            if kind == "git" and keys.git:
                yield self._git(keys.name, keys.git, (*path, "git"), forges)
            elif kind == "directory" and keys.directory:
                location = self._absolute(keys.directory.path, (*path, "directory", "path"))
                yield Source(
                    id=keys.name,
                    kind=SourceKind.DIRECTORY,
                    location=location,
                    every_s=self._every(keys.directory.every, (*path, "directory")),
                    announced=keys.directory.watch is not False,
                )
            elif kind:
                self.later_sources[keys.name] = kind
                self._later(f"the source {kind}", (*path, kind))

    def _every(self, given: float | None, path: tuple[str | int, ...]) -> float:
        if given is None:
            return EVERY_S
        if given < _SOONEST_S:
            self._error("every: a source is looked at every 5s at most", (*path, "every"), "write 5s or more: 1m")
        return given

    def _git(self, name: str, keys: GitKeys, path: tuple[str | int, ...], forges: ForgeReading) -> Source:
        refs = [ref for ref in (keys.branch, keys.tag, keys.commit) if ref]
        if len(refs) > 1:
            self._error("only one of branch, tag and commit may be named", path, "keep one")
        auth, verify = keys.auth, keys.verify
        signers = (verify and verify.signers) or ()
        if verify and verify.cosign is not None:
            self._error("verify.cosign is for OCI artifacts", (*path, "verify", "cosign"), "write commits: signed")
        return Source(
            id=name,
            kind=SourceKind.GIT,
            location=keys.url,
            ref=refs[0] if refs else "",
            verify=Verify(verify.commits or "none") if verify else Verify.NONE,
            signers=tuple(self._absolute(one, (*path, "verify", "signers")) for one in signers),
            allow_rewrite=keys.allow_rewrite,
            every_s=self._every(keys.every, path),
            known_hosts=self._absolute((auth and auth.known_hosts) or "", (*path, "auth", "known_hosts")),
            ssh_key=self._absolute((auth and auth.ssh_key) or "", (*path, "auth", "ssh_key")),
            token_secret=self._secret(auth.token, (*path, "auth", "token")) if auth and auth.token else "",
            app=forges.fetching_app(keys, path),
        )
