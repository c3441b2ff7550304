"""Every code that a person can meet: what it means and what to do. `holdfast explain HF-1003` reads it.

Ranges: 1xxx configuration and command line, 2xxx adapters and tools, 3xxx sources, 4xxx record,
policy and secrets, 5xxx execution, 9xxx our own faults.
"""

from __future__ import annotations

from orchestrator.catalogue import (
    carrying,
    configuration,
    door,
    execution,
    faults,
    forges,
    record,
    remote,
    reporting,
    sources,
    tools,
)
from orchestrator.catalogue.entry import Entry

CODES: dict[str, Entry] = {
    **configuration.CODES,
    **carrying.CODES,
    **tools.CODES,
    **sources.CODES,
    **record.CODES,
    **door.CODES,
    **execution.CODES,
    **reporting.CODES,
    **remote.CODES,
    **forges.CODES,
    **faults.CODES,
}

__all__ = ["CODES", "Entry"]
