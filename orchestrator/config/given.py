"""Settings given on the way in, by a flag or a variable: read by the same rules as a file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from orchestrator.config.layers import Layer, Setting, flatten
from orchestrator.config.load import Given
from orchestrator.config.reading import check
from orchestrator.config.schema import PolicyKeys
from orchestrator.config.yamltree import Node, Written
from orchestrator.errors import ConfigError


def layer_of(given: Iterable[Given]) -> Layer:
    """Return the layer of what was given. Raises ConfigError (HF-1021) naming where it was given."""
    found: dict[str, Setting] = {}
    for one in given:
        *above, last = one.setting.split(".")
        number = Written(one.value) if one.value.isdigit() else one.value
        node = _node([*above, last], number)
        keys, errors = check(PolicyKeys, node, PurePosixPath(one.origin))
        if keys is None:
            raise ConfigError(errors[0].message, code="HF-1021", where=one.origin, hint=errors[0].hint)
        for name, setting in flatten(keys, node, PurePosixPath(one.origin)).items():
            found[name] = setting._replace(origin=one.origin)
    return found


def _node(path: list[str], value: Any) -> Node:
    node = Node(value, 1, 1)
    for key in reversed(path):
        node = Node({key: node.value}, 1, 1, {key: node._replace(key_line=1, key_column=1)})
    return node
