"""T1 and T2: a plan by Ansible and by CloudFormation, beside the bare tool and beside a script of one's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from adapters.ansible.adapter import build as ansible
from adapters.cloudformation.adapter import build as cloudformation
from adapters.contract import Adapter, AdapterFactory, Goal, Json, Workspace
from bench import sceptre
from bench.measure import Figure, figure, in_turns, run
from orchestrator.effects.attempts import KeptAttempts
from orchestrator.effects.clock import SystemClock
from orchestrator.effects.shells import ToolShells
from orchestrator.ports import ShellNeeds

ROOT = Path(__file__).resolve().parent.parent
STACK = "bench/one@default"
TASKS = 8

TASK = """
    - name: file {number}
      ansible.builtin.copy: {{dest: "{folder}/{number}", content: "{text}"}}
"""
TEMPLATE = """
Parameters:
  Owner: {{Type: String, Default: ops}}
Resources:
  First:
    Type: AWS::SQS::Queue
    Properties: {{QueueName: first-{name}, VisibilityTimeout: {timeout}}}
  Second:
    Type: AWS::SQS::Queue
    Properties: {{QueueName: second-{name}}}
"""
#: What somebody writes who has no more than boto3: the same change set, waited for and described. It prints how long
#: its calls took, once boto3 was imported.
SCRIPT = """
import json, sys, time
import boto3
began = time.perf_counter()
cloud = boto3.client("cloudformation", region_name="eu-central-1")
name, number = sys.argv[2], sys.argv[3]
cloud.describe_stacks(StackName=name)
made = cloud.create_change_set(
    StackName=name, ChangeSetName=f"c{number}", ChangeSetType="UPDATE", TemplateBody=open(sys.argv[1]).read()
)
while True:
    found = cloud.describe_change_set(ChangeSetName=made["Id"], IncludePropertyValues=True)
    if found["Status"] in {"CREATE_COMPLETE", "FAILED"}:
        break
    time.sleep(0.2)
