"""What a run leaves behind, and who has a say in it: secrets, the repository's own configuration, vaults, galaxy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from adapters.contract import Input, InvalidSettings, PlanStale, ToolFailed, ToolVersionWrong

if TYPE_CHECKING:
    from conftest import PlaybookRig

FOLDER = '- name: x\n  ansible.builtin.file: {path: "{{ root }}/x", state: directory}'


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_run_leaves_neither_secrets_nor_environment_nor_the_last_command_line(rig: PlaybookRig) -> None:
    """ansible-runner would write its environment, its extra variables, and --check for the next run to take up."""
    subject = rig.fresh()
    subject.apply()
    assert files(subject.folder / "private") == []
    assert (subject.made / f"second-{subject.canary}").is_dir()
    written = [path for path in subject.folder.rglob("*") if path.is_file() and "home" not in path.parts]
    holding = [path.name for path in written if subject.canary in path.read_text(errors="replace")]
    # The output of that value, which is kept like a state.
    assert holding == ["ansible.json"]
    assert (subject.folder / "kept/ansible.json").stat().st_mode & 0o777 == 0o600


def test_not_even_while_it_runs_is_its_environment_or_its_command_line_in_a_file(rig: PlaybookRig) -> None:
    """Whoever kills it then leaves none behind, and a playbook finds none to read."""
    subject = rig.tasks(
        """
- name: look around
  ansible.builtin.command: find {{ root }}/../private -type f
  check_mode: false
  changed_when: false
  register: found
- name: "{{ found.stdout_lines | map('basename') | sort | join(' ') }}"
  ansible.builtin.file: {path: "{{ root }}/x", state: directory}
"""
    )
    (change,) = subject.plan().changes
    there = set(change.address.removeprefix("localhost: ").split())
    assert "look.json" in there
    assert not there & {"command", "envvars", "cmdline", "extravars", "settings"}


@pytest.mark.full
def test_the_environment_of_holdfast_is_not_that_of_the_playbook(rig: PlaybookRig, monkeypatch) -> None:
    monkeypatch.setenv("HF_CANARY", "leaked-canary")
    monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", "json")
    subject = rig.tasks(
        """
- name: env
  ansible.builtin.file:
    path: "{{ root }}/{{ lookup('env', 'HF_CANARY') }}-{{ lookup('env', 'ANSIBLE_HOST_KEY_CHECKING') }}"
    state: directory
