"""What stacks.yaml and the operator may say about drift: how sure to be, how often to repair, what to leave alone."""

from __future__ import annotations

import pytest

from orchestrator.config.layers import Setting, ceiling
from orchestrator.config.operator import Ceiling, Operator
from orchestrator.model.policy import DriftAnswer, Ignore, RepairLimit

HEAD = """\
version: 1
defaults:
  drift: {limit: {repairs: 5}, confirm: 2}
stacks:
  web:
    path: web
    tool: terraform
"""
IGNORED = """\
    drift:
      answer: repair
      limit: {within: 2h}
      ignore:
        - {address: "x.web[*]", path: "tags.*", owner: team:net, reason: autoscaled, until: 2026-12-31}
        - {address: x.other, owner: user:ana@acme.example, reason: by hand}
"""


def drift(text: str) -> str:
    return f"{HEAD}    drift: {{{text}}}\n"


def test_what_is_said_about_drift_is_laid_over_key_by_key(read_text):
    policy = read_text(HEAD + IGNORED).stack("web").policy.drift
    assert (policy.answer, policy.confirm) == (DriftAnswer.REPAIR, 2)
    assert policy.limit == RepairLimit(repairs=5, within_s=7200.0)


def test_rules_name_who_answers_for_them_and_end_in_utc(read_text):
    other, web = read_text(HEAD + IGNORED).stack("web").policy.drift.ignore
    assert web == Ignore(address="x.web[*]", path="tags.*", owner="team:net", reason="autoscaled", until=1798675200.0)
    assert (other.address, other.path, other.until) == ("x.other", "", None)


def test_rules_further_up_give_way_as_a_whole(read_text):
    above = HEAD.replace("confirm: 2", "ignore: [{address: a, owner: team:a, reason: r}]")
    assert [one.address for one in read_text(above).stack("web").policy.drift.ignore] == ["a"]
    rules = read_text(f"{above}{IGNORED}").stack("web").policy.drift.ignore
    assert [one.address for one in rules] == ["x.other", "x.web[*]"]


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("confrim: 2", "HF-1003", 'did you mean "confirm"?'),
        ("confirm: 0", "HF-1004", "greater than or equal to 1"),
        ("confirm: often", "HF-1004", "a whole number is expected"),
        ("limit: 3", "HF-1004", "a mapping is expected"),
        ("limit: {repair: 3}", "HF-1003", 'did you mean "repairs"?'),
        ("limit: {repairs: 101}", "HF-1004", "less than or equal to 100"),
        ("limit: {within: 24}", "HF-1004", 'did you mean "24m" or "24s"?'),
        ("ignore: [x.one]", "HF-1004", "a mapping is expected"),
        ("ignore: [{address: a, paht: p, owner: team:a, reason: r}]", "HF-1003", 'did you mean "path"?'),
        ("ignore: [{address: a, reason: r}]", "HF-1006", 'the key "owner" is missing'),
        ("ignore: [{address: a, owner: team:a}]", "HF-1006", 'the key "reason" is missing'),
        ("ignore: [{address: a, owner: ana, reason: r}]", "HF-1004", "names neither a team nor a user"),
        ("ignore: [{address: a, owner: team:a, reason: ''}]", "HF-1004", "at least 1"),
        ("ignore: [{address: a, owner: team:a, reason: r, until: soon}]", "HF-1004", 'a time is expected, not "soon"'),
    ],
)
def test_slips_are_named_with_their_place(read_text, text, code, says):
    found = read_text(drift(text))
    assert [one.partition(" ")[2] for one in found.told] == [code]
    assert found.told[0].startswith("stacks.yaml:8:")
    assert says in f"{found.messages} {found.errors[0].hint}"


def test_an_operator_tightens_how_often_is_repaired_and_how_sure_to_be(read_text):
    most = {"drift.limit.repairs": 1, "drift.confirm": 3, "drift.answer": "repair"}
    operators = ceiling({name: Setting(value, "holdfast.yaml:4") for name, value in most.items()})
    operator = Operator(ceilings={"*": Ceiling(policy=operators, where="holdfast.yaml:3 (ceiling)")})
    stack = read_text(HEAD + IGNORED, operator=operator).stack("web")
    assert stack.policy.drift.limit == RepairLimit(repairs=1, within_s=86400.0)
    assert stack.policy.drift.confirm == 3
    assert len(stack.policy.drift.ignore) == 2
    assert stack.origins["drift.confirm"] == stack.origins["drift.limit"] == "holdfast.yaml:3 (ceiling)"
