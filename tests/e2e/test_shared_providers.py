"""Providers that all stacks of a host share, inside the sandbox and out of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from e2e_yard import Yard

pytestmark = pytest.mark.needs("git", "terraform", "bwrap")

ROOT = Path(__file__).resolve().parents[2]
LAMP = 'resource "lab_object" "lamp" { name = "%s" }\n'


@pytest.fixture
def shared(yard: Yard) -> Path:
    """Two stacks of one provider, and an operator who keeps providers in one folder and shuts tools in."""
    tried = subprocess.run(
        ["bwrap", "--ro-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "true"], capture_output=True, check=False
    )
    if tried.returncode:
        pytest.skip(f"bwrap does not work here: {tried.stderr.decode().strip()}")
    stacks = "version: 1\nproject: estate\nstacks:\n  one: {tool: terraform, path: one}\n  two: {tool: terraform, path: two}\n"
    yard.cloud.mkdir(exist_ok=True)
    yard.commit(
        {"stacks.yaml": stacks, **{f"{name}/main.tf": yard.lab + LAMP % name for name in ("one", "two")}},
    )
    cache = yard.folder / "providers"
    # The lab provider is a program of this Python, and its cloud a folder.
    python = {sys.prefix, sys.base_prefix, str(ROOT)}
    mirror = str(yard.cli_config.parent / "mirror")
    operate(yard, {"sandbox": "bwrap", "plugin_cache": str(cache), "readable": [mirror, *sorted(python)]})
    return cache


def operate(yard: Yard, workers: dict[str, object]) -> None:
    operator = yard.folder / "holdfast.yaml"
    operator.write_text(json.dumps({"version": 1, "workers": workers}))
    yard.extra |= {"HOLDFAST_CONFIG": str(operator)}


def test_a_sandboxed_tool_finds_the_mirror_and_fills_the_cache(yard: Yard, shared: Path) -> None:
    yard.run("plan").ended(0, "+1")
    # From a mirror of folders the tool keeps a link.
    (kept,) = (shared / "lab.test" / "lab" / "lab" / "0.1.0").iterdir()
    assert list(kept.iterdir()), "the providers of all stacks lie in one folder"


def test_a_mirror_that_the_operator_does_not_name_is_not_seen_in_the_sandbox(yard: Yard, shared: Path) -> None:
    operate(yard, {"sandbox": "bwrap"})
    yard.run("plan").ended(1, "HF-2004", "init failed")


def test_a_folder_that_is_no_absolute_path_is_refused_by_line(yard: Yard) -> None:
    operate(yard, {"plugin_cache": "providers", "readable": ["mirror"]})
    yard.run("plan").ended(64, "HF-1004", "no absolute path")
