"""How the adapter drives the real tool: what it runs, what it tells, what it refuses."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from adapters.contract import (
    ChangeKind,
    ForbiddenFile,
    Goal,
    Input,
    PlanStale,
    Severity,
    ToolFailed,
    ToolVersionWrong,
)
from adapters.testimony import Confidence, Testifying

if TYPE_CHECKING:
    from conftest import LabRig
    from state_server import StateServer

#: Both tools pass the whole suite of conformance; of these finer points OpenTofu's share runs with the long tests.
pytestmark = pytest.mark.parametrize(
    "tool", ["terraform", pytest.param("opentofu", marks=pytest.mark.full)], indirect=True
)

ONE = 'resource "terraform_data" "one" {\n  input = 1\n}\n'


def test_a_stack_at_rest_costs_one_run_of_the_tool(rig: LabRig) -> None:
    subject = rig.bare(ONE)
    subject.apply()
    so_far = len(subject.commands())
    assert subject.adapter.plan(subject.workspace, Goal.CONVERGE).empty
    assert not subject.adapter.drift(subject.workspace).items
    assert subject.commands()[so_far:] == ["plan", "plan"]


TOLD = 'output "list" { value = [1, "two", null] }\noutput "pin" {\n  value = 4711\n  sensitive = true\n}\n'


def test_outputs_are_read_from_the_state_that_we_keep_and_from_the_plan_that_was_just_made(rig: LabRig) -> None:
    subject = rig.bare(ONE + TOLD)
    subject.apply()
    expected = subject.adapter.outputs(subject.workspace)
    assert expected["list"].value == [1, "two", None]
    assert (expected["pin"].value, expected["pin"].sensitive) == (4711, True)
    assert subject.adapter.plan(subject.workspace, Goal.CONVERGE).empty
    assert subject.adapter.outputs(subject.workspace) == expected
    assert subject.commands() == ["version", "init", "plan", "show", "apply", "plan"]


def test_outputs_in_a_backend_are_read_from_the_state_that_was_pulled_after_the_apply(
    rig: LabRig, server: StateServer
) -> None:
    subject = rig.bare('terraform {\n  backend "http" {}\n}\n' + ONE + TOLD, **server.settings)
    subject.apply()
    pulled = subject.adapter.outputs(subject.workspace)
    assert subject.commands()[-2:] == ["apply", "state"]
    shutil.rmtree(subject.workspace.private)
    assert subject.adapter.outputs(subject.workspace) == pulled, "what the tool says where nothing was pulled"
    assert subject.commands()[-1] == "output"
    assert (pulled["list"].value, pulled["pin"].value, pulled["pin"].sensitive) == ([1, "two", None], 4711, True)


def test_the_version_is_asked_for_once_whichever_stack_it_is_for(rig: LabRig) -> None:
    first, second = rig.bare(ONE), rig.bare(ONE)
    assert first.adapter.version() == second.adapter.version()
    second.apply()
    assert first.commands() == ["version"]
    assert second.commands() == ["init", "plan", "show", "apply"]


def test_outputs_after_an_apply_are_never_those_of_its_plan(rig: LabRig) -> None:
    subject = rig.bare('output "x" { value = 1 }\n')
    subject.apply()
    subject.main.write_text('output "x" { value = 2 }\n')
    subject.apply()
    assert subject.adapter.outputs(subject.workspace)["x"].value == 2


def test_init_runs_again_only_when_something_it_depends_on_changed(rig: LabRig) -> None:
    subject = rig.bare(ONE)
    subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    subject.main.write_text(ONE.replace("1", "2"))
    subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert subject.commands().count("init") == 1
    subject.main.write_text('terraform {\n  required_version = ">= 1.0"\n}\n' + ONE)
    subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert subject.commands().count("init") == 2
    shutil.rmtree(subject.workspace.scratch)
    subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert subject.commands().count("init") == 3


def test_what_init_kept_and_is_no_longer_enough_is_made_again(rig: LabRig) -> None:
    subject = rig.bare(ONE + 'module "own" {\n  source = "./own"\n}\n')
    own = subject.main.parent / "own/main.tf"
    own.parent.mkdir()
    own.write_text(ONE)
    assert len(subject.adapter.plan(subject.workspace, Goal.CONVERGE).changes) == 2
    # A scratch folder is a cache: any part of it may be gone, and the marker does not know.
    shutil.rmtree(subject.workspace.scratch / "terraform/modules")
    assert len(subject.adapter.plan(subject.workspace, Goal.CONVERGE).changes) == 2
    assert subject.commands() == ["version", "init", "plan", "show", "plan", "init", "plan", "show"]


def test_a_lock_file_that_init_made_is_kept_and_one_that_is_committed_is_never_changed(rig: LabRig) -> None:
    subject = rig.fresh()
    subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    lock = subject.main.with_name(".terraform.lock.hcl")
    made = lock.read_bytes()
    lock.unlink()
    subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert lock.read_bytes() == made
    assert subject.commands().count("init") == 1

    committed = made.replace(b"h1:", b"h1:AAAA")
    other = rig.fresh()
    other.main.with_name(".terraform.lock.hcl").write_bytes(committed)
    with pytest.raises(ToolFailed, match="init failed"):
        other.adapter.plan(other.workspace, Goal.CONVERGE)
    assert other.main.with_name(".terraform.lock.hcl").read_bytes() == committed
    assert "-lockfile=readonly" in other.said()


def test_inputs_go_into_a_private_file_and_never_onto_a_command_line(rig: LabRig) -> None:
    subject = rig.bare(
        'variable "pw" {\n  sensitive = true\n}\nresource "terraform_data" "one" {\n  input = var.pw\n}\n',
        {"pw": Input(value={"deep": ["c4n4ry-in-a-list"]}, sensitive=True)},
        backend_config={"path": str(rig.folder / "c4n4ry.tfstate")},
    )
    subject.main.write_text('terraform {\n  backend "local" {}\n}\n' + subject.main.read_text())
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert "c4n4ry" not in subject.said()
    assert "c4n4ry" not in repr(plan)
    for name in ("inputs.tfvars.json", "backend.tfbackend"):
        assert (subject.workspace.private / name).stat().st_mode & 0o777 == 0o600


def test_the_files_inputs_win_over_variable_files_in_the_order_given(rig: LabRig) -> None:
    subject = rig.bare(
        'variable "a" {}\nvariable "b" {}\nvariable "c" {}\noutput "o" {\n  value = [var.a, var.b, var.c]\n}\n',
        {"c": Input(value="input")},
        var_files=["one.tfvars", "../two.tfvars"],
    )
    (subject.main.parent / "one.tfvars").write_text('a = "one"\nb = "one"\nc = "one"\n')
    (subject.main.parent.parent / "two.tfvars").write_text('b = "two"\n')
    subject.apply()
    assert subject.adapter.outputs(subject.workspace)["o"].value == ["one", "two", "input"]


def test_only_an_output_that_changes_is_no_empty_plan(rig: LabRig) -> None:
    subject = rig.bare(ONE + 'output "o" {\n  value = 1\n}\n')
    subject.apply()
    subject.main.write_text(ONE + 'output "o" {\n  value = 2\n}\n')
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert (plan.changes, plan.outputs_changing, plan.empty) == ((), ("o",), False)


def test_what_is_only_renamed_or_taken_over_is_counted(rig: LabRig) -> None:
    subject = rig.bare(ONE)
    subject.apply()
    subject.main.write_text(
        ONE.replace('"one"', '"two"')
        + "moved {\n  from = terraform_data.one\n  to   = terraform_data.two\n}\n"
        + 'import {\n  to = terraform_data.three\n  id = "abc"\n}\nresource "terraform_data" "three" {}\n'
    )
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert (plan.moved, plan.imported, plan.changes, plan.empty) == (1, 1, (), False)
    subject.adapter.apply(subject.workspace, plan)
    assert subject.adapter.plan(subject.workspace, Goal.CONVERGE).empty


def test_a_replacement_names_the_attribute_that_forces_it(rig: LabRig) -> None:
    text = 'resource "terraform_data" "one" {\n  triggers_replace = %s\n}\n'
    subject = rig.bare(text % 1)
    subject.apply()
    subject.main.write_text(text % 2)
    (change,) = subject.adapter.plan(subject.workspace, Goal.CONVERGE).changes
    assert (change.kind, change.reason) == (ChangeKind.REPLACE, "replace_because_cannot_update")
    assert [one.path for one in change.attributes if one.forces_replacement] == ["triggers_replace"]


def test_a_check_that_does_not_hold_is_a_problem_and_no_failure(rig: LabRig) -> None:
    subject = rig.bare(
        ONE
        + 'check "c" {\n  assert {\n    condition     = terraform_data.one.input == 2\n    error_message = "not so"\n  }\n}\n'
    )
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    (problem,) = plan.problems
    assert (problem.severity, problem.file, problem.line) == (Severity.WARNING, "stacks/web/main.tf", 6)
    assert "not so" in problem.detail


def test_what_drifted_and_is_left_alone_by_the_files_is_told_though_the_tool_speaks_of_no_changes(rig: LabRig) -> None:
    """The exit code of such a plan is 0."""
    subject = rig.fresh()
    kept = "size   = 10\n  lifecycle { ignore_changes = [tags] }"
    subject.main.write_text(subject.main.read_text().replace("size   = 10", kept))
    subject.apply()
    subject.tamper()
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert plan.empty
    assert [one.address for one in plan.drift] == ["lab_object.first"]
    (item,) = subject.adapter.drift(subject.workspace).items
    assert (item.change.address, item.will_be_reverted) == ("lab_object.first", False)
    assert ("tags.owner", "ops", "mallory") in [(one.path, one.before, one.after) for one in item.change.attributes]


def test_the_workspace_that_the_stack_names_is_used_whatever_the_tree_says(rig: LabRig) -> None:
    subject = rig.bare('output "where" {\n  value = terraform.workspace\n}\n', workspace="blue")
    chosen = subject.main.parent / ".terraform/environment"
    chosen.parent.mkdir()
    chosen.write_text("prod")
    subject.apply()
    assert subject.adapter.outputs(subject.workspace)["where"].value == "blue"
    assert (subject.workspace.kept / "workspaces/blue/terraform.tfstate").is_file()


def test_a_provider_committed_beside_the_files_never_runs(rig: LabRig) -> None:
    subject = rig.bare('terraform {\n  required_providers {\n    evil = { source = "evil.test/a/evil" }\n  }\n}\n')
    marker = subject.folder / "ran"
    for place in ("terraform.d/plugins", ".terraform/providers"):
        binary = subject.main.parent / place / "evil.test/a/evil/1.0.0/linux_amd64/terraform-provider-evil_v1.0.0"
        binary.parent.mkdir(parents=True)
        binary.write_text(f"#!/bin/sh\ntouch {marker}\n")
        binary.chmod(0o755)
    with pytest.raises(ToolFailed):
        subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert not marker.exists()


def test_a_cli_configuration_from_the_repository_is_refused(rig: LabRig) -> None:
    subject = rig.bare(ONE)
    inside = subject.folder / "tree/evil.tfrc"
    inside.write_text("")
    chosen = rig.bare(ONE, cli_config_file=str(inside))
    chosen.folder = subject.folder
    with pytest.raises(ForbiddenFile):
        chosen.adapter.plan(chosen.workspace, Goal.CONVERGE)


@pytest.mark.parametrize("pin", ["tool_version", "pin file", "pin file above", "required_version"])
def test_another_version_than_the_one_asked_for_is_refused_before_anything_is_planned(rig: LabRig, pin: str) -> None:
    settings = {"tool_version": "~> 0.1"} if pin == "tool_version" else {}
    subject = rig.bare(ONE, **settings)
    file = ".terraform-version" if rig.tool == "terraform" else ".opentofu-version"
    if pin == "pin file":
        (subject.main.parent / file).write_text("0.1.0\n")
    elif pin == "pin file above":
        (subject.folder / "tree" / file).write_text("v0.1.0\n")
    elif pin == "required_version":
        subject.main.write_text('terraform {\n  required_version = "~> 0.1"\n}\n' + ONE)
    with pytest.raises(ToolVersionWrong) as caught:
        subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert "install" in caught.value.hint
    assert "plan" not in subject.commands()


def test_words_in_a_pin_file_ask_for_nothing(rig: LabRig) -> None:
    subject = rig.bare(ONE)
    (subject.main.parent / ".terraform-version").write_text("latest:^1.5\n")
    (subject.main.parent / ".opentofu-version").write_text("latest\n")
    assert not subject.adapter.plan(subject.workspace, Goal.CONVERGE).empty


def test_a_plan_whose_file_is_gone_is_stale(rig: LabRig) -> None:
    subject = rig.bare(ONE)
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert plan.saved is not None
    plan.saved.unlink()
    with pytest.raises(PlanStale):
        subject.adapter.apply(subject.workspace, plan)
    assert "apply" not in subject.commands()


def test_a_plan_that_another_program_made_is_stale(rig: LabRig) -> None:
    subject = rig.bare(ONE)
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    with pytest.raises(PlanStale, match="another program"):
        subject.adapter.apply(subject.workspace, replace(plan, tool=replace(plan.tool, program="0" * 64)))
    assert "apply" not in subject.commands()


def test_an_apply_that_fails_half_way_says_where_and_the_next_plan_shows_the_rest(rig: LabRig) -> None:
    subject = rig.fresh()
    subject.cloud.mkdir()
    (subject.cloud / "second.refuse").write_text("quota exceeded")
    with pytest.raises(ToolFailed, match=r"modules/object/main.tf:8: create of second refused") as caught:
        subject.apply()
    assert "quota exceeded" in caught.value.problems[0].detail
    (subject.cloud / "second.refuse").unlink()
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert [change.address for change in plan.changes] == ["module.second.lab_object.this"]


def test_tests_run_where_asked_for_unless_they_would_create_something(rig: LabRig) -> None:
    subject = rig.bare(ONE, test=True)
    check = 'run "%s" {\n%s  assert {\n    condition     = terraform_data.one.input == 2\n    error_message = "not two"\n  }\n}\n'
    (subject.main.parent / "plans.tftest.hcl").write_text(check % ("plans", "  command = plan\n"))
    (subject.main.parent / "creates.tftest.hcl").write_text(check % ("creates", ""))
    found = subject.adapter.validate(subject.workspace)
    assert [(one.severity, one.file) for one in found] == [
        (Severity.NOTE, "stacks/web/creates.tftest.hcl"),
        (Severity.ERROR, "stacks/web/plans.tftest.hcl"),
    ]
    assert "not two" in found[1].detail


def test_what_the_tool_warns_of_is_told_with_its_place(rig: LabRig) -> None:
    subject = rig.bare('variable "a" {}\n', {"a": Input(value=1), "nobody": Input(value="x")})
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert [problem.summary for problem in plan.problems] == ["Value for undeclared variable"]


def test_two_stacks_with_different_keys_run_side_by_side(rig: LabRig) -> None:
    """The credentials are the shell's: nothing of them is in the adapter, the files or our own environment."""
    text = 'resource "terraform_data" "who" {\n  provisioner "local-exec" {\n    command = "printf %s $LAB_KEY > ${path.root}/who"\n  }\n}\n'
    from adapters.terraform.adapter import build  # noqa: PLC0415

    seen = {}
    for key in ("key-of-a", "key-of-b"):
        subject = rig.bare(text)
        adapter = build(subject.settings, subject.shell(credentials={"LAB_KEY": key}))
        adapter.apply(subject.workspace, adapter.plan(subject.workspace, Goal.CONVERGE))
        seen[key] = (subject.main.parent / "who").read_text()
    assert seen == {"key-of-a": "key-of-a", "key-of-b": "key-of-b"}


