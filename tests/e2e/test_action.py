"""The GitHub Action, its steps run as a runner would: what it plans is what it applies, and nobody's words are run."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from action_runner import ACTION, ROOT, Machine, pull_request
from e2e_yard import Yard

pytestmark = pytest.mark.needs("git", "terraform")

KEY = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
STACKS = """\
version: 1
project: estate
environments:
  prod: {tier: production}
stacks:
  network:
    tool: terraform
    path: network
    environments: [prod]
    backend_config: {path: %(states)s/network.tfstate}
  web:
    tool: terraform
    path: web
    backend_config: {path: %(states)s/web.tfstate}
"""
STACK = """
terraform {
  backend "local" {}
}
resource "lab_object" "it" {
  name = "%s"
  size = %s
}
"""
Machines = Callable[..., Machine]


@pytest.fixture
def machines(yard: Yard) -> Machines:
    """Makes machines of a repository with two stacks; ``event`` and ``payload`` say what set a job off."""
    states = yard.folder / "states"
    states.mkdir()
    files = {"stacks.yaml": STACKS % {"states": states}}
    yard.commit(
        {
            **files,
            "network/main.tf": yard.lab + STACK % ("network", 1),
            "web/main.tf": yard.lab + STACK % ("web", 1),
        }
    )
    made: list[Machine] = []

    def make(**words: Any) -> Machine:
        folder = yard.folder / f"machine-{len(made)}"
        folder.mkdir()
        one = Yard(folder=folder, cli_config=yard.cli_config)
        shutil.copytree(yard.folder / "bin", folder / "bin")
        (folder / "person").mkdir()
        yard.git("clone", "--quiet", "--no-local", "--depth=1", f"file://{yard.checkout}", str(one.checkout))
        made.append(Machine(yard=one, **words))
        return made[-1]

    return make


def secret() -> dict[str, str]:
    return {"HOLDFAST_PLAN_KEY": KEY}


def handed_over(path: str, machine: Machine) -> str:
    """Copy a folder as an artifact travels from job to job: without modes, and without its name."""
    to = machine.temp / "artifact"
    to.mkdir()
    for file in Path(path).iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    return str(to)


def test_what_one_job_plans_another_applies_once_its_environment_is_approved(yard: Yard, machines: Machines) -> None:
    planning = machines(environment=secret())
    planned = planning.use(command="plan").ended(0, "::group::network@prod", "2 to add in 2 stacks.")
    assert planned.outputs["changes"] == "true"
    assert json.loads(planned.outputs["stacks"]) == ["network@prod", "web"]
    assert planned.outputs["exit-code"] == "0"
    assert "network@prod" in planned.summary
    assert Path(planned.outputs["summary-path"]).read_text() == planned.summary
    assert [one.partition("@")[0] for one in planned.skipped] == ["actions/cache", "actions/cache"]
    assert not yard.created()

    applying = machines(environment=secret())
    artifact = handed_over(planned.outputs["plan-path"], applying)
    digest = planned.outputs["plan-digest"]
    wrong = applying.use(command="apply", plan=artifact, digest="0" * 64).ended(4, "::error title=HF-1603::")
    assert wrong.outputs["exit-code"] == "4"
    assert "HF-1603" in wrong.summary
    saved = max((path for path in Path(artifact).iterdir() if not path.suffix), key=lambda path: path.stat().st_size)
    content = saved.read_bytes()
    saved.write_bytes(content[:-8])
    applying.use(command="apply", plan=artifact, digest=digest).ended(4, "HF-1605")
    saved.write_bytes(content)
    assert not yard.created()
    applying.use(command="apply", plan=artifact, digest=digest).ended(0, "2 applied.")
    assert yard.created() == {"network": 1, "web": 1}
    (record,) = (applying.temp / "holdfast" / "home").glob("record.db")
    applying.yard.extra["HOLDFAST_HOME"] = str(record.parent)
    assert "ana in https://github.example/acme/infra/actions/runs/4711" in repr(applying.yard.entries())


@pytest.mark.full
def test_a_machine_that_remembers_nothing_tells_what_differs_from_what_is_committed(
    yard: Yard, machines: Machines
) -> None:
    planned = machines(environment=secret()).use(command="plan").ended(0)
    applying = machines(environment=secret())
    artifact = handed_over(planned.outputs["plan-path"], applying)
    # Production asks for a stack's name, unless somebody has named the very plans.
    applying.use(command="apply", plan=artifact, stacks="network@prod").ended(3, "asks for its name")
    applying.use(command="apply", plan=artifact, digest=planned.outputs["plan-digest"]).ended(0)
    # The next push finds nothing to do, and the machine of the next job has never heard of anything.
    again = machines(environment=secret()).use(command="plan", detailed_exitcode="true")
    again.ended(0, "No changes in 2 stacks.")
    assert again.outputs["changes"] == "false"
    drift = machines().use(command="drift", detailed_exitcode="true").ended(0, "No drift in 2 stacks.")
    assert json.loads(drift.outputs["stacks"]) == []
    yard.edit_object("web", size=7)
    drift = machines().use(command="drift", detailed_exitcode="true").ended(2, "::warning title=holdfast drift::web")
    assert json.loads(drift.outputs["stacks"]) == ["web"]
    assert "expected `1`, is `7`" in drift.summary


def test_code_of_a_fork_is_validated_and_not_run(yard: Yard, machines: Machines) -> None:
    marker = yard.folder / "ran"
    provider = f'\ndata "external" "x" {{ program = ["touch", "{marker}"] }}\n'
    yard.commit({"web/evil.tf": provider})
    fork = machines(event="pull_request", payload=pull_request(fork=True))
    found = fork.use(command="plan").ended(0, "comes from a fork")
    assert "comes from a fork" in found.summary
    fork.use(command="apply").ended(4, "HF-1620")
    assert not fork.yard.starts()
    # A deleted fork says nothing of itself, and an event that cannot be read says nothing at all.
    gone = pull_request()
    gone["pull_request"]["head"]["repo"] = None
    fork.payload = gone
    fork.use(command="drift").ended(4, "HF-1620")
    # With the rights of the repository not even a branch of its own is looked at.
    fork.event, fork.payload = "pull_request_target", pull_request()
    fork.use(command="plan").ended(4, "HF-1621")
    assert not marker.exists()


def test_what_others_name_their_branches_and_pull_requests_is_never_run(yard: Yard, machines: Machines) -> None:
    marker = yard.folder / "ran"
    evil = f"$(touch {marker})`touch {marker}`;touch {marker};\n::add-mask::x\n::set-output name=changes::x"
    payload = pull_request(title=evil, branch=evil.replace("\n", ""))
    machine = machines(event="pull_request", payload=payload)
    machine.environment |= {"GITHUB_HEAD_REF": evil, "GITHUB_TRIGGERING_ACTOR": evil}
    planned = machine.use(command="plan", stacks="web").ended(0)
    assert planned.outputs["plan-path"] == ""
    for used in (
        machine.use(command="plan", stacks=evil),
        machine.use(command="plan", environment=evil, changed_since=evil),
        machine.use(command="plan", directory=evil, config=evil),
        machine.use(command="apply", plan=evil, digest=evil),
        machine.use(command="status", environment=evil),
    ):
        assert used.code in {1, 64}, used.log
        assert not [line for line in used.log.splitlines() if line.lstrip().startswith(("::add-mask", "::set-output"))]
    machine.use(command=evil).ended(64, "command: validate, plan")
    assert not marker.exists()
    # A line that a shell reads holds no expression at all: what is in one would be part of the line.
    assert not [step for step in ACTION["runs"]["steps"] if "${{" in step.get("run", "")]


def test_a_stack_without_a_backend_is_refused_where_its_state_would_be_lost(yard: Yard, machines: Machines) -> None:
    yard.commit({"web/main.tf": yard.lab + (STACK % ("web", 1)).replace('backend "local" {}', "")})
    stacks = (yard.checkout / "stacks.yaml").read_text()
    yard.commit({"stacks.yaml": stacks[: stacks.rindex("    backend_config")]})
    machine = machines()
    planned = machine.use(command="plan", stacks="web").ended(1, "HF-2012", 'backend "s3"')
    assert "HF-2012" in planned.summary
    machine.use(command="status").ended(0, "what happened before is not known here")
    # A machine that is kept says so.
    machine.environment["HOLDFAST_RECORD"] = "lasting"
    machine.use(command="plan", stacks="web").ended(0)


@pytest.mark.full
def test_the_action_installs_itself_with_what_its_constraints_say(tmp_path: Path) -> None:
    folder = tmp_path / "temp"
    folder.mkdir()
    base = {**os.environ, "RUNNER_TEMP": str(folder), "GITHUB_OUTPUT": str(tmp_path / "output")}
    script = ROOT / "scripts" / "in-action"

    def step(word: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [script, word], cwd=tmp_path, env={**base, **env}, capture_output=True, text=True, check=False
        )

    assert step("places", HOLDFAST_EXTRAS="postgresql").returncode == 0
    assert len((tmp_path / "output").read_text().splitlines()) == 3
    done = step("install", HOLDFAST_EXTRAS="postgresql")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(("holdfast ", "making "))
    # What comments are written with is there, whatever else was asked for.
    python = folder / "holdfast" / "venv" / "bin" / "python"
    assert subprocess.run([python, "-c", "import httpx2"], check=False).returncode == 0
    wrong = step("install", HOLDFAST_WANTED_VERSION="99.0")
    assert wrong.returncode == 64
    assert "::error title=holdfast::this action is holdfast" in wrong.stdout
    assert step("install", HOLDFAST_EXTRAS="x;touch y").returncode == 64
