"""Reads what the operator's file says of forges: where pull requests live, what lets us in, who people are there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol
from urllib.parse import urlsplit

from orchestrator.config.operator_schema import AppKeys, ForgeKeys, GitKeys, SourceKeys
from orchestrator.model.forge import AppLogin, ApplyOn, ForgeKind, ForgePlace, api_of, hosted

Path = tuple[str | int, ...]
ForgeName = Literal["github", "gitlab", "gitea"]

#: Where what is in clear does not leave this host.
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_PART: Final = r"(?!\.+(?:/|$))[A-Za-z0-9._-]+"
_REPOSITORY: Final = re.compile(f"{_PART}(?:/{_PART})+")
#: What GitHub gives every step of a workflow, under which the workflow's own token is given.
_WORKFLOW: Final = "GITHUB_ACTIONS"


class Slip(Protocol):
    """Takes note of what is wrong: a message, where it stands, and a hint."""

    def __call__(self, message: str, path: Path, hint: str) -> None:
        """Keep it."""
        ...


class SecretName(Protocol):
    """Reads ``${secret:name}``, and takes note where it is something else."""

    def __call__(self, text: str, path: Path) -> str:
        """Return the name, empty where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class ForgeReading:
    """The reading of one file."""

    slip: Slip
    secret: SecretName
    environment: Mapping[str, str]

    def forges(self, sources: list[SourceKeys]) -> Mapping[str, ForgePlace]:
        """Return the forges by the name of their source."""
        found = {}
        for number, keys in enumerate(sources):
            path: Path = ("sources", number, "forge")
            if keys.forge is None:
                continue
            if keys.git is None:
                self.slip("forge: only a git source has pull requests", path, "leave it out")
                continue
            found[keys.name] = self._forge(keys.forge, keys.git, path)
        return found

    def app(self, keys: AppKeys, path: Path) -> AppLogin:
        """Return an App."""
        key = self.secret(keys.key, (*path, "key"))
        return AppLogin(id=keys.id, key_secret=key, installation=int(keys.installation or 0))

    def fetching_app(self, git: GitKeys, path: Path) -> AppLogin | None:
        """Return the App that a source is fetched with."""
        keys = git.auth.github_app if git.auth else None
        if keys is None:
            return None
        path = (*path, "auth", "github_app")
        if git.auth and git.auth.token:
            self.slip("only one of token and github_app lets in", path, "keep one")
        if not git.url.startswith("https://"):
            self.slip("github_app: an App fetches over HTTPS alone", path, "write url: https://…")
        elif hosted(git.url)[1].count("/") != 1:
            self.slip("github_app: the URL names no repository of GitHub's", path, "write url: https://HOST/OWNER/NAME")
        return self.app(keys, path)

    def people(self, given: Mapping[ForgeName, Mapping[str, str]]) -> Mapping[ForgeKind, Mapping[str, str]]:
        """Return login, in small letters, -> name in the record, kind by kind."""
        found: dict[ForgeKind, dict[str, str]] = {}
        for kind, logins in given.items():
            known = found.setdefault(ForgeKind(kind), {})
            for login, name in logins.items():
                if login.lower() in known:
                    self.slip(
                        f"people.{kind}: {login} stands there twice: capitals say nothing",
                        ("people", kind, login),
                        "keep one",
                    )
                known[login.lower()] = name
        return found

    def _forge(self, keys: ForgeKeys, git: GitKeys, path: Path) -> ForgePlace:
        kind = ForgeKind(keys.kind)
        host, there = hosted(git.url)
        if keys.app and kind is not ForgeKind.GITHUB:
            self.slip(f"forge.app: {kind.value} has no Apps", (*path, "app"), 'write token: "${secret:name}"')
        if keys.app and keys.token:
            self.slip("forge: only one of token and app lets in", path, "keep one")
        token = self.secret(keys.token, (*path, "token")) if keys.token else ""
        app = self.app(keys.app, (*path, "app")) if keys.app else None
        if not (keys.token or keys.app) and git.auth:
            # What may read the repository is often what may write below its pull requests.
            token = self.secret(git.auth.token, path) if git.auth.token else ""
            auth = git.auth.github_app
            app = self.app(auth, path) if auth and kind is ForgeKind.GITHUB else None
        if not (token or app or keys.token or self._workflow(kind)):
            self.slip("forge: nothing lets Holdfast in", path, 'write token: "${secret:name}", or app: for GitHub')
        return ForgePlace(
            kind=kind,
            repository=self._repository(keys.repository or there, kind, path),
            api=self._api(keys.api or api_of(kind, host), path),
            token_secret=token,
            app=app,
            login=keys.login or "",
            apply_on=ApplyOn(keys.apply_on),
        )

    def _workflow(self, kind: ForgeKind) -> bool:
        return kind is ForgeKind.GITHUB and self.environment.get(_WORKFLOW) == "true"

    def _repository(self, text: str, kind: ForgeKind, path: Path) -> str:
        deep = text.count("/") > 1 and kind is not ForgeKind.GITLAB
        if deep or not _REPOSITORY.fullmatch(text):
            shown = f'"{text}"' if text else "the URL"
            self.slip(f"forge: {shown} names no repository", (*path, "repository"), "write repository: OWNER/NAME")
        return text

    def _api(self, text: str, path: Path) -> str:
        try:
            parts = urlsplit(text)
            host = parts.hostname or ""
            plain = not (parts.query or parts.fragment or "@" in parts.netloc or parts.port == 0)
        except ValueError:
            host, plain = "", False
        if not host or not plain or not text.startswith(("https://", "http://")):
            self.slip(f'forge: "{text}" is no URL of an API', (*path, "api"), "write api: https://HOST/api/…")
        elif text.startswith("http://") and host not in _LOOPBACK:
            self.slip("forge: a token would go over the network in clear", (*path, "api"), "write https://")
        return text.rstrip("/")
