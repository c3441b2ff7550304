"""What CloudTrail is asked about drift, and what its answer says of who made it. Pure.

The trail says who called what and when, never which attribute a call changed: so nothing of it is certain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.contract import DriftItem
from adapters.testimony import Confidence, Testimony

SOURCE: Final = "CloudTrail"
#: Names that are asked about in one look: the service answers two questions a second.
MOST_NAMES: Final = 24
#: Calls that are told of one resource.
_MOST_CALLS: Final = 5
#: Services whose calls are all on one trail, wherever their resources are.
_GLOBAL: Final = frozenset({"iam", "route53", "cloudfront", "organizations", "sts", "globalaccelerator"})
_GLOBAL_REGION: Final = "us-east-1"
#: What an ARN calls a service -> what its calls come from, where the two differ.
_CALLED: Final = {"cloudwatch": "monitoring"}
_ARN_PARTS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name to ask for, and the region whose trail knows of it; empty for the one of the credentials."""

    name: str
    region: str


def names(items: Iterable[DriftItem], region: str) -> tuple[Name, ...]:
    """Return what to ask about, for each item in the region that its ARN names, else in ``region``."""
    found: dict[Name, None] = {}
    for item in items:
        arn = _arn(item)
        where = _GLOBAL_REGION if arn and arn[2] in _GLOBAL else (arn[3] if arn else "") or region
        found |= {Name(name=name, region=where): None for name in item.identities}
    return tuple(found)


def testimonies(
    items: Iterable[DriftItem], calls: Sequence[Mapping[str, Any]], asked: Sequence[Name], ours: frozenset[str]
) -> tuple[Testimony, ...]:
    """Return what the ``calls`` say of each item; ``ours`` are the access keys that the stack is applied with."""
    known = {one.name for one in asked}
    found: list[Testimony] = []
    for item in items:
        if not item.identities:
            continue
        address = item.change.address
        if not known & set(item.identities):
            found.append(unknown(f"not asked: {len(known)} names are asked for in one look", address))
            continue
        told = _of(item, calls)
        found += _judged(address, told, ours) if told else [_nobody(address)]
    return tuple(found)


def unknown(why: str, address: str = "") -> Testimony:
    """Return that the trail says nothing, and why."""
    return Testimony(address=address, what=why, source=SOURCE, confidence=Confidence.HINT)


def _nobody(address: str) -> Testimony:
    what = "no call that changed it is on the trail, which may be up to 15 minutes late"
    return Testimony(address=address, what=what, source=SOURCE, confidence=Confidence.HINT, late=True)


def _of(item: DriftItem, calls: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the calls that changed the item, the newest first: names alone are not unique among services."""
    arn = _arn(item)
    service = f"{_CALLED.get(arn[2], arn[2])}." if arn else ""
    found = {
        str(one["id"]): one
        for one in calls
        if one["name"] in item.identities and not one["failed"] and str(one["of"]).startswith(service)
    }
    return sorted(found.values(), key=lambda one: -float(one["at"]))


def _judged(address: str, calls: Sequence[Mapping[str, Any]], ours: frozenset[str]) -> list[Testimony]:
    best = next((one for one in calls if one["key"] not in ours), None)
    return [
        Testimony(
            address=address,
            who=who(one),
            at=float(one["at"]),
            what=_evidence(one, ours=one["key"] in ours),
            source=SOURCE,
            confidence=Confidence.LIKELY if one is best else Confidence.HINT,
        )
        for one in calls[:_MOST_CALLS]
    ]


def who(call: Mapping[str, Any]) -> str:
    """Return who called, as people know them: a user, a role with its session, a service, or an account's root."""
    arn = str(call["arn"])
    match call["kind"]:
        case "Root":
            return f"root of account {call['account']}"
        case "AssumedRole" if ":assumed-role/" in arn:
            return arn.partition(":assumed-role/")[2]
        case "AWSService":
            return str(call["by"] or call["of"])
        case _:
            return str(call["user"] or arn or "somebody unnamed")


def _evidence(call: Mapping[str, Any], *, ours: bool) -> str:
    origin = f" from {call['from']}" if call["from"] else ""
    agent = str(call["with"])
    tool = " by the console" if "console" in agent.lower() else f" by {agent.partition(' ')[0]}" if agent else ""
    key = ", with the key that this stack is applied with" if ours else ""
    return f"{call['call']}{origin}{tool}{key}"


def _arn(item: DriftItem) -> list[str] | None:
    split = (name.split(":", _ARN_PARTS - 1) for name in item.identities if name.startswith("arn:"))
    return next((parts for parts in split if len(parts) == _ARN_PARTS), None)
