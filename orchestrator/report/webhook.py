"""Sends CDEvents as webhooks, signed as https://www.standardwebhooks.com says: to one URL, which leads nowhere else."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import http.client
import json
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

from adapters.contract import Json
from orchestrator.errors import Undelivered
from orchestrator.report.cdevents import KINDS, MEDIA_TYPE, event_of
from orchestrator.report.happening import Happening

#: Seconds to connect, and then for each part of the answer.
_PATIENCE_S: Final = 10.0
_PREFIX: Final = "whsec_"
#: Answers that say that this very body is not wanted; with every other one the receiver itself is to be mended.
_OFFENDED: Final = frozenset({400, 413, 415, 422})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """One event as it is sent."""

    id: str
    body: bytes


class WebhookSink:
    """`outbox.Sink` on one URL."""

    def __init__(
        self,
        name: str,
        url: str,
        secret: Callable[[], str],
        *,
        source: str = "",
        allow_http: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        """``secret`` returns what events are signed with; ``source`` is what the service is called by from outside."""
        self._name, self._url, self._secret = name, urlsplit(url), secret
        self._source, self._allow_http, self._now = source or "/holdfast", allow_http, now

    def pack(self, happenings: Sequence[Happening]) -> Sequence[tuple[str, Sealed]]:
        """Return one event for each happening that there is a CDEvent for."""
        wanted = [one for one in happenings if one.kind in KINDS]
        return [(one.id, one) for one in (self._sealed(happening) for happening in wanted)]

    def _sealed(self, happening: Happening) -> Sealed:
        name = f"{self._name}-{happening.id}"
        event: dict[str, Json] = event_of(happening, self._source, name)
        return Sealed(id=name, body=json.dumps(event, separators=(",", ":"), sort_keys=True).encode())

    def send(self, message: Sealed) -> None:
        """Send one event. Raises Undelivered, SecretMissing."""
        stamp = int(self._now())
        headers = {
            "Content-Type": MEDIA_TYPE,
            "User-Agent": "Holdfast",
            "webhook-id": message.id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": signature(self._secret(), message.id, stamp, message.body),
        }
        connection = self._connection()
        try:
            status = self._answer(connection, message.body, headers)
        except (OSError, http.client.HTTPException) as error:
            # An error's own text may hold the whole URL.
            said = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
            raise Undelivered(f"{self._url.hostname} does not answer: {said}") from None
        finally:
            connection.close()
        if not 200 <= status < 300:  # noqa: PLR2004 -- what HTTP calls success
            leads = "; it leads elsewhere, where nothing is sent" if 300 <= status < 400 else ""  # noqa: PLR2004
            raise Undelivered(f"{self._url.hostname} answered {status}{leads}", offended=status in _OFFENDED)

    def _connection(self) -> http.client.HTTPConnection:
        host = self._url.hostname or ""
        if self._url.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, self._url.port, timeout=_PATIENCE_S, context=context)
        return http.client.HTTPConnection(host, self._url.port, timeout=_PATIENCE_S)

    def _answer(self, connection: http.client.HTTPConnection, body: bytes, headers: Mapping[str, str]) -> int:
        connection.connect()
        # What counts is who was reached: a name may mean another address at every look.
        reached = ip_address(connection.sock.getpeername()[0].partition("%")[0])
        why = refused(reached, encrypted=self._url.scheme == "https", allow_http=self._allow_http)
        if why:
            raise Undelivered(f"{self._url.hostname} {why}", code="HF-4604", hint="name another URL under events:")
        path = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
        connection.request("POST", path, body=body, headers=dict(headers))
        return connection.getresponse().status


def refused(address: IPv4Address | IPv6Address, *, encrypted: bool, allow_http: bool) -> str:
    """Return in words why nothing is sent to an address; empty where it may be."""
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) and address.ipv4_mapped else address
    if inner.is_link_local or inner.is_multicast or inner.is_unspecified:
        return "means an address of this network's own machinery, such as a cloud's metadata: nothing is sent there"
    if not (encrypted or allow_http or inner.is_loopback):
        return "would be sent what happens in clear; write https://, or allow_http: true where that is meant"
    return ""


def signature(secret: str, name: str, stamp: int, body: bytes) -> str:
    """Return the header ``webhook-signature``: ``v1,`` and the HMAC-SHA-256 in base64.

    A secret of ``whsec_`` and base64 stands for the bytes in it, any other for itself.
    """
    return f"v1,{_mac(secret, name, stamp, body)}"


def _mac(secret: str, name: str, stamp: int, body: bytes) -> str:
    signed = f"{name}.{stamp}.".encode() + body
    return base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            raise Undelivered(
                "the secret that events are signed with begins with whsec_, and what follows is no base64",
                code="HF-4605",
                hint="write whsec_ and 24 to 64 random bytes in base64, as the receiver shows it",
            ) from None
    return secret.encode()
