from __future__ import annotations

import io
import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from cli_values import REVISION, applied, attribute, change, key, plan, proposal, stack, stacks, text
from rich.console import Console

from adapters.contract import ChangeKind, DriftItem, Goal, Problem, Severity
from orchestrator.cli import graph_svg, graph_text, show_diff, show_drift, show_graph, show_plan, show_status
from orchestrator.engine.nodes import Mood, Node, node_of
from orchestrator.engine.standings import Situation
from orchestrator.model.action import Reason, Rest
from orchestrator.model.observed import Applying, Drift, Failure, Looks, Phase, State, TrackView, UnknownAttempt
from orchestrator.model.stack import MAIN
from orchestrator.rules.axes import Health, Standing, Sync, standing
from orchestrator.rules.judged import Judged
from orchestrator.rules.order import Edge, EdgeKind, waves
from orchestrator.rules.stillness import Still
from orchestrator.telling.counts import of_plan
from orchestrator.telling.rows import Mark

NOW = 10_000.0
SVG = "{http://www.w3.org/2000/svg}"
DELETE = change("aws_zone.old", ChangeKind.DELETE)
REPLACE = change(
    "aws_zone.main",
    ChangeKind.REPLACE,
    attribute("tags", {"a": 1}, {"a": 2}),
    attribute("name", "a.example", "b.example", forces_replacement=True),
)
UPDATE = change("aws_bucket.logs", ChangeKind.UPDATE, attribute("tags.owner", "ops", "platform"))
CREATE = change("aws_bucket.new", ChangeKind.CREATE, attribute("name", None, "new"))
SECRET = change("db.main", ChangeKind.UPDATE, attribute("password", "canary-old", "canary-new", sensitive=True))


def row(name, *changes, mark=Mark.CHANGES, why="", **more):
    made = proposal(of_plan(plan(*changes))) if changes else None
    return show_plan.Row(
        key=key(name),
        tool="terraform",
        mark=mark,
        why=why,
        proposal=made,
        plan=plan(*changes, **more) if changes else None,
    )


def shown(*rows, whole=False):
    return text(show_plan.page(rows), whole=whole)


def test_what_destroys_comes_first_within_a_stack_and_among_stacks():
    out = shown(row("calm", CREATE, UPDATE), row("grave", CREATE, UPDATE, REPLACE, DELETE))
    places = [out.index(part) for part in ("grave", "- aws_zone.old", "± aws_zone.main", "~ aws_bucket.logs", "calm")]
    assert places == sorted(places)


def test_destruction_is_never_folded_away_and_harmless_changes_are():
    many = [change(f"r.keep{n}", ChangeKind.CREATE) for n in range(60)]
    doomed = [change(f"r.gone{n}", ChangeKind.DELETE) for n in range(60)]
    out = shown(row("big", *many, *doomed))
    assert all(f"r.gone{n} " in out for n in range(60))
    assert "r.keep59" not in out
    assert "and 40 more: holdfast show big -o wide" in out
    assert "r.keep59" in shown(row("big", *many, *doomed), whole=True)


def test_an_attribute_shows_before_and_after_and_what_forces_the_replacement_first():
    out = shown(row("dns", REPLACE))
    assert '"a.example" → "b.example"  forces replacement' in out
    assert out.index("forces replacement") < out.index("tags")


def test_a_value_that_is_not_known_yet_says_so():
    computed = change("r.a", ChangeKind.UPDATE, attribute("id", "x", None, computed=True))
    assert '"x" → (known after apply)' in shown(row("a", computed))


def test_a_sensitive_value_is_masked_in_every_form():
    page = show_plan.page([row("a", SECRET)])
    said = text(page, whole=True) + json.dumps(page.value()) + str(page.records())
    assert "canary" not in said
    assert "(sensitive)" in said


