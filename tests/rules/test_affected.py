"""Which stacks a change of files concerns."""

from __future__ import annotations

import time
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.stack import StackKey
from orchestrator.rules.affected import Index, Reach
from orchestrator.rules.globs import fixed_folder, matches

NAMES = st.sampled_from(["a", "b", "ab", "a.tf"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda parts: PurePosixPath(*parts))
REACHES = st.builds(
    Reach,
    path=st.one_of(PATHS, st.just(PurePosixPath())),
    outside=st.frozensets(PATHS, max_size=2),
    watch=st.lists(st.sampled_from(["a/*", "*.tf", "b/ab"]), max_size=1).map(tuple),
)


def key(number: int) -> StackKey:
    return StackKey(source="infra", name=f"s{number}")


def reads(reach: Reach, path: PurePosixPath) -> bool:
    inside = any(path == one or one in path.parents for one in (reach.path, *reach.outside))
    return inside or any(matches(path, glob) for glob in reach.watch)


@given(st.lists(REACHES, max_size=6), st.frozensets(PATHS, max_size=4))
def test_the_index_finds_what_a_search_through_all_stacks_finds(reaches, changed):
    index = Index()
    for number, reach in enumerate(reaches):
        index.put(key(number), reach)
    expected = {key(n) for n, reach in enumerate(reaches) if any(reads(reach, path) for path in changed)}
    assert index.affected(changed) == expected


@given(REACHES, REACHES, st.frozensets(PATHS, max_size=4))
def test_a_stack_that_reads_something_else_now_is_found_by_that_alone(before, after, changed):
    index = Index()
    index.put(key(0), before)
    index.put(key(0), after)
    assert (key(0) in index.affected(changed)) == any(reads(after, path) for path in changed)
    index.drop(key(0))
    assert index.affected(changed) == frozenset()


@pytest.mark.parametrize(
    ("glob", "path", "meant"),
    [
        ("shared/net.json", "shared/net.json", True),
        ("shared/net.json", "shared/net.json.bak", False),
        ("shared", "shared/deep/net.json", True),
        ("shared/", "shared/net.json", True),
        ("shared", "shared-too/net.json", False),
        ("shared/*.json", "shared/net.json", True),
        ("shared/*.json", "shared/deep/net.json", False),
        ("**/net.json", "net.json", True),
        ("sh*/**/x/*.json", "shared/a/b/x/net.json", True),
        ("modules/**/*.tf", "modules/main.tf", True),
        ("modules/**/*.tf", "modules/a/b/main.tf", True),
        ("modules/**/*.tf", "modules/a/b/main.py", False),
        ("modules/**", "modules/a/b", True),
        ("vars/?.tfvars", "vars/a.tfvars", True),
        ("vars/[ab].tfvars", "vars/c.tfvars", False),
        ("*.tfvars", "Prod.TFVARS", False),
    ],
)
def test_a_glob_means_files_folders_and_wildcards_of_any_depth(glob, path, meant):
    assert matches(PurePosixPath(path), glob) is meant
    if meant:
        fixed = fixed_folder(glob)
        assert fixed in (PurePosixPath(path), *PurePosixPath(path).parents)


def test_a_few_files_among_ten_thousand_stacks_are_looked_up_in_a_moment():
    index = Index()
    for n in range(10_000):
        index.put(key(n), Reach(path=PurePosixPath(f"stacks/s{n}"), watch=("shared/**/*.json",)))
    changed = [PurePosixPath(f"stacks/s{n}/main.tf") for n in range(10)]
    started = time.process_time()
    assert index.affected(changed) == {key(n) for n in range(10)}
    assert time.process_time() - started < 0.05
    assert len(index.affected([PurePosixPath("shared/net.json")])) == 10_000
