"""Two real sshd on loopback: host keys are checked, and whatever stops a run stops what it began, there too."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil
import pytest
from ports import free_port

from adapters.ansible.adapter import build
from adapters.contract import ChangeKind, Goal, Input, ToolFailed, ToolStopped, Unknown
from adapters.testimony import Testifying

if TYPE_CHECKING:
    from conftest import PlaybookRig, PlaybookSubject

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(SSHD is None or shutil.which("ssh") is None, reason="not installed: OpenSSH")

#: Nobody else on this machine sleeps for so long.
SLEEP = str(86_000 + os.getpid() % 1000)


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Two hosts, and the key that opens both."""

    ports: tuple[int, int]
    keys: tuple[str, str]
    private_key: str

    @property
    def inventory(self) -> str:
        line = f'ansible_host=127.0.0.1 ansible_python_interpreter="{sys.executable}"'
        return "".join(f"host{number} ansible_port={port} {line}\n" for number, port in enumerate(self.ports))

    def known(self, *keys: str) -> str:
        return "\n".join(f"[127.0.0.1]:{port} {key}" for port, key in zip(self.ports, keys or self.keys, strict=True))


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("host0", "host1", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    ports, running = [], []
    for number in range(2):
        ports.append(free_port())
        config = folder / f"sshd{number}"
        config.write_text(
            f"Port {ports[-1]}\nListenAddress 127.0.0.1\nHostKey {folder}/host{number}\n"
            f"AuthorizedKeysFile {folder}/user.pub\nPidFile none\nStrictModes no\nUsePAM no\n"
            "PasswordAuthentication no\nPermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\n"
        )
        log = (folder / f"log{number}").open("wb")
        running.append(subprocess.Popen([str(SSHD), "-D", "-e", "-f", config], stdout=log, stderr=log))
    try:
        for port in ports:
            until(lambda port=port: answers(port))
        yield Fleet(
            ports=(ports[0], ports[1]),
            keys=tuple(" ".join((folder / f"host{n}.pub").read_text().split()[:2]) for n in range(2)),  # type: ignore[arg-type]
            private_key=(folder / "user").read_text(),
        )
    finally:
        for each in running:
            each.terminate()
            each.wait()


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as found:
            return found.recv(4).startswith(b"SSH")
    except OSError:
        return False


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to be"
        threading.Event().wait(0.05)


def sleepers() -> list[psutil.Process]:
    return [each for each in psutil.process_iter(["cmdline"]) if each.info["cmdline"] == ["sleep", SLEEP]]


def at_work(subject: PlaybookSubject) -> list[str]:
    """Everything alive that carries the subject's folder in its command line: playbook, workers, ssh clients."""
    lines = (each.info["cmdline"] or [] for each in psutil.process_iter(["cmdline"]))
    return [" ".join(line) for line in lines if str(subject.folder) in " ".join(line)]


def connected(fleet: Fleet) -> list[object]:
    """Connections to the hosts: a kept one is an ssh that hides its command line."""
    return [
        each for each in psutil.net_connections("tcp") if each.raddr and each.raddr.port in fleet.ports and each.pid
    ]


def remote(rig: PlaybookRig, fleet: Fleet, tasks: str, known: str | None = None) -> PlaybookSubject:
    subject = rig.tasks(tasks)
    (subject.stack / "inventory").write_text(fleet.inventory)
    subject.inputs = {
        **subject.workspace.inputs,
        "ssh.private_key": Input(value=fleet.private_key, sensitive=True),
        "ssh.known_hosts": Input(value=fleet.known() if known is None else known),
    }
    return subject


FOLDER = (
    '- name: x\n  ansible.builtin.file: {path: "{{ root }}/{{ inventory_hostname }}", state: directory, mode: "0750"}'
)
SLOW = f"- name: slow\n  ansible.builtin.command: sleep {SLEEP}"


def test_two_hosts_are_worked_on_and_no_connection_outlives_the_run(rig: PlaybookRig, fleet: Fleet) -> None:
    subject = remote(rig, fleet, FOLDER)
    subject.apply()
    assert list(subject.world()) == ["host0", "host1"]
    since = time.time() - 1
    (subject.made / "host1").chmod(0o700)
    found = subject.adapter.drift(subject.workspace)
    assert [(item.change.address, item.change.kind) for item in found.items] == [("host1: x", ChangeKind.UPDATE)]
    assert at_work(subject) == []
    # The host itself is asked who was at work on it, over the same connection.
    assert isinstance(subject.adapter, Testifying)
    said = subject.adapter.testify(subject.workspace, found.items, since)
    assert said
    assert all(word.address == "host1: x" and "/host1 on host1" in word.what and word.at for word in said)
    assert at_work(subject) == []
    # Left alone they would stay for half a minute.
    until(lambda: not connected(fleet), 5)
    assert not [path for path in (subject.folder / "private").rglob("*") if path.is_file()]


def test_a_host_with_another_key_than_the_known_one_is_refused_whatever_the_inventory_says(
    rig: PlaybookRig, fleet: Fleet
) -> None:
    subject = remote(rig, fleet, FOLDER, known=fleet.known(fleet.keys[0], fleet.keys[0]))
    lax = "[all:vars]\nansible_host_key_checking=false\nansible_ssh_args=-o StrictHostKeyChecking=no\n"
    lax += "ansible_ssh_common_args=-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null\n"
    (subject.stack / "inventory").write_text(fleet.inventory + lax)
    with pytest.raises(ToolFailed, match="1 host could not be reached: host1") as refused:
        subject.plan()
    assert "keys are always checked" in refused.value.hint


def test_a_host_whose_key_nobody_knows_is_refused(rig: PlaybookRig, fleet: Fleet) -> None:
    with pytest.raises(ToolFailed, match="2 hosts could not be reached: host0, host1") as refused:
        remote(rig, fleet, FOLDER, known="# none").plan()
    assert "keys are always checked" in refused.value.hint


@pytest.mark.parametrize("where", ["here", "there"])
def test_a_cancelled_apply_ends_everything_that_it_began(rig: PlaybookRig, fleet: Fleet, where: str) -> None:
    subject = remote(rig, fleet, SLOW) if where == "there" else rig.tasks(SLOW)
    plan = subject.plan()
    wanted = threading.Event()
    adapter = build(subject.settings, subject.shell(cancelled=wanted.is_set))
    ended: list[BaseException] = []

    def apply() -> None:
        try:
            adapter.apply(subject.workspace, plan)
        except ToolStopped as stopped:
            ended.append(stopped)

    worker = threading.Thread(target=apply)
    worker.start()
    until(lambda: len(sleepers()) == (2 if where == "there" else 1))
    wanted.set()
    worker.join(60)
    assert isinstance(ended[0], ToolStopped)
    until(lambda: not sleepers(), 5)
    assert at_work(subject) == []
    # The driver ended by itself, and not by being killed once its grace was over: it put its files away.
    assert not [path for path in (subject.folder / "private").rglob("*") if path.is_file()]
    found = adapter.resume(subject.workspace, plan, subject.handle())
    assert isinstance(found, Unknown)
    assert "slow" in str(found.started)


def test_a_time_limit_ends_everything_even_a_look(rig: PlaybookRig) -> None:
    subject = rig.tasks(f"{SLOW}\n  check_mode: false")
    adapter = build(subject.settings, subject.shell(timeout_s=8.0))
    with pytest.raises(ToolStopped, match="did not end within 8 s"):
        adapter.plan(subject.workspace, Goal.CONVERGE)
    until(lambda: not sleepers(), 5)
    assert at_work(subject) == []


def test_a_driver_that_is_killed_leaves_an_attempt_whose_end_nobody_knows(rig: PlaybookRig) -> None:
    subject = rig.tasks(SLOW)
    plan = subject.plan()
    failed: list[BaseException] = []

    def apply() -> None:
        try:
            subject.adapter.apply(subject.workspace, plan)
        except Exception as error:  # noqa: BLE001 - which one is the shell's to say
            failed.append(error)

    worker = threading.Thread(target=apply)
    worker.start()
    until(lambda: len(sleepers()) == 1)
    # What the driver has printed is what is left of it.
    until(lambda: any(b'"begun"' in path.read_bytes() for path in (subject.folder / "home").rglob("stdout")))
    (driver,) = [
        each
        for each in psutil.process_iter(["cmdline"])
        if "adapters.ansible.driver" in (each.info["cmdline"] or []) and str(subject.folder) in each.info["cmdline"][-1]
    ]
    driver.send_signal(signal.SIGKILL)
    worker.join(60)
    assert failed
    until(lambda: not sleepers(), 10)
    found = subject.adapter.resume(subject.workspace, plan, subject.handle())
    assert found == Unknown(why="ansible ended before it said how", started=("localhost: slow",))