def test_the_totals_name_every_kind_and_what_waits():
    rows = [
        row("a", DELETE, REPLACE, CREATE),
        row("b", UPDATE, UPDATE),
        row("c", mark=Mark.DEFERRED, why="waits for network.cidr"),
        row("d", mark=Mark.NONE),
    ]
    assert show_plan.totals(rows) == "1 to add, 2 to change, 1 to replace, 1 to destroy in 2 stacks; 1 deferred."
    assert "⌛ deferred  waits for network.cidr" in shown(*rows)


def test_nothing_to_do_is_said_in_one_line():
    assert show_plan.totals([row("d", mark=Mark.NONE)]) == "No changes in 1 stack."
    assert show_plan.totals([]) == "No stacks."


def test_plain_writes_one_record_per_change_in_words():
    records = show_plan.page([row("dns", REPLACE, DELETE), row("web", mark=Mark.DEFERRED, why="waits")]).records()
    assert records == [
        ("dns", "destroy", "aws_zone.old", ""),
        ("dns", "replace", "aws_zone.main", "tags,name"),
        ("web", "deferred", "", "waits"),
    ]


def test_what_the_tool_has_to_say_stands_below_the_stack():
    problem = Problem(severity=Severity.WARNING, summary="check failed", detail="not so\nmore", file="main.tf", line=3)
    assert "main.tf:3  warning: check failed: not so\n" in shown(row("a", UPDATE, problems=(problem,)))


def test_an_address_cannot_move_the_cursor():
    assert "\x1b" not in shown(row("a", change("r.\x1b[2Jx", ChangeKind.DELETE)))


def test_a_line_ends_in_no_blank_and_a_reason_is_in_words():
    forced = change("r.a", ChangeKind.REPLACE, reason="replace_because_cannot_update")
    out = shown(row("a", forced, outputs_changing=("cidr",)))
    assert "outputs: cidr\n" in out.replace(" \n", "<blank>")
    assert "(replace because cannot update)" in out


def test_one_is_not_written_as_many():
    left = show_diff.Side(label="a", revision="r", files={"f": "1"}, settings={})
    assert "1 file differs." in text(show_diff.page(show_diff.Difference(left=left, right=replace(left, files={}))))


# --- status


FAILURE = Failure(phase=Phase.APPLY, fingerprint="f" * 64, at=1.0, code="HF-2004", message="no", transient=True)
ATTEMPT = Applying(number=1, run=7, proposal=proposal(), host="h", boot_id="b", folder="/f", by="ana", started_at=1.0)
DRIFT = Drift(
    items=(
        DriftItem(change=change("r.a", ChangeKind.UPDATE, attribute("size", 1, 2)), will_be_reverted=True),
        DriftItem(change=change("r.b", ChangeKind.DELETE), will_be_reverted=False),
    ),
    first_seen=NOW - 7200,
    revision=REVISION,
)
LOOKS = Looks(drift_at=NOW, drift_seen_at=NOW, drift_seen=3)


@pytest.mark.parametrize(
    ("state", "fingerprint", "sync", "health"),
    [
        (State(), "f", Sync.OUT_OF_SYNC, Health.MISSING),
        (State(applied=applied("f")), "f", Sync.SYNCED, Health.HEALTHY),
        (State(applied=applied("f")), "g", Sync.OUT_OF_SYNC, Health.HEALTHY),
        (State(applied=applied("f")), "", Sync.UNKNOWN, Health.HEALTHY),
        (State(applied=applied("f"), drift=DRIFT), "f", Sync.OUT_OF_SYNC, Health.HEALTHY),
        (State(applied=applied("f"), drift_check_error="no"), "f", Sync.UNKNOWN, Health.HEALTHY),
        (State(applied=applied("f"), applying=ATTEMPT), "g", Sync.OUT_OF_SYNC, Health.PROGRESSING),
        (
            State(applied=applied("f"), tracks={MAIN: TrackView(failure=FAILURE)}),
            "g",
            Sync.OUT_OF_SYNC,
            Health.DEGRADED,
        ),
        (State(applied=applied("f", goal=Goal.DESTROY)), "f", Sync.SYNCED, Health.MISSING),
        (
            State(unknown=UnknownAttempt(attempt=ATTEMPT, why="?", at=1.0, started=None, dead=True)),
            "f",
            Sync.UNKNOWN,
            Health.UNKNOWN,
        ),
    ],
)
def test_a_stack_stands_on_two_axes(state, fingerprint, sync, health):
    assert standing(state, fingerprint) == Standing(sync=sync, health=health)


