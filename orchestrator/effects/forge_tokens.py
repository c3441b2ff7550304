"""What lets Holdfast into a forge: a token, or a GitHub App that is given one for an hour at a time.

https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
"""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import quote

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import BaseModel, TypeAdapter

from adapters.contract import Json
from orchestrator.effects.forge_http import ForgeHttp, Patience
from orchestrator.errors import ForgeError

#: What GitHub is told of how it is spoken to; every request of this product was checked against this version.
HEADERS: Final[Mapping[str, str]] = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
}
#: Seconds: GitHub takes an App's own word for ten minutes at most, and its clock may be behind ours.
_WORD_S, _BEHIND_S = 540, 60
#: A token is given up so long before its end that nothing that was begun with it is cut off.
_EARLY_S: Final = 300.0


@dataclass(slots=True)
class GivenToken:
    """A token that somebody made: kept where ``read`` finds it."""

    read: Callable[[], str]

    def token(self) -> str:
        """Return it as it is kept now. Raises what ``read`` raises, ForgeError (HF-4702) where it is empty."""
        found = self.read().strip()
        if not found or not found.isascii() or not found.isprintable():
            raise ForgeError("the forge's token is empty, or no token", code="HF-4702", hint="store the token anew")
        return found

    def renewed(self, refused: str) -> bool:
        """Whether somebody has put another in its place."""
        return not hmac.compare_digest(self.token(), refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A GitHub App."""

    #: Its id, or its client id.
    id: str
    #: Return its private key in PEM.
    key: Callable[[], str] = field(repr=False)
    #: 0 where GitHub is asked which one the repository is in.
    installation: int = 0


class _Bearer(BaseModel):
    token: str
    expires_at: datetime


class _Installed(BaseModel):
    id: int


class _Slug(BaseModel):
    slug: str


class AppToken:
    """The token of an App for one repository, and no other that it is installed in."""

    def __init__(
        self,
        api: str,
        app: App,
        repository: str,
        *,
        patience: Patience | None = None,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """``repository`` is ``owner/name``."""
        self._repository, self._installation, self._now = repository, app.installation, now
        self._http = ForgeHttp(api, _Word(app, now), headers=HEADERS, patience=patience, now=now, pause=pause)
        self._turn = threading.Lock()
        self._token, self._ends = "", 0.0

    def token(self) -> str:
        """Return the token, a new one where it ends soon. Raises ForgeError, and what reading the key raises."""
        with self._turn:
            if self._now() >= self._ends - _EARLY_S:
                self._renew()
            return self._token

    def renewed(self, refused: str) -> bool:
        """Have a refused token replaced."""
        with self._turn:
            if hmac.compare_digest(self._token, refused):
                self._renew()
            return True

    def login(self) -> str:
        """Return by which login the App writes. Raises ForgeError."""
        return f"{self._http.get('/app', shape=_SLUG).slug}[bot]"

    def _renew(self) -> None:
        if not self._installation:
            path = f"/repos/{quote(self._repository)}/installation"
            self._installation = self._http.get(path, shape=_INSTALLED).id
        body: Json = {"repositories": [self._repository.rpartition("/")[2]]}
        path = f"/app/installations/{self._installation}/access_tokens"
        # Two tokens do no harm: one of them is never used.
        given = self._http.send("POST", path, body, shape=_BEARER, again=True)
        self._token, self._ends = given.token, given.expires_at.timestamp()


_BEARER, _INSTALLED, _SLUG = TypeAdapter(_Bearer), TypeAdapter(_Installed), TypeAdapter(_Slug)


@dataclass(frozen=True, slots=True)
class _Word:
    """An App's own word, signed with its key: good for asking for tokens, and for nothing else."""

    app: App
    now: Callable[[], float]

    def token(self) -> str:
        """Return it, signed anew: RFC 7519, RS256."""
        said = int(self.now())
        claims = {"iat": said - _BEHIND_S, "exp": said + _WORD_S, "iss": self.app.id}
        signed = ".".join(_part(json.dumps(one).encode()) for one in ({"alg": "RS256", "typ": "JWT"}, claims))
        return f"{signed}.{_part(_key(self.app).sign(signed.encode(), PKCS1v15(), hashes.SHA256()))}"

    def renewed(self, refused: str) -> bool:  # noqa: ARG002 -- the port's word
        """Return False: another would be refused, too."""
        return False


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _key(app: App) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(app.key().encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ForgeError(
            f"the key of the GitHub App {app.id} is no private RSA key in PEM",
            code="HF-4702",
            hint="store the file that GitHub made for the App, whole",
        )
    return key
