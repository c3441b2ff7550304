"""Opening: what is made, what is migrated, and what is refused in words."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, inspect, make_url, text

from orchestrator.effects import record_schema
from orchestrator.effects.database import prepare_file
from orchestrator.effects.mounts import file_system
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_schema import open_database
from orchestrator.effects.record_tables import HEAD
from orchestrator.errors import Conflict, RecordError
from orchestrator.model.event import Vanished
from orchestrator.model.observed import Looks


def raw(url: str) -> Engine:
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        Path(address.database or "").parent.mkdir(parents=True, exist_ok=True)
        return create_engine(address)
    return create_engine(address.set(drivername="postgresql+psycopg"))


def shape(url: str) -> dict[str, object]:
    """Everything that a schema is, but for the width of Alembic's own column."""
    found = inspect(raw(url))
    return {
        table: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in found.get_columns(table)],
            found.get_pk_constraint(table)["constrained_columns"],
            sorted((i["name"], tuple(i["column_names"])) for i in found.get_indexes(table)),
            sorted((u["name"], tuple(u["column_names"])) for u in found.get_unique_constraints(table)),
        )
        for table in found.get_table_names()
        if table != "alembic_version"
    }


def test_migrations_lead_to_the_very_schema_that_a_new_record_has(
    database_url: str, tmp_path: Path, request: pytest.FixtureRequest, clock
):
    with raw(database_url).begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
    migrated = open_database(database_url)
    with migrated.reading() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [HEAD]
    record = SqlRecord(database=migrated, clock=clock, actor="a")
    assert record.append("a/b@c", [Vanished(revision="r")], expected=0, run=1).version == 1
    assert record.verify() is None
    migrated_shape = shape(database_url)
    with migrated.engine.begin() as connection:
        for table in [*migrated_shape, "alembic_version"]:
            connection.execute(text(f"DROP TABLE {table}"))
    open_database(database_url).close()
    assert shape(database_url) == migrated_shape


