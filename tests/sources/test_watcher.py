"""A change in a source on this machine is noticed soon; what does not matter wakes nobody."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from repositories import ENV, Repository, directory_source, git_source

from orchestrator.effects.process import quick
from orchestrator.effects.watcher import DirectoryWatch, Spot, spots
from orchestrator.effects.working_tree import WorkingTree

HOLDFAST = Path(sys.executable).with_name("holdfast")
#: Longer than anything here takes; a watch that works never waits for it.
LONG = 20.0
#: Long enough for an event that must not come.
SHORT = 0.6


def folder_spots(folder: Path) -> tuple[Spot, ...]:
    return spots(directory_source(folder), None)


def git_spots(repository: Repository) -> tuple[Spot, ...]:
    checkout = WorkingTree.find(repository.path, os.environ, quick)
    return spots(git_source(repository.path), checkout)


def noticed(places: tuple[Spot, ...], change: Callable[[], object]) -> bool:
    with DirectoryWatch(places, quiet_s=0.05) as watch:
        assert not watch.wait(0), "woken by nothing"
        change()
        begun = time.monotonic()
        woken = watch.wait(LONG)
        return woken and time.monotonic() - begun < LONG / 2


def unnoticed(places: tuple[Spot, ...], change: Callable[[], object]) -> bool:
    with DirectoryWatch(places, quiet_s=0.05) as watch:
        change()
        return not watch.wait(SHORT)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    (made / "web").mkdir(parents=True)
    (made / "web" / "main.tf").write_text("one\n")
    return made


@pytest.mark.parametrize("how", ["edit", "add", "remove", "rename", "replace", "chmod", "link", "deep"])
def test_every_change_of_a_folder_is_noticed(folder: Path, tmp_path: Path, how: str) -> None:
    file = folder / "web" / "main.tf"
    changes: dict[str, Callable[[], object]] = {
        "edit": lambda: file.write_text("two\n"),
        "add": lambda: (folder / "web" / "caf\udce9.tf").write_text("x"),
        "remove": file.unlink,
        "rename": lambda: file.rename(folder / "other.tf"),
        "replace": lambda: (tmp_path / "new").rename(file),
        "chmod": lambda: file.chmod(0o755),
        "link": lambda: (folder / "link").symlink_to("web"),
        "deep": lambda: (folder / "a" / "b" / "c").mkdir(parents=True) or (folder / "a/b/c/x").write_text("x"),
    }
    (tmp_path / "new").write_text("two\n")
    assert noticed(folder_spots(folder), changes[how])


def test_reading_and_what_belongs_to_a_tool_wakes_nobody(folder: Path) -> None:
    def work() -> None:
        assert (folder / "web" / "main.tf").read_text() == "one\n"
        (folder / "web" / ".terraform" / "providers").mkdir(parents=True)
        (folder / "web" / ".terraform" / "x").write_text("x")
        (folder / "web" / "terraform.tfstate").write_text("{}")

    assert unnoticed(folder_spots(folder), work)


def test_a_burst_of_changes_is_one(folder: Path) -> None:
    over = threading.Event()

    def write() -> None:
        for number in range(20):
            (folder / "web" / f"{number}.tf").write_text("x")
            over.wait(0.02)
        over.set()

    with DirectoryWatch(folder_spots(folder), quiet_s=0.5) as watch:
        writer = threading.Thread(target=write)
        writer.start()
        assert watch.wait(LONG)
        assert over.is_set(), "it did not wait for the burst to end"
        assert not watch.wait(SHORT)
        writer.join()


def test_changes_without_end_are_told_in_time_all_the_same(folder: Path) -> None:
    over = threading.Event()

    def write() -> None:
        while not over.wait(0.01):
            (folder / "web" / "main.tf").write_text("x")

    with DirectoryWatch(folder_spots(folder), quiet_s=5) as watch:
        writer = threading.Thread(target=write)
        writer.start()
        begun = time.monotonic()
        assert watch.wait(1.0)
        assert time.monotonic() - begun < 3
        over.set()
        writer.join()


def test_a_folder_that_is_replaced_is_watched_again(folder: Path, tmp_path: Path) -> None:
    with DirectoryWatch(folder_spots(folder), quiet_s=0.05) as watch:
        folder.rename(tmp_path / "away")
        watch.wait(SHORT)
        assert not watch.wait(SHORT), "a folder that is not there wakes nobody"
        (folder / "web").mkdir(parents=True)
        watch.wait(SHORT)
        watch.wait(SHORT)
        (folder / "web" / "main.tf").write_text("two\n")
        assert watch.wait(LONG)


def test_a_folder_that_comes_later_is_watched_then(tmp_path: Path) -> None:
    with DirectoryWatch(folder_spots(tmp_path / "later"), quiet_s=0.05) as watch:
        assert not watch.wait(0)
        (tmp_path / "later").mkdir()
        watch.wait(SHORT)
        (tmp_path / "later" / "main.tf").write_text("x")
        assert watch.wait(LONG)


def test_a_network_file_system_is_polled(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.effects.watcher._POLL_S", 0.1)
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"36 35 98:0 / {folder} rw - nfs4 host:/x rw\n")
    with DirectoryWatch(folder_spots(folder), quiet_s=0.05, mounts=mounts) as watch:
        assert [type(one).__name__ for one in watch._observers.values()] == ["PollingObserver"]
        (folder / "web" / "main.tf").write_text("two, and longer\n")
        assert watch.wait(LONG)


@pytest.mark.parametrize("detached", [False, True])
def test_a_commit_is_noticed_and_an_edit_that_nobody_committed_is_not(repository: Repository, detached: bool) -> None:
    if detached:
        repository.git("checkout", "--quiet", "--detach")
    assert unnoticed(git_spots(repository), lambda: repository.write({"web/main.tf": "# two\n"}))
    assert unnoticed(git_spots(repository), lambda: repository.git("add", "-A"))
    assert noticed(git_spots(repository), lambda: repository.git("commit", "-q", "-m", "two"))


@pytest.mark.parametrize("command", ["checkout -q -b other", "reset -q --hard HEAD~1", "pack-refs --all", "tag v1"])
def test_whatever_moves_a_ref_is_noticed(repository: Repository, command: str) -> None:
    repository.commit({"web/main.tf": "# two\n"})
    assert noticed(git_spots(repository), lambda: repository.git(*command.split()))


def test_a_commit_in_a_linked_worktree_is_noticed(repository: Repository, tmp_path: Path) -> None:
    repository.git("worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))
    linked = Repository(tmp_path / "tree")
    assert noticed(git_spots(linked), lambda: linked.commit({"web/main.tf": "# two\n"}))


def test_a_source_on_another_machine_has_nothing_to_watch() -> None:
    assert spots(git_source("https://host.test/repo"), None) == ()
    with DirectoryWatch(()) as watch:
        assert not watch.wait(0.01)


@contextmanager
def following(repository: Repository, home: Path, shown: Path) -> Iterator[subprocess.Popen[bytes]]:
    env = {**ENV, "HOME": str(home), "NO_COLOR": "1", "HOLDFAST_HOME": str(home)}
    argv = [HOLDFAST, "status", "--watch"]
    with shown.open("wb") as out:
        child = subprocess.Popen(argv, cwd=repository.path, env=env, stdout=out, stderr=out)
    try:
        yield child
    finally:
        child.send_signal(signal.SIGINT)
        child.wait(timeout=20)


def test_status_shows_a_commit_soon_after_it_was_made(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"stacks.yaml": "version: 1\ndiscover: false\nstacks: {first: {path: web, tool: terraform}}\n"})
    shown = tmp_path / "shown"

    def until_it_shows(pattern: str) -> None:
        deadline = time.monotonic() + LONG
        while not re.search(pattern, shown.read_text()):
            assert time.monotonic() < deadline, shown.read_text()
            time.sleep(0.02)

    with following(repository, tmp_path / "home", shown) as child:
        until_it_shows(r"\bfirst\b")
        more = "stacks: {first: {path: web, tool: terraform}, second: {path: modules/net, tool: terraform}}\n"
        repository.commit({"stacks.yaml": f"version: 1\ndiscover: false\n{more}"})
        until_it_shows(r"\bsecond\b")
        assert child.poll() is None
    assert "Traceback" not in shown.read_text()
