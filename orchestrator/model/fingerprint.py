"""The keyed digest of everything that a stack's plan depends on, and its parts.

The parts are kept beside the digest: they say *which part* changed, and so whose change it was.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.contract import Json
from orchestrator.model.stack import Stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What goes into the fingerprint. No value of a secret ever does, only its store version."""

    #: Tree id of the stack's own folder.
    tree: str
    #: Outside path -> tree or blob id, empty string where it does not exist.
    outside: Mapping[str, str] = field(default_factory=dict)
    #: Digest of the resolved settings and inputs as written (references unfilled).
    settings: str = ""
    #: Constraint on the tool, never the installed version: that belongs to the proposal.
    tool: str = ""
    #: Reference -> HMAC of the upstream output's value.
    upstream: Mapping[str, str] = field(default_factory=dict)
    #: Secret name -> version in its store.
    secrets: Mapping[str, str] = field(default_factory=dict)

    def changed_since(self, other: Parts) -> tuple[str, ...]:
        """Name the parts that differ from ``other``, in words for people."""
        found = []
        if self.tree != other.tree:
            found.append("its files")
        found += [f"{path}" for path in sorted(_differ(self.outside, other.outside))]
        if self.settings != other.settings:
            found.append("its settings")
        if self.tool != other.tool:
            found.append("the tool version it asks for")
        found += [f"output {ref}" for ref in sorted(_differ(self.upstream, other.upstream))]
        found += [f"secret {name}" for name in sorted(_differ(self.secrets, other.secrets))]
        return tuple(found)


def _differ(left: Mapping[str, str], right: Mapping[str, str]) -> set[str]:
    return {key for key in left.keys() | right.keys() if left.get(key) != right.get(key)}


def fingerprint(parts: Parts, key: bytes) -> str:
    """Return the hex HMAC-SHA256 of ``parts`` under the record's own key."""
    body = [
        parts.tree,
        sorted(parts.outside.items()),
        parts.settings,
        parts.tool,
        sorted(parts.upstream.items()),
        sorted(parts.secrets.items()),
    ]
    return hmac.new(key, canonical(body), hashlib.sha256).hexdigest()


def settings_digest(stack: Stack) -> str:
    """Return the digest of a stack's settings and inputs as written, references unfilled."""
    body = [stack.tool, str(stack.path), dict(stack.settings), dict(stack.inputs)]
    return hashlib.sha256(canonical(body)).hexdigest()


def value_digest(value: Json, key: bytes) -> str:
    """Return the hex HMAC-SHA256 of one JSON value: equality without the value."""
    return hmac.new(key, canonical(value), hashlib.sha256).hexdigest()


def canonical(value: object) -> bytes:
    """Return the one byte string that stands for a JSON value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
