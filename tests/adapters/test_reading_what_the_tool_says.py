"""Tables of what Terraform prints and what we make of it: no tool runs here."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from adapters.contract import (
    MASK,
    ChangeKind,
    Finished,
    Handle,
    OutputUnreadable,
    PlanStale,
    Problem,
    Result,
    Severity,
    ToolBusy,
    ToolFailed,
    ToolVersionWrong,
    Unknown,
)
from adapters.telling import scrub
from adapters.terraform import output, seen, stream, testimony
from adapters.terraform.aftermath import outcome, stdout_of
from adapters.terraform.attributes import differences
from adapters.terraform.failures import failed, wants_init
from adapters.testimony import Confidence

WEB = PurePosixPath("stacks/web")
NOTHING: frozenset[str] = frozenset()


def change(before: Any, after: Any, **more: Any) -> dict[str, Any]:
    return {"actions": ["update"], "before": before, "after": after, **more}


def resource(address: str, actions: list[str], **more: Any) -> dict[str, Any]:
    return {"address": address, "change": {"actions": actions, "before": None, "after": None}, **more}


def shown(**parts: Any) -> output.Shown:
    return output.shown(json.dumps({"format_version": "1.2", **parts}).encode(), NOTHING)


@pytest.mark.parametrize(
    ("before", "after", "paths"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, ["a"]),
        ({"a": True}, {"a": 1}, ["a"]),
        ({"tags": {"env": "prod", "x": 1}}, {"tags": {"env": "dev", "x": 1}}, ["tags.env"]),
        ({"tags": {"a.b": 1, "c d": 1}}, {"tags": {"a.b": 2, "c d": 2}}, ['tags["a.b"]', 'tags["c d"]']),
        ({"tags": {"env": "prod"}}, {"tags": None}, ["tags.env"]),
        ({"rule": [{"port": 1}, {"port": 2}]}, {"rule": [{"port": 1}, {"port": 3}]}, ["rule[1].port"]),
        ({"rule": [1]}, {"rule": [1, 2]}, ["rule"]),
        ({"a": {"b": 1}}, {"a": [1]}, ["a"]),
        (None, {"name": "x", "size": None}, ["name"]),
        ({"name": "x", "size": None}, None, ["name"]),
        (None, None, []),
    ],
)
def test_a_difference_is_told_by_its_path(before: Any, after: Any, paths: list[str]) -> None:
    assert [found.path for found in differences(change(before, after), NOTHING)] == paths


def test_what_the_tool_marks_sensitive_is_masked_on_both_sides_at_any_depth() -> None:
    found = differences(
        change(
            {"password": "old-canary", "list": [{"token": "t0k3n-canary"}], "all": {"x": "canary-a"}},
            {"password": "new-canary", "list": [{"token": "other-canary"}, {}], "all": {"x": "canary-b"}},
            before_sensitive={"password": True, "list": [{"token": True}], "all": True},
            after_sensitive={"password": True, "list": [{"token": True}, {}], "all": True},
        ),
        NOTHING,
    )
    assert "canary" not in repr(found)
    assert {one.path: (one.before, one.after) for one in found} == {
        "all": (MASK, MASK),
        "list": ([{"token": MASK}], [{"token": MASK}, {}]),
        "password": (MASK, MASK),
    }


def test_a_secret_is_masked_where_the_tool_forgot_to_mark_it() -> None:
    entry = {
        "address": "terraform_data.t",
        "change": {
            "actions": ["update"],
            "before": {"input": "canary-1", "output": "canary-1"},
            "after": {"input": "canary-2", "note": "uses canary-2 now"},
            "after_unknown": {"output": True},
            "before_sensitive": {"input": True},
            "after_sensitive": {"input": True},
        },
    }
    (found,) = shown(resource_changes=[entry]).changes
    assert "canary" not in repr(found)
    assert [one.after for one in found.attributes if one.path == "note"] == [f"uses {MASK} now"]


def test_a_value_known_only_after_the_apply_says_so() -> None:
    (found,) = differences(change({"arn": "a"}, {}, after_unknown={"arn": True}), NOTHING)
    assert (found.path, found.before, found.after, found.computed) == ("arn", "a", None, True)


@pytest.mark.parametrize("forced", [["name"], ["name", "first"]])
def test_the_attribute_that_forces_a_replacement_is_marked(forced: list[str]) -> None:
    found = differences(
        change({"name": {"first": "a"}, "size": 1}, {"name": {"first": "b"}, "size": 2}, replace_paths=[forced]),
        NOTHING,
    )
    assert {one.path: one.forces_replacement for one in found} == {"name.first": True, "size": False}


def test_short_secrets_are_not_looked_for_everywhere() -> None:
    assert scrub("one on two", frozenset({"on", "two"})) == "one on two"
    assert scrub("a long-secret and long", frozenset({"long", "long-secret"})) == f"a {MASK} and {MASK}"


@pytest.mark.parametrize(
    ("actions", "kind"),
    [
        (["create"], ChangeKind.CREATE),
        (["update"], ChangeKind.UPDATE),
        (["delete"], ChangeKind.DELETE),
        (["delete", "create"], ChangeKind.REPLACE),
        (["create", "delete"], ChangeKind.REPLACE),
        (["create", "forget"], ChangeKind.REPLACE),
        (["forget"], ChangeKind.UNKNOWN),
        (["something", "new"], ChangeKind.UNKNOWN),
        (["no-op"], None),
        (["read"], None),
    ],
)
def test_actions_become_kinds_and_new_ones_are_unknown(actions: list[str], kind: ChangeKind | None) -> None:
    assert [one.kind for one in shown(resource_changes=[resource("a.b", actions)]).changes] == ([kind] if kind else [])


def test_why_and_which_generation_are_kept() -> None:
    entries = [
        resource("a.b", ["delete"], deposed="8d6a", action_reason="delete_because_no_resource_config"),
        resource("a.c", ["forget"], action_reason="delete_because_no_resource_config"),
    ]
    found = shown(resource_changes=entries).changes
    assert [(one.address, one.reason) for one in found] == [
        ("a.b (deposed 8d6a)", "delete_because_no_resource_config"),
        ("a.c", "forget"),
    ]


@pytest.mark.parametrize("nothing", [None, {}, [], ""])
@pytest.mark.parametrize("other", [None, {}, [], ""])
def test_two_ways_to_write_nothing_are_no_drift(nothing: Any, other: Any) -> None:
    entry = {"address": "a.b", "change": change({"tags": nothing}, {"tags": other})}
    assert shown(resource_drift=[entry]).drift == ()


def test_noise_beside_a_real_difference_hides_nothing() -> None:
    entry = {"address": "a.b", "change": change({"tags": None, "size": 1, "note": ""}, {"tags": {}, "size": 2})}
    (found,) = shown(resource_drift=[entry]).drift
    assert "size" in [one.path for one in found.attributes]


def test_drift_and_what_the_files_ask_for_are_told_apart() -> None:
    found = output.drifts(
        shown(
            resource_drift=[
                {"address": "a.back", "change": change({"x": 2}, {"x": 3})},
                {"address": "a.stays", "change": change({"x": 2}, {"x": 3})},
            ],
            resource_changes=[resource("a.back", ["update"]), resource("a.files", ["update"])],
        ),
        ("what nobody manages",),
    )
    assert {item.change.address: item.will_be_reverted for item in found.items} == {"a.back": True, "a.stays": False}
    assert [one.address for one in found.pending] == ["a.files"]
    assert found.blind_spots == ("what nobody manages",)


def test_what_drifted_has_the_names_that_its_provider_knows_it_by_and_none_that_is_secret() -> None:
    sides = {"id": "logs", "arn": "arn:aws:s3:::logs", "bucket": "logs", "name": "", "owner": "eve"}
    secret = {"id": "i-1", "name": "hunter2-at-home", "arn": ["no", "text"]}
    found = output.drifts(
        shown(
            resource_drift=[
                {"address": "x.a", "change": change(sides, {**sides, "id": "other"})},
                {"address": "x.b", "change": change(secret, None, before_sensitive={"name": True})},
                {"address": "x.c", "change": change({"id": "i-2"}, None, before_sensitive=True)},
            ]
        ),
        (),
    )
    names = {item.change.address: item.identities for item in found.items}
    assert names == {"x.a": ("arn:aws:s3:::logs", "logs", "other"), "x.b": ("i-1",), "x.c": ()}


@pytest.mark.parametrize(
    ("lineage", "serial", "said"),
    [
        ("one", 7, "nobody has written the state since the last apply (serial 7): it was changed without it"),
        ("one", 8, "somebody else has written the state once since the last apply (serial 8, not 7)"),
        ("one", 9, "somebody else has written the state 2 times since the last apply (serial 9, not 7)"),
        ("two", 1, "another state is in the place of the one that the last apply left"),
    ],
)
def test_the_state_says_whether_it_was_written_since(lineage: str, serial: int, said: str) -> None:
    left = seen.Seen(where="here", lineage="one", serial=7, holds=True)
    (word,) = testimony.of_state(left, seen.Snapshot(lineage=lineage, serial=serial, holds=True))
    assert (word.what, word.who, word.confidence) == (said, "", Confidence.CERTAIN)


def test_a_state_that_nobody_knows_says_nothing() -> None:
    now = seen.Snapshot(lineage="one", serial=7, holds=True)
    left = seen.Seen(where="here", lineage="one", serial=7, holds=True)
    assert testimony.of_state(None, now) == ()
    assert testimony.of_state(left, None) == ()
    assert testimony.of_state(left, seen.Snapshot(lineage="", serial=0, holds=False)) == ()


def test_outputs_that_change_are_named_and_those_that_stay_are_not() -> None:
    found = shown(
        output_changes={"b": {"actions": ["create"]}, "a": {"actions": ["update"]}, "c": {"actions": ["no-op"]}}
    )
    assert found.outputs_changing == ("a", "b")


@pytest.mark.parametrize("printed", [b"", b"not json", b"[]", b'{"format_version": "2.0"}', b"{}"])
def test_an_answer_in_another_form_is_unreadable_and_not_no_changes(printed: bytes) -> None:
    with pytest.raises(OutputUnreadable):
        output.shown(printed, NOTHING)


def test_a_mark_on_a_whole_covers_every_text_and_number_in_it() -> None:
    entry = {
        "address": "a.b",
        "change": change(None, {"all": {"list": ["canary-7"], "n": 90210, "on": True}}, after_sensitive={"all": True}),
    }
    assert shown(resource_changes=[entry]).secrets == {"canary-7", "90210"}


def test_a_sensitive_variable_is_a_secret_wherever_it_goes() -> None:
    found = shown(
        variables={"pw": {"value": "canary-9"}, "free": {"value": "hello"}},
        configuration={"root_module": {"variables": {"pw": {"sensitive": True}, "free": {}}}},
    )
    assert found.secrets == {"canary-9"}


LOCKED = """Error message: resource temporarily unavailable
Lock Info:
  ID:        654304fd-6e4c
  Path:      terraform.tfstate
  Operation: OperationTypeApply
  Who:       ana@laptop
  Version:   1.11.4
  Created:   2026-11-23 02:08:54.122135519 +0000 UTC
