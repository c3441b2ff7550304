"""The secret store of files that sops encrypted: https://getsops.io.

A file is read once, and what was read is what sops decrypts: it gets the bytes, never the path, so that a file which
is exchanged meanwhile has a version of its own. The program finds its keys as it always does, in our own environment.
"""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from adapters.contract import Json, Result
from orchestrator.effects.process import quick
from orchestrator.effects.secrets import Kept
from orchestrator.errors import ExecutionError, SecretMissing, StoreUnreachable

#: Seconds for one file: a key service far away is asked, too.
PATIENCE: Final = 20.0

#: What sops takes from its environment to find keys and to reach those who hold them.
_PASSED: Final = (
    *("PATH", "HOME", "TMPDIR", "GNUPGHOME", "GPG_TTY", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"),
    *("SOPS_*", "AWS_*", "AZURE_*", "GOOGLE_*", "CLOUDSDK_*", "HUAWEICLOUD_*", "VAULT_*"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_*"),
)
#: Ending -> what sops is told that a file is. It would tell by itself from a name, and gets none.
_KINDS: Final = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".env": "dotenv", ".ini": "ini"}
#: sops' own exit codes for "no key that decrypts this": cmd/sops/codes of its source.
_NO_KEY: Final = {100, 101, 102, 128}


@dataclass(frozen=True, slots=True, kw_only=True)
class SopsStore:
    """``db/password`` is the value ``password`` in the section ``db`` of the first file that has it."""

    #: Absolute paths, with ``*``.
    globs: Sequence[str]
    environ: Mapping[str, str]
    run: Callable[..., Result] = quick
    #: Digest of an encrypted file -> what it holds. Of a file that changed it says nothing.
    _decrypted: dict[str, Json] = field(default_factory=dict)

    def place(self, secret: str) -> str:
        """Return the path in the files."""
        return f"sops {', '.join(self.globs)}: {secret}"

    def find(self, secret: str) -> Kept | None:
        """Return the value.

        Raises SecretMissing: HF-4401 where it is no text, HF-4403 where no key decrypts a file, HF-4404 without sops,
        HF-4405 where a file cannot be used; StoreUnreachable (HF-4406) where sops does not end.
        """
        paths = [one for pattern in self.globs for one in sorted(Path("/").glob(pattern.lstrip("/")))]
        if not paths:
            raise SecretMissing(
                f"no file is called {', '.join(self.globs)}", code="HF-4405", hint="mend files: of the sops store"
            )
        for path in dict.fromkeys(paths):
            content = _read(path)
            version = hashlib.sha256(content).hexdigest()
            if version not in self._decrypted:
                self._decrypted[version] = self._decrypt(path, content)
            value = _at(self._decrypted[version], secret.split("/"))
            if isinstance(value, str):
                return Kept(value=value, version=version)
            if value is not None:
                raise SecretMissing(
                    f"{secret} in {path} is no text", code="HF-4401", hint="quote it; sections cannot be secrets"
                )
        return None

    def _decrypt(self, path: Path, content: bytes) -> Json:
        kind = _KINDS.get(path.suffix, "binary")
        argv = ("sops", "--decrypt", "--input-type", kind, "--output-type", "json", "/dev/stdin")
        env = {name: text for name, text in self.environ.items() if any(fnmatchcase(name, one) for one in _PASSED)}
        try:
            done = self.run(argv, env=env, cwd=Path("/"), stdin=content, timeout=PATIENCE)
        except ExecutionError as error:
            if error.code == "HF-5008":
                raise StoreUnreachable(
                    f"sops did not decrypt {path} within {PATIENCE:g} s", code="HF-4406", hint="is its key service up?"
                ) from None
            raise SecretMissing(
                f"sops cannot be run: {error.message}", code="HF-4404", hint="install sops: https://getsops.io"
            ) from None
        # What it prints on failure names keys and places, never values; one line of it says enough.
        said = " ".join(done.stderr.decode("utf-8", "replace").split())[:300]
        if done.exit_code in _NO_KEY:
            raise SecretMissing(
                f"no key that is here decrypts {path}: {said}",
                code="HF-4403",
                hint="give sops its key: SOPS_AGE_KEY_FILE",
            )
        if done.exit_code:
            raise SecretMissing(f"sops refuses {path}: {said}", code="HF-4405", hint=f"try: sops --decrypt {path}")
        try:
            found: Json = json.loads(done.stdout)
        except ValueError:
            # Chained to nothing: the error would quote what was decrypted.
            raise SecretMissing(
                f"what sops makes of {path} is no JSON", code="HF-4405", hint="update sops to 3.7 or newer"
            ) from None
        return found


def _at(document: Json, parts: Sequence[str]) -> Json:
    """Return what stands at a path, None where nothing does."""
    for part in parts:
        if not isinstance(document, dict):
            return None
        document = document.get(part)
    return document


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_mode & stat.S_IWOTH:
            # Whoever knows the public key can encrypt a value of their own.
            raise SecretMissing(
                f"the secrets' file {path} can be written by everybody on this host",
                code="HF-4401",
                hint=f"chmod o-w {path}",
            )
        return path.read_bytes()
    except OSError as error:
        raise SecretMissing(
            f"the secrets' file {path} cannot be read: {error.strerror}", code="HF-4405", hint="check its owner"
        ) from error
