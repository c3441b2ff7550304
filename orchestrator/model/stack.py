"""A stack: a folder of a source that one tool manages in one environment. The unit of everything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from adapters.contract import Json
from orchestrator.model.policy import Policy

_KEY = re.compile(r"^(?P<source>[^/@\s]+)/(?P<name>[^@\s]+?)(?:@(?P<environment>[^/@\s]+))?$")

#: The track that follows the source's own ref. Others are pull requests and working trees.
MAIN = "main"
#: The track on which people look at what taking stacks down would do. Nothing on it is ever applied.
GOING_DOWN = "down"


def is_scratch(track: str) -> bool:
    """Whether a track follows files that are in no commit: one look at a working tree."""
    return track.startswith("tree/")


def is_foreign(track: str) -> bool:
    """Whether a track follows what somebody proposes from outside: a pull request."""
    return track.startswith("pull/")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class StackKey:
    """The full name, ``source/name@env``: in the record, in locks, in labels."""

    source: str
    name: str
    environment: str = "default"

    def __str__(self) -> str:
        """Render in full."""
        return f"{self.source}/{self.name}@{self.environment}"

    @property
    def short(self) -> str:
        """The form people type: ``name@env``, or ``name`` alone in the environment ``default``."""
        return self.name if self.environment == "default" else f"{self.name}@{self.environment}"

    @classmethod
    def parse(cls, text: str) -> StackKey:
        """Read the full form. Raises ValueError where ``text`` is not one."""
        found = _KEY.match(text)
        if not found:
            raise ValueError(text)
        return cls(source=found["source"], name=found["name"], environment=found["environment"] or "default")


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialNames:
    """Which credential sets a stack asks for; the operator defines and grants them."""

    plan: str = ""
    apply: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """What the configuration says about one stack in one environment, fully laid over and resolved.

    ``inputs`` still hold ``${output:…}`` and ``${secret:…}``: their values are looked up inside the hold.
    """

    key: StackKey
    tool: str
    #: Folder from the repository's root.
    path: PurePosixPath
    policy: Policy
    #: The tool's own keys (``workspace``, ``var_files``, ``backend_config``, …), ``${env.name}`` filled in.
    settings: Mapping[str, Json] = field(default_factory=dict)
    #: Values handed to the tool; strings may hold references.
    inputs: Mapping[str, Json] = field(default_factory=dict)
    depends_on: tuple[StackKey, ...] = ()
    credentials: CredentialNames = CredentialNames()
    #: Version constraint in the tool's own notation, empty where the stack says nothing.
    tool_version: str = ""
    #: Globs outside the stack's folder whose change makes it due.
    watch: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    #: The name that this stack had before it was renamed.
    moved_from: str = ""
    tier: str = ""
    #: Environment that must be at rest on the same revision first.
    promote_from: str = ""
    #: Setting -> ``file:line`` (or ``default``, ``flag``, ``discovered``) that it comes from.
    origins: Mapping[str, str] = field(default_factory=dict)
