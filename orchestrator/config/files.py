"""Reads stacks.yaml and the files that it includes; each is parsed once for as long as its bytes stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from operator import is_
from pathlib import PurePosixPath
from typing import Final, Generic, TypeVar

from pydantic import BaseModel

from adapters.contract import Json
from orchestrator.config.compose import compose
from orchestrator.config.discover import ROOT, Discovery, Found, tool_at
from orchestrator.config.ground import ground, is_folder
from orchestrator.config.layers import Layer, flatten
from orchestrator.config.operator import Ceiling
from orchestrator.config.reading import check, flat, or_rather, raise_all, rest
from orchestrator.config.resolve import Resolved, Surroundings, not_supported, resolve
from orchestrator.config.schema import IncludedFile, StacksFile
from orchestrator.config.strangers import strangers
from orchestrator.config.yamltree import Node, place, read
from orchestrator.errors import ConfigError
from orchestrator.ports import Layout, RevisionTree

FILE: Final = PurePosixPath("stacks.yaml")
#: Tools whose stacks are found without being declared. A folder with the files of another may be a part of something
#: (a role, a nested template): `holdfast init` names it, and a person decides.
_DISCOVERED: Final = ("terraform", "opentofu")
#: Parsed files kept in memory at most.
_KEPT: Final = 4096

_Keys = TypeVar("_Keys", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed(Generic[_Keys]):
    """One file: its keys, what is wrong with it, and of a file with errors the keys that are right all the same."""

    path: PurePosixPath
    blob: str
    node: Node
    keys: _Keys | None
    errors: tuple[ConfigError, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Composed:
    """A layout with everything that went into it."""

    resolved: list[Resolved]
    found: tuple[Found, ...]
    #: Folders that stacks name and the revision does not hold.
    missing: tuple[str, ...]
    layout: Layout

    def came_of(self, resolved: list[Resolved], found: tuple[Found, ...], missing: tuple[str, ...]) -> bool:
        """Whether these would compose to the same layout. What lasts is the same object as before."""
        same = len(resolved) == len(self.resolved) and all(map(is_, resolved, self.resolved))
        return same and (found, missing) == (self.found, self.missing)


@dataclass(slots=True)
class Files:
    """The configuration files of one source. Forgets the oldest where there are too many."""

    source: str
    ceilings: Mapping[str, Ceiling]
    given: Layer
    discovery: Discovery = field(default_factory=Discovery)
    _parsed: dict[tuple[PurePosixPath, str], Parsed[StacksFile] | Parsed[IncludedFile]] = field(default_factory=dict)
    _resolved: dict[tuple[PurePosixPath, str, str], Resolved] = field(default_factory=dict)
    _composed: _Composed | None = None
    #: What the last layout stands on; empty where the contents of other files had a part in it.
    ground: dict[str, Json] = field(default_factory=dict)

    def layout(self, tree: RevisionTree) -> Layout:
        """Return the layout of one revision. Raises ConfigError with every error aboard."""
        blob = tree.id_of(FILE)
        root = self._parse(StacksFile, FILE, blob, tree) if blob else None
        if root is not None and root.keys is None:
            raise_all(root.errors)
        keys = root.keys if root else None
        included, errors = self._included(keys, root, tree)
        errors += root.errors if root else ()
        resolved = self._resolve(root, included, tree)
        declared = [stack.path for file in resolved for stack in file.stacks]
        found: tuple[Found, ...] = ()
        if keys is None or keys.discover:
            found = self.discovery.find(tree, declared, _DISCOVERED)
        if errors:
            raise_all([*errors, *(error for file in resolved for error in file.errors)])
        self.ground = self._ground(keys, resolved, declared, tree)
        return self._compose(root, resolved, found, tree)

    def _ground(
        self, keys: StacksFile | None, resolved: list[Resolved], declared: list[PurePosixPath], tree: RevisionTree
    ) -> dict[str, Json]:
        discovers = keys is None or keys.discover
        read = [FILE, *(_fixed(glob) for glob in ((keys.include or ()) if keys else ()))]
        if not all(one.lasting for one in resolved) or (discovers and self.discovery.undecided) or ROOT in read:
            return {}
        return ground(tree, read, declared, discovers=discovers)

    def _compose(
        self, root: Parsed[StacksFile] | None, resolved: list[Resolved], found: tuple[Found, ...], tree: RevisionTree
    ) -> Layout:
        """Compose, unless everything that goes into it is what it was."""
        missing = tuple(
            str(stack.path) for file in resolved for stack in file.stacks if not is_folder(stack.path, tree)
        )
        if self._composed and self._composed.came_of(resolved, found, missing):
            return self._composed.layout
        project = (root.keys.project if root and root.keys else None) or ""
        layout = compose(project, resolved, found, self._around(root, tree), tree)
        self._composed = _Composed(resolved=resolved, found=found, missing=missing, layout=layout)
        return layout

    def _parse(self, model: type[_Keys], path: PurePosixPath, blob: str, tree: RevisionTree) -> Parsed[_Keys]:
        kept = self._parsed.get((path, blob))
        if kept is not None:
            return kept  # type: ignore[return-value] # a path is always read as the same kind of file
        try:
            node = read(_content(path, tree), path)
        except ConfigError as error:
            parsed: Parsed[_Keys] = Parsed(path=path, blob=blob, node=Node(None, 1, 1), keys=None, errors=flat(error))
        else:
            keys, errors = check(model, node, path)
            if keys is None:
                keys, left = rest(model, node)
                named = left.at(("stacks",)).children if keys else None
                errors += strangers(node.find(("stacks",)), path, but=named if isinstance(named, dict) else {})
                node = left
            parsed = Parsed(path=path, blob=blob, node=node, keys=keys, errors=tuple(errors))
        if len(self._parsed) >= _KEPT:
            self._parsed.pop(next(iter(self._parsed)))
        self._parsed[path, blob] = parsed  # type: ignore[assignment] # as above
        return parsed

    def _included(
        self, keys: StacksFile | None, root: Parsed[StacksFile] | None, tree: RevisionTree
    ) -> tuple[list[Parsed[IncludedFile]], list[ConfigError]]:
        found: dict[PurePosixPath, Parsed[IncludedFile]] = {}
        errors: list[ConfigError] = []
        for number, glob in enumerate((keys.include or ()) if keys else ()):
            paths = [path for path in matching(glob, tree) if path != FILE]
            if not paths and root is not None:
                node = root.node.at(("include", number))
                where = place(FILE, node.line, node.column)
                message = f'include: no file matches "{glob}"'
                errors.append(ConfigError(message, code="HF-1018", where=where, hint="mend the glob, or add the file"))
            for path in paths:
                if path not in found:
                    found[path] = self._parse(IncludedFile, path, tree.id_of(path), tree)
                    errors += found[path].errors
        return list(found.values()), errors

    def _resolve(
        self, root: Parsed[StacksFile] | None, included: list[Parsed[IncludedFile]], tree: RevisionTree
    ) -> list[Resolved]:
        if root is None or root.keys is None:
            return []
        around = self._around(root, tree)
        found = [self._resolve_one(root, root.blob, around)]
        found += [self._resolve_one(file, root.blob, around) for file in included if file.keys is not None]
        return found

    def _resolve_one(
        self, file: Parsed[StacksFile] | Parsed[IncludedFile], root: str, around: Surroundings
    ) -> Resolved:
        key = (file.path, file.blob, root)
        if key in self._resolved:
            return self._resolved[key]
        if file.keys is None:
            return Resolved()
        found = resolve(file.keys.stacks, file.node.at(("stacks",)), file.path, around)
        if isinstance(file.keys, StacksFile):
            found.errors += _promotions(file.keys, file.node)
            found.notices += _without_effect(file.keys, file.node)
        if found.lasting:
            if len(self._resolved) >= _KEPT:
                self._resolved.pop(next(iter(self._resolved)))
            self._resolved[key] = found
        return found

    def _around(self, root: Parsed[StacksFile] | None, tree: RevisionTree) -> Surroundings:
        keys = root.keys if root else None
        node = root.node if root else Node(None, 1, 1)
        return Surroundings(
            source=self.source,
            defaults=flatten(keys.defaults, node.at(("defaults",)), FILE) if keys else {},
            environments={
                name: (of, flatten(of, node.at(("environments", name)), FILE))
                for name, of in (keys.environments.items() if keys else ())
            },
            ceilings=self.ceilings,
            given=self.given,
            tool_of=lambda path: tool_at(path, tree),
        )


def _content(path: PurePosixPath, tree: RevisionTree) -> bytes:
    try:
        return tree.read(path)
    except FileNotFoundError:
        # A folder, a submodule, or a link that leads nowhere or out of the repository.
        raise ConfigError(
            "this is no file of the repository", code="HF-1020", where=str(path), hint="put the file itself there"
        ) from None


def _fixed(glob: str) -> PurePosixPath:
    """Return the part of a glob before its first wildcard."""
    parts = PurePosixPath(glob).parts
    plain = next((number for number, part in enumerate(parts) if any(sign in part for sign in "*?[")), len(parts))
    return PurePosixPath(*parts[:plain])


def matching(glob: str, tree: RevisionTree) -> Iterator[PurePosixPath]:
    """Yield each file that ``glob`` means: ``*`` stays inside a folder's name, ``**`` does not."""
    parts, plain = PurePosixPath(glob).parts, len(_fixed(glob).parts)
    if plain == len(parts):
        if tree.id_of(PurePosixPath(glob)):
            yield PurePosixPath(glob)
        return
    for path in tree.files(PurePosixPath(*parts[:plain])):
        if "**" in parts:
            if fnmatchcase(str(path), glob) or fnmatchcase(str(path), glob.replace("**/", "")):
                yield path
        elif len(path.parts) == len(parts) and all(map(fnmatchcase, path.parts, parts)):
            yield path


def _promotions(keys: StacksFile, node: Node) -> Iterator[ConfigError]:
    """Promotion goes from earlier to later in the file, so it can have no ring."""
    earlier: list[str] = []
    for name, environment in keys.environments.items():
        wanted = environment.promote_from
        if wanted and wanted not in earlier:
            at = node.at(("environments", name, "promote_from"))
            known = "that does not stand above it" if wanted in keys.environments else f'there is no "{wanted}"'
            yield ConfigError(
                f'environment "{name}" is promoted from "{wanted}", but {known}{or_rather(wanted, earlier)}',
                code="HF-1010",
                where=place(FILE, at.line, at.column),
                hint="name an environment that stands above it",
            )
        earlier.append(name)


def _without_effect(keys: StacksFile, node: Node) -> Iterator[ConfigError]:
    for name in ("policies", "notify"):
        if getattr(keys, name):
            yield not_supported(name, place(FILE, *node.at((name,)).starts))