def test_a_record_of_the_first_release_keeps_what_is_in_it(database_url: str):
    engine = raw(database_url)
    config = Config()
    config.set_main_option("script_location", str(Path(record_schema.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("INSERT INTO agenda VALUES ('a/b@c', 'main', 5.0, 'a commit', 10, '', false)"))
    opened = open_database(database_url)
    with opened.reading() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD
        assert connection.execute(text("SELECT stack, at, job FROM agenda")).one() == ("a/b@c", 5.0, None)
    opened.close()


def test_a_record_of_a_newer_release_is_left_alone(database_url: str):
    opened = open_database(database_url)
    with opened.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(RecordError) as refused:
        open_database(database_url)
    assert refused.value.code == "HF-4302"
    assert "9999" in refused.value.message


def test_tables_of_another_program_are_not_taken_for_ours(database_url: str):
    with raw(database_url).begin() as connection:
        connection.execute(text("CREATE TABLE events (id INTEGER)"))
    with pytest.raises(RecordError, match="another program"):
        open_database(database_url)


def test_eight_that_open_a_new_record_at_once_all_get_the_same_one(database_url: str):
    with ThreadPoolExecutor(8) as pool:
        keys = {one.key for one in pool.map(lambda _: open_database(database_url), range(8))}
    assert len(keys) == 1


def test_opening_an_up_to_date_record_does_not_import_alembic(sqlite_url: str):
    open_database(sqlite_url)
    program = (
        "import sys; from orchestrator.effects.record_schema import open_database; "
        "open_database(sys.argv[1]); print([m for m in ('alembic', 'psycopg', 'cryptography') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", program, sqlite_url], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_the_file_is_closed_to_others_and_stored_before_it_is_acknowledged(sqlite_url: str, clock):
    opened = open_database(sqlite_url)
    path = Path(make_url(sqlite_url).database or "")
    SqlRecord(database=opened, clock=clock, actor="a").look("a/b@c", Looks())
    SqlRecord(database=opened, clock=clock, actor="a").append("a/b@c", [Vanished(revision="r")], expected=0, run=1)
    assert {p.name: p.stat().st_mode & 0o077 for p in path.parent.iterdir()} == dict.fromkeys(
        ("record.db", "record.db-wal", "record.db-shm"), 0
    )
    assert path.parent.stat().st_mode & 0o077 == 0
    with opened.reading() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2, "FULL, after a look that needed less"


def test_a_file_that_is_no_record_is_said_to_be_none(tmp_path: Path):
    (tmp_path / "record.db").write_bytes(b"this is no database, however long it may be" * 100)
    with pytest.raises(RecordError, match="damaged, or no record at all"):
        open_database(f"sqlite:///{tmp_path}/record.db")


def test_a_file_that_cannot_grow_is_not_called_damaged(tmp_path: Path):
    program = f"""
import resource, signal
from orchestrator.effects.record_schema import open_database
from orchestrator.errors import RecordError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    open_database("sqlite:///{tmp_path}/record.db")
except RecordError as error:
    print(error.message, "/", error.hint)
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "is full, or fails" in said
    assert "free some space" in said
    assert "backup" not in said


def test_a_file_that_may_not_be_written_is_not_called_damaged(tmp_path: Path):
    (tmp_path / "record.db-journal").mkdir()
    with pytest.raises(RecordError, match="cannot be written") as refused:
        open_database(f"sqlite:///{tmp_path}/record.db")
    assert "owner" in refused.value.hint


@pytest.mark.parametrize("address", ["record.db", "mysql://host/name", "sqlite:///relative.db", "://", ""])
def test_an_address_that_is_none_of_ours_is_refused(address: str):
    with pytest.raises(RecordError):
        open_database(address)


def test_a_server_that_does_not_answer_is_an_error_without_its_password(tmp_path: Path):
    with pytest.raises(RecordError) as refused:
        open_database(f"postgresql://ana:hunter2@/name?host={tmp_path}")
    assert "hunter2" not in refused.value.message + refused.value.hint
    assert "\n" not in refused.value.message


def test_a_folder_that_cannot_be_made_is_an_error_in_words(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="cannot be opened"):
        open_database(f"sqlite:///{tmp_path}/file/record.db")


def test_a_writer_that_does_not_end_is_a_conflict_and_not_a_hang(sqlite_url: str, clock):
    opened = open_database(sqlite_url, busy_s=0.05)
    record = SqlRecord(database=opened, clock=clock, actor="a")
    other = sqlite3.connect(make_url(sqlite_url).database or "", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Conflict) as refused:
        record.append("a/b@c", [Vanished(revision="r")], expected=0, run=1)
    assert refused.value.code == "HF-4204"
    assert record.rows() == (), "readers do not wait for writers"
    other.execute("ROLLBACK")
    assert record.append("a/b@c", [Vanished(revision="r")], expected=0, run=1).version == 1


def test_a_full_disk_acknowledges_nothing_and_loses_nothing(sqlite_url: str, clock):
    """SQLite's own limit of pages fails exactly as a full disk does, in the middle of a transaction."""
    opened = open_database(sqlite_url)
    record, version = SqlRecord(database=opened, clock=clock, actor="a"), 0
    # One connection lives in the pool; the limit is a property of it.
    with opened.engine.connect() as connection:
        used = connection.execute(text("PRAGMA page_count")).scalar() or 0
        connection.execute(text(f"PRAGMA max_page_count={used + 20}"))
    with pytest.raises(RecordError) as refused:  # noqa: PT012 -- one of many appends meets the limit
        for _ in range(1000):
            version = record.append("a/b@c", [Vanished(revision="r" * 2000)], expected=version, run=1).version
    assert refused.value.code == "HF-4301"
    assert 0 < version == len(record.events())
    assert record.row("a/b@c").state.version == version
    assert record.verify() is None
    with opened.engine.connect() as connection:
        connection.execute(text("PRAGMA max_page_count=1000000"))
    assert record.append("a/b@c", [Vanished(revision="r")], expected=version, run=1).version == version + 1


def test_the_file_system_under_a_path_is_the_one_mounted_last_and_deepest(tmp_path: Path):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "23 22 0:5 / /srv rw shared:1 - ext4 /dev/sdb1 rw\n"
        "24 22 0:6 / /srv rw shared:2 - nfs4 host:/x rw\n"
        "25 22 0:7 / /with\\040space rw - cifs //h/s rw\n"
    )
    assert file_system(Path("/var/lib/x"), mounts) == "ext4"
    assert file_system(Path("/srv/holdfast/record.db"), mounts) == "nfs4"
    assert file_system(Path("/srvother/record.db"), mounts) == "ext4"
    assert file_system(Path("/with space/record.db"), mounts) == "cifs"
    assert file_system(Path("/x"), tmp_path / "missing") == ""
    assert file_system(tmp_path, Path("/proc/self/mountinfo")) not in {"", "nfs"}


def test_a_record_on_a_network_file_system_is_refused_before_it_is_made(tmp_path: Path):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n24 22 0:6 / {tmp_path}/share rw - nfs4 host:/x rw\n")
    with pytest.raises(RecordError, match=r"network file system \(nfs4\)") as refused:
        prepare_file(tmp_path / "share" / "record.db", mounts)
    assert refused.value.code == "HF-4303"
    assert not (tmp_path / "share").exists()
    prepare_file(tmp_path / "local" / "record.db", mounts)


def test_without_its_driver_postgresql_is_an_error_that_says_what_to_install():
    program = """
import sys
sys.modules["psycopg"] = None
from orchestrator.effects.record_schema import open_database
from orchestrator.errors import RecordError
try:
    open_database("postgresql://host/name")
except RecordError as error:
    print(error.code, error.hint)
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "HF-4304 pip install 'holdfast[postgresql]'"


def test_a_record_that_was_made_read_only_is_an_error_in_words(sqlite_url: str, clock):
    opened = open_database(sqlite_url)
    path = Path(make_url(sqlite_url).database or "")
    with opened.engine.connect() as connection:
        connection.execute(text("PRAGMA query_only=ON"))
    with pytest.raises(RecordError, match="cannot be written") as refused:
        SqlRecord(database=opened, clock=clock, actor="a").append("a/b@c", [Vanished(revision="r")], expected=0, run=1)
    assert str(path) in refused.value.message
