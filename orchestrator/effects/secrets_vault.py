"""The secret store of HashiCorp Vault and OpenBao: the KV engine, version 2.

https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from orchestrator.effects.secrets import Kept
from orchestrator.errors import SecretMissing, StoreUnreachable

#: Seconds to connect, and then for each part of the answer.
PATIENCE: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultStore:
    """``db/password`` is the key ``password`` of the secret ``db`` below the path; ``oidc`` one of the path itself."""

    address: str
    #: Where the engine is mounted, and the path of secrets below it.
    mount: str
    path: str
    #: Return what lets us in: ``token``, or ``role_id`` and ``secret_id``. Asked when it is needed.
    login: Callable[[], Mapping[str, str]]
    namespace: str = ""
    #: File of the authorities that may vouch for the address; empty takes the system's.
    ca: str = ""
    #: Name of the method's mount where somebody logs in by role.
    approle: str = "approle"
    _open: list[Any] = field(default_factory=list)

    def place(self, secret: str) -> str:
        """Return the secret and its key."""
        path, key = self._split(secret)
        return f"vault {self.address} {self.mount}/{path}: {key}"

    def find(self, secret: str) -> Kept | None:
        """Return the value in the secret's newest version; one that was deleted is not known.

        Raises SecretMissing: HF-4401 where it is no text, HF-4403 where Vault says no, HF-4404 without hvac, HF-4405
        where there is no such engine; StoreUnreachable: HF-4402, HF-4406 where it takes too long.
        """
        path, key = self._split(secret)
        answer = self._asked(lambda client: _read(client, path, self.mount))
        if answer is None:
            return None
        try:
            values, metadata = answer["data"]["data"], answer["data"]["metadata"]
            # A secret that was wiped and made again counts from one again.
            version = f"{metadata['version']} {metadata['created_time']}"
            value = values.get(key)
        except (TypeError, KeyError, AttributeError):
            raise SecretMissing(
                f"{self.mount} of {self.address} is no KV engine of version 2",
                code="HF-4405",
                hint="name such an engine: path: MOUNT/PATH",
            ) from None
        if value is None:
            return None
        if not isinstance(value, str):
            raise SecretMissing(f"{self.place(secret)} is no text", code="HF-4401", hint="store it as text")
        return Kept(value=value, version=version)

    def _split(self, secret: str) -> tuple[str, str]:
        folder, _, key = secret.rpartition("/")
        return "/".join(part for part in (self.path, folder) if part), key

    def _asked(self, ask: Callable[[Any], Any]) -> Any:
        """Return Vault's answer, with everything that it or the way to it can say put into words."""
        try:
            import hvac  # noqa: PLC0415 -- an extra, and heavy
            import requests  # noqa: PLC0415 -- comes with it
        except ModuleNotFoundError as error:
            raise SecretMissing(
                f"the library for Vault is not installed ({error.name})",
                code="HF-4404",
                hint="pip install 'holdfast[vault]'",
            ) from error
        say = hvac.exceptions
        try:
            if not self._open:
                self._open.append(self._let_in(hvac))
            return ask(self._open[0])
        except (say.Forbidden, say.Unauthorized, say.InvalidRequest) as error:
            # A token may have ended: whoever asks next logs in anew.
            self._open.clear()
            raise SecretMissing(
                f"{self.address} says no: {_words(error)}",
                code="HF-4403",
                hint="check its token or role, and its policy",
            ) from None
        except say.InvalidPath as error:
            raise SecretMissing(
                f"{self.address} has no {self.mount}: {_words(error)}", code="HF-4405", hint="mend path: of the store"
            ) from None
        except requests.exceptions.Timeout:
            raise StoreUnreachable(
                f"{self.address} did not answer within {PATIENCE:g} s", code="HF-4406", hint="is it up and reachable?"
            ) from None
        except (say.VaultError, requests.exceptions.RequestException) as error:
            raise StoreUnreachable(
                f"{self.address} did not answer: {_words(error)}", hint="is it up, unsealed and reachable?"
            ) from None

    def _let_in(self, hvac: Any) -> Any:
        client = hvac.Client(
            url=self.address,
            token="",  # or it would look for one in a file of the person's home
            timeout=PATIENCE,
            verify=self.ca or True,
            namespace=self.namespace or None,
            # A token would go along to wherever the answer leads.
            allow_redirects=False,
        )
        given = self.login()
        if "token" in given:
            client.token = given["token"]
        else:
            client.auth.approle.login(**given, mount_point=self.approle)
        return client


def _read(client: Any, path: str, mount: str) -> Any:
    from hvac.exceptions import InvalidPath  # noqa: PLC0415 -- as above

    try:
        return client.secrets.kv.v2.read_secret_version(path=path, mount_point=mount, raise_on_deleted_version=True)
    except InvalidPath as error:
        # Of a secret that is not there Vault has nothing to say; of an engine that is not there it has.
        if error.errors:
            raise
        return None


def _words(error: Exception) -> str:
    """Return one line; never the address with its query, nor a body that could quote something."""
    errors = getattr(error, "errors", None)
    said = "; ".join(map(str, errors)) if errors else type(error).__name__
    return " ".join(said.split())[:200]
