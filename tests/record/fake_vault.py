"""A fake of Vault's HTTP interface, as far as its KV engine, its tokens and its roles go.

Written after https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2 and .../auth/approle, with the answers
that Vault gives where something is missing: no errors for a secret, an error for an engine. It keeps its own count.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(slots=True)
class FakeVault:
    """What the fake holds, what it was asked, and how it is to misbehave."""

    address: str = ""
    token: str = "t0k3n-of-the-fake"
    role: tuple[str, str] = ("role-1", "secret-1")
    #: Path below ``kv`` -> version, values; None where it was deleted.
    secrets: dict[str, tuple[int, dict[str, Any] | None]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    #: Answer everything with this status, where it is not 0.
    status: int = 0
    #: Where every answer leads to.
    redirect: str = ""
    #: Says nothing until it is set.
    speaks: threading.Event = field(default_factory=threading.Event)
    #: What a token may not read.
    forbidden: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)


@contextmanager
def fake_vault() -> Iterator[FakeVault]:
    """Run the fake on a free port of the loopback."""
    vault = FakeVault()
    vault.speaks.set()
    vault.tokens.add(vault.token)

    class Answers(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Keep quiet."""

        def do_GET(self) -> None:
            token = self.headers.get("X-Vault-Token", "")
            if self._misbehaves():
                return
            if token not in vault.tokens:
                self._say(403, {"errors": ["permission denied"]})
                return
            path = self.path.removeprefix("/v1/kv/data/")
            if path == self.path:
                mount = self.path.removeprefix("/v1/")
                if mount.startswith("old/"):
                    self._say(200, {"data": {"password": "in the first version's form"}})
                    return
                self._say(404, {"errors": [f'no handler for route "{mount}". route entry not found.']})
            elif path in vault.forbidden:
                self._say(403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]})
            elif path not in vault.secrets:
                self._say(404, {"errors": []})
            else:
                version, values = vault.secrets[path]
                metadata = {"version": version, "created_time": f"2026-01-0{version}", "deletion_time": ""}
                if values is None:
                    metadata["deletion_time"] = "2026-02-01"
                    self._say(404, {"data": {"data": None, "metadata": metadata}})
                else:
                    self._say(200, {"data": {"data": values, "metadata": metadata}})

        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self._misbehaves():
                return
            if (given["role_id"], given["secret_id"]) != vault.role:
                self._say(400, {"errors": ["invalid role or secret ID"]})
                return
            token = f"by-role-{len(vault.tokens)}"
            vault.tokens.add(token)
            self._say(200, {"auth": {"client_token": token}})

        def _misbehaves(self) -> bool:
            vault.asked.append(self.path)
            vault.speaks.wait(30)
            if vault.redirect:
                self.send_response(307)
                self.send_header("Location", vault.redirect + self.path)
                self.end_headers()
            elif vault.status:
                self._say(vault.status, {"errors": ["Vault is sealed"]})
            return bool(vault.redirect or vault.status)

        def _say(self, status: int, body: object) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        vault.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield vault
        finally:
            vault.speaks.set()
            server.shutdown()
            thread.join()
