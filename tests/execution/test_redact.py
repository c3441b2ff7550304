"""Secrets in every form that tools give them, cut anywhere, and texts that would fool a terminal."""

from __future__ import annotations

import base64
import itertools
import json
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import MASK
from orchestrator.effects.redact import Redactor, Stream

SECRET = 'pa55/w+rd<&>"ü\\ %end'
PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nMzEf\n-----END PRIVATE KEY-----\n"


def go_json(text: str) -> str:
    """Escape as Go's encoding/json does by default."""
    plain = json.dumps(text, ensure_ascii=False)[1:-1]
    return plain.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


FORMS = {
    "raw": SECRET,
    "hex": SECRET.encode().hex(),
    "HEX": SECRET.encode().hex().upper(),
    "url": quote(SECRET, safe=""),
    "url with slashes": quote(SECRET),
    "form": quote_plus(SECRET),
    "url in lower case": quote(SECRET, safe="").lower(),
    "json": json.dumps(SECRET)[1:-1],
    "json in json": json.dumps(json.dumps({"k": SECRET})),
    "json from Go": go_json(SECRET),
    "json from Go in json": json.dumps(go_json(SECRET)),
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(SECRET.encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_masked(form: str) -> None:
    masked = Redactor([SECRET]).mask(f"before {FORMS[form]} after")
    assert MASK in masked
    for piece in ("pa55", "w+rd", "w%2", "end", SECRET.encode().hex()[4:12]):
        assert piece not in masked.replace("before", ""), masked


@given(before=st.binary(max_size=7), after=st.binary(max_size=7), secret=st.binary(min_size=6, max_size=80))
@settings(max_examples=150, deadline=None)
def test_inside_longer_base64_no_more_than_the_edges_shows(before: bytes, after: bytes, secret: bytes) -> None:
    text = secret.decode("latin-1").encode("ascii", "replace").decode()
    encoded = base64.b64encode(before + text.encode() + after).decode()
    masked = Redactor([text]).mask(encoded)
    assert MASK in masked
    # At most one character on each side stands partly for the secret.
    assert len(masked.replace(MASK, "")) <= len(encoded) - (len(text) * 8 // 6 - 2)


@given(
    secrets=st.lists(st.text(alphabet="abcdA=/+%\n", min_size=4, max_size=12), min_size=1, max_size=4),
    filling=st.lists(st.text(alphabet="abcdxy \n", max_size=9), min_size=5, max_size=5),
    cuts=st.lists(st.integers(0, 90), max_size=12),
)
@settings(max_examples=300, deadline=None)
def test_a_text_cut_anywhere_shows_what_the_whole_shows(
    secrets: list[str], filling: list[str], cuts: list[int]
) -> None:
    redactor = Redactor(secrets)
    text = "".join(
        piece + secret for piece, secret in zip(filling, [*secrets, *secrets, *secrets, *secrets], strict=False)
    )
    at = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    stream = Stream(redactor)
    shown = "".join(stream.feed(text[a:b]) for a, b in itertools.pairwise(at)) + stream.close()
    assert shown == redactor.mask(text)
    for secret in secrets:
        assert secret not in shown.replace(MASK, "")  # nothing of it is left in one piece


@pytest.mark.parametrize("indent", ["", "    ", "  + "])
def test_a_secret_of_several_lines_is_masked_line_by_line(indent: str) -> None:
    shown = Redactor([PEM]).mask("".join(f"{indent}{line}\n" for line in PEM.splitlines()))
    for line in PEM.splitlines():
        assert line not in shown


def test_a_wrapped_base64_is_masked() -> None:
    secret = "0123456789abcdef" * 12
    shown = Redactor([secret]).mask(base64.encodebytes(secret.encode()).decode())
    assert shown.replace(MASK, "").strip() == ""


def test_secrets_that_overlap_leave_nothing_between_them() -> None:
    assert Redactor(["abcdef", "defghi"]).mask("xabcdefghiy") == f"x{MASK}y"
    assert Redactor(["abcd", "abcdefgh"]).mask("abcdefgh") == MASK


def test_values_shorter_than_four_characters_are_let_be() -> None:
    assert Redactor(["abc", "", "\n"]).mask("abc\nabc") == "abc\nabc"


def test_what_is_concealed_later_is_masked_from_then_on() -> None:
    redactor = Redactor()
    stream = Stream(redactor)
    assert stream.feed("later") == "later"
    redactor.conceal(["later", "sooner"])
    assert stream.feed("late") == ""
    assert stream.feed("r soon") == f"{MASK} "
    assert stream.close() == "soon"


def test_a_terminal_cannot_be_fooled() -> None:
    text = "Plan: 9 to destroy\r\x1b[2K\x1b]0;title\x07Plan: 0 to destroy \u202etxt\u200b\ufeff\x9b1A"
    shown = Redactor().mask(text)
    assert shown == (r"Plan: 9 to destroy\r\x1b[2K\x1b]0;title\x07Plan: 0 to destroy \u202etxt\u200b\ufeff\x9b1A")
    assert Redactor().mask("tabs\tand\nlines, ümläuts and 漢字 stay") == "tabs\tand\nlines, ümläuts and 漢字 stay"


def test_a_secret_with_control_characters_is_masked_before_they_are_shown() -> None:
    assert Redactor(["ab\x1bcd"]).mask("x ab\x1bcd y") == f"x {MASK} y"


def test_without_secrets_a_megabyte_costs_next_to_nothing() -> None:
    text = "an ordinary line of output\n" * 40_000
    stream = Stream(Redactor())
    before = time.thread_time()
    assert stream.feed(text) == text
    assert time.thread_time() - before < 0.1


def test_fifty_secrets_do_not_slow_a_log_down() -> None:
    redactor = Redactor([f"secret-number-{n}-{n * 7919}" for n in range(50)])
    text = "an ordinary line of output\n" * 4_000
    before = time.thread_time()
    assert Stream(redactor).feed(text) == text
    assert time.thread_time() - before < 1.0
