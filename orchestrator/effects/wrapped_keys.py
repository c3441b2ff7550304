"""Envelope encryption: artifacts are encrypted with data keys, and data keys with a key that is never in the database.

Wrapped data keys lie in the record, newest first; what wraps them is in the home's key file or in a secret of the
operator. So a rotation wraps a few keys anew, in one transaction, and touches no artifact: who has the old outer key,
and the database and artifacts of today, has nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from orchestrator.effects.database import Database
from orchestrator.effects.encryption import Cipher, Undecipherable, fresh_key
from orchestrator.effects.record_chain import lock_head
from orchestrator.effects.record_tables import meta
from orchestrator.errors import RecordError


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedKeys:
    """The data keys that one outer key wraps."""

    database: Database
    #: Outer keys, newest first: the first wraps, any unwraps.
    outer: Callable[[], tuple[bytes, ...]]
    #: Name of the secret that the outer keys are in; empty for the home's own key file.
    secret: str = ""

    def keys(self) -> tuple[bytes, ...]:
        """Return the data keys, newest first; make one where there is none. Raises RecordError (HF-4311)."""
        with self.database.reading() as connection:
            found = self._opened(connection, self._outer())
        return found or self.database.write(self._first)

    def rewrap(self) -> int:
        """Wrap every data key with the newest outer key, and add one for what is encrypted from now on.

        Whoever kept an old outer key and an old database can open what was encrypted before, and nothing later. All
        or nothing, and it may be done again. Returns how many keys there are. Raises RecordError (HF-4311).
        """

        def work(connection: Connection) -> int:
            lock_head(connection)
            found = (fresh_key(), *self._opened(connection, self._outer()))
            self._store(connection, found)
            return len(found)

        return self.database.write(work)

    @property
    def _name(self) -> str:
        return f"data keys of secret {self.secret}" if self.secret else "data keys of homes"

    def _outer(self) -> Cipher:
        return Cipher(read_keys=self.outer)

    def _first(self, connection: Connection) -> tuple[bytes, ...]:
        # Of two that find no key, the second finds the first one's.
        lock_head(connection)
        found = self._opened(connection, self._outer())
        if not found:
            found = (fresh_key(),)
            self._store(connection, found)
        return found

    def _opened(self, connection: Connection, outer: Cipher) -> tuple[bytes, ...]:
        found, others = self._sorted_out(connection, outer)
        if others and not found and self.secret:
            raise RecordError(
                f"the secret {self.secret} opens none of the record's data keys",
                code="HF-4311",
                hint="put the key that wrapped them into the secret, one key a line",
            )
        return found

    def _sorted_out(self, connection: Connection, outer: Cipher) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
        """Return the keys that are ours, and the others still wrapped: several homes may share a database."""
        stored = connection.execute(select(meta.c.value).where(meta.c.name == self._name)).scalar()
        found: list[bytes] = []
        others: list[str] = []
        for token in json.loads(stored) if stored else ():
            try:
                found.append(outer.decrypt(token.encode()))
            except Undecipherable:
                others.append(token)
        return tuple(found), tuple(others)

    def _store(self, connection: Connection, keys: tuple[bytes, ...]) -> None:
        outer = self._outer()
        _, others = self._sorted_out(connection, outer)
        value = json.dumps([*(outer.encrypt(key).decode() for key in keys), *others])
        done = connection.execute(update(meta).where(meta.c.name == self._name).values(value=value))
        if not done.rowcount:
            connection.execute(insert(meta).values(name=self._name, value=value))
