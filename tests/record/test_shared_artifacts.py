"""Artifacts in the record: what was put anywhere is got everywhere, nothing lies there in clear or altered unseen."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, update

from orchestrator.effects.artifacts_shared import SharedArtifacts
from orchestrator.effects.database import Database
from orchestrator.effects.encryption import Cipher
from orchestrator.effects.record_schema import open_database
from orchestrator.effects.record_tables import artifacts as table
from orchestrator.errors import RecordError

KEY = (Fernet.generate_key(),)
CANARY = b"canary-61d0-password"


@pytest.fixture
def artifacts(database: Database) -> SharedArtifacts:
    return SharedArtifacts(database=database, cipher=Cipher(read_keys=lambda: KEY))


def alter(database: Database, content: bytes) -> None:
    database.write(lambda connection: connection.execute(update(table).values(content=content)))


def test_what_one_host_put_another_gets_and_nothing_lies_there_in_clear(
    artifacts: SharedArtifacts, database: Database, database_url: str
) -> None:
    digest = artifacts.put(CANARY * 1000)
    assert artifacts.put(CANARY * 1000) == digest
    there = open_database(database_url)
    assert SharedArtifacts(database=there, cipher=artifacts.cipher).get(digest) == CANARY * 1000
    there.close()
    with database.reading() as connection:
        (token,) = connection.execute(select(table.c.content)).scalars()
    assert CANARY not in bytes(token)


def test_what_was_altered_or_exchanged_is_an_error_and_can_be_put_again(
    artifacts: SharedArtifacts, database: Database
) -> None:
    digest = artifacts.put(b"plan")
    alter(database, b"nonsense")
    with pytest.raises(RecordError) as caught:
        artifacts.get(digest)
    assert caught.value.code == "HF-4311"
    alter(database, artifacts.cipher.encrypt(b"another plan"))
    with pytest.raises(RecordError, match="exchanged"):
        artifacts.get(digest)
    assert artifacts.get(artifacts.put(b"plan")) == b"plan"


@pytest.mark.parametrize("name", ["0" * 64, "../key", ""])
def test_what_is_not_there_is_an_error(artifacts: SharedArtifacts, name: str) -> None:
    with pytest.raises(RecordError) as caught:
        artifacts.get(name)
    assert caught.value.code == "HF-4310"
