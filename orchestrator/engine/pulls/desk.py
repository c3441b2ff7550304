"""What a source's pull requests need beside what every source does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from orchestrator.model.forge import ApplyOn
from orchestrator.ports import Forge
from orchestrator.rules.rights import Identity

#: What the row of a source's pull requests is called, in the agenda and in the record; no key of a stack looks like it.
#: It begins like those of sources: who looks is not kept waiting by who works.
_PULLS: Final = "source pulls:"
#: The tracks of that row: the forge is asked, and reviewers are told.
LOOK: Final = "look"
TELL: Final = "tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where the pull requests of one source are seen to."""

    forge: Forge
    #: Who somebody is that the forge knows by a login; None where the operator says of nobody.
    whois: Callable[[str], Identity | None]
    #: Return what hides, in texts for the forge, all that is secret on this host by now; asks the secret stores.
    masker: Callable[[], Callable[[str], str]]
    #: The branch that pull requests are looked at for; empty takes those into any.
    base: str = ""
    apply_on: ApplyOn = ApplyOn.MERGE
    #: Seconds between two looks where nobody knocks.
    every_s: float = 60.0
    #: What a run's page is called, with ``{run}`` in it; empty where nobody serves one.
    run_url: str = ""


def row_of_pulls(source: str) -> str:
    """Return what the row of a source's pull requests is called."""
    return f"{_PULLS}{source}"


def source_of_pulls(row: str) -> str:
    """Return the source whose pull requests a row stands for, empty where it stands for something else."""
    return row.removeprefix(_PULLS) if row.startswith(_PULLS) else ""
