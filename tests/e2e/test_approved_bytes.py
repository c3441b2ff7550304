"""What people said yes to is what runs: nothing slips in between the yes and the tool, nor under a tool at work."""

from __future__ import annotations

import os
import shutil
import subprocess
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


def meddling(yard: Yard, script: str) -> None:
    """Have each ``init`` of the tool run ``script`` first; ``$place`` is the folder that the files are laid out below."""
    (yard.folder / "meddling").write_text(f'place=$PWD/../..\n[ "$1" = init ] && {{ {script}; }}\n')


def approved_and_not_initialised(yard: Yard) -> None:
    """Plan and approve, and lose what ``init`` made: a cache, which the apply has to make anew."""
    wrapper = yard.folder / "bin" / "terraform"
    *head, last = wrapper.read_text().splitlines(keepends=True)
    wrapper.write_text("".join([*head, f'[ -e "{yard.folder}/meddling" ] && . "{yard.folder}/meddling"\n', last]))
    yard.commit({"stacks.yaml": STACKS, "web/main.tf": ECHO, "web/deploy.sh": f"touch {yard.folder}/effect\n"})
    yard.run("plan").ended(0)
    yard.run("approve", "web", "--proposal", "1").ended(0)
    (scratch,) = (yard.home / "work").glob("*/scratch")
    shutil.rmtree(scratch / "terraform")


#: Runs a script of the stack.
ECHO = 'resource "terraform_data" "web" {\n  provisioner "local-exec" { command = "sh ./deploy.sh" }\n}\n'


def test_a_plan_that_is_swapped_while_the_tool_is_initialised_is_not_applied(yard: Yard) -> None:
    evil = yard.folder / "evil"
    evil.mkdir()
    (evil / "main.tf").write_text(ECHO.replace("sh ./deploy.sh", f"touch {yard.folder}/effect"))
    for words in (["init"], ["plan", "-out=plan"]):
        subprocess.run(["terraform", *words], cwd=evil, env=yard.environment, check=True, capture_output=True)
    approved_and_not_initialised(yard)
    meddling(yard, f'for plan in $place/private-*/approved.plan; do [ -e "$plan" ] && cp {evil}/plan "$plan"; done')
    yard.apply().ended(1, "HF-2006", "approved.plan was altered")
    assert not (yard.folder / "effect").exists()


def test_a_file_that_is_altered_while_the_tool_is_initialised_is_not_run(yard: Yard) -> None:
    approved_and_not_initialised(yard)
    meddling(yard, f'echo "touch {yard.folder}/evil" >>$place/root/web/deploy.sh')
    yard.apply().ended(1, "HF-2006", "web/deploy.sh was altered")
    assert not list(yard.folder.glob("e*"))


def test_another_program_of_the_same_name_and_version_does_not_apply_what_was_approved(yard: Yard) -> None:
    yard.commit({"stacks.yaml": STACKS, "web/main.tf": ECHO, "web/deploy.sh": "true\n"})
    yard.run("plan").ended(0)
    yard.run("approve", "web", "--proposal", "1").ended(0)
    other = yard.folder / "other" / "terraform"
    other.parent.mkdir()
    other.write_text(f'#!/bin/sh\necho "$1" >>"{yard.folder}/evil"\nexec "{yard.folder}/bin/terraform" "$@"\n')
    other.chmod(0o755)
    path = f"{other.parent}{os.pathsep}{yard.environment['PATH']}"
    yard.apply(PATH=path).ended(1, "HF-2006", "by another program of that name")
    assert "apply" not in (yard.folder / "evil").read_text().split()


#: Calls a module that is fetched into the scratch folder, and runs a script of that module's.
FETCHED = """
module "fetched" { source = "git::file://%s" }
"""
MODULE = """
resource "terraform_data" "made" {
  provisioner "local-exec" { command = "sh ${path.module}/run.sh" }
}
"""


@pytest.fixture
def fetched(yard: Yard) -> Path:
    """A stack with an approved plan that calls a fetched module; returns the folder that was fetched."""
    module = yard.folder / "module"
    module.mkdir()
    (module / "main.tf").write_text(MODULE)
    (module / "run.sh").write_text(f"touch {yard.folder}/effect\n")
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "one"]):
        subprocess.run(["git", *words], cwd=module, env=yard.environment, check=True)
    yard.commit({"stacks.yaml": STACKS, "web/main.tf": FETCHED % module})
    yard.run("plan").ended(0)
    yard.run("approve", "web", "--proposal", "1").ended(0)
    (found,) = (yard.home / "work").glob("*/scratch/terraform/modules/fetched")
    return found


def test_a_fetched_module_that_is_altered_after_the_yes_is_not_run(yard: Yard, fetched: Path) -> None:
    (fetched / "run.sh").write_text(f"touch {yard.folder}/evil\n")
    yard.apply().ended(1, "HF-2006", "the modules that were fetched")
    assert not list(yard.folder.glob("e*"))


def test_a_fetched_module_that_is_fetched_anew_and_is_the_same_is_run(yard: Yard, fetched: Path) -> None:
    shutil.rmtree(fetched.parents[1])
    yard.apply().ended(0)
    assert (yard.folder / "effect").exists()


def test_what_a_working_trees_plan_writes_to_its_scratch_does_not_reach_mains_apply(yard: Yard, fetched: Path) -> None:
    stat = fetched.stat()
    (yard.checkout / "web" / "extra.tf").write_text('output "more" { value = 1 }\n')
    yard.run("plan", "--dirty").ended(0)
    assert (fetched.stat().st_ino, fetched.stat().st_mtime_ns) == (stat.st_ino, stat.st_mtime_ns)
    (aside,) = (yard.home / "work").glob("*/scratch-aside/terraform/modules/fetched")
    (aside / "run.sh").write_text(f"touch {yard.folder}/evil\n")
    (yard.checkout / "web" / "extra.tf").unlink()
    yard.apply().ended(0)
    assert [path.name for path in yard.folder.glob("e*")] == ["effect"]
