"""The secret stores in their order, and those that a single host has: systemd credentials, files, the environment.

A value is read when it is asked for; what a store that takes time has told stays in this process's memory, to be
masked wherever it could be seen. What the record learns is a version: a keyed
digest, from which nobody without the record's key gets a value back, not even by trying.
"""

from __future__ import annotations

import re
import stat
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, Protocol

from orchestrator.errors import Denied, SecretMissing, StoreUnreachable
from orchestrator.model.fingerprint import value_digest
from orchestrator.model.stack import StackKey
from orchestrator.ports import Secret

#: ``db/password``: parts of letters, digits, dot, underscore and hyphen; none begins with a dot.
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")

#: Seconds for which a store is left alone that did not answer in time, and the code of that.
_PAUSE_S: Final = 15.0
_TOO_LONG: Final = "HF-4406"

#: What the variables of the environment's store begin with, unless the operator says otherwise.
PREFIX: Final = "HOLDFAST_SECRET_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a store knows under a name."""

    value: str
    #: What changes whenever the value may have: the store's own version. Empty where it has none.
    version: str = ""


class Store(Protocol):
    """One place where secrets are kept."""

    def place(self, secret: str) -> str:
        """Return where it looks for a secret, in words."""
        ...

    def find(self, secret: str) -> Kept | None:
        """Return what it knows, None where it does not know the name.

        Raises SecretMissing (HF-4401) where it may not tell, and another of HF-4402 to HF-4406 where it cannot:
        a store that does not answer has not said that it does not know.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A store, and who may read from it in inputs and settings."""

    store: Store
    #: Globs over full stack keys.
    stacks: tuple[str, ...] = ("*",)
    #: Whether code that a pull request proposes may read, too.
    foreign: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSecrets:
    """`ports.Secrets` over stores, asked in order; the first that knows a name wins."""

    shelves: Sequence[Shelf]
    #: The record's own key.
    key: bytes
    #: Names that no stack reads: what the operator hands out in credential sets, or uses for Holdfast itself.
    reserved: frozenset[str] = frozenset()

    def readable_by(self, stack: StackKey, *, foreign: bool) -> ReadableSecrets:
        """Return what a stack may read in its inputs and settings."""
        return ReadableSecrets(secrets=self, stack=stack, foreign=foreign)

    def get(self, name: str) -> Secret:
        """Return the secret. Raises SecretMissing (HF-4400), (HF-4401) where its name or its file is not safe."""
        return self.found(name)[0]

    def found(self, name: str) -> tuple[Secret, str]:
        """Return the secret and the place where it is, in words. Raises what `get` raises."""
        if not _NAME.fullmatch(name):
            raise SecretMissing(
                f"{name!r} is no name of a secret",
                code="HF-4401",
                hint="use letters, digits, _ . - and / between parts",
            )
        for shelf in self.shelves:
            kept = shelf.store.find(name)
            if kept is not None:
                place = shelf.store.place(name)
                return Secret(value=kept.value, version=self._version(place, kept)), place
        asked = ", ".join(shelf.store.place(name) for shelf in self.shelves) or "none is set up"
        raise SecretMissing(f"no store knows the secret {name} (asked: {asked})", hint="put it there, or mend its name")

    def forget(self) -> None:
        """Have every store asked anew: what one has answered counts for one run. For whoever begins another."""
        for shelf in self.shelves:
            if isinstance(shelf.store, Remembering):
                shelf.store.forget()

    def at_hand(self) -> StoreSecrets:
        """Return the same without the stores that take time to answer."""
        return replace(self, shelves=[one for one in self.shelves if not isinstance(one.store, Remembering)])

    def told(self) -> tuple[str, ...]:
        """Return every value that a store which takes time ever told to anybody here. Asks nobody."""
        slow = [shelf.store for shelf in self.shelves if isinstance(shelf.store, Remembering)]
        return tuple(value for store in slow for value in tuple(store.told))

    def _version(self, place: str, kept: Kept) -> str:
        # Two stores may count alike: the version that one gives says nothing without its place.
        return value_digest(f"{place}\0{kept.version}" if kept.version else kept.value, self.key)

    def versions(self, names: Iterable[str]) -> Mapping[str, str]:
        """Return the version of each name, without keeping a value. Raises SecretMissing."""
        return {name: self.get(name).version for name in sorted(set(names))}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadableSecrets:
    """`ports.Secrets` as one stack sees them."""

    secrets: StoreSecrets
    stack: StackKey
    foreign: bool

    def forget(self) -> None:
        """Have every store asked anew."""
        self.secrets.forget()

    def readable_by(self, stack: StackKey, *, foreign: bool) -> ReadableSecrets:
        """Return what another stack may read."""
        return self.secrets.readable_by(stack, foreign=foreign)

    def get(self, name: str) -> Secret:
        """Return the secret. Raises Denied (HF-4410, HF-4411), SecretMissing."""
        return self.found(name)[0]

    def found(self, name: str) -> tuple[Secret, str]:
        """Return the secret and the place where it is, in words. Raises what `get` raises."""
        # One variable, or one credential of systemd, answers to several spellings of a name.
        if variable(name) in {variable(one) for one in self.secrets.reserved}:
            raise Denied(
                f"the secret {name} is part of a credential set or Holdfast's own: no stack reads it",
                code="HF-4410",
                hint="name the credential set under credentials:, or keep a secret of its own for the stack",
            )
        open_ = [shelf for shelf in self.secrets.shelves if self._may_read(shelf)]
        try:
            return replace(self.secrets, shelves=open_).found(name)
        except SecretMissing as missing:
            # Where it is known elsewhere, that is the better answer.
            if missing.code != SecretMissing.code or len(open_) == len(self.secrets.shelves):
                raise
            self.secrets.get(name)
        who = f"pull requests of {self.stack}" if self.foreign else str(self.stack)
        raise Denied(
            f"the secret {name} is not granted to {who}",
            code="HF-4411",
            hint="ask the operator to grant its store: stacks:, and pull_requests: for what is not merged yet",
        )

    def versions(self, names: Iterable[str]) -> Mapping[str, str]:
        """Return the version of each name, without keeping a value. Raises Denied, SecretMissing."""
        return {name: self.get(name).version for name in sorted(set(names))}

    def _may_read(self, shelf: Shelf) -> bool:
        granted = any(fnmatchcase(str(self.stack), glob) for glob in shelf.stacks)
        return granted and (shelf.foreign or not self.foreign)


