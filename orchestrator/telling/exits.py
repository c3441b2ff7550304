"""What a command ends in where a tool's adapter has failed. Pure."""

from __future__ import annotations

from adapters.contract import AdapterError, ForbiddenFile, InvalidSettings, ToolBusy
from orchestrator.errors import EXIT_DENIED, EXIT_FAILED, EXIT_LOCKED, EXIT_USAGE


def adapter_exit(error: AdapterError) -> int:
    """Return the exit code for an adapter's error."""
    match error:
        case ToolBusy():
            return EXIT_LOCKED
        case InvalidSettings():
            return EXIT_USAGE
        case ForbiddenFile():
            return EXIT_DENIED
        case _:
            return EXIT_FAILED
