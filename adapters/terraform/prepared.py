"""A workspace made ready for the tool: private files written, version checked, state rescued, initialised."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from adapters.contract import (
    AdapterError,
    BackendMissing,
    Command,
    ForbiddenFile,
    InvalidSettings,
    Json,
    Output,
    Problem,
    Result,
    Severity,
    Shell,
    StateUnsaved,
    ToolFailed,
    ToolMissing,
    ToolVersion,
    ToolVersionWrong,
    Workspace,
)
from adapters.files import write_private
from adapters.telling import scrub
from adapters.terraform import commands, modules, output, readiness, seen, sensitive, state, stream
from adapters.terraform.attributes import secret_texts
from adapters.terraform.commands import Place
from adapters.terraform.failures import failed, wants_init
from adapters.terraform.settings import PINS, Settings
from adapters.versions import allows, parse

_WAITS: Final = "a state that an apply could not save waits to be saved"
_SAVED: Final = "a state that could not be saved was found and is saved now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Where the tool runs for one call, and what must not be told."""

    settings: Settings
    shell: Shell
    workspace: Workspace
    place: Place
    tool: ToolVersion
    #: Sensitive inputs, and what is known to be sensitive before a plan; masked in whatever the tool says.
    secrets: frozenset[str]
    var_files: tuple[Path, ...]
    #: What people should know of the preparation itself.
    notes: tuple[Problem, ...] = ()

    @property
    def keeps_state(self) -> bool:
        """Whether the state is ours to keep."""
        return (self.place.folder / state.OVERRIDE).exists()

    @property
    def state_file(self) -> Path:
        """The state that we keep, where we do."""
        return state.kept_file(self.workspace.kept, self.settings.workspace)

    def written(self) -> dict[Path, str]:
        """Return the digest of each file that we, and not the revision, have put beside the stack's own."""
        wanted = {self.place.folder / state.OVERRIDE: state.override(self.workspace.kept).encode()}
        if not self.keeps_state:
            wanted = {}
        if not readiness.lock_is_committed(self.place.folder, self.workspace.scratch):
            wanted[self.place.folder / readiness.LOCK] = readiness.generated_lock(self.workspace.scratch)
        return {path: hashlib.sha256(content).hexdigest() for path, content in wanted.items() if content}

    def run(self, command: Command, verb: str) -> stream.Stream:
        """Run a command that speaks the stream; its progress goes to people. Raises what the tool said."""
        result = self.shell.run(command, self.tell)
        said = stream.read(result.stdout)
        self.raise_failed(result, verb, self.problems(said), accepted=frozenset({0, 2}))
        return said

    def ask(self, command: Command, verb: str) -> bytes:
        """Run a command that prints one answer and return it. Raises what the tool said."""
        result = self.shell.run(command)
        self.raise_failed(result, verb, self._text_problems(result))
        return result.stdout

    def problems(self, said: stream.Stream) -> tuple[Problem, ...]:
        """Return the stream's diagnostics as problems."""
        return output.problems(said.diagnostics, self.workspace.path, self.secrets)

    def raise_failed(
        self, result: Result, verb: str, problems: tuple[Problem, ...], accepted: frozenset[int] = frozenset({0})
    ) -> None:
        """Raise where the exit code says that it did not go well."""
        if result.exit_code in accepted:
            return
        tail = scrub(result.stderr.decode("utf-8", "replace"), self.secrets).strip().splitlines()
        raise failed(self.settings.tool, verb, problems, exit_code=result.exit_code, tail=tail[-1] if tail else "")

    def mended(self) -> Prepared:
        """Return this with the state as good as can be had without the tool. Raises StateUnsaved.

        A plan on an older state than there was would create things a second time. What a backend holds is for an
        attempt to change: here nothing leaves this host.
        """
        note = state.mend(self.state_file) if self.keeps_state else ""
        waiting = state.collect_errored(self.place.folder, self.workspace.kept, None)
        if waiting is not None:
            if not self.keeps_state:
                raise StateUnsaved(_WAITS, hint=f"holdfast apply saves it first; or {_by_hand(waiting)}")
            self._take_in(waiting)
            note = _SAVED
        if not note:
            return self
        self.shell.report(note)
        return replace(self, notes=(*self.notes, Problem(severity=Severity.WARNING, summary=note)))

    def rescue(self, dump: Mapping[str, Any] | None = None) -> bool:
        """Save what an apply could not, where something waits; for an attempt only. Raises StateUnsaved.

        ``dump`` is the state that the tool printed where it could not even write a file.
        """
        try:
            note = state.mend(self.state_file) if self.keeps_state else ""
            waiting = state.collect_errored(self.place.folder, self.workspace.kept, dump)
            if waiting is not None:
                self._save(waiting)
                note = _SAVED
        except OSError as error:
            message = f"what the apply left could not be saved: {error.strerror}"
            raise StateUnsaved(message, hint="free some space, then run it again") from error
        if note:
            self.shell.report(note)
        return waiting is not None

    def initialise(self, *, anew: bool = False) -> None:
        """Run ``init`` where something it depends on changed, or where ``anew`` says so. Raises InvalidSettings."""
        self._initialise(anew=anew)
        self._check_place()

    def _initialise(self, *, anew: bool) -> None:
        scratch, folder = self.workspace.scratch, self.place.folder
        if not anew:
            readiness.restore_lock(folder, scratch)
        marker, wanted = readiness.read_marker(scratch), self._key()
        if not anew and marker is not None and marker.key == wanted:
            return
        readiness.forget_lock(folder, scratch)
        committed = readiness.lock_is_committed(folder, scratch)
        backend_files = [self.workspace.root / path for path in self.settings.backend_files]
        if self.settings.backend_config:
            backend_files.append(self._backend_file())
        if self.settings.plugin_cache is not None:
            self.settings.plugin_cache.mkdir(parents=True, exist_ok=True)
        command = commands.init(self.place, lock_is_committed=committed, backend_files=backend_files)
        self.ask(command, "init")
        if not committed:
            readiness.keep_lock(folder, scratch)
        program = readiness.binary(self.settings.program)
        if program is not None:
            readiness.write_marker(scratch, readiness.Marker(key=self._key(), binary=program, tool=self.tool))

    def initialised(self, command: Command, verb: str) -> tuple[str, stream.Stream]:
        """Run a reading command, once more after ``init`` where the tool says that it misses something.

        Returns the digest of the modules that it found, taken beforehand: what it runs may write there.
        """
        self.initialise()
        try:
            return modules.digest(self.workspace.scratch), self.run(command, verb)
        except ToolFailed as refused:
            if not wants_init(refused.problems):
                raise
        self.initialise(anew=True)
        return modules.digest(self.workspace.scratch), self.run(command, verb)

    @property
    def backend(self) -> str:
        """Where the state is kept, in words."""
        return seen.OURS if self.keeps_state else seen.place(self.settings, self.workspace.root)

    def check_state(self, saved: Path) -> None:
        """Raise StateElsewhere where a plan was made on another state than the one that was applied last."""
        kept, here = self.workspace.kept, self.backend
        last = seen.read(kept)
        if last is None:
            return
        now = seen.planned_on(saved) or self._pulled()
        seen.check(last, now, here, kept)
        if now is not None and last.where != here:
            seen.write(kept, here, now, last.tool)

    def remember_state(self) -> None:
        """Keep which state was applied with. That this fails takes nothing from an apply that went well."""
        if self.keeps_state:
            state.keep_copy(self.state_file)
        self._pulled_file.unlink(missing_ok=True)
        try:
            now = self._pulled()
        except AdapterError as error:
            self.shell.report(f"which state was applied with could not be noted: {error.message}")
            return
        if now is not None:
            seen.write(self.workspace.kept, self.backend, now, self.settings.tool)

    def known_outputs(self) -> dict[str, Output] | None:
        """Return the outputs in the state that is kept here, or was pulled in this run; None where none can be read."""
        return seen.outputs_of(state.bytes_of(self.state_file if self.keeps_state else self._pulled_file))

    @property
    def _pulled_file(self) -> Path:
        return self.workspace.private / "pulled.tfstate"

    def _pulled(self) -> seen.Snapshot | None:
        if self.keeps_state:
            return seen.snapshot(state.bytes_of(self.state_file))
        self.initialise()
        content = self.ask(commands.pull_state(self.place), "state pull")
        write_private(self._pulled_file, content, durable=False)
        return seen.snapshot(content)

    def _save(self, waiting: Path) -> None:
        if self.keeps_state:
            self._take_in(waiting)
            return
        try:
            self.initialise()
            self.ask(commands.push_state(self.place, waiting), "state push")
        except AdapterError as refused:
            raise StateUnsaved(
                f"a state that an apply could not save still cannot be saved: {refused.message}",
                hint=f"holdfast apply tries again; or {_by_hand(waiting)}",
                problems=refused.problems,
                holder=getattr(refused, "holder", ""),
                lock_id=getattr(refused, "lock_id", ""),
            ) from refused
        state.pushed(waiting)

    def _take_in(self, waiting: Path) -> None:
        """Put a state that waits in the place of the one that we keep: no tool is needed for that."""
        refused = state.take_in(waiting, self.state_file)
        if refused:
            raise StateUnsaved(
                f"a state that an apply could not save cannot be kept: {refused}", hint=_by_hand(waiting)
            )

    def _check_place(self) -> None:
        """Refuse a state that would lie among the files: these are laid out anew for each run, and it would be lost."""
        workspace = self.workspace
        place = state.place_in(self.place.folder, workspace.scratch, self.settings.workspace)
        if place is not None and Path(os.path.normpath(place)).is_relative_to(workspace.root):
            raise InvalidSettings(
                f"the state would be kept in {place.relative_to(workspace.root)}, a folder that is laid out anew "
                "for each run",
                hint='take backend "local" out, and holdfast keeps the state; or give it an absolute path elsewhere',
            )

    def _key(self) -> str:
        config = (self.workspace.private / "cli.tfrc").read_text("utf-8")
        return readiness.key(self.settings, self.workspace.root, config, self.tool)

    def _backend_file(self) -> Path:
        """Write the backend's open values into a private file: some are secret, and command lines are public."""
        path = self.workspace.private / "backend.tfbackend"
        lines = [f"{key} = {_hcl(value)}\n" for key, value in sorted(self.settings.backend_config.items())]
        write_private(path, "".join(lines).encode(), durable=False)
        return path

    def _text_problems(self, result: Result) -> tuple[Problem, ...]:
        return output.text_problems(result.stderr, self.workspace.path, self.secrets)

    def tell(self, line: str) -> None:
        """Tell people what one line of the stream says, where it says something to them."""
        told = stream.progress(line)
        if told:
            self.shell.report(told)


