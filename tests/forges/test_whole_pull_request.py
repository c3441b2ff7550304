"""A pull request from its opening to the green check, through the service: real git, real Terraform, GitHub imitated.

The imitation holds every request against GitHub's own description of its API.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
from collections.abc import Callable, Iterator

import httpx2
import pytest
from e2e_yard import Yard
from github_mock import GitHubMock
from served import Serving, configured, serving

HOOK = "hook-secret-of-the-test"
STACKS = """version: 1
project: estate
stacks:
  net: {tool: terraform, path: net}
  web: {tool: terraform, path: web, inputs: {cidr: "${output:net.cidr}"}}
  db: {tool: terraform, path: db}
"""
NET = (
    'resource "terraform_data" "cidr" {\n  input = "%s"\n}\noutput "cidr" {\n  value = terraform_data.cidr.output\n}\n'
)
WEB = 'variable "cidr" {}\nresource "terraform_data" "web" {\n  input = var.cidr\n}\n'
DB = 'resource "terraform_data" "db" {\n  input = "%s"\n}\n'


class House:
    """A service that follows a repository, and the forge that its pull requests live at."""

    def __init__(self, world: Yard, forge: GitHubMock, service: Serving, address: str) -> None:
        self.world, self.forge, self.service, self._address = world, forge, service, address
        self._deliveries = 0

    def knock(self, event: str, body: dict[str, object] | None = None) -> None:
        """Tell of something at GitHub, signed as GitHub signs."""
        self._deliveries += 1
        text = json.dumps({"repository": {"full_name": "acme/infra"}, "n": self._deliveries, **(body or {})}).encode()
        mac = hmac.new(HOOK.encode(), text, hashlib.sha256).hexdigest()
        headers = {
            "x-github-event": event,
            "x-github-delivery": f"d{self._deliveries}",
            "x-hub-signature-256": f"sha256={mac}",
            "content-type": "application/json",
        }
        answer = httpx2.post(f"http://{self._address}/hooks/estate", content=text, headers=headers)
        assert answer.status_code == 202, answer.text

    def branch(self, name: str, files: dict[str, str | None], number: int) -> str:
        """Commit files on a branch of its own, and publish it as a pull request's; returns the commit."""
        world = self.world
        there = subprocess.run(["git", "rev-parse", "--verify", "--quiet", name], cwd=world.checkout, check=False)
        world.git("checkout", "--quiet", *(() if there.returncode == 0 else ("-b",)), name)
        head = world.commit(files)
        bare = str(world.folder / "estate.git")
        world.git("push", "--quiet", "--force", bare, f"HEAD:refs/heads/{name}")
        world.git("push", "--quiet", "--force", bare, f"HEAD:refs/pull/{number}/head")
        world.git("checkout", "--quiet", "main")
        return head

    def merge(self, number: int, name: str) -> str:
        """Merge a pull request as GitHub does, and tell of both."""
        self.world.git("merge", "--quiet", "--no-ff", "-m", f"Merge pull request #{number} from acme/{name}", name)
        self.world.git("push", "--quiet", str(self.world.folder / "estate.git"), "main")
        merged = self.world.git("rev-parse", "HEAD").strip()
        self.forge.merge(number, merged)
        self.knock("push", {"ref": "refs/heads/main"})
        self.knock("pull_request")
        return merged

    def says(self, number: int, *words: str, but: str = "") -> str:
        """Wait until the one comment below a pull request says all of these words; returns it."""

        def found() -> str:
            text = self.text(number)
            return text if all(word in text for word in words) and (not but or but not in text) else ""

        try:
            self.service.until(found)
        except AssertionError as late:
            raise AssertionError(f"{words} not in:\n{self.text(number)}\n{self.service.said[-3000:]}") from late
        return found()

    def text(self, number: int) -> str:
        ours = [one for one in self.forge.comments(number) if "<!-- holdfast:pr" in one.text]
        assert len(ours) <= 1, "one comment, changed in place"
        return ours[0].text if ours else ""

    def until(self, holds: Callable[[], object]) -> None:
        self.service.until(holds)

    def read_last(self) -> str:
        """Return the revision of the source that was read last."""
        with self.world.record() as record:
            return record.row("source:estate").looks.revision

    def state_of(self, head: str) -> str:
        found = self.forge.statuses(head)
        return found[-1]["state"] if found else ""


