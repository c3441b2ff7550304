"""Where a command finds its world: the source that a folder means, and the home of its record.

Cheap to import and quick to answer: what else takes time can begin before the heavy parts are loaded.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from orchestrator.effects.home import make_home
from orchestrator.effects.location import locate, normalised
from orchestrator.effects.mirror import Mirror
from orchestrator.effects.process import quick
from orchestrator.effects.working_tree import WorkingTree, email_in
from orchestrator.errors import Denied, OrchestratorError
from orchestrator.model.source import Source, SourceKind

_PROJECT: Final = re.compile(rb"^[\"']?project[\"']?:[ \t]*[\"']?([A-Za-z0-9._-]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """A source, its home, and where the person stands."""

    source: Source
    home: Path
    directory: Path
    #: The checkout that the source is read from, None where it is read from elsewhere.
    checkout: WorkingTree | None
    #: Our own environment.
    outer: Mapping[str, str]

    @classmethod
    def of(
        cls,
        directory: Path,
        home: Path | None,
        outer: Mapping[str, str],
        declared: Sequence[Source] = (),
        taken: Collection[str] = (),
    ) -> Whereabouts:
        """Find out for ``directory``; ``home`` None takes the default below ``$XDG_STATE_HOME``.

        A folder that holds one of the ``declared`` sources is that source, with all that the operator asks of it.
        Raises SourceError, Denied (HF-4112) where it is none of them and goes by the name of one, or of one ``taken``.
        """
        directory = directory.absolute()
        checkout = WorkingTree.find(directory, outer, quick)
        source, identity = _source_of(directory, checkout, declared, {*taken, *(one.id for one in declared)})
        return cls(
            source=source,
            home=_home(home, identity, outer),
            directory=directory,
            checkout=None if source.kind is SourceKind.DIRECTORY else checkout,
            outer=outer,
        )

    @classmethod
    def named(cls, source: Source, directory: Path, home: Path | None, outer: Mapping[str, str]) -> Whereabouts:
        """Return the whereabouts of a declared source that is read where it lies, without a checkout."""
        home = _home(home, source.id, outer)
        return cls(source=source, home=home, directory=directory.absolute(), checkout=None, outer=outer)

    def email(self) -> str:
        """Return the e-mail address of the person who asks, empty where their git knows none."""
        return email_in(self.directory, self.outer, quick)

    def marks(self) -> frozenset[str]:
        """Return what other names of the same source have in common with it: see `lineage`."""
        found = self.checkout.roots() | {self.checkout.identity()} if self.checkout else frozenset()
        return found | {self.source.location, normalised(self.source.location)}

    def fetch_ahead(self) -> None:
        """Begin to fetch what the checkout's HEAD has that the mirror has not, in a thread that nobody waits for.

        Whoever reads the source meanwhile waits for this fetch instead of starting another. What goes wrong
        goes wrong again there, where somebody is told.
        """
        checkout = self.checkout
        if checkout is None:
            return
        mirror = Mirror(
            folder=self.home / "sources" / self.source.id,
            source=self.source,
            location=locate(self.source.location),
            outer=self.outer,
            run=quick,
        )

        def fetch() -> None:
            try:
                make_home(self.home)
                head = checkout.commit()
                if head and not mirror.holds(head):
                    mirror.fetch("", wanted=head)
            except (OrchestratorError, OSError):
                return

        threading.Thread(target=fetch, name="fetch-ahead", daemon=True).start()


def _source_of(
    directory: Path, checkout: WorkingTree | None, declared: Sequence[Source], taken: Collection[str]
) -> tuple[Source, str]:
    """Return the source that a folder means, and the identity of its record."""
    found = _declared(directory, checkout, declared)
    if found:
        return found, found.id
    if checkout is None:
        identity = f"{directory.name}-{hashlib.sha256(str(directory).encode()).hexdigest()[:8]}"
        source = Source(id=_slug(identity), kind=SourceKind.DIRECTORY, location=str(directory))
    else:
        identity = _project(checkout.root) or checkout.identity()
        source = _read_here(Source(id=_slug(identity), kind=SourceKind.GIT, location=""), checkout)
    if source.id in taken:
        # What the operator grants to a source by its name is not for whoever takes that name.
        raise Denied(
            f"{directory} calls itself {source.id}, which is another source of the operator's file",
            code="HF-4112",
            hint="give it a project: of its own, or have the operator name this repository's URL for that source",
        )
    return source, identity


def _declared(directory: Path, checkout: WorkingTree | None, declared: Sequence[Source]) -> Source | None:
    """Return the declared source that a folder holds; of several branches the one that is checked out."""
    folders = [one for one in declared if one.kind is SourceKind.DIRECTORY]
    root = checkout.root if checkout else Path("/")
    for one in folders:
        top = Path(one.location).resolve()
        # A checkout that lies in a declared folder is a repository of its own.
        if directory.resolve().is_relative_to(top) and top.is_relative_to(root):
            return one
    if checkout is None:
        return None
    repositories = [one for one in declared if one.kind is SourceKind.GIT and _same(one, checkout)]
    branch = checkout.branch() if len(repositories) > 1 else ""
    found = next((one for one in repositories if one.ref == branch), repositories[0] if repositories else None)
    return _read_here(found, checkout) if found else None


def _same(source: Source, checkout: WorkingTree) -> bool:
    """Whether a checkout is one of a declared repository: it is that folder, or was cloned from there."""
    place = normalised(source.location)
    here = place.startswith("/") and Path(place).resolve() in {checkout.root, checkout.common.parent}
    return here or place == checkout.identity()


def _read_here(source: Source, checkout: WorkingTree) -> Source:
    """Return a source as it is read from a checkout: what counts is the commit at its HEAD."""
    return replace(
        source,
        location=str(checkout.root),
        ref="",
        # A person may look at an older commit. They are asked about it, unless the operator has said no to it.
        allow_rewrite=source.allow_rewrite is not False,
        checkout=True,
    )


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


def _home(chosen: Path | None, identity: str, outer: Mapping[str, str]) -> Path:
    """Return the home as a path that means the same from every folder."""
    state = outer.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return (chosen or Path(state) / "holdfast" / _slug(identity)).absolute()
