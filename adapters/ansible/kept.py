"""What is remembered of the last apply, in `Workspace.kept`: what it was of, and its outputs.

Ansible keeps no state, and two questions need one:

- *Is a difference drift?* It is where the files are those that were applied, or others with which nothing was left
  to do. Otherwise the files ask for something new.
- *Has a task that cannot look been run?* It has where the last apply was of these very files, values and settings.
  Without that, a playbook with one ``command`` would be applied again for ever.

Files and values are remembered as a slow, salted digest: among the values are secrets.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from adapters.ansible.settings import Settings
from adapters.contract import Json, Output, OutputUnreadable, Workspace
from adapters.files import write_private

_FILE: Final = "ansible.json"
#: How many sets of files with which nothing was left to do are remembered: pull requests, mostly.
_MOST: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a run works on."""

    files: bytes
    settings: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What is remembered; empty where nothing was applied yet."""

    salt: str = ""
    #: Digest of the files and values of the last good apply.
    applied: str = ""
    settings: str = ""
    #: Digests of files and values with which nothing was left to do.
    equal: tuple[str, ...] = ()
    outputs: Mapping[str, Output] | None = None

    def ran(self, sight: Sight) -> bool:
        """Say whether the last apply was of this very thing."""
        return bool(self.applied) and self.applied == _slow(sight, self.salt) and self.settings == sight.settings

    def converged(self, sight: Sight) -> bool:
        """Say whether differences are drift; where nothing is remembered somebody else knows that it was applied."""
        return not self.applied or _slow(sight, self.salt) in {self.applied, *self.equal}


def sight(workspace: Workspace, settings: Settings) -> Sight:
    """Digest the files and values before a run: what runs may write among them."""
    digest = hashlib.sha256()
    for path in sorted(workspace.root.rglob("*")):
        name = path.relative_to(workspace.root).as_posix()
        if "__pycache__" in path.parts or not (path.is_file() or path.is_symlink()):
            continue
        content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        digest.update(f"{len(name)} {name} {len(content)} ".encode())
        digest.update(content)
    values = {name: item.value for name, item in workspace.inputs.items()}
    digest.update(json.dumps(values, sort_keys=True).encode())
    return Sight(files=digest.digest(), settings=hashlib.sha256(repr(settings).encode()).hexdigest())


def read(folder: Path) -> Kept:
    """Return what is remembered. Raises OutputUnreadable where it cannot be read."""
    try:
        found = json.loads((folder / _FILE).read_text("utf-8"))
        outputs = {
            str(name): Output(value=item["value"], sensitive=bool(item["sensitive"]))
            for name, item in found["outputs"].items()
        }
        return Kept(
            salt=found["salt"],
            applied=found["applied"],
            settings=found["settings"],
            equal=tuple(found["equal"]),
            outputs=outputs,
        )
    except FileNotFoundError:
        return Kept()
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise OutputUnreadable(
            f"what was remembered of the last apply cannot be read: {folder / _FILE}",
            hint="remove the file: the next apply writes it anew",
        ) from error


def remember_apply(folder: Path, seen: Sight, outputs: Mapping[str, Output]) -> None:
    """Remember a good apply."""
    salt = secrets.token_hex(16)
    _write(folder, Kept(salt=salt, applied=_slow(seen, salt), settings=seen.settings, outputs=outputs))


def remember_equal(folder: Path, seen: Sight) -> None:
    """Remember that with these files nothing was left to do; nothing of it where nothing was applied yet."""
    kept = read(folder)
    if kept.applied and not kept.converged(seen):
        equal = (*kept.equal, _slow(seen, kept.salt))[-_MOST:]
        _write(
            folder,
            Kept(salt=kept.salt, applied=kept.applied, settings=kept.settings, equal=equal, outputs=kept.outputs),
        )


def outputs_of(custom: Mapping[str, Any], *, sensitive: frozenset[str], texts: frozenset[str]) -> dict[str, Output]:
    """Return what ``set_stats`` handed on: names of the whole run as they are, of one host as ``host.name``.

    Sensitive are those that the stack names, and those that hold a sensitive value.
    """
    found: dict[str, Output] = {}
    for owner, values in custom.items():
        for name, value in values.items() if isinstance(values, dict) else ():
            told = str(name) if owner == "_run" else f"{owner}.{name}"
            written = json.dumps(value, ensure_ascii=False)
            hidden = {told, str(name)} & sensitive or any(text in written for text in texts)
            found[told] = Output(value=_json(value), sensitive=bool(hidden))
    return found


def _json(value: Any) -> Json:
    found: Json = json.loads(json.dumps(value, default=str))
    return found


def _slow(seen: Sight, salt: str) -> str:
    return hashlib.scrypt(seen.files, salt=salt.encode(), n=2**12, r=8, p=1, dklen=32).hex()


def _write(folder: Path, kept: Kept) -> None:
    outputs = {name: {"value": out.value, "sensitive": out.sensitive} for name, out in (kept.outputs or {}).items()}
    body = {
        "salt": kept.salt,
        "applied": kept.applied,
        "settings": kept.settings,
        "equal": list(kept.equal),
        "outputs": outputs,
    }
    write_private(folder / _FILE, json.dumps(body).encode())
