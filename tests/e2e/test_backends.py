"""A backend in stacks.yaml or the files that changes: the whole way stops, and goes on once the state has moved."""

from __future__ import annotations

import shutil

import pytest
from e2e_yard import Yard

pytestmark = pytest.mark.needs("git", "terraform")

STACKS = """\
version: 1
project: estate
stacks:
  web:
    tool: terraform
    path: web
    backend_config: {path: %s}
"""
WEB = """
terraform {
  backend "local" {}
}
resource "lab_object" "web" {
  name = "web"
  size = %s
}
"""


def test_another_place_for_the_state_creates_nothing_a_second_time(yard: Yard) -> None:
    old, new = yard.folder / "old.tfstate", yard.folder / "new.tfstate"
    yard.commit({"stacks.yaml": STACKS % old, "web/main.tf": yard.lab + WEB % 1})
    yard.apply().ended(0)
    yard.commit({"stacks.yaml": STACKS % new})
    yard.run("plan").ended(1, "HF-2010", str(old), str(new))
    yard.apply("--accept-duplicates").ended(1, "HF-2010")
    assert yard.created() == {"web": 1}
    yard.run("explain", "HF-2010").ended(0, "-migrate-state")
    # Moved by hand, it is the same state: nothing need be said, and nothing is to do.
    shutil.move(old, new)
    yard.run("plan").ended(0, "No changes")
    yard.commit({"web/main.tf": yard.lab + WEB % 2})
    yard.apply().ended(0)
    assert yard.created() == {"web": 1}
    # Back to the commit before: its backend is empty now, and the drift of what is applied is looked for where it is.
    yard.run("drift").ended(0)
    yard.run("rollback", "web", "--to", "HEAD~2", "--yes").ended(1, "HF-2010")
    assert yard.created() == {"web": 1}


def test_a_renamed_stack_with_a_backend_of_its_own_name_stops_too(yard: Yard) -> None:
    path = f"{yard.folder}/${{stack.name}}.tfstate"
    yard.commit({"stacks.yaml": STACKS % f'"{path}"', "web/main.tf": yard.lab + WEB % 1})
    yard.apply().ended(0)
    renamed = (STACKS % f'"{path}"').replace("  web:", "  site:\n    moved_from: web")
    yard.commit({"stacks.yaml": renamed, "web/main.tf": yard.lab + WEB % 2})
    yard.apply().ended(1, "HF-2010", "web.tfstate", "site.tfstate")
    shutil.move(yard.folder / "web.tfstate", yard.folder / "site.tfstate")
    yard.apply().ended(0)
    assert yard.created() == {"web": 1}
