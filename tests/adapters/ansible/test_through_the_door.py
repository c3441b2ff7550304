"""A playbook in stacks.yaml, through the command line: planned, applied, drifted, put back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import preloaded
import pytest

STACKS = """\
version: 1
project: small
stacks:
  web:
    tool: ansible
    path: ansible/web
    inventory: ../hosts
    sensitive_outputs: [token]
    extra_vars:
      root: ROOT
      password: ${secret:web/password}
    vault_ids:
      prod: ${secret:vault}
"""
SITE = """\
- hosts: all
  gather_facts: false
  tasks:
    - name: page
      ansible.builtin.copy: {dest: "{{ root }}/page", content: "hello\\n"}
    - name: password
      ansible.builtin.copy: {dest: "{{ root }}/password", content: "{{ password }}\\n"}
    - name: restart
      ansible.builtin.command: touch {{ root }}/restarted
    - name: outputs
      ansible.builtin.set_stats: {data: {url: "http://web", token: "t0ken-canary"}}
"""


@pytest.mark.full  # the example of four tools takes the same way
def test_a_playbook_is_planned_applied_and_repaired(tmp_path: Path) -> None:
    repo, world = tmp_path / "repo", tmp_path / "world"
    world.mkdir()
    (repo / "ansible/web").mkdir(parents=True)
    (repo / "stacks.yaml").write_text(STACKS.replace("ROOT", str(world)))
    (repo / "ansible/web/site.yml").write_text(SITE)
    line = f'localhost ansible_connection=local ansible_python_interpreter="{sys.executable}"\n'
    (repo / "ansible/hosts").write_text(line)
    named = ("-c", "user.name=Ana", "-c", "user.email=ana@acme.example", "-c", "commit.gpgsign=false")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "person"), "HOLDFAST_HOME": str(tmp_path / "home")}
    secret = {"HOLDFAST_SECRET_WEB_PASSWORD": "swordfish-canary", "HOLDFAST_SECRET_VAULT": "vault-canary"}
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "first")):
        subprocess.run(["git", *named, *words], cwd=repo, check=True, env=env)

    def holdfast(code: int, *words: str) -> str:
        ended, out, err = preloaded.run(words, cwd=repo, env={**env, **secret}, timeout=120)
        assert ended == code, f"{words}\n{out}\n{err}"
        assert "canary" not in out + err
        return out

    planned = json.loads(holdfast(0, "plan", "web", "--json"))
    assert "localhost: page" in json.dumps(planned)
    assert list(world.iterdir()) == []
    holdfast(0, "apply", "web", "--yes", "--confirm", "web")
    assert sorted(path.name for path in world.iterdir()) == ["page", "password", "restarted"]
    assert (world / "password").read_text() == "swordfish-canary\n"
    assert "http://web" in holdfast(0, "outputs", "web")

    (world / "page").write_text("mallory was here\n")
    drifted = holdfast(0, "drift", "web")
    assert "localhost: page" in drifted
    holdfast(0, "apply", "web", "--yes", "--confirm", "web")
    assert (world / "page").read_text() == "hello\n"
    kept = b"".join(path.read_bytes() for path in (tmp_path / "home").rglob("*.log"))
    assert b"canary" not in kept


SMALL = "version: 1\nproject: small\nstacks:\n  lamp: {tool: ansible, path: lamp}\n"


class Lamp:
    """One stack of a playbook that lights a lamp, applied."""

    def __init__(self, folder: Path) -> None:
        self.repo = folder / "repo"
        self.env = {"PATH": os.environ["PATH"], "HOME": str(folder / "person"), "HOLDFAST_HOME": str(folder / "home")}
        (self.repo / "lamp").mkdir(parents=True)
        self.git("init", "-q")
        self.git("config", "user.email", "ana@acme.example")
        task = f'ansible.builtin.file: {{path: "{folder / "light"}", state: directory}}'
        site = f"- hosts: localhost\n  gather_facts: false\n  tasks:\n    - {task}\n"
        self.files = {"stacks.yaml": SMALL, "lamp/site.yml": site}
        self.commit(self.files)
        self.holdfast(0, "apply", "--yes")

    def git(self, *words: str) -> None:
        named = ("-c", "user.name=Ana", "-c", "user.email=ana@acme.example", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *named, *words], cwd=self.repo, check=True, env=self.env)

    def commit(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self.repo / name).write_text(text)
        self.git("add", "-A")
        self.git("commit", "-qm", "change")

    def holdfast(self, code: int, *words: str) -> str:
        ended, out, err = preloaded.run(words, cwd=self.repo, env=self.env, timeout=120)
        assert ended == code, f"{words}\n{out}\n{err}"
        return out + err


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Lamp:
    """One lamp for all tests that light none."""
    return Lamp(tmp_path_factory.mktemp("lamp"))


@pytest.fixture
def lamp(applied: Lamp) -> Iterator[Lamp]:
    """The lamp, its files afterwards as they were."""
    yield applied
    applied.commit(applied.files)


def test_what_a_playbook_made_is_refused_to_be_taken_down_before_anything_is_held(lamp: Lamp) -> None:
    said = lamp.holdfast(64, "apply", "--destroy", "lamp", "--yes", "--confirm", "lamp")
    assert said.startswith("HF-1922  lamp: ansible cannot take down what it made")
    assert "Synced" in lamp.holdfast(0, "status", "lamp")
    lamp.holdfast(64, "resume", "lamp")
    # Nothing but its plan knows of a stack that left its source.
    lamp.commit({"stacks.yaml": "version: 1\nproject: small\nstacks: {}\n"})
    said = lamp.holdfast(1, "apply", "--destroy", "lamp", "--yes", "--confirm", "lamp")
    assert "a playbook cannot be destroyed" in said
    assert "lamp stays as it was" in said
    assert "taken down by" not in said
    assert "holdfast resume" not in said


def test_why_a_look_failed_is_in_the_log_of_its_run(lamp: Lamp) -> None:
    lamp.commit({"lamp/site.yml": "- hosts: localhost\n  tasks: [{\n"})
    lamp.holdfast(1, "plan")
    newest = json.loads(lamp.holdfast(0, "runs", "--all", "--json"))["runs"][0]["run"]
    assert "HF-2004 ansible could not begin: lamp/site.yml:" in lamp.holdfast(0, "logs", str(newest))
