"""The home is closed to everybody else on the host, whatever it was and whatever the person's umask is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e_yard import Done, Yard

pytestmark = pytest.mark.needs("git", "terraform")

STACKS = "version: 1\nproject: estate\nstacks:\n  web: {tool: terraform, path: web}\n"


@pytest.fixture
def careless() -> Iterator[None]:
    """Have everything that is made be open unless somebody closes it."""
    before = os.umask(0)
    yield
    os.umask(before)


def started(yard: Yard, *words: str) -> Done:
    """Run the program as a child of ours, which has our umask."""
    process = yard.start(*words)
    out, err = process.communicate(timeout=200)
    return Done(code=process.returncode, out=out, err=err)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def write(yard: Yard, text: str = 'resource "terraform_data" "web" {}\n') -> None:
    yard.commit({"stacks.yaml": STACKS, "web/main.tf": text})


@pytest.mark.usefixtures("careless")
def test_an_open_home_is_closed_before_anything_lies_in_it_and_again_later(yard: Yard) -> None:
    write(yard)
    yard.home.mkdir(mode=0o777)
    started(yard, "apply", "--yes").ended(0)
    assert mode(yard.home) == 0o700
    yard.home.chmod(0o755)
    started(yard, "status").ended(0)
    assert mode(yard.home) == 0o700


@pytest.mark.usefixtures("careless")
def test_nothing_in_the_home_is_for_anybody_else(yard: Yard) -> None:
    write(yard)
    started(yard, "apply", "--yes").ended(0)
    open_ = [path for path in yard.home.rglob("*") if not path.is_symlink() and mode(path) & 0o077]
    # Files of the repository that are laid out keep its modes, behind closed folders.
    assert not [path for path in open_ if not path.is_relative_to(yard.home / "work")]


@pytest.mark.usefixtures("careless")
def test_what_is_written_beside_a_persons_files_has_their_modes(yard: Yard) -> None:
    write(yard)
    (yard.checkout / "stacks.yaml").unlink()
    started(yard, "init").ended(0)
    assert mode(yard.checkout / "stacks.yaml") == 0o666


@pytest.mark.parametrize("bits", [0o1777, 0o755])
def test_a_folder_of_other_things_is_refused_and_left_alone(yard: Yard, bits: int) -> None:
    write(yard)
    yard.home.mkdir()
    (yard.home / "letters").touch()
    yard.home.chmod(bits)
    yard.run("status").ended(1, "HF-4305", "chmod 700")
    assert yard.home.stat().st_mode & 0o7777 == bits


def test_a_home_that_a_group_shares_stays_so(yard: Yard) -> None:
    write(yard)
    yard.home.mkdir()
    yard.home.chmod(0o770)
    yard.run("status").ended(0)
    assert mode(yard.home) == 0o770
