"""What the operator's file says of who is told: secrets by name alone, and slips with their place."""

from __future__ import annotations

import pytest

from orchestrator.config.operator import Events, Notify
from orchestrator.config.operator_reading import read_operator
from orchestrator.errors import ConfigError


def read(tmp_path, text):
    file = tmp_path / "holdfast.yaml"
    file.write_text(f"version: 1\n{text}\n")
    return read_operator(file, {})


def test_receivers_are_read_with_what_they_want_to_hear_of(tmp_path):
    found = read(
        tmp_path,
        "notify:\n"
        "  - {to: '${secret:chat/slack}', on: [apply.failed, drift.*], stacks: ['infra/*@prod'], gather: 30s}\n"
        "  - {name: mail, to: '${secret:chat/mail}'}\n"
        "events:\n"
        "  - {url: 'https://events.example.org/holdfast', secret: '${secret:signing}'}\n"
        "  - {name: lake, url: 'http://lake.internal:8080/', secret: '${secret:lake}', allow_http: true, stacks: [a/*]}\n",
    )
    assert found.notify == (
        Notify(
            name="chat-slack",
            to_secret="chat/slack",
            on=("apply.failed", "drift.*"),
            stacks=("infra/*@prod",),
            gather_s=30.0,
        ),
        Notify(name="mail", to_secret="chat/mail"),
    )
    assert found.events == (
        Events(name="events-example-org", url="https://events.example.org/holdfast", secret="signing"),
        Events(name="lake", url="http://lake.internal:8080/", secret="lake", stacks=("a/*",), allow_http=True),
    )
    assert found.reserved_secrets() == {"chat/slack", "chat/mail", "signing", "lake"}
    assert found.notices == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("notify: [{to: 'slack://hunter2/b/c'}]", "a secret does not stand in this file"),
        ("notify: [{to: '${secret:a}', on: [apply.faild]}]", 'nothing that happens is called "apply.faild"'),
        ("notify: [{to: '${secret:a}', on: apply.failed}]", "notify[0].on"),
        ("notify: [{to: '${secret:a}'}, {to: '${secret:a}'}]", 'two receivers go by "a"'),
        ("notify: [{on: ['*']}]", 'the key "to" is missing'),
        ("notify: [{to: '${secret:a}', evnts: []}]", 'unknown key "evnts"'),
        ("notify: [{to: '${secret:a}', gather: 10}]", "a duration"),
        ("events: [{url: 'http://events.example.org', secret: '${secret:a}'}]", "in clear"),
        ("events: [{url: 'https://user:hunter2@events.example.org', secret: '${secret:a}'}]", "events[0].url"),
        ("events: [{url: 'https://events.example.org:99999999', secret: '${secret:a}'}]", "is no URL"),
        ("events: [{url: 'ftp://events.example.org', secret: '${secret:a}'}]", "events[0].url"),
        ("events: [{url: 'https://events.example.org', secret: hunter2}]", "a secret does not stand in this file"),
        ("events: [{url: 'https://events.example.org'}]", 'the key "secret" is missing'),
    ],
)
def test_a_slip_is_told_with_its_place_and_without_a_secret(tmp_path, text, said):
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    found = (caught.value, *caught.value.others)
    assert any(said in error.message and ":2:" in error.where for error in found), [error.message for error in found]
    assert "hunter2" not in "".join(error.message + error.hint for error in found)


def test_to_this_very_host_events_may_go_in_clear(tmp_path):
    found = read(tmp_path, "events: [{url: 'http://127.0.0.1:9000/x', secret: '${secret:a}'}]")
    assert found.events[0].name == "127-0-0-1"
