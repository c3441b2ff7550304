"""Artifacts: whole or not there, what they were or an error, and nothing for a thief."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from orchestrator.effects.artifacts import FolderArtifacts
from orchestrator.effects.encryption import Cipher, keys_at
from orchestrator.errors import RecordError

CANARY = b"canary-7f3a91-password"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def artifacts(home: Path) -> FolderArtifacts:
    cipher = Cipher(read_keys=lambda: keys_at(home / "key")[:1], former=lambda: keys_at(home / "key")[1:])
    return FolderArtifacts(folder=home / "artifacts", cipher=cipher)


def file_of(artifacts: FolderArtifacts, digest: str) -> Path:
    return artifacts.folder / digest[:2] / digest


@pytest.mark.parametrize("content", [b"", b"plan", bytes(range(256)) * 4096], ids=["empty", "short", "1 MiB"])
def test_what_was_put_is_got_by_its_digest(artifacts: FolderArtifacts, content: bytes):
    digest = artifacts.put(content)
    assert digest == hashlib.sha256(content).hexdigest()
    assert artifacts.get(digest) == content
    assert artifacts.put(content) == digest


def test_nobody_else_can_read_a_file_and_nothing_in_it_is_in_clear(artifacts: FolderArtifacts, home: Path):
    artifacts.put(CANARY * 10)
    files = [path for path in home.rglob("*") if path.is_file()]
    assert len(files) == 2
    assert not [path for path in home.rglob("*") if path.stat().st_mode & 0o077]
    assert not [path for path in files if CANARY[:12] in path.read_bytes()]


def test_a_missing_artifact_is_an_error_with_its_number(artifacts: FolderArtifacts):
    with pytest.raises(RecordError, match="artifact 000000000000 is missing") as refused:
        artifacts.get("0" * 64)
    assert refused.value.code == "HF-4310"


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "0" * 63, "G" * 64, "0" * 64 + "\n"])
def test_what_is_no_digest_reads_no_file(artifacts: FolderArtifacts, name: str):
    with pytest.raises(RecordError, match="names no artifact"):
        artifacts.get(name)


@pytest.mark.parametrize("place", [0, 20, -1])
def test_an_altered_artifact_is_never_handed_out_and_is_healed_by_the_next_put(artifacts: FolderArtifacts, place: int):
    digest = artifacts.put(b"a saved plan")
    token = bytearray(file_of(artifacts, digest).read_bytes())
    token[place] ^= 1
    file_of(artifacts, digest).write_bytes(token)
    with pytest.raises(RecordError):
        artifacts.get(digest)
    artifacts.put(b"a saved plan")
    assert artifacts.get(digest) == b"a saved plan"


def test_an_artifact_exchanged_for_another_is_found(artifacts: FolderArtifacts):
    approved, other = artifacts.put(b"approved"), artifacts.put(b"other")
    file_of(artifacts, approved).write_bytes(file_of(artifacts, other).read_bytes())
    with pytest.raises(RecordError, match="exchanged") as refused:
        artifacts.get(approved)
    assert refused.value.code == "HF-4310"


def test_without_its_key_an_artifact_is_worth_nothing(artifacts: FolderArtifacts, home: Path):
    digest = artifacts.put(CANARY)
    (home / "key").write_bytes(Fernet.generate_key())
    with pytest.raises(RecordError) as refused:
        artifacts.get(digest)
    assert refused.value.code == "HF-4311"
    assert refused.value.__cause__ is None or CANARY.decode() not in str(refused.value.__cause__)


def test_after_a_rotation_the_old_key_opens_nothing(artifacts: FolderArtifacts, home: Path):
    digests = [artifacts.put(b"one"), artifacts.put(b"two")]
    old = (home / "key").read_bytes()
    (home / "key").write_bytes(Fernet.generate_key() + b"\n" + old)
    assert artifacts.get(digests[0]) == b"one"
    new = artifacts.put(b"three")
    assert artifacts.renew() == 2
    assert artifacts.renew() == 0
    (home / "key").write_bytes((home / "key").read_bytes().split()[0])
    assert [artifacts.get(d) for d in (*digests, new)] == [b"one", b"two", b"three"]
    thief = FolderArtifacts(folder=artifacts.folder, cipher=Cipher(read_keys=lambda: (old.strip(),)))
    for digest in (*digests, new):
        with pytest.raises(RecordError):
            thief.get(digest)


def test_the_key_is_made_once_even_by_eight_at_a_time(home: Path):
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: keys_at(home / "key"), range(8)))
    assert len(keys) == 1
    assert (home / "key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in home.iterdir()] == ["key"]


def test_a_key_that_others_can_read_is_refused(artifacts: FolderArtifacts, home: Path):
    artifacts.put(b"x")
    (home / "key").chmod(0o644)
    with pytest.raises(RecordError, match="open to everybody") as refused:
        artifacts.put(b"y")
    assert refused.value.code == "HF-4311"


@pytest.mark.parametrize("content", [b"", b"short", b"not base64 !" * 5], ids=["empty", "short", "no base64"])
def test_a_damaged_key_is_said_and_not_replaced(artifacts: FolderArtifacts, home: Path, content: bytes):
    home.mkdir()
    (home / "key").write_bytes(content)
    (home / "key").chmod(0o600)
    with pytest.raises(RecordError) as refused:
        artifacts.put(b"x")
    assert refused.value.code == "HF-4311"
    assert (home / "key").read_bytes() == content


def test_a_folder_that_cannot_be_written_is_an_error_and_leaves_no_draft(artifacts: FolderArtifacts):
    digest = hashlib.sha256(b"x").hexdigest()
    # A folder stands where the file belongs: the rename fails, as it would on a disk that gives up.
    file_of(artifacts, digest).mkdir(parents=True)
    (file_of(artifacts, digest) / "in the way").write_text("")
    with pytest.raises(RecordError) as refused:
        artifacts.put(b"x")
    assert refused.value.code == "HF-4301"
    assert [path.name for path in file_of(artifacts, digest).parent.iterdir()] == [digest]
