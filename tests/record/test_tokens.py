"""Tokens: shown once, kept as digests, gone at once."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from orchestrator.effects.database import Database
from orchestrator.effects.tokens import Tokens
from orchestrator.errors import UsageError


@pytest.fixture
def tokens(database: Database, clock) -> Tokens:
    return Tokens(database=database, clock=clock)


def test_a_token_proves_who_it_is_and_nothing_kept_does(tokens: Tokens, database: Database) -> None:
    assert tokens.is_empty()
    made, shown = tokens.create("ci", "view", by="ana")
    assert tokens.find(shown) == made
    assert not tokens.is_empty()
    with database.reading() as connection:
        kept = str(connection.execute(text("SELECT * FROM tokens")).all())
    assert shown.split("_", 2)[2] not in kept
    assert made.id in kept


@pytest.mark.parametrize("spoil", [str.upper, lambda t: t[:-1], lambda t: t + "A", lambda t: t[:16] + "A" * 43, lambda _: "", lambda t: t.replace("hf_", "hf-"), lambda t: t + "\n", lambda _: "hf_" + "\udcff" * 9])  # fmt: skip
def test_what_is_nearly_a_token_is_none(tokens: Tokens, spoil) -> None:
    _, shown = tokens.create("ci", "view", by="ana")
    assert tokens.find(spoil(shown)) is None


def test_one_record_s_token_is_not_another_s(tokens: Tokens, database: Database) -> None:
    from dataclasses import replace  # noqa: PLC0415 -- only here

    _, shown = tokens.create("ci", "view", by="ana")
    assert replace(tokens, database=replace(database, key=b"x" * 32)).find(shown) is None


def test_a_revoked_token_opens_nothing_and_its_name_is_free(tokens: Tokens, clock) -> None:
    _, shown = tokens.create("ci", "view", by="ana")
    assert tokens.revoke("ci").name == "ci"
    assert tokens.find(shown) is None
    made, again = tokens.create("ci", "view", by="ana")
    assert tokens.find(again) == made
    assert tokens.revoke(made.id).id == made.id
    assert [one.counts(clock.now()) for one in tokens.every()] == [False, False]
    for word in ("ci", "never"):
        with pytest.raises(UsageError) as refused:
            tokens.revoke(word)
        assert refused.value.code == "HF-1942"


def test_a_token_ends_when_it_said(tokens: Tokens, clock) -> None:
    _, shown = tokens.create("ci", "view", by="ana", until=clock.now() + 10)
    assert tokens.find(shown)
    clock.at += 10
    assert tokens.find(shown) is None
    tokens.create("ci", "view", by="ana")


@pytest.mark.parametrize("name", ["", "a b", "-x", "a/b", "ä", "x" * 65, "a\n"])
def test_a_name_that_cannot_be_one_is_refused(tokens: Tokens, name: str) -> None:
    with pytest.raises(UsageError) as refused:
        tokens.create(name, "view", by="ana")
    assert refused.value.code == "HF-1941"


def test_two_tokens_that_count_do_not_share_a_name(tokens: Tokens) -> None:
    tokens.create("ci", "view", by="ana")
    with pytest.raises(UsageError, match="in use"):
        tokens.create("ci", "admin", by="eve")
