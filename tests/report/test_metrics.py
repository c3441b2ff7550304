"""Metrics are what the record says: exactly the names that are promised, and nothing counted twice or missed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.contract import Change, ChangeKind, DriftItem, Goal, ToolVersion
from orchestrator.effects.clock import SystemClock
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_schema import open_database
from orchestrator.model.event import (
    ApplyEnded,
    ApplyRefused,
    ApplyStarted,
    Approved,
    Asked,
    DriftCheckFailed,
    DriftSeen,
    Event,
    Outcome,
    PlanFailed,
    Planned,
)
from orchestrator.model.fingerprint import Parts
from orchestrator.model.gate import Gate, GateKind
from orchestrator.model.observed import Applied, Applying, Consent, Counts, Proposal
from orchestrator.report.metrics import Fares, Metrics, SourceFares
from orchestrator.report.results import Result, result_of

NAMES = {
    "holdfast_runs_total": {"stack", "environment", "tool", "operation", "result"},
    "holdfast_run_duration_seconds": {"tool", "operation", "result", "le"},
    "holdfast_stack_condition": {"stack", "environment", "type", "status"},
    "holdfast_stack_drifted_resources": {"stack", "environment"},
    "holdfast_source_last_success_timestamp_seconds": {"source"},
    "holdfast_source_fetch_failures_total": {"source"},
    "holdfast_queue_depth": set[str](),
    "holdfast_workers": {"state"},
    "holdfast_approval_wait_seconds": {"le"},
    "holdfast_deployments_total": {"environment", "result"},
    "holdfast_change_lead_time_seconds": {"le"},
    "holdfast_build_info": {"version"},
}
TOOL = ToolVersion(name="terraform", version="1.11.4", platform="linux_amd64")
KEY = "infra/web@prod"


class HandClock:
    """A clock that a test moves."""

    at = 1_000_000.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def record(tmp_path: Path, clock: HandClock) -> Iterator[SqlRecord]:
    database = open_database(f"sqlite:///{tmp_path}/record.db")
    yield SqlRecord(database=database, clock=clock, actor="a")
    database.close()


def proposal(number: int = 1) -> Proposal:
    return Proposal(
        number=number, run=1, track="main", goal=Goal.CONVERGE, revision="r" * 40, fingerprint="f", parts=Parts(tree="t"),
        changes_digest="c", artifact="", detail="", inputs="", policy_digest="p", tool=TOOL, counts=Counts(create=1),
    )  # fmt: skip


def begun(at: float) -> ApplyStarted:
    return ApplyStarted(
        attempt=Applying(
            number=1, run=1, proposal=proposal(), host="h", boot_id="b", folder="/f", by="a", started_at=at
        )
    )


def ended(outcome: Outcome = Outcome.SUCCEEDED) -> ApplyEnded:
    applied = Applied(
        attempt=1, run=1, goal=Goal.CONVERGE, revision="r" * 40, fingerprint="f", parts=Parts(tree="t"), inputs="",
        tool=TOOL, counts=Counts(create=1),
    )  # fmt: skip
    return ApplyEnded(attempt=1, outcome=outcome, applied=applied if outcome is Outcome.SUCCEEDED else None)


FARES = Fares(
    version="9.9", now=1_000_000.0, sources=(SourceFares(name="infra", read_at=5.0, failures=3),), waiting=2, busy=1, idle=3
)  # fmt: skip


def samples(page: bytes) -> dict[tuple[str, ...], float]:
    """Return each sample by its name and its labels' values, in the order of their names."""
    return {
        (one.name, *(value for _, value in sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(page.decode())
        for one in family.samples
    }


def happen(record: SqlRecord, *events: Event, stack: str = KEY) -> None:
    record.append(stack, events, expected=record.row(stack).state.version, run=1)


def test_exactly_the_promised_names_with_exactly_their_labels(record: SqlRecord, clock: HandClock) -> None:
    happen(record, Planned(proposal=proposal()), begun(clock.at), ended())
    page = Metrics(record, lambda *_: 1.0).page(FARES).decode()
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(page):
        for one in family.samples:
            name = one.name
            if family.type == "histogram":
                name = name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum")
            found.setdefault(name, set()).update(one.labels)
    assert found == NAMES
    documented = (Path(__file__).parents[2] / "docs" / "service.md").read_text(encoding="utf-8")
    assert {line.split("`")[1] for line in documented.splitlines() if line.startswith("| `holdfast_")} == set(NAMES)


def test_what_happened_is_counted_once_whoever_asks_how_often(record: SqlRecord, clock: HandClock) -> None:
    metrics = Metrics(
        record, lambda source, revision: clock.at - 120 if (source, revision) == ("infra", "r" * 40) else 0
    )
    happen(record, Planned(proposal=proposal()), Asked(track="main", proposal=1))
    metrics.page(FARES)
    clock.at += 90
    consent = Consent(binding=proposal().binding(KEY), by="ana", at=clock.at)
    happen(record, Approved(track="main", proposal=1, consent=consent), begun(clock.at))
    clock.at += 20
    happen(record, ended())
    metrics.page(FARES)
    found = samples(metrics.page(FARES))
    assert found["holdfast_runs_total", "prod", "plan", "success", "infra/web", "terraform"] == 1
    assert found["holdfast_runs_total", "prod", "apply", "success", "infra/web", "terraform"] == 1
    assert found["holdfast_deployments_total", "prod", "success"] == 1
    assert found["holdfast_approval_wait_seconds_sum",] == 90
    assert found["holdfast_run_duration_seconds_sum", "apply", "success", "terraform"] == 20
    assert found["holdfast_change_lead_time_seconds_sum",] == 120
    assert found["holdfast_source_fetch_failures_total", "infra"] == 3


def test_a_new_service_counts_on_from_where_the_last_one_was(record: SqlRecord) -> None:
    happen(record, Planned(proposal=proposal()))
    Metrics(record, lambda *_: 0.0).page(FARES)
    happen(record, PlanFailed(track="main", fingerprint="f", code="HF-2004", message="m", transient=False))
    found = samples(Metrics(record, lambda *_: 0.0).page(FARES))
    counted = {name: value for name, value in found.items() if name[0] == "holdfast_runs_total"}
    assert counted == {("holdfast_runs_total", "prod", "plan", "failure", "infra/web", ""): 1.0}


def conditions(record: SqlRecord, metrics: Metrics, **more: float) -> set[str]:
    found = samples(metrics.page(replace(FARES, **more)))  # type: ignore[arg-type]
    return {name[4] for name, value in found.items() if name[0] == "holdfast_stack_condition" and name[3] == "True" and value}  # fmt: skip


def test_conditions_follow_the_record(record: SqlRecord, clock: HandClock) -> None:
    metrics = Metrics(record, lambda *_: 0.0)
    happen(record, Planned(proposal=proposal()))
    assert conditions(record, metrics) == set()
    happen(record, Asked(track="main", proposal=1))
    assert conditions(record, metrics) == {"AwaitingApproval"}
    happen(record, begun(clock.at))
    assert "Reconciling" in conditions(record, metrics)
    happen(record, ended())
    assert conditions(record, metrics) == {"Ready"}
    gate = record.set_gate(Gate(kind=GateKind.SUSPENSION, why="w", selector="web@prod", until=clock.at + 10), run=1)
    assert conditions(record, metrics) == {"Ready", "Suspended"}
    assert conditions(record, metrics, now=clock.at + 10) == {"Ready"}
    record.lift_gate(gate.id, by="a", reason="r", run=1)
    happen(
        record,
        DriftSeen(
            revision="r",
            items=(DriftItem(change=Change(address="a.b", kind=ChangeKind.UPDATE), will_be_reverted=True),),
        ),
    )
    assert conditions(record, metrics) == {"Drifted"}
    assert samples(metrics.page(FARES))["holdfast_stack_drifted_resources", "prod", "infra/web"] == 1


def test_stacks_of_sources_that_are_not_served_are_not_told_of(record: SqlRecord) -> None:
    happen(record, Planned(proposal=proposal()), stack="other/web@prod")
    assert conditions(record, Metrics(record, lambda *_: 0.0)) == set()
    happen(record, Planned(proposal=proposal()))
    assert b'stack="other/web",type' not in Metrics(record, lambda *_: 0.0).page(FARES)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (ended(Outcome.FAILED), ("apply", Result.FAILURE)),
        (replace(ended(Outcome.FAILED), code="HF-2009"), ("apply", Result.CANCELLATION)),
        (ended(Outcome.UNKNOWN), ("apply", Result.ERROR)),
        (ended(Outcome.STALE), ("apply", Result.SKIP)),
        (ApplyRefused(track="main", fingerprint="f", code="HF-4110", message="m", transient=False), ("apply", Result.SKIP)),
        (PlanFailed(track="main", fingerprint="f", code="HF-4400", message="m", transient=False), ("plan", Result.ERROR)),
        (DriftCheckFailed(code="HF-2004", message="m"), ("drift", Result.FAILURE)),
        (Asked(track="main", proposal=1), None),
    ],
)  # fmt: skip
def test_what_the_tool_refuses_is_a_failure_and_what_we_break_an_error(event: Event, expected: object) -> None:
    assert result_of(event) == expected


def test_names_that_are_not_ours_to_choose_do_not_break_the_page(record: SqlRecord) -> None:
    name = f'infra/we"b\\{uuid.uuid4().hex}@prod'
    happen(record, Planned(proposal=proposal()), stack=name)
    found = samples(Metrics(record, lambda *_: 0.0).page(FARES))
    assert ("holdfast_runs_total", "prod", "plan", "success", name.partition("@")[0], "terraform") in found
    assert SystemClock().now() > 0
