"""Reviews that the tests of this folder draw, and what draws texts that mean harm."""

from __future__ import annotations

from adapters.contract import AttributeChange, Change, ChangeKind, Goal, Json, Plan, ToolVersion
from orchestrator.model.fingerprint import Parts
from orchestrator.model.observed import Counts, Proposal
from orchestrator.model.pull import Pull
from orchestrator.model.review import Fare, Part, Review
from orchestrator.model.stack import StackKey
from orchestrator.telling.counts import of_plan

TOOL = ToolVersion(name="terraform", version="1.11.4", platform="linux_amd64")
REVISION = "3f2a91c0" * 5
#: 2026-11-26 14:02 UTC.
PLANNED_AT = 1795701720.0


def key(text: str) -> StackKey:
    name, _, environment = text.partition("@")
    return StackKey(source="infra", name=name, environment=environment or "default")


def change(
    address: str, kind: ChangeKind = ChangeKind.UPDATE, *attributes: AttributeChange, reason: str = ""
) -> Change:
    return Change(address=address, kind=kind, attributes=attributes, reason=reason)


def attribute(path: str, before: Json, after: Json, **more: bool) -> AttributeChange:
    return AttributeChange(path=path, before=before, after=after, **more)


def plan(*changes: Change, **more: object) -> Plan:
    return Plan(goal=Goal.CONVERGE, changes=changes, tool=TOOL, **more)


def proposal(counts: Counts) -> Proposal:
    return Proposal(
        number=3,
        run=42,
        track="pull/118",
        goal=Goal.CONVERGE,
        revision=REVISION,
        fingerprint="f" * 64,
        parts=Parts(tree="t"),
        changes_digest="d" * 64,
        artifact="",
        detail="",
        inputs="",
        policy_digest="p",
        tool=TOOL,
        counts=counts,
        made_at=1000.0,
    )


def planned(text: str, *changes: Change, fare: Fare = Fare.PLANNED, **more: object) -> Part:
    made = plan(*changes)
    return Part(key=key(text), tool="terraform", fare=fare, plan=made, proposal=proposal(of_plan(made)), **more)


def part(text: str, fare: Fare, **more: object) -> Part:
    return Part(key=key(text), tool="terraform", fare=fare, **more)


def review(*parts: Part, **more: object) -> Review:
    given = {"pull": Pull(number=118), "revision": REVISION, "planned_at": PLANNED_AT, "run": 42, **more}
    return Review(parts=parts, **given)


def example() -> Review:
    """A hosted zone that may not be replaced, a tag, a stack that waits, and eleven that nothing happens to."""
    zone = change(
        "AWS::Route53::HostedZone Zone",
        ChangeKind.REPLACE,
        attribute("Name", "a.example", "b.example", forces_replacement=True),
        reason="3 records go with it",
    )
    record = change("AWS::Route53::RecordSet Www", ChangeKind.CREATE, attribute("TTL", None, 300))
    ttl = change("AWS::Route53::RecordSet Mail", ChangeKind.UPDATE, attribute("TTL", 300, 60))
    tag = change("aws_vpc.main", ChangeKind.UPDATE, attribute("tags.owner", "ops", "platform"))
    url = "https://holdfast.example/runs/42"
    return review(
        planned("network@prod", tag, url=f"{url}/network", asks="1 approval from platform"),
        planned("dns@prod", record, ttl, zone, fare=Fare.DENIED, why="dns.rego:12", code="HF-4101", url=f"{url}/dns"),
        part("web@prod", Fare.DEFERRED, why="waits for dns"),
        *(part(f"quiet-{number}@prod", Fare.EMPTY) for number in range(11)),
        run_url="https://holdfast.example/runs/{run}",
        earlier=(41, 40),
        took_s=38.0,
    )
