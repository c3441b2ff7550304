"""A run that has ended is a trace: one span for it, one for each step, by the names of OpenTelemetry."""

from __future__ import annotations

import gzip

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from receiving import until

from orchestrator.assembly import reporting
from orchestrator.model.event import PlanFailed
from orchestrator.ports import Level
from orchestrator.report.traces import Tracing

WEB = "infra/web@default"


@pytest.fixture
def collector(receiver, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url("http", ""))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    return receiver


def spans(collector):
    found = []
    for one in collector.taken:
        body = gzip.decompress(one.body) if one.headers.get("content-encoding") == "gzip" else one.body
        request = ExportTraceServiceRequest.FromString(body)
        found += [span for group in request.resource_spans for scope in group.scope_spans for span in scope.spans]
    return found


def attributes(span):
    return {one.key: one.value.string_value for one in span.attributes}


def tracing(stage):
    made = Tracing(stage.ground, poll_s=0.01)
    made.turn()
    return made


def run_of(stage, verb="apply"):
    return stage.world.record.open_run(trigger="service", verb=verb, actor="service", revision="c" * 40)


def test_a_run_and_its_steps_are_sent_once_it_has_ended(stage, collector):
    made = tracing(stage)
    stage.world.commit({"web/objects": "canary-name=canary-value"})
    stage.world.settle()
    for number in range(1, 10):
        stage.world.record.close_run(number)
    made.turn()
    *steps, whole = sorted(spans(collector), key=lambda span: span.name.startswith("RUN"))
    assert {one.path for one in collector.taken} == {"/v1/traces"}
    assert {step.parent_span_id for step in steps} == {whole.span_id}
    assert {step.trace_id for step in steps} == {whole.trace_id}
    assert attributes(whole)["cicd.pipeline.result"] == "success"
    assert attributes(whole)["cicd.pipeline.run.url.full"].startswith("https://holdfast.example.org/runs/")
    by_name = {step.name: attributes(step) for step in steps}
    apply = by_name["apply web"]
    assert apply["cicd.pipeline.task.type"] == "deploy"
    assert apply["cicd.pipeline.task.run.result"] == "success"
    assert apply["deployment.environment.name"] == "default"
    assert all(whole.start_time_unix_nano <= one.end_time_unix_nano <= whole.end_time_unix_nano for one in steps)
    assert b"canary" not in b"".join(one.body for one in collector.taken)
    sent = len(collector.taken)
    made.turn()
    assert len(collector.taken) == sent


def test_what_fails_says_so(stage, collector):
    made = tracing(stage)
    run = run_of(stage, "plan")
    failed = PlanFailed(track="main", fingerprint="f", code="HF-2001", message="canary", transient=False)
    stage.world.record.append(WEB, [failed], expected=0, run=run.number)
    stage.world.record.close_run(run.number)
    made.turn()
    step, whole = spans(collector)
    assert (step.name, whole.name) == ("plan web", "RUN plan")
    assert attributes(whole)["cicd.pipeline.result"] == attributes(whole)["error.type"] == "failure"
    assert step.status.code == whole.status.code == 2


def test_a_run_that_goes_on_holds_up_none_after_it_and_what_is_sent_again_is_the_same(stage, collector):
    made = tracing(stage)
    slow, quick = run_of(stage), run_of(stage)
    stage.world.record.close_run(quick.number)
    made.turn()
    made.turn()
    (first,) = spans(collector)
    assert attributes(first)["cicd.pipeline.run.id"] == str(quick.number)
    # Another service does not know what was sent beyond the one that goes on.
    stage.world.record.close_run(slow.number)
    Tracing(stage.ground).turn()
    _, other, again = spans(collector)
    assert (again.trace_id, again.span_id) == (first.trace_id, first.span_id)
    assert other.trace_id != first.trace_id
    Tracing(stage.ground).turn()
    assert len(spans(collector)) == 3


def test_a_collector_that_is_down_loses_nothing_and_is_said_once(stage, collector):
    made = tracing(stage)
    collector.answer = lambda _: 400
    run = run_of(stage)
    stage.world.record.close_run(run.number)
    made.start()
    until(lambda: len(collector.got) > 2)
    collector.answer = lambda _: 200
    until(lambda: spans(collector))
    assert made.stop(10)
    (down,) = stage.said.of("traces are not taken")
    assert down["code"] == "HF-4600"
    assert len(stage.said.of("traces are taken again")) == 1


def test_without_the_library_it_says_what_to_install(stage, monkeypatch):
    asked = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}
    assert [type(one) for one in reporting._traces(stage.ground, asked)] == [Tracing]
    monkeypatch.setattr(reporting, "_TRACING", ("no_such_library.sdk",))
    assert list(reporting._traces(stage.ground, asked)) == []
    (said,) = stage.said.of("traces are asked for")
    assert (said["code"], said["remedy"]) == ("HF-4606", "pip install 'holdfast[tracing]'")
    assert list(reporting._traces(stage.ground, {})) == []
    assert len(stage.said.lines) == 1


def test_a_journal_hides_what_a_receiver_is_reached_with_and_each_part_of_it(stage):
    url = "slack://T0KENAAAA/T0KENBBBB/T0KENCCCC/#ops"
    discreet = reporting._Discreet(stage.said, lambda: iter([url]))
    discreet.say(Level.WARNING, f"it said {url}", why="bad T0KENBBBB at /T0KENCCCC", tries=3)
    assert "T0KEN" not in repr(stage.said.lines)
    assert stage.said.lines[0][2]["tries"] == 3
