"""The record's tables, for SQLite and PostgreSQL alike.

JSON is kept as text, not in a column type of its own: the chain covers the very characters that are
stored, and no database may reorder or reformat them.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

#: The newest migration. A database that bears another number is older (migrate it) or newer (leave it alone).
HEAD: Final = "0006"

#: The stream of gates: its version fences every apply.
GATES: Final = "*"

#: The stream of the service's door, of tokens and refusals: nothing is fenced by it.
DOOR: Final = "!"

tables: Final = MetaData()


def _nonce() -> Column[str]:
    """Return the column by which whoever made a row knows it again when it never heard of the commit."""
    return Column("nonce", Text, nullable=False)


#: Alembic's own table: one row with the number of the newest migration that ran.
schema_version: Final = Table("alembic_version", tables, Column("version_num", Text, primary_key=True))

#: Facts about the record itself; ``key`` is the 32 bytes that key its fingerprints, in hex.
meta: Final = Table(
    "meta",
    tables,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

#: ``chain``: number and digest of the last entry. ``pruned``: the same of the last entry that was pruned.
marks: Final = Table(
    "marks",
    tables,
    Column("name", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
)

#: What happened. Append-only, numbered without a gap.
events: Final = Table(
    "events",
    tables,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("stack", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("run", BigInteger, nullable=False),
    Column("at", Double, nullable=False),
    Column("actor", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("chain", Text, nullable=False),
    UniqueConstraint("stack", "version", name="events_stack_version"),
    Index("events_run", "run"),
)

#: One row per stack: what its events fold to, so that reading never folds a history.
stacks: Final = Table(
    "stacks",
    tables,
    Column("key", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("fold_version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    #: What the pruned events folded to, empty while nothing is pruned: a rebuild begins here.
    Column("ground", Text, nullable=False),
    Column("looks", Text, nullable=False),
    Index("stacks_source", "source"),
)

runs: Final = Table(
    "runs",
    tables,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("trigger", Text, nullable=False),
    Column("verb", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("revision", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("ended_at", Double),
    _nonce(),
)

#: The gates that people closed; a lifted one stays, for its number must not come again.
gates: Final = Table(
    "gates",
    tables,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("lifted_at", Double),
    _nonce(),
)

#: Derivations that can be made again at any time.
cache: Final = Table(
    "cache",
    tables,
    Column("topic", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

#: Plans, state copies and inputs by the SHA-256 of their content, encrypted: where several hosts share the record.
artifacts: Final = Table(
    "artifacts",
    tables,
    Column("sha256", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

#: When each (stack, track) is due.
agenda: Final = Table(
    "agenda",
    tables,
    Column("stack", Text, primary_key=True),
    Column("track", Text, primary_key=True),
    Column("at", Double, nullable=False),
    Column("why", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    #: Proof of life of whoever works on it, empty while nobody does.
    Column("taken_by", Text, nullable=False),
    #: Whether somebody asked for another look since it was taken.
    Column("nudged", Boolean, nullable=False),
    #: Number of the row of a shared queue that stands for it; the embedded agenda has none.
    Column("job", BigInteger),
    #: How many processes in a row that worked on it have died before they gave it back.
    Column("deaths", Integer, nullable=False, server_default="0"),
    Index("agenda_at", "at"),
    Index("agenda_taken", "taken_by"),
    Index("agenda_urgent", "priority", "at", "stack", "track"),
    Index("agenda_lacking", "at", postgresql_where=text("job IS NULL"), sqlite_where=text("job IS NULL")),
)

#: Who works on which stack.
holds: Final = Table(
    "holds",
    tables,
    Column("stack", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("since", Double, nullable=False),
    #: After this a holder on another host, of whom nothing can be proven, counts as gone.
    Column("lease_until", Double, nullable=False),
    #: Made by taking a row of the agenda; `hold` by the same holder enters it.
    Column("taken", Boolean, nullable=False),
    #: Whether a `hold` block runs inside.
    Column("entered", Boolean, nullable=False),
    #: Of the block inside, or of whoever took it: one process may hold a stack, leave it and hold it again.
    _nonce(),
)

#: By what people and programs are known to the service; never what proves it.
tokens: Final = Table(
    "tokens",
    tables,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    #: HMAC-SHA-256 under the record's key.
    Column("digest", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("until", Double),
    Column("revoked_at", Double),
    #: Whose it is, as the record names people; empty where it is a program's.
    Column("person", Text, nullable=False, server_default=""),
    Index("tokens_name", "name"),
)

#: What was answered to requests that bear a key, so that a repeated one is answered alike and done once.
answers: Final = Table(
    "answers",
    tables,
    Column("who", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    #: SHA-256 of what was asked for: a key stands for one request.
    Column("request", Text, nullable=False),
    #: Proof of life of whoever works on it; it counts while there is no answer.
    Column("owner", Text, nullable=False),
    Column("at", Double, nullable=False),
    #: Null while nobody has answered.
    Column("status", Integer),
    Column("body", Text, nullable=False),
    Index("answers_at", "at"),
)
