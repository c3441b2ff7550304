"""Where a command finds its world: the source that a folder means, and the home of its record.

Cheap to import and quick to answer: what else takes time can begin before the heavy parts are loaded.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestrator.effects.location import locate
from orchestrator.effects.mirror import Mirror
from orchestrator.effects.process import quick
from orchestrator.effects.working_tree import WorkingTree
from orchestrator.errors import OrchestratorError
from orchestrator.model.source import Source, SourceKind

_PROJECT: Final = re.compile(rb"^[\"']?project[\"']?:[ \t]*[\"']?([A-Za-z0-9._-]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """One folder's source and home."""

    source: Source
    home: Path
    #: The checkout that the folder lies in, None outside of Git.
    checkout: WorkingTree | None
    #: Our own environment.
    outer: Mapping[str, str]

    @classmethod
    def of(cls, directory: Path, home: Path | None, outer: Mapping[str, str]) -> Whereabouts:
        """Find out for ``directory``; ``home`` None takes the default below ``$XDG_STATE_HOME``. Raises SourceError."""
        checkout = WorkingTree.find(directory.absolute(), outer, quick)
        source, identity = _source_of(directory.absolute(), checkout)
        return cls(source=source, home=home or _default_home(identity, outer), checkout=checkout, outer=outer)

    def fetch_ahead(self) -> None:
        """Begin to fetch what the checkout's HEAD has that the mirror has not, in a thread that nobody waits for.

        Whoever reads the source meanwhile waits for this fetch instead of starting another. What goes wrong
        goes wrong again there, where somebody is told.
        """
        checkout = self.checkout
        if checkout is None:
            return
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        mirror = Mirror(
            folder=self.home / "sources" / self.source.id,
            source=self.source,
            location=locate(self.source.location),
            outer=self.outer,
            run=quick,
        )

        def fetch() -> None:
            try:
                head = checkout.commit()
                if head and not mirror.holds(head):
                    mirror.fetch("", wanted=head)
            except (OrchestratorError, OSError):
                return

        threading.Thread(target=fetch, name="fetch-ahead", daemon=True).start()


def _source_of(directory: Path, checkout: WorkingTree | None) -> tuple[Source, str]:
    """Return the source that a folder means, and the identity of its record."""
    if checkout is None:
        identity = f"{directory.name}-{hashlib.sha256(str(directory).encode()).hexdigest()[:8]}"
        return Source(id=_slug(identity), kind=SourceKind.DIRECTORY, location=str(directory)), identity
    identity = _project(checkout.root) or checkout.identity()
    return Source(id=_slug(identity), kind=SourceKind.GIT, location=str(checkout.root), allow_rewrite=True), identity


def _project(root: Path) -> str:
    """Return ``project:`` of the checkout's stacks.yaml, empty where it says none; the schema judges it later."""
    try:
        content = (root / "stacks.yaml").read_bytes()
    except OSError:
        return ""
    if content.lstrip().startswith(b"{"):
        # JSON is YAML, and its keys may stand anywhere in a line.
        return _project_in_json(content)
    found = _PROJECT.search(content)
    return found[1].decode() if found else ""


def _project_in_json(content: bytes) -> str:
    try:
        found = json.loads(content).get("project")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return found if isinstance(found, str) else ""


def _slug(identity: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", identity).strip("-.") or "source"


def _default_home(identity: str, outer: Mapping[str, str]) -> Path:
    state = outer.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "holdfast" / _slug(identity)