@pytest.fixture
def house(request: pytest.FixtureRequest, world: Yard, github_mock: GitHubMock) -> Iterator[House]:
    bare = world.folder / "estate.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", bare], check=True)
    files = {"stacks.yaml": STACKS, "net/main.tf": NET % "10.0.0.0/8", "web/main.tf": WEB, "db/main.tf": DB % "one"}
    world.commit(files)
    world.git("push", "--quiet", str(bare), "main")
    source = {
        "name": "estate",
        "git": {"url": str(bare), "branch": "main", "every": "1h"},
        "hook": {"kind": "github", "secret": "${secret:hook}"},
        "forge": {
            "kind": "github",
            "repository": "acme/infra",
            "api": github_mock.url,
            "token": "${secret:forge}",
            "login": "holdfast-acme[bot]",
            "apply_on": getattr(request, "param", "merge"),
        },
    }
    config = configured(
        world,
        listen="127.0.0.1:0",
        sources=[source],
        people={"github": {"bob-gh": "bob@acme.example"}},
        teams={"platform": ["bob@acme.example"]},
        auth={"roles": {"platform": {"group": "platform", "can": ["view", "plan", "approve", "apply", "unlock"]}}},
        secrets=[{"environment": {}}],
    )
    world.extra |= {"HOLDFAST_SECRET_HOOK": HOOK, "HOLDFAST_SECRET_FORGE": "ghs_given"}
    world.run("apply", "--yes", "--source", "estate", HOLDFAST_CONFIG=str(config)).ended(0)
    with serving(world, config) as service:
        address = service.sees("serving")["listen"]
        yield House(world, github_mock, service, address)
        service.stop()


def test_a_pull_request_from_its_opening_to_the_green_check(house: House) -> None:
    forge, world = house.forge, house.world
    first = house.branch("wider", {"net/main.tf": NET % "10.0.0.0/16"}, 1)
    number = forge.open_pull(first, branch="wider", author="ana-gh")
    house.knock("pull_request")
    # Opened: the plan is told, what reads its output waits for it, and nothing is invented.
    text = house.says(number, "`net`", "`~1`", "deferred", "waits for net.cidr")
    assert "10.0.0.0/16" in text
    assert "`db`" not in text
    assert world.state("net").applied is not None
    assert "10.0.0.0/8" in (world.checkout / "net" / "main.tf").read_text()
    house.until(lambda: house.state_of(first) == "success")

    # Pushed: the same comment, with the new plan.
    comment = forge.comments(number)[0].id
    second = house.branch("wider", {"net/main.tf": NET % "10.9.0.0/16"}, number)
    forge.push(number, second)
    house.knock("pull_request")
    house.says(number, "10.9.0.0/16", second[:7], but="10.0.0.0/16")
    assert [one.id for one in forge.comments(number) if "holdfast:pr" in one.text] == [comment]

    # Somebody deletes the comment: there is one again.
    forge.delete_comment(comment)
    forge.comment(number, "bob-gh", "holdfast approve net")
    house.knock("issue_comment")
    house.says(number, "approved by bob@", "10.9.0.0/16")
    planned = world.state("net").tracks[f"pull/{number}"].proposal
    assert planned is not None

    # Merged: exactly what was approved is applied, and then what read of it is planned.
    world.forget_starts()
    merged = house.merge(number, "wider")
    house.until(lambda: (world.state("net").applied or planned).fingerprint == planned.fingerprint)
    attempts = world.attempts("net")
    assert attempts[-1][0].attempt.proposal.artifact == planned.artifact
    assert not [verb for verb, folder in world.starts() if verb == "plan" and folder.endswith("net")]
    house.until(lambda: [one for one in world.entries("web") if one.event.kind == "asked"])
    house.says(number, "1 applied")

    # What waits for a yes after the merge is said, and the check is green once that is given and done.
    house.says(number, "`web`", "asks for 1 approval")
    forge.comment(number, "bob-gh", "holdfast approve web")
    house.knock("issue_comment")
    house.says(number, "2 applied")
    house.until(lambda: house.state_of(merged) == "success")
    house.until(lambda: f"pull/{number}" not in world.state("net").tracks)
    assert world.state("web").applied is not None


