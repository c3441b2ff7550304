"""Thousands of hostile bodies against the running service: it answers each, and is the same process afterwards."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from serviced import KINDS, Service
from signed import PUSHES, sent

_EVENTS = {"github": "push", "gitlab": "Push Hook", "gitea": "push", "bitbucket": "repo:push", "generic": ""}
_VALUES: tuple[Any, ...] = (None, True, -1, 1e308, "", "refs/heads/main", "\ud800", "\x00\r\n", [], {}, [[[]]], {"ref": {}}, "a" * 9999)  # fmt: skip


def bent(body: Any, chance: random.Random) -> Any:
    """Return a body with something in it put in another's place."""
    if isinstance(body, dict) and body and chance.random() < 0.8:
        name = chance.choice(sorted(body))
        return {**body, name: bent(body[name], chance)}
    if isinstance(body, list) and body and chance.random() < 0.8:
        return [bent(body[0], chance), *body[1:]]
    return chance.choice(_VALUES)


def cut(raw: bytes, chance: random.Random) -> bytes:
    """Return bytes that are cut, turned over or stuffed."""
    at = chance.randrange(len(raw) + 1)
    match chance.randrange(4):
        case 0:
            return raw[:at]
        case 1:
            return raw[:at] + chance.randbytes(3) + raw[at:]
        case 2:
            return b"[" * chance.randrange(60_000) + raw
        case _:
            return raw[:at] + b'"' + raw[at:] * 3


def hostile(number: int) -> Iterator[tuple[str, bytes, dict[str, str]]]:
    """Yield deliveries; half of them are signed, so that what they say is read."""
    chance = random.Random(20_261_125)  # noqa: S311 -- the same bodies each time
    for count in range(number):
        kind = chance.choice(KINDS)
        body = bent(PUSHES[kind], chance)
        raw = json.dumps(body).encode()
        raw = cut(raw, chance) if chance.random() < 0.5 else raw
        raw, headers = sent(kind, raw, chance.choice([_EVENTS[kind], "ping", "x" * 3000, "\x7f"]))
        if chance.random() < 0.5:
            name = chance.choice([name for name in headers if name != "content-type"])
            headers[name] = chance.choice(["", "sha256=", "v1,", "v1," * 999, "0" * 64, "%00", "9" * 40])
        headers["x-forwarded-for"] = f"10.{count % 199}.{count % 211}.{count % 7}"
        yield kind, raw, headers


@pytest.mark.parametrize("number", [1000, pytest.param(10_000, marks=pytest.mark.full)])
def test_hostile_bodies_are_answered_one_by_one(service: Service, number: int) -> None:
    before = service.process.pid
    codes: Counter[int] = Counter()

    def knock(one: tuple[str, bytes, dict[str, str]]) -> int:
        kind, raw, headers = one
        return int(service.http.post(f"/hooks/{kind}", content=raw, headers=headers).status_code)

    with ThreadPoolExecutor(4) as pool:
        codes.update(pool.map(knock, hostile(number)))
    assert not [code for code in codes if code >= 500], codes
    assert set(codes) <= {200, 202, 400, 401, 429}
    assert codes[400] > number / 10, codes
    assert service.process.poll() is None
    assert service.process.pid == before
    assert service.get("/livez").status_code == 200
    assert "Traceback" not in service.said
    assert not service.lines("a request broke")


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /hooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 9" + b"9" * 400 + b"\r\n\r\n",
        b"POST /hooks/github HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /hooks/github HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
        b"GET /" + b"a" * 200_000,
        b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000,
    ],
)
def test_what_is_no_request_costs_nothing(service: Service, raw: bytes) -> None:
    host, port = service.url.removeprefix("http://").split(":")
    import socket  # noqa: PLC0415 -- only here

    with socket.create_connection((host, int(port)), 10) as door:
        try:
            door.sendall(raw)
            door.shutdown(socket.SHUT_WR)
            while door.recv(65536):
                pass
        except TimeoutError:
            raise
        except OSError:
            # The server may hang up first, at any point; only its silence would be a fault.
            pass
    assert httpx2.get(f"{service.url}/livez").status_code == 200
    assert "Traceback" not in service.said
