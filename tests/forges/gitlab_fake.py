"""GitLab, imitated by hand after the pages of its API: https://docs.gitlab.com/api/api_resources.

No description of that API can be had where the tests run. What is asked for is held against python-gitlab instead: which
paths there are, what each takes, and what has to be there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import unquote

import gitlab.v4.objects
from gitlab.base import RESTManager
from imitated import Imitated, Opened, Refused, Sent, Written, length, stamp

HERE: Final = "/api/v4/projects/acme%2Finfra"
#: What the fake keeps of a status, by what is asked for: GitLab goes through these and no others.
STEPS: Final = {
    ("pending", "running"),
    *((one, end) for one in ("pending", "running") for end in ("success", "failed")),
}
PAGES: Final = {"page", "per_page", "order_by", "sort"}


@cache
def managers() -> Mapping[str, list[type[RESTManager]]]:
    """Return python-gitlab's classes by the shape of their path."""
    found: dict[str, list[type[RESTManager]]] = {}
    for one in vars(gitlab.v4.objects).values():
        if isinstance(one, type) and issubclass(one, RESTManager) and getattr(one, "_path", None):
            found.setdefault(re.sub(r"\{\w+\}", "{}", one._path), []).append(one)
    return found


def shape_of(path: str) -> str:
    """Return ``/projects/{}/merge_requests/{}`` for a path of this API."""
    # Where a status is set the commit comes last, and python-gitlab takes the longer way that is meant for reading.
    path = re.sub(r"/statuses/([^/]+)$", r"/repository/commits/\1/statuses", path)
    return re.sub(r"(?<=/)(acme%2F\w+|\d+|[0-9a-f]{40})(?=/|$)", "{}", path)


def faults(sent: Sent) -> list[str]:
    """Return what a request says that python-gitlab would not."""
    shape = shape_of(sent.path.removeprefix("/api/v4"))
    if shape == "/user":
        return []
    known = managers().get(shape) or managers().get(shape.removesuffix("/{}"))
    if not known:
        return [f"{sent.method} {shape}: GitLab has nothing like it"]
    manager = known[0]
    told = [
        f"{shape}: no such parameter: {name}"
        for name in set(sent.query) - PAGES - set(getattr(manager, "_list_filters", ()))
    ]
    wanted = manager._create_attrs if sent.method == "POST" else manager._update_attrs
    if sent.body is not None:
        told += [f"{shape}: {name} is missing" for name in wanted.required if name not in sent.body]
        allowed = {*wanted.required, *wanted.optional}
        told += [f"{shape}: no such key: {name}" for name in sent.body if name not in allowed]
    return told