def test_a_push_voids_the_yes_to_what_it_changes_and_two_pull_requests_take_turns(house: House) -> None:
    forge, world = house.forge, house.world
    first = forge.open_pull(house.branch("one", {"db/main.tf": DB % "two"}, 1), branch="one")
    house.knock("pull_request")
    house.says(first, "`db`", "`~1`", "asks for 1 approval")
    forge.comment(first, "bob-gh", "holdfast approve")
    house.knock("issue_comment")
    house.says(first, "approved by bob@")
    # What leaves the stack alone leaves the yes.
    forge.push(first, house.branch("one", {"README.md": "words"}, first))
    house.knock("pull_request")
    house.says(first, "approved by bob@", world.git("rev-parse", "one").strip()[:7])
    # What changes it voids the yes, and says so.
    forge.push(first, house.branch("one", {"db/main.tf": DB % "three"}, first))
    house.knock("pull_request")
    house.says(first, "yes of an earlier commit does not hold", "asks for 1 approval")

    # Another pull request on the stack: planned, and it waits for its turn.
    second_head = house.branch("two", {"db/more.tf": 'resource "terraform_data" "more" {}\n'}, 2)
    second = forge.open_pull(second_head, branch="two")
    house.knock("pull_request")
    house.says(second, "queued", f"{first} has it")
    house.until(lambda: house.state_of(second_head) == "pending")

    forge.comment(first, "bob-gh", "holdfast approve db")
    house.knock("issue_comment")
    house.says(first, "approved by bob@", but="does not hold")
    house.merge(first, "one")
    house.says(first, "1 applied")
    # Its turn: planned again by itself, on top of what the first one left.
    house.says(second, "`+1`", but="queued")
    house.until(lambda: house.state_of(second_head) == "success")


def test_nothing_of_a_fork_runs_before_somebody_has_read_that_commit(house: House) -> None:
    forge, world = house.forge, house.world
    spy = world.folder / "spied"
    evil = f'data "external" "x" {{\n  program = ["sh", "-c", "touch {spy}; echo {{}}"]\n}}\n'
    number = 1
    head = house.branch("evil", {"db/main.tf": DB % "two", "db/evil.tf": evil}, number)
    world.git("push", "--quiet", str(world.folder / "estate.git"), "--delete", "evil")
    assert forge.open_pull(head, branch="evil", fork=True, author="mallory") == number
    world.forget_starts()
    house.knock("pull_request")
    house.says(number, "comes from a fork", f"holdfast plan {head}")
    for who, words in (
        ("mallory", f"holdfast plan {head}"),
        ("mallory", "holdfast apply"),
        ("bob-gh", "holdfast plan"),
    ):
        forge.comment(number, who, words)
    house.knock("issue_comment")
    house.says(number, "bob-gh", "read it, then say for which commit")
    assert world.starts() == []
    assert not spy.exists()
    heard = [one.event for one in world.entries() if one.event.kind == "pull_heard"]
    assert {(event.login, event.done) for event in heard} == {("mallory", False), ("bob-gh", False)}
    assert house.state_of(head) == "pending"
    assert "mallory" not in house.text(number)

    # Read, and let in: only now it is planned.
    clean = house.branch("evil", {"db/evil.tf": None}, number)
    world.git("push", "--quiet", str(world.folder / "estate.git"), "--delete", "evil")
    forge.push(number, clean)
    house.knock("pull_request")
    house.says(number, f"holdfast plan {clean}")
    forge.comment(number, "bob-gh", f"holdfast plan {clean}")
    house.knock("issue_comment")
    house.says(number, "`db`", "`~1`", "asks for 1 approval")
    assert not spy.exists()


@pytest.mark.parametrize("house", ["comment"], indirect=True)
def test_applied_before_the_merge_the_stack_is_held_until_it_is_merged(house: House) -> None:
    forge, world = house.forge, house.world
    head = house.branch("early", {"db/main.tf": DB % "two"}, 1)
    number = forge.open_pull(head, branch="early")
    house.knock("pull_request")
    house.says(number, "`db`", "`~1`", "asks for 1 approval")
    planned = world.state("db").tracks["pull/1"].proposal
    assert planned is not None
    forge.comment(number, "bob-gh", "holdfast apply db")
    house.knock("issue_comment")
    house.until(lambda: world.attempts("db")[-1][0].attempt.proposal.artifact == planned.artifact)
    house.until(lambda: world.state("db").applying is None)
    state = world.state("db")
    assert state.hold is not None
    assert state.applied is not None
    assert state.applied.fingerprint == planned.fingerprint
    # Its source goes on meanwhile, and does not take back what is not merged yet.
    world.git("merge", "--quiet", "--no-ff", "-m", "another", house.branch("other", {"README.md": "words"}, 2))
    world.git("push", "--quiet", str(world.folder / "estate.git"), "main")
    house.knock("push", {"ref": "refs/heads/main"})
    moved = world.git("rev-parse", "main")
    house.until(lambda: house.read_last() == moved)
    house.merge(number, "early")
    house.says(number, "1 applied")
    house.until(lambda: world.state("db").hold is None)
    assert len(world.attempts("db")) == 2, "once to begin with, once for the comment"