print(json.dumps({"changes": len(found["Changes"]), "took": time.perf_counter() - began}))
"""


def t1(folder: Path, rounds: int) -> list[Figure]:
    """A playbook of eight tasks on this host, checked; one of them would change something."""
    tree, made = folder / "tree", folder / "made"
    made.mkdir(parents=True)
    (tree / "web").mkdir(parents=True)
    (tree / "web/inventory").write_text(
        f"localhost ansible_connection=local ansible_python_interpreter={sys.executable}\n"
    )
    site = tree / "web/site.yml"
    adapter = _adapter(folder, ansible, {"tool": "ansible", "path": "web", "inventory": "inventory"}, {})
    _playbook(site, made, "one")
    adapter.apply(_workspace(folder), adapter.plan(_workspace(folder), Goal.CONVERGE))
    program = Path(sys.executable).with_name("ansible-playbook")
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOWS": "1"}

    def ours(number: int) -> float:
        _playbook(site, made, f"ours {number}")
        began = time.perf_counter()
        plan = adapter.plan(_workspace(folder), Goal.CONVERGE)
        took = time.perf_counter() - began
        assert len(plan.changes) == 1, plan.changes
        return took

    def rival(number: int) -> float:
        _playbook(site, made, f"bare {number}")
        return run([program, "--check", "--diff", "-i", "inventory", "site.yml"], cwd=tree / "web", env=env)

    taken = in_turns(ours, rival, rounds)
    return [figure("T1", f"Ansible `adapter.plan`, {TASKS} tasks, beside `ansible-playbook --check`", taken, 1.2)]


def t2(folder: Path, rounds: int) -> list[Figure]:
    """A change set on a stack that stands; the child's start and its imports are measured apart and left out."""
    (folder / "tree/web").mkdir(parents=True)
    template, script = folder / "tree/web/template.yaml", folder / "script.py"
    script.write_text(SCRIPT)
    with _aws(folder) as granted:
        settings: dict[str, Json] = {"tool": "cloudformation", "path": "web", "region": "eu-central-1", "lint": False}
        adapter = _adapter(folder, cloudformation, {**settings, "stack_name": "ours"}, granted)
        for name in ("ours", "theirs", "sceptres"):
            each = _adapter(folder, cloudformation, {**settings, "stack_name": name}, granted)
            template.write_text(TEMPLATE.format(name=name, timeout=30))
            each.apply(_workspace(folder), each.plan(_workspace(folder), Goal.CONVERGE))
        env = {"PATH": os.environ["PATH"], "HOME": str(folder), **granted}
        imports = "import botocore.parsers, boto3, adapters.cloudformation.client"

        def ours(number: int) -> float:
            template.write_text(TEMPLATE.format(name="ours", timeout=40 + number))
            start = run([sys.executable, "-I", "-c", imports], cwd=folder, env=env)
            began = time.perf_counter()
            plan = adapter.plan(_workspace(folder), Goal.CONVERGE)
            took = time.perf_counter() - began
            assert len(plan.changes) == 1, plan.changes
            # A difference of two runs means something only where both ran undisturbed.
            if took <= start:
                sys.exit(f"T2: the imports alone took {start:.2f} s, all of the plan {took:.2f} s: too busy to measure")
            return took - start

        def rival(number: int) -> float:
            template.write_text(TEMPLATE.format(name="theirs", timeout=40 + number))
            words = [sys.executable, str(script), str(template), "theirs", str(number)]
            done = subprocess.run(words, env=env, capture_output=True, text=True, check=True)
            told = json.loads(done.stdout)
            assert told["changes"] == 1, told
            return float(told["took"])

        work = "CloudFormation `adapter.plan`, imports left out, beside"
        found = [figure("T2", f"{work} a boto3 script's calls", in_turns(ours, rival, rounds), 1.1)]
        python = sceptre.sceptre()
        if python is None:
            return found
        asked = sceptre.project(folder / "sceptre", stack="sceptres")

        def other(number: int) -> float:
            asked.write_text(TEMPLATE.format(name="sceptres", timeout=40 + number))
            return sceptre.change_set(python, folder / "sceptre", number, env)

        taken = in_turns(lambda number: ours(rounds + number), other, rounds)
    return [*found, figure("T2", f"{work} `sceptre`'s API: a change set made and described", taken, 1.1)]


def _playbook(site: Path, made: Path, text: str) -> None:
    first = TASK.format(number=0, folder=made, text=text)
    rest = (TASK.format(number=number, folder=made, text="as ever") for number in range(1, TASKS))
    site.write_text(f"- hosts: all\n  gather_facts: false\n  tasks:{first}{''.join(rest)}")


def _workspace(folder: Path) -> Workspace:
    for name in ("scratch", "private", "kept"):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    return Workspace(
        root=folder / "tree",
        path=PurePosixPath("web"),
        scratch=folder / "scratch",
        private=folder / "private",
        kept=folder / "kept",
        stack=STACK,
        environment="default",
    )


def _adapter(
    folder: Path, build: AdapterFactory, settings: Mapping[str, Json], credentials: Mapping[str, str]
) -> Adapter:
    home = folder / "home"
    attempt = KeptAttempts(home=home, clock=SystemClock()).prepare().folder
    shells = ToolShells(home=home, clock=SystemClock(), outer=dict(os.environ))
    needs = ShellNeeds(stack=STACK, run=1, credentials=credentials, secrets=(), timeout_s=300.0, attempt=attempt)
    return build(settings, shells.open(needs))


@contextmanager
def _aws(folder: Path) -> Iterator[dict[str, str]]:
    """Run moto as the tests extend it; yields what a credential set would grant."""
    program = ROOT / "tests/adapters/cloudformation/moto_as_the_service.py"
    with (
        (folder / "moto.log").open("wb") as log,
        subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, stderr=log) as server,
    ):
        assert server.stdout is not None
        port: Any = json.loads(server.stdout.readline())
        try:
            yield {
                "AWS_ACCESS_KEY_ID": "bench",
                "AWS_SECRET_ACCESS_KEY": "bench",
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            }
        finally:
            server.terminate()
