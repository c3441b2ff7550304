"""What is GitLab's own: quick actions, approvals without a commit, statuses that take no step back."""

from __future__ import annotations

import pytest
from forge_stand import MARKER, QUICK
from gitlab_fake import GitLabFake, faults, shape_of
from imitated import Sent

from orchestrator.effects.forge_gitlab import GitLab
from orchestrator.errors import ForgeError
from orchestrator.model.verdict import CheckConclusion

HEAD, NEXT = "a" * 40, "c" * 40


def forge(fake: GitLabFake, **more: str) -> GitLab:
    return GitLab("acme/infra", lambda: "glpat-given", api=f"{fake.url}/api/v4", patience=QUICK, **more)


def test_nothing_that_we_write_is_carried_out(gitlab_fake: GitLabFake) -> None:
    number = gitlab_fake.open_pull(HEAD)
    evil = f"{MARKER}\n/approve\nsee /etc/hosts\n  /merge\n\t/assign @mallory\n> /close\n" + "\n" * 60_000
    known = forge(gitlab_fake).say(number, evil, marker=MARKER)
    forge(gitlab_fake).say(number, evil + "again", marker=MARKER, known=known)
    (said,) = gitlab_fake.comments(number)
    assert gitlab_fake.carried_out == []
    assert "see /etc/hosts" in said.text
    assert "/approve" in said.text


def test_an_approval_of_an_earlier_commit_is_none_of_this_one(gitlab_fake: GitLabFake) -> None:
    number = gitlab_fake.open_pull(HEAD)
    gitlab_fake.review(number, "ana")
    gitlab_fake.push(number, NEXT)
    assert forge(gitlab_fake).approvers(number, NEXT) == ()
    assert forge(gitlab_fake).approvers(number, HEAD) == ()
    gitlab_fake.review(number, "zoe")
    assert forge(gitlab_fake).approvers(number, NEXT) == ("zoe",)


def test_a_gitlab_that_does_not_tell_when_somebody_approved_tells_of_no_approval(gitlab_fake: GitLabFake) -> None:
    number = gitlab_fake.open_pull(HEAD)
    gitlab_fake.fail_next(200, body=b'{"approved_by": [{"user": {"username": "ana"}}]}', only="/approvals")
    assert forge(gitlab_fake).approvers(number, HEAD) == ()


def test_a_status_that_takes_no_step_is_told_already(gitlab_fake: GitLabFake) -> None:
    gitlab_fake.open_pull(HEAD)
    made = forge(gitlab_fake)
    for conclusion in (
        CheckConclusion.PENDING,
        CheckConclusion.PENDING,
        CheckConclusion.ACTION_REQUIRED,
        CheckConclusion.PENDING,
        CheckConclusion.SUCCESS,
        CheckConclusion.PENDING,
    ):
        made.status(HEAD, name="holdfast", conclusion=conclusion, title="t", url="https://holdfast.example")
    assert [one["state"] for one in gitlab_fake.statuses(HEAD)] == ["pending", "running", "success", "pending"]


def test_what_is_wrong_with_which_key_is_said(gitlab_fake: GitLabFake) -> None:
    gitlab_fake.fail_next(400, body=b'{"message": {"name": ["is too long"]}}')
    with pytest.raises(ForgeError) as error:
        forge(gitlab_fake).pull(1)
    assert '{"name": ["is too long"]}' in error.value.message


def test_a_merge_request_without_a_commit_proposes_nothing(gitlab_fake: GitLabFake) -> None:
    gitlab_fake.open_pull("")
    assert forge(gitlab_fake).pulls("main") == ()


def test_a_merge_without_a_commit_of_its_own_became_the_commit_that_was_proposed(gitlab_fake: GitLabFake) -> None:
    number = gitlab_fake.open_pull(HEAD)
    gitlab_fake.close(number)
    gitlab_fake._pulls[number].state = "merged"
    assert forge(gitlab_fake).pull(number).merged_as == HEAD


def test_what_python_gitlab_does_not_know_is_a_fault_of_ours() -> None:
    """The fake is only as good as this: it finds what is wrong."""

    def sent(method: str, path: str, body: object = None, **query: str) -> Sent:
        return Sent(method=method, path=f"/api/v4/projects/acme%2Finfra{path}", query=query, body=body, headers={})

    assert shape_of("/projects/acme%2Finfra/merge_requests/7") == "/projects/{}/merge_requests/{}"
    assert faults(sent("GET", "/merge_requests", state="opened")) == []
    assert faults(sent("GET", "/merge_requests", stat="opened"))
    assert faults(sent("GET", "/pulls"))
    assert faults(sent("POST", "/merge_requests/7/notes", {"text": "x"}))
    assert faults(sent("POST", f"/statuses/{HEAD}", {"description": "x"}))
