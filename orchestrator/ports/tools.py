"""What drives a tool: shells, the adapters that use them, and witnesses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from adapters.contract import Adapter, Json, Shell
from adapters.testimony import Testimony
from orchestrator.model.inquiry import Inquiry
from orchestrator.model.stack import Stack


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellNeeds:
    """What a shell must know to run one stack's tool."""

    stack: str
    run: int
    #: Variables that the granted credential set brings.
    credentials: Mapping[str, str]
    #: Values to mask in everything that leaves the shell.
    secrets: tuple[str, ...]
    timeout_s: float
    #: Folder of the recorded attempt; None for reading commands, which may not mutate.
    attempt: Path | None = None
    #: Called right before the attempt's first change, with what the adapter wrote among the stack's files itself.
    #: Raises PlanStale where these are not as they were laid out.
    verify: Callable[[Collection[Path]], None] = lambda _: None
    #: Set when the run is to stop: the tool gets one SIGINT, then its tree is killed.
    cancelled: Callable[[], bool] | None = None
    #: Folders that a sandboxed tool may write to: the stack's workspace root, scratch, private and kept.
    writable: tuple[Path, ...] = ()


class MaskingShell(Shell, Protocol):
    """A shell that also masks the texts that its owner is about to store or show."""

    @property
    def concealed(self) -> frozenset[str]:
        """What `conceal` was told so far."""
        ...

    def mask(self, text: str) -> str:
        """Return ``text`` with every known secret masked and control characters made visible."""
        ...


class Shells(Protocol):
    """Opens the shell that an adapter runs its tool through."""

    def open(self, needs: ShellNeeds) -> MaskingShell:
        """Return a shell bound to one stack's credentials, limits and log."""
        ...


class Witness(Protocol):
    """Somebody who may know who changed what drifted, beside the stack's own adapter."""

    @property
    def name(self) -> str:
        """How people call it."""
        ...

    def testify(self, inquiry: Inquiry, shell: Shell) -> tuple[Testimony, ...]:
        """Return what it knows. That it knows nothing is an answer, where people gain by hearing why."""
        ...


class Adapters(Protocol):
    """The adapters that are installed."""

    def build(self, stack: Stack, settings: Mapping[str, Json], shell: Shell) -> Adapter:
        """Build the stack's adapter. Raises AdapterNotFound, InvalidSettings."""
        ...

    def names(self) -> Sequence[str]:
        """Return the names of the installed adapters, sorted."""
        ...
