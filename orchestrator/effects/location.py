"""Reads where a Git source lives and which ref it follows, and refuses whatever could be more than that.

Everything here runs before any git process is started: a location or ref that fails never reaches one. Nothing is
expanded: a ``$`` is a dollar sign.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from adapters.contract import MASK
from orchestrator.errors import SourceError

_REFUSED: Final = "HF-3002"
_SCP = re.compile(r"^(?:(?P<user>[A-Za-z0-9_.][\w.-]*)@)?(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*):(?P<path>[^:/][^:]*|/.*)$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HOST = re.compile(r"^(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])$")
_USER = re.compile(r"^[A-Za-z0-9_.][\w.+-]*$")
_COMMIT = re.compile(r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")
_ABBREVIATED = re.compile(r"^[0-9a-f]{4,64}$")
# What git's own check-ref-format refuses, as one expression.
_BAD_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|^\.|\.lock(?:/|$)|\.$|/$|^/|^-|^@$")


class Transport(StrEnum):
    """How a repository is reached; the value is what ``GIT_ALLOW_PROTOCOL`` calls it."""

    HTTPS = "https"
    SSH = "ssh"
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A location that may be handed to git."""

    transport: Transport
    #: What git is given: the URL as configured, or an absolute path.
    url: str
    #: Name to log in with, empty where the location names none.
    user: str = ""

    @property
    def path(self) -> Path:
        """The folder of a local repository."""
        return Path(self.url)


def locate(text: str) -> Location:
    """Read a source's location. Raises SourceError (HF-3002) for anything but HTTPS, SSH or an absolute path."""
    if not text or text.startswith("-") or _CONTROL.search(text):
        raise _refused(text, "it starts with a dash, is empty or holds control characters")
    if "::" in text.split("/", 1)[0]:
        raise _refused(text, "remote helpers such as ext:: and fd:: run programs")
    if text.startswith("/"):
        return Location(transport=Transport.FILE, url=text)
    if "://" in text:
        return _from_url(text)
    scp = _SCP.match(text)
    if scp and not scp["path"].startswith("-"):
        return Location(transport=Transport.SSH, url=text, user=scp["user"] or "")
    raise _refused(text, "it is neither an https:// or ssh:// URL nor an absolute path")


def _from_url(text: str) -> Location:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise _refused(text, "the URL cannot be read") from None
    if parts.password is not None:
        raise SourceError(
            f"the URL of {parts.hostname} holds a password",
            code=_REFUSED,
            hint="put the token into a secret store and name it under `auth`",
        )
    if parts.scheme == Transport.FILE:
        return _from_file_url(text, parts.netloc, unquote(parts.path))
    if parts.scheme not in {Transport.HTTPS, Transport.SSH}:
        raise _refused(text, f"{parts.scheme}:// is not accepted")
    host = parts.netloc.rpartition("@")[2].rpartition(":")[0] or parts.netloc.rpartition("@")[2]
    if not _HOST.match(host) or (parts.username is not None and not _USER.match(parts.username)):
        raise _refused(text, "its host or user name is malformed")
    if " " in text or parts.path.startswith("/-"):
        raise _refused(text, "its path is malformed")
    return Location(transport=Transport(parts.scheme), url=text, user=parts.username or "")


def _from_file_url(text: str, host: str, path: str) -> Location:
    if host or not path.startswith("/") or "\x00" in path or "\n" in path:
        raise _refused(text, "a file:// URL holds an absolute path of this machine")
    return Location(transport=Transport.FILE, url=path)


def _refused(text: str, why: str) -> SourceError:
    # Whatever stands before an @ may be a password or a token.
    login, at, rest = text.rpartition("@")
    shown = f"{login[: login.find('://') + 3] if '://' in login else ''}{MASK}@{rest}" if at else text
    return SourceError(
        f"source location {shown!r} is refused: {why}",
        code=_REFUSED,
        hint="use https://host/path, ssh://user@host/path, user@host:path or an absolute path",
    )


def check_ref(ref: str) -> str:
    """Return ``ref`` where it can be a branch, a tag or a commit. Raises SourceError (HF-3002)."""
    if ref and _BAD_REF.search(ref):
        raise SourceError(
            f"ref {ref!r} is refused: it cannot be a branch, a tag or a commit",
            code=_REFUSED,
            hint="name a branch, a tag, refs/heads/…, refs/tags/… or a full commit id",
        )
    return ref


def is_commit(text: str) -> bool:
    """Whether ``text`` is a full object id (SHA-1 or SHA-256)."""
    return bool(_COMMIT.match(text))


def is_abbreviated(text: str) -> bool:
    """Whether ``text`` may be the beginning of an object id."""
    return bool(_ABBREVIATED.match(text))


def normalised(url: str) -> str:
    """Return the name that a repository has by every way to reach it: ``host/path``, no credentials, no ``.git``."""
    text = url.strip()
    scp = None if "://" in text or text.startswith("/") else _SCP.match(text)
    if scp:
        host, path = scp["host"], scp["path"]
    elif "://" in text:
        host, path = _host_and_path(text)
    else:
        host, path = "", text
    path = path.rstrip("/").removesuffix(".git").rstrip("/")
    return f"{host.lower()}/{path.lstrip('/')}" if host else path


def _host_and_path(url: str) -> tuple[str, str]:
    rest = url.partition("://")[2]
    netloc, _, path = rest.partition("/")
    host = netloc.rpartition("@")[2]
    name, _, port = host.rpartition(":")
    if name and port in {"22", "80", "443", ""}:
        host = name
    return host, f"/{path}"
