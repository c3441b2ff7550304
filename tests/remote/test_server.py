"""What a client makes of servers that refuse, break off, lead elsewhere, or are none of ours."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fakes import Fake, hang_up, refuse, send

from orchestrator.errors import OrchestratorError, Unreached
from orchestrator.remote.address import Address
from orchestrator.remote.server import Server

TOKEN = "hf_c4n4ry"
Starts = Callable[[Callable[[Any, int], None]], Fake]


def server(url: str) -> Server:
    return Server(address=Address(url=url, token=TOKEN, in_clear_here=url.startswith("http:")), _sleep=lambda _: None)


def refused(ask: Callable[[], object]) -> OrchestratorError:
    with pytest.raises(OrchestratorError) as caught:
        ask()
    assert TOKEN not in f"{caught.value.message}{caught.value.hint}"
    return caught.value


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_nobody_there_is_said_and_nothing_was_asked() -> None:
    there = server(f"http://127.0.0.1:{free_port()}")
    for ask in (lambda: there.get("stacks"), lambda: there.post("plan", {}), lambda: list(there.events("runs/1/logs"))):
        assert (refused(ask).code, refused(ask).exit_code) == ("HF-4800", 1)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [(200, b"<html>", "text/html"), (404, b"gone", "text/plain"), (500, b"", "text/html"), (200, b"[1]", "application/json"), (200, b"{", "application/json"), (403, {"code": 7}, "application/problem+json"), (401, b"{", "application/problem+json"), (403, {"code": "E1"}, "application/problem+json")],
)  # fmt: skip
def test_what_is_none_of_ours_is_told_from_a_service(fake: Starts, status: int, body: Any, kind: str) -> None:
    there = fake(lambda request, _: send(request, status, body, kind))
    assert refused(lambda: server(there.url).get("stacks")).code == "HF-4801"


def test_a_list_of_something_else_is_told_from_ours(fake: Starts) -> None:
    there = fake(lambda request, _: send(request, 200, {"rows": []}))
    assert refused(lambda: list(server(there.url).pages("stacks"))).code == "HF-4801"


def test_an_answer_that_nothing_can_unpack_is_refused(fake: Starts) -> None:
    there = fake(lambda request, _: send(request, 200, b"x", **{"content-encoding": "gzip"}))
    assert refused(lambda: server(there.url).get("stacks")).code == "HF-4801"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_the_token_is_carried_nowhere_else(fake: Starts, status: int) -> None:
    other = fake(lambda request, _: send(request, 200, {}))
    there = fake(lambda request, _: send(request, status, b"", location=f"{other.url}/api/v1/stacks"))
    found = refused(lambda: server(there.url).get("stacks"))
    assert (found.code, other.url in found.message) == ("HF-4803", True)
    assert refused(lambda: server(there.url).post("plan", {})).code == "HF-4803"
    assert other.asked == []


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [(401, "HF-4121", 4), (403, "HF-4122", 4), (404, "HF-4120", 64), (409, "HF-1906", 64), (429, "HF-4123", 75), (503, "HF-4301", 1), (409, "HF-5020", 5)],
)  # fmt: skip
def test_a_problem_is_the_same_error_with_the_same_exit_code(
    fake: Starts, status: int, code: str, exit_code: int
) -> None:
    there = fake(lambda request, _: refuse(request, status, code, exit_code=exit_code, hint="do it"))
    found = refused(lambda: server(there.url).get("stacks"))
    assert (found.code, found.exit_code, found.message, found.hint) == (code, exit_code, "why", "do it")
    assert len(there.asked) == 1


def test_a_question_is_asked_again_where_what_stands_between_failed(fake: Starts) -> None:
    there = fake(
        lambda request, n: [hang_up, lambda one: send(one, 502, b""), lambda one: send(one, 200, {"a": 1})][n](request)
    )
    assert server(there.url).get("stacks") == {"a": 1}
    assert [one["authorization"] for one in there.asked] == [f"Bearer {TOKEN}"] * 3


def test_an_act_is_asked_for_again_under_the_same_key(fake: Starts) -> None:
    answers = [hang_up, lambda one: refuse(one, 409, "HF-4131"), lambda one: send(one, 202, {"run": 7})]
    there = fake(lambda request, n: answers[n](request))
    assert server(there.url).post("plan", {"reason": "r"}) == {"run": 7}
    assert len({one["idempotency-key"] for one in there.asked}) == 1


def test_of_an_act_that_nobody_answered_it_is_said_that_nobody_knows(fake: Starts) -> None:
    there = fake(lambda request, _: hang_up(request))
    found = refused(lambda: server(there.url).post("plan", {}))
    assert (found.code, "holdfast runs" in found.hint) == ("HF-4804", True)
    assert refused(lambda: server(there.url).get("stacks")).code == "HF-4802"


def test_the_key_of_somebody_else_s_request_is_waited_for_by_nobody(fake: Starts) -> None:
    there = fake(lambda request, _: refuse(request, 409, "HF-4131", exit_code=75))
    assert refused(lambda: server(there.url).post("plan", {})).code == "HF-4131"
    assert len(there.asked) == 1


def test_a_stream_that_broke_is_read_on_behind_its_last_line(fake: Starts) -> None:
    first = b": hello\nid: one\ndata: 1\n\nevent: message\nid: two\ndata: 2\ndata: 3\n\nid: three\ndata: lost"
    answers = [first, b"", b"id: four\ndata: 4\n\nevent: end\ndata: {}\n\n"]
    there = fake(lambda request, n: send(request, 200, answers[n], "text/event-stream; charset=utf-8"))
    found = list(server(there.url).events("runs/1/logs", {"follow": "true"}))
    assert [(one.kind, one.body) for one in found] == [
        ("message", "1"),
        ("message", "2\n3"),
        ("message", "4"),
        ("end", "{}"),
    ]
    assert [one.get("last-event-id") for one in there.asked] == [None, "two", "two"]


def test_a_stream_that_never_comes_back_ends_in_an_error(fake: Starts) -> None:
    there = fake(lambda request, _: send(request, 200, b"", "text/event-stream"))
    assert refused(lambda: list(server(there.url).events("runs/1/logs"))).code == "HF-4802"
    assert len(there.asked) == 4
    there = fake(lambda request, _: send(request, 200, b"{}"))
    assert refused(lambda: list(server(there.url).events("runs/1/logs"))).code == "HF-4801"
    there = fake(lambda request, _: refuse(request, 401, "HF-4121", exit_code=4))
    assert refused(lambda: list(server(there.url).events("runs/1/logs"))).code == "HF-4121"


def test_pages_are_read_to_the_last_and_no_further_than_wanted(fake: Starts) -> None:
    there = fake(lambda request, n: send(request, 200, {"items": [{"n": n}], "next": "c" if n == 0 else None}))
    assert list(server(there.url).pages("stacks", {"which": ("a", "b c"), "source": ""})) == [{"n": 0}, {"n": 1}]
    assert [one["path"] for one in there.asked] == [
        "/api/v1/stacks?which=a&which=b+c&limit=200",
        "/api/v1/stacks?which=a&which=b+c&limit=200&cursor=c",
    ]


def certified(folder: Path) -> tuple[Path, Path]:
    """Make a certificate of 127.0.0.1 that nobody but itself has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lab")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


def test_a_certificate_that_nobody_trusts_is_refused_and_one_s_own_authority_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, private = certified(tmp_path)
    terms = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    terms.load_cert_chain(certificate, private)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            for _ in range(8):
                try:
                    plain, _ = listening.accept()
                    with terms.wrap_socket(plain, server_side=True) as one:
                        one.recv(65536)
                        one.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
                except (OSError, ssl.SSLError):
                    continue

        threading.Thread(target=answer, daemon=True).start()
        url = f"https://127.0.0.1:{listening.getsockname()[1]}"
        found = refused(lambda: server(url).get("about"))
        assert isinstance(found, Unreached)
        assert found.code == "HF-4805"
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert server(url).get("about") == {}
