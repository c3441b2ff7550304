"""A yard for every test of this folder: a repository, a home, a cloud, and the installed program."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Tests are no package: this is how those of this folder share `e2e_yard`, and several folders `state_server`.
sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))

from e2e_yard import Yard
from state_server import StateServer, serving

pytestmark = pytest.mark.needs("git", "terraform")


@pytest.fixture
def yard(tmp_path: Path, lab_cli_config: Path) -> Iterator[Yard]:
    made = Yard(folder=tmp_path, cli_config=lab_cli_config)
    made.lay()
    yield made
    made.clear()


@pytest.fixture
def server() -> Iterator[StateServer]:
    """A backend that keeps one state."""
    with serving() as made:
        yield made
