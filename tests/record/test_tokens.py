"""Tokens: shown once, kept as digests, gone at once."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from orchestrator.effects.database import Database
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.tokens import Tokens
from orchestrator.errors import UsageError
from orchestrator.model.door_events import TokenMade, TokenRevoked


@pytest.fixture
def tokens(database: Database, clock) -> Tokens:
    return Tokens(record=SqlRecord(database=database, clock=clock, actor="root"))


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
    other = replace(tokens.record, database=replace(database, key=b"x" * 32))
    assert Tokens(record=other).find(shown) is None


def test_a_revoked_token_opens_nothing_and_its_name_is_free(tokens: Tokens, clock) -> None:
    _, shown = tokens.create("ci", "view", by="ana")
    assert tokens.revoke("ci", by="ana").name == "ci"
    assert tokens.find(shown) is None
    made, again = tokens.create("ci", "view", by="ana")
    assert tokens.find(again) == made
    assert tokens.revoke(made.id, by="ana").id == made.id
    assert [one.counts(clock.now()) for one in tokens.every()] == [False, False]
    for word in ("ci", "never"):
        with pytest.raises(UsageError) as refused:
            tokens.revoke(word, by="ana")
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


def test_who_made_and_ended_a_token_is_in_the_record_and_fences_nobody(tokens: Tokens) -> None:
    record = tokens.record
    made, shown = tokens.create("ci", "view", by="root", person="ana@acme.example", until=9e9)
    with pytest.raises(UsageError):
        tokens.create("ci", "view", by="root")
    tokens.revoke("ci", by="eve")
    told = [one.event for one in record.events()]
    assert told == [
        TokenMade(token=made.id, name="ci", role="view", person="ana@acme.example", by="root", until=9e9),
        TokenRevoked(token=made.id, name="ci", by="eve"),
    ]
    assert shown.rpartition("_")[2] not in str(told)
    assert record.verify() is None
    assert (record.rows(), record.gates()) == ((), (0, ()))
