"""Secrets and credential sets, and who may read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from orchestrator.model.stack import StackKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A secret's value and the version its store gives it."""

    value: str
    version: str


class Secrets(Protocol):
    """The secret stores, in order; the first that knows a name wins."""

    def get(self, name: str) -> Secret:
        """Return the secret. Raises SecretMissing."""
        ...

    def versions(self, names: Iterable[str]) -> Mapping[str, str]:
        """Return the version of each name, without keeping a value. Raises SecretMissing."""
        ...

    def forget(self) -> None:
        """Have every store asked anew: what one has answered counts for a while at most."""
        ...

    def readable_by(self, stack: StackKey, *, foreign: bool) -> Secrets:
        """Return what a stack may read in its inputs and settings; of anything else `get` raises Denied.

        ``foreign`` is for code that somebody proposes from outside: it reads what is granted to such code alone.
        """
        ...


class Credentials(Protocol):
    """The operator's credential sets and whom they are granted to."""

    def environment(self, name: str, stack: StackKey, *, foreign: bool = False) -> Mapping[str, str]:
        """Return the variables that the set brings. Raises Denied (HF-4110) where it is not granted.

        ``foreign`` is for code that a pull request proposes: it gets what is granted to such code alone, else nothing.
        """
        ...
