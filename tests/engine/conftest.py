"""Lets the tests of this folder import their world, and lays that world in memory."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

#: Shared memory: a folder without a disk behind it.
MEMORY = Path("/dev/shm")


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, where there is one: no test here loses power, and a sweep waits for thousands of syncs."""
    if not os.access(MEMORY, os.W_OK):
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="holdfast-engine-", dir=MEMORY))
    yield folder
    shutil.rmtree(folder)
