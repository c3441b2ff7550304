"""The imitated GitHub's Apps: whose word is signed with the right key gets tokens, for so long as they last."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from described import Operation, github
from imitated import Refused

#: The App holdfast-acme, installed once.
APP, INSTALLATION, LOGIN = "4711", 77, "holdfast-acme[bot]"
_MOST_S = 600


@cache
def key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def pem() -> str:
    return key().private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


@dataclass
class Apps:
    """One App."""

    #: So long a token lasts, in seconds.
    lasts_s: float = 3600.0
    #: What time it is at GitHub.
    now: Any = time.time
    #: The tokens given, newest last.
    given: list[str] = field(default_factory=list)

    def answer(self, asked: Operation, word: str, body: Any, tokens: dict[str, str]) -> tuple[int, Any]:
        """Return the status and the body of what an App is told."""
        if why := self.fault(word):
            raise Refused(401, why)
        if asked.template.endswith("/installation"):
            if asked.places["repo"] != "infra":
                raise Refused(404, "Not Found")
            return 200, {**github().example(asked, 200), "id": INSTALLATION, "app_slug": "holdfast-acme"}
        if asked.template == "/app":
            return 200, {**github().example(asked, 200), "slug": "holdfast-acme"}
        if int(asked.places["installation_id"]) != INSTALLATION:
            raise Refused(404, "Not Found")
        if body.get("repositories") != ["infra"]:
            raise Refused(422, "a token for more than the repository is asked for")
        self.given.append(f"ghs_{len(self.given)}{'x' * 36}")
        tokens[self.given[-1]] = LOGIN
        ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.now() + self.lasts_s))
        return 201, {**github().example(asked, 201), "token": self.given[-1], "expires_at": ends}

    def fault(self, word: str) -> str:
        """Return why an App is not believed, empty where it is."""
        try:
            head, claims, signature = word.split(".")
            key().public_key().verify(_raw(signature), f"{head}.{claims}".encode(), PKCS1v15(), hashes.SHA256())
        except (ValueError, InvalidSignature):
            return "A JSON web token could not be decoded"
        said, now = json.loads(_raw(claims)), self.now()
        if json.loads(_raw(head))["alg"] != "RS256" or str(said["iss"]) != APP:
            return "'Issuer' claim ('iss') must be an Integer"
        if said["exp"] > now + _MOST_S or said["exp"] < now or said["iat"] > now:
            return "'Expiration time' claim ('exp') is too far in the future"
        return ""


def _raw(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
