"""What is wrong with stacks as far as it can be known without starting a tool or asking the record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from adapters.contract import AdapterError, Json, Severity
from orchestrator.cli.missing_files import missing_files
from orchestrator.cli.place import Place
from orchestrator.cli.show_problems import Finding, of_error
from orchestrator.config.ground import is_folder
from orchestrator.config.roots import READ, Root, read_root
from orchestrator.config.toolkeys import LATER_TOOLS
from orchestrator.effects.tree_rules import check
from orchestrator.engine.reads import NoShell
from orchestrator.errors import AdapterNotFound, ConfigError, RevisionRejected
from orchestrator.model.reference import output_references
from orchestrator.model.stack import Stack, StackKey
from orchestrator.nearest import did_you_mean
from orchestrator.ports import RevisionTree
from orchestrator.rules.upstream import locate


def found_without_tools(place: Place, keys: Sequence[StackKey]) -> list[Finding]:
    """Return a finding for each thing that a plan of the stacks would stumble over, each once."""
    looked = _Look(place=place)
    found = [finding for key in keys for finding in looked.at(place.stacks[key])]
    return list(dict.fromkeys(found))


@dataclass(slots=True, kw_only=True)
class _Look:
    """One look at the stacks of a reading; each folder is read once."""

    place: Place
    _roots: dict[tuple[PurePosixPath, str], Root] = field(default_factory=dict)

    @property
    def _tree(self) -> RevisionTree:
        return self.place.reading.tree

    def at(self, stack: Stack) -> Iterator[Finding]:
        # That a tool comes later, or that a folder is none, is said already.
        if stack.tool in LATER_TOOLS or not is_folder(stack.path, self._tree):
            return
        yield from self._settings(stack)
        yield from missing_files(stack, self._tree)
        if stack.tool in READ:
            for problem in self._root(stack).problems:
                yield from of_error(problem, Severity.WARNING if problem.code == "HF-1024" else Severity.ERROR)
        yield from self._outputs(stack)

    def _settings(self, stack: Stack) -> Iterator[Finding]:
        """Have the adapter judge its settings and name what it reads; refuse what must not be laid out."""
        asked: dict[str, Json] = {"tool_version": stack.tool_version} if stack.tool_version else {}
        settings: dict[str, Json] = {**stack.settings, **asked, "path": str(stack.path), "tool": stack.tool}
        folders = {stack.path}
        try:
            folders |= self.place.outside.adapters.build(stack, settings, NoShell()).inputs(self._tree)
        except AdapterNotFound as error:
            yield _finding(error.code, f'stack "{stack.key.short}": {error.message}', error.hint, stack.origins["tool"])
        except AdapterError as error:
            key = next((key for key in (*stack.settings, *asked) if error.message.startswith(key)), "tool")
            where = stack.origins.get(key, "")
            yield _finding(error.code, f'stack "{stack.key.short}": {error.message}', error.hint, where)
        for folder in sorted(folders):
            yield from _refused(folder, self._tree)

    def _root(self, stack: Stack) -> Root:
        key = (stack.path, stack.tool)
        if key not in self._roots:
            self._roots[key] = read_root(stack.path, stack.tool, self._tree)
        return self._roots[key]

    def _outputs(self, stack: Stack) -> Iterator[Finding]:
        for name, value in stack.inputs.items():
            for ref in output_references({name: value}):
                upstream = self.place.stacks.get(locate(ref, stack.key, self.place.stacks))
                if upstream is None or upstream.tool not in READ or not is_folder(upstream.path, self._tree):
                    continue
                outputs = self._root(upstream).outputs
                if outputs is None or ref.key.partition(".")[0] in outputs:
                    continue
                where = next((stack.origins[key] for key in _spots(name) if key in stack.origins), "")
                hint = did_you_mean(ref.key, outputs) or f"it declares: {', '.join(sorted(outputs)) or 'none'}"
                message = f'stack "{stack.key.short}": {upstream.key.short} declares no output "{ref.key}"'
                yield _finding("HF-1025", message, hint, where)


def _spots(name: str) -> tuple[str, ...]:
    return tuple(f"{kind}.{name}" for kind in ("inputs", "parameters", "extra_vars"))


def _refused(path: PurePosixPath, tree: RevisionTree) -> Iterator[Finding]:
    """Yield what keeps a place from being laid out: the first file of it, and the first link that leaves."""
    try:
        tree.reached(path)
    except RevisionRejected as error:
        yield _finding(error.code, error.message, error.hint, error.where)
    for entry in tree.entries(path):
        try:
            check(entry)
        except (AdapterError, RevisionRejected) as error:
            yield _finding(error.code, error.message, error.hint, f"{entry.path}:1")
            return


def _finding(code: str, message: str, hint: str, where: str) -> Finding:
    return of_error(ConfigError(message, code=code, hint=hint, where=where))[0]
