"""The configuration of one revision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from orchestrator.errors import ConfigError
from orchestrator.model.source import Revision, Source
from orchestrator.model.stack import Stack, StackKey
from orchestrator.ports.sources import RevisionTree


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The configuration of one revision, laid over and validated: every stack in every environment."""

    project: str
    stacks: Mapping[StackKey, Stack]
    #: Environments in promotion order.
    environments: tuple[str, ...] = ("default",)
    #: Things that are no error and must still be said: keys not supported yet, discovery's guesses.
    notices: tuple[ConfigError, ...] = ()


class Layouts(Protocol):
    """Reads the configuration of a revision."""

    def at(self, source: Source, revision: Revision, tree: RevisionTree) -> Layout:
        """Return the layout; cached by the ids of the files it was read from. Raises ConfigError."""
        ...
