"""Makes stacks of one file's mappings: layers laid over, references filled in, each environment by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from adapters.contract import Json
from orchestrator.config.filling import BadReference, fill_input, fill_setting, standing
from orchestrator.config.layers import Layer, Setting, flatten, grouped, policy, tighten
from orchestrator.config.operator import Ceiling
from orchestrator.config.paths import below, checked_path
from orchestrator.config.reading import check, or_rather
from orchestrator.config.schema import EnvironmentKeys, OverrideKeys, StackKeys
from orchestrator.config.strangers import SHARED_KEYS, known_to, stranger
from orchestrator.config.toolkeys import FILE_KEYS, INPUT_KEYS, LATER_TOOLS, NAMED_APART, TOOL_KEYS, OtherKeys
from orchestrator.config.yamltree import Node, place
from orchestrator.errors import ConfigError
from orchestrator.model.policy import Policy
from orchestrator.model.reference import OutputRef, references
from orchestrator.model.stack import CredentialNames, Stack, StackKey
from orchestrator.rules.order import EdgeKind

#: Keys of a stack that say which stack it is, rather than how it is treated.
_OWN_KEYS = frozenset({"path", "tool", "environments", "moved_from", "override", "checks"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One stack that another names, with the place where it does."""

    by: StackKey
    name: str
    #: Empty where none is named.
    environment: str
    kind: EdgeKind
    where: str


