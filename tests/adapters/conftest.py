"""A small world with the real tool in it: a repository, a stack of lab objects, and a shell that runs things."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

# Tests are no package: this is how several folders share `state_server`, and those below this one `stack_subject`.
sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from stack_subject import StackSubject
from state_server import StateServer, serving

from adapters.conformance import Tampering
from adapters.contract import Adapter, Goal, Input, Json, Shell, Workspace
from adapters.terraform.adapter import build

REPOSITORY = Path(__file__).parents[2]
CANARY = "c4n4ry-hunter2"
STACK = "lab/web@default"

MAIN = """
terraform {
  required_providers {
    lab = { source = "lab.test/lab/lab", version = "0.1.0" }
  }
}
variable "root" { type = string }
variable "secret" {
  type      = string
  sensitive = true
}
provider "lab" { root = var.root }
resource "lab_object" "first" {
  name   = "first"
  size   = 10
  tags   = { owner = "ops" }
  secret = var.secret
}
module "second" {
  source = "../../modules/object"
  name   = "second"
}
output "id" { value = lab_object.first.id }
output "password" {
  value     = var.secret
  sensitive = true
}
"""
MODULE = """
terraform {
  required_providers {
    lab = { source = "lab.test/lab/lab" }
  }
}
variable "name" { type = string }
resource "lab_object" "this" { name = var.name }
"""


@dataclass(kw_only=True)
class LabSubject(StackSubject):
    """One stack of lab objects below one folder."""

    key = STACK
    path = "stacks/web"

    settings: Mapping[str, Json]
    #: None gives the lab's own.
    inputs: Mapping[str, Input] | None = None
    canary: str = CANARY
    _adapter: Adapter | None = None

    @property
    def workspace(self) -> Workspace:
        standard = {"root": Input(value=str(self.cloud)), "secret": Input(value=CANARY, sensitive=True)}
        return self.laid(standard if self.inputs is None else self.inputs)

    @property
    def main(self) -> Path:
        return self.folder / "tree/stacks/web/main.tf"

    @property
    def cloud(self) -> Path:
        return self.folder / "cloud"

    @property
    def adapter(self) -> Adapter:
        if self._adapter is None:
            self._adapter = build(self.settings, self.shell())
        return self._adapter

    @property
    def terraform(self) -> Any:
        """The adapter as what it is: for tests that look inside."""
        return self.adapter

    def commands(self) -> list[str]:
        """Return the verbs that the tool was called with, in order."""
        return re.findall(r"\$ \S*?(?:terraform|tofu) (\S+)", self.said())

    def world(self) -> Json:
        held = [json.loads(path.read_text()) for path in sorted((self.cloud / "objects").glob("*.json"))]
        return [{key: value for key, value in one.items() if key != "id"} for one in held]

    def ledger(self) -> list[dict[str, Json]]:
        try:
            return [json.loads(line) for line in (self.cloud / "ledger.jsonl").read_text().splitlines()]
        except FileNotFoundError:
            return []

    def edit(self) -> None:
        self.main.write_text(self.main.read_text().replace("size   = 10", "size   = 11"))

    def spoil(self) -> str:
        (self.main.parent / "broken.tf").write_text('\nresource "lab_object" {\n')
        return "stacks/web/broken.tf"

    def tamper(self) -> Tampering:
        self.rewrite("first", tags={"owner": "mallory"})
        return Tampering(address="lab_object.first", path="tags.owner", before="ops", after="mallory")

    def remove(self) -> str:
        self.object("second").unlink()
        return "module.second.lab_object.this"

    def object(self, name: str) -> Path:
        """Return the file of the object with this name."""
        (found,) = (self.cloud / "objects").glob(f"{name}-*.json")
        return found

    def rewrite(self, name: str, **values: Json) -> None:
        """Change an object's attributes by hand."""
        file = self.object(name)
        file.write_text(json.dumps({**json.loads(file.read_text()), **values}))

    def apply(self) -> None:
        """Plan and apply."""
        self.adapter.apply(self.workspace, self.adapter.plan(self.workspace, Goal.CONVERGE))


