"""Turns atlantis.yaml and digger.yml into stacks.yaml. What cannot be mapped is listed, never dropped in silence.

Forms: https://www.runatlantis.io/docs/repo-level-atlantis-yaml.html and https://docs.opentaco.dev (digger.yml).
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any, Final

from orchestrator.config.init import stack_name, write
from orchestrator.config.paths import checked_glob
from orchestrator.config.yamltree import Node, place, read, typed
from orchestrator.errors import ConfigError

_TERRAGRUNT: Final = "left out: Terragrunt is not driven; declare the stacks that it generates"
_HEAD: Final = "# Written from {file} by holdfast import. See what it could not map before you rely on it.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmapped:
    """One key that says something stacks.yaml cannot say, or says elsewhere."""

    where: str
    key: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The text of a stacks.yaml, and what is not in it."""

    text: str
    unmapped: tuple[Unmapped, ...]


def import_atlantis(content: bytes, file: PurePosixPath) -> Imported:
    """Map atlantis.yaml. Raises ConfigError where it cannot be read."""
    found = _Import(file, read(content, file))
    if found.value("version") not in {2, 3} and found.value("projects") is None:
        raise found.stranger("atlantis.yaml", "version: 3 nor projects:")
    return found.run(_ATLANTIS, _ATLANTIS_TOP)


def import_digger(content: bytes, file: PurePosixPath) -> Imported:
    """Map digger.yml. Raises ConfigError where it cannot be read."""
    found = _Import(file, read(content, file))
    if found.value("projects") is None and found.value("generate_projects") is None:
        raise found.stranger("digger.yml", "projects: nor generate_projects:")
    return found.run(_DIGGER, _DIGGER_TOP)


@dataclass(slots=True)
class _Project:
    """One project on its way to a stack."""

    node: Node
    folder: str
    keys: dict[str, Any]
    unmapped: list[tuple[Node, str, str]] = field(default_factory=list)
    group: int | None = None
    #: Driven by a tool that stacks.yaml cannot name.
    left_out: bool = False

    def cannot(self, node: Node, key: str, hint: str) -> None:
        self.unmapped.append((node, key, hint))

    def add(self, key: str, items: list[str]) -> None:
        if items:
            self.keys[key] = list(dict.fromkeys([*self.keys.get(key, []), *items]))


_Mapper = Callable[[_Project, Node, Any], None]


