"""A service at work behind its door, as it is installed, on sources that cost nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Tests are no package: this is how those of this folder share `serviced`.
sys.path.insert(0, str(Path(__file__).parent))

from serviced import Service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all tests of a module, with a hook of each kind."""
    with Service(tmp_path_factory.mktemp("service")).at_work() as made:
        yield made
