"""What drifted and what once did, for programs: `holdfast drift` and the API tell the same. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.contract import DriftItem, Json
from orchestrator.model.drift import Occurrence
from orchestrator.model.moment import stamp
from orchestrator.model.observed import Looks
from orchestrator.model.policy import Ignore
from orchestrator.model.stack import StackKey
from orchestrator.rules.difference import Difference
from orchestrator.rules.judged import Judged
from orchestrator.telling import changes, witnesses


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is said of a look beside the differences that it found."""

    blind_spots: tuple[str, ...] = ()
    #: Why nothing can be said: the look failed, or nothing was ever applied.
    problem: str = ""
    code: str = ""
    #: What was done about it, in words; empty where nobody asked.
    answered: str = ""


def value(key: StackKey, judged: Judged, looks: Looks, said: Said) -> dict[str, Json]:
    """Return what a look at one stack found."""
    drift = judged.drift
    return {
        "stack": key.short,
        "key": str(key),
        "drifted": None if said.problem else drift is not None,
        "looked_at": stamp(looks.drift_at) or None,
        "first_seen": stamp(drift.first_seen) if drift else None,
        "last_seen": stamp(looks.drift_seen_at) if drift else None,
        "times": looks.drift_seen if drift else 0,
        "revision": drift.revision if drift else None,
        "items": [_item(judged, looks, item) for item in (drift.items if drift else ())],
        "unconfirmed": [_item(judged, looks, item) for item in judged.unconfirmed],
        "ignored": [{**_item(judged, looks, one.item), "rule": rule_value(one.rule)} for one in judged.ignored],
        "expired": [rule_value(rule) for rule in judged.expired],
        "repairs": judged.repairs,
        "recurring": judged.recurring,
        "answer": judged.policy.answer.value,
        "confirm": judged.policy.confirm,
        "answered": said.answered,
        "blind_spots": list(said.blind_spots),
        "problem": said.problem,
        "code": said.code,
    }


def _item(judged: Judged, looks: Looks, item: DriftItem) -> dict[str, Json]:
    return {
        "will_be_reverted": item.will_be_reverted,
        "first_seen": stamp(judged.since(item)) or None,
        "last_seen": stamp(looks.drift_seen_at) or None,
        "times": judged.times(item, looks),
        "occurrences": judged.occasions(item),
        "witnesses": [witnesses.value(one) for one in judged.witnessed(item) or ()],
        "witnesses_asked": judged.witnessed(item) is not None,
        "change": changes.value(item.change),
    }


def rule_value(rule: Ignore) -> dict[str, Json]:
    """Return a rule that has drift left alone."""
    return {
        "what": str(Difference(address=rule.address, path=rule.path)),
        "owner": rule.owner,
        "reason": rule.reason,
        "until": stamp(rule.until or 0.0) or None,
    }


def history_value(key: StackKey, judged: Judged) -> dict[str, Json]:
    """Return each occurrence of drift that a stack's state still holds."""
    return {
        "stack": key.short,
        "key": str(key),
        "repairs": judged.repairs,
        "recurring": judged.recurring,
        "occurrences": [_occurrence(one) for one in judged.occurrences],
    }


def _occurrence(one: Occurrence) -> Json:
    return {
        "address": one.address,
        "path": one.path,
        "kind": one.kind.value,
        "expected": one.expected,
        "actual": one.actual,
        "will_be_reverted": one.will_be_reverted,
        "revision": one.revision,
        "since": stamp(one.since),
        "until": stamp(one.until or 0.0) or None,
        "ended": one.ended.value if one.ended else None,
        "run": one.run or None,
        "by": one.by,
        "unseen_at": stamp(one.unseen_at) or None,
        "asked_at": stamp(one.asked_at) or None,
        "witnesses": [witnesses.value(word) for word in one.testimonies],
    }
