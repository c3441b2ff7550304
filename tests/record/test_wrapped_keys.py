"""Data keys: wrapped by a key that is outside the record, wrapped anew by another, and worth nothing without it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from orchestrator.effects.artifacts import FolderArtifacts
from orchestrator.effects.database import Database
from orchestrator.effects.encryption import Cipher, keys_at
from orchestrator.effects.rotation import Rotation
from orchestrator.effects.wrapped_keys import WrappedKeys
from orchestrator.errors import RecordError

OLD, NEW, OTHER = (Fernet.generate_key() for _ in range(3))


@pytest.fixture
def wrapped(database: Database) -> Callable[..., WrappedKeys]:
    def build(*outer: bytes, **more: str) -> WrappedKeys:
        return WrappedKeys(database=database, outer=lambda: outer, **{"secret": "data-key", **more})

    return build


def cipher(keys: WrappedKeys) -> Cipher:
    return Cipher(read_keys=keys.keys, former=keys.outer)


def test_a_data_key_is_made_once_even_by_eight_at_a_time(wrapped: Callable[..., WrappedKeys]):
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: wrapped(OLD).keys(), range(8)))
    assert len(found) == 1
    assert OLD not in found.pop()


def test_after_a_rotation_the_old_key_opens_nothing_and_nothing_was_encrypted_anew(wrapped: Callable[..., WrappedKeys]):
    before = cipher(wrapped(OLD)).encrypt(b"state")
    assert wrapped(NEW, OLD).rewrap() == 2
    after = cipher(wrapped(NEW))
    assert after.decrypt(before) == b"state"
    assert after.renewed(before) is None
    for token in (before, after.encrypt(b"later")):
        with pytest.raises(RecordError) as refused:
            cipher(wrapped(OLD)).decrypt(token)
        assert refused.value.code == "HF-4311"


def test_what_is_encrypted_after_a_rotation_is_closed_to_whoever_kept_the_old_data_keys(
    wrapped: Callable[..., WrappedKeys],
):
    stolen = wrapped(OLD).keys()
    wrapped(NEW, OLD).rewrap()
    later = cipher(wrapped(NEW)).encrypt(b"later")
    with pytest.raises(RecordError):
        Cipher(read_keys=lambda: stolen).decrypt(later)


def test_a_rotation_may_be_done_again(wrapped: Callable[..., WrappedKeys]):
    before = cipher(wrapped(OLD)).encrypt(b"state")
    for _ in range(3):
        wrapped(NEW, OLD).rewrap()
    assert cipher(wrapped(NEW)).decrypt(before) == b"state"


def test_a_secret_that_opens_no_data_key_is_an_error_and_makes_none(wrapped: Callable[..., WrappedKeys]):
    before = cipher(wrapped(OLD)).encrypt(b"state")
    for use in (lambda: cipher(wrapped(NEW)).encrypt(b"x"), lambda: wrapped(NEW).rewrap()):
        with pytest.raises(RecordError, match="opens none") as refused:
            use()
        assert refused.value.code == "HF-4311"
    assert cipher(wrapped(OLD)).decrypt(before) == b"state"


def test_homes_that_share_a_database_have_data_keys_of_their_own(wrapped: Callable[..., WrappedKeys]):
    one, two = cipher(wrapped(OLD, secret="")), cipher(wrapped(OTHER, secret=""))
    token = one.encrypt(b"of one")
    two.encrypt(b"of two")
    with pytest.raises(RecordError):
        two.decrypt(token)
    wrapped(NEW, OTHER, secret="").rewrap()
    assert one.decrypt(token) == b"of one"


def test_what_the_outer_key_encrypted_itself_is_read_and_renewed(wrapped: Callable[..., WrappedKeys]):
    old = Fernet(OLD).encrypt(b"from before")
    assert cipher(wrapped(OLD)).decrypt(old) == b"from before"
    renewed = cipher(wrapped(OLD)).renewed(old)
    assert renewed is not None
    assert cipher(wrapped(NEW, OLD)).decrypt(renewed) == b"from before"
    with pytest.raises(RecordError):
        Cipher(read_keys=lambda: (OLD,)).decrypt(renewed)


def test_a_cipher_knows_what_it_vouched_for_also_after_a_rotation(wrapped: Callable[..., WrappedKeys]):
    mac = cipher(wrapped(OLD)).vouch("text")
    wrapped(NEW, OLD).rewrap()
    assert cipher(wrapped(NEW)).vouches("text", mac)
    assert not cipher(wrapped(NEW)).vouches("text ", mac)
    assert not cipher(wrapped(OTHER, secret="")).vouches("text", mac)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "keeps"
    made.mkdir(mode=0o700)
    return made


def rotation(database: Database, home: Path, *, secret: tuple[bytes, ...] = ()) -> Rotation:
    file = home / "key"
    keys = WrappedKeys(database=database, outer=lambda: secret or keys_at(file), secret="data-key" if secret else "")
    artifacts = FolderArtifacts(folder=home / "artifacts", cipher=cipher(keys))
    return Rotation(keys=keys, artifacts=artifacts, file=None if secret else file, home=home)


@pytest.mark.parametrize("done", range(4))
def test_a_rotation_that_ended_anywhere_leaves_all_readable_and_is_finished_by_the_next(
    database: Database, home: Path, done: int
):
    first = rotation(database, home)
    digest = first.artifacts.put(b"state")
    old = keys_at(home / "key")
    for step in (first.prepare, first.rewrap, first.renew, first.retire)[:done]:
        step()
        assert rotation(database, home).artifacts.get(digest) == b"state"
    again = rotation(database, home)
    for step in (again.prepare, again.rewrap, again.renew, again.retire):
        step()
        assert again.artifacts.get(digest) == b"state"
    (new,) = keys_at(home / "key")
    assert (new,) != old
    assert rotation(database, home).artifacts.get(digest) == b"state"
    kept = WrappedKeys(database=database, outer=lambda: old).keys()
    assert not set(kept) & set(again.keys.keys())


def test_two_rotations_at_once_end_with_one_key_that_opens_everything(database: Database, home: Path):
    digest = rotation(database, home).artifacts.put(b"state")

    def rotate(_: int) -> None:
        one = rotation(database, home)
        with one.alone():
            one.prepare()
            one.rewrap()
            one.retire()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(rotate, range(4)))
    assert len(keys_at(home / "key")) == 1
    assert rotation(database, home).artifacts.get(digest) == b"state"


def test_an_operators_secret_with_one_key_has_none_to_rotate_to(database: Database, home: Path):
    digest = rotation(database, home, secret=(OLD,)).artifacts.put(b"state")
    with pytest.raises(RecordError) as refused:
        rotation(database, home, secret=(OLD,)).prepare()
    assert refused.value.code == "HF-4312"
    moving = rotation(database, home, secret=(NEW, OLD))
    moving.prepare()
    moving.rewrap()
    moving.retire()
    assert rotation(database, home, secret=(NEW,)).artifacts.get(digest) == b"state"
