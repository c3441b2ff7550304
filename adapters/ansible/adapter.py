"""The adapter for Ansible: the lines between the tool's commands and its words.

``build`` is what the entry point ``ansible`` names.

A plan is a run with ``--check --diff``; drift is the same run at the applied revision. Tasks that cannot look
(see ``output``) are changes of kind unknown until they ran once with an apply of these very files; from then on a plan
that nothing else is in leaves them out and says so, or the loop would apply for ever. Drift always counts them as
blind spots.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from adapters import hosts
from adapters.ansible import commands, failures, kept, output, said
from adapters.ansible.prepared import Prepared, Ran, prepared, program, tool, version
from adapters.ansible.reads import outside
from adapters.ansible.settings import Settings, read
from adapters.contract import (
    Change,
    DriftItem,
    Drifts,
    Finished,
    Goal,
    Handle,
    InvalidSettings,
    Json,
    Outputs,
    Plan,
    PlanStale,
    Problem,
    Resumed,
    Running,
    Shell,
    ToolFailed,
    ToolStopped,
    ToolVersion,
    ToolVersionWrong,
    Traits,
    Tree,
    Unknown,
    Workspace,
)
from adapters.telling import scrub, secret_texts
from adapters.testimony import Testimony
from adapters.versions import allows

BLIND_SPOTS: Final = (
    "what no task of the playbook speaks of",
    "what a task with no check mode did: command, shell, raw and the like",
)
#: Versions known so far, by the program's path, inode, time and size: Python takes half a second to tell one, and
#: each stack has an adapter of its own.
_VERSIONS: Final[dict[tuple[str, int, int, int], ToolVersion]] = {}


def build(settings: Mapping[str, Json], shell: Shell) -> Ansible:
    """Build the adapter for one stack; starts nothing. Raises InvalidSettings."""
    return Ansible(settings=read(settings), shell=shell)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What came of one run in check mode."""

    seen: output.Seen
    ran: Ran
    #: Whether the last apply was of these very files, values and settings.
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ansible:
    """Drives Ansible for one stack."""

    settings: Settings
    shell: Shell

    @property
    def traits(self) -> Traits:
        """What the tool can do: a playbook says how to make things, never how to take them down."""
        return Traits(heals_drift=True, sees_deletes=True, saves_plans=False, destroys=False, blind_spots=BLIND_SPOTS)

    def version(self) -> ToolVersion:
        """Return the installed ansible-core's version, asked for where no look told it yet."""
        found = program()
        key = _identity(found)
        if key not in _VERSIONS:
            number = version(self.shell.run(commands.version(found)).stdout)
            _VERSIONS[key] = tool(number, hashlib.sha256(found.read_bytes()).hexdigest())
        return _VERSIONS[key]

    def inputs(self, tree: Tree) -> frozenset[PurePosixPath]:
        """Return what the stack reads outside its folder: what its settings name, and every upward path it writes."""
        return outside(tree, self.settings)

    def validate(self, workspace: Workspace) -> tuple[Problem, ...]:
        """Have the tool check the files; no host is asked."""
        self._check_version()
        with prepared(self.settings, self.shell, workspace) as ready:
            ran = ready.run(commands.syntax(ready.place))
            found = failures.problems(ran.said, ready.root, ready.secrets)
            if ran.exit_code != 0 and not found:
                raise failures.not_read(found, ran.exit_code, ran.said.texts, ready.secrets)
            return (*ready.notes, *(found if ran.exit_code != 0 else ()))

    def plan(self, workspace: Workspace, goal: Goal) -> Plan:
        """Run the playbook in check mode and return what it would change."""
        if goal is Goal.DESTROY:
            raise InvalidSettings(
                "a playbook cannot be destroyed: it does not say how to take down what it made",
                hint="write a playbook that removes it, and apply that",
            )
        self._check_version()
        with prepared(self.settings, self.shell, workspace) as ready:
            return self._plan(ready, goal)

    def apply(self, workspace: Workspace, plan: Plan) -> None:
        """Look again, and run the playbook where that finds exactly what the plan says."""
        with prepared(self.settings, self.shell, workspace) as ready:
            now = self._plan(ready, plan.goal)
            if now.tool != plan.tool:
                raise PlanStale("the plan was made by another version of ansible-core", hint="plan again")
            if now.installed != plan.installed:
                raise PlanStale("the collections and roles are not those the plan was made with", hint="plan again")
            if not plan.is_still(now):
                raise PlanStale(
                    "the hosts are not as they were when the plan was made", hint="plan again and look at the new plan"
                )
            ran = ready.run(commands.play(ready.place))
            error = self._error(ready, ran)
            if error is not None:
                raise error
            self._remember(ready, ran)

    def resume(self, workspace: Workspace, plan: Plan, handle: Handle) -> Resumed:  # noqa: ARG002 - nothing is saved in it
        """Say how an attempt ended whose worker died, from the lines that its run left."""
        if handle.alive:
            return Running()
        try:
            printed = handle.result.stdout if handle.result else (handle.folder / "stdout").read_bytes()
        except FileNotFoundError:
            return Unknown(why="the attempt left no output", started=None)
        with prepared(self.settings, self.shell, workspace) as ready:
            for line in printed.decode("utf-8", "replace").splitlines()[handle.told :]:
                ready.tell(line)
            ran = Ran(said=said.read(printed), exit_code=handle.result.exit_code if handle.result else -1)
            begun = tuple(scrub(f"{host}: {name}", ready.secrets) for host, name in ran.said.begun)
            if handle.result is None or (ran.said.hosts is None and begun):
                return Unknown(why="ansible ended before it said how", started=begun)
            if ran.said.stopped:
                return Unknown(why="ansible was stopped in the middle of its work", started=begun)
            error = self._error(ready, ran)
            if error is None:
                self._remember(ready, ran)
            return Finished(error=error.message if error else None)

    def drift(self, workspace: Workspace) -> Drifts:
        """Run the same look at the applied revision; what it would change is what was changed behind our back."""
        self._check_version()
        with prepared(self.settings, self.shell, workspace) as ready:
            found = self._look(ready)
            blind = (*output.blind_words(found.seen.blind), *(note.summary for note in found.seen.cut_short))
            spots = (*blind, *BLIND_SPOTS)
            if kept.read(workspace.kept).converged(ready.sight):
                return Drifts(items=output.drift_items(found.seen.changes, found.seen.files), blind_spots=spots)
            return Drifts(items=(), blind_spots=spots, pending=found.seen.changes)

    def testify(self, workspace: Workspace, items: tuple[DriftItem, ...], since: float) -> tuple[Testimony, ...]:
        """Have the hosts tell of the files that drifted, over the same connections as everything else."""
        by_host: dict[str, list[DriftItem]] = {}
        for item in items:
            if item.identities:
                by_host.setdefault(item.change.address.partition(": ")[0], []).append(item)
        if not by_host:
            return ()
        paths = {host: [path for item in some for path in item.identities] for host, some in by_host.items()}
        scripts = {host: hosts.script(some, since) for host, some in paths.items()}
        with prepared(self.settings, self.shell, workspace) as ready:
            ran = ready.traces(scripts)
        told = {
            step.host: hosts.read(str(step.result.get("msg", "")))
            for step in ran.said.steps
            if step.action.rpartition(".")[2] == "debug"
        }
        return tuple(
            word
            for host, some in by_host.items()
            if host in told
            for item in some
            for word in hosts.testimonies(item.change.address, item.identities, host, told[host], since)
        )

    def outputs(self, workspace: Workspace) -> Outputs:
        """Return what ``set_stats`` handed on in the last apply."""
        found = kept.read(workspace.kept).outputs or {}
        self.shell.conceal(text for out in found.values() if out.sensitive for text in secret_texts(out.value))
        return found

    def unlock(self, workspace: Workspace, lock_id: str) -> None:  # noqa: ARG002 - there is nothing to unlock
        """Refuse: Ansible has no lock."""
        raise ToolFailed(f"ansible has no lock {lock_id}", hint="there is nothing to unlock")

    def _plan(self, ready: Prepared, goal: Goal) -> Plan:
        installed = program()
        key = _identity(installed)
        found = self._look(ready)
        _VERSIONS[key] = tool(found.ran.said.version, hashlib.sha256(installed.read_bytes()).hexdigest())
        seen = found.seen
        quiet = found.known and not seen.changes
        changes: tuple[Change, ...] = seen.changes if quiet else (*seen.changes, *seen.blind)
        plan = Plan(
            goal=goal,
            changes=changes,
            tool=_VERSIONS[key],
            installed=ready.installed.digest,
            outputs_changing=() if found.known else self._changing(ready, found),
            problems=(*ready.notes, *seen.cut_short, *(output.blind_notes(seen.blind) if quiet else ())),
        )
        if plan.empty:
            kept.remember_equal(ready.workspace.kept, ready.sight)
        return plan

    def _look(self, ready: Prepared) -> Look:
        """Look, and raise what went wrong with that. Raises ToolFailed, ToolStopped."""
        ran = ready.run(commands.look(ready.place))
        self._raise_unseen(ready, ran)
        seen = output.seen(ran.said, ready.root, ready.secrets)
        if seen.failures:
            raise failures.failed(seen.failures, "check", ready.root, ready.secrets)
        return Look(seen=seen, ran=ran, known=kept.read(ready.workspace.kept).ran(ready.sight))

    def _raise_unseen(self, ready: Prepared, ran: Ran) -> None:
        """Raise where a run says nothing of the hosts, or of some of them."""
        if ran.said.stopped:
            raise ToolStopped("ansible was stopped", hint="what it had begun may be half done")
        if ran.said.hosts is None:
            found = failures.problems(ran.said, ready.root, ready.secrets)
            raise failures.not_read(found, ran.exit_code, ran.said.texts, ready.secrets)
        if ran.said.dark:
            raise failures.unreachable(ran.said, ready.root, ready.secrets)
        if not ran.said.hosts and ran.said.unmatched:
            raise ToolFailed("no host was looked at: the playbook matches none", hint="check inventory and limit")

    def _error(self, ready: Prepared, ran: Ran) -> ToolFailed | None:
        """Return what was wrong with a run that may have changed things."""
        try:
            self._raise_unseen(ready, ran)
        except ToolFailed as error:
            return error
        if ran.said.failures:
            return failures.failed(ran.said.failures, "apply", ready.root, ready.secrets)
        if ran.exit_code != 0:
            return ToolFailed(f"ansible ended with exit code {ran.exit_code}", hint="read the run's log")
        return None

    def _outputs(self, ready: Prepared, ran: Ran) -> Outputs:
        sensitive = frozenset(self.settings.sensitive_outputs)
        return kept.outputs_of(ran.said.custom, sensitive=sensitive, texts=ready.secrets)

    def _changing(self, ready: Prepared, found: Look) -> tuple[str, ...]:
        """Return the outputs that would change; not for what was applied already: a look may well give others."""
        before = kept.read(ready.workspace.kept).outputs or {}
        now = self._outputs(ready, found.ran)
        return tuple(sorted(name for name, out in now.items() if before.get(name) != out))

    def _remember(self, ready: Prepared, ran: Ran) -> None:
        """Remember a good apply; that this fails takes nothing from it."""
        try:
            kept.remember_apply(ready.workspace.kept, ready.sight, self._outputs(ready, ran))
        except OSError as error:
            self.shell.report(f"what was applied could not be noted: {error.strerror}")

    def _check_version(self) -> None:
        wanted = self.settings.tool_version
        if wanted and not allows(wanted, self.version().version):
            raise ToolVersionWrong(
                f"ansible-core {self.version().version} is installed, tool_version asks for {wanted}",
                hint=f"install ansible-core {wanted}, or change tool_version",
            )


def _identity(found: Path) -> tuple[str, int, int, int]:
    seen = found.stat()
    return str(found), seen.st_ino, seen.st_mtime_ns, seen.st_size
