"""What breaks on the way to a host, and what may not go along on it."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

import pytest
from repositories import Repository, Yard, git_source

from orchestrator.errors import SourceUnreachable

TOKEN = "hunter2-token"
MAIN_TF = PurePosixPath("web/main.tf")

pytestmark = pytest.mark.needs("nginx", "fcgiwrap")


class Way:
    """A way to a host that breaks once ``limit`` bytes of its answers have gone by."""

    def __init__(self, target: int) -> None:
        self.target, self.limit, self.cuts = target, 1 << 40, 0
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.door.getsockname()[1]

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self.door.accept()
                callee = socket.create_connection(("127.0.0.1", self.target))
                for pump in (self.ask, self.answer):
                    threading.Thread(target=pump, args=(caller, callee), daemon=True).start()

    def ask(self, caller: socket.socket, callee: socket.socket) -> None:
        with suppress(OSError):
            while block := caller.recv(65536):
                callee.sendall(block)

    def answer(self, caller: socket.socket, callee: socket.socket) -> None:
        with suppress(OSError):
            while block := callee.recv(4096):
                self.limit -= len(block)
                if self.limit < 0:
                    self.cuts += 1
                    break
                caller.sendall(block)
        for end in (caller, callee):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def yard(yard: Yard, https) -> Yard:
    yard.outer |= {"GIT_SSL_CAINFO": str(https.certificate)}
    yard.token = TOKEN
    return yard


@contextmanager
def broken_at_will(port: int) -> Iterator[Way]:
    way = Way(port)
    with way.door:
        threading.Thread(target=way.serve, daemon=True).start()
        yield way
        with suppress(OSError):
            way.door.shutdown(socket.SHUT_RDWR)


def pushed(https, repository: Repository, name: str, files: dict[str, str | bytes]) -> str:
    commit = repository.commit(files)
    repository.git("push", "-q", str(https.root / f"{name}.git"), "main")
    return commit


def test_a_host_that_dies_in_the_middle_costs_nothing_that_was_there(yard: Yard, https, repository: Repository) -> None:
    https.publish(repository, "cut")
    with broken_at_will(https.port) as way:
        url = https.url("cut").replace(f":{https.port}/", f":{way.port}/")
        source = git_source(url, ref="main", token_secret="token")
        good = yard.sources.read(source)
        newer = pushed(https, repository, "cut", {"web/main.tf": "# two\n", "big": os.urandom(300_000)})
        way.limit = 100_000
        with pytest.raises(SourceUnreachable) as error:
            yard.sources.read(source, last=good.id)
        assert way.cuts, "it was not cut"
        assert error.value.transient
        assert yard.sources.tree(source, good.id).read(MAIN_TF) == b"# web\n"
        Repository(yard.home / "sources" / "infra" / "mirror.git").git("--git-dir=.", "fsck", "--no-dangling")
        way.limit = 1 << 40
        assert yard.sources.read(source, last=good.id).id == newer


def test_what_a_killed_fetch_left_behind_is_in_nobodys_way(yard: Yard, https, repository: Repository) -> None:
    https.publish(repository, "killed")
    source = git_source(https.url("killed"), ref="main", token_secret="token")
    good = yard.sources.read(source)
    newer = pushed(https, repository, "killed", {"web/main.tf": "# two\n"})
    mirror = yard.home / "sources" / "infra" / "mirror.git"
    (mirror / "objects" / "pack" / "tmp_pack_x").write_bytes(b"half")
    for ref in ("HEAD", "packed-refs", "refs/heads/main", "config"):
        (mirror / f"{ref}.lock").parent.mkdir(parents=True, exist_ok=True)
        (mirror / f"{ref}.lock").touch()
    assert yard.sources.read(source, last=good.id).id == newer


def test_the_logins_of_whoever_runs_us_stay_at_home(yard: Yard, https, repository: Repository, tmp_path: Path) -> None:
    https.publish(repository, "home")
    mark = tmp_path / "mark"
    home = tmp_path / "person"
    home.mkdir()
    (home / ".netrc").write_text(f"machine localhost login git password {TOKEN}\n")
    (home / ".gitconfig").write_text(
        f'[credential]\nhelper = "!touch {mark}; echo username=git; echo password={TOKEN}"\n'
    )
    yard.outer |= {"HOME": str(home), "GIT_ASKPASS": "/bin/echo", "SSH_ASKPASS": "/bin/echo", "DISPLAY": ":0"}
    with pytest.raises(SourceUnreachable) as error:
        yard.sources.read(git_source(https.url("home")))
    assert error.value.code == "HF-3003"
    assert not mark.exists()


def test_no_process_anywhere_bears_the_token_on_its_command_line(yard: Yard, https, repository: Repository) -> None:
    https.publish(repository, "seen")
    seen: set[bytes] = set()
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            for process in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    seen.add((process / "cmdline").read_bytes())

    looker = threading.Thread(target=look)
    looker.start()
    try:
        yard.sources.read(git_source(https.url("seen"), token_secret="token"))
    finally:
        over.set()
        looker.join()
    assert any(b"git_fetch.py" in line for line in seen), "nothing was seen"
    assert not [line for line in seen if TOKEN.encode() in line]
