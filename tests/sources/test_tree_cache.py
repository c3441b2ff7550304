"""The cache that workspaces are filled from: read-only, shared, named by tree id, checked when it is read."""

from __future__ import annotations

import os
import threading
import time

from laying import files_of, mode
from repositories import stack


def test_the_cache_is_read_only_shared_and_named_by_tree_id(bench, repository):
    tree = bench.tree()
    with bench.laid(tree=tree):
        pass
    cached = bench.yard.home / "trees" / repository.git("rev-parse", "HEAD:web")
    assert mode(cached / "main.tf") == 0o400
    assert mode(cached) == 0o500
    before = len(bench.yard.runs.seen)
    with bench.laid(tree=tree, of=stack(environment="prod")) as laid:
        assert (laid.folder / "main.tf").read_text() == "# web\n"
    assert len(bench.yard.runs.seen) == before
    assert len(list((bench.yard.home / "trees").iterdir())) == 1


def test_a_cached_file_that_was_altered_or_lost_is_made_anew(bench, repository):
    tree = bench.tree()
    with bench.laid(tree=tree):
        pass
    cached = bench.yard.home / "trees" / repository.git("rev-parse", "HEAD:web")
    cached.chmod(0o700)
    for n, harm in enumerate((lambda p: p.write_text("evil"), lambda p: p.unlink())):
        (cached / "main.tf").chmod(0o600)
        harm(cached / "main.tf")
        with bench.laid(tree=tree, of=stack(environment=f"env{n}")) as laid:
            assert (laid.folder / "main.tf").read_text() == "# web\n"
        with bench.laid(tree=tree, of=stack(environment=f"again{n}")):
            assert (cached / "main.tf").read_text() == "# web\n"
        cached.chmod(0o700)


def test_a_cached_folder_that_nobody_used_for_weeks_is_forgotten(bench, repository):
    with bench.laid():
        pass
    cached = bench.yard.home / "trees" / repository.git("rev-parse", "HEAD:web")
    old = time.time() - 30 * 86400
    os.utime(cached, (old, old))
    with bench.laid({"web/main.tf": "# two\n"}):
        assert not cached.exists()


def test_many_environments_laid_out_at_once_all_hold_the_whole(bench):
    tree = bench.tree({f"web/{n}.tf": f"# {n}\n" for n in range(50)})
    counts: list[int] = []

    def one(number: int) -> None:
        with bench.laid(tree=tree, of=stack(environment=f"e{number}")) as laid:
            counts.append(len(files_of(laid.root)))

    threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [51] * 8
