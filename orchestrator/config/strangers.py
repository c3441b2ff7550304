"""Keys of a stack that nobody knows, or that belong to another tool."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import PurePosixPath
from typing import Final

from orchestrator.config.reading import unknown_key
from orchestrator.config.schema import StackKeys
from orchestrator.config.toolkeys import TOOL_KEYS, OtherKeys
from orchestrator.config.yamltree import Node, place
from orchestrator.errors import ConfigError

#: Keys that a stack may hold whatever drives it.
SHARED_KEYS: Final = frozenset(StackKeys.model_fields)
#: Of these, the keys that are the same in every environment.
FIXED_KEYS: Final = frozenset({"path", "tool", "environments", "moved_from", "override"})


def known_to(tool: str) -> frozenset[str] | None:
    """Return the keys that only ``tool`` knows, of no tool those of all; None where the tool judges them itself."""
    if not tool:
        return _all_keys()
    model = TOOL_KEYS.get(tool, OtherKeys)
    return None if model is OtherKeys else frozenset(model.model_fields)


def stranger(key: str, node: Node, file: PurePosixPath, *, name: str, tool: str, inner: bool = False) -> ConfigError:
    """Return what is wrong with a key of the mapping ``node`` that stack ``name`` may not hold.

    ``inner`` says that the mapping is an override; ``tool`` is empty where it is not known yet.
    """
    where = place(file, *node.at((key,)).starts)
    owners = sorted(other for other, model in TOOL_KEYS.items() if key in model.model_fields)
    if owners and tool:
        message = f'the key "{key}" belongs to {" and ".join(owners)}; stack "{name}" is driven by {tool}'
        return ConfigError(message, code="HF-1007", where=where, hint="remove the key, or change tool:")
    if inner and key in FIXED_KEYS:
        message = f'the key "{key}" is the same in every environment: it may not stand in an override'
        return ConfigError(message, code="HF-1003", where=where, hint="write it beside override:")
    shared = SHARED_KEYS - FIXED_KEYS if inner else SHARED_KEYS
    return unknown_key(key, (known_to(tool) or _all_keys()) | shared, f'stack "{name}"', where)


def strangers(node: Node | None, file: PurePosixPath, *, but: Collection[str]) -> Iterator[ConfigError]:
    """Yield each key that no tool knows, of those stacks that are too wrong to be resolved: all ``but`` these."""
    for name, stack in node.children.items() if node and isinstance(node.children, dict) else ():
        if name in but:
            continue
        tool = str(stack.at(("tool",)).value) if stack.find(("tool",)) else ""
        known = known_to(tool)
        for key in stack.children if isinstance(stack.children, dict) and known is not None else ():
            if known is not None and key not in known and key not in SHARED_KEYS:
                yield stranger(key, stack, file, name=name, tool=tool)


def _all_keys() -> frozenset[str]:
    return frozenset(key for model in TOOL_KEYS.values() for key in model.model_fields)
