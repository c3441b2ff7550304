"""Checks that a commit is signed by one of a source's signers: OpenPGP keys and SSH keys, through git itself.

The signature on the commit at the tip is what counts: it covers the whole tree, so whoever signs it vouches for
every file, whatever unsigned commits lie before it. OpenPGP keyrings are told from ``allowed_signers`` files
(ssh-keygen(1)) by their first line. The keyring lives in a folder of its own, so that no key of the user's counts.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.contract import Result
from orchestrator.effects.git import QUICK, Git, Run, last_line
from orchestrator.errors import RevisionRejected, SourceError

_ARMOUR: Final = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"
_GPG_CONFIGURATION: Final = "no-autostart\nno-auto-key-retrieve\nno-auto-key-import\ntrust-model always\nbatch\n"

#: Status words of gpg (doc/DETAILS) and phrases of ssh-keygen, with what they mean for people.
_REASONS: Final = (
    (b"[GNUPG:] EXPKEYSIG", "the key it is signed with has expired"),
    (b"[GNUPG:] REVKEYSIG", "the key it is signed with was revoked"),
    (b"[GNUPG:] EXPSIG", "its signature has expired"),
    (b"[GNUPG:] BADSIG", "its signature does not fit its content"),
    (b"[GNUPG:] NO_PUBKEY", "it is signed with a key that is not among the signers"),
    (b"[GNUPG:] ERRSIG", "its signature cannot be checked"),
    (b"key has expired", "the key it is signed with has expired"),
    (b"not yet valid", "the key it is signed with is not valid yet"),
    (b"No principal matched", "it is signed with a key that is not among the signers"),
    (b"incorrect signature", "its signature does not fit its content"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signers:
    """The keys that count for one source."""

    #: Folder of ours for the keyring; rebuilt whenever the files change.
    folder: Path
    files: tuple[str, ...]
    run: Run

    def check(self, git: Git, commit: str) -> None:
        """Raise RevisionRejected (HF-3016) unless ``commit`` carries a good signature by one of the signers."""
        home, allowed = self._prepare(git.env)
        settings = _more_settings(git.env, {"gpg.ssh.allowedSignersFile": str(allowed), "gpg.minTrustLevel": "fully"})
        result = git.ask("verify-commit", "--raw", commit, extra={**settings, "GNUPGHOME": str(home)})
        if result.exit_code != 0:
            raise RevisionRejected(
                f"commit {commit[:12]} is refused: {_reason(result)}",
                code="HF-3016",
                hint="sign the commit with a key of the source's `signers`, or add the key there",
            )

    def vouch(self, git: Git, commit: str) -> bool:
        """Whether ``commit`` carries such a signature."""
        try:
            self.check(git, commit)
        except RevisionRejected:
            return False
        return True

    def _prepare(self, env: Mapping[str, str]) -> tuple[Path, Path]:
        """Return the private keyring and the file of allowed SSH signers, made from the files as they are now."""
        contents = [self._content(file) for file in self.files]
        mark = hashlib.sha256(b"\0".join(contents)).hexdigest()[:16]
        home = self.folder / f"signers-{mark}"
        allowed = home / "allowed_signers"
        if not allowed.exists():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.TemporaryDirectory(prefix="signers-", dir=self.folder) as folder:
                fresh = Path(folder) / "made"
                fresh.mkdir(mode=0o700)
                (fresh / "gpg.conf").write_text(_GPG_CONFIGURATION)
                ring = b"".join(self._dearmoured(fresh, content, env) for content in contents if _armoured(content))
                (fresh / "pubring.gpg").write_bytes(ring)
                (fresh / "allowed_signers").write_bytes(b"\n".join(c for c in contents if not _armoured(c)))
                # Fails only where somebody was faster; what they made is the same.
                with suppress(OSError):
                    fresh.rename(home)
        return home, allowed

    def _content(self, file: str) -> bytes:
        try:
            return Path(file).read_bytes()
        except OSError as failure:
            raise SourceError(
                f"signers file {file} cannot be read: {failure.strerror}",
                code="HF-3016",
                hint="name a readable file with public keys under `signers`",
            ) from failure

    def _dearmoured(self, home: Path, keys: bytes, env: Mapping[str, str]) -> bytes:
        """Return keys as a keyring holds them: an import would want an agent, which outlives us."""
        argv = ["gpg", "--batch", "--quiet", "--dearmor"]
        result = self.run(argv, env={**env, "GNUPGHOME": str(home)}, cwd=home, stdin=keys, timeout=QUICK)
        if result.exit_code != 0:
            raise SourceError(
                f"the OpenPGP keys under `signers` cannot be read: {last_line(result.stderr)}",
                code="HF-3016",
                hint="export them anew with: gpg --armor --export KEY",
            )
        return result.stdout


def _armoured(content: bytes) -> bool:
    return content.lstrip().startswith(_ARMOUR)


def _more_settings(env: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that add ``settings`` to those already in ``env``."""
    start = int(env["GIT_CONFIG_COUNT"])
    more = {"GIT_CONFIG_COUNT": str(start + len(settings))}
    for index, (key, value) in enumerate(settings.items(), start):
        more[f"GIT_CONFIG_KEY_{index}"] = key
        more[f"GIT_CONFIG_VALUE_{index}"] = value
    return more


def _reason(result: Result) -> str:
    said = result.stderr + result.stdout
    if not said.strip():
        return "it is not signed"
    return next((meaning for sign, meaning in _REASONS if sign in said), last_line(said))
