"""A state that did not move along with its backend: nothing is planned, so that nothing is created a second time."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest

from adapters.contract import Goal, StateElsewhere
from adapters.terraform import seen
from adapters.terraform.hcl import backends
from adapters.terraform.settings import Settings

if TYPE_CHECKING:
    from conftest import LabRig, LabSubject

tools = pytest.mark.parametrize("tool", ["terraform", pytest.param("opentofu", marks=pytest.mark.full)], indirect=True)

ONE = 'resource "terraform_data" "one" {\n  input = 1\n}\n'
TWO = ONE + 'resource "terraform_data" "two" {\n  input = 2\n}\n'


def on(backend: Path, text: str = ONE) -> str:
    return f'terraform {{\n  backend "local" {{\n    path = "{backend}"\n  }}\n}}\n{text}'


def refused(subject: LabSubject) -> StateElsewhere:
    with pytest.raises(StateElsewhere) as caught:
        subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert caught.value.code == "HF-2010"
    return caught.value


def test_a_backend_in_the_place_of_another_stops_until_the_state_has_moved(rig: LabRig) -> None:
    old, new = rig.folder / "old.tfstate", rig.folder / "new.tfstate"
    subject = rig.bare(on(old))
    subject.apply()
    subject.main.write_text(on(new))
    error = refused(subject)
    assert str(old) in error.message
    assert str(new) in error.message
    assert "-migrate-state" in error.hint
    with pytest.raises(StateElsewhere):
        subject.adapter.drift(subject.workspace)
    with pytest.raises(StateElsewhere):
        subject.adapter.plan(subject.workspace, Goal.DESTROY)
    migrate(subject, rig, on(old), on(new))
    assert subject.adapter.plan(subject.workspace, Goal.CONVERGE).empty
    # From now on it is the old place that does not count any more, once something was applied in the new one.
    subject.main.write_text(on(new, TWO))
    subject.apply()
    subject.main.write_text(on(old, TWO))
    assert "an older one" in refused(subject).message


def migrate(subject: LabSubject, rig: LabRig, before: str, after: str) -> None:
    """Move the state as a person would, with the tool, in a folder of their own."""
    folder = rig.folder / "by-hand"
    folder.mkdir()
    program = "tofu" if rig.tool == "opentofu" else rig.tool
    for text, words in ((before, ["init"]), (after, ["init", "-migrate-state", "-force-copy"])):
        (folder / "main.tf").write_text(text)
        subprocess.run([program, *words, "-input=false"], cwd=folder, check=True, capture_output=True)


@tools
def test_a_backend_for_a_state_that_holdfast_keeps_stops_until_the_state_is_there(rig: LabRig) -> None:
    new = rig.folder / "new.tfstate"
    subject = rig.bare(ONE)
    subject.apply()
    subject.main.write_text(on(new))
    assert f"backend local (path {new})" in refused(subject).message
    shutil.copy(subject.workspace.kept / "terraform.tfstate", new)
    assert subject.adapter.plan(subject.workspace, Goal.CONVERGE).empty


@tools
def test_a_backend_taken_away_stops_until_holdfast_has_the_state(rig: LabRig) -> None:
    old = rig.folder / "old.tfstate"
    subject = rig.bare(on(old))
    subject.apply()
    subject.main.write_text(ONE)
    assert seen.OURS in refused(subject).message
    shutil.copy(old, subject.workspace.kept / "terraform.tfstate")
    assert subject.adapter.plan(subject.workspace, Goal.CONVERGE).empty


@tools
def test_a_state_that_is_gone_from_its_backend_is_no_wish_to_create_everything_anew(rig: LabRig) -> None:
    old = rig.folder / "old.tfstate"
    subject = rig.bare(on(old))
    subject.apply()
    old.unlink()
    assert "no state" in refused(subject).message
    # Somebody who means it says so.
    (subject.workspace.kept / seen.SEEN).unlink()
    assert len(subject.adapter.plan(subject.workspace, Goal.CONVERGE).changes) == 1


@tools
def test_another_workspace_of_the_tool_is_another_state(rig: LabRig) -> None:
    subject = rig.bare(ONE)
    subject.apply()
    moved = rig.bare(ONE, workspace="second")
    shutil.copytree(subject.workspace.kept, moved.workspace.kept, dirs_exist_ok=True)
    assert "no state" in refused(moved).message


@tools
def test_of_what_was_destroyed_nothing_can_be_left_behind(rig: LabRig) -> None:
    subject = rig.bare(on(rig.folder / "old.tfstate"))
    subject.apply()
    subject.adapter.apply(subject.workspace, subject.adapter.plan(subject.workspace, Goal.DESTROY))
    subject.main.write_text(on(rig.folder / "new.tfstate"))
    assert len(subject.adapter.plan(subject.workspace, Goal.CONVERGE).changes) == 1


@tools
def test_a_state_that_the_other_tool_wrote_is_warned_of_until_this_one_has_applied(rig: LabRig) -> None:
    """The two read a state in different ways, and show updates that are none."""
    subject = rig.bare(ONE)
    other = "terraform" if rig.tool == "opentofu" else "opentofu"
    subject.apply()
    kept = subject.workspace.kept / seen.SEEN
    kept.write_text(kept.read_text().replace(f'"{rig.tool}"', f'"{other}"'))
    (warning,) = subject.adapter.plan(subject.workspace, Goal.CONVERGE).problems
    assert f"{other} wrote the state, and {rig.tool} reads it now" in warning.summary
    subject.main.write_text(TWO)
    subject.apply()
    assert subject.adapter.plan(subject.workspace, Goal.CONVERGE).problems == ()


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.tf", 'terraform { backend "s3" {\n bucket = "b"\n key="k"\n secret_key = "x"\n} }', "s3 (bucket b, key k)"),
        ("a.tf", 'terraform {\n cloud {\n  organization = "acme"\n }\n}', "cloud (organization acme)"),
        ("a.tf.json", '{"terraform": {"backend": {"gcs": {"bucket": "b"}}}}', "gcs (bucket b)"),
        ("a.tf.json", '{"terraform": [{"cloud": {"organization": "acme"}}]}', "cloud (organization acme)"),
        ("a.tf", 'terraform {\n backend "http" {}\n}', "http (address https://state.example/web, workspace two)"),
    ],
)
def test_a_backend_is_named_without_a_secret(tmp_path: Path, name: str, text: str, told: str) -> None:
    (tmp_path / name).write_text(text)
    config = {"address": "https://ana:hunter2@state.example/web?token=hunter2"} if "http" in told else {}
    workspace = "two" if "two" in told else "default"
    settings = Settings(tool="terraform", path=PurePosixPath(), workspace=workspace, backend_config=config)
    assert seen.place(settings, tmp_path) == f"backend {told}"
    assert backends(name, text)


def test_what_is_kept_of_a_state_holds_no_value_of_it(rig: LabRig) -> None:
    subject = rig.converged()
    kept = subject.workspace.kept / seen.SEEN
    assert "c4n4ry" not in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0
