"""What a stack reads outside its folder because its `watch:` says so."""

from __future__ import annotations

import pytest
from cloud import CloudTool
from world import World

from orchestrator.engine.reads import Reads
from orchestrator.engine.survey import Survey
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


def test_one_faulty_adapter_takes_the_sight_of_no_other_stack_away(tmp_path, monkeypatch):
    world = World(tmp_path)
    world.commit({"web/objects": "a=1", "dns/objects": "b=1"}, {"web": {}, "dns": {}})
    honest = CloudTool.inputs

    def inputs(self, tree):
        if "dns" in str(self.settings):
            raise KeyError("c4n4ry")
        return honest(self, tree)

    monkeypatch.setattr(CloudTool, "inputs", inputs)
    asked = {one.stack.key.name: one for one in Survey(world.outside, world.reading(), whole=True).every()}
    (gate,) = asked["dns"].desired.gates
    assert "HF-9002" in gate.why
    assert "KeyError" in gate.why
    assert "c4n4ry" not in gate.why
    assert not asked["web"].desired.gates