def status_row(name, state, fingerprint="f" * 64, why="because"):
    return Situation(
        key=key(name),
        tool="terraform",
        state=state,
        standing=standing(state, fingerprint),
        action=Rest(reason=Reason.CONVERGED, why=why),
        asked_revision=REVISION,
        looks=Looks(),
        still=Still(key=key(name)),
    )


def test_the_status_says_revision_age_and_why():
    out = text(show_status.page([status_row("web@prod", State(applied=applied(at=NOW - 7300)))], NOW))
    assert "web@prod" in out
    assert "● Synced" in out
    assert "3f2a91c" in out
    assert "2 h" in out
    assert "because" in out
    assert out.rstrip().endswith("Ready.")


def test_on_a_narrow_terminal_each_reason_stands_whole_below_its_row():
    why = "terraform plan failed: terraform/broken/main.tf:2: reference to undeclared input variable"
    rows = [status_row("network@prod", State(applied=applied()), why=why)]
    out = io.StringIO()
    Console(file=out, width=80, highlight=False).print(show_status.view(rows, NOW, whole=False))
    lines = out.getvalue().splitlines()
    assert lines[1].startswith("network@prod  terraform  ● Synced")
    assert lines[2].startswith("    terraform plan failed: terraform/broken/main.tf:2: reference")
    assert all(len(line) <= 80 for line in lines)


def test_drift_and_trouble_are_counted_in_the_last_line():
    rows = [
        status_row("a", State(applied=applied())),
        status_row("b", State(applied=applied(), drift=DRIFT)),
        status_row("c", State(applied=applied(), tracks={MAIN: TrackView(failure=FAILURE)})),
    ]
    assert show_status.totals(rows) == "1 of 3 ready; 1 out of sync, 1 drifted, 1 degraded."
    out = text(show_status.page(rows, NOW))
    assert "▲2 drifted" in out
    assert out.rstrip().splitlines()[-1] == show_status.totals(rows)


def test_the_status_for_programs_has_the_conditions_and_the_next_step():
    (value,) = show_status.page([status_row("a", State(applied=applied(), drift=DRIFT))], NOW).value()["stacks"]
    assert value["sync"] == "OutOfSync"
    assert value["drifted"] == 2
    assert value["conditions"]["Drifted"] is True
    assert value["conditions"]["Ready"] is False
    assert value["next"] == {"action": "Rest", "reason": "converged", "until": None}


# --- drift


def test_drift_says_expected_actual_since_when_how_often_and_what_follows():
    rows = [
        show_drift.Row(key=key("fine"), looks=LOOKS),
        show_drift.Row(
            key=key("web"), judged=Judged(drift=DRIFT), looks=LOOKS, blind_spots=("resources made by hand",)
        ),
    ]
    out = text(show_drift.page(rows, NOW))
    assert out.index("web") < out.index("fine")
    assert "first seen 2 h ago, seen 3 times" in out
    assert "expected 1  is 2" in " ".join(out.split()).replace("expected 1 is 2", "expected 1  is 2")
    assert "r.a  changed  the next apply puts it back" in out
    assert "r.b  is gone  no apply puts it back" in out
    assert "resources made by hand" in out
    assert out.rstrip().endswith("2 drifted in 1 of 2 stacks.")


