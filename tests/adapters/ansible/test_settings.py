"""Settings, trees and lines that no tool is needed for."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import pytest

from adapters.ansible import said
from adapters.ansible.attributes import attributes_of, kind_of
from adapters.ansible.commands import ssh_arguments
from adapters.ansible.output import seen
from adapters.ansible.prepared import version
from adapters.ansible.reads import outside
from adapters.ansible.settings import read
from adapters.ansible.texts import MOST, message, place, shortened
from adapters.conformance import MemoryTree
from adapters.contract import ChangeKind, InvalidSettings, OutputUnreadable
from adapters.versions import allows


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"playbok": "x"}, 'no setting "playbok"'),
        ({"tool": "puppet"}, "does not drive"),
        ({"playbook": 3}, "must be a text"),
        ({"playbook": "../../x.yml", "path": "a"}, "leaves the repository"),
        ({"playbook": "/etc/x.yml"}, "leaves the repository"),
        ({"inventory": ["--private-key=/etc/shadow"]}, "begin with a dash"),
        ({"inventory": [1]}, "list of texts"),
        ({"limit": "-vvvv"}, "begin with a dash"),
        ({"become_user": "a\nb"}, "line break"),
        ({"tags": "one"}, "list of texts"),
        ({"tags": ["-x"]}, "begin with a dash"),
        ({"forks": 0}, "whole number"),
        ({"forks": True}, "whole number"),
        ({"become": "yes"}, "true or false"),
        ({"tool_version": "newest"}, "tool_version: "),
        ({"known_hosts": "../../k", "path": "a"}, "leaves the repository"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(settings, words) -> None:
    with pytest.raises(InvalidSettings, match=words):
        read(settings)


@pytest.mark.parametrize(
    ("constraint", "answer"),
    [("~> 2.19", True), (">= 2.17, < 2.19", False), ("2.19.14", True), ("!= 2.19.14", False), ("~> 2.18.1", False)],
)
def test_a_version_meets_a_constraint_or_not(constraint: str, answer: bool) -> None:
    assert allows(constraint, "2.19.14") is answer


def test_paths_outside_are_those_that_settings_name_and_files_write() -> None:
    tree = MemoryTree(
        held={
            PurePosixPath(path): text.encode()
            for path, text in {
                "web/site.yml": "- import_playbook: ../shared/base.yml\n- hosts: all\n  vars_files: ['../vars/{{ env }}.yml', ../vars/all.yml]\n",
                "shared/base.yml": "- hosts: all\n  roles: [{role: ../roles/nginx}]\n",
                "roles/nginx/tasks/main.yml": "- ansible.builtin.debug: {}\n",
                "vars/all.yml": "a: 1\n",
                "inventories/prod/hosts": "localhost\n",
                "inventories/prod/group_vars/all.yml": "b: 1\n",
                "other/x.yml": "",
            }.items()
        }
    )
    found = outside(tree, read({"path": "web", "inventory": "../inventories/prod/hosts"}))
    assert {str(path) for path in found} >= {
        "shared/base.yml",
        "roles/nginx",
        "vars/all.yml",
        "inventories/prod/hosts",
        "inventories/prod/group_vars",
    }
    assert not any(str(path).startswith(("web", "other")) for path in found)


def line(**fields) -> bytes:
    whole = {
        "kind": "ok",
        "host": "a",
        "name": "n",
        "place": "/r/x.yml:3",
        "action": "ansible.builtin.file",
        "runs": False,
        "hidden": False,
        "result": {},
    }
    return json.dumps({**whole, **fields}).encode() + b"\n"


def step(result) -> said.Step:
    return said.read(line(result=result)).steps[0]


def test_lines_that_were_cut_off_or_are_no_lines_are_left_out() -> None:
    found = said.read(b"\xff\x00garbage\n" + line() + b'["a list"]\n' + line()[:30])
    assert len(found.steps) == 1
    assert found.hosts is None


def test_a_line_that_we_do_not_know_is_named() -> None:
    with pytest.raises(OutputUnreadable, match="unknown: ok"):
        said.read(b'{"kind": "ok", "host": "a"}\n')


def test_a_version_that_we_cannot_read_is_said() -> None:
    with pytest.raises(OutputUnreadable):
        version(b"no such program\n")


@pytest.mark.parametrize(
    ("diff", "kind"),
    [
        ({"before": {"state": "absent"}, "after": {"state": "directory"}}, ChangeKind.CREATE),
        ({"before": {"state": "file"}, "after": {"state": "absent"}}, ChangeKind.DELETE),
        ([{"before": "", "after": "x", "after_header": "/x"}], ChangeKind.CREATE),
        ([{"before": "", "before_header": "/x", "after": "x"}], ChangeKind.UPDATE),
        ([{"prepared": "- a\n+ b"}], ChangeKind.UPDATE),
        (None, ChangeKind.UPDATE),
        ("nonsense", ChangeKind.UPDATE),
    ],
)
def test_a_difference_with_nothing_on_one_side_makes_or_removes(diff, kind: ChangeKind) -> None:
    assert kind_of(step({"changed": True, "diff": diff})) is kind


def test_a_known_secret_on_one_side_hides_both() -> None:
    diff = [{"before": "old-password\n", "after": "new-swordfish\n", "before_header": "/x"}]
    (found,) = attributes_of(step({"changed": True, "diff": diff}), frozenset({"swordfish"}))
    assert found.sensitive
    assert "old-password" not in repr(found)


def test_content_that_was_not_compared_is_said() -> None:
    (found,) = attributes_of(step({"changed": True, "diff": [{"dst_binary": 1, "src_binary": 1}]}), frozenset())
    assert found.after == "(binary content)"


def test_long_texts_keep_what_differs_and_no_more_than_the_limit() -> None:
    same = "same\n" * 2000
    assert shortened(f"{same}a\n{same}", f"{same}b\n{same}") == ("a\n", "b\n")
    before, after = shortened("x" * 9000, "y" * 9000)
    assert len(before) < MOST + 100
    assert before != after
    assert shortened("x" * 9000, "y" * 9000 + "1")[1] != after


def test_a_message_is_one_line_without_what_is_quoted() -> None:
    text = "Task failed: Module failed: no\nOrigin: /r/x.yml:3:5\n\n1 password: hunter2\n"
    assert message(text, ()) == "no"
    assert message("Task failed: no Origin: /r/x.yml:3:5 password: hunter2", ()) == "no"
    assert message("no\n\n1 password: hunter2\n", ()) == "no"
    assert place("/r/a/x.yml:3:5", "/r") == ("a/x.yml", 3)
    assert place("nothing", "/r") == ("", 0)


def test_a_skip_whose_reason_no_log_hides_is_not_called_fine() -> None:
    found = seen(said.read(line(kind="skipped", hidden=True, result={"changed": False})), "/r", frozenset())
    assert [change.kind for change in found.blind] == [ChangeKind.UNKNOWN]
    assert not found.changes


def test_a_loop_is_blind_where_an_item_could_not_look_and_a_condition_is_no_reason() -> None:
    conditional = {"skipped": True, "changed": False, "skip_reason": "Conditional result was False"}
    for items, blind in (([conditional], 0), ([conditional, {"skipped": True, "changed": False}], 1), ([], 0)):
        found = seen(said.read(line(kind="skipped", result={"items": items})), "/r", frozenset())
        assert len(found.blind) == blind, items


def test_a_command_that_ran_while_looking_and_says_that_it_changes_is_blind() -> None:
    command = line(action="ansible.builtin.command", runs=True, result={"changed": True})
    found = seen(said.read(command), "/r", frozenset())
    assert [change.reason for change in found.blind] == ["x.yml:3 ansible.builtin.command: ran while looking"]
    assert not found.changes


def test_an_undefined_variable_is_a_failure_unless_a_blind_task_comes_before() -> None:
    changed = line(name="first", result={"changed": True})
    blind = line(kind="skipped", name="first", action="ansible.builtin.shell", result={"changed": False})
    fails = line(kind="failed", result={"changed": False, "msg": "'x' is undefined"})
    stats = b'{"kind": "stats", "hosts": {"a": {"failures": 1}}, "custom": {}}\n'
    assert seen(said.read(changed + fails + stats), "/r", frozenset()).failures
    found = seen(said.read(blind + fails + stats), "/r", frozenset())
    assert not found.failures
    assert [change.kind for change in found.changes] == [ChangeKind.UNKNOWN]
    assert found.cut_short[0].line == 3


def test_a_secret_in_a_tasks_name_is_masked() -> None:
    found = seen(said.read(line(name="set swordfish", result={"changed": True})), "/r", frozenset({"swordfish"}))
    assert found.changes[0].address == "a: set (sensitive)"


def test_what_another_host_would_change_is_no_excuse_for_a_failure() -> None:
    other = line(host="b", result={"changed": True})
    fails = line(kind="failed", result={"changed": False, "msg": "no such file"})
    stats = b'{"kind": "stats", "hosts": {"a": {"failures": 1}}, "custom": {}}\n'
    for told in (other + fails + stats, fails + other + stats):
        assert [step.host for step in seen(said.read(told), "/r", frozenset()).failures] == ["a"]


def test_a_path_with_a_percent_sign_or_a_blank_is_one_path_to_ssh():
    told = ssh_arguments(known_hosts=Path("/home/a%2Fb c/known"), key=Path("/k%y"))
    assert "'UserKnownHostsFile=\"/home/a%%2Fb c/known\"'" in told
    assert "'IdentityFile=\"/k%%y\"'" in told
