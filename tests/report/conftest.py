"""A world and receivers for every test of this folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

# Tests are no package: this is how they share what is beside them, and the engine's world.
sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))
sys.path.insert(0, str(Path(__file__).parent))

from receiving import Receiver, Said, receiving
from report_stage import REPAIR, Stage
from world import AUTO, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, replace(AUTO, drift=REPAIR))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world, Said())
