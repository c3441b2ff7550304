"""Issues that Holdfast keeps at GitHub: one for each thing, open for as long as it lasts, found again by its marker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter

from adapters.contract import Json
from orchestrator.effects.forge_github_shapes import WHATEVER, User, login_of
from orchestrator.effects.forge_http import ForgeHttp, Patience
from orchestrator.effects.forge_tokens import HEADERS, GivenToken
from orchestrator.effects.forge_words import page, plain

#: What all of them bear, so that nobody's list is read to its end.
LABEL: Final = "holdfast-drift"
_BODY: Final = 65_536
_TITLE: Final = 250


class _Issue(BaseModel):
    number: int
    body: str | None = None
    user: User | None = None


_ISSUE: Final = TypeAdapter(_Issue)
_ISSUES: Final = TypeAdapter(list[_Issue])


class GitHubIssues:
    """Our own open issues in one repository."""

    def __init__(
        self, repository: str, token: Callable[[], str], *, api: str, login: str, patience: Patience | None = None
    ) -> None:
        """``repository`` is ``owner/name``, ``login`` by which we write. Raises ForgeError (HF-4700)."""
        self._repository, self._login = repository, login
        self._http = ForgeHttp(api, GivenToken(token), headers=HEADERS, patience=patience)

    def close_connections(self) -> None:
        """Let go of them."""
        self._http.close()

    def open_ones(self) -> Mapping[str, int]:
        """Return the number of each open issue of ours, by the first line of its text. Raises ForgeError.

        A marker can be copied by everybody: only where we wrote it, it tells that the issue is ours.
        """
        query = {"state": "open", "labels": LABEL, "creator": self._login, "sort": "created", "direction": "desc"}
        found: dict[str, int] = {}
        for one in self._http.pages(self._at(), query, shape=_ISSUES, rest=True):
            if login_of(one.user).lower() == self._login.lower():
                # The oldest of several stays.
                found[_marker(one.body or "")] = one.number
        return found

    def write(self, marker: str, title: str, text: str, *, number: int = 0) -> None:
        """Have an issue say ``text``: the one of that number, or a new one where that is 0. Raises ForgeError."""
        body: dict[str, Json] = {"body": f"{marker}\n{page(text, _BODY - len(marker) - 1)}"}
        if number:
            self._http.send("PATCH", self._at(f"/{number}"), body, shape=_ISSUE, again=True)
        else:
            sent: Json = {**body, "title": plain(title, _TITLE), "labels": [LABEL]}
            self._http.send("POST", self._at(), sent, shape=_ISSUE)

    def end(self, number: int, text: str) -> None:
        """Say why it is over, and close an issue. Raises ForgeError."""
        self._http.send("POST", self._at(f"/{number}/comments"), {"body": page(text, _BODY)}, shape=WHATEVER)
        closed: Json = {"state": "closed", "state_reason": "completed"}
        self._http.send("PATCH", self._at(f"/{number}"), closed, shape=_ISSUE, again=True)

    def _at(self, path: str = "") -> str:
        return f"/repos/{quote(self._repository)}/issues{path}"


def _marker(text: str) -> str:
    return text.partition("\n")[0].strip()
