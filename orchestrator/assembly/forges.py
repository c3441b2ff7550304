"""Builds the forge of each source that has one, and what lets a GitHub App fetch, of the operator's file."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestrator.config.operator import Operator
from orchestrator.errors import ForgeError, OrchestratorError
from orchestrator.model.forge import AppLogin, ForgeKind, ForgePlace, api_of, hosted
from orchestrator.model.source import Source
from orchestrator.ports import Forge

if TYPE_CHECKING:
    from orchestrator.effects.forge_tokens import App, AppToken

#: What a step of a workflow is given at GitHub, and where it says so.
_TOKEN, _WORKFLOW, _REPOSITORY, _API = "GITHUB_TOKEN", "GITHUB_ACTIONS", "GITHUB_REPOSITORY", "GITHUB_API_URL"


@dataclass(slots=True)
class OperatorForges:
    """`ports.Forges`. Threads may share it; each forge is built when it is first asked for."""

    operator: Operator
    #: Return the secret of that name. Raises SecretMissing.
    secret: Callable[[str], str]
    environment: Mapping[str, str]
    _built: dict[str, Forge] = field(default_factory=dict)
    _tokens: dict[str, AppToken] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def of(self, source: str) -> Forge | None:
        """Return the forge of a source. Raises ForgeError (HF-4705) where what speaks with it is not installed."""
        place = self.operator.forges.get(source)
        if place is None:
            return None
        with self._turn:
            if source not in self._built:
                self._built[source] = self._build(place)
            return self._built[source]

    def fetching(self, source: Source) -> str:
        """Return the token that a GitHub App fetches a source with, empty where none does. Raises ForgeError."""
        if source.app is None:
            return ""
        with self._turn:
            found = self._tokens.get(source.id)
            if found is None:
                found = self._tokens[source.id] = self._app_token(source, source.app)
        return found.token()

    def _app_token(self, source: Source, app: AppLogin) -> AppToken:
        host, repository = hosted(source.location)
        with _installed(ForgeKind.GITHUB):
            from orchestrator.effects.forge_tokens import AppToken  # noqa: PLC0415 -- an extra
        place = self.operator.forges.get(source.id)
        ours = place is not None and place.kind is ForgeKind.GITHUB
        api = place.api if place and ours else api_of(ForgeKind.GITHUB, host)
        return AppToken(api, self._app(app), repository)

    def _build(self, place: ForgePlace) -> Forge:
        with _installed(place.kind):
            match place.kind:
                case ForgeKind.GITHUB:
                    from orchestrator.effects.forge_github import WORKFLOW_LOGIN, GitHub  # noqa: PLC0415 -- an extra

                    lets_in = self._app(place.app) if place.app else self._token(place)
                    ours = place.app or place.token_secret
                    login = place.login or ("" if ours else WORKFLOW_LOGIN)
                    return GitHub(place.repository, lets_in, api=place.api, login=login)
                case ForgeKind.GITLAB:
                    from orchestrator.effects.forge_gitlab import GitLab  # noqa: PLC0415 -- an extra

                    return GitLab(place.repository, self._token(place), api=place.api, login=place.login)
                case ForgeKind.GITEA:
                    from orchestrator.effects.forge_gitea import Gitea  # noqa: PLC0415 -- an extra

                    return Gitea(place.repository, self._token(place), api=place.api, login=place.login)

    def _app(self, app: AppLogin) -> App:
        from orchestrator.effects.forge_tokens import App  # noqa: PLC0415 -- an extra

        return App(id=app.id, key=lambda: self._let_in(app.key_secret), installation=app.installation)

    def _token(self, place: ForgePlace) -> Callable[[], str]:
        if not place.token_secret:
            return lambda: self.environment.get(_TOKEN, "")
        return lambda: self._let_in(place.token_secret)

    def _let_in(self, name: str) -> str:
        try:
            return self.secret(name)
        except OrchestratorError as error:
            raise ForgeError(error.message, code="HF-4702", hint=error.hint) from error


def workflow_forge(environment: Mapping[str, str]) -> Forge | None:
    """Return the forge of the repository whose workflow we run in, let in by its own token; None outside of one.

    Raises ForgeError (HF-4705).
    """
    repository, token = environment.get(_REPOSITORY, ""), environment.get(_TOKEN, "")
    if environment.get(_WORKFLOW) != "true" or not repository or not token:
        return None
    with _installed(ForgeKind.GITHUB):
        from orchestrator.effects.forge_github import API, WORKFLOW_LOGIN, GitHub  # noqa: PLC0415 -- an extra
    return GitHub(repository, lambda: token, api=environment.get(_API) or API, login=WORKFLOW_LOGIN)


@contextmanager
def _installed(kind: ForgeKind) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise ForgeError(
            f"what speaks with {kind.value} is not installed ({error.name})",
            code="HF-4705",
            hint="pip install 'holdfast[service]'",
        ) from error
