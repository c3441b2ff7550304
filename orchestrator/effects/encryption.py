"""Encryption at rest: what a thief of the disk or of a backup finds is worth nothing without the key file.

Fernet (https://github.com/fernet/spec). The key file holds one key a line: the first encrypts, all of
them decrypt. What it encrypts are data keys: see `wrapped_keys`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orchestrator.errors import RecordError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

#: Bits of a mode that let others than the owner and the group near a key.
_OTHERS: Final = 0o007


class Undecipherable(RecordError):
    """No key that is here encrypted it, or it was altered since."""

    code = "HF-4311"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cipher:
    """Encrypts with the first key and decrypts with any; keys are read when they are needed."""

    read_keys: Callable[[], tuple[bytes, ...]]
    #: Keys that nothing is encrypted with any more, and that open what is older.
    former: Callable[[], tuple[bytes, ...]] = tuple

    def encrypt(self, content: bytes) -> bytes:
        """Return ``content`` encrypted. Raises RecordError (HF-4311) where no key can be used."""
        return _fernet(self.read_keys()).encrypt(content)

    def decrypt(self, token: bytes) -> bytes:
        """Return what was encrypted. Raises RecordError (HF-4311) where no key of ours did, or it was altered."""
        keys = self.read_keys()
        found = _opened(keys, token)
        if found is None:
            found = _opened((*keys, *self.former()), token)
        if found is None:
            raise Undecipherable(
                "what is stored was encrypted with a key that is not here, or was altered",
                hint="put the key back into the key file, one key a line",
            )
        return found

    def renewed(self, token: bytes) -> bytes | None:
        """Return the same content encrypted anew where a former key did it, None where a present one did.

        Raises RecordError (HF-4311).
        """
        keys = self.read_keys()
        return None if _opened(keys, token) is not None else _fernet(keys).encrypt(self.decrypt(token))

    def vouch(self, text: str) -> str:
        """Return the HMAC-SHA256 of ``text`` under the newest key, in hex. Raises RecordError (HF-4311)."""
        return _mac(self.read_keys()[0], text)

    def vouches(self, text: str, mac: str) -> bool:
        """Whether any of the keys vouched for ``text``. Raises RecordError (HF-4311)."""
        return any(hmac.compare_digest(_mac(key, text), mac) for key in self.read_keys())


def _mac(key: bytes, text: str) -> str:
    # A key of its own, derived: no two uses share one.
    derived = hashlib.sha256(b"holdfast checkpoint\0" + key).digest()
    return hmac.new(derived, text.encode(), hashlib.sha256).hexdigest()


def _fernet(keys: tuple[bytes, ...]) -> MultiFernet:
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415 -- only who encrypts pays for the library

    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise RecordError(
            "the encryption key is not one", code="HF-4311", hint="each line must be 32 bytes in URL-safe base64"
        ) from error


def _opened(keys: tuple[bytes, ...], token: bytes) -> bytes | None:
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 -- as above

    try:
        return _fernet(keys).decrypt(token)
    except InvalidToken:
        return None


def fresh_key() -> bytes:
    """Return a new key, as a line of a key file holds it."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32))


def keys_at(path: Path) -> tuple[bytes, ...]:
    """Return the keys in a file, newest first; make the file with one key where there is none.

    Raises RecordError (HF-4311) where it cannot be read or made, or where others may read it.
    """
    try:
        if not path.exists():
            _make(path)
        mode = path.stat().st_mode
        lines = path.read_bytes().split()
    except OSError as error:
        raise RecordError(
            f"the encryption key {path} cannot be used: {error.strerror}", code="HF-4311", hint="check its owner"
        ) from error
    if mode & _OTHERS:
        raise RecordError(
            f"the encryption key {path} is open to everybody on this host", code="HF-4311", hint=f"chmod 600 {path}"
        )
    return tuple(lines)


def write_keys(path: Path, keys: tuple[bytes, ...]) -> None:
    """Put ``keys`` in the place of those in the file, all or none. Raises RecordError (HF-4311)."""
    try:
        _draft(path, keys).rename(path)
        _sync(path.parent)
    except OSError as error:
        raise RecordError(
            f"the encryption key {path} cannot be written: {error.strerror}", code="HF-4311", hint="check its owner"
        ) from error


def _make(path: Path) -> None:
    """Make the key file whole or not at all; of two processes that try, both go on with the same key."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = _draft(path, (fresh_key(),))
    try:
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _draft(path: Path, keys: tuple[bytes, ...]) -> Path:
    """Write ``keys`` into a new file beside ``path``, so that they survive a loss of power, and return it."""
    draft = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(b"\n".join(keys) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return draft


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
