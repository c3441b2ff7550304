"""What to say of an exception that nobody foresaw: where it happened, and none of its text."""

from __future__ import annotations

import traceback
from pathlib import Path

from orchestrator.errors import OrchestratorError


def fault_of(error: Exception, run: int = 0) -> OrchestratorError:
    """Return the error that people are told of; the log of ``run`` has the rest, where there is one."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return OrchestratorError(
        f"a fault of the adapter or of ours: {type(error).__name__}{place}",
        code="HF-9002",
        hint=f"report it with what is in holdfast logs {run}" if run else "report it to whoever keeps the adapter",
    )


def trace(error: Exception) -> str:
    """Return where ``error`` and what led to it were raised, the first one first.

    Their texts are left out: they may hold secrets, and only the station's own shell knows which.
    """
    chain: list[BaseException] = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) and cause not in chain:
        chain.append(cause)
    return "".join(
        line for one in chain[::-1] for line in (*traceback.format_tb(one.__traceback__), f"{type(one).__name__}\n")
    )
