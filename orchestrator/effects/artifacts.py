"""Plans, state copies, inputs and finished logs in a folder, each under the SHA-256 of its content.

A file is there whole or not at all, and encrypted: plan files and inputs hold secrets in clear.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orchestrator.effects.encryption import Cipher, Undecipherable
from orchestrator.errors import RecordError

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderArtifacts:
    """`ports.Artifacts` in a folder of this host."""

    folder: Path
    cipher: Cipher

    def put(self, content: bytes) -> str:
        """Store and return the hex SHA-256 of ``content``. It survives a loss of power once this returns.

        Raises RecordError (HF-4301, HF-4311) where it cannot be stored.
        """
        digest = hashlib.sha256(content).hexdigest()
        if not self._holds(digest):
            with _spoken(digest):
                _write(self._path(digest), self.cipher.encrypt(content))
        return digest

    def get(self, sha256: str) -> bytes:
        """Return the content. Raises RecordError (HF-4310, HF-4311) where it is missing or was altered."""
        with _spoken(sha256):
            try:
                token = self._path(named(sha256)).read_bytes()
            except FileNotFoundError as error:
                raise missing(sha256) from error
        return checked(sha256, self.cipher.decrypt(token))

    def renew(self) -> int:
        """Encrypt anew what a former key encrypted and return how many files that was. It may be done again.

        What no key opens is left as it is: it was lost before.
        """
        done = 0
        for path in sorted(self.folder.glob("??/*")):
            if _DIGEST.fullmatch(path.name):
                with _spoken(path.name), suppress(Undecipherable):
                    token = self.cipher.renewed(path.read_bytes())
                    if token is not None:
                        _write(path, token)
                        done += 1
        return done

    def _holds(self, digest: str) -> bool:
        """Whether it is there and whole; one that was altered is written again."""
        if not self._path(digest).exists():
            return False
        try:
            self.get(digest)
        except RecordError:
            return False
        return True

    def _path(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest


def named(sha256: str) -> str:
    """Return a digest as it is. Raises RecordError (HF-4310) where it is none."""
    if not _DIGEST.fullmatch(sha256):
        raise RecordError(f"{sha256[:80]!r} names no artifact", code="HF-4310")
    return sha256


def missing(sha256: str) -> RecordError:
    """Return the error for an artifact that is not there."""
    return RecordError(f"artifact {sha256[:12]} is missing", code="HF-4310", hint="plan again: it will be made anew")


def checked(sha256: str, content: bytes) -> bytes:
    """Return the content that a digest names. Raises RecordError (HF-4310) where it is another's."""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise RecordError(
            f"artifact {sha256[:12]} was exchanged for another", code="HF-4310", hint="find out who did, plan again"
        )
    return content


def _write(path: Path, token: bytes) -> None:
    path.parent.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.parent.mkdir(exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(token)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    for folder in (path.parent, path.parent.parent):
        _sync(folder)


def _sync(folder: Path) -> None:
    """Have the folder's own entries survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _spoken(digest: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RecordError(
            f"artifact {digest[:12]} cannot be read or written: {error.strerror}",
            code="HF-4301",
            hint="check the disk's free space and the folder's owner",
        ) from error
