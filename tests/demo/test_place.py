"""`holdfast demo`: what it makes, and what it refuses to touch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli.demo.place import Place, make
from orchestrator.cli.demo.repository import change_by_hand
from orchestrator.errors import UsageError

HOLDFAST = Path(sys.executable).with_name("holdfast")


def demo(folder: Path, *options: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [HOLDFAST, "demo", "--dir", folder, *options],
        cwd=folder.parent,
        env={**os.environ, "HOME": str(folder.parent / "nobody"), **({"PATH": path} if path else {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_it_makes_a_repository_with_a_commit_and_nothing_outside_its_folder(tmp_path: Path) -> None:
    done = demo(tmp_path / "demo")
    assert done.returncode == 0, done.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["demo"]
    log = subprocess.run(
        ["git", "log", "--oneline"], cwd=tmp_path / "demo" / "infra", capture_output=True, text=True, check=True
    )
    assert len(log.stdout.splitlines()) == 1
    assert "holdfast plan" in done.stdout


def test_it_leaves_a_folder_alone_that_is_no_demo(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work", encoding="utf-8")
    done = demo(mine, "--force")
    assert done.returncode == 64
    assert "HF-1980" in done.stderr
    assert (mine / "thesis.txt").read_text(encoding="utf-8") == "years of work"


def test_it_makes_a_demo_anew_only_when_told_to(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    assert demo(folder).returncode == 0
    (folder / "infra" / "stacks.yaml").write_text("mine now", encoding="utf-8")
    refused = demo(folder)
    assert refused.returncode == 64
    assert "--force" in refused.stderr
    assert demo(folder, "--force").returncode == 0
    assert "mine now" not in (folder / "infra" / "stacks.yaml").read_text(encoding="utf-8")


def test_without_a_tool_it_says_which_to_install(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither terraform nor tofu") as caught:
        make(Place(folder=tmp_path / "demo"), anew=False, outer={"PATH": str(tmp_path)})
    assert caught.value.code == "HF-1981"
    assert not (tmp_path / "demo").exists()


def test_without_the_providers_library_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tf", None)
    with pytest.raises(UsageError) as caught:
        make(Place(folder=tmp_path / "demo"), anew=False, outer=os.environ)
    assert caught.value.code == "HF-1982"
    assert "demo" in caught.value.hint


def test_a_git_that_is_too_old_is_named(tmp_path: Path) -> None:
    old = tmp_path / "bin" / "git"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'error: unknown option initial-branch' >&2; exit 129\n", encoding="utf-8")
    old.chmod(0o755)
    done = demo(tmp_path / "demo", path=f"{old.parent}:{os.environ['PATH']}")
    assert done.returncode == 1
    assert "HF-1983" in done.stderr
    assert "2.28" in done.stderr


def test_the_hand_change_changes_one_attribute_of_one_object(tmp_path: Path) -> None:
    objects = tmp_path / "objects"
    objects.mkdir()
    (objects / "1.json").write_text('{"name": "other", "tags": {"owner": "platform"}}', encoding="utf-8")
    (objects / "2.json").write_text('{"name": "office-lan", "tags": {"owner": "platform", "a": "b"}}', encoding="utf-8")
    assert change_by_hand(tmp_path).name == "2.json"
    assert '"platform"' in (objects / "1.json").read_text(encoding="utf-8")
    assert '"owner": "nobody"' in (objects / "2.json").read_text(encoding="utf-8")
