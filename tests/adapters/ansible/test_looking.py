"""What a run in check mode sees, and what it cannot: the traps of ansible-core, with the real tool."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.contract import ChangeKind, Goal, Input, OutputUnreadable, PlanStale, Severity, ToolFailed

if TYPE_CHECKING:
    from conftest import PlaybookRig

MIXED = """
- name: hidden
  ansible.builtin.file: {path: "{{ root }}/hidden", state: directory, mode: "0751"}
  no_log: true
- name: command
  ansible.builtin.command: touch {{ root }}/command
- name: shell with creates
  ansible.builtin.shell: echo > {{ root }}/creates
  args: {creates: "{{ root }}/creates"}
- name: passed over
  ansible.builtin.file: {path: "{{ root }}/never", state: touch}
  when: false
- name: only asks
  ansible.builtin.command: echo hello
  check_mode: false
  changed_when: false
- name: several
  ansible.builtin.file: {path: "{{ root }}/{{ item }}", state: directory}
  loop: [one, two]
"""


def kinds(plan) -> dict[str, ChangeKind]:
    return {change.address.removeprefix("localhost: "): change.kind for change in plan.changes}


def test_what_cannot_look_is_unknown_once_then_a_note_and_always_a_blind_spot(rig: PlaybookRig) -> None:
    subject = rig.tasks(MIXED)
    plan = subject.plan()
    assert kinds(plan) == {
        "hidden": ChangeKind.UPDATE,
        "command": ChangeKind.UNKNOWN,
        "shell with creates": ChangeKind.UNKNOWN,
        "several": ChangeKind.CREATE,
    }
    places = {change.address: change.reason for change in plan.changes}
    assert places["localhost: command"] == "stacks/web/site.yml:7 ansible.builtin.command: cannot look"
    several = next(change for change in plan.changes if change.address.endswith("several"))
    assert [(one.path, one.before, one.after) for one in several.attributes] == [
        ("[0].state", "absent", "directory"),
        ("[1].state", "absent", "directory"),
    ]
    assert subject.world() == {}

    subject.adapter.apply(subject.workspace, plan)
    assert sorted(subject.world()) == ["command", "creates", "hidden", "one", "two"]
    again = subject.plan()
    assert again.empty
    (note,) = again.problems
    assert note.severity is Severity.NOTE
    assert note.summary == "1 task that cannot look: localhost: command"

    (subject.made / "hidden").chmod(0o700)
    (subject.made / "two").rmdir()
    (subject.made / "creates").unlink()
    found = subject.adapter.drift(subject.workspace)
    told = {item.change.address.removeprefix("localhost: "): item.change for item in found.items}
    assert {name: change.kind for name, change in told.items()} == {
        "hidden": ChangeKind.UPDATE,
        "shell with creates": ChangeKind.UNKNOWN,
        "several": ChangeKind.DELETE,
    }
    assert told["hidden"].attributes[0].sensitive
    assert "0751" not in repr(found)
    assert found.blind_spots[0] == "1 task that cannot look: localhost: command"


def test_a_command_is_unknown_again_once_the_files_ask_for_something_new(rig: PlaybookRig) -> None:
    subject = rig.tasks("- name: run\n  ansible.builtin.command: touch {{ root }}/a")
    subject.apply()
    subject.site.write_text(subject.site.read_text().replace("/a", "/b"))
    assert kinds(subject.plan()) == {"run": ChangeKind.UNKNOWN}


def test_a_failure_that_an_earlier_task_may_prevent_is_unknown_and_the_apply_goes_through(rig: PlaybookRig) -> None:
    subject = rig.tasks(
        """
- name: make
  ansible.builtin.copy: {dest: "{{ root }}/made", content: "a\\n"}
- name: edit
  ansible.builtin.lineinfile: {path: "{{ root }}/made", line: b}
- name: after
  ansible.builtin.file: {path: "{{ root }}/folder", state: directory}
"""
    )
    plan = subject.plan()
    assert kinds(plan) == {"make": ChangeKind.CREATE, "edit": ChangeKind.UNKNOWN}
    (warning,) = plan.problems
    assert str(warning).startswith("stacks/web/site.yml:6  warning: the look at localhost ended early: Destination")
    subject.adapter.apply(subject.workspace, plan)
    assert (subject.made / "made").read_text() == "a\nb\n"
    # Two tasks that disagree on one file never end: it is drift for ever, and told as such.
    assert kinds(subject.plan()) == {"make": ChangeKind.UPDATE}


def test_what_a_blind_task_would_have_registered_may_be_undefined(rig: PlaybookRig) -> None:
    subject = rig.tasks(
        """
- name: ask
  ansible.builtin.command: echo hello
  register: asked
