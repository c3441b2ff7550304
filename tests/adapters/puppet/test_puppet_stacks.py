"""Whole stacks with the real Puppet: modules, Hiera, environments, execs, failures. Few runs, each looked at closely."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from adapters.contract import (
    MASK,
    ChangeKind,
    Drifts,
    Goal,
    Input,
    InvalidSettings,
    Output,
    Plan,
    Severity,
    ToolFailed,
    ToolStopped,
    ToolVersionWrong,
    Unknown,
)
from adapters.puppet import output
from adapters.testimony import Testifying

if TYPE_CHECKING:
    from conftest import HostRig, HostSubject

APP = """\
class app(String $greeting) {
  $where = lookup('where')
  file { "${where}/greeting":
    ensure  => file,
    content => $greeting,
  }
  file { "${where}/shipped":
    ensure => file,
    source => 'puppet:///modules/app/shipped.txt',
  }
  ~> exec { 'reload': command => "/bin/touch ${where}/reloaded", refreshonly => true }
  exec { "/bin/touch ${where}/made": creates => "${where}/made" }
  notify { 'only words': }
  $secret = lookup('secret')
  file { "${where}/config":
    ensure  => file,
    content => "user=app\\npassword=${secret.unwrap}\\nport=80\\n",
  }
}
"""
FACT = "Facter.add(:tier) { setcode { { 'name' => 'gold' } } }\n"
HIERA = """\
version: 5
hierarchy:
  - name: shared
    datadir: ../../../../data
    path: common.yaml
"""
#: What Puppet takes for its own where nobody says otherwise.
MACHINES = [Path(name) for name in ("/etc/puppet", "/etc/puppetlabs", "/var/lib/puppet", "/var/cache/puppet")]


def modular(rig: HostRig) -> HostSubject:
    """A stack with an environment folder, a module outside the stack, and Hiera data outside the environment."""
    subject = rig.fresh(environment="prod-eu")
    subject.site.unlink()
    subject.settings = {
        **subject.settings,
        "environmentpath": "environments",
        "facts": {"tier": "tier.name", "system": "kernel", "secret_fact": "tier"},
    }
    subject.inputs = {"app::greeting": Input(value="hi 50%{x}\n"), "tiers": Input(value="gold", sensitive=True)}
    subject.write("environments/prod_eu/manifests/site.pp", "include app\n")
    subject.write("environments/prod_eu/environment.conf", "modulepath = modules:../../../../shared\n")
    subject.write("environments/prod_eu/hiera.yaml", HIERA)
    subject.write("../../data/common.yaml", 'app::greeting: "from data\\n"\n')
    subject.write("../../shared/app/manifests/init.pp", APP)
    subject.write("../../shared/app/files/shipped.txt", "one\n")
    subject.write("../../shared/app/lib/facter/tier.rb", FACT)
    return subject


def times(folders: list[Path]) -> dict[str, float]:
    """When each thing below some folders was last written."""
    return {
        str(path): path.lstat().st_mtime
        for folder in folders
        for path in [folder, *folder.rglob("*")]
        if folder.exists()
    }


def left_behind(subject: HostSubject) -> list[str]:
    """Files of Holdfast's own that hold the secret."""
    own = [path for name in ("kept", "private", "scratch", "home") for path in (subject.folder / name).rglob("*")]
    return [str(path) for path in own if path.is_file() and subject.canary.encode() in path.read_bytes()]


def kinds(changes: Plan | Drifts) -> dict[str, ChangeKind]:
    found = changes.changes if isinstance(changes, Plan) else [item.change for item in changes.items]
    return {change.address.rpartition("/")[2].rstrip("]"): change.kind for change in found}


