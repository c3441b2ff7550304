"""A workspace made ready for one run of Ansible: private files written before it and gone after it."""

from __future__ import annotations

import json
import platform
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Final

from adapters.ansible import commands, galaxy, kept
from adapters.ansible.said import Said, read, step_of
from adapters.ansible.settings import Settings
from adapters.ansible.texts import untemplated
from adapters.contract import (
    Command,
    Input,
    InvalidSettings,
    Json,
    OutputUnreadable,
    Problem,
    Severity,
    Shell,
    ToolMissing,
    ToolVersion,
    Workspace,
)
from adapters.files import write_private
from adapters.telling import scrub, secret_texts

#: Inputs that are no variables of the playbook, by what their names begin with.
VAULTS: Final = "vault_ids."
SSH: Final = "ssh."
_INVENTORIES: Final = ("inventory", "inventory.yml", "inventory.yaml", "inventory.ini", "hosts", "hosts.yml")
_VERSION: Final = re.compile(r"\[core (?P<version>[^\]]+)\]")
_LABEL: Final = re.compile(r"[A-Za-z0-9_.-]+\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One run and how it ended."""

    said: Said
    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """One stack, ready to run."""

    shell: Shell
    workspace: Workspace
    place: commands.Place
    secrets: frozenset[str]
    sight: kept.Sight
    installed: galaxy.Installed
    notes: tuple[Problem, ...]

    @property
    def root(self) -> str:
        """The repository's root as the tool names it."""
        return str(self.workspace.root)

    def run(self, command: Command) -> Ran:
        """Run and return what was said; progress goes to people."""
        request = commands.request_file(command)
        write_private(request, commands.request(self.place, command).encode())
        try:
            result = self.shell.run(command, self.tell if command.mutates else self.tell_looked)
        finally:
            request.unlink(missing_ok=True)
        return Ran(said=read(result.stdout), exit_code=result.exit_code)

    def traces(self, scripts: Mapping[str, str]) -> Ran:
        """Run a script of ours on each host, by a playbook that is there for as long as that takes."""
        playbook = self.workspace.private / "traces.yml"
        write_private(playbook, commands.traces_playbook(scripts).encode())
        settings = replace(self.place.settings, playbook=PurePosixPath(playbook))
        try:
            return replace(self, place=replace(self.place, settings=settings)).run(commands.traces(self.place))
        finally:
            playbook.unlink(missing_ok=True)

    def tell(self, line: str) -> None:
        """Tell people what one line says that a playbook did, where it did something."""
        self._tell(line, "changed")

    def tell_looked(self, line: str) -> None:
        """Tell people what one line says that a playbook would do."""
        self._tell(line, "would change")

    def _tell(self, line: str, changed: str) -> None:
        step = step_of(line)
        if step is not None and (step.changed or step.verdict in {"failed", "unreachable"}):
            word = changed if step.verdict == "ok" else step.verdict
            self.shell.report(scrub(f"{word}: {step.host}: {step.name}", self.secrets))


def program() -> Path:
    """Return ansible-playbook: on PATH, or beside the interpreter that runs us. Raises ToolMissing."""
    found = shutil.which(commands.PROGRAM) or shutil.which(commands.PROGRAM, path=str(Path(sys.executable).parent))
    if found is None:
        raise ToolMissing(f"{commands.PROGRAM} is not on PATH", hint='pip install "holdfast[ansible]", then plan again')
    return Path(found).absolute()


def tool(number: str, digest: str) -> ToolVersion:
    """Return the version as the contract has it."""
    where = f"{sys.platform}_{platform.machine()}"
    return ToolVersion(name="ansible-core", version=number, platform=where, program=digest)


def version(stdout: bytes) -> str:
    """Read ``ansible-playbook --version``. Raises OutputUnreadable."""
    found = _VERSION.search(stdout.decode("utf-8", "replace"))
    if not found:
        raise OutputUnreadable(
            "ansible-playbook told no version that we know", hint="install ansible-core 2.17 or later"
        )
    return found["version"]


@contextmanager
def prepared(settings: Settings, shell: Shell, workspace: Workspace) -> Iterator[Prepared]:
    """Write the private files, and remove them again. Raises InvalidSettings, ToolMissing, ToolFailed."""
    found = program()
    _check(settings, workspace)
    hidden = frozenset(
        text for item in workspace.inputs.values() if item.sensitive for text in secret_texts(item.value)
    )
    shell.conceal(hidden)
    seen = kept.sight(workspace, settings)
    installed = _install(settings, shell, workspace, found, seen, hidden)
    files = _Files(folder=workspace.private)
    try:
        yield Prepared(
            shell=shell,
            workspace=workspace,
            place=_place(settings, workspace, found, installed, files),
            secrets=hidden,
            sight=seen,
            installed=installed,
            notes=_notes(settings, workspace),
        )
    finally:
        files.remove()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Files:
    """Files that only one run needs; some hold secrets."""

    folder: Path
    written: list[Path] = field(default_factory=list)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        self.written.append(path)
        write_private(path, text.encode())
        return path

    def remove(self) -> None:
        for path in self.written:
            path.unlink(missing_ok=True)


def _place(
    settings: Settings, workspace: Workspace, found: Path, installed: galaxy.Installed, files: _Files
) -> commands.Place:
    inputs = workspace.inputs
    variables = {
        name: untemplated(item.value) if item.filled or item.sensitive else item.value
        for name, item in inputs.items()
        if not name.startswith((VAULTS, SSH))
    }
    overrides = commands.overrides(_ssh_arguments(settings, workspace, files))
    return commands.Place(
        settings=settings,
        inventory=_inventory(settings, workspace),
        programs=found.parent,
        root=workspace.root,
        folder=workspace.folder,
        private=workspace.private,
        extra_vars=files.write("extra_vars.json", json.dumps(variables)) if variables else None,
        vaults={
            name.removeprefix(VAULTS): files.write(f"vault_{name.removeprefix(VAULTS)}", f"{_text(inputs, name)}\n")
            for name in inputs
            if name.startswith(VAULTS)
        },
        facts=workspace.scratch / "facts" if settings.facts_cache else None,
        config=files.write("ansible.cfg", _config(settings, workspace, installed)),
        overrides=files.write("overrides.json", json.dumps(overrides)),
    )


def _config(settings: Settings, workspace: Workspace, installed: galaxy.Installed) -> str:
    roles = [*(workspace.root / path for path in settings.roles_path), workspace.folder / "roles"]
    collections = [workspace.folder / "collections"]
    if installed.folder:
        roles.append(installed.folder / "roles")
        collections.append(installed.folder / "collections")
    return commands.config(roles=roles, collections=collections, facts=settings.facts_cache)


def _ssh_arguments(settings: Settings, workspace: Workspace, files: _Files) -> str:
    key, known = (_text(workspace.inputs, f"{SSH}{name}") for name in ("private_key", "known_hosts"))
    hosts = workspace.root / settings.known_hosts if settings.known_hosts else None
    if known:
        hosts = files.write("known_hosts", f"{known}\n")
    # ssh reads no key whose last line does not end.
    identity = files.write("ssh_key", key.rstrip("\n") + "\n") if key else None
    return commands.ssh_arguments(known_hosts=hosts, key=identity)


def _inventory(settings: Settings, workspace: Workspace) -> tuple[str, ...]:
    if settings.inventory:
        return tuple(item if "," in item else str(workspace.root / item) for item in settings.inventory)
    there = (workspace.folder / name for name in _INVENTORIES)
    return tuple(str(path) for path in there if path.exists())[:1]


def _check(settings: Settings, workspace: Workspace) -> None:
    """Refuse early what the tool would refuse late. Raises InvalidSettings."""
    for key, path in (
        ("playbook", settings.playbook),
        ("requirements", settings.requirements if settings.requires else None),
        ("known_hosts", settings.known_hosts),
        *(("inventory", Path(item)) for item in settings.inventory if "," not in item),
    ):
        if path is not None and not (workspace.root / path).exists():
            raise InvalidSettings(f"{key}: there is no {path}", hint="name a file that is in the repository")
    for name in workspace.inputs:
        label = name.removeprefix(VAULTS)
        if name.startswith(VAULTS) and not _LABEL.match(label):
            raise InvalidSettings(f'vault_ids: "{label}" is no name for a vault', hint="use letters, digits, - and _")
        if name.startswith(SSH) and name.removeprefix(SSH) not in {"private_key", "known_hosts"}:
            raise InvalidSettings(
                f'ssh knows no "{name.removeprefix(SSH)}"', hint="it knows private_key and known_hosts"
            )


def _install(
    settings: Settings, shell: Shell, workspace: Workspace, found: Path, seen: kept.Sight, hidden: frozenset[str]
) -> galaxy.Installed:
    requirements = workspace.root / settings.requirements
    if not requirements.is_file():
        return galaxy.Installed()
    return galaxy.install(
        shell,
        found,
        requirements,
        workspace.scratch / "galaxy",
        tree=seen.files,
        scrub=lambda said: scrub(said.decode("utf-8", "replace"), hidden),
    )


def _notes(settings: Settings, workspace: Workspace) -> tuple[Problem, ...]:
    folders = dict.fromkeys((settings.path, settings.playbook.parent))
    return tuple(
        Problem(
            severity=Severity.NOTE,
            summary="ansible.cfg is not read: holdfast writes its own",
            detail="say what it says in stacks.yaml: roles_path, inventory, forks, become, known_hosts",
            file=str(folder / "ansible.cfg"),
            line=1,
        )
        for folder in folders
        if (workspace.root / folder / "ansible.cfg").is_file()
    )


def _text(inputs: Mapping[str, Input], name: str) -> str:
    value: Json = inputs[name].value if name in inputs else ""
    if not isinstance(value, str):
        raise InvalidSettings(f"{name} must be a text", hint="hand it over as ${secret:...}")
    return value
