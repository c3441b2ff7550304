"""The door opens before the service says that it is ready, and stays open while it drains."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from serviced import HOLDFAST, Service, until

from orchestrator.effects.journal import StreamJournal
from orchestrator.web.door import Door
from orchestrator.web.patience import Patient


def test_it_lives_and_is_ready_and_says_nothing_but_that(service: Service) -> None:
    service.until(lambda: service.get("/readyz").status_code == 200)
    for path in ("/livez", "/healthz"):
        assert service.get(path).json() == {"status": "ok"}
    ready = service.get("/readyz").json()
    assert ready == {
        "status": "ok",
        "checks": {"serving": "ok", "agenda": "ok", "database": "ok", "sources": "ok"},
    }


def test_a_port_in_use_is_told_before_anybody_is_told_of_a_service(tmp_path: Path) -> None:
    made = Service(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        made.start("--listen", f"127.0.0.1:{taken.getsockname()[1]}")
        assert made.ends() == 64
    assert "HF-1063" in made.said
    assert "The first token" not in made.said
    assert not made.lines("serving")


@pytest.mark.parametrize("address", ["192.0.2.1:80", "127.0.0.1:99999", "nonsense", "no.such.host.invalid:80", ":x"])
def test_an_address_that_is_none_of_ours_is_told(tmp_path: Path, address: str) -> None:
    done = Service(tmp_path).run("serve", "--listen", address)
    assert done.returncode == 64
    assert "HF-1063" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_service_that_answers_nobody_opens_nothing(tmp_path: Path) -> None:
    made = Service(tmp_path, listen="off")
    made.start()
    try:
        made.until(lambda: made.lines("serving"))
        assert "The first token" not in made.said
        sockets = [str(fd.readlink()) for fd in Path(f"/proc/{made.process.pid}/fd").iterdir() if fd.is_symlink()]
        assert not [name for name in sockets if name.startswith("socket:")]
    finally:
        made.process.send_signal(signal.SIGTERM)
        assert made.process.wait(60) == 0


def test_a_socket_that_its_supervisor_opened_is_taken(tmp_path: Path) -> None:
    made = Service(tmp_path)
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        opened.listen()
        os.set_inheritable(opened.fileno(), True)
        # LISTEN_PID is the service's own, which only it knows once it is there.
        program = (
            "import os,sys; os.dup2(int(sys.argv[1]), 3);"
            "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1');"
            "os.execv(sys.argv[2], [sys.argv[2], 'serve'])"
        )
        with made.log.open("wb") as log:
            made.process = subprocess.Popen(
                [sys.executable, "-c", program, str(opened.fileno()), HOLDFAST],
                cwd=made.folder,
                env=made.environment,
                pass_fds=[opened.fileno()],
                stdout=log,
                stderr=log,
            )
        port = opened.getsockname()[1]
    try:
        made.until(lambda: made.lines("serving"))
        assert httpx2.get(f"http://127.0.0.1:{port}/livez").status_code == 200
    finally:
        made.process.send_signal(signal.SIGTERM)
        assert made.process.wait(60) == 0


@pytest.mark.needs("git", "terraform")
def test_while_it_drains_it_is_not_ready_and_answers_all_the_same(tmp_path: Path, lab_cli_config: Path) -> None:
    made = Service(tmp_path)
    cloud = tmp_path / "cloud"
    (made.lab / "slow").mkdir()
    (made.lab / "slow/main.tf").write_text(
        'terraform {\n  required_providers {\n    lab = { source = "lab.test/lab/lab", version = "0.1.0" }\n  }\n}\n'
        f'provider "lab" {{ root = "{cloud}" }}\nresource "lab_object" "slow" {{\n  name = "slow"\n  delay = 5\n}}\n'
    )
    stacks = {"version": 1, "defaults": {"apply": "auto"}, "stacks": {"slow": {"tool": "terraform", "path": "slow"}}}
    (made.lab / "stacks.yaml").write_text(json.dumps(stacks))
    made.keys["sources"] = [made.source("lab")]
    made.write()
    made.extra["TF_CLI_CONFIG_FILE"] = str(lab_cli_config)
    with made.at_work():
        made.until((cloud / "ledger.jsonl").exists)
        assert made.get("/readyz").status_code == 200
        made.process.send_signal(signal.SIGTERM)
        made.until(lambda: made.get("/readyz").status_code == 503)
        assert made.get("/readyz").json()["checks"]["serving"] == "failed"
        assert made.get("/livez").json() == {"status": "ok"}
        assert made.get("/api/v1/about", made.first).status_code == 200
        page = made.get("/metrics", made.first).text
        assert 'holdfast_workers{state="busy"} 1.0' in page
        assert made.process.wait(60) == 0
    assert "Traceback" not in made.said


def held(address: tuple[str, int]) -> bool:
    """Whether a process has its end of some connection to an address that is open, or was closed only by the other."""
    ends = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(end[1].endswith(f":{address[1]:04X}") and end[3] in {"01", "08"} for end in ends)


@contextmanager
def impatient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A door that waits for nobody, and says in its journal what it complains of."""
    monkeypatch.setattr(Patient, "patience_s", 0.2)
    with (tmp_path / "log").open("w") as log:
        door = Door.at("127.0.0.1:0", {})
        assert door
        app = FastAPI()
        app.get("/livez")(lambda: "ok")
        app.get("/much")(lambda: "x" * 8_000_000)
        door.serve(app, StreamJournal.on(log, {}, lambda: str))
        host, port = door.address.split(":")
        try:
            yield host, int(port)
            assert httpx2.get(f"http://{door.address}/livez").json() == "ok"
        finally:
            door.close()
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"http://{host}:{port}/livez")


@pytest.mark.parametrize("said", [b"", b"GET /livez HTTP/1.1\r\nX: ", b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /l"])
def test_whoever_says_nothing_whole_is_shown_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: bytes) -> None:
    with impatient(monkeypatch, tmp_path) as address, socket.create_connection(address, 10) as silent:
        silent.sendall(said)
        while silent.recv(65536):
            pass


def test_whoever_asks_and_never_reads_is_shown_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with impatient(monkeypatch, tmp_path) as address, socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        deaf.connect(address)
        deaf.sendall(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
        # Once it was held, and then no more, though nothing of it was read: the kernel alone has the rest.
        until(lambda: held(address))
        until(lambda: not held(address))


def test_what_is_no_request_is_complained_of_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with impatient(monkeypatch, tmp_path) as address:
        for _ in range(5):
            with socket.create_connection(address, 10) as rude:
                rude.sendall(b"\0\r\n\r\n")
                assert rude.recv(100).startswith(b"HTTP/1.1 400 ")
        assert (tmp_path / "log").read_text().count("Invalid HTTP request") == 1
