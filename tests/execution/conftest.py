"""A yard for every test of this folder; what a test starts is gone when it ends."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from orchestrator.effects import liveness, steps
from orchestrator.effects.environment import Private

# Tests are no package: this is how they, and the workers that they start, share `execution_yard`.
sys.path.insert(0, str(Path(__file__).parent))

from execution_yard import Yard


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    (tmp_path / "work").mkdir()
    made = Yard(home=tmp_path / "home", work=tmp_path / "work", outer=dict(os.environ))
    yield made
    # Whatever a failed test left behind carries the marker of one of its attempts.
    for folder in (made.home / "attempts").glob("*"):
        for pid in liveness.marked(liveness.table(), str(folder)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for step in steps.steps_of(folder):
            Private(folder=step.folder).remove()
    made.shells().sweep()
