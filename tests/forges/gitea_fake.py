"""Gitea, imitated, and held against Gitea's description of its API; Forgejo says the same of what is used here.

What the description does not say, such as what comes of a second thumb, is as its source has it.
"""

from __future__ import annotations

from typing import Any

from gitea_described import faults, operation
from imitated import Imitated, Opened, Refused, Sent, Written, stamp

HERE = "/api/v1/repos/acme/infra"
COMMIT_STATES = {"pending", "success", "error", "failure", "warning"}
#: What is sent and what is answered, by what is asked for.
BODIES = {
    ("POST", "/repos/{owner}/{repo}/issues/{index}/comments"): "create_issue_comment_option",
    ("PATCH", "/repos/{owner}/{repo}/issues/comments/{id}"): "edit_issue_comment_option",
    ("POST", "/repos/{owner}/{repo}/issues/comments/{id}/reactions"): "edit_reaction_option",
    ("POST", "/repos/{owner}/{repo}/statuses/{sha}"): "create_status_option",
}


class GiteaFake(Imitated):
    """The repository acme/infra at Gitea."""

    def reset(self) -> None:
        """Be as it was made, at the same URL."""
        super().reset()
        self.tokens = {"given": "holdfast"}

    def answer(self, sent: Sent) -> tuple[int, Any]:
        """Return the status and the body."""
        path = sent.path.removeprefix("/api/v1")
        known = operation(sent.method, path)
        if known is None or path == sent.path:
            self.faults.append(f"{sent.method} {sent.path}: Gitea has nothing like it")
            return 404, {"message": "Not Found"}
        self.faults += [f"{path}: no such parameter: {name}" for name in set(sent.query) - known.query]
        if (sent.method, known.path) in BODIES:
            self.faults += faults(BODIES[sent.method, known.path], sent.body)
        try:
            with self._turn:
                status, shape, body = self._done(sent, known.path)
        except Refused as refused:
            return refused.status, {"message": refused.message, "url": "https://gitea.example/api/swagger"}
        self.faults += faults(shape, body)
        return status, body

    def _done(self, sent: Sent, what: str) -> tuple[int, str, Any]:  # noqa: PLR0911, PLR0912 -- one for each thing
        scheme, _, token = sent.headers.get("authorization", "").partition(" ")
        if scheme != "token" or token not in self.tokens:
            raise Refused(401, "invalid username, password or token")
        if what == "/user":
            return 200, "user", {"id": 1, "login": self.tokens[token], "full_name": ""}
        if not sent.path.startswith(HERE + "/"):
            raise Refused(404, "The target couldn't be found.")
        parts = sent.path.removeprefix(HERE + "/").split("/")
        match sent.method, parts:
            case "GET", ["pulls"]:
                wanted = [one for one in self._pulls.values() if one.state == "open"]
                # One from before there was base_branch lists them all.
                return 200, "pull_request", [self._pull(one) for one in wanted]
            case "GET", ["pulls", number]:
                return 200, "pull_request", self._pull(self._opened(number))
            case "GET", ["pulls", number, "reviews"]:
                return 200, "pull_review", self._reviews(self._opened(number))
            case "GET", ["issues", "comments"]:
                since = sent.query.get("since", "")
                found = [one for one in self._comments.values() if stamp(one.changed_at) >= since]
                return 200, "comment", [self._said(one) for one in sorted(found, key=lambda one: one.at)]
            case "GET", ["issues", number, "comments"]:
                return 200, "comment", [self._said(one) for one in self.comments(self._opened(number).number)]
            case "POST", ["issues", number, "comments"]:
                made = self.comment(self._opened(number).number, self.tokens[token], sent.body["body"])
                return 201, "comment", self._said(self._comments[made])
            case "PATCH", ["issues", "comments", comment]:
                self.edit_comment(self._written(comment).id, sent.body["body"])
                return 200, "comment", self._said(self._written(comment))
            case "POST", ["issues", "comments", comment, "reactions"]:
                given = self.reactions.setdefault(self._written(comment).id, [])
                status = 200 if sent.body["content"] in given else 201
                given += [] if status == 200 else [sent.body["content"]]
                return status, "reaction", {"content": sent.body["content"], "created_at": stamp(0)}
            case "POST", ["statuses", commit]:
                if commit not in self._commits:
                    raise Refused(404, "object does not exist")
                if sent.body["state"] not in COMMIT_STATES:
                    raise Refused(422, "unknown state")
                self._statuses.setdefault(commit, []).append(sent.body)
                told = {name: sent.body[name] for name in ("context", "description", "target_url")}
                return 201, "commit_status", {"id": 1, "status": sent.body["state"], **told}
        raise AssertionError(sent.path)

    def _opened(self, number: str) -> Opened:
        if int(number) not in self._pulls:
            raise Refused(404, "The target couldn't be found.")
        return self._pulls[int(number)]

    def _written(self, comment: str) -> Written:
        if int(comment) not in self._comments:
            raise Refused(404, "The target couldn't be found.")
        return self._comments[int(comment)]

    def _pull(self, one: Opened) -> dict[str, Any]:
        base = {"label": one.base, "ref": one.base, "sha": "b" * 40, "repo_id": 1}
        head = {"label": one.branch, "ref": one.branch, "sha": one.head, "repo_id": 2 if one.fork else 1}
        return {
            "id": 100 + one.number,
            "number": one.number,
            "title": one.title,
            "html_url": f"https://gitea.example/acme/infra/pulls/{one.number}",
            "user": self._user(one.author),
            "base": base,
            "head": head,
            "state": one.state,
            "draft": one.draft,
            "merged": bool(one.merged_as),
            "merge_commit_sha": one.merged_as or None,
        }

    def _reviews(self, one: Opened) -> list[dict[str, Any]]:
        states = {"CHANGES_REQUESTED": "REQUEST_CHANGES", "COMMENTED": "COMMENT", "DISMISSED": "APPROVED"}
        return [
            {
                "id": number,
                "user": self._user(by) if by else None,
                "state": states.get(state, state),
                "commit_id": commit,
                "dismissed": state == "DISMISSED",
            }
            for number, (by, state, commit) in enumerate(one.reviews)
        ]

    def _said(self, one: Written) -> dict[str, Any]:
        where = f"https://gitea.example/acme/infra/{'issues' if one.issue else 'pulls'}/{one.pull}"
        return {
            "id": one.id,
            "html_url": f"{where}#issuecomment-{one.id}",
            "issue_url": where if one.issue else "",
            "pull_request_url": "" if one.issue else where,
            "user": self._user(one.by) if one.by else None,
            "body": one.text,
            "created_at": stamp(one.at),
            "updated_at": stamp(one.changed_at),
        }

    def _user(self, login: str) -> dict[str, Any]:
        return {"id": 7, "login": login, "full_name": "", "email": f"{login}@noreply.example"}