class GitLabFake(Imitated):
    """The project acme/infra at GitLab."""

    def reset(self) -> None:
        """Be as it was made, at the same URL."""
        super().reset()
        self.tokens = {"glpat-given": "holdfast"}
        #: Quick actions that were carried out with our rights.
        self.carried_out: list[str] = []

    def answer(self, sent: Sent) -> tuple[int, Any]:
        """Return the status and the body."""
        self.faults += faults(sent)
        try:
            with self._turn:
                return self._done(sent)
        except Refused as refused:
            return refused.status, {"message": refused.message}

    def _done(self, sent: Sent) -> tuple[int, Any]:  # noqa: PLR0911, PLR0912 -- one for each thing that is asked for
        token = sent.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.tokens:
            raise Refused(401, "401 Unauthorized")
        if sent.path == "/api/v4/user":
            return 200, {"id": 1, "username": self.tokens[token]}
        if not sent.path.startswith(HERE + "/"):
            raise Refused(404, "404 Project Not Found")
        match sent.method, sent.path.removeprefix(HERE + "/").split("/"):
            case "GET", ["merge_requests"]:
                return 200, [self._merge(one) for one in self._wanted(sent.query)]
            case "GET", ["merge_requests", number]:
                return 200, self._merge(self._opened(number))
            case "GET", ["merge_requests", number, "versions"]:
                return 200, self._versions(self._opened(number))
            case "GET", ["merge_requests", number, "approvals"]:
                return 200, {"approved_by": self._approvals(self._opened(number))}
            case "GET", ["merge_requests", number, "notes"]:
                return 200, self._notes(self._opened(number), sent.query)
            case "POST", ["merge_requests", number, "notes"]:
                self._carry_out(sent.body["body"])
                made = self.comment(self._opened(number).number, self.tokens[token], sent.body["body"])
                return 201, self._note(self._comments[made])
            case "PUT", ["merge_requests", _, "notes", comment]:
                self._carry_out(sent.body["body"])
                self.edit_comment(self._written(comment).id, sent.body["body"])
                return 200, self._note(self._written(comment))
            case "POST", ["merge_requests", _, "notes", comment, "award_emoji"]:
                given = self.reactions.setdefault(self._written(comment).id, [])
                if sent.body["name"] in given:
                    raise Refused(404, "404 Award Emoji Name has already been taken Not Found")
                given.append(sent.body["name"])
                return 201, {"id": 1, "name": sent.body["name"]}
            case "POST", ["statuses", commit]:
                return self._status(commit, sent.body)
        raise AssertionError(sent.path)

    def _wanted(self, query: Mapping[str, str]) -> list[Opened]:
        found = list(self._pulls.values())
        if "updated_after" in query:
            late = {one.pull for one in self._comments.values() if stamp(one.changed_at) >= query["updated_after"]}
            return [one for one in found if one.number in late and query["scope"] == "all"]
        return [one for one in found if one.state == "open" and one.base == query["target_branch"]]

    def _carry_out(self, text: str) -> None:
        length("note", text, 1_000_000)
        self.carried_out += re.findall(r"^[ \t]*(/\w+)", text, re.MULTILINE)

    def _status(self, commit: str, body: dict[str, Any]) -> tuple[int, Any]:
        if commit not in self._commits:
            raise Refused(404, "404 Commit Not Found")
        length("description", body["description"], 255)
        told = self._statuses.setdefault(commit, [])
        last = next((one["state"] for one in reversed(told) if one["name"] == body["name"]), "success")
        if last in {"pending", "running"} and (last, body["state"]) not in STEPS:
            raise Refused(400, f'Cannot transition status via :enqueue from :{last} (Reason(s): Status cannot transition via "enqueue")')  # fmt: skip
        told.append(body)
        return 201, {"id": 1, "sha": commit, "status": body["state"], "name": body["name"]}

    def _opened(self, number: str) -> Opened:
        if int(number) not in self._pulls:
            raise Refused(404, "404 Not found")
        return self._pulls[int(number)]

    def _written(self, comment: str) -> Written:
        if int(unquote(comment)) not in self._comments:
            raise Refused(404, "404 Note Not Found")
        return self._comments[int(comment)]

    def _merge(self, one: Opened) -> dict[str, Any]:
        state = "merged" if one.merged_as else {"open": "opened"}.get(one.state, one.state)
        return {
            "id": 100 + one.number,
            "iid": one.number,
            "title": f"Draft: {one.title}" if one.draft else one.title,
            "web_url": f"https://gitlab.example/acme/infra/-/merge_requests/{one.number}",
            "author": self._user(one.author),
            "target_branch": one.base,
            "source_branch": one.branch,
            "sha": one.head or None,
            "state": state,
            "draft": one.draft,
            "source_project_id": 2 if one.fork else 1,
            "target_project_id": 1,
            "merge_commit_sha": one.merged_as or None,
            "squash_commit_sha": None,
        }

    def _versions(self, one: Opened) -> list[dict[str, Any]]:
        # The number of times that something was said stands for what time it is.
        pushed = next((at for at, said in enumerate(one.reviews) if said[2] == one.head), len(one.reviews))
        return [{"id": 1, "head_commit_sha": one.head, "created_at": stamp(pushed)}]

    def _approvals(self, one: Opened) -> list[dict[str, Any]]:
        return [
            {"user": self._user(by), "approved_at": stamp(at)}
            for at, (by, state, _) in enumerate(one.reviews)
            if state == "APPROVED"
        ]

    def _notes(self, one: Opened, query: Mapping[str, str]) -> list[dict[str, Any]]:
        found = [said for said in self.comments(one.number) if not said.issue]
        found.sort(key=lambda said: said.changed_at if query["order_by"] == "updated_at" else said.at)
        if query["sort"] == "desc":
            found.reverse()
        pushed = {"id": 1, "body": "added 1 commit", "system": True, "author": self._user(one.author)}
        at = {"created_at": stamp(2_000_000_000), "updated_at": stamp(2_000_000_000)}
        return [{**pushed, **at}, *(self._note(said) for said in found)]

    def _note(self, one: Written) -> dict[str, Any]:
        return {
            "id": one.id,
            "body": one.text,
            "author": self._user(one.by) if one.by else None,
            "system": False,
            "created_at": stamp(one.at),
            "updated_at": stamp(one.changed_at),
        }

    def _user(self, login: str) -> dict[str, Any]:
        return {"id": 7, "username": login, "state": "active"}
