"""Writes a first stacks.yaml from what the files say."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from orchestrator.config.contents import Told, told_by_contents
from orchestrator.config.discover import Discovery
from orchestrator.config.toolkeys import DEFAULT_FILES, LATER_TOOLS, TOOL_KEYS
from orchestrator.ports import RevisionTree

_HEAD: Final = """\
# Stacks of this repository. Each one is a folder that one tool manages.
# Every key: holdfast schema. What counts for a stack, and why: holdfast explain STACK.
"""
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_./-]+")


def find(tree: RevisionTree) -> tuple[Told, ...]:
    """Return every stack that the files look like, whatever drives it."""
    named = Discovery().find(tree, (), {*TOOL_KEYS, *LATER_TOOLS})
    told = told_by_contents(tree, [one.path for one in named])
    every = (*(Told(path=one.path, tool=one.tool) for one in named), *told)
    return tuple(sorted(every, key=lambda one: (one.path, one.template)))


def stacks_text(found: Iterable[Told], *, project: str = "") -> str:
    """Return the text of a stacks.yaml that declares ``found``."""
    every = list(found)
    paths = [one.path for one in every]
    # Several templates of one folder are called after themselves.
    called = [one.path / PurePosixPath(one.template).stem if paths.count(one.path) > 1 else one.path for one in every]
    names = _names(called)
    stacks = {names[call]: _keys(one) for call, one in zip(called, every, strict=True)}
    return write({"project": project} if project else {}, stacks)


def _keys(one: Told) -> dict[str, str]:
    keys = {"path": str(one.path), "tool": one.tool}
    # A template of a usual name is found without being named.
    return keys if one.template in {"", *DEFAULT_FILES["cloudformation"].names} else {**keys, "template": one.template}


def write(top: Mapping[str, Any], stacks: Mapping[str, Mapping[str, Any]], *, head: str = _HEAD) -> str:
    """Return the text of a stacks.yaml; ``top`` are the keys that stand above ``stacks``."""
    # Writing YAML is rare, and needs the library that keeps order and quotes what must be quoted.
    from ruamel.yaml import YAML  # noqa: PLC0415

    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 120
    yaml.default_flow_style = False
    out = io.StringIO()
    yaml.dump({"version": 1, **top, "stacks": {name: dict(keys) for name, keys in stacks.items()}}, out)
    return head + out.getvalue()


def stack_name(text: str) -> str:
    """Return ``text`` as something that a stack may be called."""
    parts = (_NOT_IN_NAMES.sub("-", part).strip(".-") for part in text.split("/"))
    return "/".join(part for part in parts if part) or "root"


def _names(paths: list[PurePosixPath]) -> dict[PurePosixPath, str]:
    """Return the shortest name that is unique: the last part of the folder, or as many as it takes."""
    found: dict[PurePosixPath, str] = {}
    for path in paths:
        for length in range(1, len(path.parts) + 2):
            name = stack_name("/".join(path.parts[-length:]))
            others = {stack_name("/".join(other.parts[-length:])) for other in paths if other != path}
            if name not in others:
                break
        while name in found.values():
            # Two folders whose names differ only in what a name may not hold.
            name += "-2"
        found[path] = name
    return found
