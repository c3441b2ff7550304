"""A small world with the real Puppet in it: two files of a folder, one of them with a secret."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from stack_subject import StackSubject

from adapters.conformance import Tampering
from adapters.contract import Adapter, Goal, Input, Json, Shell, Workspace
from adapters.puppet import adapter
from adapters.puppet.adapter import build

CANARY = "c4n4ry-%{x}-hunter2"
STACK = "lab/host@default"
SETTINGS: Mapping[str, Json] = {"tool": "puppet", "path": "stacks/host"}

SITE = """\
$where = lookup('where')
file { "${where}/first":
  ensure  => file,
  content => "size=10\\n",
  mode    => '0640',
}
file { "${where}/second":
  ensure  => file,
  content => lookup('secret'),
  mode    => '0600',
}
"""


@dataclass(kw_only=True)
class HostSubject(StackSubject):
    """One stack that keeps files in one folder of this host."""

    key = STACK
    path = "stacks/host"

    #: Where its files are kept: a fixed place, for a copied template names it.
    world_folder: Path
    settings: Mapping[str, Json] = field(default_factory=lambda: dict(SETTINGS))
    inputs: Mapping[str, Input] = field(default_factory=dict)
    environment: str = "default"
    canary: str = CANARY
    _adapter: Adapter | None = None

    @property
    def workspace(self) -> Workspace:
        standard = {"where": Input(value=str(self.world_folder)), "secret": Input(value=CANARY, sensitive=True)}
        return self.laid({**standard, **self.inputs}, self.environment)

    @property
    def stack(self) -> Path:
        return self.folder / "tree/stacks/host"

    @property
    def site(self) -> Path:
        return self.stack / "manifests/site.pp"

    @property
    def adapter(self) -> Adapter:
        if self._adapter is None:
            self._adapter = build(self.settings, self.shell())
        return self._adapter

    def file(self, name: str) -> Path:
        return self.world_folder / name

    def world(self) -> Json:
        return [[path.name, path.read_text(), oct(path.stat().st_mode)] for path in sorted(self.world_folder.iterdir())]

    def write(self, name: str, text: str) -> None:
        """Write one of the stack's files."""
        path = self.stack / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def edit(self) -> None:
        self.site.write_text(self.site.read_text().replace("size=10", "size=11"))

    def spoil(self) -> str:
        self.write("manifests/broken.pp", "class broken {\n  file { '/x' ensure => file }\n}\n")
        return "stacks/host/manifests/broken.pp"

    def tamper(self) -> Tampering:
        self.file("first").chmod(0o666)
        return Tampering(address=self.ref("first"), path="mode", before="0640", after="0666")

    def remove(self) -> str:
        self.file("second").unlink()
        return self.ref("second")

    def ref(self, name: str) -> str:
        return f"File[{self.file(name)}]"

    def apply(self) -> None:
        """Plan and apply."""
        self.adapter.apply(self.workspace, self.adapter.plan(self.workspace, Goal.CONVERGE))


@dataclass(kw_only=True)
class HostRig:
    """Makes subjects below one folder."""

    folder: Path
    #: Folder of a converged subject, made once in a session and copied.
    template: Callable[[], HostSubject]
    monkeypatch: pytest.MonkeyPatch

    def fresh(self, **parts: object) -> HostSubject:
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        subject = HostSubject(folder=folder, world_folder=folder / "world")
        subject.world_folder.mkdir()
        subject.write("manifests/site.pp", SITE)
        return replace(subject, **parts)  # type: ignore[arg-type]

    def converged(self) -> HostSubject:
        made = self.template()
        folder = Path(tempfile.mkdtemp(dir=self.folder)) / "copy"
        shutil.copytree(made.folder, folder, ignore=shutil.ignore_patterns("home", "world"))
        # The place is part of what was applied: the copy takes it over, as it was just after the apply.
        shutil.rmtree(made.world_folder)
        shutil.copytree(made.folder / "converged", made.world_folder)
        return HostSubject(folder=folder, world_folder=made.world_folder)

    def build(self, shell: Shell, settings: Mapping[str, Json]) -> Adapter:
        return build({**SETTINGS, **settings}, shell)

    def without_tool(self) -> HostSubject:
        self.monkeypatch.setenv("PATH", str(self.folder))
        return self.fresh()


@pytest.fixture(scope="session")
def templates() -> list[HostSubject]:
    """The converged subject, once it is made."""
    return []


@pytest.fixture
def rig(
    tmp_path: Path,
    templates: list[HostSubject],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> HostRig:
    """A rig with Puppet on PATH."""
    if shutil.which("puppet") is None:
        pytest.skip("not installed: puppet")
    # What another test was told is nothing that this one knows.
    monkeypatch.setattr(adapter, "_VERSIONS", {})

    def template() -> HostSubject:
        if not templates:
            folder = tmp_path_factory.mktemp("converged-puppet")
            made = HostRig(folder=folder, template=template, monkeypatch=monkeypatch).fresh()
            made.apply()
            shutil.copytree(made.world_folder, made.folder / "converged")
            templates.append(made)
        return templates[0]

    return HostRig(folder=tmp_path, template=template, monkeypatch=monkeypatch)
