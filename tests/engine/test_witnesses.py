"""Who changed it, in the loop: asked once, kept with what drifted, and never at the price of the look."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from cloud import CloudTool
from world import AUTO, Plain, World

from adapters.contract import ToolFailed
from adapters.testimony import Confidence, Testimony
from orchestrator.effects.witness_history import HistoryWitness
from orchestrator.errors import Denied
from orchestrator.model.action import Reason
from orchestrator.model.event import DriftWitnessed
from orchestrator.model.policy import DriftPolicy
from orchestrator.model.stack import CredentialNames, StackKey

WEB = "infra/web@default"
A = f"{WEB}:a"
LOOKING = DriftPolicy(every_s=3600.0)


@dataclass
class Neighbour:
    """A witness of the tests."""

    says: list[object] = field(default_factory=list)
    asked: list[object] = field(default_factory=list)
    name: str = "neighbour"

    def testify(self, inquiry, shell):
        self.asked.append(inquiry)
        said = self.says.pop(0) if self.says else ()
        if isinstance(said, BaseException):
            raise said
        return said


def saw(who="eve", what="she was at the keyboard"):
    return (Testimony(address=A, who=who, what=what, source="neighbour", confidence=Confidence.LIKELY),)


@pytest.fixture
def neighbour():
    return Neighbour()


@pytest.fixture
def world(tmp_path, neighbour):
    made = World(tmp_path, replace(AUTO, drift=LOOKING))
    made.commit({"web/objects": "a=1 b=1"})
    made.settle()
    made.outside = replace(made.outside, witnesses=(neighbour,))
    return made


def tampered(world, value="hacked", after=4000):
    world.cloud.objects[A] = value
    world.sleep(after)
    return world.settle()


def heard(world):
    return [entry.event for entry in world.record.events() if isinstance(entry.event, DriftWitnessed)]


def test_a_difference_is_asked_about_by_the_look_that_first_sees_it_and_by_no_other(world, neighbour):
    neighbour.says = [saw()]
    for _ in range(3):
        assert tampered(world).rest.reason is Reason.DRIFTED
    (inquiry,) = neighbour.asked
    assert str(inquiry.stack) == WEB
    assert inquiry.applied == world.state().applied
    assert inquiry.since < inquiry.until
    (one,) = world.state().occurrences
    assert (one.testimonies, one.unseen_at) == (saw(), inquiry.since)
    assert len(heard(world)) == 1


def test_a_look_that_finds_nothing_asks_nobody(world, neighbour):
    world.sleep(4000)
    world.settle()
    assert neighbour.asked == []


def test_another_value_is_asked_about_anew_since_the_look_before(world, neighbour):
    tampered(world)
    tampered(world, "again")
    first, second = neighbour.asked
    assert second.since > first.since


@pytest.mark.parametrize("fault", [ToolFailed("access denied"), RuntimeError("c4n4ry")])
def test_a_witness_that_fails_costs_the_look_nothing_and_is_told_of(world, neighbour, fault):
    neighbour.says = [fault]
    assert tampered(world).rest.reason is Reason.DRIFTED
    (one,) = world.state().occurrences
    (word,) = one.testimonies
    assert (word.who, word.source) == ("", "neighbour")
    assert word.what in {"could not be asked: access denied", "could not be asked: RuntimeError, see the run's log"}


def test_one_that_is_long_winded_is_cut_short_and_kept_on_one_line(world, neighbour):
    neighbour.says = [saw(what="a\nb" + "c" * 900)]
    tampered(world)
    (one,) = world.state().occurrences
    (word,) = one.testimonies
    assert word.what.startswith("a b")
    assert len(word.what) == 300


def test_our_own_attempt_that_failed_half_way_is_the_first_suspect(world):
    world.outside = replace(world.outside, witnesses=(HistoryWitness(record=world.record),))
    world.sleep(1000)
    world.commit({"web/objects": "a=2 b=2"})
    world.cloud.fail_next = 99
    world.settle()
    world.cloud.objects[A] = "half"
    world.worker().check_drift(StackKey(source="infra", name="web"))
    (one,) = world.state().occurrences
    suspects = [word for word in one.testimonies if word.who]
    assert [(word.who, word.confidence) for word in suspects] == [("user:ana", Confidence.LIKELY)] * len(suspects)
    assert suspects
    assert "failed, and may have done some of it" in suspects[0].what


def test_the_record_says_who_applied_what_is_there(world):
    world.outside = replace(world.outside, witnesses=(HistoryWitness(record=world.record),))
    tampered(world)
    (one,) = world.state().occurrences
    (word,) = one.testimonies
    applied = world.state().applied
    assert word.who == ""
    assert word.what == f"last applied by user:ana in run {applied.run} at {applied.revision[:7]}"


def keyed(world, apply):
    """Have the stack planned and applied with keys of AWS."""
    sets = {"plan": {"AWS_ACCESS_KEY_ID": "AKIAPLAN", "AWS_REGION": "eu-west-1"}, "apply": apply}

    def environment(name, stack, *, foreign=False):
        if isinstance(sets[name], Exception):
            raise sets[name]
        return sets[name]

    world.environment = environment
    world.commit({"web/objects": "a=1 b=1"}, {"web": {"credentials": CredentialNames(plan="plan", apply="apply")}})


def test_witnesses_know_which_keys_the_stack_has_and_which_are_its_own(world, neighbour):
    keyed(world, {"AWS_ACCESS_KEY_ID": "AKIAAPPLY"})
    tampered(world)
    (inquiry,) = neighbour.asked
    assert inquiry.granted == {"AWS_ACCESS_KEY_ID", "AWS_REGION"}
    assert inquiry.ours == {"AKIAAPPLY"}
    assert inquiry.folder.name == "private"


def test_a_key_that_may_not_be_had_keeps_nobody_from_asking(world, neighbour):
    keyed(world, Denied("not granted", code="HF-4110"))
    tampered(world)
    (inquiry,) = neighbour.asked
    assert inquiry.ours == frozenset()


def test_witnesses_are_asked_by_the_true_names_and_only_masked_ones_are_kept(world, neighbour, monkeypatch):
    drift = CloudTool.drift

    def known_by_name(self, workspace):
        found = drift(self, workspace)
        items = tuple(replace(one, identities=("arn:aws:sqs:eu-west-1:1:a",)) for one in found.items)
        return replace(found, items=items)

    monkeypatch.setattr(CloudTool, "drift", known_by_name)
    monkeypatch.setattr(Plain, "mask", lambda self, text: text.replace("eu-west-1", "(sensitive)"))
    neighbour.says = [saw(what="in eu-west-1")]
    tampered(world)
    (inquiry,) = neighbour.asked
    assert [one.identities for one in inquiry.items] == [("arn:aws:sqs:eu-west-1:1:a",)]
    assert "eu-west-1" not in repr(world.state())
    assert world.state().occurrences[0].testimonies[0].what == "in (sensitive)"
