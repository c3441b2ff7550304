"""Credential sets: the operator says what each brings and who may have it; stacks only name them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from adapters.contract import Json
from orchestrator.errors import ConfigError, Denied, SecretMissing
from orchestrator.model.reference import fill, secret_references
from orchestrator.model.stack import StackKey
from orchestrator.nearest import did_you_mean
from orchestrator.ports import Secrets


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialSet:
    """One set as the operator wrote it."""

    #: Variable -> text, in which ``${secret:name}`` is filled in.
    environment: Mapping[str, str] = field(default_factory=dict)
    #: Variables of Holdfast's own environment that are handed on where they are set.
    passed: tuple[str, ...] = ()
    #: Globs over full stack keys that it is granted to; none grants it to nobody.
    stacks: tuple[str, ...] = ()
    #: Whether what a pull request proposes may be planned with it.
    pull_requests: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedCredentials:
    """`ports.Credentials` over the operator's sets."""

    sets: Mapping[str, CredentialSet]
    secrets: Secrets
    #: Holdfast's own environment, for what is passed on.
    environ: Mapping[str, str]

    def environment(self, name: str, stack: StackKey, *, foreign: bool = False) -> Mapping[str, str]:
        """Return the variables that the set brings. Every value is to be masked wherever it could be seen.

        ``foreign``: for code that a pull request proposes, which gets nothing of a set not granted to such code.

        Raises Denied (HF-4110) where it is not granted to the stack and (HF-4111) where there is no such set,
        SecretMissing, ConfigError where a value refers to anything but a secret.
        """
        granted = self._granted(name, stack)
        if foreign and not granted.pull_requests:
            return {}

        def look_up(inside: str) -> Json:
            kind, _, secret = inside.partition(":")
            if kind != "secret":
                raise ConfigError(
                    f"${{{inside}}} cannot stand in credential set {name}", hint="only ${secret:NAME} can stand there"
                )
            return self.secrets.get(secret).value

        found = {variable: self.environ[variable] for variable in granted.passed if variable in self.environ}
        found.update({variable: str(fill(text, look_up)) for variable, text in granted.environment.items()})
        return found

    def secrets_at_large(self) -> Iterator[str]:
        """Yield the secret values of every set, as far as they are there: what to mask in whatever any tool says."""
        for one in self.sets.values():
            yield from (self.environ[name] for name in one.passed if name in self.environ)
            for name in secret_references(one.environment):
                with suppress(SecretMissing):
                    yield self.secrets.get(name).value

    def _granted(self, name: str, stack: StackKey) -> CredentialSet:
        found = self.sets.get(name)
        if found is None:
            raise Denied(
                f"{stack} asks for the credential set {name}, which the operator has not defined",
                code="HF-4111",
                hint=did_you_mean(name, self.sets) or "ask the operator to define it",
            )
        if not any(fnmatchcase(str(stack), glob) for glob in found.stacks):
            raise Denied(
                f"the credential set {name} is not granted to {stack}",
                code="HF-4110",
                hint="ask the operator to grant it to this stack",
            )
        return found
