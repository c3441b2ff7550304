"""The files of a system service: where they come from, where they go, and which of them a person has changed."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import orchestrator
from orchestrator.errors import UsageError

#: What the files of the package run; the program that is installed takes its place.
_PROGRAM: Final = "/usr/bin/holdfast"
#: Begins the first line of what we write: the digest of all the lines below tells whether a person changed it.
_MARK: Final = "# Written by holdfast service install; sha256 of what follows: "
#: Source -> place below the root.
_SYSTEM: Final = {
    "holdfast.service": "etc/systemd/system/holdfast.service",
    "holdfast-worker.service": "etc/systemd/system/holdfast-worker.service",
    "sysusers.d/holdfast.conf": "etc/sysusers.d/holdfast.conf",
    "tmpfiles.d/holdfast.conf": "etc/tmpfiles.d/holdfast.conf",
}
_OPERATOR: Final = "holdfast.yaml"
_HOME: Final = "home: /var/lib/holdfast\n"
#: What the unit does not see (ProtectHome=), or not as we do (PrivateTmp=).
_HIDDEN: Final = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108 -- refused, not used
_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-")


class Fate(StrEnum):
    """What becomes of a file."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    #: A person changed it, or made it.
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """One file, and where it is to lie."""

    target: Path
    text: str
    #: Written once and a person's from then on.
    example: bool = False

    @property
    def fate(self) -> Fate:
        """What becomes of it. Raises OSError."""
        if not os.path.lexists(self.target):
            return Fate.WRITTEN
        if self.example or self.target.is_symlink() or not self.target.is_file():
            return Fate.KEPT
        there = self.target.read_bytes()
        if there == self.text.encode():
            return Fate.UNCHANGED
        return Fate.WRITTEN if _untouched(there) else Fate.KEPT

    def write(self) -> None:
        """Put it in its place, whole or not at all. Raises OSError."""
        self.target.parent.mkdir(parents=True, exist_ok=True)
        draft = self.target.with_name(f".{self.target.name}.{os.getpid()}")
        try:
            draft.write_text(self.text, encoding="utf-8")
            draft.chmod(0o640 if self.example else 0o644)
            draft.replace(self.target)
        finally:
            draft.unlink(missing_ok=True)


def sources() -> Path:
    """Return the folder that the files come from: in the package, or in the checkout that it runs from."""
    package = Path(orchestrator.__file__).parent
    return next(place for place in (package / "deploy", package.parent / "deploy") if place.is_dir())


def system_files(root: Path, program: str) -> Iterator[Installed]:
    """Yield what a service of the system needs below ``root``."""
    for source, place in _SYSTEM.items():
        yield Installed(target=root / place, text=_marked(_of(source, program)))
    yield Installed(target=root / "etc/holdfast" / _OPERATOR, text=_of(_OPERATOR, program), example=True)


def user_files(config: Path, state: Path, program: str) -> Iterator[Installed]:
    """Yield what a person's own service needs; ``config`` is ``$XDG_CONFIG_HOME``, ``state`` ``$XDG_STATE_HOME``."""
    unit = config / "systemd/user/holdfast.service"
    yield Installed(target=unit, text=_marked(_of("user/holdfast.service", program)))
    example = _of(_OPERATOR, program).replace(_HOME, f"home: {state / 'holdfast' / 'service'}\n")
    yield Installed(target=config / "holdfast" / _OPERATOR, text=example, example=True)


def program_for(given: str, *, elsewhere: bool, own: bool) -> str:
    """Return the path of the program that a unit runs, the one that runs now unless one is ``given``.

    ``elsewhere``: it is for another root than ours. ``own``: for a person's own service. Raises UsageError: HF-1951
    where the unit cannot see it, HF-1900 where it is no plain absolute path.
    """
    program = given or str(Path(sys.executable).with_name("holdfast"))
    if not program.startswith("/") or set(program) - _PLAIN:
        raise UsageError(f"{program!r} is no plain absolute path", hint="name one with --program /path/holdfast")
    seen = [program] if given else [program, sys.prefix, sys.base_prefix]
    if not elsewhere:
        seen += [str(Path(one).resolve()) for one in seen]
    hidden = next((one for one in seen for closed in _HIDDEN if Path(one).is_relative_to(closed)), "")
    if hidden and not own:
        raise UsageError(
            f"a service of the system cannot see {hidden}",
            code="HF-1951",
            hint="install holdfast for everybody, say in /opt/holdfast, and let that one install; or take --user",
        )
    return program


def _of(source: str, program: str) -> str:
    return (sources() / source).read_text(encoding="utf-8").replace(_PROGRAM, program)


def _marked(text: str) -> str:
    return f"{_MARK}{hashlib.sha256(text.encode()).hexdigest()}\n{text}"


def _untouched(there: bytes) -> bool:
    """Whether a file is as some release of ours wrote it."""
    first, _, rest = there.partition(b"\n")
    return first == f"{_MARK}{hashlib.sha256(rest).hexdigest()}".encode()
