"""A layout is recalled for another revision exactly where reading it again would come to the same."""

from __future__ import annotations

from pathlib import PurePosixPath
from types import SimpleNamespace

import pytest

from orchestrator.config.load import StackFiles
from orchestrator.errors import ConfigError
from orchestrator.model.source import Revision, Source, SourceKind

SOURCE = Source(id="infra", kind=SourceKind.DIRECTORY, location="/nowhere")
REVISION = Revision(source="infra", id="0" * 40, tree="")
BASE = {
    "stacks.yaml": "version: 1\ninclude: ['teams/*.yaml']\nstacks:\n  net: {tool: terraform, path: net}\n",
    "teams/a.yaml": "stacks:\n  web: {tool: terraform, path: web}\n",
    "net/main.tf": "# one\n",
    "web/main.tf": "# one\n",
    "docs/readme.md": "x",
}
QUIET = {**BASE, "stacks.yaml": BASE["stacks.yaml"].replace("include", "discover: false\ninclude")}


@pytest.fixture
def cache():
    kept = {}
    return SimpleNamespace(
        remembered=lambda topic, key: kept.get((topic, key)),
        remember=lambda topic, values: kept.update({(topic, key): value for key, value in values.items()}),
    )


def at(tree, cache=None):
    """Read as a new process would: nothing in memory, only what was remembered."""
    parts = vars(cache) if cache else {}
    return StackFiles(**parts).at(SOURCE, REVISION, tree)


CHANGES = {
    "a stack's own file": {"net/main.tf": "# two\n"},
    "another file's text": {"docs/readme.md": "y"},
    "a new file in a stack": {"net/more.tf": "# new\n"},
    "stacks.yaml": {"stacks.yaml": BASE["stacks.yaml"] + "  db: {tool: terraform, path: net/db}\n"},
    "an included file": {"teams/a.yaml": BASE["teams/a.yaml"].replace("web:", "www:")},
    "one more included file": {"teams/b.yaml": "stacks:\n  db: {tool: terraform, path: db}\n", "db/main.tf": "#"},
    "a folder that looks like a stack": {"new/main.tf": 'provider "x" {}\n'},
    "a stack's folder gone": {"web/main.tf": None},
}


@pytest.mark.parametrize("base", [BASE, QUIET], ids=["discovers", "declares"])
@pytest.mark.parametrize("name", CHANGES)
def test_what_is_recalled_is_what_reading_again_comes_to(memory_tree, cache, base, name):
    at(memory_tree(base), cache)
    change = CHANGES[name]
    if "stacks.yaml" in change and base is QUIET:
        change = {"stacks.yaml": base["stacks.yaml"] + "  db: {tool: terraform, path: net/db}\n"}
    files = {path: text for path, text in {**base, **change}.items() if text is not None}
    recalled, read = at(memory_tree(files), cache), at(memory_tree(files))
    assert recalled.stacks == read.stacks
    assert [note.code for note in recalled.notices] == [note.code for note in read.notices]


def test_a_commit_that_changes_no_configuration_reads_none_of_it(memory_tree, cache):
    at(memory_tree(BASE), cache)
    tree = memory_tree({**BASE, "net/main.tf": "# two\n"})
    at(tree, cache)
    assert tree.reads == []


def test_a_broken_file_is_read_again_and_refused(memory_tree, cache):
    at(memory_tree(BASE), cache)
    with pytest.raises(ConfigError):
        at(memory_tree({**BASE, "teams/a.yaml": "stacks: ["}), cache)


def test_a_layout_that_hangs_on_a_folders_contents_is_not_recalled(memory_tree, cache):
    files = {**BASE, "new/main.tf": 'provider "x" {}\n'}
    assert PurePosixPath("new") in {stack.path for stack in at(memory_tree(files), cache).stacks.values()}
    module = {**files, "new/main.tf": "# no root any more\n", "net/main.tf": 'module "m" {\n  source = "../new"\n}\n'}
    assert at(memory_tree(module), cache).stacks == at(memory_tree(module)).stacks
