"""What people said yes to is what runs: nothing slips in between the yes and the tool, nor under a tool at work."""

from __future__ import annotations

from pathlib import Path

import pytest
from e2e_yard import Yard, until

pytestmark = pytest.mark.needs("git", "terraform")

STACKS = "version: 1\nproject: estate\nstacks:\n  web: {tool: terraform, path: web}\n"
#: Says that it has begun, waits for as long as the gate is there, and runs a script of the stack.
WAITING = """
resource "terraform_data" "web" {
  input = "one"
  provisioner "local-exec" {
    command = "touch %(gate)s.reached; while [ -e %(gate)s ]; do sleep 0.05; done; sh ./deploy.sh >>%(gate)s.said"
  }
}
"""


@pytest.fixture
def gate(yard: Yard) -> Path:
    """A stack whose apply waits in the middle until the returned file is gone."""
    gate = yard.folder / "gate"
    gate.touch()
    files = {"web/main.tf": WAITING % {"gate": gate}, "web/deploy.sh": "echo approved\n"}
    yard.commit({"stacks.yaml": STACKS, **files})
    return gate


def test_files_are_not_laid_out_anew_under_a_tool_whose_worker_was_killed(yard: Yard, gate: Path) -> None:
    process = yard.start("apply", "--yes")
    until(gate.with_suffix(".reached").exists)
    process.kill()
    process.communicate()
    yard.commit({"web/deploy.sh": "echo sneaked in\n"})
    yard.run("validate", "--tools").ended(75, "HF-4203", "web is being applied")
    gate.unlink()
    yard.run("plan").ended(0)
    assert gate.with_suffix(".said").read_text() == "approved\n"
    assert yard.state("web").applied is not None
    yard.run("validate", "--tools").ended(0)
