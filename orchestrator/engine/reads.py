"""Which paths outside its own folder a stack reads, found without a checkout and remembered by tree id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath

from adapters.contract import AdapterError, Command, Json, Result, ToolFailed
from orchestrator.engine.faults import fault_of
from orchestrator.engine.outside import Outside
from orchestrator.errors import OrchestratorError
from orchestrator.model.fingerprint import settings_digest
from orchestrator.model.stack import Stack
from orchestrator.ports import RevisionTree
from orchestrator.rules.globs import fixed_folder, is_wild, matches

_TOPIC = "reads"


class NoShell:
    """A shell that runs nothing: working out what a stack reads must start no tool."""

    def run(self, command: Command, on_line: Callable[[str], None] | None = None) -> Result:  # noqa: ARG002 -- the protocol's
        """Refuse."""
        raise ToolFailed(f"{command.argv[0]} must not run while a stack is only looked at")

    def conceal(self, values: Iterable[str]) -> None:
        """Nothing leaves this shell."""

    def report(self, line: str) -> None:
        """Nobody listens."""


class Reads:
    """Works out what stacks read; what led to an answer is remembered with it, so that an unchanged stack costs a look.

    ``whole`` fetches all that is remembered at once and remembers what is new at `keep`: for whoever asks about
    most stacks.
    """

    def __init__(self, outside: Outside, *, whole: bool = False) -> None:
        """Read what is remembered now, or, without ``whole``, when it is asked for."""
        self._outside = outside
        self._known = dict(outside.record.recollect(_TOPIC)) if whole else None
        self._new: dict[str, Json] = {}

    def of(self, stack: Stack, tree: RevisionTree) -> frozenset[PurePosixPath]:
        """Return the outside paths that the tool reads, and those that ``watch`` names.

        Raises AdapterError where the adapter cannot read the stack's files, OrchestratorError where it is missing or
        at fault.
        """
        key = f"{stack.tool}/{settings_digest(stack)}"
        own = tree.id_of(stack.path)
        seen = self._outside.record.remembered(_TOPIC, key) if self._known is None else self._known.get(key)
        found = _still_true(seen, own, tree)
        if found is None:
            settings = {**stack.settings, "path": str(stack.path), "tool": stack.tool}
            found = self._asked(stack, settings, tree)
            self._remember(key, {"own": own, "paths": {str(path): tree.id_of(path) for path in sorted(found)}})
        return found | _watched(stack, tree)

    def _asked(self, stack: Stack, settings: Mapping[str, Json], tree: RevisionTree) -> frozenset[PurePosixPath]:
        try:
            return self._outside.adapters.build(stack, settings, NoShell()).inputs(tree)
        except (AdapterError, OrchestratorError):
            raise
        except Exception as error:
            # One faulty adapter must not take the sight of all other stacks away.
            raise fault_of(error) from error

    def keep(self) -> None:
        """Remember what was new."""
        if self._new:
            self._outside.record.remember(_TOPIC, self._new)
            self._new = {}

    def _remember(self, key: str, value: Json) -> None:
        self._new[key] = value
        if self._known is None:
            self.keep()


def _still_true(seen: Json, own: str, tree: RevisionTree) -> frozenset[PurePosixPath] | None:
    """Return the remembered paths where neither the stack's folder nor any of them has changed."""
    if not isinstance(seen, dict) or seen.get("own") != own:
        return None
    paths = seen.get("paths")
    if not isinstance(paths, dict) or any(tree.id_of(PurePosixPath(path)) != was for path, was in paths.items()):
        return None
    return frozenset(PurePosixPath(path) for path in paths)


def _watched(stack: Stack, tree: RevisionTree) -> frozenset[PurePosixPath]:
    found: set[PurePosixPath] = set()
    for glob in stack.watch:
        fixed = fixed_folder(glob)
        if is_wild(glob):
            found |= {path for path in tree.files(fixed) if matches(path, glob)}
        elif tree.id_of(fixed):
            found.add(fixed)
    return frozenset(found)
