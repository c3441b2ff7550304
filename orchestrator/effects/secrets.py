"""The secret stores that a single host has: systemd credentials, a folder of files, the environment.

A value is read when it is asked for and kept nowhere. What the record learns is a version: a keyed
digest, from which nobody without the record's key gets a value back, not even by trying.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from orchestrator.errors import SecretMissing
from orchestrator.model.fingerprint import value_digest
from orchestrator.ports import Secret

#: ``db/password``: parts of letters, digits, dot, underscore and hyphen; none begins with a dot.
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")

_PREFIX: Final = "HOLDFAST_SECRET_"


class Store(Protocol):
    """One place where secrets are kept."""

    @property
    def name(self) -> str:
        """Return what people call it, with its place."""
        ...

    def find(self, secret: str) -> str | None:
        """Return the value, None where it does not know the name. Raises SecretMissing (HF-4401) where it may not."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSecrets:
    """`ports.Secrets` over stores, asked in order; the first that knows a name wins."""

    stores: Sequence[Store]
    #: The record's own key.
    key: bytes

    def get(self, name: str) -> Secret:
        """Return the secret. Raises SecretMissing (HF-4400), (HF-4401) where its name or its file is not safe."""
        if not _NAME.fullmatch(name):
            raise SecretMissing(
                f"{name!r} is no name of a secret",
                code="HF-4401",
                hint="use letters, digits, _ . - and / between parts",
            )
        for store in self.stores:
            value = store.find(name)
            if value is not None:
                return Secret(value=value, version=value_digest(value, self.key))
        asked = ", ".join(store.name for store in self.stores) or "none is set up"
        raise SecretMissing(
            f"no store knows the secret {name} (asked: {asked})",
            hint=f"put it into one of them; for a try: export {variable(name)}=…",
        )

    def versions(self, names: Iterable[str]) -> Mapping[str, str]:
        """Return the version of each name, without keeping a value. Raises SecretMissing."""
        return {name: self.get(name).version for name in sorted(set(names))}


def variable(secret: str) -> str:
    """Return the environment variable for a secret: ``db/password`` is ``HOLDFAST_SECRET_DB_PASSWORD``."""
    return _PREFIX + re.sub(r"[^A-Za-z0-9]", "_", secret).upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentStore:
    """For development: one variable a secret."""

    environ: Mapping[str, str]
    name: str = "environment"

    def find(self, secret: str) -> str | None:
        """Return the variable's value; an empty one counts as not set."""
        return self.environ.get(variable(secret)) or None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemdStore:
    """The credentials directory that systemd hands to a unit (``LoadCredential=``), ``$CREDENTIALS_DIRECTORY``.

    A credential's name holds no slash: ``db/password`` is ``db_password``, as ``LoadCredential=db:FOLDER`` makes it.
    https://systemd.io/CREDENTIALS
    """

    folder: Path

    @property
    def name(self) -> str:
        """Return what people call it."""
        return "systemd credentials"

    def find(self, secret: str) -> str | None:
        """Return the credential's text. Raises SecretMissing (HF-4401) where it is not text."""
        return _read(self.folder / secret.replace("/", "_"), self.folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStore:
    """A folder of files: ``db/password`` is the file ``password`` in the subfolder ``db``."""

    folder: Path

    @property
    def name(self) -> str:
        """Return what people call it."""
        return f"files in {self.folder}"

    def find(self, secret: str) -> str | None:
        """Return the text. Raises SecretMissing (HF-4401) where everybody may read it or it leaves the folder."""
        return _read(self.folder / secret, self.folder)


def _read(path: Path, folder: Path) -> str | None:
    """Return a file's text without the line's end that editors add."""
    try:
        inside, found = folder.resolve(), path.resolve()
        mode = found.stat().st_mode
        if not found.is_relative_to(inside):
            raise _unsafe(path, "leads out of its folder", "keep the file itself there")
        if not stat.S_ISREG(mode):
            raise _unsafe(path, "is not a file", "give the secret another name, or put a file there")
        if mode & (stat.S_IROTH | stat.S_IWOTH):
            raise _unsafe(path, "can be read or written by everybody on this host", f"chmod o= {path}")
        text = found.read_bytes().decode()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError:
        # Chained to nothing: the error would quote the secret.
        raise _unsafe(path, "is not UTF-8 text", "encode it, with base64 for one") from None
    except OSError as error:
        raise _unsafe(path, f"cannot be read: {error.strerror}", "check its owner") from error
    return text.removesuffix("\n").removesuffix("\r")


def _unsafe(path: Path, why: str, hint: str) -> SecretMissing:
    return SecretMissing(f"the secret's file {path} {why}", code="HF-4401", hint=hint)
