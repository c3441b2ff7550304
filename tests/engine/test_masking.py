"""What is stored of a plan is masked, and whoever plans again before applying finds it to be the same all the same."""

from __future__ import annotations

from dataclasses import replace

from adapters.contract import AttributeChange, Change, ChangeKind, Goal, Plan, ToolVersion
from orchestrator.engine.masking import masked
from orchestrator.model.codec import decode, encode


def plan(content):
    attribute = AttributeChange(path="content", before=None, after=content)
    change = Change(address="host: file", kind=ChangeKind.CREATE, attributes=(attribute,))
    return Plan(goal=Goal.CONVERGE, changes=(change,), tool=ToolVersion(name="t", version="1", platform="p"))


def hide(text):
    return text.replace("hunter2", "(sensitive)").replace("\r", "\\x0d")


def test_a_masked_plan_is_known_again_by_whoever_plans_again():
    for content in ("password hunter2\n", "line\r\n", "plain\n"):
        stored = decode(Plan, encode(masked(plan(content), hide)))
        assert "hunter2" not in repr(stored)
        assert stored.is_still(plan(content))
        assert not stored.is_still(plan(f"{content}more"))


def test_masking_twice_keeps_what_the_adapter_said():
    assert masked(masked(plan("hunter2"), hide), hide).is_still(plan("hunter2"))


def test_a_plan_that_nobody_masked_compares_as_it_is():
    assert plan("a").is_still(plan("a"))
    assert not replace(plan("a"), goal=Goal.DESTROY).is_still(plan("a"))
