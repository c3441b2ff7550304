"""Plans, state copies and inputs in the record's own database, where every host finds them; encrypted all the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, select

from orchestrator.effects.artifacts import checked, missing, named
from orchestrator.effects.database import Database
from orchestrator.effects.encryption import Cipher
from orchestrator.effects.record_tables import artifacts


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedArtifacts:
    """`ports.Artifacts` in a database."""

    database: Database
    cipher: Cipher

    def put(self, content: bytes) -> str:
        """Store and return the hex SHA-256 of ``content``. Raises RecordError (HF-4300, HF-4301, HF-4311)."""
        digest = hashlib.sha256(content).hexdigest()
        token = self.cipher.encrypt(content)

        def work(connection: Connection) -> None:
            known = connection.execute(select(artifacts.c.sha256).where(artifacts.c.sha256 == digest)).first()
            if known is None:
                connection.execute(artifacts.insert().values(sha256=digest, content=token))
            else:
                # One that was altered is written again.
                connection.execute(artifacts.update().where(artifacts.c.sha256 == digest).values(content=token))

        self.database.write(work)
        return digest

    def renew(self) -> int:
        """Return 0: nothing here was ever encrypted without a data key."""
        return 0

    def get(self, sha256: str) -> bytes:
        """Return the content. Raises RecordError (HF-4310, HF-4311) where it is missing or was altered."""
        with self.database.reading() as connection:
            found = connection.execute(select(artifacts.c.content).where(artifacts.c.sha256 == named(sha256))).scalar()
        if found is None:
            raise missing(sha256)
        return checked(sha256, self.cipher.decrypt(bytes(found)))
