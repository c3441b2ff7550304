"""An adapter in a distribution of its own: installed, found by its entry point, and as good as ours."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from adapters.conformance import CASES

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Environment, Install

THIRD_PARTY = Path(__file__).parent / "third_party"


@pytest.fixture
def environment(install: Install) -> Environment:
    """A virtual environment with Holdfast and the adapter in it: its Python, and the variables to run it with."""
    files = {"acme_copy.py": (THIRD_PARTY / "acme_copy.py").read_text()}
    return install("acme-copy", "1.0.0", files, "acme-copy = acme_copy:build")


def test_an_adapter_of_somebody_else_is_found_and_passes_the_suite(
    environment: Environment, run_suite: Callable[[Environment, Path], str]
) -> None:
    assert f"{len(CASES)} passed" in run_suite(environment, THIRD_PARTY / "test_acme_copy.py")


def test_it_stands_among_the_installed_adapters_beside_ours(environment: Environment) -> None:
    python, variables = environment
    ask = "from orchestrator.effects.plugins import InstalledAdapters; print(*InstalledAdapters().names())"
    told = subprocess.run(
        [python, "-c", ask], env=variables, capture_output=True, text=True, timeout=60, check=True
    ).stdout.split()
    assert {"acme-copy", "opentofu", "terraform"} <= set(told)
