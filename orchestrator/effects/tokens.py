"""Tokens by which people and programs are known to the service.

What is kept is a keyed digest, from which nobody gets a token back; the token itself is shown once. A token is asked
for at every request, so that a revocation counts at once, whichever process made it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_chain import lock_head
from orchestrator.effects.record_tables import tokens
from orchestrator.errors import UsageError
from orchestrator.model.door_events import TokenMade, TokenRevoked

#: ``hf_<id>_<secret>``: what it is, which it is, and 256 bits that prove it.
_TOKEN: Final = re.compile(r"hf_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
#: What a person calls it.
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}")
#: What the record calls a person: an e-mail address, or a login. A colon would make a program of them.
_PERSON: Final = re.compile(r"[^\s,:]{1,254}")
_PURPOSE: Final = b"holdfast token\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One token as it is kept: never what proves it."""

    id: str
    name: str
    role: str
    created_at: float
    created_by: str
    #: Seconds since the epoch; None is for good.
    until: float | None
    revoked_at: float | None
    #: Whose it is; empty where it is a program's.
    person: str = ""

    def counts(self, now: float) -> bool:
        """Whether it opens anything at ``now``."""
        return self.revoked_at is None and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The tokens of one record, which tells who made and ended them. Safe to share between threads."""

    record: SqlRecord

    def create(
        self, name: str, role: str, *, by: str, person: str = "", until: float | None = None
    ) -> tuple[Token, str]:
        """Make a token and return it with its text, which nobody can be shown again; ``person`` is whose it is.

        Raises UsageError: HF-1941 where the name cannot be one, or a token that counts bears it, HF-1944 where nobody
        can be called ``person``.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} is no name for a token", code="HF-1941", hint="use letters, digits, _ . @ and -, 64 at most"
            )
        if person and not (_PERSON.fullmatch(person) and person.isprintable()):
            raise UsageError(
                f"nobody is called {person!r}", code="HF-1944", hint="name them as git does: --for ana@acme.example"
            )
        made, proof = secrets.token_hex(6), secrets.token_urlsafe(32)
        now = self.record.clock.now()
        token = Token(
            id=made, name=name, role=role, created_at=now, created_by=by, until=until, revoked_at=None, person=person
        )

        def work(connection: Connection) -> None:
            lock_head(connection)
            same = select(tokens).where(tokens.c.name == name, tokens.c.id != made)
            if any(_token(row).counts(now) for row in connection.execute(same).mappings()):
                raise UsageError(
                    f"a token called {name} is in use",
                    code="HF-1941",
                    hint=f"holdfast token revoke {name}, or another name",
                )
            if connection.execute(select(tokens.c.id).where(tokens.c.id == made)).first() is None:
                connection.execute(
                    insert(tokens).values(
                        id=made, name=name, role=role, digest=self._digest(made, proof), created_at=now,
                        created_by=by, until=until, person=person,
                    )
                )  # fmt: skip
                told = TokenMade(token=made, name=name, role=role, person=person, by=by, until=until)
                self.record.note_within(connection, told)

        self.record.database.write(work)
        return token, f"hf_{made}_{proof}"

    def every(self) -> Sequence[Token]:
        """Return all of them, oldest first, those that count no more among them."""
        with self.record.database.reading() as connection:
            found = connection.execute(select(tokens).order_by(tokens.c.created_at, tokens.c.id)).mappings()
            return tuple(_token(row) for row in found)

    def is_empty(self) -> bool:
        """Whether nobody ever made one."""
        with self.record.database.reading() as connection:
            return not connection.execute(select(func.count()).select_from(tokens)).scalar()

    def revoke(self, word: str, *, by: str) -> Token:
        """Make the token of that name or id count no more, from now on. Raises UsageError (HF-1942) without one."""
        now, done = self.record.clock.now(), list[Token]()

        def work(connection: Connection) -> Token:
            lock_head(connection)
            wanted = select(tokens).where((tokens.c.name == word) | (tokens.c.id == word))
            found = [_token(row) for row in connection.execute(wanted).mappings()]
            if done and done[0].id in {one.id for one in found if one.revoked_at == now}:
                # The commit had gone through when its connection was lost.
                return done[0]
            mine = [one for one in found if one.counts(now)]
            if not mine:
                why = "counts no more already" if found else "is not known"
                raise UsageError(f"the token {word} {why}", code="HF-1942", hint="see: holdfast token list")
            connection.execute(update(tokens).where(tokens.c.id == mine[0].id).values(revoked_at=now))
            self.record.note_within(connection, TokenRevoked(token=mine[0].id, name=mine[0].name, by=by))
            done.append(mine[0])
            return mine[0]

        return self.record.database.write(work)

    def find(self, text: str) -> Token | None:
        """Return the token that ``text`` proves and that counts now, None where there is none."""
        parts = _TOKEN.fullmatch(text)
        if parts is None:
            return None
        with self.record.database.reading() as connection:
            row = connection.execute(select(tokens).where(tokens.c.id == parts[1])).mappings().one_or_none()
        expected = row["digest"] if row else ""
        same = hmac.compare_digest(expected.encode(), self._digest(parts[1], parts[2]).encode())
        token = _token(row) if row and same else None
        return token if token and token.counts(self.record.clock.now()) else None

    def _digest(self, made: str, proof: str) -> str:
        return hmac.new(self.record.database.key, _PURPOSE + f"{made}\0{proof}".encode(), hashlib.sha256).hexdigest()


def _token(row: RowMapping) -> Token:
    return Token(
        id=row["id"],
        name=row["name"],
        role=row["role"],
        created_at=row["created_at"],
        created_by=row["created_by"],
        until=row["until"],
        revoked_at=row["revoked_at"],
        person=row["person"],
    )