def test_a_stack_with_modules_hiera_and_environment_folders_lives_its_whole_life(rig: HostRig) -> None:
    subject = modular(rig)
    before = times(MACHINES)

    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert kinds(plan) == {
        "greeting": ChangeKind.CREATE,
        "shipped": ChangeKind.CREATE,
        "config": ChangeKind.CREATE,
        "made": ChangeKind.UNKNOWN,
        "Exec[reload": ChangeKind.UNKNOWN,
    }
    (greeting,) = [change for change in plan.changes if change.address == subject.ref("greeting")]
    assert greeting.reason == "intentional, shared/app/manifests/init.pp:3"
    # The look has told it: Puppet is not started for that.
    assert subject.adapter.version() == plan.tool
    assert "--version" not in subject.said()

    subject.adapter.apply(subject.workspace, plan)
    # The input comes before the repository's data, and Hiera fills nothing into it.
    assert subject.file("greeting").read_text() == "hi 50%{x}\n"
    assert subject.canary in subject.file("config").read_text()
    assert "defined content as" in subject.said()
    assert times(MACHINES) == before
    assert left_behind(subject) == []

    since = time.time() - 1
    # By hand: a text, a mode, and what the exec made. In the files: what the module ships.
    subject.file("greeting").write_text("mallory\n")
    subject.file("config").write_text(f"user=root\npassword={subject.canary}\nport=80\n")
    subject.file("made").unlink()
    subject.write("../../shared/app/files/shipped.txt", "two\n")
    found = subject.adapter.drift(subject.workspace)
    assert kinds(found) == {"greeting": ChangeKind.UPDATE, "config": ChangeKind.UPDATE}
    texts = {
        (item.change.address, one.path): (one.before, one.after)
        for item in found.items
        for one in item.change.attributes
    }
    assert texts[subject.ref("greeting"), "content.text"] == ("hi 50%{x}", "mallory")
    assert texts[subject.ref("config"), "content.text"] == (
        f"user=app\npassword={MASK}\nport=80",
        f"user=root\npassword={MASK}\nport=80",
    )
    assert all(item.will_be_reverted and "shared/app/manifests/init.pp:" in item.change.reason for item in found.items)
    assert [change.address for change in found.pending] == [subject.ref("shipped")]
    assert any("made" in sentence and "cannot be seen" in sentence for sentence in found.blind_spots)

    assert isinstance(subject.adapter, Testifying)
    said = subject.adapter.testify(subject.workspace, found.items, since)
    assert {word.address for word in said} == {item.change.address for item in found.items}
    assert all(word.source == "host" and word.at and word.at >= since - 1 for word in said)
    assert any(f"{subject.file('greeting')} on " in word.what for word in said)

    outputs = subject.adapter.outputs(subject.workspace)
    assert outputs["system"] == Output(value="Linux")
    # It holds what an input says is secret.
    assert outputs["tier"] == Output(value="gold", sensitive=True)
    assert outputs["secret_fact"].sensitive
    assert left_behind(subject) == []


def test_a_resource_that_fails_is_named_with_its_place_and_the_next_plan_goes_on_from_there(rig: HostRig) -> None:
    subject = rig.fresh()
    subject.site.write_text(
        "$where = lookup('where')\n"
        'file { "${where}/good": ensure => file }\n'
        'file { "${where}/no/such/folder": ensure => file }\n'
        '-> file { "${where}/after": ensure => file }\n'
    )
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    with pytest.raises(ToolFailed) as failed:
        subject.adapter.apply(subject.workspace, plan)
    assert f"stacks/host/manifests/site.pp:3: {subject.ref('no/such/folder')}" in failed.value.message
    assert "\n" not in failed.value.message
    assert [problem.line for problem in failed.value.problems] == [3]
    assert subject.file("good").exists()
    assert not subject.file("after").exists()
    # It is not taken for what is applied.
    assert not (subject.folder / "kept/applied.json").exists()


