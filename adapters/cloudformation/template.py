"""A template, read with its short forms (``!Ref``) and with the line of everything in it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import yaml

Path: TypeAlias = tuple[str | int, ...]

#: The library's reader in C where it was built with one: many times quicker, and the same nodes.
_LOADER: Final[type[yaml.SafeLoader]] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: Short forms whose long form has no ``Fn::`` before it.
_PLAIN: Final = frozenset({"Ref", "Condition"})
#: An alias that expands without end must not take the memory.
_MOST_NODES: Final = 200_000
#: No template that the service takes goes as deep.
_DEEPEST: Final = 200


class TemplateUnreadable(Exception):
    """The text is no template: one line of cause, and its place."""

    def __init__(self, message: str, *, line: int = 1) -> None:
        """Keep where it went wrong."""
        super().__init__(message)
        self.message = message
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template as the service reads it."""

    body: Mapping[str, Any]
    #: The line of every key and list item, by its path.
    lines: Mapping[Path, int]

    @property
    def resources(self) -> Mapping[str, Mapping[str, Any]]:
        """The resources by logical id, those left out that are no mapping."""
        return {name: one for name, one in _mapping(self.body.get("Resources")).items() if isinstance(one, dict)}

    @property
    def parameters(self) -> Mapping[str, Mapping[str, Any]]:
        """The declared parameters by name."""
        return {name: one for name, one in _mapping(self.body.get("Parameters")).items() if isinstance(one, dict)}

    @property
    def outputs(self) -> Mapping[str, Mapping[str, Any]]:
        """The declared outputs by name."""
        return {name: one for name, one in _mapping(self.body.get("Outputs")).items() if isinstance(one, dict)}

    @property
    def no_echo(self) -> frozenset[str]:
        """Names of the parameters that the template marks as secret."""
        return frozenset(name for name, one in self.parameters.items() if str(one.get("NoEcho", "")).lower() == "true")

    def line(self, *path: str | int) -> int:
        """Return the line of the deepest part of ``path`` that is there."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


def read(text: str) -> Template:
    """Return the template that ``text`` holds, YAML or JSON. Raises TemplateUnreadable."""
    if text.lstrip().startswith("{"):
        _check_json(text)
        # YAML takes no tabs between tokens, JSON does.
        text = text.replace("\t", " ")
    body, lines = read_yaml(text)
    if not isinstance(body, dict):
        raise TemplateUnreadable("a template is a mapping with Resources in it")
    return Template(body=body, lines=lines)


def read_yaml(text: str) -> tuple[Any, dict[Path, int]]:
    """Return what a YAML text holds, and the line of every key and item. Raises TemplateUnreadable."""
    lines: dict[Path, int] = {}
    try:
        _check_depth(text)
        loader = _LOADER(text)
        node = loader.get_single_node()
        body = None if node is None else _Reading(loader, lines).value(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise TemplateUnreadable(str(error.problem or error.context), line=mark.line + 1 if mark else 1) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        said = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise TemplateUnreadable(f"it is no YAML: {said}") from None
    return body, lines


def _check_depth(text: str) -> None:
    """Refuse what is nested too deep before the reader in C goes down into it: it would fall, and we with it."""
    depth = 0
    for event in yaml.parse(text, _LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                raise TemplateUnreadable("it is nested too deep", line=_line(event))
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Reading:
    """One pass over the nodes of a text."""

    def __init__(self, loader: yaml.SafeLoader, lines: dict[Path, int]) -> None:
        self._loader = loader
        self._lines = lines
        self._seen = 0

    def value(self, node: yaml.Node, path: Path) -> Any:
        """Return what a node says, short forms written out."""
        self._seen += 1
        if self._seen > _MOST_NODES:
            raise TemplateUnreadable("it is too large, or its aliases expand without end", line=_line(node))
        tag = str(node.tag)
        if tag.startswith("!") and tag != "!":
            name = tag.removeprefix("!")
            key = name if name in _PLAIN else f"Fn::{name}"
            return {key: _long(key, self._plain(node, (*path, key)))}
        return self._plain(node, path)

    def _plain(self, node: yaml.Node, path: Path) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(item, (*path, number)) for number, item in enumerate(node.value)]
        return self._scalar(node)

    def _item(self, node: yaml.Node, path: Path) -> Any:
        self._lines[path] = _line(node)
        return self.value(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, item in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else ""
            if not key:
                raise TemplateUnreadable("a key must be a text", line=_line(key_node))
            if key in found:
                raise TemplateUnreadable(f'the key "{key}" stands here twice', line=_line(key_node))
            self._lines[(*path, key)] = _line(key_node)
            found[key] = self.value(item, (*path, key))
        return found

    def _scalar(self, node: yaml.Node) -> Any:
        if str(node.tag).startswith("!") or node.tag == "tag:yaml.org,2002:timestamp":
            # 2010-09-09 is a version, not a day.
            return str(node.value)
        return self._loader.construct_object(node)


def _line(what: yaml.Node | yaml.Event) -> int:
    return what.start_mark.line + 1 if what.start_mark else 1


def _long(key: str, value: Any) -> Any:
    """Return the argument of a long form for that of a short one."""
    if key == "Fn::GetAtt" and isinstance(value, str):
        return value.split(".", 1)
    return value


def _check_json(text: str) -> None:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise TemplateUnreadable(f"it is no JSON: {error.msg}", line=error.lineno) from None
    except RecursionError:
        raise TemplateUnreadable("it is nested too deep") from None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
