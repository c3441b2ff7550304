"""An error of the files, told with file and line in its sentence and as a problem. Pure."""

from __future__ import annotations

from pathlib import PurePosixPath

from adapters.contract import InvalidSettings, Problem, Severity


def misplaced(file: PurePosixPath, line: int, message: str, hint: str = "") -> InvalidSettings:
    """Return the error for something wrong at one place of the repository."""
    problem = Problem(severity=Severity.ERROR, summary=message, detail=hint, file=str(file), line=line)
    return InvalidSettings(f"{file}:{line}: {message}", hint=hint, problems=(problem,))
