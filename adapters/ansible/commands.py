"""Every command line of Ansible that we use, and its configuration, as values. Pure: building one starts nothing."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from adapters.ansible.settings import Settings
from adapters.contract import Command, Json

#: Where our callback plugin is.
CALLBACKS: Final = Path(__file__).with_name("callbacks")
#: ansible-galaxy's cache is not made for several writers.
ONE_INSTALL_AT_A_TIME: Final = "ansible-galaxy"
PROGRAM: Final = "ansible-playbook"
#: What each verb adds to the command line.
_WORDS: Final = {"look": ("--check", "--diff"), "syntax": ("--syntax-check",), "play": ("--diff",), "traces": ()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a playbook runs, and the private files that it runs with."""

    settings: Settings
    #: Files and folders by their absolute path, or lists of hosts.
    inventory: tuple[str, ...] = ()
    #: Folder that holds ansible-playbook.
    programs: Path
    root: Path
    folder: Path
    private: Path
    #: Names of what the run finds there, each of mode 0600 and removed when it ends.
    extra_vars: Path | None = None
    #: Password files by vault id.
    vaults: Mapping[str, Path] = field(default_factory=dict)
    config: Path
    #: Folder that facts are kept in from one run to the next, None where they are not.
    facts: Path | None = None
    #: See `overrides`.
    overrides: Path


def environment(config: Path) -> dict[str, str]:
    """Return the variables that keep the tool to our configuration: the repository's own ansible.cfg has no say.

    ansible-runner turns the checking of host keys off where its environment says nothing of it.
    """
    return {
        "ANSIBLE_CONFIG": str(config),
        "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",
    }


def config(*, roles: list[Path], collections: list[Path], facts: bool) -> str:
    """Return the ansible.cfg that we write."""
    lines = [
        "[defaults]",
        "callbacks_enabled = holdfast_lines",
        "host_key_checking = True",
        "interpreter_python = auto_silent",
        "inventory = /dev/null",
        "nocows = True",
        "retry_files_enabled = False",
        f"roles_path = {':'.join(str(path) for path in roles)}",
        f"collections_path = {':'.join(str(path) for path in collections)}",
    ]
    lines += ["gathering = smart"] if facts else []
    lines += ["[inventory]", "any_unparsed_is_failed = True"]
    return "\n".join(lines) + "\n"


def overrides(ssh: str) -> dict[str, Json]:
    """Return the variables that have the last word, whatever the repository says.

    Without pipelining a task has a terminal at the other end, and goes when its connection does: with it, what a
    cancelled run began goes on.
    """
    return {
        "ansible_ssh_args": ssh,
        "ansible_host_key_checking": True,
        "ansible_pipelining": False,
        "ansible_ssh_pipelining": False,
    }


def ssh_arguments(*, known_hosts: Path | None, key: Path | None) -> str:
    """Return what ssh is told first, which is what counts with it: host keys are checked, always.

    Neither the configuration nor the keys of whoever runs Holdfast are used: a stack gets what it was granted. A
    kept connection saves half a second a task; the driver ends it.
    """
    options = [
        "StrictHostKeyChecking=yes",
        f"UserKnownHostsFile={_for_ssh(known_hosts) if known_hosts else '/dev/null'}",
        *([f"IdentityFile={_for_ssh(key)}", "IdentitiesOnly=yes"] if key else ["IdentityFile=none"]),
        "PasswordAuthentication=no",
        "ControlMaster=auto",
        "ControlPersist=30s",
    ]
    return " ".join(["-F", "/dev/null", *(f"-o {shlex.quote(option)}" for option in options)])


def _for_ssh(path: Path) -> str:
    """Return a path as ssh's options take it: a percent sign begins a token there, and a blank ends the path."""
    return '"{}"'.format(str(path).replace("%", "%%"))


def version(program: Path) -> Command:
    """Ask for the tool's version."""
    return Command(argv=(str(program), "--version"), cwd=Path("/"), env={"LC_ALL": "C.UTF-8"})


def look(place: Place) -> Command:
    """Have the playbook say what it would do. Its own code runs, as far as it says that it may."""
    return _drive(place, "look", mutates=False)


def syntax(place: Place) -> Command:
    """Have the files checked, and no host asked."""
    return _drive(place, "syntax", mutates=False)


def play(place: Place) -> Command:
    """Run the playbook."""
    return _drive(place, "play", mutates=True)


def traces(place: Place) -> Command:
    """Have hosts say who was at work on them, by the playbook that `traces_playbook` gives."""
    return _drive(place, "traces", mutates=False)


def traces_playbook(scripts: Mapping[str, str]) -> str:
    """Return a playbook that runs a script of ours on each host, and tells what it printed. JSON is YAML."""
    told = "{{ holdfast_traces.stdout }}"
    plays = [
        # Written out for each host: what a script holds is no template, whatever a path is called.
        f"- hosts: {json.dumps([host])}\n  gather_facts: false\n  tags: [always]\n  tasks:\n"
        f"    - raw: !unsafe {json.dumps(script)}\n      register: holdfast_traces\n      changed_when: false\n"
        f"      ignore_unreachable: true\n"
        f"    - debug: {{msg: {json.dumps(told)}}}\n      when: holdfast_traces.stdout is defined\n"
        for host, script in scripts.items()
    ]
    return "".join(plays)


def install(program: Path, kind: str, requirements: Path, target: Path) -> Command:
    """Fetch what the requirements ask for: ``kind`` is collection or role. Beside ``target`` lies an ansible.cfg."""
    return Command(
        argv=(str(program.with_name("ansible-galaxy")), kind, "install", "-r", str(requirements), "-p", str(target)),
        cwd=requirements.parent,
        # It would take up an ansible.cfg beside the requirements, which names servers, folders and files to write.
        env={"LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CONFIG": str(target.with_name("ansible.cfg"))},
        exclusive=ONE_INSTALL_AT_A_TIME,
    )


def request(place: Place, command: Command) -> str:
    """Return what the driver of ``command`` reads: JSON, without a secret in it."""
    return json.dumps(
        {
            "private": str(place.private),
            "cwd": str(place.folder),
            "playbook": str(place.root / place.settings.playbook),
            "cmdline": shlex.join([*_WORDS[request_file(command).stem], *_options(place)]),
            "env": environment(place.config),
            "program_folder": str(place.programs),
            "facts": str(place.facts) if place.facts else "",
        }
    )


def request_file(command: Command) -> Path:
    """Return where the driver of ``command`` finds its request."""
    return Path(command.argv[-1])


def _drive(place: Place, verb: str, *, mutates: bool) -> Command:
    argv = (sys.executable, "-I", "-m", "adapters.ansible.driver", str(place.private / f"{verb}.json"))
    return Command(argv=argv, cwd=place.folder, mutates=mutates)


def _options(place: Place) -> list[str]:
    settings = place.settings
    words: list[str] = []
    for item in place.inventory:
        words += ["-i", item]
    for flag, value in (
        ("--limit", settings.limit),
        ("--tags", ",".join(settings.tags)),
        ("--skip-tags", ",".join(settings.skip_tags)),
        ("--forks", str(settings.forks or "")),
        ("--become-user", settings.become_user),
    ):
        words += [flag, value] if value else []
    words += ["--become"] if settings.become else []
    for label, path in sorted(place.vaults.items()):
        words += ["--vault-id", f"{label}@{path}"]
    # The last one wins.
    for file in (place.extra_vars, place.overrides):
        words += ["--extra-vars", f"@{file}"] if file else []
    return words