"""


def error(summary: str, detail: str = "", file: str = "", line: int = 0) -> Problem:
    return Problem(severity=Severity.ERROR, summary=summary, detail=detail, file=file, line=line)


def test_a_held_lock_names_its_holder() -> None:
    found = failed("terraform", "plan", [error("Error acquiring the state lock", LOCKED)], exit_code=1)
    assert isinstance(found, ToolBusy)
    assert (found.holder, found.lock_id) == ("ana@laptop", "654304fd-6e4c")
    assert found.message == "terraform's state is locked by ana@laptop for apply since 2026-11-23 02:08:54"


@pytest.mark.parametrize(
    ("verb", "summary", "kind"),
    [
        ("apply", "Saved plan is stale", PlanStale),
        ("apply", 'Failed to load "/x/plan" as a plan file', PlanStale),
        ("apply", "Failed to load plugin schemas", ToolFailed),
        ("plan", "Unsupported Terraform Core version", ToolVersionWrong),
        ("plan", "Unsupported OpenTofu Core version", ToolVersionWrong),
        ("plan", "Invalid reference", ToolFailed),
        # An init mends it, so that it must not end the plan as stale.
        ("plan", "Inconsistent dependency lock file", ToolFailed),
        ("apply", "Inconsistent dependency lock file", PlanStale),
    ],
)
def test_what_the_tool_refuses_becomes_our_error(verb: str, summary: str, kind: type[Exception]) -> None:
    assert type(failed("terraform", verb, [error(summary, "why\nmore")], exit_code=1)) is kind


def test_a_failure_says_where_and_how_many_in_one_line() -> None:
    problems = [error("Invalid reference", "Add a name.\nThen go on.", "stacks/web/main.tf", 7), error("Another")]
    found = failed("terraform", "plan", problems, exit_code=1)
    assert found.message == "terraform plan failed: stacks/web/main.tf:7: invalid reference (and 1 more)"
    assert found.hint == "Add a name."


def test_a_failure_without_a_word_says_its_exit_code() -> None:
    assert failed("opentofu", "plan", [], exit_code=2).message == "opentofu plan failed: it ended with exit code 2"


def test_only_a_missing_init_is_mended_by_init() -> None:
    assert wants_init([error('Backend initialization required, please run "terraform init"')])
    assert not wants_init([error("Invalid reference")])


def test_errors_that_init_prints_as_text_have_their_place() -> None:
    printed = (
        "\x1b[31m╷\x1b[0m\n│ Error: Terraform encountered problems during initialisation\n│ \n│ Nothing more.\n╵\n"
        '│ Error: Unclosed configuration block\n│ \n│   on bad.tf line 3, in resource "x":\n│    3: resource "x" {\n│ \n'
        "│ There is no closing\n│ brace.\n╵\n"
    )
    (found,) = output.text_problems(printed.encode(), WEB, NOTHING)
    assert str(found) == "stacks/web/bad.tf:3  error: Unclosed configuration block"
    assert found.detail == "There is no closing brace."


def test_a_place_outside_the_repository_is_not_named() -> None:
    said = [
        {"severity": "warning", "summary": "s", "range": {"filename": name, "start": {"line": 2}}}
        for name in ("../../../x.tf", "/x.tf", "../m/x.tf")
    ]
    assert [found.file for found in output.problems(said, WEB, NOTHING)] == ["", "", "stacks/m/x.tf"]


def test_of_a_diagnostic_neither_a_secret_nor_a_value_that_it_quotes_is_told() -> None:
    quoted = {"code": "x = var.pw", "values": [{"traversal": "var.pw", "statement": 'is "canary-quoted"'}]}
    said = {"severity": "error", "summary": "no canary-known", "detail": "is canary-known", "snippet": quoted}
    (found,) = output.problems([said], WEB, frozenset({"canary-known"}))
    assert (found.summary, found.detail) == (f"no {MASK}", f"is {MASK}")
    assert "canary" not in repr(found)


def begun(kind: str, address: str, action: str = "create") -> str:
    return json.dumps({"type": kind, "hook": {"resource": {"addr": address}, "action": action}})


def test_a_stream_that_was_cut_off_is_read_as_far_as_it_goes() -> None:
    said = stream.read(
        "\n".join(
            [
                json.dumps({"type": "version", "tofu": "1.6.2"}),
                "panic: some provider wrote here",
                begun("apply_start", "a.done"),
                begun("apply_complete", "a.done"),
                begun("apply_start", "a.failed"),
                begun("apply_errored", "a.failed"),
                begun("apply_start", "a.open"),
                begun("apply_start", "a.gone", "delete"),
                '{"type": "apply_comp',
            ]
        ).encode()
        + b"\xff\xfe"
    )
    assert said.version == "1.6.2"
    assert said.creating == ("a.done", "a.failed", "a.open")
    assert said.open == ("a.open", "a.gone")
    assert not said.applied


def test_people_see_what_happens_and_not_every_refresh() -> None:
    told = [stream.progress(json.dumps({"type": kind, "@message": kind})) for kind in ("apply_start", "refresh_start")]
    assert told == ["apply_start", ""]
    assert stream.progress("no json") == ""
    error = {"type": "diagnostic", "@message": "Error: no", "diagnostic": {"detail": "because\nof that"}}
    assert stream.progress(json.dumps(error)) == "Error: no\nbecause\nof that"


def test_what_a_provisioner_prints_is_not_kept_in_memory() -> None:
    line = json.dumps({"type": "provision_progress", "@message": "x" * 1000}).encode() + b"\n"
    printed = line * 10_000 + json.dumps({"type": "version", "terraform": "1.11.4"}).encode()
    tracemalloc.start()
    try:
        assert stream.read(printed).version == "1.11.4"
        assert tracemalloc.get_traced_memory()[1] < len(printed) / 10
    finally:
        tracemalloc.stop()


VERSION = json.dumps({"type": "version", "terraform": "1.11.4"})
DONE = json.dumps({"type": "change_summary", "changes": {"operation": "apply", "add": 1}})
HEARD = json.dumps({"type": "log", "@message": "\nInterrupt received.\nPlease wait for Terraform to exit"})
REFUSED = json.dumps({"type": "diagnostic", "diagnostic": {"severity": "error", "summary": "quota exceeded"}})
CANCELLED = json.dumps(
    {
        "type": "diagnostic",
        "diagnostic": {"severity": "error", "summary": "execution halted", "detail": "context canceled"},
    }
)


@pytest.mark.parametrize(
    ("lines", "exit_code", "found"),
    [
        ([VERSION, begun("apply_start", "a.b"), begun("apply_complete", "a.b"), DONE], 0, Finished()),
        # The last word is written before the exit code: whoever died in between had done its work.
        ([VERSION, begun("apply_start", "a.b"), begun("apply_complete", "a.b"), DONE], None, Finished()),
        ([VERSION, begun("apply_start", "a.b")], None, ("a.b",)),
        ([VERSION, begun("apply_start", "a.b"), begun("apply_complete", "a.b")], None, ("a.b",)),
        ([VERSION], None, ()),
        ([], None, ()),
        ([VERSION, begun("apply_start", "a.b"), begun("apply_errored", "a.b"), REFUSED], 1, "quota exceeded"),
        ([VERSION, begun("apply_start", "a.b"), REFUSED], 1, ("a.b",)),
        ([VERSION, begun("apply_start", "a.b"), begun("apply_errored", "a.b"), CANCELLED], 1, ("a.b",)),
        # Whatever the provider says of it: it was told to stop in the middle of a create.
        ([VERSION, begun("apply_start", "a.b"), HEARD, begun("apply_errored", "a.b"), REFUSED], 1, ("a.b",)),
        ([VERSION], 0, ()),
        ([VERSION, begun("apply_start", "a.b"), begun("apply_complete", "a.b")], -9, ("a.b",)),
    ],
)  # fmt: skip
def test_how_an_attempt_ended_is_told_from_what_it_left(
    tmp_path: Path, lines: list[str], exit_code: int | None, found: object
) -> None:
    printed = "\n".join(lines).encode()
    (tmp_path / "stdout").write_bytes(printed)
    result = None if exit_code is None else Result(exit_code=exit_code, stdout=printed, stderr=b"")
    handle = Handle(folder=tmp_path, result=result, alive=False)
    assert stdout_of(handle) == printed
    said = stream.read(printed)
    told = outcome(handle, said, output.problems(said.diagnostics, WEB, NOTHING))
    if isinstance(told, Unknown):
        assert told.started == found
    elif isinstance(told, Finished) and told.error:
        assert told.error == f"error: {found}"
    else:
        assert told == found
