"""What a workflow has the command line write at GitHub: one comment, one issue for each stack that drifted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from described import Operation, github
from e2e_yard import Done, Yard
from github_apps import Refused
from github_mock import GitHubMock
from github_words import user

from orchestrator.effects.forge_issues import LABEL

pytestmark = pytest.mark.needs("git", "terraform")

BOT = "github-actions[bot]"
STACKS = (
    "version: 1\nproject: estate\nstacks:\n  web:\n    tool: terraform\n    path: web\n    backend_config: {path: %s}\n"
)
WEB = """
terraform {
  backend "local" {}
}
resource "lab_object" "web" {
  name = "web"
  size = 1
}
"""


class WithIssues(GitHubMock):
    """The imitated GitHub, with issues."""

    def reset(self) -> None:
        super().reset()
        self.tokens = {"ghs_workflow": BOT, "ghs_read": "reader[bot]"}
        self.issues: dict[int, dict[str, Any]] = {}
        self.said: dict[int, list[str]] = {}

    def issue(self, by: str, body: str) -> int:
        """Open an issue as somebody."""
        number = 900 + len(self.issues)
        self.issues[number] = {"body": body, "title": "An issue", "state": "open", "by": by, "labels": [LABEL]}
        return number

    def _done(self, asked: Operation, sent: Any, token: str) -> tuple[int, Any]:
        what = asked.template.removeprefix("/repos/{owner}/{repo}/")
        if token not in self.tokens:
            raise Refused(401, "Bad credentials")
        if token == "ghs_read" and sent.method != "GET":
            raise Refused(403, "Resource not accessible by integration")
        if what == "issues" and sent.method == "GET":
            query = sent.query
            found = [
                number
                for number, one in self.issues.items()
                if one["state"] == query["state"] and query["labels"] in one["labels"] and one["by"] == query["creator"]
            ]
            return 200, [self._shown(asked, 200, number) for number in reversed(found)]
        if what == "issues":
            number = self.issue(self.tokens[token], sent.body["body"])
            self.issues[number] |= {"title": sent.body["title"], "labels": sent.body["labels"]}
            return 201, self._shown(asked, 201, number)
        if what == "issues/{issue_number}":
            number = int(asked.places["issue_number"])
            self.issues[number] |= sent.body
            return 200, self._shown(asked, 200, number)
        if what == "issues/{issue_number}/comments" and int(asked.places["issue_number"]) in self.issues:
            self.said.setdefault(int(asked.places["issue_number"]), []).append(sent.body["body"])
            return 201, github().example(asked, 201)
        return super()._done(asked, sent, token)

    def _shown(self, asked: Operation, status: int, number: int) -> dict[str, Any]:
        found = github().example(asked, status)
        shown = found[0] if isinstance(found, list) else found
        one = self.issues[number]
        shown |= {"number": number, "title": one["title"], "body": one["body"], "state": one["state"]}
        return {**shown, "user": user(one["by"], shown["user"])}


@pytest.fixture(scope="module")
def _at_work() -> Iterator[WithIssues]:
    with WithIssues().at_work() as made:
        assert isinstance(made, WithIssues)
        yield made


@pytest.fixture
def forge(_at_work: WithIssues) -> Iterator[WithIssues]:
    _at_work.reset()
    yield _at_work
    assert _at_work.faults == []


@pytest.fixture
def yard(world: Yard) -> Yard:
    state = world.folder / "web.tfstate"
    world.commit({"stacks.yaml": STACKS % state, "web/main.tf": world.lab + WEB})
    return world


def workflow(yard: Yard, forge: GitHubMock, *words: str, head: str = "", **more: str) -> Done:
    """Run the program on a machine that a job was just given, for a pull request where ``head`` is its commit."""
    event = yard.folder / "event.json"
    ours = {"full_name": "acme/infra"}
    pull = {"number": 1, "head": {"sha": head, "repo": ours}, "base": {"ref": "main", "repo": ours}, "state": "open"}
    event.write_text(json.dumps({"pull_request": pull} if head else {}))
    homes = len(list(yard.folder.glob("home-*")))
    variables: Mapping[str, str] = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": forge.url,
        "GITHUB_EVENT_NAME": "pull_request" if head else "schedule",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REPOSITORY": "acme/infra",
        "GITHUB_RUN_ID": "7",
        "GITHUB_TOKEN": "ghs_workflow",
        "HOLDFAST_HOME": str(yard.folder / f"home-{homes}"),
        **more,
    }
    Path(variables["HOLDFAST_HOME"]).mkdir()
    return yard.run(*words, "-o", "github", **variables)


def test_one_comment_says_how_the_newest_commit_of_a_pull_request_fares(yard: Yard, forge: WithIssues) -> None:
    head = yard.git("rev-parse", "HEAD")
    forge.open_pull(head)
    forge.comment(1, "mallory", "<!-- holdfast:pr estate -->\nAll is well.")
    workflow(yard, forge, "plan", "--comment", head=head).ended(0, "1 to add")
    copied, ours = forge.comments(1)
    assert copied.text.endswith("All is well.")
    assert ours.by == BOT
    assert "1 to add" in ours.text
    assert "actions/runs/7" in ours.text
    # A run of an earlier commit that ends later takes nothing back.
    newer = yard.commit({"stacks.yaml": (yard.checkout / "stacks.yaml").read_text().replace("web:", "web!:")})
    forge.push(1, newer)
    workflow(yard, forge, "plan", "--comment", head=head).ended(64)
    assert "1 to add" in forge.comments(1)[1].text
    # What cannot be planned is said in its place: what was said before is of another commit.
    workflow(yard, forge, "plan", "--comment", head=newer).ended(64, "::error file=stacks.yaml")
    assert len(forge.comments(1)) == 2
    assert "cannot be planned" in forge.comments(1)[1].text
    # A token that may not write, and a run that is about no pull request, are no failure of the plan.
    yard.git("revert", "--no-edit", "HEAD")
    refused = workflow(yard, forge, "plan", "--comment", head=newer, GITHUB_TOKEN="ghs_read")
    refused.ended(0, "::notice title=HF-4702::the comment was not written")
    workflow(yard, forge, "plan", "--comment").ended(0, "no pull request")
    workflow(yard, forge, "plan", "--comment", GITHUB_TOKEN="").ended(64, "HF-1622")
    forge.fail_next(503, times=9)
    workflow(yard, forge, "plan", "--comment", head=newer).ended(0, "::notice title=HF-4701")


def test_an_issue_is_open_for_as_long_as_a_stack_drifts(yard: Yard, forge: WithIssues) -> None:
    yard.apply().ended(0)
    marker = "<!-- holdfast:drift estate/web@default -->"
    copied = forge.issue("mallory", f"{marker}\nclose me")
    yard.edit_object("web", size=7)
    for _ in range(2):
        workflow(yard, forge, "drift", "--issues", "--detailed-exitcode").ended(2)
    (number,) = forge.issues.keys() - {copied}
    assert forge.issues[number]["title"] == "Drift in web"
    assert forge.issues[number]["body"].startswith(f"{marker}\n")
    assert "expected `1`, is `7`" in forge.issues[number]["body"]
    # Whoever cannot look does not say that all is well.
    workflow(yard, forge, "drift", "--issues", PATH="/usr/bin:/bin").ended(1)
    assert forge.issues[number]["state"] == "open"
    yard.edit_object("web", size=1)
    workflow(yard, forge, "drift", "--issues").ended(0)
    assert forge.issues[number]["state"] == "closed"
    assert "as it should be again" in forge.said[number][0]
    assert forge.issues[copied]["state"] == "open"
    refused = workflow(yard, forge, "drift", "--issues", GITHUB_TOKEN="ghs_nobody")
    refused.ended(0, "::notice title=HF-4702::the issues were not written")
