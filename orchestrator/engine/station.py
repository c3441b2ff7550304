"""A stack's place of work: its files laid out, its values filled in, its adapter wired to a shell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.contract import Adapter, AdapterError, Input, ToolStopped, Workspace
from orchestrator.engine.masking import mask_error
from orchestrator.engine.outside import Outside, Reading
from orchestrator.engine.survey import Asked
from orchestrator.engine.travelling import follow
from orchestrator.engine.values import Filling, texts
from orchestrator.errors import Conflict, OrchestratorError
from orchestrator.model.stack import is_foreign
from orchestrator.ports import MaskingShell, Run, ShellNeeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One stack being worked on in one run: the argument of every step."""

    outside: Outside
    #: Today's reading; ``asked.reading`` may be an earlier one.
    today: Reading
    asked: Asked
    run: Run
    #: Set when the run is to stop.
    cancelled: Callable[[], bool] | None = None

    @property
    def key(self) -> str:
        """The stack's full key."""
        return str(self.asked.stack.key)

    def was_stopped(self, error: Exception) -> bool:
        """Whether a tool ended because somebody stopped the run: that says nothing about the stack."""
        return isinstance(error, ToolStopped) and self.cancelled is not None and self.cancelled()


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """What a step needs to drive the tool."""

    workspace: Workspace
    adapter: Adapter
    shell: MaskingShell
    inputs: Mapping[str, Input]
    #: Names of the variables that its credentials bring.
    granted: frozenset[str] = frozenset()


@contextmanager
def station(
    case: Case,
    *,
    applying: bool = False,
    attempt: Path | None = None,
    inputs: Mapping[str, Input] | None = None,
    over: int = 0,
) -> Iterator[Station]:
    """Lay the stack out and yield its station; everything private is gone afterwards. For whoever holds the stack.

    ``applying`` takes the credentials for applying instead of those for planning; ``attempt`` is the
    folder of the recorded attempt; ``inputs`` are those kept by an earlier plan, resolved anew where None;
    ``over`` is the number of the attempt that the caller has found to be over and is about to settle.

    Raises AdapterError, Denied, SecretMissing, RevisionRejected, and Conflict (HF-4203) where an attempt is at work.
    """
    outside, stack = case.outside, case.asked.stack
    _check_nobody_works(case, over)
    foreign = is_foreign(case.today.track)
    filling = Filling(outside, stack, case.today.layout, case.asked.reading.revision.id, foreign=foreign)
    settings = filling.settings()
    resolved = filling.inputs() if inputs is None else inputs
    hidden = filling.secrets | {text for one in resolved.values() if one.sensitive for text in texts(one.value)}
    name = stack.credentials.apply if applying else stack.credentials.plan
    # A pull request plans code that nobody of ours has accepted: it gets no key that is not meant for that.
    granted = outside.credentials.environment(name, stack.key, foreign=foreign) if name else {}
    laid = outside.workspaces.lay(
        stack,
        case.asked.reading.tree,
        outside=case.asked.outside_paths,
        inputs=resolved,
        run=case.run.number,
        track=case.today.track,
    )
    with laid as workspace:
        if outside.shared:
            follow(outside, case.asked.state, workspace)
        needs = ShellNeeds(
            stack=case.key,
            run=case.run.number,
            credentials=granted,
            secrets=(*sorted(hidden), *granted.values()),
            timeout_s=stack.policy.timeout_s,
            attempt=attempt,
            verify=lambda beside: outside.workspaces.verify(workspace, stack, case.asked.reading.tree, beside=beside),
            cancelled=case.cancelled,
            writable=(workspace.root, workspace.scratch, workspace.private, workspace.kept),
        )
        shell = outside.shells.open(needs)
        try:
            adapter = outside.adapters.build(stack, settings, shell)
            yield Station(
                workspace=workspace, adapter=adapter, shell=shell, inputs=resolved, granted=frozenset(granted)
            )
        except AdapterError as error:
            mask_error(error, shell.mask)
            # Not every tool says in its own output why it could not go on.
            for line in (f"{error.code} {error.message}", *map(str, error.problems)):
                shell.report(line)
            raise
        except OrchestratorError:
            raise
        except Exception as error:
            # Nobody above knows what is secret in its text.
            shell.report(f"{type(error).__name__}: {error}")
            raise


def _check_nobody_works(case: Case, over: int) -> None:
    """Refuse to lay files out under a tool: it outlives its worker, and with the worker the worker's hold."""
    state = case.outside.record.row(case.key).state
    unknown = state.unknown
    alive = unknown is not None and not unknown.dead and unknown.attempt.number != over
    if alive or (state.applying is not None and state.applying.number != over):
        raise Conflict(f"{case.asked.stack.key.short} is being applied", code="HF-4203", hint="holdfast runs")
