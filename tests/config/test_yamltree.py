"""YAML as it is written: no surprises of the 1.1 kind, no bombs, and every value knows its place."""

from __future__ import annotations

import time
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config.yamltree import MAX_BYTES, MAX_DEPTH, Written, read, typed
from orchestrator.errors import ConfigError

FILE = PurePosixPath("stacks.yaml")


def value(text: str):
    return typed(read(f"x: {text}".encode(), FILE).value)["x"]


@pytest.mark.parametrize(
    "text",
    [
        "on",
        "off",
        "yes",
        "no",
        "y",
        "n",
        "10:30",
        "190:20:30",
        "0644",
        "007",
        "2026-11-23",
        "2026-11-23T10:00:00Z",
        "1_000",
        "0b11",
        "<<",
        "=",
        ".inf",
        ".nan",
        "1e999",
        "+",
        "1.2.3",
        "~> 1.11",
    ],
)
def test_what_only_looks_like_a_value_stays_text(text):
    assert value(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.10", 1.1),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("'12'", "12"),
        ('"true"', "true"),
        ("'~'", "~"),
        ("|\n  true\n", "true\n"),
    ],
)
def test_values_read_by_the_core_schema(text, expected):
    found = value(text)
    assert found == expected
    assert type(found) is type(expected)


def test_a_number_keeps_the_text_that_was_written():
    node = read(b"tool_version: 1.10\n", FILE)
    assert node.value["tool_version"] == "1.10"
    assert isinstance(node.value["tool_version"], Written)


def test_keys_are_text_whatever_they_look_like():
    assert read(b"on: a\n1: b\ntrue: c\n2026-11-23: d\n", FILE).value == {
        "on": "a",
        "1": "b",
        "true": "c",
        "2026-11-23": "d",
    }


def test_every_value_knows_its_place():
    node = read(b"a:\n  b: [x, {c: yes}]\n", FILE)
    inner = node.at(("a", "b", 1, "c"))
    assert (inner.value, inner.line, inner.column, inner.starts) == ("yes", 2, 14, (2, 11))
    assert node.at(("a", "nowhere", 3)) is node.at(("a",))


def test_a_byte_order_mark_is_no_key():
    assert read(b"\xef\xbb\xbfa: 1\n", FILE).value == {"a": "1"}


def test_an_empty_file_is_empty():
    assert read(b"# nothing\n", FILE).value is None


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "code", "where", "says"),
    [
        (BOMB.encode(), "HF-1002", "stacks.yaml:1:4", "the anchor &a"),
        (b"a: *b\n", "HF-1002", "stacks.yaml:1:4", "the alias *b"),
        (b"a: !!python/object/apply:os.system [x]\n", "HF-1002", "stacks.yaml:1:4", "the tag"),
        (b"a: !Ref x\n", "HF-1002", "stacks.yaml:1:4", "the tag !Ref"),
        (b"[" * 200_000, "HF-1002", f"stacks.yaml:1:{MAX_DEPTH + 1}", "nesting deeper than 64"),
        (b"{a: " * 200_000, "HF-1002", "stacks.yaml:1:257", "nesting deeper than 64"),
        (b"".join(b" " * n + b"- \n" for n in range(900)), "HF-1002", "stacks.yaml:65:65", "nesting deeper"),
        (b"# " + b"x" * MAX_BYTES, "HF-1002", "stacks.yaml", "more than 1,048,576"),
        (b"a: 1\nb: caf\xe9\n", "HF-1002", "stacks.yaml:2:7", "not UTF-8: byte 0xe9"),
        ("a: 1".encode("utf-16"), "HF-1002", "stacks.yaml:1:1", "not UTF-8"),
        (b"\x00\x01\x02", "HF-1001", "stacks.yaml", "not YAML"),
        (b"---\na: 1\n---\nb: 1\n", "HF-1002", "stacks.yaml:3:1", "a second document"),
        (b"? [a]\n: 1\n", "HF-1002", "stacks.yaml:1:3", "as a key"),
        (b"a:\n\t- b\n", "HF-1001", "stacks.yaml:2:1", "not YAML"),
        (b"a: [1,\n", "HF-1001", "stacks.yaml:2:1", "not YAML"),
        (b"a: [${x}]\n", "HF-1001", "stacks.yaml:1:6", "not YAML"),
        (b"a: 'x\n", "HF-1001", "stacks.yaml:2:1", "not YAML"),
        (b"a: 1\n b: 2\n", "HF-1001", "stacks.yaml:2:3", "not YAML"),
        (b"a: @x\n", "HF-1001", "stacks.yaml:1:4", "not YAML"),
        (b"%YAML 9.9\n---\na: 1\n", "HF-1001", "stacks.yaml:1:1", "not YAML"),
    ],
)
def test_what_cannot_be_read_is_refused_at_once_with_its_place(content, code, where, says):
    began = time.perf_counter()
    with pytest.raises(ConfigError) as caught:
        read(content, FILE)
    assert time.perf_counter() - began < 1
    assert (caught.value.code, caught.value.where) == (code, where)
    assert says in caught.value.message
    assert caught.value.hint


def test_a_key_that_stands_twice_is_an_error_with_both_lines():
    with pytest.raises(ConfigError) as caught:
        read(b"a: 1\nb: 2\na: 3\nc: {d: 1, d: 2}\n", FILE)
    first, second = caught.value, *caught.value.others
    assert (first.code, first.where) == ("HF-1005", "stacks.yaml:3:1")
    assert "first in line 1" in first.message
    assert second.where == "stacks.yaml:4:11"


def test_nesting_up_to_the_limit_is_read():
    assert read(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, FILE).value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_with_a_code(content):
    try:
        read(content, FILE)
    except ConfigError as error:
        assert error.code in {"HF-1001", "HF-1002", "HF-1005"}  # noqa: PT017 -- either way is right


@given(st.text(alphabet="ab:-[]{}&*!'\"|>%@#\n\t 0123", max_size=60))
def test_any_text_is_read_or_refused_with_a_code(text):
    try:
        typed(read(text.encode(), FILE).value)
    except ConfigError as error:
        assert error.code in {"HF-1001", "HF-1002", "HF-1005"}  # noqa: PT017 -- either way is right
