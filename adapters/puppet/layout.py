"""Where Puppet finds manifests, modules and Hiera data: read from the files, without running anything. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import yaml

from adapters.contract import InvalidSettings, Tree
from adapters.keys import inside
from adapters.puppet.report import check_size
from adapters.puppet.settings import MACHINES_MODULES, Settings

HIERA: Final = "hiera.yaml"
ENVIRONMENT_CONF: Final = "environment.conf"

_HIERA_VERSION: Final = 5
#: Most values that a hierarchy may hold once its aliases are followed.
_MOST_VALUES: Final = 100_000


class _Plain(yaml.SafeLoader):
    """Reads times as they stand: the hierarchy is written again as JSON."""


_Plain.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: str(node.value))


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderTree:
    """A laid out folder as a tree."""

    root: Path

    def files(self, under: PurePosixPath) -> Iterable[PurePosixPath]:
        """Yield each regular file below ``under``."""
        for path in sorted((self.root / under).rglob("*")):
            if path.is_file():
                yield PurePosixPath(path.relative_to(self.root).as_posix())

    def read(self, path: PurePosixPath) -> bytes:
        """Return a file's bytes. Raises FileNotFoundError."""
        try:
            return (self.root / path).read_bytes()
        except (NotADirectoryError, IsADirectoryError) as error:
            raise FileNotFoundError(str(path)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchy:
    """A ``hiera.yaml`` of the repository's, with its folders from the repository's root."""

    file: PurePosixPath
    content: Mapping[str, Any]
    datadirs: tuple[PurePosixPath, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One environment, every path from the repository's root."""

    folder: PurePosixPath
    manifest: PurePosixPath
    #: Folders of modules, or `MACHINES_MODULES`.
    modulepath: tuple[str, ...]
    hierarchy: Hierarchy | None

    @property
    def places(self) -> Iterator[PurePosixPath]:
        """Every file and folder that Puppet reads."""
        yield self.folder
        yield self.manifest
        yield from (PurePosixPath(name) for name in self.modulepath if name != MACHINES_MODULES)
        if self.hierarchy is not None:
            yield self.hierarchy.file
            yield from self.hierarchy.datadirs


def layout(tree: Tree, settings: Settings, folder: PurePosixPath) -> Layout:
    """Return where things are for the environment in ``folder``. Raises InvalidSettings."""
    said = _environment_conf(_read(tree, folder / ENVIRONMENT_CONF))
    return Layout(
        folder=folder,
        manifest=_manifest(tree, settings, folder, said),
        modulepath=_modulepath(settings, folder, said),
        hierarchy=_hierarchy(tree, settings, folder),
    )


def outside(tree: Tree, settings: Settings) -> frozenset[PurePosixPath]:
    """Return what the stack reads outside its own folder, in whichever environment."""
    folders = {settings.path}
    if settings.environmentpath is not None:
        depth = len(settings.environmentpath.parts)
        folders = {
            PurePosixPath(*path.parts[: depth + 1])
            for path in tree.files(settings.environmentpath)
            if len(path.parts) > depth + 1
        }
        if settings.environment:
            folders &= {settings.environmentpath / settings.environment}
    found = {place for folder in folders for place in layout(tree, settings, folder).places}
    return frozenset(place for place in found if not place.is_relative_to(settings.path))


def _read(tree: Tree, path: PurePosixPath) -> str:
    try:
        return tree.read(path).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def _environment_conf(text: str) -> dict[str, str]:
    """Read the settings of an ``environment.conf``, which has no sections."""
    lines = (line.split("#", 1)[0].partition("=") for line in text.splitlines())
    return {name.strip(): value.strip() for name, equals, value in lines if equals and value.strip()}


def _manifest(tree: Tree, settings: Settings, folder: PurePosixPath, said: Mapping[str, str]) -> PurePosixPath:
    if settings.manifest is not None:
        return settings.manifest
    if "manifest" in said:
        return inside(folder, said["manifest"], f"{folder / ENVIRONMENT_CONF}: manifest")
    found = {path.relative_to(folder) for path in tree.files(folder)}
    if PurePosixPath("site.pp") in found and not any(path.parts[0] == "manifests" for path in found):
        return folder / "site.pp"
    return folder / "manifests"


def _modulepath(settings: Settings, folder: PurePosixPath, said: Mapping[str, str]) -> tuple[str, ...]:
    if settings.modulepath is not None:
        return settings.modulepath
    if "modulepath" not in said:
        return (str(folder / "modules"),)
    names = [name.strip() for name in said["modulepath"].split(":") if name.strip()]
    key = f"{folder / ENVIRONMENT_CONF}: modulepath"
    return tuple(name if name == MACHINES_MODULES else str(inside(folder, name, key)) for name in names)


def _hierarchy(tree: Tree, settings: Settings, folder: PurePosixPath) -> Hierarchy | None:
    file = settings.hiera_config or folder / HIERA
    text = _read(tree, file)
    if not text.strip():
        if settings.hiera_config is not None:
            raise InvalidSettings(f"hiera_config: there is no {file}", hint="name a hiera.yaml inside the repository")
        return None
    try:
        content = yaml.load(text, _Plain)  # noqa: S506 -- it derives from the safe one
        check_size(content, _MOST_VALUES)
        json.dumps(content)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        raise InvalidSettings(f"{file}:{line}: this is no YAML that can be read", hint="mend the file") from error
    if not isinstance(content, dict) or content.get("version") != _HIERA_VERSION:
        raise InvalidSettings(
            f"{file}:1: only version 5 of Hiera is known", hint="write version: 5, see Puppet's guide"
        )
    if not isinstance(content.get("hierarchy") or [], list):
        raise InvalidSettings(f"{file}:1: the hierarchy is no list", hint="write hierarchy: as a list of levels")
    folders = {inside(file.parent, name, f"{file}: datadir") for name in _datadirs(content)}
    return Hierarchy(file=file, content=content, datadirs=tuple(sorted(folders)))


def _datadirs(content: Mapping[str, Any]) -> Iterator[str]:
    for level in (content.get("defaults"), *(content.get("hierarchy") or ())):
        if isinstance(level, dict) and isinstance(level.get("datadir"), str):
            # What is looked up while Puppet runs lies below what is written before it.
            yield level["datadir"].split("%{", 1)[0] or "."
    yield "data"
