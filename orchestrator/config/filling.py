"""Fills ``${env.name}`` and ``${stack.name}``; checks every other reference and leaves it where it may stand."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from adapters.contract import Json
from orchestrator.config.reading import or_rather
from orchestrator.config.yamltree import Node, walk
from orchestrator.model.reference import OutputRef, fill
from orchestrator.model.stack import StackKey

_WHOLE = re.compile(r"\$\$\{|\$\{[^{}]*\}")
_SHAPES: Final = {
    "output": "${output:stack.key}",
    "secret": "${secret:path}",
    "git": "${git.commit}",
    "env": "${env.name}",
    "stack": "${stack.name}",
}


class BadReference(ValueError):
    """A reference that cannot be meant: a sentence for people, and its text as written."""

    def __init__(self, message: str, written: str, hint: str = "") -> None:
        super().__init__(message)
        self.written = written
        self.hint = hint or f"references are {', '.join(_SHAPES.values())}; $${{ escapes"


def fill_setting(value: Json, key: StackKey) -> Json:
    """Return a setting with its references filled in: those to env and stack. Raises BadReference."""
    return _fill(value, lambda inside: _known_now(inside, key), keep_escapes=False)


def fill_input(value: Json, key: StackKey) -> Json:
    """Return an input with references to env and stack filled in, the others kept. Raises BadReference."""

    def look_up(inside: str) -> Json:
        return f"${{{inside}}}" if _is_later(inside) else _known_now(inside, key)

    return _fill(value, look_up, keep_escapes=True)


def _fill(value: Json, look_up: Callable[[str], Json], *, keep_escapes: bool) -> Json:
    _refuse_unfinished(value)
    return fill(value, look_up, keep_escapes=keep_escapes)


def _refuse_unfinished(value: Json) -> None:
    if isinstance(value, str):
        if "${" in value and "${" in _WHOLE.sub("", value):
            raise BadReference(f'"{value}" begins a reference that does not end', value, "write $${ for a plain ${")
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            _refuse_unfinished(item)


def _known_now(inside: str, key: StackKey) -> Json:
    if inside == "env.name":
        return key.environment
    if inside == "stack.name":
        return key.name
    written = f"${{{inside}}}"
    if _is_later(inside):
        raise BadReference(
            f"{written} may stand in inputs, parameters and extra_vars only",
            written,
            "hand it over as an input, or name a credential set under credentials:",
        )
    raise BadReference(
        f"{written} is no reference{or_rather(inside, ['env.name', 'stack.name', 'git.commit'])}", written
    )


def _is_later(inside: str) -> bool:
    """Whether the reference is looked up only when the stack is worked on. Raises BadReference."""
    kind, colon, path = inside.partition(":")
    if not colon:
        return inside == "git.commit"
    written = f"${{{inside}}}"
    if kind == "secret" and path.strip() == path != "":
        return True
    if kind == "output":
        try:
            OutputRef.parse(path)
        except ValueError:
            raise BadReference(
                f"{written} does not name a stack and an output", written, "write ${output:stack.key}"
            ) from None
        return True
    known = "no reference" if kind not in {"output", "secret"} else "an empty reference"
    raise BadReference(f"{written} is {known}{or_rather(kind, ['output', 'secret'])}", written)


def standing(node: Node, written: str) -> Node:
    """Return the value below ``node`` that holds the text ``written``, or ``node`` itself."""
    return next((one for one in walk(node) if isinstance(one.value, str) and written in one.value), node)
