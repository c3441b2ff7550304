"""A small world with the real Ansible in it: a repository, a playbook, and a folder that it makes things in."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from stack_subject import StackSubject

from adapters.ansible import adapter
from adapters.ansible.adapter import build
from adapters.conformance import Tampering
from adapters.contract import Adapter, Goal, Input, Json, Shell, Workspace

CANARY = "c4n4ry-hunter2"
STACK = "lab/web@default"
#: The same for every copy of a subject.
ROOT = "{{ playbook_dir }}/../../../world"
LOCAL = 'localhost ansible_connection=local ansible_python_interpreter="{{ ansible_playbook_python }}"\n'

#: What the conformance suite works on: two objects that are made, a secret in the name of one, and outputs.
#: Folders, because a file costs the tool three times as much.
SITE = """
- name: web
  hosts: all
  gather_facts: false
  tasks:
    - name: first
      ansible.builtin.file:
        path: "{{ root }}/first"
        state: directory
        mode: "0755"
    - name: second
      ansible.builtin.file:
        path: "{{ root }}/second-{{ secret }}"
        state: directory
    - name: outputs
      ansible.builtin.set_stats:
        data:
          id: web
          password: "{{ secret }}"
"""


@dataclass(kw_only=True)
class PlaybookSubject(StackSubject):
    """One stack below one folder."""

    key = STACK
    path = "stacks/web"
    grace_s = 5.0

    settings: Mapping[str, Json]
    #: None gives the suite's own.
    inputs: Mapping[str, Input] | None = None
    canary: str = CANARY
    _adapter: Adapter | None = None

    @property
    def workspace(self) -> Workspace:
        standard = {"root": Input(value=ROOT), "secret": Input(value=CANARY, sensitive=True)}
        return self.laid(standard if self.inputs is None else self.inputs)

    @property
    def stack(self) -> Path:
        return self.folder / "tree/stacks/web"

    @property
    def site(self) -> Path:
        return self.stack / "site.yml"

    @property
    def made(self) -> Path:
        """The folder that the playbook makes things in."""
        return self.folder / "world"

    @property
    def adapter(self) -> Adapter:
        if self._adapter is None:
            self._adapter = build(self.settings, self.shell())
        return self._adapter

    def world(self) -> Json:
        found = sorted(self.made.iterdir())
        return {path.name: path.read_text() if path.is_file() else oct(path.stat().st_mode) for path in found}

    def edit(self) -> None:
        self.site.write_text(self.site.read_text().replace("0755", "0750"))

    def spoil(self) -> str:
        self.site.write_text(self.site.read_text() + "    - name: broken\n      no.such.module: {}\n")
        return "stacks/web/site.yml"

    def tamper(self) -> Tampering:
        (self.made / "first").chmod(0o700)
        return Tampering(address="localhost: first", path="mode", before="0755", after="0700")

    def remove(self) -> str:
        (self.made / f"second-{self.canary}").rmdir()
        return "localhost: second"

    def plan(self) -> Any:
        return self.adapter.plan(self.workspace, Goal.CONVERGE)

    def apply(self) -> None:
        """Plan and apply."""
        self.adapter.apply(self.workspace, self.plan())


@dataclass(kw_only=True)
class PlaybookRig:
    """Makes subjects below one folder."""

    folder: Path
    #: Folder of a converged subject, made once in a session and copied.
    template: Callable[[], Path]
    monkeypatch: pytest.MonkeyPatch
    settings: Mapping[str, Json]

    def fresh(self) -> PlaybookSubject:
        return self.of(SITE, None)

    def of(self, site: str, inputs: Mapping[str, Input] | None = None, **settings: Json) -> PlaybookSubject:
        """Return a subject with this playbook, handed the world's folder as ``root``."""
        subject = PlaybookSubject(
            folder=Path(tempfile.mkdtemp(dir=self.folder)), settings={**self.settings, **settings}
        )
        if inputs is not None:
            subject.inputs = {"root": Input(value=ROOT), **inputs}
        subject.stack.mkdir(parents=True)
        subject.made.mkdir()
        subject.site.write_text(site)
        (subject.stack / "inventory").write_text(LOCAL)
        return subject

    def tasks(self, text: str, **settings: Json) -> PlaybookSubject:
        """Return a subject whose playbook has these tasks."""
        lines = "".join(f"    {line}\n" for line in text.strip().splitlines())
        return self.of(f"- hosts: all\n  gather_facts: false\n  tasks:\n{lines}", {}, **settings)

    def converged(self) -> PlaybookSubject:
        folder = Path(tempfile.mkdtemp(dir=self.folder)) / "copy"
        shutil.copytree(self.template(), folder, symlinks=True)
        return PlaybookSubject(folder=folder, settings=self.settings)

    def build(self, shell: Shell, settings: Mapping[str, Json]) -> Adapter:
        return build({**self.settings, **settings}, shell)

    def without_tool(self) -> PlaybookSubject:
        # Neither on PATH nor beside the interpreter.
        self.monkeypatch.setenv("PATH", str(self.folder))
        self.monkeypatch.setattr(sys, "executable", str(self.folder / "python"))
        return self.fresh()


@pytest.fixture(scope="session")
def converged_template() -> dict[str, Path]:
    """The converged subject made so far."""
    return {}


@pytest.fixture
def rig(
    tmp_path: Path,
    converged_template: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> PlaybookRig:
    """A rig for Ansible."""
    # What another test was told is nothing that this one knows.
    monkeypatch.setattr(adapter, "_VERSIONS", {})
    settings: dict[str, Json] = {"tool": "ansible", "path": "stacks/web", "sensitive_outputs": ["token"]}

    def template() -> Path:
        if "folder" not in converged_template:
            made = PlaybookRig(
                folder=tmp_path_factory.mktemp("converged"), template=Path, monkeypatch=monkeypatch, settings=settings
            ).fresh()
            made.apply()
            shutil.rmtree(made.folder / "home")
            converged_template["folder"] = made.folder
        return converged_template["folder"]

    return PlaybookRig(folder=tmp_path, template=template, monkeypatch=monkeypatch, settings=settings)
