"""Runs the installed program, and lets the tests of this folder share their values."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# Tests are no package: this is how they share `cli_values`.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def holdfast() -> Callable[..., tuple[int, str, str]]:
    """Run the installed program's entry in a process of its own; returns exit code, stdout, stderr."""
    program = shutil.which("holdfast")
    assert program, "the project is not installed"

    def run(*arguments: str, **env: str) -> tuple[int, str, str]:
        known = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        done = subprocess.run(  # noqa: PLW1510
            [program, *arguments], capture_output=True, text=True, timeout=60, env={**known, **env}
        )
        return done.returncode, done.stdout, done.stderr

    return run
