"""Pull requests at Gitea and Forgejo, over their REST API: https://docs.gitea.com/api, https://forgejo.org/docs/latest/user/api-usage."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, TypeAdapter

from adapters.contract import Json
from orchestrator.effects.forge_comment import put_comment
from orchestrator.effects.forge_http import MOST_PAGES, PAGE, ForgeHttp, Patience, stamp, there
from orchestrator.effects.forge_tokens import GivenToken
from orchestrator.effects.forge_words import STATES, plain
from orchestrator.model.pull import MARK, Candidate, Pull, PullState, Remark
from orchestrator.model.verdict import Check, CheckConclusion
from orchestrator.ports.forge import ForgeTraits

#: Gitea itself names none: what people read elsewhere, they read here.
_COMMENT_LIMIT: Final = 65_536
#: Of a commit status.
_DESCRIPTION, _CONTEXT = 255, 255
_APPROVED: Final = "APPROVED"
#: Where Gitea keeps what has no branch. Who may only read pushes there all the same, to refs/for/BRANCH, and it says
#: then that the commits lie in the repository itself: https://docs.gitea.com/usage/agit
_OWN_REFS: Final = "refs/"
_VERDICTS: Final = frozenset({_APPROVED, "REQUEST_CHANGES"})


class _User(BaseModel):
    login: str


class _Tip(BaseModel):
    ref: str
    sha: str
    repo_id: int


class _Pull(BaseModel):
    number: int
    title: str
    html_url: str
    user: _User | None
    base: _Tip
    head: _Tip
    state: str
    draft: bool = False
    merged: bool = False
    merge_commit_sha: str | None = None
    merged_at: datetime | None = None

    def pull(self) -> Pull:
        state = PullState.MERGED if self.merged else PullState.OPEN if self.state == "open" else PullState.CLOSED
        return Pull(
            number=self.number,
            title=self.title,
            url=self.html_url,
            author=_login(self.user),
            base=self.base.ref,
            head=self.head.sha,
            branch=self.head.ref,
            ref=f"refs/pull/{self.number}/head",
            fork=self.head.repo_id != self.base.repo_id or self.head.ref.startswith(_OWN_REFS),
            draft=self.draft,
            state=state,
            merged_as=(self.merge_commit_sha or "") if self.merged else "",
            merged_at=self.merged_at.timestamp() if self.merged and self.merged_at else 0.0,
        )


class _Comment(BaseModel):
    id: int
    user: _User | None
    body: str = ""
    #: Empty below an issue that is none.
    pull_request_url: str = ""
    created_at: datetime
    updated_at: datetime


class _Review(BaseModel):
    id: int
    user: _User | None = None
    state: str
    commit_id: str = ""
    dismissed: bool = False


class _Whatever(BaseModel):
    pass


_PULL, _PULLS = TypeAdapter(_Pull), TypeAdapter(list[_Pull])
_COMMENT, _COMMENTS = TypeAdapter(_Comment), TypeAdapter(list[_Comment])
_REVIEWS, _USER = TypeAdapter(list[_Review]), TypeAdapter(_User)
_WHATEVER: Final = TypeAdapter(_Whatever | list[_Whatever] | None)


class Gitea:
    """`ports.Forge` on one repository."""

    def __init__(  # noqa: PLR0913 -- each is one thing that the operator or a test says
        self,
        repository: str,
        token: Callable[[], str],
        *,
        api: str,
        login: str = "",
        patience: Patience | None = None,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """``login`` is by which we write, empty where Gitea is asked. Raises ForgeError where ``api`` is not safe."""
        self._repository, self._login = repository, login
        headers = {"Accept": "application/json"}
        self._http = ForgeHttp(
            api, GivenToken(token), headers=headers, scheme="token", patience=patience, now=now, pause=pause
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    @property
    def traits(self) -> ForgeTraits:
        """What it can do."""
        return ForgeTraits(checks=False, comment_limit=_COMMENT_LIMIT)

    def pulls(self, base: str) -> tuple[Pull, ...]:
        """Return every open pull request into a branch, by number. Raises ForgeError."""
        # An older server knows nothing of base_branch, and lists them all.
        query = {"state": "open", "sort": "oldest", "base_branch": base}
        listed = self._http.pages(self._at("/pulls"), query, shape=_PULLS, size="limit")
        found = {one.number: one.pull() for one in listed if one.base.ref == base}
        return tuple(found[number] for number in sorted(found))

    def pull(self, number: int) -> Pull:
        """Return one. Raises ForgeError."""
        return self._http.get(self._at(f"/pulls/{number}"), shape=_PULL).pull()

    def remarks(self, since: float) -> tuple[Remark, ...]:
        """Return what was written or changed since, but for our own words. Raises ForgeError."""
        query = {"since": stamp(since)}
        path = self._at("/issues/comments")
        found = list(self._http.pages(path, query, shape=_COMMENTS, size="limit", rest=True))
        if len(found) >= MOST_PAGES * PAGE:
            # They come by when they were written: what was changed after the last one here has others before it.
            last = found[-1].created_at
            found = [one for one in found if one.updated_at <= last] or found
        remarks = [remark for one in found if (remark := _remark(one))]
        return tuple(sorted(remarks, key=lambda one: one.changed_at))

    def approvers(self, number: int, head: str) -> tuple[str, ...]:
        """Return who approves of exactly this commit. Raises ForgeError."""
        last: dict[str, bool] = {}
        said = list(self._http.pages(self._at(f"/pulls/{number}/reviews"), shape=_REVIEWS, size="limit"))
        for one in sorted(said, key=lambda one: one.id):
            if one.user and one.state in _VERDICTS:
                last[one.user.login] = one.state == _APPROVED and one.commit_id == head and not one.dismissed
        return tuple(sorted(login for login, approves in last.items() if approves))

    def candidates(self, base: str) -> tuple[Candidate, ...]:  # noqa: ARG002 -- the port's word
        """Return nothing: there is no merge queue."""
        return ()

    def say(self, number: int, body: str, *, marker: str, known: str = "") -> str:
        """Put our one comment there. Raises ForgeError: HF-4706 where it is too long, before anything is sent."""
        return put_comment(self, number, body, marker=marker, known=known, limit=_COMMENT_LIMIT)

    def rewritten(self, number: int, comment: str, text: str) -> bool:  # noqa: ARG002 -- of `forge_comment.Pen`
        """Change a comment; whether it is there. Raises ForgeError."""
        path = self._at(f"/issues/comments/{quote(comment)}")
        return there(lambda: self._http.send("PATCH", path, {"body": text}, shape=_WHATEVER, again=True))

    def ours(self, number: int, marker: str) -> str:
        """Return the id of our own comment with the marker, empty where there is none. Raises ForgeError."""
        if not self._login:
            self._login = self._http.get("/user", shape=_USER).login
        ours = self._login.lower()
        found = self._http.get(self._at(f"/issues/{number}/comments"), shape=_COMMENTS)
        mine = (one for one in found if _login(one.user).lower() == ours and one.body.startswith(marker))
        return next((str(one.id) for one in mine), "")

    def write(self, number: int, text: str) -> str:
        """Write a comment; returns its id. Raises ForgeError."""
        path = self._at(f"/issues/{number}/comments")
        return str(self._http.send("POST", path, {"body": text}, shape=_COMMENT).id)

    def check(self, head: str, check: Check, *, known: str = "") -> str:
        """Tell of a check as a commit status: there is nothing else. Raises ForgeError."""
        self.status(head, name=check.name, conclusion=check.conclusion, title=check.title, url=check.url)
        return known

    def status(self, head: str, *, name: str, conclusion: CheckConclusion, title: str, url: str) -> None:
        """Set a commit status. Raises ForgeError."""
        body: Json = {
            "state": STATES[conclusion],
            "context": plain(name, _CONTEXT),
            "description": plain(title, _DESCRIPTION),
            "target_url": url,
        }
        self._http.send("POST", self._at(f"/statuses/{quote(head)}"), body, shape=_WHATEVER, again=True)

    def thumb(self, remark: Remark) -> None:
        """Put a thumb below a remark; a second one is the first. Raises ForgeError."""
        path = self._at(f"/issues/comments/{quote(remark.id)}/reactions")
        self._http.send("POST", path, {"content": "+1"}, shape=_WHATEVER, again=True)

    def _at(self, path: str) -> str:
        return f"/repos/{quote(self._repository)}{path}"


def _remark(one: _Comment) -> Remark | None:
    number = urlsplit(one.pull_request_url).path.rpartition("/")[2]
    if not number.isdecimal() or one.body.startswith(MARK):
        return None
    return Remark(
        id=str(one.id),
        pull=int(number),
        by=_login(one.user),
        text=one.body,
        at=one.created_at.timestamp(),
        changed_at=one.updated_at.timestamp(),
        edited=one.updated_at != one.created_at,
    )


def _login(user: _User | None) -> str:
    return user.login if user else ""
