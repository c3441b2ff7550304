"""What commands need that is installed beside the rest only where somebody asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.errors import UsageError


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Import what the extra ``name`` brings. Raises UsageError (HF-1064) where it is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in {"orchestrator", "adapters"}:
            # That is a fault of ours, which no installing mends.
            raise
        raise UsageError(
            f"what this command needs is not installed ({error.name})",
            code="HF-1064",
            hint=f"pip install 'holdfast[{name}]'",
        ) from error