def test_a_look_that_failed_is_never_shown_as_fine():
    rows = [show_drift.Row(key=key("web"), looks=Looks(), problem="no credentials", code="HF-2004")]
    page = show_drift.page(rows, NOW)
    assert "= as applied" not in text(page)
    assert page.value()["stacks"][0]["drifted"] is None
    assert show_drift.totals(rows) == "Of 1 stack nothing can be said."


def test_a_look_at_nothing_says_that_nothing_is_applied_and_not_that_there_are_no_stacks():
    assert show_drift.totals([]) == "Nothing here is applied: there is nothing to look at."


# --- graph


def graph():
    every = stacks("network", "dns", "web")
    edges = {
        key("network"): frozenset(),
        key("dns"): frozenset({Edge(upstream=key("network"), kind=EdgeKind.DATA)}),
        key("web"): frozenset({Edge(upstream=key("dns"), kind=EdgeKind.ORDER)}),
    }
    return every, edges


def _drawn(picture):
    return ET.fromstring(picture)  # noqa: S314 -- our own


def nodes(every, **states):
    return {
        k: Node(key=k, tool="terraform", state=states.get(k.name, "synced"), mood=Mood.GOOD, why="all is well")
        for k in every
    }


def test_the_graph_is_drawn_in_waves_with_where_each_stands():
    every, edges = graph()
    out = text(show_graph.page(nodes(every, dns="drifted"), edges, waves(edges)))
    places = [
        out.index(part) for part in ("wave 1", "network", "wave 2", "drifted", "← network", "wave 3", "after dns")
    ]
    assert places == sorted(places)
    assert out.rstrip().endswith("3 stacks in 3 waves.")


def test_mermaid_and_dot_draw_order_alone_as_a_broken_line():
    every, edges = graph()
    mermaid, dot = graph_text.mermaid(nodes(every), edges), graph_text.dot(nodes(every), edges)
    assert '  s1["network<br/>terraform · synced"]:::good\n' in mermaid
    assert "  s1 --> s0\n" in mermaid
    assert "  s0 -.-> s2\n" in mermaid
    assert '  "network" -> "dns";\n' in dot
    assert '  "dns" -> "web" [style=dashed];\n' in dot


def test_the_picture_is_well_formed_has_a_box_for_each_stack_and_never_speaks_by_colour_alone():
    every, edges = graph()
    picture = _drawn(graph_svg.svg(nodes(every, web="drifted"), edges, waves(edges)))
    kinds = [element.get("class") for element in picture.iter(f"{SVG}path")]
    assert kinds == ["tip", "edge data", "edge order"]
    boxes = {float(box.get("x")) for box in picture.iter(f"{SVG}rect")}
    assert len(boxes) == 3
    words = " ".join(part.text or "" for part in picture.iter(f"{SVG}text"))
    assert "drifted" in words
    assert "synced" in words


def test_a_name_with_quotes_cannot_break_out_of_a_drawing():
    odd = {key('a"b\\<script>'): stack('a"b\\<script>')}
    edges = {key('a"b\\<script>'): frozenset()}
    assert '"a\\"b\\\\<script>"' in graph_text.dot(nodes(odd), edges)
    assert "a#quot;b" in graph_text.mermaid(nodes(odd), edges)
    picture = graph_svg.svg(nodes(odd), edges, waves(edges))
    assert "<script>" not in picture
    _drawn(picture)


@pytest.mark.parametrize(
    ("state", "fingerprint", "said"),
    [
        (State(), "f", "not applied"),
        (State(applied=applied()), "f" * 64, "synced"),
        (State(applied=applied()), "other", "out of sync"),
        (State(applied=applied(), drift=DRIFT), "f" * 64, "drifted"),
        (State(applied=applied()), "", "unknown"),
    ],
)
def test_a_node_says_in_a_word_where_its_stack_stands(state, fingerprint, said):
    assert node_of(status_row("a", state, fingerprint=fingerprint)).state == said
