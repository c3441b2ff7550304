"""Pull requests at GitHub and GitHub Enterprise Server, over its REST API: https://docs.github.com/rest."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlsplit

from adapters.contract import Json
from orchestrator.effects.forge_comment import put_comment
from orchestrator.effects.forge_github_checks import batches, body_of, status_of
from orchestrator.effects.forge_github_shapes import (
    CHECK_RUN,
    COMMENT,
    COMMENTS,
    PULL,
    PULLS,
    REFS,
    REVIEWS,
    USER,
    WHATEVER,
    Comment,
    login_of,
)
from orchestrator.effects.forge_http import Admission, ForgeHttp, Patience, stamp, there
from orchestrator.effects.forge_tokens import HEADERS, App, AppToken, GivenToken
from orchestrator.model.pull import MARK, Candidate, Pull, Remark
from orchestrator.model.verdict import Check, CheckConclusion
from orchestrator.ports.forge import ForgeTraits

#: Where github.com answers.
API: Final = "https://api.github.com"
#: By which login a workflow's own token writes; it may not ask who it is.
WORKFLOW_LOGIN: Final = "github-actions[bot]"
#: What the tokens of installations begin with; those of people may write no check runs.
_INSTALLED: Final = "ghs_"
_COMMENT_LIMIT: Final = 65_536
_QUEUE: Final = "heads/gh-readonly-queue/"
_APPROVED: Final = "APPROVED"
#: Reviews that take the place of an earlier one; whoever only remarks on something takes nothing back.
_VERDICTS: Final = frozenset({_APPROVED, "CHANGES_REQUESTED", "DISMISSED"})
#: Check runs of which is remembered how they stand: a request less for each that is told of again.
_REMEMBERED: Final = 1000


@dataclass(slots=True)
class _Runs:
    """Whether check runs of ours have ended. GitHub changes none that has, and takes no annotation away."""

    _ended: OrderedDict[str, bool] = field(default_factory=OrderedDict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, run: str, *, ended: bool) -> None:
        with self._turn:
            self._ended[run] = ended
            while len(self._ended) > _REMEMBERED:
                self._ended.popitem(last=False)

    def find(self, run: str) -> bool | None:
        with self._turn:
            return self._ended.get(run)


class GitHub:
    """`ports.Forge` on one repository."""

    def __init__(  # noqa: PLR0913 -- each is one thing that the operator or a test says
        self,
        repository: str,
        credential: App | Callable[[], str],
        *,
        api: str = API,
        login: str = "",
        patience: Patience | None = None,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """``repository`` is ``owner/name``; ``login`` is by which we write, empty where GitHub is asked.

        Raises ForgeError (HF-4700) where ``api`` would have a token go over the network in clear.
        """
        self._repository, self._login = repository, login
        self._app: AppToken | None = None
        if isinstance(credential, App):
            self._app = AppToken(api, credential, repository, patience=patience, now=now, pause=pause)
        self._admission: Admission = self._app or GivenToken(credential)  # type: ignore[arg-type]
        self._http = ForgeHttp(api, self._admission, headers=HEADERS, patience=patience, now=now, pause=pause)
        self._runs = _Runs()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    @property
    def traits(self) -> ForgeTraits:
        """Check runs are for Apps and for workflows. Raises ForgeError, SecretMissing where the token is not there."""
        checks = self._app is not None or self._admission.token().startswith(_INSTALLED)
        return ForgeTraits(checks=checks, comment_limit=_COMMENT_LIMIT)

    def pulls(self, base: str) -> tuple[Pull, ...]:
        """Return every open pull request into a branch, by number. Raises ForgeError."""
        query = {"state": "open", "base": base, "sort": "created", "direction": "asc"}
        found = {one.number: one.pull() for one in self._http.pages(self._at("/pulls"), query, shape=PULLS)}
        return tuple(found[number] for number in sorted(found))

    def pull(self, number: int) -> Pull:
        """Return one. Raises ForgeError."""
        return self._http.get(self._at(f"/pulls/{number}"), shape=PULL).pull()

    def remarks(self, since: float) -> tuple[Remark, ...]:
        """Return what was written or changed since, but for our own words. Raises ForgeError."""
        query = {"sort": "updated", "direction": "asc", "since": stamp(since)}
        found = self._http.pages(self._at("/issues/comments"), query, shape=COMMENTS, rest=True)
        return tuple(remark for one in found if (remark := _remark(one)))

    def approvers(self, number: int, head: str) -> tuple[str, ...]:
        """Return who approves of exactly this commit. Raises ForgeError."""
        last: dict[str, bool] = {}
        for one in self._http.pages(self._at(f"/pulls/{number}/reviews"), shape=REVIEWS):
            login = login_of(one.user)
            if login and one.state in _VERDICTS:
                last[login] = one.state == _APPROVED and one.commit_id == head
        return tuple(sorted(login for login, approves in last.items() if approves))

    def candidates(self, base: str) -> tuple[Candidate, ...]:
        """Return what the merge queue of a branch tries out. Raises ForgeError."""
        queue = f"{_QUEUE}{base}/pr-"
        found = self._http.get(self._at(f"/git/matching-refs/{quote(queue)}"), shape=REFS)
        begin = f"refs/{queue}"
        return tuple(
            Candidate(head=one.object.sha, ref=one.ref, pull=_leading_number(one.ref.removeprefix(begin)))
            for one in sorted(found, key=lambda one: one.ref)
            if one.ref.startswith(begin)
        )

    def say(self, number: int, body: str, *, marker: str, known: str = "") -> str:
        """Put our one comment there. Raises ForgeError: HF-4706 where it is too long, before anything is sent."""
        return put_comment(self, number, body, marker=marker, known=known, limit=_COMMENT_LIMIT)

    def rewritten(self, number: int, comment: str, text: str) -> bool:  # noqa: ARG002 -- of `forge_comment.Pen`
        """Change a comment; whether it is there. Raises ForgeError."""
        path = self._at(f"/issues/comments/{quote(comment)}")
        return there(lambda: self._http.send("PATCH", path, {"body": text}, shape=COMMENT, again=True))

    def ours(self, number: int, marker: str) -> str:
        """Return the id of our own comment with the marker, empty where there is none. Raises ForgeError."""
        login = self._self()
        found = self._http.pages(self._at(f"/issues/{number}/comments"), shape=COMMENTS, rest=True)
        mine = (one for one in found if _is(one, login) and (one.body or "").startswith(marker))
        return next((str(one.id) for one in mine), "")

    def write(self, number: int, text: str) -> str:
        """Write a comment; returns its id. Raises ForgeError."""
        path = self._at(f"/issues/{number}/comments")
        return str(self._http.send("POST", path, {"body": text}, shape=COMMENT).id)

    def check(self, head: str, check: Check, *, known: str = "") -> str:
        """Put a check run on a commit; a commit status where the token is a person's. Raises ForgeError."""
        if not self.traits.checks:
            self.status(head, name=check.name, conclusion=check.conclusion, title=check.title, url=check.url)
            return known
        first, *others = batches(check)
        body = body_of(check, first)
        run = self._same_run(known, body) or self._new_run(head, body)
        for more in others:
            self._change_run(run, body_of(check, more))
        self._runs.keep(run, ended=check.conclusion is not CheckConclusion.PENDING)
        return run

    def status(self, head: str, *, name: str, conclusion: CheckConclusion, title: str, url: str) -> None:
        """Set a commit status. Raises ForgeError."""
        body: Json = status_of(name=name, conclusion=conclusion, title=title, url=url)
        # The last of a name counts: another of the same does no harm.
        self._http.send("POST", self._at(f"/statuses/{quote(head)}"), body, shape=WHATEVER, again=True)

    def thumb(self, remark: Remark) -> None:
        """Put a thumb below a remark; a second one is the first. Raises ForgeError."""
        path = self._at(f"/issues/comments/{quote(remark.id)}/reactions")
        self._http.send("POST", path, {"content": "+1"}, shape=WHATEVER, again=True)

    def _at(self, path: str) -> str:
        return f"/repos/{quote(self._repository)}{path}"

    def _self(self) -> str:
        if not self._login:
            self._login = self._app.login() if self._app else self._http.get("/user", shape=USER).login
        return self._login

    def _same_run(self, known: str, body: dict[str, Json]) -> str:
        """Return the known run, changed in place; empty where it has ended or is gone, so that a new one is needed."""
        if not known or self._has_ended(known):
            return ""
        return known if there(lambda: self._change_run(known, body)) else ""

    def _has_ended(self, run: str) -> bool:
        ended = self._runs.find(run)
        if ended is None:
            path = self._at(f"/check-runs/{quote(run)}")
            found = there(lambda: self._runs.keep(run, ended=self._http.get(path, shape=CHECK_RUN).ended))
            ended = not found or self._runs.find(run) is not False
        return ended

    def _change_run(self, run: str, body: dict[str, Json]) -> None:
        self._http.send("PATCH", self._at(f"/check-runs/{quote(run)}"), body, shape=WHATEVER)

    def _new_run(self, head: str, body: dict[str, Json]) -> str:
        sent: Json = {**body, "head_sha": head}
        return str(self._http.send("POST", self._at("/check-runs"), sent, shape=CHECK_RUN).id)


def _remark(one: Comment) -> Remark | None:
    """Return a comment as a remark; None below an issue that is no pull request, and where it is ours."""
    *_, kind, number = urlsplit(one.html_url).path.split("/")
    text = one.body or ""
    if kind != "pull" or not number.isdecimal() or text.startswith(MARK):
        return None
    return Remark(
        id=str(one.id),
        pull=int(number),
        by=login_of(one.user),
        text=text,
        at=one.created_at.timestamp(),
        changed_at=one.updated_at.timestamp(),
        edited=one.updated_at != one.created_at,
    )


def _is(one: Comment, login: str) -> bool:
    return login_of(one.user).lower() == login.lower() != ""


def _leading_number(text: str) -> int:
    digits = text.partition("-")[0]
    return int(digits) if digits.isascii() and digits.isdecimal() else 0
