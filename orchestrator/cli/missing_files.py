"""Files that a stack needs and that are not in the tree: named in stacks.yaml, or looked for where nothing is named."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.contract import Severity
from orchestrator.cli.show_problems import Finding, of_error
from orchestrator.config.paths import below
from orchestrator.config.toolkeys import DEFAULT_FILES, FILE_KEYS, SEARCHED_KEYS
from orchestrator.errors import ConfigError
from orchestrator.model.stack import Stack
from orchestrator.ports import RevisionTree


def missing_files(stack: Stack, tree: RevisionTree) -> Iterator[Finding]:
    """Yield a finding for each file or folder that is named and not there, and for a default that is not there."""
    # That there is no hierarchy is what the adapter stumbles over itself.
    for key in sorted((FILE_KEYS | {"backend_config"}) - {"hiera_config"}):
        for name in _names(stack, key):
            path = below(stack.path, name)
            if not tree.id_of(path):
                message = f'stack "{stack.key.short}": {key} names {path}, which is not there'
                error = _error(message, "mend the name, or add the file", stack.origins.get(key, ""))
                # The tool goes on without a folder that it only searches, and Git keeps no empty ones.
                yield from of_error(error, Severity.WARNING if key in SEARCHED_KEYS else Severity.ERROR)
    default = DEFAULT_FILES.get(stack.tool)
    if default is None or any(stack.settings.get(key) is not None for key in (default.key, *default.instead)):
        return
    if not any(tree.id_of(stack.path / name) for name in (*default.names, *default.telling)):
        message = f'stack "{stack.key.short}": {stack.path} holds no {" or ".join(default.names)}'
        hint = f"add it, or name another with {default.key}:"
        yield from of_error(_error(message, hint, stack.origins.get("path", "")))


def _names(stack: Stack, key: str) -> Iterator[str]:
    named = stack.settings.get(key)
    for name in named if isinstance(named, list) else [named]:
        # What holds a comma is a list of hosts, and what begins with a dollar is the tool's own word for a place.
        if isinstance(name, str) and name and "," not in name and not name.startswith("$"):
            yield name


def _error(message: str, hint: str, where: str) -> ConfigError:
    return ConfigError(message, code="HF-1026", hint=hint, where=where)
