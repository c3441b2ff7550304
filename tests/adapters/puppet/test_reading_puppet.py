"""What Puppet writes, read without Puppet: reports, catalogs, messages, attempts that were cut short."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from adapters.contract import (
    MASK,
    AdapterError,
    ChangeKind,
    Finished,
    Handle,
    InvalidSettings,
    Json,
    OutputUnreadable,
    Result,
    Running,
    Unknown,
)
from adapters.puppet import aftermath, applied, facts, layout, output, report
from adapters.puppet.output import Wording
from adapters.puppet.settings import read

WORDING = Wording(prefixes=(("/own/environments/prod", "stacks/web"), ("/tree", "")), secrets=frozenset({"hunter2"}))
HEAD = "--- !ruby/object:Puppet::Transaction::Report\nreport_format: 12\npuppet_version: 7.23.0\ntransaction_completed: true\n"


def reported(type_: str = "File", title: str = "/x", lines: Any = (), **parts: Any) -> report.Report:
    """A report of one resource with one event."""
    event = {"property": "ensure", "previous_value": "absent", "desired_value": "file", "status": "noop", "name": "n"}
    status = {
        "resource_type": type_,
        "file": "/own/environments/prod/manifests/site.pp",
        "line": 3,
        "containment_path": ["Stage[main]", "Main", f"{type_}[{title}]"],
        "events": [{**event, **parts.pop("event", {})}] if parts.pop("with_event", True) else [],
        **parts,
    }
    text = json.dumps({"resource_statuses": {f"{type_}[{title}]": status}, "logs": list(lines)})
    return report.read(
        HEAD.encode() + b"\n".join(f"{k}: {json.dumps(v)}".encode() for k, v in json.loads(text).items())
    )


def test_tags_of_ruby_are_read_as_plain_values_and_make_no_object() -> None:
    coded = base64.b64encode("größe\n".encode()).decode()
    text = (
        f"{HEAD}time: 2026-11-25T19:11:25.4+00:00\nstatus: !ruby/sym changed\n"
        "resource_statuses:\n"
        "  File[/x]: !ruby/object:Puppet::Resource::Status\n"
        "    resource_type: File\n"
        "    events:\n"
        "    - !ruby/object:Puppet::Transaction::Event\n"
        "      property: content\n"
        f"      previous_value: !binary |-\n        {coded}\n"
        "      desired_value: !ruby/array:Evil [1, !ruby/regexp /x/]\n"
        "      status: noop\n"
    )
    found = report.read(text.encode())
    assert found.status == "changed"
    (event,) = found.resources[0].events
    assert (event.before, event.after) == ("größe\n", [1, "/x/"])


@pytest.mark.parametrize("text", ["{sha256}5891b5", "{md5}00ff"])
def test_a_checksum_that_puppet_wrote_in_base64_is_read_and_other_texts_are_left_alone(text: str) -> None:
    coded = base64.b64encode(text.encode()).decode()
    event = {"property": "content", "previous_value": text, "desired_value": coded}
    (one,) = reported(event=event).resources[0].events
    assert (one.before, one.after) == (text, text)
    for other in ("e", "ensure", "e3NoYTI1", "e2E=", "e" * 8, "een tekst"):
        (one,) = reported(event={**event, "desired_value": other}).resources[0].events
        assert one.after == other


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[1, 2",
        b"--- !!python/object/apply:os.system ['true']",
        b"report_format: 2",
        b"report_format: !ruby/object:Evil {a: 1}",
        b"- a list",
        b"\xff\xfe\x00",
        b"[" * 5000,
    ],
    ids=["empty", "cut", "python", "old", "no number", "list", "binary", "deep"],
)
def test_what_is_no_report_is_unreadable_in_one_line(content: bytes) -> None:
    with pytest.raises(OutputUnreadable) as error:
        report.read(content)
    assert "\n" not in error.value.message
    assert error.value.hint


def test_a_report_beyond_all_measure_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "LARGEST", 10)
    with pytest.raises(OutputUnreadable, match="bytes"):
        report.read(HEAD.encode())


@pytest.mark.parametrize(
    ("type_", "event", "kind"),
    [
        ("File", {}, ChangeKind.CREATE),
        ("File", {"previous_value": "file", "desired_value": "absent"}, ChangeKind.DELETE),
        ("File", {"previous_value": "file", "desired_value": "directory"}, ChangeKind.REPLACE),
        ("File", {"property": "mode", "previous_value": "0644", "desired_value": "0600"}, ChangeKind.UPDATE),
        ("Package", {"previous_value": "purged", "desired_value": "present"}, ChangeKind.CREATE),
        ("Package", {"previous_value": "1.0", "desired_value": "1.1"}, ChangeKind.UPDATE),
        ("Package", {"previous_value": "1.0", "desired_value": "purged"}, ChangeKind.DELETE),
        ("Service", {"previous_value": "stopped", "desired_value": "running"}, ChangeKind.UPDATE),
        ("Exec", {"property": "returns", "previous_value": "notrun", "desired_value": ["0"]}, ChangeKind.UNKNOWN),
        ("File", {"status": "failure"}, ChangeKind.UNKNOWN),
        ("User", {"redacted": True, "name": "user_created"}, ChangeKind.CREATE),
        ("User", {"redacted": True, "name": "user_removed"}, ChangeKind.DELETE),
        ("User", {"redacted": True, "name": "who_knows"}, ChangeKind.UNKNOWN),
    ],
)
def test_each_event_has_its_kind(type_: str, event: dict[str, Json], kind: ChangeKind) -> None:
    (change,) = output.changes(reported(type_, event=event), WORDING)
    assert change.kind is kind
    assert change.reason.endswith("stacks/web/manifests/site.pp:3")


def test_a_notify_changes_nothing_and_an_audit_neither() -> None:
    assert output.changes(reported("Notify"), WORDING) == ()
    assert output.changes(reported(event={"audited": True}), WORDING) == ()


def test_what_failed_or_was_skipped_for_it_is_unknown_and_never_no_change() -> None:
    said = {"level": "err", "source": "/Stage[main]/Main/File[/x]", "message": "Could not evaluate: no hunter2 here"}
    (change,) = output.changes(reported(with_event=False, failed=True, lines=[said]), WORDING)
    assert change.kind is ChangeKind.UNKNOWN
    assert change.reason.startswith(f"Could not evaluate: no {MASK} here")


def test_a_refresh_that_would_come_is_told() -> None:
    line = {"source": "/Stage[main]/Main/Service[web]", "message": "Would have triggered 'refresh' from 1 event"}
    (change,) = output.changes(reported("Service", "web", [line], with_event=False), WORDING)
    assert (change.kind, change.attributes[0].path) == (ChangeKind.UPDATE, "refresh")


def test_a_value_that_puppet_redacts_is_masked_and_so_is_a_secret_that_it_does_not_know() -> None:
    hidden = {"property": "content", "previous_value": "[redacted]", "desired_value": "[redacted]"}
    ((hidden_one,),) = [change.attributes for change in output.changes(reported(event=hidden), WORDING)]
    assert (hidden_one.before, hidden_one.after, hidden_one.sensitive) == (MASK, MASK, True)
    known = {"property": "options", "previous_value": ["a"], "desired_value": {"pw": "x=hunter2"}}
    ((shown,),) = [change.attributes for change in output.changes(reported(event=known), WORDING)]
    assert (shown.before, shown.after) == (["a"], {"pw": f"x={MASK}"})


def test_the_difference_of_a_text_is_shown_line_by_line_and_a_redacted_one_not_at_all() -> None:
    source = "/Stage[main]/Main/File[/x]/content"
    event = {"property": "content", "previous_value": "{sha256}a", "desired_value": "{sha256}b"}
    told = (
        "\n--- /x\t2026\n+++ /tmp/y\t2026\n@@ -1,2 +1,2 @@\n same\n-old\n+new hunter2\n\\ No newline at end of file\n"
    )
    (change,) = output.changes(reported(lines=[{"source": source, "message": told}], event=event), WORDING)
    assert [(one.path, one.before, one.after) for one in change.attributes] == [
        ("content", "{sha256}a", "{sha256}b"),
        ("content.text", "same\nold", f"same\nnew {MASK}"),
    ]
    (change,) = output.changes(reported(lines=[{"source": source, "message": "[diff redacted]"}], event=event), WORDING)
    assert len(change.attributes) == 1


def test_a_long_difference_is_cut_and_says_so() -> None:
    source = "/Stage[main]/Main/File[/x]/content"
    event = {"property": "content", "previous_value": "{sha256}a", "desired_value": "{sha256}b"}
    told = "\n--- /x\n+++ /y\n@@ -0,0 +1,500 @@\n" + "".join(f"+{number}\n" for number in range(500))
    (change,) = output.changes(reported(lines=[{"source": source, "message": told}], event=event), WORDING)
    after = change.attributes[1].after
    assert isinstance(after, str)
    assert after.endswith("\n199\n… (300 more lines)")


def test_what_the_files_leave_alone_is_in_no_plan_and_as_drift_is_not_put_back() -> None:
    wanted = catalog(resource("File[/x]", ensure="file", noop=True))
    memory = applied.Memory(then=wanted, now=wanted)
    assert output.changes(reported(), WORDING, memory) == ()
    (item,) = output.drifts(reported(), WORDING, memory, ()).items
    assert not item.will_be_reverted
    assert item.change.kind is ChangeKind.DELETE


def test_a_file_that_is_gone_is_a_delete_and_one_that_came_back_a_create() -> None:
    wanted = catalog(resource("File[/x]", ensure="file"))
    memory = applied.Memory(then=wanted, now=wanted)
    (item,) = output.drifts(reported(), WORDING, memory, ()).items
    assert (item.change.kind, item.change.attributes[0].before, item.change.attributes[0].after) == (
        ChangeKind.DELETE,
        "file",
        "absent",
    )
    back = {"previous_value": "file", "desired_value": "absent"}
    (item,) = output.drifts(reported(event=back), WORDING, memory, ()).items
    assert item.change.kind is ChangeKind.CREATE


def test_of_one_resource_drift_and_what_is_pending_are_told_apart_by_property() -> None:
    then = catalog(resource("File[/x]", mode="0644", owner="root"))
    now = catalog(resource("File[/x]", mode="0600", owner="root"))
    both = reported(event={"property": "mode", "previous_value": "0644", "desired_value": "0600"})
    owner = reported(event={"property": "owner", "previous_value": "eve", "desired_value": "root"})
    events = (*both.resources[0].events, *owner.resources[0].events)
    found = output.drifts(
        replace(both, resources=(replace(both.resources[0], events=events),)),
        WORDING,
        applied.Memory(then=then, now=now),
        (),
    )
    assert [one.path for item in found.items for one in item.change.attributes] == ["owner"]
    assert [one.path for change in found.pending for one in change.attributes] == ["mode"]


def test_what_puppet_skipped_is_a_blind_spot() -> None:
    memory = applied.Memory(then=None, now={})
    found = output.drifts(reported(with_event=False, skipped=True), WORDING, memory, ("one",))
    assert found.items == ()
    assert found.blind_spots == ("one", "File[/x]: puppet skipped it, for its schedule or its tags")


def test_noise_is_no_error_and_places_are_told_from_the_root() -> None:
    text = (
        b"Error: Facter: Permission denied @ rb_sysopen - /proc/1/environ\n"
        b"Warning: something old\n"
        b"Error: Evaluation Error: no hunter2 (file: /tree/modules/a.pp, line: 4, column: 2) on node web1\n"
        b"Error: Could not parse for environment prod: end of input (file: /own/environments/prod/manifests/b.pp)\n"
        b"Error: Could not parse for environment prod: end of input (file: /own/environments/prod/manifests/b.pp)\n"
        b"Error: no place (line: 1, column: 1)\n"
    )
    found = output.problems(text, WORDING, {"stacks/web/manifests/b.pp": 9})
    assert [(one.summary, one.file, one.line) for one in found] == [
        (f"Evaluation Error: no {MASK}", "modules/a.pp", 4),
        ("Could not parse for environment prod: end of input", "stacks/web/manifests/b.pp", 9),
        ("no place", "", 1),
    ]


def catalog(*resources: dict[str, Any]) -> applied.Wanted:
    return applied.read_catalog(json.dumps({"resources": resources}).encode(), [])


def resource(ref: str, hidden: tuple[str, ...] = (), **parameters: Json) -> dict[str, Any]:
    type_, _, title = ref.rstrip("]").partition("[")
    return {"type": type_, "title": title, "parameters": parameters, "sensitive_parameters": list(hidden)}


@pytest.mark.parametrize(
    ("then", "now", "ref", "name", "corrective"),
    [
        ([resource("File[/x]", mode="1")], [resource("File[/x]", mode="1")], "File[/x]", "mode", True),
        ([resource("File[/x]", mode="1")], [resource("File[/x]", mode="2")], "File[/x]", "mode", False),
        ([], [resource("File[/x]", mode="1")], "File[/x]", "mode", False),
        ([resource("File[/x]", source="a")], [resource("File[/x]", source="b")], "File[/x]", "content", False),
        ([resource("File[/d]", recurse=True)], [resource("File[/d]", recurse=True)], "File[/d/x]", "ensure", True),
        ([resource("File[/d]", recurse=True)], [resource("File[/d]", recurse=False)], "File[/d/x]", "ensure", False),
        ([], [], "User[eve]", "ensure", True),
        ([resource("Exec[a]", command="x")], [resource("Exec[a]", command="x")], "Exec[a]", "returns", True),
        ([resource("Exec[a]", command="x")], [resource("Exec[a]", command="y")], "Exec[a]", "returns", False),
        (
            [resource("User[a]", ("password",), password="1")],
            [resource("User[a]", ("password",), password="2")],
            "User[a]",
            "password",
            True,
        ),
    ],
    ids=[
        "world",
        "files",
        "new",
        "source",
        "below",
        "no longer below",
        "purged",
        "exec",
        "other exec",
        "secrets are not compared",
    ],
)
def test_it_is_the_world_that_moved_where_the_files_ask_for_the_same(
    then: list[Any], now: list[Any], ref: str, name: str, *, corrective: bool
) -> None:
    assert applied.Memory(then=catalog(*then), now=catalog(*now)).corrective(ref, name) is corrective


def test_what_is_kept_of_a_catalog_holds_no_value() -> None:
    kept = applied.dump(catalog(resource("User[a]", ("password",), password="hunter2", comment="plain words")))
    assert b"hunter2" not in kept
    assert b"plain words" not in kept


def test_a_memory_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "applied.json").write_text("{half")
    assert applied.load(tmp_path / "applied.json") is None
    assert applied.load(tmp_path / "gone.json") is None


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"resources": [1]}', b'{"resources": [{"type": "x"}]}'])
def test_what_is_no_catalog_is_unreadable(content: bytes) -> None:
    with pytest.raises(OutputUnreadable):
        applied.read_catalog(content, [])


DONE = b"Notice: Applied catalog in 0.1 seconds\n"
DID = b"Notice: /Stage[main]/Main/File[/x]/ensure: created\n"
BAD = b"Error: /Stage[main]/Main/File[/x]: no\n"


def handle(folder: Path, result: Result | None, *, alive: bool = False) -> Handle:
    return Handle(folder=folder, result=result, alive=alive)


@pytest.mark.parametrize(
    ("code", "stdout", "stderr", "wanted"),
    [
        (0, DONE, b"", Finished()),
        (2, DID + DONE, b"", Finished()),
        (6, DID + DONE, BAD, Finished(error="error: /Stage[main]/Main/File[/x]: no")),
        (4, DONE, b"", Finished(error="puppet ended with exit code 4")),
        (1, b"", BAD, Finished(error="error: /Stage[main]/Main/File[/x]: no")),
        (1, DID, BAD, Unknown(why="puppet ended before it had worked through its catalog")),
        (-9, DID, b"", Unknown(why="puppet ended before it had worked through its catalog")),
        (0, b"", b"", Unknown(why="puppet ended before it had worked through its catalog")),
    ],
)
def test_an_attempt_ended_as_its_log_says(
    code: int, stdout: bytes, stderr: bytes, wanted: object, tmp_path: Path
) -> None:
    result = Result(exit_code=code, stdout=stdout, stderr=stderr)
    assert aftermath.outcome(handle(tmp_path, result), WORDING) == wanted


def test_of_an_attempt_whose_keeper_died_the_last_word_counts(tmp_path: Path) -> None:
    assert isinstance(aftermath.outcome(handle(tmp_path, None), WORDING), Unknown)
    (tmp_path / "stdout").write_bytes(DID)
    assert isinstance(aftermath.outcome(handle(tmp_path, None), WORDING), Unknown)
    assert aftermath.outcome(handle(tmp_path, None, alive=True), WORDING) == Running()
    (tmp_path / "stdout").write_bytes(DID + DONE)
    assert aftermath.outcome(handle(tmp_path, None), WORDING) == Finished()
    (tmp_path / "stderr").write_bytes(BAD)
    assert aftermath.outcome(handle(tmp_path, None), WORDING) == Finished(error="error: /Stage[main]/Main/File[/x]: no")


@pytest.mark.parametrize("printed", [b"nothing", b"[]", b'{"x": ""}', b"{}"])
def test_facts_that_are_not_there_are_errors(printed: bytes) -> None:
    with pytest.raises(AdapterError):
        facts.outputs(printed, {"name": "x"}, ())


#: Nine to the ninth values in a few hundred letters.
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{this}: &{this} [{','.join([f'*{last}'] * 9)}]\n" for last, this in pairwise("abcdefghi")
)
STATUS = "resource_statuses:\n  File[/x]:\n    events:\n    - property: content\n      previous_value: "


@pytest.mark.parametrize("text", [f"{BOMB}{STATUS}*i\n", f"{STATUS}&z [*z]\n"], ids=["many", "ring"])
def test_a_report_whose_aliases_expand_without_end_is_refused(text: str) -> None:
    with pytest.raises(OutputUnreadable, match="no YAML"):
        report.read(f"{HEAD}{text}".encode())


@pytest.mark.parametrize(
    "text",
    [BOMB, "[" * 3000, "x: &z [*z]\n", "x: !!set {a}\n", "hierarchy: 5\n"],
    ids=["many", "deep", "ring", "set", "5"],
)
def test_a_hierarchy_that_cannot_be_written_again_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "hiera.yaml").write_text(text if text.startswith("[") else f"version: 5\n{text}")
    settings = read({"tool": "puppet", "path": "."})
    with pytest.raises(InvalidSettings, match=r"hiera\.yaml:\d+: "):
        layout.layout(layout.FolderTree(root=tmp_path), settings, PurePosixPath())


def test_of_a_secret_that_begins_like_another_nothing_stays() -> None:
    secrets = [f"hunter2{'x' * length}" for length in range(8)]
    told = Wording(prefixes=(), secrets=frozenset(secrets)).text(" ".join(secrets))
    assert told == " ".join([MASK] * len(secrets))


@pytest.mark.parametrize(
    "said", [b"Notice: Notice: Applied catalog in 1 s\n", b"Notice: a\nNotice: Applied catalog in 1 s\n"]
)
def test_only_the_last_line_says_that_puppet_worked_through_its_catalog(tmp_path: Path, said: bytes) -> None:
    """A message of the manifest's own reads the same."""
    (tmp_path / "stdout").write_bytes(said + b"Notice: /Stage[main]/Main/File[/x]/ensure: created\n")
    assert isinstance(aftermath.outcome(Handle(folder=tmp_path, result=None, alive=False), WORDING), Unknown)
