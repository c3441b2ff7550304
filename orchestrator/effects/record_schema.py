"""Opens the record's database: makes it where there is none, migrates it where it is behind.

Alembic is imported only for a schema that is behind: it costs more than everything else that a
command does.
"""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, delete, insert, inspect, select, text, update

from orchestrator.effects.database import Database, in_words, make_engine, patience, prepare_file, read_url
from orchestrator.effects.record_chain import lock_head
from orchestrator.effects.record_tables import HEAD, cache, marks, meta, schema_version, tables
from orchestrator.errors import PlanRefused, RecordError

#: Two processes that make the same PostgreSQL schema at once: the second waits for the first.
_MAKING: Final = 7_350_417_020_113


def open_database(url: str, *, busy_s: float = 10.0, key: bytes = b"") -> Database:
    """Open the record's database, its schema the present one.

    Args:
        url: ``sqlite:////absolute/path`` or ``postgresql://user:password@host/name``.
        busy_s: How long to wait for another writer before giving up, in seconds.
        key: What its own key must be; a record in which nothing has happened yet takes it. Empty takes what is there.

    Raises:
        RecordError: it cannot be opened (HF-4300), was written by a newer release (HF-4302), lies on a
            network file system (HF-4303), or its driver is not installed (HF-4304).
        PlanRefused: its own key is another, and it has a history (HF-1610).
        Conflict: another process does not end its transaction (HF-4204).
    """
    address = read_url(url)
    if address.get_backend_name() == "sqlite":
        prepare_file(Path(address.database or ""), Path("/proc/self/mountinfo"))
        _set_wal(Path(address.database or ""), busy_s)
    try:
        engine = make_engine(address, busy_s=busy_s)
    except ModuleNotFoundError as error:
        raise RecordError(
            f"the driver for PostgreSQL is not installed ({error.name})",
            code="HF-4304",
            hint="pip install 'holdfast[postgresql]'",
        ) from error
    database = Database(engine=engine, name=address.render_as_string(hide_password=True))
    if _version(database) != HEAD:
        database.write(_bring_to_head)
    if key:
        database.write(lambda connection: _take(connection, key))
    with database.reading() as connection:
        return replace(database, key=_key(connection), patience_s=patience(address))


def _set_wal(path: Path, busy_s: float) -> None:
    """Put the file into write-ahead mode, which it keeps: readers never wait, and a crash loses nothing."""
    try:
        with closing(sqlite3.connect(path, timeout=busy_s, isolation_level=None)) as connection:
            mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
            if mode != "wal":
                mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    except sqlite3.Error as error:
        raise in_words(str(path), error) from error
    if mode != "wal":
        raise RecordError(f"the file system under {path} cannot keep a write-ahead log", hint="use a local disk")


def _version(database: Database) -> str:
    """Return the number of the newest migration that ran, empty where there is no table of them."""
    with database.reading() as connection:
        if not inspect(connection).has_table(schema_version.name):
            return ""
        return connection.execute(select(schema_version.c.version_num)).scalar() or ""


def _key(connection: Connection) -> bytes:
    return bytes.fromhex(connection.execute(select(meta.c.value).where(meta.c.name == "key")).scalar_one())


def _take(connection: Connection, key: bytes) -> None:
    """Have a record that nothing has happened in yet go by another's key: fingerprints made there hold here."""
    head = lock_head(connection)
    if _key(connection) == key:
        return
    if head.seq:
        raise PlanRefused(
            "the plans were made in another record than the one here, which has a history of its own",
            code="HF-1610",
            hint="name the same record for both, or apply where there is none yet: --home with a new folder",
        )
    connection.execute(update(meta).where(meta.c.name == "key").values(value=key.hex()))
    # What was derived with the former key would be taken for something else.
    connection.execute(delete(cache))


def _bring_to_head(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:making)").bindparams(making=_MAKING))
    # Look again: another process may have done it while this one waited for the lock.
    found = inspect(connection).get_table_names()
    if schema_version.name not in found:
        if set(found) & set(tables.tables):
            raise RecordError("the database holds tables of another program", hint="give the record its own database")
        _create(connection)
        return
    version = connection.execute(select(schema_version.c.version_num)).scalar() or ""
    if version > HEAD:
        raise RecordError(
            f"the record was written by a newer release (schema {version}, this one knows {HEAD})",
            code="HF-4302",
            hint="update Holdfast on this host",
        )
    if version < HEAD:
        _migrate(connection)


def _create(connection: Connection) -> None:
    tables.create_all(connection, checkfirst=False)
    connection.execute(insert(schema_version).values(version_num=HEAD))
    connection.execute(insert(meta).values(name="key", value=secrets.token_hex(32)))
    connection.execute(insert(marks), [{"name": name, "number": 0, "digest": ""} for name in ("chain", "pruned")])


def _migrate(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 -- half a second that only a migration may cost
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    command.upgrade(config, "head")