"""
    )
    subject.apply()
    assert list(subject.world()) == ["-True"]


def test_the_repositorys_ansible_cfg_is_not_read_and_that_is_said(rig: PlaybookRig) -> None:
    subject = rig.tasks(FOLDER)
    plugins = subject.stack / "evil"
    plugins.mkdir()
    (plugins / "evil.py").write_text(f"open({str(subject.folder / 'evil')!r}, 'w').write('ran')\n")
    (subject.stack / "ansible.cfg").write_text("[defaults]\ncallback_plugins = evil\ncallbacks_enabled = evil\n")
    plan = subject.plan()
    assert [str(note) for note in plan.problems] == [
        "stacks/web/ansible.cfg:1  note: ansible.cfg is not read: holdfast writes its own"
    ]
    assert not (subject.folder / "evil").exists()


def test_a_neighbours_secret_is_not_quoted_where_the_files_cannot_be_read(rig: PlaybookRig) -> None:
    subject = rig.of("- hosts: all\n  vars:\n    password: literal-swordfish\n  tasks:\n    - no_such_module: {}\n", {})
    (problem,) = subject.adapter.validate(subject.workspace)
    assert str(problem).startswith("stacks/web/site.yml:5  error: couldn't resolve module/action 'no_such_module'")
    with pytest.raises(ToolFailed) as refused:
        subject.plan()
    assert "swordfish" not in repr((problem, refused.value.message, refused.value.problems))


def test_a_vaults_password_comes_from_the_secrets_and_goes_again(rig: PlaybookRig, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("vault-swordfish\n")
    vault = Path(sys.executable).parent / "ansible-vault"
    sealed = subprocess.run(
        [vault, "encrypt_string", "--vault-id", f"prod@{password}", "opened", "--name", "inside"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    ).stdout
    site = "- hosts: all\n  gather_facts: false\n  tasks:\n    - name: x\n      ansible.builtin.file: {path: '{{ root }}/{{ inside }}', state: directory}\n"
    good = Input(value="vault-swordfish", sensitive=True)
    subject = rig.of(site, {"vault_ids.prod": good})
    (subject.stack / "group_vars").mkdir()
    (subject.stack / "group_vars/all.yml").write_text(sealed)
    subject.apply()
    assert list(subject.world()) == ["opened"]
    assert files(subject.folder / "private") == []
    assert "vault-swordfish" not in subject.said()

    subject.inputs = {**subject.workspace.inputs, "vault_ids.prod": Input(value="wrong", sensitive=True)}
    with pytest.raises(ToolFailed):
        subject.plan()


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"vault_ids.a/b": Input(value="x")}, "no name for a vault"),
        ({"vault_ids.a": Input(value=3)}, "must be a text"),
        ({"ssh.port": Input(value="22")}, 'ssh knows no "port"'),
    ],
)
def test_values_that_make_no_sense_are_refused_before_anything_runs(rig: PlaybookRig, inputs, words) -> None:
    subject = rig.of("- hosts: all\n", inputs)
    with pytest.raises(InvalidSettings, match=words):
        subject.plan()
    assert files(subject.folder / "private") == []


def collection(folder: Path, answer: str) -> None:
    """Write a collection of one role."""
    (folder / "roles/greet/tasks").mkdir(parents=True, exist_ok=True)
    (folder / "galaxy.yml").write_text(
        "namespace: lab\nname: greet\nversion: 1.0.0\nauthors: [lab]\nreadme: README.md\n"
    )
    (folder / "README.md").write_text("greets\n")
    (folder / "roles/greet/tasks/main.yml").write_text(
        f'- name: greet\n  ansible.builtin.file: {{path: "{{{{ root }}}}/{answer}", state: directory}}\n'
    )


@pytest.mark.full
def test_collections_are_installed_once_for_each_state_of_the_requirements(rig: PlaybookRig) -> None:
    subject = rig.of("- hosts: all\n  gather_facts: false\n  roles: [lab.greet.greet]\n", {})
    collection(subject.folder / "tree/collections/greet", "hello")
    (subject.stack / "requirements.yml").write_text(
        "collections:\n  - {name: ../../collections/greet, type: dir}\nroles: []\n"
    )
    plan = subject.plan()
    assert [change.address for change in plan.changes] == ["localhost: lab.greet.greet : greet"]
    assert plan.installed
    subject.adapter.apply(subject.workspace, plan)
    assert list(subject.world()) == ["hello"]
    assert subject.said().count("collection install") == 1

    stale = subject.plan()
    for role in (subject.folder / "scratch").rglob("main.yml"):
        role.write_text("# swapped\n")
    with pytest.raises(PlanStale):
        subject.adapter.apply(subject.workspace, stale)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("collections:\n  - {name: ./nowhere, type: dir}\n", "could not install a collection"),
        ("collections: [\n", r"requirements.yml:\d: this is no YAML"),
        ("just a text\n", "must hold collections"),
    ],
)
def test_requirements_that_cannot_be_met_are_one_line(rig: PlaybookRig, text: str, words: str) -> None:
    subject = rig.tasks(FOLDER)
    (subject.stack / "requirements.yml").write_text(text)
    with pytest.raises((ToolFailed, InvalidSettings), match=words) as refused:
        subject.plan()
    assert "\n" not in refused.value.message


def test_a_version_that_the_stack_does_not_accept_is_refused(rig: PlaybookRig) -> None:
    with pytest.raises(ToolVersionWrong, match=r"tool_version asks for < 2\.0"):
        rig.tasks(FOLDER, tool_version="< 2.0").plan()


@pytest.mark.full
def test_facts_are_kept_between_runs_where_the_stack_asks_for_that(rig: PlaybookRig) -> None:
    site = "- hosts: all\n  gather_facts: true\n  gather_subset: ['!all', '!min', 'pkg_mgr']\n  tasks:\n    - ansible.builtin.debug: {msg: x}\n"
    subject = rig.of(site, {}, facts_cache=True)
    subject.plan()
    assert files(subject.folder / "scratch/facts")


@pytest.mark.parametrize("whence", [{"sensitive": True}, {"filled": True}])
def test_a_template_in_a_secret_or_in_another_stacks_output_is_text(rig: PlaybookRig, whence: dict[str, bool]) -> None:
    text = "{{ lookup('pipe', 'touch marker; echo ran') }}"
    site = "- hosts: all\n  gather_facts: false\n  tasks:\n    - ansible.builtin.copy: {dest: '{{ root }}/x', content: '{{ handed.deep[0] }}'}\n"
    subject = rig.of(site, {"handed": Input(value={"deep": [text]}, **whence)})
    subject.apply()
    assert subject.world() == {"x": text}
    assert not list(subject.folder.rglob("marker"))


def test_an_ansible_cfg_beside_the_requirements_has_no_say_in_what_is_fetched(rig: PlaybookRig) -> None:
    subject = rig.tasks(FOLDER)
    (subject.stack / "ansible.cfg").write_text(f"[defaults]\nlog_path = {subject.folder / 'written'}\n")
    (subject.stack / "requirements.yml").write_text("roles: [{src: 'git+file:///nowhere', name: x}]\n")
    with pytest.raises(ToolFailed, match="could not install a role"):
        subject.plan()
    assert not (subject.folder / "written").exists()


def test_requirements_that_are_nested_without_end_are_refused(rig: PlaybookRig) -> None:
    subject = rig.tasks(FOLDER)
    (subject.stack / "requirements.yml").write_text("[" * 3000)
    with pytest.raises(InvalidSettings, match="this is no YAML"):
        subject.plan()
