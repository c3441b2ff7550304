"""What the service's drift detection says -> drift of the contract. Pure.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackResourceDrift.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from adapters.cloudformation.attributes import Veil, differences, pointed
from adapters.cloudformation.changes import loose
from adapters.contract import AttributeChange, Change, ChangeKind, DriftItem
from adapters.telling import scrub

_QUEUE: Final = re.compile(r"https://sqs\.(?P<region>[\w-]+)\.amazonaws\.com/(?P<account>\d+)/(?P<name>[^/]+)")
#: What drift detection never sees.
BLIND_SPOTS: Final = (
    "resources that the stack does not manage",
    "properties that the template does not name",
    "resources of types that CloudFormation's drift detection does not support",
)


def items(
    drifts: Iterable[Mapping[str, Any]], veil: Callable[[str], Veil], secrets: frozenset[str], *, reverted: bool
) -> tuple[DriftItem, ...]:
    """Return one item for each resource that was modified or deleted; one named by a secret has no name."""
    found = []
    for one in sorted(drifts, key=lambda drift: str(drift["LogicalResourceId"])):
        name, status = str(one["LogicalResourceId"]), one.get("StackResourceDriftStatus")
        if status == "DELETED":
            expected = loose(one.get("ExpectedProperties"))
            attributes = differences(expected if isinstance(expected, dict) else {}, {}, veil(name))
            kind = ChangeKind.DELETE
        elif status == "MODIFIED":
            attributes, kind = tuple(_modified(one, veil(name))), ChangeKind.UPDATE
        else:
            continue
        change = Change(address=name, kind=kind, attributes=attributes, reason=str(one.get("ResourceType", "")))
        names = _names(str(one.get("PhysicalResourceId") or ""))
        identities = tuple(name for name in names if scrub(name, secrets) == name)
        found.append(DriftItem(change=change, will_be_reverted=reverted, identities=identities))
    return tuple(found)


def _names(physical: str) -> tuple[str, ...]:
    """Return the names of a resource; a queue's physical id is its address, by which only its clients know it."""
    queue = _QUEUE.fullmatch(physical)
    if queue:
        return (f"arn:aws:sqs:{queue['region']}:{queue['account']}:{queue['name']}", physical)
    return (physical,) if physical else ()


def _modified(drift: Mapping[str, Any], veil: Veil) -> Iterable[AttributeChange]:
    for one in drift.get("PropertyDifferences") or ():
        kind = one.get("DifferenceType")
        # What stands in the place of a value that is not there at all differs: "null", or nothing.
        before = None if kind == "ADD" else loose(one.get("ExpectedValue"))
        after = None if kind == "REMOVE" else loose(one.get("ActualValue"))
        yield veil.attribute(pointed(str(one.get("PropertyPath"))), before, after)


def unseen(drifts: Iterable[Mapping[str, Any]], resources: Iterable[Mapping[str, Any]], failed: str) -> tuple[str, ...]:
    """Return in sentences what was not looked at: how many resources, which, and why."""
    looked = {
        str(one["LogicalResourceId"])
        for one in drifts
        if one.get("StackResourceDriftStatus") not in {"NOT_CHECKED", "UNKNOWN"}
    }
    missed = sorted({str(one["LogicalResourceId"]) for one in resources} - looked)
    told = [f"{len(missed)} of the stack's resources were not checked: {', '.join(missed)}"] if missed else []
    return (*told, *([f"the detection did not come to its end: {failed}"] if failed else []))
