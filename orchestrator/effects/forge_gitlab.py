"""Merge requests at GitLab, over its REST API: https://docs.gitlab.com/api/merge_requests.

It is spoken to over the same bounded HTTP as the others, and the library for it is what the tests hold that against:
the library reads whatever comes, and waits by itself for as long as it is told to.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter

from adapters.contract import Json
from orchestrator.effects.forge_comment import put_comment
from orchestrator.effects.forge_http import ForgeHttp, Patience, stamp, there
from orchestrator.effects.forge_tokens import GivenToken
from orchestrator.effects.forge_words import plain
from orchestrator.errors import ForgeError
from orchestrator.model.pull import MARK, Candidate, Pull, PullState, Remark
from orchestrator.model.verdict import Check, CheckConclusion
from orchestrator.ports.forge import ForgeTraits

_COMMENT_LIMIT: Final = 1_000_000
_DESCRIPTION, _NAME = 255, 255
#: Pages of what changed since the last look, and of what was written below each: there is no list of all of it.
_CHANGES, _NOTES_SINCE = 2, 4
#: A line that GitLab would carry out instead of showing it, with the rights of whoever writes it: ours.
_QUICK_ACTION: Final = re.compile(r"^([ \t]*)/(?=\w)", re.MULTILINE)
#: Not seen, and enough to make a line that begins with a slash none.
_NOTHING: Final = "\u200b"
#: How GitLab says that a status is there already, or further on: nothing of it need be told again.
_STANDS: Final = "Cannot transition status"
_STATES: Final = {
    CheckConclusion.PENDING: "pending",
    CheckConclusion.SUCCESS: "success",
    CheckConclusion.FAILURE: "failed",
    # The only one that GitLab lets follow on pending and that has not ended.
    CheckConclusion.ACTION_REQUIRED: "running",
    CheckConclusion.NEUTRAL: "success",
}


class _User(BaseModel):
    username: str


class _Merge(BaseModel):
    iid: int
    title: str
    web_url: str
    author: _User | None
    target_branch: str
    source_branch: str
    #: None while it proposes no commit.
    sha: str | None
    state: str
    draft: bool = False
    source_project_id: int | None
    target_project_id: int
    merge_commit_sha: str | None = None
    squash_commit_sha: str | None = None
    merged_at: datetime | None = None

    def pull(self) -> Pull:
        merged = self.state == "merged"
        # Where it was merged without a commit of its own, its base went on to the very commit that it proposed.
        became = self.merge_commit_sha or self.squash_commit_sha or self.sha or ""
        return Pull(
            number=self.iid,
            title=self.title,
            url=self.web_url,
            author=_username(self.author),
            base=self.target_branch,
            head=self.sha or "",
            branch=self.source_branch,
            # https://docs.gitlab.com/user/project/merge_requests/versions/#find-the-merge-request-commits
            ref=f"refs/merge-requests/{self.iid}/head",
            fork=self.source_project_id != self.target_project_id,
            draft=self.draft,
            state=PullState.MERGED if merged else PullState.CLOSED if self.state == "closed" else PullState.OPEN,
            merged_as=became if merged else "",
            merged_at=self.merged_at.timestamp() if merged and self.merged_at else 0.0,
        )


class _Changed(BaseModel):
    iid: int


class _Note(BaseModel):
    id: int
    author: _User | None
    body: str
    #: Whether GitLab itself wrote it, of what somebody did.
    system: bool = False
    created_at: datetime
    updated_at: datetime


class _Approval(BaseModel):
    user: _User
    #: None of a GitLab that does not tell.
    approved_at: datetime | None = None


class _Approvals(BaseModel):
    approved_by: list[_Approval]


class _Pushed(BaseModel):
    head_commit_sha: str
    created_at: datetime


class _Whatever(BaseModel):
    pass


_MERGE, _MERGES = TypeAdapter(_Merge), TypeAdapter(list[_Merge])
_CHANGED, _APPROVALS, _PUSHES = TypeAdapter(list[_Changed]), TypeAdapter(_Approvals), TypeAdapter(list[_Pushed])
_NOTE, _NOTES = TypeAdapter(_Note), TypeAdapter(list[_Note])
_USER, _WHATEVER = TypeAdapter(_User), TypeAdapter(_Whatever)


class GitLab:
    """`ports.Forge` on one project."""

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
        """``login`` is by which we write, empty where GitLab is asked. Raises ForgeError where ``api`` is not safe."""
        self._repository, self._login = repository, login
        headers = {"Accept": "application/json"}
        self._http = ForgeHttp(api, GivenToken(token), headers=headers, patience=patience, now=now, pause=pause)

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    @property
    def traits(self) -> ForgeTraits:
        """What it can do."""
        return ForgeTraits(checks=False, comment_limit=_COMMENT_LIMIT)

    def pulls(self, base: str) -> tuple[Pull, ...]:
        """Return every open merge request into a branch that proposes something, by number. Raises ForgeError."""
        query = {"state": "opened", "target_branch": base, "order_by": "created_at", "sort": "asc"}
        listed = self._http.pages(self._at("/merge_requests"), query, shape=_MERGES)
        found = {one.iid: one.pull() for one in listed if one.sha}
        return tuple(found[number] for number in sorted(found))

    def pull(self, number: int) -> Pull:
        """Return one. Raises ForgeError."""
        return self._http.get(self._at(f"/merge_requests/{number}"), shape=_MERGE).pull()

    def remarks(self, since: float) -> tuple[Remark, ...]:
        """Return what was written or changed since, but for our own words. Raises ForgeError."""
        query = {"updated_after": stamp(since), "order_by": "updated_at", "sort": "asc", "scope": "all"}
        changed = self._http.pages(self._at("/merge_requests"), query, shape=_CHANGED, rest=True, most=_CHANGES)
        numbers = dict.fromkeys(one.iid for one in changed)
        found = [remark for number in numbers for remark in self._remarks(number, since)]
        return tuple(sorted(found, key=lambda one: (one.changed_at, int(one.id))))

    def approvers(self, number: int, head: str) -> tuple[str, ...]:
        """Return who approved since exactly this commit was pushed. Raises ForgeError.

        GitLab does not say which commit somebody approved of, and one before 18.4 does not say when: of that nobody.
        """
        pushes = self._http.get(self._at(f"/merge_requests/{number}/versions"), shape=_PUSHES)
        if not pushes or pushes[0].head_commit_sha != head:
            return ()
        found = self._http.get(self._at(f"/merge_requests/{number}/approvals"), shape=_APPROVALS).approved_by
        return tuple(
            sorted(one.user.username for one in found if one.approved_at and one.approved_at >= pushes[0].created_at)
        )

    def candidates(self, base: str) -> tuple[Candidate, ...]:  # noqa: ARG002 -- the port's word
        """Return nothing: a merge train runs GitLab's own pipelines."""
        return ()

    def say(self, number: int, body: str, *, marker: str, known: str = "") -> str:
        """Put our one comment there. Raises ForgeError: HF-4706 where it is too long, before anything is sent."""
        text = _QUICK_ACTION.sub(rf"\1{_NOTHING}/", body)
        return put_comment(self, number, text, marker=marker, known=known, limit=_COMMENT_LIMIT)

    def rewritten(self, number: int, comment: str, text: str) -> bool:
        """Change a comment; whether it is there. Raises ForgeError."""
        path = self._at(f"/merge_requests/{number}/notes/{quote(comment)}")
        return there(lambda: self._http.send("PUT", path, {"body": text}, shape=_NOTE, again=True))

    def ours(self, number: int, marker: str) -> str:
        """Return the id of our own comment with the marker, empty where there is none. Raises ForgeError."""
        if not self._login:
            self._login = self._http.get("/user", shape=_USER).username
        ours = self._login.lower()
        query = {"order_by": "created_at", "sort": "asc"}
        found = self._http.pages(self._at(f"/merge_requests/{number}/notes"), query, shape=_NOTES, rest=True)
        mine = (one for one in found if _username(one.author).lower() == ours and one.body.startswith(marker))
        return next((str(one.id) for one in mine), "")

    def write(self, number: int, text: str) -> str:
        """Write a comment; returns its id. Raises ForgeError."""
        path = self._at(f"/merge_requests/{number}/notes")
        return str(self._http.send("POST", path, {"body": text}, shape=_NOTE).id)

    def check(self, head: str, check: Check, *, known: str = "") -> str:
        """Tell of a check as a commit status: there is nothing else. Raises ForgeError."""
        self.status(head, name=check.name, conclusion=check.conclusion, title=check.title, url=check.url)
        return known

    def status(self, head: str, *, name: str, conclusion: CheckConclusion, title: str, url: str) -> None:
        """Set a commit status. Raises ForgeError."""
        body: dict[str, Json] = {
            "state": _STATES[conclusion],
            "name": plain(name, _NAME),
            "description": plain(title, _DESCRIPTION),
        }
        if url:
            body["target_url"] = url
        try:
            self._http.send("POST", self._at(f"/statuses/{quote(head)}"), body, shape=_WHATEVER, again=True)
        except ForgeError as error:
            if _STANDS not in error.message:
                raise

    def thumb(self, remark: Remark) -> None:
        """Put a thumb below a remark; of a second one GitLab says that there is no such thing. Raises ForgeError."""
        path = self._at(f"/merge_requests/{remark.pull}/notes/{quote(remark.id)}/award_emoji")
        there(lambda: self._http.send("POST", path, {"name": "thumbsup"}, shape=_WHATEVER, again=True))

    def _remarks(self, number: int, since: float) -> Iterator[Remark]:
        query = {"order_by": "updated_at", "sort": "desc"}
        # What GitLab was asked for has no parts of seconds.
        begin = int(since)
        path = self._at(f"/merge_requests/{number}/notes")
        for one in self._http.pages(path, query, shape=_NOTES, rest=True, most=_NOTES_SINCE):
            if one.updated_at.timestamp() < begin:
                return
            if one.system or one.body.startswith(MARK):
                continue
            yield Remark(
                id=str(one.id),
                pull=number,
                by=_username(one.author),
                text=one.body,
                at=one.created_at.timestamp(),
                changed_at=one.updated_at.timestamp(),
                edited=one.updated_at != one.created_at,
            )

    def _at(self, path: str) -> str:
        return f"/projects/{quote(self._repository, safe='')}{path}"


def _username(user: _User | None) -> str:
    return user.username if user else ""
