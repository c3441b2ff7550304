"""Hosts from a script and from a plugin, some of several hosts, tasks as another user, and roles that are fetched."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from typing import TYPE_CHECKING

import pytest

from adapters.contract import InvalidSettings, ToolFailed

if TYPE_CHECKING:
    from conftest import PlaybookRig, PlaybookSubject

MAKE = '- name: make\n  ansible.builtin.file: {path: "{{ root }}/{{ inventory_hostname }}", state: directory}'
SCRIPT = """\
#!/bin/sh
test "$1" = --list || exit 1
echo '{"web": {"hosts": ["web-1", "web-2"], "vars": VARS}, "_meta": {"hostvars": {}}}'
"""
VARS = '{"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}'
GENERATOR = """\
plugin: ansible.builtin.generator
hosts:
  name: "{{ tier }}-{{ number }}"
layers:
  tier: [web, db]
  number: ["1", "2"]
"""
LOCAL = 'ansible_connection: local\nansible_python_interpreter: "{{ ansible_playbook_python }}"\n'


def addresses(subject: PlaybookSubject) -> list[str]:
    return sorted(change.address for change in subject.plan().changes)


def hosts_of(rig: PlaybookRig, name: str, text: str, *, mode: int = 0o644, **settings) -> PlaybookSubject:
    """Return a subject whose hosts come from the file ``name``."""
    subject = rig.tasks(MAKE, inventory=f"hosts/{name}", **settings)
    (subject.stack / "hosts/group_vars").mkdir(parents=True)
    (subject.stack / "hosts" / name).write_text(text)
    (subject.stack / "hosts" / name).chmod(mode)
    (subject.stack / "hosts/group_vars/all.yml").write_text(LOCAL)
    return subject


def test_a_script_says_which_hosts_there_are(rig: PlaybookRig) -> None:
    script = SCRIPT.replace("VARS", VARS)
    subject = hosts_of(rig, "cloud.sh", script, mode=0o755)
    assert addresses(subject) == ["web-1: make", "web-2: make"]
    subject.apply()
    assert sorted(subject.world()) == ["web-1", "web-2"]


def test_a_script_that_fails_is_no_empty_inventory(rig: PlaybookRig) -> None:
    with pytest.raises(ToolFailed):
        hosts_of(rig, "cloud.sh", "#!/bin/sh\nexit 3\n", mode=0o755).plan()


def test_a_plugin_says_which_hosts_there_are_and_a_limit_picks_some(rig: PlaybookRig) -> None:
    every = hosts_of(rig, "cloud.yml", GENERATOR)
    assert addresses(every) == ["db-1: make", "db-2: make", "web-1: make", "web-2: make"]
    some = hosts_of(rig, "cloud.yml", GENERATOR, limit="web-*:db-2:!web-1")
    assert addresses(some) == ["db-2: make", "web-2: make"]
    some.apply()
    assert sorted(some.world()) == ["db-2", "web-2"]


def test_a_plugin_that_nobody_has_is_told(rig: PlaybookRig) -> None:
    with pytest.raises(ToolFailed):
        hosts_of(rig, "cloud.yml", "plugin: acme.cloud.hosts\n").plan()


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("su"), reason="to become another takes root and su")
def test_tasks_run_as_the_user_that_the_stack_names(rig: PlaybookRig) -> None:
    whoami = """
- name: who
  # The interpreter of these tests need not be open to others.
  ansible.builtin.raw: id -un
  register: who
  changed_when: false
  check_mode: false
- name: nobody
  ansible.builtin.assert:
    that: who.stdout_lines == ["nobody"]
"""
    # A user who may not log in has a shell that ends at once.
    su = LOCAL + 'ansible_become_method: su\nansible_become_flags: "-s /bin/sh"\n'
    for settings, fits in (({"become": True, "become_user": "nobody"}, True), ({}, False)):
        subject = rig.tasks(whoami, **settings)
        (subject.stack / "group_vars").mkdir()
        (subject.stack / "group_vars/all.yml").write_text(su)
        if fits:
            assert subject.plan().changes == ()
        else:
            with pytest.raises(ToolFailed, match="nobody"):
                subject.plan()


def test_roles_that_are_asked_for_are_fetched_and_used(rig: PlaybookRig) -> None:
    subject = rig.of("- hosts: all\n  gather_facts: false\n  roles: [acme.maker]\n", {})
    (subject.stack / "requirements.yml").write_text("roles:\n  - {src: ./maker.tar.gz, name: acme.maker}\n")
    with pytest.raises(ToolFailed, match="could not install a role"):
        subject.plan()
    with tarfile.open(subject.stack / "maker.tar.gz", "w:gz") as packed:
        for name, text in (("meta/main.yml", "galaxy_info: {author: a, description: d}\n"), ("tasks/main.yml", MAKE)):
            entry = tarfile.TarInfo(f"maker/{name}")
            entry.size = len(text)
            packed.addfile(entry, io.BytesIO(text.encode()))
    assert addresses(subject) == ["localhost: acme.maker : make"]
    subject.apply()
    assert sorted(subject.world()) == ["localhost"]


def test_a_limit_that_is_an_option_is_refused(rig: PlaybookRig) -> None:
    with pytest.raises(InvalidSettings, match="limit"):
        rig.tasks(MAKE, limit="--become").plan()
