"""GitHub, imitated: a server on loopback that keeps one repository's pull requests, and knows what GitHub refuses.

Every request, and every answer of its own, is held against GitHub's description of its API: what does not agree is kept
in `faults`. What the description does not say, such as who may write a check run, is as GitHub's pages have it.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import github_words as words
from described import Operation, github
from github_apps import Apps, Refused
from github_words import Opened, Written

COMMENT_LIMIT = 65_536
HERE = "/repos/acme/infra"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One request that came in."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]
    status: int = 0


@dataclass(slots=True, kw_only=True)
class Refusal:
    """An answer that is given whatever was asked."""

    status: int
    headers: Mapping[str, str]
    times: int
    body: bytes
    #: Part of the path that it is for.
    only: str
    #: The method that it is for, empty for each.
    method: str
    #: Whether what was asked is done all the same, and only the answer is lost.
    done: bool
    #: Writes the answer itself, where it is to be none that is whole.
    raw: Callable[[BaseHTTPRequestHandler], None] | None


@dataclass
class GitHubMock:
    """The repository acme/infra. Threads may ask and change it."""

    #: Token -> login that it writes as; those of installations begin with ghs_.
    tokens: dict[str, str] = field(init=False)
    requests: list[Sent] = field(init=False)
    #: What did not agree with the description: empty at the end of a good test.
    faults: list[str] = field(init=False)
    apps: Apps = field(init=False)
    #: Comment -> reactions.
    reactions: dict[int, list[str]] = field(init=False)
    #: A list whose every page says that there is another.
    endless: bool = field(init=False)
    url: str = ""

    def __post_init__(self) -> None:
        self._turn = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """Be as it was made, at the same URL."""
        self.tokens = {"ghs_given": "holdfast-acme[bot]"}
        self.requests, self.faults, self.reactions, self.endless = [], [], {}, False
        self.apps = Apps()
        self._pulls: dict[int, Opened] = {}
        self._comments: dict[int, Written] = {}
        self._checks: dict[int, dict[str, Any]] = {}
        self._statuses: dict[str, list[dict[str, Any]]] = {}
        self._refs: dict[str, str] = {}
        self._refusals: list[Refusal] = []
        self._last_id, self._now = 1000, 0.0

    # What a test does at GitHub.

    @contextmanager
    def at_work(self) -> Iterator[GitHubMock]:
        """Answer at `url` on loopback."""
        github()
        server = ThreadingHTTPServer(("127.0.0.1", 0), _serving(self))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def open_pull(
        self,
        head: str,
        *,
        number: int = 0,
        base: str = "main",
        title: str = "A change",
        author: str = "ana-gh",
        branch: str = "change",
        fork: bool = False,
        draft: bool = False,
    ) -> int:
        """Open a pull request; returns its number."""
        with self._turn:
            number = number or max(self._pulls, default=0) + 1
            self._pulls[number] = Opened(
                number=number, head=head, base=base, title=title, author=author, branch=branch, fork=fork, draft=draft
            )
            return number

    def push(self, number: int, head: str) -> None:
        with self._turn:
            self._pulls[number].head = head

    def merge(self, number: int, as_: str) -> None:
        with self._turn:
            self._pulls[number].state, self._pulls[number].merged_as = "closed", as_

    def close(self, number: int) -> None:
        with self._turn:
            self._pulls[number].state = "closed"

    def review(self, number: int, by: str, state: str = "APPROVED", commit: str = "") -> None:
        with self._turn:
            self._pulls[number].reviews.append((by, state, commit or self._pulls[number].head))

    def queue(self, number: int, head: str, base: str = "main") -> str:
        """Put a pull request into the merge queue; returns the ref that the queue makes for it."""
        with self._turn:
            name = f"refs/heads/gh-readonly-queue/{base}/pr-{number}-{'b' * 40}"
            self._refs[name] = head
            return name

    def comment(self, number: int, by: str, text: str, *, at: float | None = None, issue: bool = False) -> int:
        """Write a comment; returns its id."""
        with self._turn:
            self._now = max(self._now + 1, time.time()) if at is None else at
            self._last_id += 1
            self._comments[self._last_id] = Written(
                id=self._last_id, pull=number, by=by, text=text, at=self._now, changed_at=self._now, issue=issue
            )
            return self._last_id

    def edit_comment(self, comment: int, text: str) -> None:
        with self._turn:
            self._now = max(self._now + 1, time.time())
            self._comments[comment].text, self._comments[comment].changed_at = text, self._now

    def delete_comment(self, comment: int) -> None:
        with self._turn:
            del self._comments[int(comment)]

    def comments(self, number: int) -> list[Written]:
        with self._turn:
            return [one for one in self._comments.values() if one.pull == number]

    def checks(self, head: str) -> list[dict[str, Any]]:
        """The check runs of a commit, oldest first; of those of one name people see the last."""
        with self._turn:
            return [one for one in self._checks.values() if one["head_sha"] == head]

    def statuses(self, head: str) -> list[dict[str, Any]]:
        with self._turn:
            return list(self._statuses.get(head, []))

    def fail_next(
        self,
        status: int = 500,
        headers: Mapping[str, str] | None = None,
        times: int = 1,
        *,
        body: bytes = b'{"message": "not now"}',
        only: str = "",
        method: str = "",
        done: bool = False,
        raw: Callable[[BaseHTTPRequestHandler], None] | None = None,
    ) -> None:
        """Answer so, the next times; ``done``: after having done what was asked."""
        with self._turn:
            self._refusals.append(
                Refusal(
                    status=status,
                    headers=headers or {},
                    times=times,
                    body=body,
                    only=only,
                    method=method,
                    done=done,
                    raw=raw,
                )
            )

    def heal(self) -> None:
        """Forget what was to go wrong, and what came in."""
        with self._turn:
            self._refusals.clear()
            self.requests.clear()
            self.endless = False

    # What it does about a request.

    def refusal(self, method: str, path: str) -> Refusal | None:
        with self._turn:
            meant = (one for one in self._refusals if one.only in path and one.method in {"", method})
            found = next((one for one in meant if one.times > 0), None)
            if found:
                found.times -= 1
            return found

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
                _length("body", body["body"], COMMENT_LIMIT)
                made = self._comments[self.comment(number, self.tokens[token], body["body"])]
                return 201, words.comment(asked, made, 201)
            case "issues/comments/{comment_id}":
                _length("body", body["body"], COMMENT_LIMIT)
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
                _length("description", body.get("description") or "", 140)
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
            _length(name, body.get("output", {}).get(name) or "", 65_535)
        added = body.get("output", {}).get("annotations", [])
        run |= {**body, "annotations": [*run["annotations"], *added]}
        self._checks[run["id"]] = run
        return (201 if new else 200), words.check_run(asked, 201 if new else 200, run)

    def _known(self, commit: str) -> None:
        if commit not in {*(one.head for one in self._pulls.values()), *self._refs.values()}:
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


def _length(name: str, text: str, most: int) -> None:
    if len(text) > most:
        raise Refused(422, f"{name} is too long (maximum is {most} characters)")


def _header_faults(headers: Mapping[str, str]) -> Iterator[str]:
    if headers.get("x-github-api-version") != "2022-11-28":
        yield "no version of the API is named"
    if headers.get("accept") != "application/vnd.github+json":
        yield "no media type is named"
    if not headers.get("user-agent", "").startswith("Holdfast"):
        yield "nobody says who asks"


def _serving(mock: GitHubMock) -> type[BaseHTTPRequestHandler]:
    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- its name there
            pass

        def _do(self) -> None:
            parts = urlsplit(self.path)
            text = self.rfile.read(int(self.headers.get("content-length") or 0))
            sent = Sent(
                method=self.command,
                path=parts.path,
                query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                body=json.loads(text) if text else None,
                headers={name.lower(): value for name, value in self.headers.items()},
            )
            refusal = mock.refusal(self.command, parts.path)
            if refusal is None or refusal.done:
                status, body = mock.answer(sent)
            if refusal is not None:
                status = refusal.status
            mock.requests.append(replace(sent, status=status))
            if refusal is not None and refusal.raw:
                refusal.raw(self)
                self.close_connection = True
            elif refusal is not None:
                self._say(refusal.status, refusal.body, refusal.headers)
            else:
                self._say_page(sent, status, body)

        def _say_page(self, sent: Sent, status: int, body: Any) -> None:
            headers = {"X-RateLimit-Remaining": "4999", "X-RateLimit-Reset": str(int(time.time()) + 3600)}
            if isinstance(body, list) and "page" in sent.query:
                size, page = int(sent.query.get("per_page", 30)), int(sent.query["page"])
                more = mock.endless or len(body) > size * page
                # As GitHub has it: by the repository's number, which no description knows.
                link = f'<{mock.url}/repositories/1/list?page={page + 1}>; rel="next"'
                headers |= {"Link": link} if more else {}
                body = body[:size] if mock.endless else body[size * (page - 1) : size * page]
            text = json.dumps(body).encode()
            headers["ETag"] = f'W/"{hashlib.sha256(text).hexdigest()}"'
            if sent.method == "GET" and sent.headers.get("if-none-match") == headers["ETag"]:
                mock.requests[-1] = replace(sent, status=304)
                status, text = 304, b""
            self._say(status, text, headers)

        def _say(self, status: int, text: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _do  # noqa: N815 -- http.server's own names

    return Answering
