"""What the imitated GitHub says of its state: GitHub's own examples, filled in."""

from __future__ import annotations

from typing import Any

from described import Operation, github
from imitated import Opened, Written, stamp


def user(login: str, like: dict[str, Any]) -> dict[str, Any] | None:
    """Return somebody; None for who has left."""
    if not login:
        return None
    return {**like, "login": login, "type": "Bot" if login.endswith("[bot]") else "User"}


def pull(asked: Operation, one: Opened) -> dict[str, Any]:
    found = github().example(asked, 200)
    said = found[0] if isinstance(found, list) else found
    # GitHub's example of a team is older than its description.
    said |= {"requested_teams": [], "number": one.number, "title": one.title, "state": one.state, "draft": one.draft}
    said["html_url"] = f"https://github.com/acme/infra/pull/{one.number}"
    said["user"] = user(one.author, said["user"])
    said["merged_at"] = stamp(0) if one.merged_as else None
    # Before it is merged GitHub names a commit that it tries the merge out with.
    said["merge_commit_sha"] = one.merged_as or "e" * 40
    if "merged" in said:
        said["merged"] = bool(one.merged_as)
    said["base"] |= {"ref": one.base, "label": f"acme:{one.base}"}
    said["head"] |= {"ref": one.branch, "label": f"acme:{one.branch}", "sha": one.head}
    said["head"]["repo"] = {**said["base"]["repo"], "id": 99} if one.fork else said["base"]["repo"]
    return dict(said)


def comment(asked: Operation, one: Written, status: int = 200) -> dict[str, Any]:
    found = github().example(asked, status)
    said = found[0] if isinstance(found, list) else found
    kind = "issues" if one.issue else "pull"
    said |= {"id": one.id, "body": one.text, "created_at": stamp(one.at), "updated_at": stamp(one.changed_at)}
    said["html_url"] = f"https://github.com/acme/infra/{kind}/{one.pull}#issuecomment-{one.id}"
    said["issue_url"] = f"https://api.github.com/repos/acme/infra/issues/{one.pull}"
    said["user"] = user(one.by, said["user"])
    return dict(said)


def review(asked: Operation, number: int, said_so: tuple[str, str, str]) -> dict[str, Any]:
    said = github().example(asked, 200)[0]
    login, state, commit = said_so
    said |= {"id": number, "state": state, "commit_id": commit, "user": user(login, said["user"])}
    return dict(said)


def ref(asked: Operation, name: str, commit: str) -> dict[str, Any]:
    said = github().example(asked, 200)[0]
    said |= {"ref": name, "object": {**said["object"], "sha": commit}}
    return dict(said)


def check_run(asked: Operation, status: int, run: dict[str, Any]) -> dict[str, Any]:
    said = github().example(asked, status)
    output = run.get("output", {})
    said |= {"id": run["id"], "name": run["name"], "head_sha": run["head_sha"], "status": run["status"]}
    said |= {"conclusion": run.get("conclusion"), "details_url": run.get("details_url", "https://example.com")}
    said["output"] |= {"title": output.get("title"), "summary": output.get("summary"), "text": output.get("text")}
    said["output"]["annotations_count"] = len(run["annotations"])
    return dict(said)


def commit_status(asked: Operation, body: dict[str, Any]) -> dict[str, Any]:
    said = github().example(asked, 201)
    said |= {"state": body["state"], "context": body.get("context", "default")}
    return {**said, "description": body.get("description"), "target_url": body.get("target_url")}
