"""When a mirror is fetched, by whom, and what becomes of a fetch that was cut short."""

from __future__ import annotations

import fcntl
import json
import subprocess
import threading
import time
from pathlib import Path, PurePosixPath

import pytest
from repositories import Repository, git_source


def test_many_who_look_at_once_share_fetches_and_all_see_the_newest(yard, repository):
    source = git_source(repository.path, ref="main")
    sources, seen = yard.sources, []
    threads = [threading.Thread(target=lambda: seen.append(sources.read(source).id)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [repository.head()] * 6


@pytest.mark.parametrize(
    ("begun", "place", "fetches"),
    [
        ("while we waited", "here", 0),
        ("before we asked", "here", 1),
        ("while we waited", "elsewhere", 1),
        ("in the future", "here", 1),
        ("rubbish", "here", 1),
    ],
)
def test_a_fetch_of_somebody_else_counts_only_where_it_began_after_we_asked(yard, repository, begun, place, fetches):
    source = git_source(repository.path, ref="main")
    yard.sources.read(source)
    before = yard.runs.fetches
    folder = yard.home / "sources" / "infra"
    found = []
    with (folder / "lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        early = time.time_ns()
        reader = threading.Thread(target=lambda: found.append(yard.sources.read(source).id))
        reader.start()
        while waiting_for(folder / "lock") < 1:
            time.sleep(0.005)
        times = {"while we waited": time.time_ns(), "before we asked": early, "in the future": 1 << 62, "rubbish": "x"}
        where = repository.path if place == "here" else "/srv/other"
        (folder / "fetched").write_text(f"{times[begun]} {where}")
    reader.join()
    assert found == [repository.head()]
    assert yard.runs.fetches - before == fetches


def waiting_for(lock: Path) -> int:
    """How many wait for a lock, as the kernel's table tells."""
    lines = Path("/proc/locks").read_text().splitlines()
    return sum("->" in line and line.split()[6].rpartition(":")[2] == str(lock.stat().st_ino) for line in lines)


def test_a_clone_reads_its_own_commit_though_another_fetched_after_it(yard, repository, tmp_path):
    commits = {}
    for name in ("one", "two"):
        repository.git("clone", "-q", str(repository.path), str(tmp_path / name))
        commits[name] = Repository(tmp_path / name).commit({"web/main.tf": f"# {name}\n"})
    sources = yard.sources
    plain = sources.run

    def interrupted(argv, **rest):
        done = plain(argv, **rest)
        if "git_fetch" in " ".join(argv) and str(tmp_path / "one").encode() in rest["stdin"]:
            # The other clone comes in between the fetch and the look at what came of it.
            there = json.loads(rest["stdin"]) | {"url": str(tmp_path / "two")}
            plain(argv, **(rest | {"stdin": json.dumps(there).encode()}))
        return done

    sources.run = interrupted
    assert sources.read(git_source(tmp_path / "one", allow_rewrite=True)).id == commits["one"]


def test_who_waited_for_a_fetch_that_brought_all_it_came_for_starts_none_of_its_own(yard, repository):
    source = git_source(repository.path)
    yard.sources.read(source)
    head = repository.commit({"web/main.tf": "# two\n"})
    found = []
    mirror = yard.home / "sources" / "infra"
    with (mirror / "lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        reader = threading.Thread(target=lambda: found.append(yard.sources.read(source).id))
        reader.start()
        while waiting_for(mirror / "lock") < 1:
            time.sleep(0.005)
        # The one who held the lock had begun before we asked, and its fetch has the commit all the same.
        repository.git("push", "-q", str(mirror / "mirror.git"), "HEAD:refs/heads/main")
    before = yard.runs.fetches
    reader.join()
    assert found == [head]
    assert yard.runs.fetches == before


def test_what_a_killed_fetch_left_of_a_commit_is_not_taken_for_the_commit(yard, repository):
    source = git_source(repository.path)
    yard.sources.read(source)
    head = repository.commit({"web/main.tf": "# two\n"})
    # The commit itself has arrived, its files have not.
    said = repository.git("cat-file", "commit", head)
    mirror = yard.home / "sources" / "infra" / "mirror.git"
    argv = ["git", f"--git-dir={mirror}", "hash-object", "-w", "-t", "commit", "--stdin"]
    written = subprocess.run(argv, input=f"{said}\n".encode(), capture_output=True, check=True)
    assert written.stdout.decode().strip() == head
    assert yard.sources.read(source).id == head
    assert yard.sources.tree(source, head).read(PurePosixPath("web/main.tf")) == b"# two\n"