def test_a_puppet_that_is_killed_in_the_middle_leaves_an_unknown_attempt(rig: HostRig) -> None:
    subject = rig.fresh()
    subject.site.write_text(
        "$where = lookup('where')\n"
        'file { "${where}/before": ensure => file }\n'
        "-> exec { 'kills puppet': command => '/bin/kill -9 $PPID' }\n"
        '-> file { "${where}/after": ensure => file }\n'
    )
    plan = subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    with pytest.raises(ToolStopped, match="signal 9"):
        subject.adapter.apply(subject.workspace, plan)
    assert [path.name for path in subject.world_folder.iterdir()] == ["before"]
    assert isinstance(subject.adapter.resume(subject.workspace, plan, subject.handle()), Unknown)
    assert not (subject.folder / "kept/applied.json").exists()


def test_a_class_that_is_not_there_fails_the_plan_in_one_line_with_its_place(rig: HostRig) -> None:
    subject = rig.fresh()
    subject.write("manifests/site.pp", "# a comment\ninclude nowhere::at_all\n")
    with pytest.raises(ToolFailed) as failed:
        subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    assert failed.value.message.startswith("puppet apply --noop failed: stacks/host/manifests/site.pp:2: ")
    assert "nowhere::at_all" in failed.value.message
    assert str(subject.folder) not in failed.value.message
    assert left_behind(subject) == []


def test_a_manifest_that_just_ends_is_told_with_its_last_line(rig: HostRig) -> None:
    subject = rig.fresh()
    subject.write("manifests/cut.pp", "class cut {\n\n")
    (found,) = subject.adapter.validate(subject.workspace)
    assert found.severity is Severity.ERROR
    assert (found.file, found.line) == ("stacks/host/manifests/cut.pp", 2)


def test_what_is_missing_is_said_before_anything_runs(rig: HostRig) -> None:
    subject = rig.fresh()
    subject.site.unlink()
    with pytest.raises(InvalidSettings, match="there is no manifest stacks/host/manifests"):
        subject.adapter.plan(subject.workspace, Goal.CONVERGE)
    elsewhere = rig.fresh(settings={"path": "stacks/host", "environmentpath": "environments"})
    with pytest.raises(InvalidSettings, match="no environment folder stacks/host/environments/default"):
        elsewhere.adapter.plan(elsewhere.workspace, Goal.CONVERGE)
    assert not list((elsewhere.folder / "private").iterdir())


def test_modules_that_only_a_puppetfile_names_are_told_of_by_line(rig: HostRig) -> None:
    subject = rig.fresh()
    subject.write(
        "Puppetfile",
        "forge 'https://nowhere.invalid'\n# mod 'puppet-old'\nmod 'acme-here', '1.0'\nmod 'acme/gone',\n  :latest\n",
    )
    subject.write("modules/here/README.md", "")
    notes = subject.adapter.validate(subject.workspace)
    assert [(one.severity, one.file, one.line) for one in notes] == [(Severity.NOTE, f"{subject.path}/Puppetfile", 4)]
    assert "the module gone is not installed" in notes[0].summary
    assert subject.adapter.plan(subject.workspace, Goal.CONVERGE).problems == notes


def test_another_version_than_the_one_asked_for_is_refused(rig: HostRig) -> None:
    subject = rig.fresh(settings={"path": "stacks/host", "tool_version": "~> 3.8"})
    with pytest.raises(ToolVersionWrong, match=r"tool_version asks for ~> 3\.8"):
        subject.adapter.plan(subject.workspace, Goal.CONVERGE)


def test_a_fact_that_the_host_does_not_have_is_named(rig: HostRig) -> None:
    subject = rig.fresh(settings={"path": "stacks/host", "facts": {"x": "no.such.fact"}})
    with pytest.raises(InvalidSettings, match=r'this host has no fact "no\.such\.fact"'):
        subject.adapter.outputs(subject.workspace)


@pytest.mark.parametrize(
    ("address", "path"),
    [("File[/etc/motd]", "/etc/motd"), ("Package[vim]", ""), ("File[C:/x]", ""), ("Exec[/bin/true]", "")],
)
def test_a_resource_that_is_a_file_says_which(address: str, path: str) -> None:
    assert output.file_of(address) == path
