"""Writes plans that travel into a folder, encrypted, and reads them back only where nobody has touched them.

    manifest.json   what is planned, in clear: no value is in it. Its SHA-256 is the digest of the whole
    seal            encrypted: that digest, and the key of the record that the plans were made in
    <sha256>        encrypted, one file each: saved plans, resolved inputs, plans as people see them

The manifest names every file by the digest of its content, and the seal vouches for the manifest. So who has the key
notices any change, and who was told the digest notices the change of somebody who has the key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.contract import Json
from orchestrator.effects.encryption import Cipher, Undecipherable
from orchestrator.errors import PlanRefused, UsageError
from orchestrator.model.codec import decode, encode
from orchestrator.model.parcel import PARCEL_VERSION, Parcel

#: The variable with the key, as one file of keys would hold them: the first encrypts, all of them decrypt.
PLAN_KEY: Final = "HOLDFAST_PLAN_KEY"
_MANIFEST: Final = "manifest.json"
_SEAL: Final = "seal"
_KEY_BYTES: Final = 32
#: More than any file of a plan can have, in bytes: whoever hands in another folder must not fill our memory.
_LARGEST: Final = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A folder of plans that was found whole."""

    folder: Path
    parcel: Parcel
    #: SHA-256 of the manifest.
    digest: str
    #: The key of the record that the plans were made in: by it fingerprints are told apart.
    record_key: bytes
    _cipher: Cipher

    def content(self, sha256: str) -> bytes:
        """Return what a digest in the manifest names. Raises PlanRefused (HF-1605)."""
        try:
            content = self._cipher.decrypt(_read(self.folder, sha256))
        except Undecipherable as error:
            raise _altered(sha256[:12]) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise _altered(sha256[:12])
        return content


def write_parcel(
    folder: Path, parcel: Parcel, *, record_key: bytes, content: Callable[[str], bytes], cipher: Cipher
) -> str:
    """Write plans into ``folder``, which is made, or is empty; returns the digest of the whole.

    ``content`` returns what a digest names. Raises UsageError (HF-1611) where the folder holds something already.
    """
    prepare(folder)
    value = {**_object(encode(parcel)), "version": parcel.version, "sealed_with": _name_of(cipher.read_keys()[0])}
    manifest = (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()
    digest = hashlib.sha256(manifest).hexdigest()
    for sha256 in parcel.artifacts():
        _write(folder / sha256, cipher.encrypt(content(sha256)))
    seal = json.dumps({"manifest": digest, "record": record_key.hex()}).encode()
    _write(folder / _SEAL, cipher.encrypt(seal))
    # Last: what has a manifest is whole.
    _write(folder / _MANIFEST, manifest)
    return digest


def prepare(folder: Path) -> None:
    """Make a folder that only we may enter. Raises UsageError (HF-1611) where it holds something already."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise UsageError(
            f"{folder} holds something already", code="HF-1611", hint="name a folder that is empty, or not there yet"
        )
    folder.chmod(0o700)


def read_parcel(folder: Path, *, cipher: Cipher, digest: str = "") -> Opened:
    """Return the plans of a folder; ``digest`` is what somebody saw and said yes to, empty where nobody names one.

    Raises:
        UsageError: there are no plans in it (HF-1611).
        PlanRefused: they are others than those of ``digest`` (HF-1603), encrypted with another key (HF-1604), altered
            (HF-1605), or written by a newer release (HF-1606).
    """
    manifest = _manifest(folder)
    found = hashlib.sha256(manifest).hexdigest()
    if digest and not hmac.compare_digest(digest.strip().lower().removeprefix("sha256:"), found):
        raise PlanRefused(
            f"the plans in {folder} have the digest {found}, not {digest.strip()[:80]}",
            code="HF-1603",
            hint="plan again, look at what that prints, and apply with its digest",
        )
    value = _parsed(manifest)
    version = value.pop("version", None)
    if version != PARCEL_VERSION:
        raise PlanRefused(
            f"the plans in {folder} are of version {str(version)[:20]}, and this release reads {PARCEL_VERSION}",
            code="HF-1606",
            hint="plan and apply with the same release of Holdfast",
        )
    record_key = _unsealed(folder, found, cipher, str(value.pop("sealed_with", "")))
    try:
        parcel = decode(Parcel, {**value, "version": version})
    except (ValueError, TypeError, AttributeError) as error:
        raise _altered(_MANIFEST) from error
    for one in parcel.stacks:
        if one.proposal.binding(one.stack) != one.binding:
            raise _altered(one.stack)
    return Opened(folder=folder, parcel=parcel, digest=found, record_key=record_key, _cipher=cipher)


def keys_in(text: str, where: str) -> tuple[bytes, ...]:
    """Return the keys in a text, parted by blanks, newest first; ``where`` names its place to people.

    Each is 32 bytes in base64, of either alphabet. A passphrase is none: what people can remember others can guess,
    and whoever has the artifact may guess for as long as they like. Raises UsageError (HF-1602).
    """
    return tuple(_key(word, where) for word in text.split())


def no_key() -> UsageError:
    """Return the error for plans that nothing could encrypt or decrypt."""
    return UsageError(
        f"plans that leave this host are encrypted, and there is no key: {PLAN_KEY} is not set",
        code="HF-1601",
        hint=f"make one with: openssl rand -base64 32; keep it as a secret, and set {PLAN_KEY} to it",
    )


def _key(word: str, where: str) -> bytes:
    try:
        raw = base64.b64decode(word.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _KEY_BYTES:
        raise UsageError(
            f"{where} holds something that is no key: it takes {_KEY_BYTES} bytes in base64",
            code="HF-1602",
            hint="make one with: openssl rand -base64 32",
        )
    return base64.urlsafe_b64encode(raw)


def _manifest(folder: Path) -> bytes:
    if not (folder / _MANIFEST).is_file():
        raise UsageError(
            f"there are no plans in {folder}",
            code="HF-1611",
            hint="name the folder that holdfast plan --out made; unpack the artifact first",
        )
    return _read(folder, _MANIFEST)


def _parsed(manifest: bytes) -> dict[str, Json]:
    try:
        return _object(json.loads(manifest))
    except (ValueError, RecursionError) as error:
        raise _altered(_MANIFEST) from error


def _object(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise ValueError  # noqa: TRY004 -- what cannot be parsed is no better
    return value


def _unsealed(folder: Path, digest: str, cipher: Cipher, name: str) -> bytes:
    if name not in map(_name_of, cipher.read_keys()):
        raise PlanRefused(
            "the plans were encrypted with another key",
            code="HF-1604",
            hint=f"give the apply the same {PLAN_KEY} as the plan, or plan again",
        )
    try:
        seal: Mapping[str, str] = json.loads(cipher.decrypt(_read(folder, _SEAL)))
    except Undecipherable as error:
        raise _altered(_SEAL) from error
    if seal["manifest"] != digest:
        raise _altered(_MANIFEST)
    return bytes.fromhex(seal["record"])


def _name_of(key: bytes) -> str:
    """Return what tells keys apart and nothing else about them."""
    return hashlib.sha256(b"holdfast plan key\0" + key).hexdigest()[:16]


def _altered(what: str) -> PlanRefused:
    return PlanRefused(
        f"the plans were altered after they were made: {what[:120]} is not as it was",
        code="HF-1605",
        hint="find out who could, then plan again",
    )


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    try:
        # Whoever could put a link there could have us read any file.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise _altered(name) from error
    if len(content) > _LARGEST:
        raise _altered(name)
    return content


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(content)
