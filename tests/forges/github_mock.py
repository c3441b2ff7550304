"""GitHub, imitated, and held against GitHub's description of its API.

What the description does not say, such as who may write a check run, is as GitHub's pages have it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

import github_words as words
from described import Operation, github
from github_apps import Apps
from imitated import Imitated, Refused, Sent, Written, length

COMMENT_LIMIT = 65_536
HERE = "/repos/acme/infra"


class GitHubMock(Imitated):
    """The repository acme/infra at GitHub. Tokens of installations begin with ghs_."""

    def reset(self) -> None:
        """Be as it was made, at the same URL."""
        super().reset()
        github()
        self.tokens = {"ghs_given": "holdfast-acme[bot]"}
        self.apps = Apps()
        self._checks: dict[int, dict[str, Any]] = {}
        self._refs: dict[str, str] = {}

    def queue(self, number: int, head: str, base: str = "main") -> str:
        """Put a pull request into the merge queue; returns the ref that the queue makes for it."""
        with self._turn:
            name = f"refs/heads/gh-readonly-queue/{base}/pr-{number}-{'b' * 40}"
            self._refs[name] = head
            self._commits.add(head)
            return name

    def checks(self, head: str) -> list[dict[str, Any]]:
        """The check runs of a commit, oldest first; of those of one name people see the last."""
        with self._turn:
            return [one for one in self._checks.values() if one["head_sha"] == head]

    def answer(self, sent: Sent) -> tuple[int, Any]:
        """Return the status and the body."""
        asked = github().operation(sent.method, sent.path)
        if asked is None:
            self.faults.append(f"{sent.method} {sent.path}: GitHub has nothing like it")
            return 404, {"message": "Not Found"}
        self.faults += [
            f"{sent.method} {sent.path}: {fault}" for fault in github().request_faults(asked, sent.query, sent.body)
        ]
        self.faults += [f"{sent.path}: {fault}" for fault in _header_faults(sent.headers)]
        try:
            with self._turn:
                status, body = self._done(asked, sent, sent.headers.get("authorization", "").removeprefix("Bearer "))
        except Refused as refused:
            return refused.status, {"message": refused.message, "documentation_url": "https://docs.github.com/rest"}
        self.faults += [f"{sent.path}: {fault}" for fault in github().answer_faults(asked, status, body)]
        return status, body

    def _done(self, asked: Operation, sent: Sent, token: str) -> tuple[int, Any]:
        if asked.template.startswith("/app") or asked.template.endswith("/installation"):
            return self.apps.answer(asked, token, sent.body, self.tokens)
        if token not in self.tokens:
            raise Refused(401, "Bad credentials")
        if asked.template == "/user":
            return self._user(asked, token)
        if not sent.path.startswith(HERE + "/"):
            raise Refused(404, "Not Found")
        what = asked.template.removeprefix("/repos/{owner}/{repo}/")
        places = {name: unquote(text) for name, text in asked.places.items()}
        if sent.method == "GET":
            return self._read(asked, what, places, sent.query)
        return self._written(asked, what, places, sent.body, token)

    def _user(self, asked: Operation, token: str) -> tuple[int, Any]:
        if token.startswith("ghs_"):
            raise Refused(403, "Resource not accessible by integration")
        example = github().example(asked, 200)
        return 200, {**example, "login": self.tokens[token], "user_view_type": "private"}

    def _read(self, asked: Operation, what: str, places: dict[str, str], query: Mapping[str, str]) -> tuple[int, Any]:
        number = int(places.get("pull_number") or places.get("issue_number") or 0)
        if number and number not in self._pulls:
            raise Refused(404, "Not Found")
        match what:
            case "pulls":
                wanted = [one for one in self._pulls.values() if one.state == "open" and one.base == query["base"]]
                return 200, [words.pull(asked, one) for one in wanted]
            case "pulls/{pull_number}":
                return 200, words.pull(asked, self._pulls[number])
            case "pulls/{pull_number}/reviews":
                said = self._pulls[number].reviews
                return 200, [words.review(asked, at, one) for at, one in enumerate(said, 1)]
            case "issues/comments":
                since = query.get("since", "")
                found = [one for one in self._comments.values() if words.stamp(one.changed_at) >= since]
                return 200, [words.comment(asked, one) for one in sorted(found, key=lambda one: one.changed_at)]
            case "issues/{issue_number}/comments":
                return 200, [words.comment(asked, one) for one in self.comments(number)]
            case "git/matching-refs/{ref}":
                begin = f"refs/{places['ref']}"
                return 200, [words.ref(asked, *one) for one in self._refs.items() if one[0].startswith(begin)]
            case "check-runs/{check_run_id}":
                return 200, words.check_run(asked, 200, self._run(places))
        raise AssertionError(what)

    def _written(self, asked: Operation, what: str, places: dict[str, str], body: Any, token: str) -> tuple[int, Any]:
        match what:
            case "issues/{issue_number}/comments":
                number = int(places["issue_number"])
                if number not in self._pulls:
                    raise Refused(404, "Not Found")
                length("body", body["body"], COMMENT_LIMIT)
                made = self._comments[self.comment(number, self.tokens[token], body["body"])]
                return 201, words.comment(asked, made, 201)
            case "issues/comments/{comment_id}":
                length("body", body["body"], COMMENT_LIMIT)
                comment = self._comment(places)
                self.edit_comment(comment.id, body["body"])
                return 200, words.comment(asked, comment)
            case "issues/comments/{comment_id}/reactions":
                found = self.reactions.setdefault(self._comment(places).id, [])
                status = 200 if body["content"] in found else 201
                found += [] if status == 200 else [body["content"]]
                return status, github().example(asked, 201)
            case "check-runs" | "check-runs/{check_run_id}":
                if not token.startswith("ghs_"):
                    raise Refused(403, "Resource not accessible by personal access token")
                return self._checked(asked, places, body)
            case "statuses/{sha}":
                self._known(places["sha"])
                length("description", body.get("description") or "", 140)
                self._statuses.setdefault(places["sha"], []).append(body)
                return 201, words.commit_status(asked, body)
        raise AssertionError(what)

    def _checked(self, asked: Operation, places: dict[str, str], body: Any) -> tuple[int, Any]:
        new = "check_run_id" not in places
        if new:
            self._known(body["head_sha"])
            self._last_id += 1
            run = {"id": self._last_id, "annotations": [], "status": "queued"}
        else:
            run = self._run(places)
            # Two settings of one run, and GitHub shows both.
            if run["status"] == "completed" and body.get("status", "completed") != "completed":
                raise Refused(422, "a check run that has ended is not begun anew")
        if body.get("status") == "completed" and "conclusion" not in body:
            raise Refused(422, "conclusion is missing")
        for name in ("summary", "text"):
            length(name, body.get("output", {}).get(name) or "", 65_535)
        added = body.get("output", {}).get("annotations", [])
        run |= {**body, "annotations": [*run["annotations"], *added]}
        self._checks[run["id"]] = run
        return (201 if new else 200), words.check_run(asked, 201 if new else 200, run)

    def _known(self, commit: str) -> None:
        if commit not in self._commits:
            raise Refused(422, f"No commit found for SHA: {commit}")

    def _comment(self, places: dict[str, str]) -> Written:
        found = self._comments.get(int(places["comment_id"]))
        if found is None:
            raise Refused(404, "Not Found")
        return found

    def _run(self, places: dict[str, str]) -> dict[str, Any]:
        found = self._checks.get(int(places["check_run_id"]))
        if found is None:
            raise Refused(404, "Not Found")
        return found


def _header_faults(headers: Mapping[str, str]) -> Iterator[str]:
    if headers.get("x-github-api-version") != "2022-11-28":
        yield "no version of the API is named"
    if headers.get("accept") != "application/vnd.github+json":
        yield "no media type is named"
    if not headers.get("user-agent", "").startswith("Holdfast"):
        yield "nobody says who asks"