@dataclass(kw_only=True)
class LabRig:
    """Makes subjects below one folder, for one tool."""

    folder: Path
    tool: str
    cli_config: Path
    #: Folder of a converged subject, made once in a session and copied.
    template: Callable[[], Path]
    monkeypatch: pytest.MonkeyPatch

    @property
    def settings(self) -> dict[str, Json]:
        return {"tool": self.tool, "path": "stacks/web", "cli_config_file": str(self.cli_config)}

    def fresh(self) -> LabSubject:
        subject = LabSubject(folder=Path(tempfile.mkdtemp(dir=self.folder)), settings=self.settings)
        subject.main.parent.mkdir(parents=True)
        subject.main.write_text(MAIN)
        module = subject.folder / "tree/modules/object/main.tf"
        module.parent.mkdir(parents=True)
        module.write_text(MODULE)
        return subject

    def bare(self, text: str, inputs: Mapping[str, Input] | None = None, **settings: Json) -> LabSubject:
        """Return a subject with these files, most often of the built-in resource: a plan takes a tenth of a second."""
        subject = self.fresh()
        shutil.rmtree(subject.folder / "tree/modules")
        subject.main.write_text(text)
        return replace(subject, settings={**self.settings, **settings}, inputs=inputs or {})

    def converged(self) -> LabSubject:
        folder = Path(tempfile.mkdtemp(dir=self.folder)) / "copy"
        shutil.copytree(self.template(), folder, symlinks=True)
        return LabSubject(folder=folder, settings=self.settings)

    def build(self, shell: Shell, settings: Mapping[str, Json]) -> Adapter:
        return build({**self.settings, **settings}, shell)

    def without_tool(self) -> LabSubject:
        self.monkeypatch.setenv("PATH", str(self.folder))
        return self.fresh()


@pytest.fixture(scope="session")
def tofu() -> Path:
    """The folder with a ``tofu``: the machine's own, or one that is fetched once."""
    found = shutil.which("tofu")
    if found:
        return Path(found).parent
    fetched = subprocess.run(
        [REPOSITORY / "scripts/fetch-tofu"], capture_output=True, text=True, timeout=300, check=False
    )
    if fetched.returncode != 0:
        pytest.skip(f"no tofu: {fetched.stderr.strip()}")
    return REPOSITORY / ".tools"


@pytest.fixture(scope="session")
def templates() -> dict[str, Path]:
    """Converged subjects made so far, by tool."""
    return {}


@pytest.fixture(params=["terraform", "opentofu"])
def tool(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The tool under test, with its program on PATH."""
    if request.param == "opentofu":
        folder = request.getfixturevalue("tofu")
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    elif shutil.which("terraform") is None:
        pytest.skip("not installed: terraform")
    return str(request.param)


@pytest.fixture
def rig(
    tool: str,
    tmp_path: Path,
    lab_cli_config: Path,
    templates: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> LabRig:
    """A rig for the tool under test, in a process that has asked for no version yet."""
    monkeypatch.setattr("adapters.terraform.adapter._VERSIONS", {})

    def template() -> Path:
        if tool not in templates:
            made = LabRig(
                folder=tmp_path_factory.mktemp(f"converged-{tool}"),
                tool=tool,
                cli_config=lab_cli_config,
                template=Path,
                monkeypatch=monkeypatch,
            ).fresh()
            made.apply()
            shutil.rmtree(made.folder / "home")
            templates[tool] = made.folder
        return templates[tool]

    return LabRig(folder=tmp_path, tool=tool, cli_config=lab_cli_config, template=template, monkeypatch=monkeypatch)


@pytest.fixture
def server() -> Iterator[StateServer]:
    """A backend that keeps one state."""
    with serving() as made:
        yield made
