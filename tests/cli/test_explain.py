from __future__ import annotations

from dataclasses import replace

from cli_values import REVISION, applied, key, stack, text

from orchestrator.cli.show_explain import page
from orchestrator.engine.explaining import Explained
from orchestrator.model.action import Reason, Rest
from orchestrator.model.desired import Desired, Pending
from orchestrator.model.fingerprint import Parts
from orchestrator.model.gate import Act, Gate, GateKind
from orchestrator.model.observed import Failure, Phase, State, TrackView
from orchestrator.model.reference import OutputRef
from orchestrator.model.stack import MAIN
from orchestrator.rules.axes import standing

NOW = 10_000.0
GATE = Gate(kind=GateKind.FREEZE, why="holidays", who="ana", id=2, until=NOW + 60, stops=frozenset({Act.APPLY}))
OVER = Gate(kind=GateKind.FREEZE, why="last year", until=NOW - 60)
PENDING = Pending(ref=OutputRef.parse("network.cidr"), stack="network", why="network is due")


def explained() -> Explained:
    state = State(applied=applied())
    its = stack(
        "web",
        settings={"workspace": "dev"},
        inputs={"password": "${secret:web/db}", "cidr": "${output:network.cidr}"},
        depends_on=(key("dns"),),
        origins={
            "workspace": "stacks.yaml:7",
            "retries": "holdfast.yaml:3",
            "apply": "stacks.yaml:4",
            "timeout": "stacks.yaml:5",
            "inputs": "stacks.yaml:9",
        },
    )
    return Explained(
        stack=its,
        desired=Desired(
            revision=REVISION,
            fingerprint="g",
            parts=Parts(tree="other", settings="s"),
            policy_digest="p",
            upstream=(PENDING,),
            gates=(GATE, OVER),
        ),
        state=state,
        standing=standing(state, "g"),
        action=Rest(reason=Reason.DEFERRED, why="waits for network.cidr", until=NOW + 60),
    )


def test_it_says_what_is_next_and_why_in_its_last_line():
    out = text(page(explained(), NOW))
    assert out.rstrip().endswith("Next: it rests until 1970-01-01T02:47:40Z: waits for network.cidr.")


def test_it_lists_the_gates_that_stand_and_not_those_that_are_over():
    out = text(page(explained(), NOW))
    assert "freeze by ana until 1970-01-01T02:47:40Z (stops apply): holidays" in out
    assert "last year" not in out


def test_it_says_which_part_changed_since_the_last_apply():
    out = text(page(explained(), NOW))
    assert "changed: its files" in out
    assert "changed: its settings" in out


def test_each_setting_stands_with_its_origin_and_no_reference_is_filled():
    rows = {line.split("  ")[1]: line for line in text(page(explained(), NOW)).splitlines() if line.startswith("  ")}
    assert '"dev"' in rows["workspace"]
    assert rows["workspace"].rstrip().endswith("stacks.yaml:7")
    assert "${secret:web/db}" in rows["inputs.password"]
    assert rows["inputs.password"].rstrip().endswith("stacks.yaml:9")
    assert rows["retries"].rstrip().endswith("holdfast.yaml:3")
    assert rows["tool"].rstrip().endswith("default")


def test_programs_get_the_same():
    value = page(explained(), NOW).value()
    assert value["next"] == {
        "action": "Rest",
        "reason": "deferred",
        "why": "waits for network.cidr",
        "until": "1970-01-01T02:47:40Z",
        "sentence": "it rests until 1970-01-01T02:47:40Z: waits for network.cidr",
    }
    assert [wait["kind"] for wait in value["waits"]] == ["freeze", "upstream"]
    assert {"name": "workspace", "value": "dev", "origin": "stacks.yaml:7"} in value["settings"]


def test_it_names_each_rule_as_the_file_does_and_where_the_file_says_it():
    found = {name: (value, origin) for name, value, origin in explained().settings}
    assert found["apply"] == ("approve", "stacks.yaml:4")
    assert found["timeout"] == ("30m", "stacks.yaml:5")
    assert found["drift.every"] == ("1h", "default")


def test_what_a_tool_said_on_several_lines_stays_below_its_heading():
    failure = Failure(
        phase=Phase.PLAN, fingerprint="g", at=1.0, code="HF-2004", message="no\nsay so: x = 1", transient=True
    )
    its = explained()
    out = text(page(replace(its, state=replace(its.state, tracks={MAIN: TrackView(failure=failure)})), NOW))
    assert "  plan failed 1x: HF-2004 no\n    say so: x = 1\n" in out