def test_plan_files_hold_secrets_and_lie_in_a_private_folder(rig: LabRig) -> None:
    subject = rig.bare(ONE)
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert plan.saved == subject.workspace.private / "plan"
    assert subject.workspace.private.stat().st_mode & 0o777 == 0o700


def test_the_marker_of_a_broken_scratch_folder_is_no_trap(rig: LabRig) -> None:
    subject = rig.bare(ONE)
    subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    marker = subject.workspace.scratch / "initialised.json"
    marker.write_text(json.dumps({"key": 1}))
    assert not subject.adapter.plan(subject.workspace, Goal.CONVERGE).empty


def test_the_state_tells_whether_it_was_written_by_anybody_else_since_the_last_apply(rig: LabRig) -> None:
    subject = rig.converged()
    assert isinstance(subject.adapter, Testifying)
    subject.tamper()
    found = subject.adapter.drift(subject.workspace)
    (word,) = subject.adapter.testify(subject.workspace, found.items, 0.0)
    assert (word.who, word.source, word.confidence) == ("", "state", Confidence.CERTAIN)
    assert word.what.startswith("nobody has written the state since the last apply (serial ")
    assert all(item.identities for item in found.items)

    # Somebody else's apply: the same state, another serial.
    kept = subject.workspace.kept / "terraform.tfstate"
    state = json.loads(kept.read_text())
    kept.write_text(json.dumps({**state, "serial": state["serial"] + 2}))
    found = subject.adapter.drift(subject.workspace)
    (word,) = subject.adapter.testify(subject.workspace, found.items, 0.0)
    assert word.what.startswith("somebody else has written the state 2 times since the last apply")