- name: use
  ansible.builtin.file: {path: "{{ root }}/{{ asked.stdout_lines[0] }}", state: directory}
"""
    )
    assert set(kinds(subject.plan()).values()) == {ChangeKind.UNKNOWN}
    subject.apply()
    assert list(subject.world()) == ["hello"]


def test_a_failure_that_nothing_comes_before_is_a_failure_with_its_place_and_no_quoted_source(rig: PlaybookRig) -> None:
    subject = rig.tasks(
        """
- name: fails
  ansible.builtin.file: {path: "{{ root }}/{{ nowhere_defined }}", state: directory}
  vars: {password: literal-swordfish}
"""
    )
    with pytest.raises(
        ToolFailed, match=r"stacks/web/site.yml:4: localhost: fails: .*'nowhere_defined' is undefined"
    ) as refused:
        subject.plan()
    assert "swordfish" not in repr((refused.value.message, refused.value.hint, refused.value.problems))
    assert "\n" not in refused.value.message


@pytest.mark.full
def test_an_ignored_and_a_rescued_failure_are_none(rig: PlaybookRig) -> None:
    subject = rig.tasks(
        """
- name: ignored
  ansible.builtin.fail: {msg: no matter}
  ignore_errors: true
- block:
    - name: rescued
      ansible.builtin.fail: {msg: no matter}
  rescue:
    - name: instead
      ansible.builtin.file: {path: "{{ root }}/x", state: directory}
"""
    )
    assert kinds(subject.plan()) == {"instead": ChangeKind.CREATE}


def test_a_task_that_fails_in_the_apply_is_named_by_host_place_and_message(rig: PlaybookRig) -> None:
    subject = rig.tasks(
        """
- name: fine
  ansible.builtin.file: {path: "{{ root }}/x", state: directory}
- name: breaks
  ansible.builtin.command: test -e /nowhere/at/all
"""
    )
    plan = subject.plan()
    with pytest.raises(
        ToolFailed, match=r"apply failed: stacks/web/site.yml:6: localhost: breaks: non-zero return code"
    ):
        subject.adapter.apply(subject.workspace, plan)
    ended = subject.adapter.resume(subject.workspace, plan, subject.handle())
    assert "localhost: breaks" in str(getattr(ended, "error", ""))
    # It was not applied: what could not look is still to be done.
    assert kinds(subject.plan()) == {"breaks": ChangeKind.UNKNOWN}


def test_the_world_that_moves_after_the_plan_makes_it_stale(rig: PlaybookRig) -> None:
    subject = rig.tasks('- name: x\n  ansible.builtin.file: {path: "{{ root }}/x", state: directory}')
    plan = subject.plan()
    (subject.made / "x").mkdir()
    with pytest.raises(PlanStale):
        subject.adapter.apply(subject.workspace, plan)
    assert not list((subject.made / "x").iterdir())


@pytest.mark.full
def test_the_same_name_twice_is_told_apart_and_the_order_of_hosts_is_no_matter(rig: PlaybookRig) -> None:
    subject = rig.tasks(
        """
- name: same
  ansible.builtin.file: {path: "{{ root }}/{{ inventory_hostname }}1", state: directory}
- name: same
  ansible.builtin.file: {path: "{{ root }}/{{ inventory_hostname }}2", state: directory}
"""
    )
    line = 'ansible_connection=local ansible_python_interpreter="{{ ansible_playbook_python }}"'
    (subject.stack / "inventory").write_text(f"a {line}\nb {line}\n")
    first = subject.plan()
    assert [change.address for change in first.changes] == ["a: same", "a: same #2", "b: same", "b: same #2"]
    (subject.stack / "inventory").write_text(f"b {line}\na {line}\n")
    assert subject.plan().digest == first.digest


def test_a_host_that_does_not_answer_fails_plan_and_drift_and_is_named(rig: PlaybookRig) -> None:
    subject = rig.tasks("- name: x\n  ansible.builtin.ping:", inventory="127.0.0.1:1,")
    for look in (subject.plan, lambda: subject.adapter.drift(subject.workspace)):
        with pytest.raises(ToolFailed, match=r"1 host could not be reached: 127.0.0.1: .*refused") as refused:
            look()
        assert refused.value.transient


def test_a_pattern_that_matches_no_host_is_no_plan(rig: PlaybookRig) -> None:
    with pytest.raises(ToolFailed, match="no host"):
        rig.of("- hosts: nowhere\n  gather_facts: false\n  tasks: []\n", {}).plan()
    with pytest.raises(ToolFailed, match=r"could not begin: .*no hosts to target"):
        rig.tasks("- name: x\n  ansible.builtin.ping:", limit="nowhere").plan()


@pytest.mark.full
def test_an_inventory_that_cannot_be_read_is_no_plan(rig: PlaybookRig) -> None:
    subject = rig.tasks("- name: x\n  ansible.builtin.ping:")
    (subject.stack / "inventory").write_text("[all\nbroken::::\n")
    with pytest.raises(ToolFailed, match="could not begin"):
        subject.plan()


@pytest.mark.full
def test_a_stack_without_an_inventory_works_on_this_machine(rig: PlaybookRig) -> None:
    site = "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - name: x\n      ansible.builtin.command: 'true'\n"
    subject = rig.of(site, {})
    (subject.stack / "inventory").unlink()
    assert kinds(subject.plan()) == {"x": ChangeKind.UNKNOWN}


def test_outputs_of_the_run_are_remembered_and_the_secret_ones_marked(rig: PlaybookRig) -> None:
    subject = rig.of(
        """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.set_stats: {data: {url: "http://web", token: abcdef, dsn: "db:{{ secret }}", port: 80}}
