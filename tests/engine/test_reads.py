"""What a stack reads outside its folder because its `watch:` says so."""

from __future__ import annotations

import pytest
from world import World

from orchestrator.engine.reads import Reads
from orchestrator.model.stack import StackKey


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("shared/net.json", {"shared/net.json"}),
        ("shared/*.json", {"shared/net.json"}),
        ("shared/**/*.json", {"shared/net.json", "shared/deep/x.json"}),
        ("missing/net.json", set()),
    ],
)
def test_a_watched_file_is_read_by_name_and_by_wildcard(tmp_path, glob, found):
    world = World(tmp_path)
    files = {"web/objects": "a=1", "shared/net.json": "{}", "shared/deep/x.json": "{}", "shared/x.txt": ""}
    world.commit(files, {"web": {"watch": (glob,)}})
    reading = world.reading()
    stack = reading.layout.stacks[StackKey(source="infra", name="web")]
    paths = Reads(world.outside).of(stack, reading.tree)
    assert {str(path) for path in paths if not str(path).startswith("web")} == found