@dataclass(slots=True, kw_only=True)
class Resolved:
    """What came of one file."""

    stacks: list[Stack] = field(default_factory=list)
    wanted: list[Wanted] = field(default_factory=list)
    #: Stack name -> where it stands.
    names: dict[str, str] = field(default_factory=dict)
    errors: list[ConfigError] = field(default_factory=list)
    notices: list[ConfigError] = field(default_factory=list)
    #: False where a tool was looked up in the files: then the answer belongs to one revision.
    lasting: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What counts for every stack of a source."""

    source: str
    defaults: Layer
    #: Name -> what it says and the layer of its settings; in the order of promotion.
    environments: Mapping[str, tuple[EnvironmentKeys, Layer]]
    ceilings: Mapping[str, Ceiling]
    #: What was given on the way in: flags and variables.
    given: Layer
    #: Folder -> tool by its files, empty where they say nothing.
    tool_of: Callable[[PurePosixPath], str]


def not_supported(what: str, where: str) -> ConfigError:
    """Return the notice (HF-1050) for something that is read and has no effect yet."""
    return ConfigError(f"{what}: not supported yet, it has no effect", code="HF-1050", where=where)


def resolve(stacks: Mapping[str, StackKeys], node: Node, file: PurePosixPath, around: Surroundings) -> Resolved:
    """Return every stack of one file in each of its environments; ``node`` is its mapping ``stacks``."""
    found = Resolved()
    for name, keys in stacks.items():
        below_name = node.at((name,))
        found.names[name] = place(file, *below_name.starts)
        _One(name, keys, below_name, file, around, found).run()
    return found


class _One:
    """One stack of one file, on its way through the environments."""

    def __init__(
        self, name: str, keys: StackKeys, node: Node, file: PurePosixPath, around: Surroundings, found: Resolved
    ) -> None:
        self.name, self.keys, self.node, self.file = name, keys, node, file
        self.around, self.found = around, found
        self.tool = ""
        self.tool_origin = ""

    def run(self) -> None:
        environments = self._environments()
        self._find_tool(environments)
        own = self._layer(self.keys, self.node, _OWN_KEYS)
        if own is None:
            return
        overrides = self._overrides(environments)
        if self.tool in LATER_TOOLS:
            self.found.notices.append(not_supported(f'stack "{self.name}": the tool {self.tool}', self._place("tool")))
        if self.keys.checks:
            self.found.notices.append(not_supported(f'stack "{self.name}": checks', self._place("checks")))
        for environment in environments:
            self._add(environment, own, overrides.get(environment, {}))

    def _place(self, key: str) -> str:
        return place(self.file, *self.node.at((key,)).starts)

    def _error(self, message: str, *, code: str, node: Node, hint: str = "") -> None:
        where = place(self.file, node.line, node.column)
        self.found.errors.append(ConfigError(message, code=code, where=where, hint=hint))

    def _environments(self) -> tuple[str, ...]:
        if self.keys.environments is None:
            return ("default",)
        listed = self.node.at(("environments",))
        if not self.keys.environments:
            self._error(
                f'stack "{self.name}" has no environment',
                code="HF-1010",
                node=listed,
                hint="name one, or leave the key out",
            )
        for number, name in enumerate(self.keys.environments):
            if name not in self.around.environments:
                self._error(
                    f'stack "{self.name}": no environment "{name}"{or_rather(name, self.around.environments)}',
                    code="HF-1010",
                    node=listed.at((number,)),
                    hint="declare it under environments: at the top of stacks.yaml",
                )
        return tuple(dict.fromkeys(self.keys.environments))

    def _find_tool(self, environments: tuple[str, ...]) -> None:
        if self.keys.tool is not None:
            self.tool, self.tool_origin = self.keys.tool, self._place("tool")
            return
        self.found.lasting = False
        for environment in environments:
            path = self._path(StackKey(source=self.around.source, name=self.name, environment=environment))
            self.tool = self.tool or (self.around.tool_of(path) if path else "")
        self.tool_origin = "discovered"
        if not self.tool and environments and not self.found.errors:
            self._error(
                f'stack "{self.name}": nothing in {self.keys.path} says which tool drives it',
                code="HF-1017",
                node=self.node.at(("path",)),
                hint="check the path, or write tool: terraform",
            )

    def _path(self, key: StackKey) -> PurePosixPath | None:
        node = self.node.at(("path",))
        filled = self._fill(fill_setting, self.keys.path, key, node)
        try:
            return checked_path(str(filled)) if filled is not None else None
        except ValueError as error:
            self._error(str(error), code="HF-1008", node=node)
            return None

    def _layer(self, keys: OverrideKeys, node: Node, without: frozenset[str]) -> Layer | None:
        """Return the settings of a stack or of an override, the tool's own keys checked; None where they are wrong."""
        extra = keys.model_extra or {}
        shared = flatten(keys, node, self.file, without=without | frozenset(extra))
        if not extra:
            return shared
        # A tool that we do not know judges its own keys.
        model = TOOL_KEYS.get(self.tool, OtherKeys)
        known = known_to(self.tool) or set(extra)
        strangers = [key for key in extra if key not in known]
        inner = keys is not self.keys
        self.found.errors += [
            stranger(key, node, self.file, name=self.name, tool=self.tool, inner=inner) for key in strangers
        ]
        children = node.children if isinstance(node.children, dict) else {}
        part = node._replace(
            value={key: extra[key] for key in extra if key in known},
            children={key: children[key] for key in extra if key in known},
        )
        checked, errors = check(model, part, self.file, inside=f'stack "{self.name}"')
        self.found.errors += errors
        if checked is None or strangers:
            return None
        return {**shared, **flatten(checked, part, self.file)}

    def _overrides(self, environments: tuple[str, ...]) -> dict[str, Layer]:
        found: dict[str, Layer] = {}
        for name, keys in (self.keys.override or {}).items():
            node = self.node.at(("override", name))
            if name not in environments:
                where = place(self.file, *node.starts)
                message = f'stack "{self.name}" has no environment "{name}" to override{or_rather(name, environments)}'
                self.found.errors.append(
                    ConfigError(message, code="HF-1010", where=where, hint="add it to environments:")
                )
                continue
            found[name] = self._layer(keys, node, frozenset({"checks"})) or {}
        return found

    def _add(self, environment: str, own: Layer, override: Layer) -> None:
        key = StackKey(source=self.around.source, name=self.name, environment=environment)
        path = self._path(key)
        of_environment, environment_layer = self.around.environments.get(environment, (EnvironmentKeys(), {}))
        merged = {**self.around.defaults, **environment_layer, **_replaced(own, override), **self.around.given}
        allowed, tightened = self._allowed(environment, merged)
        origins = {name: setting.origin for name, setting in merged.items()} | tightened
        origins |= {"path": self._place("path"), "tool": self.tool_origin}
        settings = self._settings(merged, key, path)
        inputs = self._inputs(merged, key)
        if path is None:
            return
        self.found.stacks.append(
            Stack(
                key=key,
                tool=self.tool,
                path=path,
                policy=allowed,
                settings=settings,
                inputs=inputs,
                credentials=self._credentials(merged, key),
                tool_version=str(self._filled(merged, "tool_version", key) or ""),
                watch=merged["watch"].value if "watch" in merged else (),
                owners=merged["owners"].value if "owners" in merged else (),
                moved_from=self.keys.moved_from or "",
                tier=of_environment.tier or "",
                promote_from=of_environment.promote_from or "",
                origins=origins,
            )
        )
        self._want_order(merged, key)

    def _allowed(self, environment: str, merged: Layer) -> tuple[Policy, dict[str, str]]:
        wish = policy(merged)
        tightened: dict[str, str] = {}
        for name in ("*", environment):
            limit = self.around.ceilings.get(name)
            if limit is not None:
                wish, changed = tighten(wish, limit.policy, limit.where)
                tightened |= changed
        return wish, tightened

    def _settings(self, merged: Layer, key: StackKey, path: PurePosixPath | None) -> dict[str, Json]:
        names = {name.partition(".")[0] for name in merged} - SHARED_KEYS - set(INPUT_KEYS) - {"tier", "promote_from"}
        found: dict[str, Json] = {}
        for name in sorted(names):
            value = self._filled(merged, name, key) if name in merged else self._filled_group(merged, name, key)
            found[name] = value
            if name in FILE_KEYS and path is not None:
                self._check_files(name, value, path)
        return found

    def _check_files(self, name: str, value: Json, path: PurePosixPath) -> None:
        for number, item in enumerate(value if isinstance(value, list) else [value]):
            try:
                below(path, str(item))
            except ValueError as error:
                self._error(str(error), code="HF-1008", node=self.node.at((name, number)), hint="name a file inside")

    def _inputs(self, merged: Layer, key: StackKey) -> dict[str, Json]:
        found: dict[str, Json] = {}
        for kind in INPUT_KEYS:
            for name, value in grouped(merged, kind).items():
                node = self._node_of(merged[f"{kind}.{name}"], (kind, name), key)
                told = f"{kind}.{name}" if kind in NAMED_APART else name
                found[told] = self._fill(fill_input, value, key, node)
                self._want_outputs(found[told], key, node)
        return found

    def _node_of(self, setting: Setting, path: tuple[str, ...], key: StackKey) -> Node:
        """Return the node of a setting: the override's where that is where it comes from."""
        overriding = self.node.find(("override", key.environment, *path))
        if overriding and setting.origin == f"{self.file}:{overriding.key_line}":
            return overriding
        return self.node.at(path)

    def _want_outputs(self, value: Json, key: StackKey, node: Node) -> None:
        for inside in references(value):
            if inside.startswith("output:"):
                ref = OutputRef.parse(inside.removeprefix("output:"))
                spot = standing(node, f"${{{inside}}}")
                self._want(ref.stack, ref.environment, EdgeKind.DATA, key, spot)

    def _want_order(self, merged: Layer, key: StackKey) -> None:
        if "depends_on" not in merged:
            return
        node = self._node_of(merged["depends_on"], ("depends_on",), key)
        for number, written in enumerate(merged["depends_on"].value):
            filled = self._fill(fill_setting, written, key, node.at((number,)))
            name, _, environment = str(filled).partition("@")
            self._want(name, environment, EdgeKind.ORDER, key, node.at((number,)))

    def _want(self, name: str, environment: str, kind: EdgeKind, key: StackKey, node: Node) -> None:
        where = place(self.file, node.line, node.column)
        self.found.wanted.append(Wanted(by=key, name=name, environment=environment, kind=kind, where=where))

    def _credentials(self, merged: Layer, key: StackKey) -> CredentialNames:
        plan, apply = (self._filled(merged, f"credentials.{name}", key) or "" for name in ("plan", "apply"))
        return CredentialNames(plan=str(plan), apply=str(apply))

    def _filled(self, merged: Layer, name: str, key: StackKey) -> Json:
        if name not in merged:
            return None
        value = merged[name].value
        node = self._node_of(merged[name], tuple(name.split(".")), key)
        return self._fill(fill_setting, list(value) if isinstance(value, tuple) else value, key, node)

    def _filled_group(self, merged: Layer, name: str, key: StackKey) -> Json:
        return {inner: self._filled(merged, f"{name}.{inner}", key) for inner in grouped(merged, name)}

    def _fill(self, how: Callable[[Json, StackKey], Json], value: Any, key: StackKey, node: Node) -> Json:
        try:
            return how(value, key)
        except BadReference as error:
            message, spot = f'stack "{self.name}": {error}', standing(node, error.written)
            self._error(message, code="HF-1012", node=spot, hint=error.hint)
            return None


def _replaced(own: Layer, override: Layer) -> Layer:
    """Return ``own`` with ``override`` laid over it; a list of files replaces a mapping, and the other way round."""
    groups = {name.partition(".")[0] for name in override if "." in name}
    kept = {name: item for name, item in own.items() if name.partition(".")[0] not in override and name not in groups}
    return {**kept, **override}
