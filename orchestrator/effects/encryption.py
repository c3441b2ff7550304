"""Encryption at rest: what a thief of the disk or of a backup finds is worth nothing without the key file.

Fernet (https://github.com/fernet/spec). The key file holds one key a line: the first encrypts, all of
them decrypt. To rotate, put a new line on top, have everything encrypted anew, then remove the old ones.
"""

from __future__ import annotations

import base64
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cipher:
    """Encrypts with the first key and decrypts with any; keys are read when they are needed."""

    read_keys: Callable[[], tuple[bytes, ...]]

    def encrypt(self, content: bytes) -> bytes:
        """Return ``content`` encrypted. Raises RecordError (HF-4311) where no key can be used."""
        return self._fernet().encrypt(content)

    def decrypt(self, token: bytes) -> bytes:
        """Return what was encrypted. Raises RecordError (HF-4311) where no key of ours did, or it was altered."""
        from cryptography.fernet import InvalidToken  # noqa: PLC0415 -- only who decrypts pays for the library

        try:
            return self._fernet().decrypt(token)
        except InvalidToken as error:
            raise _unreadable() from error

    def renew(self, token: bytes) -> bytes:
        """Return the same content encrypted with the first key. Raises RecordError (HF-4311)."""
        from cryptography.fernet import InvalidToken  # noqa: PLC0415 -- as above

        try:
            return self._fernet().rotate(token)
        except InvalidToken as error:
            raise _unreadable() from error

    def _fernet(self) -> MultiFernet:
        from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415 -- as above

        try:
            return MultiFernet([Fernet(key) for key in self.read_keys()])
        except ValueError as error:
            raise RecordError(
                "the encryption key is not one", code="HF-4311", hint="each line must be 32 bytes in URL-safe base64"
            ) from error


def cipher_at(path: Path) -> Cipher:
    """Return the cipher of a key file, which is made on first use. Reads nothing yet."""
    return Cipher(read_keys=lambda: keys_at(path))


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


def _make(path: Path) -> None:
    """Make the key file whole or not at all; of two processes that try, both go on with the same key."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.urlsafe_b64encode(secrets.token_bytes(32)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _unreadable() -> RecordError:
    return RecordError(
        "what is stored was encrypted with a key that is not here, or was altered",
        code="HF-4311",
        hint="put the key back into the key file, one key a line",
    )