""",
        {"secret": Input(value="swordfish", sensitive=True)},
    )
    assert subject.adapter.outputs(subject.workspace) == {}
    plan = subject.plan()
    assert plan.outputs_changing == ("dsn", "port", "token", "url")
    # The look has told it: Ansible is not started for that.
    assert subject.adapter.version() == plan.tool
    assert "--version" not in subject.said()
    assert "swordfish" not in repr(plan)
    subject.adapter.apply(subject.workspace, plan)
    found = subject.adapter.outputs(subject.workspace)
    assert {name: (out.value, out.sensitive) for name, out in found.items()} == {
        "url": ("http://web", False),
        "token": ("abcdef", True),
        "dsn": ("db:swordfish", True),
        "port": (80, False),
    }
    assert subject.plan().empty
    (subject.folder / "kept/ansible.json").write_text("{")
    with pytest.raises(OutputUnreadable):
        subject.adapter.outputs(subject.workspace)


@pytest.mark.full
def test_a_change_of_the_files_that_asks_for_nothing_keeps_drift_drift(rig: PlaybookRig) -> None:
    subject = rig.converged()
    subject.site.write_text(f"# a remark\n{subject.site.read_text()}")
    assert subject.adapter.plan(subject.workspace, Goal.CONVERGE).empty
    tampering = subject.tamper()
    assert [item.change.address for item in subject.adapter.drift(subject.workspace).items] == [tampering.address]


def test_a_host_that_the_playbook_does_without_is_never_called_fine(rig: PlaybookRig) -> None:
    subject = rig.tasks('- name: x\n  ansible.builtin.file: {path: "{{ root }}/x", state: directory}')
    subject.site.write_text(subject.site.read_text().replace("hosts: all", "hosts: all\n  ignore_unreachable: true"))
    (subject.stack / "inventory").write_text("far ansible_host=127.0.0.1 ansible_port=1 ansible_connection=ssh\n")
    (change,) = subject.plan().changes
    assert (change.address, change.kind) == ("far: x", ChangeKind.UNKNOWN)
    assert change.reason.startswith("stacks/web/site.yml:5 ansible.builtin.file: cannot look: ")
    assert "1 task that cannot look: far: x" in subject.adapter.drift(subject.workspace).blind_spots


def test_what_a_rescue_kept_from_being_looked_at_is_told(rig: PlaybookRig) -> None:
    """With the file made, the line goes in, and what comes after it is done: nobody saw it."""
    subject = rig.tasks(
        """
- name: made
  ansible.builtin.copy: {dest: "{{ root }}/made", content: a}
- name: lived with
  ansible.builtin.lineinfile: {path: "{{ root }}/made", line: b}
  ignore_errors: true
- block:
    - name: page
      ansible.builtin.lineinfile: {path: "{{ root }}/made", line: c}
    - name: never looked at
      ansible.builtin.file: {path: "{{ root }}/hidden", state: directory}
  rescue:
    - name: rescue
      ansible.builtin.debug: {msg: sorry}
"""
    )
    plan = subject.plan()
    assert kinds(plan) == {
        "made": ChangeKind.CREATE,
        "lived with": ChangeKind.UNKNOWN,
        "page": ChangeKind.UNKNOWN,
    }
    (note,) = plan.problems
    assert (note.severity, note.line) == (Severity.WARNING, 10)


def test_a_failure_that_is_lived_with_and_that_nothing_comes_before_is_as_it_will_be(rig: PlaybookRig) -> None:
    subject = rig.tasks("- name: asked\n  ansible.builtin.fail: {msg: no}\n  ignore_errors: true")
    assert subject.plan().empty