@dataclass(slots=True)
class _Import:
    """One file of another tool."""

    file: PurePosixPath
    node: Node
    unmapped: list[Unmapped] = field(default_factory=list)

    def value(self, key: str) -> Any:
        """Return what stands behind a key at the top, None where nothing does."""
        node = self.node.find((key,))
        return typed(node.value) if node else None

    def stranger(self, kind: str, keys: str) -> ConfigError:
        """Return the error for a file that is another one than was said."""
        message = f"this is no {kind}: it has neither {keys}"
        return ConfigError(message, code="HF-1004", where=place(self.file, 1, 1), hint="name the file to take over")

    def run(self, mappers: Mapping[str, _Mapper], top_hints: Mapping[str, str]) -> Imported:
        children = self.node.children
        if not isinstance(children, dict):
            raise ConfigError("a mapping is expected", code="HF-1004", where=place(self.file, 1, 1))
        top: dict[str, Any] = {"discover": self._discovers(children)}
        for key, node in children.items():
            if key not in {"version", "projects", "autodiscover"}:
                self._cannot(node, key, top_hints.get(key, "nothing of stacks.yaml says this"))
        listed = children["projects"].children if "projects" in children else []
        if not isinstance(listed, list):
            where = place(self.file, children["projects"].line, children["projects"].column)
            raise ConfigError("projects: a list is expected", code="HF-1004", where=where)
        projects = [self._project(node, mappers) for node in listed]
        stacks = self._stacks(projects)
        text = write(top, stacks, head=_HEAD.format(file=self.file))
        return Imported(text=text, unmapped=tuple(self.unmapped))

    def _cannot(self, node: Node, key: str, hint: str) -> None:
        self.unmapped.append(Unmapped(where=place(self.file, *node.starts), key=key, hint=hint))

    def _discovers(self, children: Mapping[str, Node]) -> bool:
        """Whether the other tool, too, would find projects that its file does not name."""
        node = children.get("autodiscover")
        if node is None:
            return "generate_projects" in children or "projects" not in children
        for key, inner in node.children.items() if isinstance(node.children, dict) else ():
            if key != "mode":
                self._cannot(inner, f"autodiscover.{key}", "nothing of stacks.yaml says this")
        mode = node.at(("mode",)).value
        return bool(mode == "enabled" or (mode != "disabled" and "projects" not in children))

    def _project(self, node: Node, mappers: Mapping[str, _Mapper]) -> _Project:
        if not isinstance(node.children, dict):
            where = place(self.file, node.line, node.column)
            raise ConfigError("a project is a mapping", code="HF-1004", where=where, hint="mend the file first")
        folder = posixpath.normpath(str(node.value.get("dir") or "."))
        project = _Project(node, folder, {"path": folder, "tool": "terraform"})
        for key, inner in node.children.items():
            if key in {"name", "dir"}:
                continue
            mapper = mappers.get(key)
            if mapper is None:
                project.cannot(inner, key, "nothing of stacks.yaml says this")
            else:
                mapper(project, inner, typed(inner.value))
        return project

    def _stacks(self, projects: list[_Project]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        groups: dict[int, list[str]] = {}
        gone = {stack_name(str(one.node.value.get("name") or one.folder)) for one in projects if one.left_out}
        for project in projects:
            if project.left_out:
                self._cannot(project.node, f"projects[{project.folder}]", _TERRAGRUNT)
                continue
            name = self._name(project, found)
            found[name] = project.keys
            self._wait_for_none(project, gone)
            groups.setdefault(project.group or 0, []).append(name)
            for node, key, hint in project.unmapped:
                self._cannot(node, f"projects[{name}].{key}", hint)
        self._order_groups(groups, found)
        return found

    def _wait_for_none(self, project: _Project, gone: AbstractSet[str]) -> None:
        """Take out what a stack waits for that is not among the stacks."""
        before = project.keys.get("depends_on", [])
        kept = [name for name in before if name not in gone]
        if kept != before:
            project.cannot(project.node.at(("depends_on",)), "depends_on", "it waits for a project that was left out")
            project.keys["depends_on"] = kept

    def _name(self, project: _Project, taken: Mapping[str, object]) -> str:
        written = project.node.value.get("name")
        workspace = project.keys.get("workspace")
        name = stack_name(str(written or (f"{project.folder}/{workspace}" if workspace else project.folder)))
        if written and name != written:
            project.cannot(project.node.at(("name",)), "name", f'"{written}" is no name of a stack: it is now "{name}"')
        unique = name
        while unique in taken:
            unique += "-2"
        if unique != name:
            project.cannot(project.node, "name", f'"{name}" is taken: this one is now "{unique}"')
        return unique

    def _order_groups(self, groups: Mapping[int, list[str]], stacks: dict[str, dict[str, Any]]) -> None:
        """Each group waits for the whole one before it."""
        numbers = sorted(groups)
        for before, number in pairwise(numbers):
            for name in groups[number]:
                stacks[name]["depends_on"] = list(dict.fromkeys([*stacks[name].get("depends_on", []), *groups[before]]))


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _workspace(project: _Project, _node: Node, value: Any) -> None:
    if value != "default":
        project.keys["workspace"] = str(value)


def _distribution(project: _Project, node: Node, value: Any) -> None:
    if value in {"terraform", "opentofu"}:
        project.keys["tool"] = value
    else:
        project.cannot(node, "terraform_distribution", f'no tool goes by "{value}"')


def _version(project: _Project, node: Node, _value: Any) -> None:
    # As written: 1.10 is a version, not a number.
    project.keys["tool_version"] = str(node.value).removeprefix("v")


def _depends_on(project: _Project, _node: Node, value: Any) -> None:
    project.add("depends_on", [stack_name(name) for name in _texts(value)])


def _order_group(project: _Project, node: Node, value: Any) -> None:
    if isinstance(value, int):
        project.group = value
    else:
        project.cannot(node, "execution_order_group", "a whole number is expected")


def _requirements(project: _Project, node: Node, value: Any) -> None:
    for item in _texts(value):
        if item == "approved":
            project.keys["apply"] = "approve"
        else:
            project.cannot(node, f"apply_requirements: {item}", "let the protection of the branch require it")


def _autoplan(project: _Project, node: Node, value: Any) -> None:
    for key, item in value.items() if isinstance(value, dict) else ():
        inner = node.at((key,))
        if key == "when_modified":
            _watch(project, inner, key=f"autoplan.{key}", globs=_texts(item), start=project.folder)
        elif key != "enabled" or item is not True:
            project.cannot(inner, f"autoplan.{key}", "a change always plans; holdfast suspend stops it")


def _include(project: _Project, node: Node, value: Any) -> None:
    for number, glob in enumerate(_texts(value)):
        # As Digger has it: what begins with a dot is written from the project's folder, all else from the root.
        start = project.folder if glob.startswith(".") else "."
        _watch(project, node.at((number,)), key="include_patterns", globs=[glob], start=start)


def _watch(project: _Project, node: Node, *, key: str, globs: list[str], start: str) -> None:
    """Keep globs that lead outside the stack's folder; everything inside is watched anyway."""
    for number, glob in enumerate(globs):
        spot = node.at((number,))
        found = posixpath.normpath(posixpath.join(start, glob.removeprefix("!")))
        try:
            checked_glob(found)
        except ValueError as error:
            project.cannot(spot, f"{key}: {glob}", str(error))
            continue
        if glob.startswith("!"):
            project.cannot(spot, f"{key}: {glob}", "globs of watch: only add")
        elif project.folder != "." and not found.startswith(f"{project.folder}/"):
            project.add("watch", [found])


def _opentofu(project: _Project, _node: Node, value: Any) -> None:
    if value is True:
        project.keys["tool"] = "opentofu"


def _terragrunt(project: _Project, _node: Node, value: Any) -> None:
    project.left_out = value is True


def _elsewhere(hint: str) -> _Mapper:
    def say(project: _Project, node: Node, _value: Any) -> None:
        key = next(key for key, inner in project.node.children.items() if inner is node)  # type: ignore[union-attr] # a mapping
        project.cannot(node, key, hint)

    return say


_BRANCH = _elsewhere("the ref belongs to the source, in holdfast.yaml, or to holdfast apply --ref")
_WORKFLOW = _elsewhere("workflows are not run: var_files, backend_config and inputs say what most of them did")
_ROLE = _elsewhere("credentials: names a set; the operator defines it in holdfast.yaml and grants it")

_ATLANTIS: Final[Mapping[str, _Mapper]] = {
    "workspace": _workspace,
    "terraform_distribution": _distribution,
    "terraform_version": _version,
    "depends_on": _depends_on,
    "execution_order_group": _order_group,
    "apply_requirements": _requirements,
    "autoplan": _autoplan,
    "branch": _BRANCH,
    "workflow": _WORKFLOW,
}
_ATLANTIS_TOP: Final = {
    "automerge": "merging is the forge's own business",
    "parallel_plan": "stacks run side by side as their order allows",
    "parallel_apply": "stacks run side by side as their order allows",
    "workflows": "workflows are not run: var_files, backend_config and inputs say what most of them did",
    "abort_on_execution_order_fail": "a stack never goes ahead of one that it waits for",
}
_DIGGER: Final[Mapping[str, _Mapper]] = {
    "workspace": _workspace,
    "depends_on": _depends_on,
    "include_patterns": _include,
    "opentofu": _opentofu,
    "branch": _BRANCH,
    "workflow": _WORKFLOW,
    "aws_role_to_assume": _ROLE,
    "exclude_patterns": _elsewhere("globs of watch: only add"),
    "terragrunt": _terragrunt,
}
_DIGGER_TOP: Final = {
    "generate_projects": "roots are found from the files: run holdfast init, or leave discover: true",
    "workflows": "workflows are not run: var_files, backend_config and inputs say what most of them did",
    "auto_merge": "merging is the forge's own business",
}
