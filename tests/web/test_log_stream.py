"""What tools say is told while they say it, goes on where it broke off, and ends with the right to read it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from inhouse import House

from orchestrator.model.event import DriftGone


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with House(tmp_path).open() as made:
        yield made


def began(house: House, *names: str) -> int:
    run = house.run("apply", ends=False)
    for name in names:
        house.append(name, DriftGone(), run=run)
    return run.number


def told(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Read server-sent events one by one."""
    event: dict[str, Any] = {"event": "message"}
    for line in lines:
        name, _, value = line.partition(": ")
        if not line:
            if "data" in event:
                yield event
            event = {"event": "message"}
        elif name:
            event[name] = json.loads(value) if name == "data" else value


def whole(
    house: House, run: int, role: str = "admin", query: str = "follow=false", **headers: str
) -> list[dict[str, Any]]:
    found = house.get(f"/runs/{run}/logs?{query}", role, **headers)
    assert found.status_code == 200, found.text
    assert found.headers["content-type"].startswith("text/event-stream")
    return list(told(iter(found.text.split("\n"))))


def test_each_line_is_told_with_its_stack_and_the_end_says_so(house: House) -> None:
    run = began(house, "web@prod", "db@prod")
    house.logged("web@prod", run, "one", "two\ttabs")
    house.logged("db@prod", run, "three")
    *lines, end = whole(house, run)
    assert sorted((one["data"]["key"], one["data"]["line"]) for one in lines) == [
        ("lab/db@prod", "three"), ("lab/web@prod", "one"), ("lab/web@prod", "two\ttabs"),
    ]  # fmt: skip
    assert (end["event"], end["data"]) == ("end", {"run": run})
    assert [one["data"]["line"] for one in whole(house, run, query="follow=false&stack=lab/db@prod")[:-1]] == ["three"]


def test_of_a_run_of_many_only_those_logs_are_told_that_are_theirs(house: House) -> None:
    run = began(house, "web@prod", "db@prod")
    house.logged("web@prod", run, "mine")
    house.logged("db@prod", run, "not mine")
    for query in ("follow=false", "follow=false&stack=lab/db@prod&stack=lab/web@prod"):
        assert [one["data"]["line"] for one in whole(house, run, "own", query)[:-1]] == ["mine"]
    assert house.get(f"/runs/{began(house, 'db@prod')}/logs?follow=false", "own").status_code == 404


def test_it_goes_on_right_behind_the_last_line_that_was_read(house: House) -> None:
    run = began(house, "web@prod", "db@prod")
    for name in ("web@prod", "db@prod"):
        house.logged(name, run, *(f"{name} {number}" for number in range(5)))
    every = [one for one in whole(house, run) if one["event"] == "message"]
    assert len(every) == 10
    for at, one in enumerate(every):
        rest = whole(house, run, **{"last-event-id": one["id"]})
        assert [line["data"]["line"] for line in rest[:-1]] == [line["data"]["line"] for line in every[at + 1 :]]
    house.logged("web@prod", run, "six")
    assert [one["data"]["line"] for one in whole(house, run, **{"last-event-id": every[-1]["id"]})[:-1]] == ["six"]


@pytest.mark.parametrize("last", ["x", "e30x", "W10", "eyJhIjotMX0", "eyJhIjoieCJ9", "eyJhIjoxZTk5OTl9"])
def test_an_id_that_is_none_of_ours_is_told(house: House, last: str) -> None:
    run = began(house, "web@prod")
    assert house.get(f"/runs/{run}/logs?follow=false", **{"last-event-id": last}).status_code == 400


def test_long_lines_and_large_logs_come_whole(house: House) -> None:
    run = began(house, "web@prod")
    lines = ["x" * 300_000, *(f"{number} " + "y" * 200 for number in range(2000))]
    house.logged("web@prod", run, *lines)
    assert [one["data"]["line"] for one in whole(house, run)[:-1]] == lines


def test_what_is_said_is_told_as_it_is_said_and_the_end_of_the_run_ends_it(house: House) -> None:
    run = began(house, "web@prod")
    house.logged("web@prod", run, "first")
    bearer = {"authorization": f"Bearer {house.tokens['own']}"}
    with house.door() as client, client.stream("GET", f"/runs/{run}/logs", headers=bearer) as answer:
        events = told(answer.iter_lines())
        assert next(events)["data"]["line"] == "first"
        house.logged("web@prod", run, "second")
        assert next(events)["data"]["line"] == "second"
        house.logged("web@prod", run, "last")
        house.post.outside.record.close_run(run)
        assert [one["event"] for one in events] == ["message", "end"]


def test_a_revoked_token_s_stream_ends_within_five_seconds(house: House) -> None:
    run = began(house, "web@prod")
    house.logged("web@prod", run, "first")
    bearer = {"authorization": f"Bearer {house.tokens['own']}"}
    with house.door() as client, client.stream("GET", f"/runs/{run}/logs", headers=bearer) as answer:
        events = told(answer.iter_lines())
        assert next(events)["data"]["line"] == "first"
        house.served.host.tokens.revoke("own-token", by="test")
        at = time.monotonic()
        assert list(events) == []
        assert time.monotonic() - at < 5


def test_nobody_opens_streams_without_end(house: House) -> None:
    run = began(house, "web@prod")
    bearer = {"authorization": f"Bearer {house.tokens['own']}"}
    with house.door() as client:
        open_now = [client.stream("GET", f"/runs/{run}/logs", headers=bearer) for _ in range(10)]
        answers = [one.__enter__() for one in open_now]
        try:
            assert {one.status_code for one in answers} == {200}
            refused = client.get(f"/runs/{run}/logs", headers=bearer)
            assert (refused.status_code, refused.json()["code"]) == (429, "HF-4123")
        finally:
            for one in open_now:
                one.__exit__(None, None, None)
        house.made_until(lambda: not house.app.state.inside.streams)
        house.post.outside.record.close_run(run)
        assert client.get(f"/runs/{run}/logs", headers=bearer).status_code == 200


def test_a_reader_who_takes_nothing_costs_a_bounded_piece(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.web.streams._PATIENCE_S", 0.5)
    run = began(house, "web@prod")
    house.logged("web@prod", run, *("z" * 1000 for _ in range(12_000)))
    with house.door() as client:
        address = (client.base_url.host, client.base_url.port)
        with socket.create_connection(address, timeout=30) as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.sendall(
                f"GET /api/v1/runs/{run}/logs HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {house.tokens['own']}\r\n\r\n".encode()
            )
            house.made_until(lambda: house.app.state.inside.streams)
            house.made_until(lambda: not house.app.state.inside.streams)
