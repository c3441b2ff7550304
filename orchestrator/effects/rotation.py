"""Exchanging the outer key, in steps each of which leaves everything readable: it can be begun again anywhere."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.effects.artifacts import FolderArtifacts
from orchestrator.effects.artifacts_shared import SharedArtifacts
from orchestrator.effects.encryption import fresh_key, keys_at, write_keys
from orchestrator.effects.wrapped_keys import WrappedKeys
from orchestrator.errors import RecordError


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """The steps, in their order: `prepare`, `rewrap`, `renew`, `retire`, inside of `alone`."""

    keys: WrappedKeys
    artifacts: FolderArtifacts | SharedArtifacts
    #: The home's own key file; None where the operator keeps the outer key in a secret.
    file: Path | None
    home: Path

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep another rotation of this home out: two would each retire the other's key."""
        lock = os.open(self.home / "rotation.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def prepare(self) -> None:
        """Have a new outer key stand above the old ones. Raises RecordError (HF-4312) where that is the operator's."""
        if self.file is not None:
            old = keys_at(self.file)
            # More than one: a rotation was interrupted, and its new key may be in use.
            if len(old) == 1:
                write_keys(self.file, (fresh_key(), *old))
        elif len(self.keys.outer()) == 1:
            raise RecordError(
                f"the secret {self.keys.secret} holds one key: there is none to rotate to",
                code="HF-4312",
                hint="put a new key on a line above the old one, then run this again",
            )

    def rewrap(self) -> int:
        """Wrap the data keys with the new outer key; returns how many there are."""
        return self.keys.rewrap()

    def renew(self) -> int:
        """Encrypt with a data key what an outer key encrypted itself, before there were data keys; returns how much."""
        return self.artifacts.renew()

    def retire(self) -> None:
        """Leave only the new outer key in the home's own file; a secret is the operator's to clear."""
        if self.file is not None:
            write_keys(self.file, keys_at(self.file)[:1])
