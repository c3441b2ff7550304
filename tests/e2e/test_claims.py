"""A repository cannot take another one's place by claiming its name."""

from __future__ import annotations

import pytest
from e2e_yard import Yard

pytestmark = pytest.mark.needs("git", "terraform")

STACKS = "version: 1\nproject: shared\nstacks:\n  one: {tool: terraform, path: one}\n"


def test_a_repository_that_claims_anothers_project_is_refused_and_runs_no_tool(yard: Yard, tmp_path) -> None:
    yard.commit({"stacks.yaml": STACKS, "one/main.tf": 'resource "terraform_data" "first" {}\n'})
    yard.apply().ended(0)
    folder = tmp_path / "other"
    folder.mkdir()
    other = Yard(folder=folder, cli_config=yard.cli_config, extra={"HOLDFAST_HOME": str(yard.home)})
    other.lay()
    other.commit({"stacks.yaml": STACKS, "one/main.tf": 'resource "terraform_data" "second" {}\n'})
    refused = other.run("plan").ended(64)
    assert "HF-4015" in refused.err
    assert "project:" in refused.err
    # The one that was there first is not disturbed, wherever it is cloned to.
    yard.run("status", "--check").ended(0)
