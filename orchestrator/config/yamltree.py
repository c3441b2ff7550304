"""Reads YAML into plain values that remember where they stand.

YAML 1.2 core rules (https://yaml.org/spec/1.2.2/#103-core-schema), stricter where a slip would cost:
``on``, ``no``, ``10:30``, ``0644`` and dates are text, a key may stand once only, anchors, aliases
and tags are refused. The reader works on the parser's events with a stack of its own, so that no
nesting, however deep, can exhaust Python's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Final, NamedTuple, TypeAlias

import yaml

from adapters.contract import Json
from orchestrator.errors import ConfigError

#: Largest file that is read, in bytes, and the deepest nesting.
MAX_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 64

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
# A leading zero is no number: 0644 is somebody's file mode, 007 somebody's account.
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 400

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Written(str):
    """A scalar that reads as a number or a truth value, with the text that was written.

    Fields that hold text keep the text, so ``tool_version: 1.10`` stays ``1.10``; fields that hold
    any value take :attr:`typed`.
    """

    __slots__ = ()

    @property
    def typed(self) -> bool | int | float:
        """The value by the core schema."""
        if self in _TRUE or self in _FALSE:
            return self in _TRUE
        if self.startswith(("0o", "0x")):
            return int(self, 0)
        return int(self) if _INT.fullmatch(self) else float(self)


#: What a file holds: text, `Written`, None, lists and dicts of these.
Value: TypeAlias = Any


class Node(NamedTuple):
    """One value with its place. Line and column count from 1."""

    value: Value
    line: int
    column: int
    #: Of a mapping key -> Node, of a list the nodes in order, of a scalar None.
    children: dict[str, Node] | list[Node] | None = None
    #: Where the key stands that this value belongs to; 0 where there is none.
    key_line: int = 0
    key_column: int = 0

    def at(self, path: tuple[str | int, ...]) -> Node:
        """Return the node at ``path``, or the nearest one above it that exists."""
        node = self
        for step in path:
            below = node.child(step)
            if below is None:
                break
            node = below
        return node

    def find(self, path: tuple[str | int, ...]) -> Node | None:
        """Return the node at ``path``, None where there is none."""
        node: Node | None = self
        for step in path:
            node = node.child(step) if node else None
        return node

    def child(self, step: str | int) -> Node | None:
        """Return the value of a key, or the item of a list."""
        if isinstance(step, str):
            return self.children.get(step) if isinstance(self.children, dict) else None
        items = self.children if isinstance(self.children, list) else []
        return items[step] if step < len(items) else None

    @property
    def starts(self) -> tuple[int, int]:
        """Where a person looks for it: at its key, if it has one."""
        return (self.key_line, self.key_column) if self.key_line else (self.line, self.column)


def place(file: PurePosixPath, line: int, column: int) -> str:
    """Return ``file:line:column``."""
    return f"{file}:{line}:{column}"


def typed(value: Value) -> Json:
    """Return ``value`` with every `Written` scalar as the value that it reads as."""
    if isinstance(value, Written):
        return value.typed
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    return value  # type: ignore[no-any-return] # text or None


def read(content: bytes, file: PurePosixPath) -> Node:
    """Return the root node of one YAML document.

    Raises ConfigError (HF-1001 syntax, HF-1002 refused, HF-1005 duplicate key) with ``file:line:column``.
    """
    text = _text(content, file)
    builder = _Builder(file)
    try:
        for event in yaml.parse(text, Loader=_Loader):
            builder.take(event)
    except yaml.YAMLError as error:
        raise _syntax_error(error, file) from None
    if builder.errors:
        first, *others = builder.errors
        raise ConfigError(first.message, code=first.code, hint=first.hint, where=first.where, others=tuple(others))
    return builder.root or Node(None, 1, 1)


def _text(content: bytes, file: PurePosixPath) -> str:
    if len(content) > MAX_BYTES:
        raise ConfigError(
            f"the file has {len(content):,} bytes, more than {MAX_BYTES:,}",
            code="HF-1002",
            where=str(file),
            hint="split it, and name the parts under include:",
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - (content.rfind(b"\n", 0, error.start) + 1) + 1
        raise ConfigError(
            f"the file is not UTF-8: byte 0x{content[error.start]:02x}",
            code="HF-1002",
            where=place(file, line, column),
            hint="save it as UTF-8",
        ) from None


def _syntax_error(error: yaml.YAMLError, file: PurePosixPath) -> ConfigError:
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable")
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    where = place(file, mark.line + 1, mark.column + 1) if mark else str(file)
    hint = "look at quotes, colons and the indentation"
    if "cannot start any token" in problem or "'\\t'" in problem:
        hint = "indent with spaces, not tabs, and quote a value that begins with @ or `"
    elif "flow" in problem:
        hint = 'inside [ ] and { } quote a reference: ["${env.name}"]'
    return ConfigError(f"not YAML: {problem}", code="HF-1001", where=where, hint=hint)


class _Open(NamedTuple):
    """A mapping or list that is being filled."""

    node: Node
    #: The key that waits for its value: text, line, column.
    key: list[tuple[str, int, int]]


class _Builder:
    """Puts events together. Errors that leave the rest readable are kept, others are raised."""

    def __init__(self, file: PurePosixPath) -> None:
        self.file = file
        self.root: Node | None = None
        self.errors: list[ConfigError] = []
        self._open: list[_Open] = []

    def take(self, event: Any) -> None:
        """Take the next event. Raises ConfigError (HF-1002)."""
        kind = type(event)
        if kind is yaml.ScalarEvent:
            self._refuse_decoration(event)
            self._scalar(event)
        elif kind is yaml.MappingStartEvent:
            self._begin(event, {}, {})
        elif kind is yaml.SequenceStartEvent:
            self._begin(event, [], [])
        elif kind in {yaml.MappingEndEvent, yaml.SequenceEndEvent}:
            self._open.pop()
        elif kind is yaml.AliasEvent:
            raise self._refused(event, f"the alias *{event.anchor}", "write the value out: aliases are not read")
        elif kind is yaml.DocumentStartEvent and self.root is not None:
            raise self._refused(event, "a second document", "keep one document in a file")

    def _refused(self, event: Any, what: str, hint: str) -> ConfigError:
        mark = event.start_mark
        return ConfigError(
            f"{what} is not allowed", code="HF-1002", where=place(self.file, mark.line + 1, mark.column + 1), hint=hint
        )

    def _refuse_decoration(self, event: Any) -> None:
        if event.anchor is not None:
            raise self._refused(event, f"the anchor &{event.anchor}", "write the value out: anchors are not read")
        if event.tag is not None:
            raise self._refused(event, f"the tag {event.tag}", "write the value plainly: tags are not read")

    def _begin(self, event: Any, value: Value, children: Any) -> None:
        self._refuse_decoration(event)
        if len(self._open) >= MAX_DEPTH:
            raise self._refused(event, f"nesting deeper than {MAX_DEPTH}", "flatten it")
        if self._open and isinstance(self._open[-1].node.children, dict) and not self._open[-1].key:
            raise self._refused(event, "a mapping or list as a key", "a key is text; quote it if it holds braces")
        mark = event.start_mark
        self._open.append(_Open(self._put(value, mark, children), []))

    def _scalar(self, event: Any) -> None:
        top = self._open[-1] if self._open else None
        mark = event.start_mark
        if top and isinstance(top.node.children, dict) and not top.key:
            if event.value in top.node.children:
                self._duplicate(event.value, top.node.children[event.value], mark)
            top.key.append((event.value, mark.line + 1, mark.column + 1))
            return
        plain = event.implicit[0]
        self._put(_resolve(event.value) if plain else event.value, mark, None)

    def _put(self, value: Value, mark: Any, children: Any) -> Node:
        line, column = mark.line + 1, mark.column + 1
        if not self._open:
            self.root = Node(value, line, column, children)
            return self.root
        parent, key = self._open[-1]
        if isinstance(parent.children, dict):
            name, key_line, key_column = key.pop()
            node = Node(value, line, column, children, key_line, key_column)
            parent.children[name] = node
            parent.value[name] = value
        else:
            node = Node(value, line, column, children)
            _items(parent).append(node)
            parent.value.append(value)
        return node

    def _duplicate(self, key: str, first: Node, mark: Any) -> None:
        where = place(self.file, mark.line + 1, mark.column + 1)
        self.errors.append(
            ConfigError(
                f'the key "{key}" stands twice, first in line {first.key_line}',
                code="HF-1005",
                where=where,
                hint="keep one of them",
            )
        )


def _items(node: Node) -> list[Node]:
    return node.children if isinstance(node.children, list) else []


def _resolve(text: str) -> Value:
    if text in _NULLS:
        return None
    if text in _TRUE or text in _FALSE:
        return Written(text)
    if len(text) > _LONGEST_NUMBER or not (_INT.fullmatch(text) or _FLOAT.fullmatch(text)):
        return text
    # 1e999 reads as infinity, which no JSON holds: it stays text.
    return Written(text) if text.startswith(("0o", "0x")) or math.isfinite(float(text)) else text


def walk(node: Node) -> Iterator[Node]:
    """Yield ``node`` and every node below it, in the order of the file."""
    yield node
    children = node.children.values() if isinstance(node.children, dict) else node.children or ()
    for child in children:
        yield from walk(child)