def prepare(settings: Settings, shell: Shell, workspace: Workspace, tool: ToolVersion, operators: str) -> Prepared:
    """Write the private files and check the version; starts no program.

    ``operators`` is the operator's CLI configuration. Raises ToolVersionWrong, ForbiddenFile.
    """
    _check_version(settings, workspace, tool)
    if settings.cli_config_file is not None and settings.cli_config_file.resolve().is_relative_to(
        workspace.root.resolve()
    ):
        raise ForbiddenFile(
            "cli_config_file lies inside the repository: it would choose which providers run",
            hint="only the operator may set it, to a file of their own",
        )
    config = workspace.private / "cli.tfrc"
    write_private(config, commands.cli_config(operators).encode(), durable=False)
    _settle_state(workspace, settings)
    secrets = frozenset(_secrets(settings, workspace))
    shell.conceal(secrets)
    place = Place(
        program=settings.program,
        folder=workspace.folder,
        env=commands.environment(
            scratch=workspace.scratch,
            cli_config=config,
            workspace=settings.workspace,
            plugin_cache=settings.plugin_cache,
        ),
    )
    return Prepared(
        settings=settings,
        shell=shell,
        workspace=workspace,
        place=place,
        tool=tool,
        secrets=secrets,
        var_files=(*(workspace.root / path for path in settings.var_files), *_inputs_file(workspace)),
        notes=seen.of_another_tool(workspace.kept, settings.tool),
    )


