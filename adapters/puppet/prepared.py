"""A workspace made ready for Puppet: our folder with its configuration, Hiera layers and environment; removed after."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.contract import InvalidSettings, OutputUnreadable, Workspace
from adapters.files import write_private
from adapters.puppet import applied, commands, hiera
from adapters.puppet.commands import Place
from adapters.puppet.layout import ENVIRONMENT_CONF, HIERA, FolderTree, Layout, layout
from adapters.puppet.output import Wording
from adapters.puppet.report import LARGEST, Report, read
from adapters.puppet.settings import MACHINES_MODULES, Settings
from adapters.telling import secret_texts

#: In `Workspace.kept`: what the last apply asked for, what one under way asks for, and when Puppet looked at what.
APPLIED: Final = "applied.json"
APPLYING: Final = "applying.json"
STATE: Final = "state.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Where Puppet runs for one call."""

    workspace: Workspace
    place: Place
    layout: Layout
    wording: Wording

    @property
    def manifests(self) -> tuple[Path, ...]:
        """Every manifest of the stack's own, in a stable order."""
        root = self.workspace.root
        found: set[Path] = set()
        for one in (self.layout.folder, self.layout.manifest):
            start = root / one
            found |= set(start.rglob("*.pp")) if start.is_dir() else {start}
        return tuple(sorted(path for path in found if path.is_file()))

    def report(self) -> Report | None:
        """Return the report of the last run, None where it left none. Raises OutputUnreadable."""
        content = _bytes(self.place.report)
        return None if content is None else read(content)

    def wanted(self) -> applied.Wanted:
        """Return what the last look's catalog asks for. Raises OutputUnreadable."""
        found = sorted(self.place.catalogs.glob("*.json"))
        content = _bytes(found[0]) if found else None
        if content is None:
            raise OutputUnreadable("puppet left no catalog", hint="install Puppet 6, 7 or 8")
        return applied.read_catalog(content, [Path(one) for one in self.place.modulepath if one != MACHINES_MODULES])

    def memory(self) -> applied.Memory:
        """Return what was wanted at the last apply beside what is wanted now."""
        return applied.Memory(then=applied.load(self.workspace.kept / APPLIED), now=self.wanted())

    def forget(self) -> None:
        """Remove what the last look left: it holds the inputs, and Puppet would take a catalog from there."""
        shutil.rmtree(self.place.own / "var", ignore_errors=True)
        self.place.report.unlink(missing_ok=True)

    def keep_state(self) -> None:
        """Keep when Puppet looked at what: a resource with a schedule counts from there."""
        content = _bytes(self.place.state_file)
        if content is not None:
            write_private(self.workspace.kept / STATE, content)


@contextmanager
def prepared(settings: Settings, workspace: Workspace) -> Iterator[Prepared]:
    """Lay our folder out and remove it after: it holds the inputs, secrets among them. Raises InvalidSettings."""
    own = workspace.private / "puppet"
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir(mode=0o700)
    try:
        yield _lay(settings, workspace, own)
    finally:
        shutil.rmtree(own, ignore_errors=True)


def secrets(workspace: Workspace) -> frozenset[str]:
    """Return every text inside a sensitive input."""
    return frozenset(text for item in workspace.inputs.values() if item.sensitive for text in secret_texts(item.value))


def settle(kept: Path) -> None:
    """Take what the apply that just ended well asked for as what is applied."""
    asked = kept / APPLYING
    if asked.exists():
        asked.replace(kept / APPLIED)


def _lay(settings: Settings, workspace: Workspace, own: Path) -> Prepared:
    root = workspace.root
    folder = settings.folder_of(workspace.environment)
    if not (root / folder).is_dir():
        hint = "add the folder, or name another with puppet_environment"
        raise InvalidSettings(f"there is no environment folder {folder}", hint=hint)
    found = layout(FolderTree(root=root), settings, folder)
    manifest = root / found.manifest
    # An empty folder would be taken for "nothing is wanted".
    if not (manifest.is_file() or any(manifest.rglob("*.pp"))):
        hint = "name it with manifest: in stacks.yaml; the default is manifests/, or site.pp"
        raise InvalidSettings(f"there is no manifest {found.manifest}", hint=hint)
    place = Place(
        own=own,
        folder=workspace.folder,
        environment=settings.environment_of(workspace.environment),
        manifest=root / found.manifest,
        modulepath=tuple(one if one == MACHINES_MODULES else str(root / one) for one in found.modulepath),
        certname=settings.certname,
    )
    write_private(own / "puppet.conf", commands.configuration(place).encode())
    write_private(own / "hiera.yaml", hiera.first_layer(own).encode())
    write_private(own / hiera.INPUTS, hiera.inputs(workspace.inputs).encode())
    _lay_environment(found, root, place.environment_folder)
    kept = _bytes(workspace.kept / STATE)
    if kept is not None:
        write_private(place.state_file, kept)
    prefixes = ((str(place.environment_folder), str(folder)), (str(root), ""), (str(own), "puppet"))
    return Prepared(
        workspace=workspace,
        place=place,
        layout=found,
        wording=Wording(prefixes=prefixes, secrets=secrets(workspace)),
    )


def _lay_environment(found: Layout, root: Path, target: Path) -> None:
    """Link what is in the environment's folder: under a name that Puppet takes, and with the hierarchy settled."""
    target.mkdir(parents=True, mode=0o700)
    for entry in (root / found.folder).iterdir():
        if entry.name not in {HIERA, ENVIRONMENT_CONF}:
            (target / entry.name).symlink_to(entry)
    if found.hierarchy is not None:
        write_private(target / HIERA, hiera.environment_layer(found.hierarchy, root).encode())


def _bytes(path: Path) -> bytes | None:
    """Return a file's bytes, one too many at most of what may be read; None where there is none."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except FileNotFoundError:
        return None
