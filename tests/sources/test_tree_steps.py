"""A tree made from the one before it is the tree that git lists; and few processes serve a walk over all files."""

from __future__ import annotations

import random
from pathlib import PurePosixPath

import pytest
from repositories import Repository, Yard, git_source

from orchestrator.effects.git_tree import Blobs, GitTree, read_tree

ROOT = PurePosixPath()
NAMES = ["a", "a.tf", "b", "dir/a", "dir/b.tf", "dir.tf", "dir/deep/a", "caf\udce9", "tab\tand\nline", "dir/link"]


def stored(repository: Repository, content: str) -> str:
    return repository.git("hash-object", "-w", "--stdin", stdin=content.encode())


def grown(repository: Repository, entries: dict[str, tuple[str, str]]) -> str:
    """Write a tree of exactly these entries."""
    lines = [f"{mode} {id_}\t{name}\0" for name, (mode, id_) in sorted(entries.items())]
    repository.git("read-tree", "--empty")
    repository.git("update-index", "-z", "--index-info", stdin="".join(lines).encode("utf-8", "surrogateescape"))
    return repository.git("write-tree")


def shaken(entries: dict[str, tuple[str, str]], repository: Repository, dice: random.Random) -> None:
    """Add, edit, remove, swap a file for a folder or a link, as it comes."""
    name = dice.choice(NAMES)
    above = {str(parent) for parent in PurePosixPath(name).parents}
    for other in [other for other in entries if other in above or other.startswith(f"{name}/")]:
        del entries[other]
    if name in entries and dice.random() < 0.4:
        del entries[name]
        return
    mode = dice.choice(["100644", "100644", "100755", "120000", "160000"])
    id_ = "1" * 40 if mode == "160000" else stored(repository, dice.choice(["a", "dir", "../out", "b"]))
    entries[name] = (mode, id_)


@pytest.mark.parametrize("seed", range(8))
def test_a_tree_made_from_the_one_before_it_is_the_tree_that_git_lists(
    yard: Yard, repository: Repository, seed: int
) -> None:
    dice, entries = random.Random(seed), {}  # noqa: S311 -- dice for a test
    git = yard.sources._git(git_source(repository.path))
    git = type(git)(folder=repository.path / ".git", env=git.env, run=git.run)
    blobs = Blobs(git=git)
    earlier: list[GitTree] = []
    for _ in range(12):
        for _ in range(dice.randrange(1, 4)):
            shaken(entries, repository, dice)
        id_ = grown(repository, entries)
        fresh = read_tree(git, id_, blobs)
        made = read_tree(git, id_, blobs, earlier[-1]) if earlier else fresh
        assert made.listed == fresh.listed
        assert made.root_id == fresh.root_id
        assert list(made.files(ROOT)) == list(fresh.files(ROOT))
        assert list(made.entries(ROOT)) == list(fresh.entries(ROOT))
        for other in earlier:
            plain = GitTree(listed=other.listed, root_id=other.root_id, blobs=blobs)
            assert made.changed(other) == fresh.changed(plain)
            assert other.changed(made) == plain.changed(fresh)
        earlier.append(made)


def test_a_new_commit_is_compared_without_listing_everything_again(yard: Yard, repository: Repository) -> None:
    source, sources = git_source(repository.path), yard.sources
    first = sources.read(source)
    before = sources.tree(source, first.id)
    repository.commit({"web/main.tf": "# other\n"})
    second = sources.read(source, last=first.id)
    assert sources.tree(source, second.id).changed(before) == {PurePosixPath("web/main.tf")}
    assert sum("ls-tree" in argv for argv in yard.runs.seen) == 1


def test_a_tree_whose_neighbour_is_lost_is_listed_afresh(yard: Yard, repository: Repository) -> None:
    source, sources = git_source(repository.path), yard.sources
    first = sources.read(source)
    lost = sources.tree(source, first.id)
    sources._trees[source.id, first.id] = GitTree(listed=lost.listed, root_id="2" * 40, blobs=lost.blobs)
    second = repository.commit({"web/main.tf": "# other\n"})
    sources.read(source)
    assert sources.tree(source, second).read(PurePosixPath("web/main.tf")) == b"# other\n"


def test_a_walk_over_all_files_costs_few_processes_whatever_its_order(yard: Yard, repository: Repository) -> None:
    repository.commit({f"s{number:04}/main.tf": f"# {number}\n" for number in range(2000)})
    source, sources = git_source(repository.path), yard.sources
    tree = sources.tree(source, sources.read(source).id)
    paths = [path for path in tree.files(ROOT) if path.suffix == ".tf"]
    random.Random(1).shuffle(paths)  # noqa: S311 -- likewise
    before = len(yard.runs.seen)
    for path in paths:
        assert tree.read(path)
    assert len(yard.runs.seen) - before <= 20


def test_one_stack_alone_reads_little_of_the_others(yard: Yard, repository: Repository) -> None:
    repository.commit({f"s{number:04}/main.tf": f"# {number}\n" for number in range(2000)})
    source, sources = git_source(repository.path), yard.sources
    tree = sources.tree(source, sources.read(source).id)
    assert isinstance(tree, GitTree)
    tree.read(PurePosixPath("s1000/main.tf"))
    assert len(tree.blobs._kept) <= 128
