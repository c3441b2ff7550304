"""Where the pull requests of a source live, and what lets Holdfast in there, as the operator says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

_SCP: Final = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/@]+):(?P<path>.+)")
#: Where the host of repositories is not the one of the API.
_GITHUB, _GITHUB_API = "github.com", "https://api.github.com"


class ForgeKind(StrEnum):
    """The forges that are spoken with."""

    GITHUB = "github"
    GITLAB = "gitlab"
    #: Forgejo, too.
    GITEA = "gitea"


class ApplyOn(StrEnum):
    """What has a pull request applied."""

    MERGE = "merge"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppLogin:
    """A GitHub App that lets Holdfast in."""

    #: Its id, or its client id.
    id: str
    #: Name of the secret with its private key.
    key_secret: str
    #: 0 where GitHub is asked which one the repository is in.
    installation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgePlace:
    """The repository of one source at its forge."""

    kind: ForgeKind
    #: ``owner/name``; at GitLab with every group above it.
    repository: str
    #: URL that the API is below.
    api: str
    #: Name of the secret with a token; empty where an App lets in, or the token of the workflow that we run in.
    token_secret: str = ""
    app: AppLogin | None = None
    #: By which login we write there; empty where the forge is asked.
    login: str = ""
    apply_on: ApplyOn = ApplyOn.MERGE


def hosted(url: str) -> tuple[str, str]:
    """Return the host, with a port of the web's, and the path of a repository; both empty for one of this machine."""
    scp = _SCP.fullmatch(url) if "://" not in url else None
    if scp:
        return scp["host"].lower(), _plain(scp["path"])
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port and parts.scheme in {"http", "https"} else ""
    except ValueError:
        return "", ""
    host = parts.hostname or ""
    return (f"{host}{port}", _plain(parts.path)) if host else ("", "")


def api_of(kind: ForgeKind, host: str) -> str:
    """Return where the API of a forge is found that nobody has moved; empty where no host is known."""
    if not host:
        return ""
    match kind:
        case ForgeKind.GITHUB:
            return _GITHUB_API if host == _GITHUB else f"https://{host}/api/v3"
        case ForgeKind.GITLAB:
            return f"https://{host}/api/v4"
        case ForgeKind.GITEA:
            return f"https://{host}/api/v1"


def _plain(path: str) -> str:
    return path.strip("/").removesuffix(".git").strip("/")