class Remembering:
    """A store that takes time to answer, asked once for each name until it is told to forget.

    Answers are kept, and who did not answer is asked again; only a store that kept somebody waiting for nothing is
    left alone for a while, whatever it is told to forget: whoever asks next would wait as long, and so would each
    name that is asked for.
    """

    def __init__(self, opened: Callable[[], Store], now: Callable[[], float] = time.monotonic) -> None:
        """``opened`` makes the store: with what it was let in by, it is made anew after `forget`."""
        self._opened, self._now = opened, now
        self._turn = threading.Lock()
        self._away: tuple[float, StoreUnreachable] | None = None
        #: Every value that it ever told: what to mask, also once another has taken its place.
        self.told: dict[str, None] = {}
        self.forget()

    def forget(self) -> None:
        """Ask anew from now on."""
        self._store = self._opened()
        self._answers: dict[str, Kept | None] = {}

    def place(self, secret: str) -> str:
        """Return where the store looks for a secret."""
        return self._store.place(secret)

    def find(self, secret: str) -> Kept | None:
        """Return what the store knew when it was first asked. Raises what the store raises."""
        answers = self._answers
        if secret not in answers:
            # Whoever asks at the same time hears the same, and does not wait twice.
            with self._turn:
                if secret not in answers:
                    answers[secret] = self._ask(secret)
        return answers[secret]

    def _ask(self, secret: str) -> Kept | None:
        if self._away is not None:
            until, said = self._away
            if self._now() < until:
                raise StoreUnreachable(said.message, code=said.code, hint=said.hint)
        try:
            found = self._store.find(secret)
        except StoreUnreachable as error:
            self._away = (self._now() + _PAUSE_S, error) if error.code == _TOO_LONG else None
            raise
        self._away = None
        if found is not None:
            self.told[found.value] = None
        return found


def variable(secret: str, prefix: str = PREFIX) -> str:
    """Return the environment variable for a secret: ``db/password`` is ``HOLDFAST_SECRET_DB_PASSWORD``."""
    return prefix + re.sub(r"[^A-Za-z0-9]", "_", secret).upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentStore:
    """For development: one variable a secret."""

    environ: Mapping[str, str]
    prefix: str = PREFIX

    def place(self, secret: str) -> str:
        """Return the variable."""
        return f"environment variable {variable(secret, self.prefix)}"

    def find(self, secret: str) -> Kept | None:
        """Return the variable's value; an empty one counts as not set."""
        value = self.environ.get(variable(secret, self.prefix))
        return Kept(value=value) if value else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemdStore:
    """The credentials directory that systemd hands to a unit (``LoadCredential=``), ``$CREDENTIALS_DIRECTORY``.

    A credential's name holds no slash: ``db/password`` is ``db_password``, as ``LoadCredential=db:FOLDER`` makes it.
    https://systemd.io/CREDENTIALS
    """

    folder: Path

    def place(self, secret: str) -> str:
        """Return the credential's name."""
        return f"systemd credential {secret.replace('/', '_')}"

    def find(self, secret: str) -> Kept | None:
        """Return the credential's text. Raises SecretMissing (HF-4401) where it is not text."""
        return _read(self.folder / secret.replace("/", "_"), self.folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStore:
    """A folder of files: ``db/password`` is the file ``password`` in the subfolder ``db``."""

    folder: Path

    def place(self, secret: str) -> str:
        """Return the file."""
        return f"file {self.folder / secret}"

    def find(self, secret: str) -> Kept | None:
        """Return the text. Raises SecretMissing (HF-4401) where everybody may read it or it leaves the folder."""
        return _read(self.folder / secret, self.folder)


def _read(path: Path, folder: Path) -> Kept | None:
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
    return Kept(value=text.removesuffix("\n").removesuffix("\r"))


def _unsafe(path: Path, why: str, hint: str) -> SecretMissing:
    return SecretMissing(f"the secret's file {path} {why}", code="HF-4401", hint=hint)