def _by_hand(waiting: Path) -> str:
    return f"push {waiting} by hand and rename it to {waiting.name}.pushed"


def _secrets(settings: Settings, workspace: Workspace) -> Iterator[str]:
    for item in workspace.inputs.values():
        yield from secret_texts(item.value, item.sensitive)
    told = [workspace.root / path for path in settings.var_files]
    yield from sensitive.in_variable_files(workspace.folder, told, settings.tool)
    yield from sensitive.in_state(state.bytes_of(state.kept_file(workspace.kept, settings.workspace)))


def missing(program: str) -> ToolMissing:
    """Return the error for a program that is not on PATH."""
    return ToolMissing(f"{program} is not on PATH", hint=f"install {program}, then: holdfast doctor")


def _inputs_file(workspace: Workspace) -> tuple[Path, ...]:
    """Write the inputs where only we may read them; the last file wins over those of the repository."""
    if not workspace.inputs:
        return ()
    path = workspace.private / "inputs.tfvars.json"
    values = {name: item.value for name, item in workspace.inputs.items()}
    write_private(path, json.dumps(values).encode(), durable=False)
    return (path,)


def _settle_state(workspace: Workspace, settings: Settings) -> None:
    """Have the tool keep its state in our folder where the files name no place for it, and this host sees to it all.

    Raises BackendMissing.
    """
    written = workspace.folder / state.OVERRIDE
    if state.keeps_state(workspace.folder, settings.tool):
        if settings.state_elsewhere:
            raise BackendMissing(
                f"{workspace.path} declares no backend, and its state would lie on the disk of this host alone: "
                "the next host that has it to do would create everything a second time",
                hint='declare where its state lies: terraform { backend "s3" { ... } }, or pg, http, azurerm, gcs',
            )
        workspace.kept.mkdir(parents=True, exist_ok=True, mode=0o700)
        written.write_text(state.override(workspace.kept), "utf-8")
        return
    written.unlink(missing_ok=True)


def _check_version(settings: Settings, workspace: Workspace, tool: ToolVersion) -> None:
    wanted = [(settings.tool_version, "tool_version")] if settings.tool_version else []
    wanted += _pinned(settings, workspace)
    for constraint, origin in wanted:
        if not allows(constraint, tool.version):
            raise ToolVersionWrong(
                f"{settings.tool} {tool.version} is installed, {origin} asks for {constraint}",
                hint=f"install {settings.tool} {constraint}, or change {origin}",
            )


def _pinned(settings: Settings, workspace: Workspace) -> list[tuple[str, str]]:
    """Return the version that a pin file asks for; the nearest one counts, words like ``latest`` ask for nothing."""
    for folder in (workspace.path, *workspace.path.parents):
        pin = workspace.root / folder / PINS[settings.tool]
        if pin.is_file():
            text = pin.read_text("utf-8", "replace").strip()
            try:
                parse(text)
            except AdapterError:
                return []
            return [(text, str(folder / pin.name))]
    return []


def _hcl(value: Json) -> str:
    """Return a value as HCL: JSON but for templates, which must stay text."""
    return json.dumps(value).replace("${", "$${").replace("%{", "%%{")
