"""What is Gitea's own, and Forgejo's: dismissed reviews, one list for all comments, no list of one branch alone."""

from __future__ import annotations

import time

from forge_stand import QUICK
from gitea_described import faults, operation
from gitea_fake import GiteaFake

from orchestrator.effects.forge_gitea import Gitea
from orchestrator.effects.forge_http import MOST_PAGES, PAGE

HEAD, NEXT = "a" * 40, "c" * 40


def forge(fake: GiteaFake) -> Gitea:
    return Gitea("acme/infra", lambda: "given", api=f"{fake.url}/api/v1", patience=QUICK)


def test_a_server_that_lists_every_branch_is_read_for_the_one_that_was_asked_for(gitea_fake: GiteaFake) -> None:
    gitea_fake.open_pull(HEAD, base="other")
    number = gitea_fake.open_pull(NEXT, base="main")
    assert [one.number for one in forge(gitea_fake).pulls("main")] == [number]


def test_what_anybody_may_push_without_a_branch_counts_as_a_forks(gitea_fake: GiteaFake) -> None:
    """AGit: Gitea gives the repository itself as where it lies, and who may only read may push it."""
    ours = gitea_fake.open_pull(HEAD, branch="feature")
    pushed = gitea_fake.open_pull(NEXT, branch="refs/pull/2/head")
    found = {one.number: one.fork for one in forge(gitea_fake).pulls("main")}
    assert found == {ours: False, pushed: True}


def test_the_last_verdict_of_each_counts_and_a_dismissed_one_does_not(gitea_fake: GiteaFake) -> None:
    number = gitea_fake.open_pull(HEAD)
    for by, state in [("ana", "APPROVED"), ("ana", "COMMENTED"), ("ben", "APPROVED"), ("ben", "CHANGES_REQUESTED"), ("cem", "DISMISSED"), ("", "APPROVED")]:  # fmt: skip
        gitea_fake.review(number, by, state)
    assert forge(gitea_fake).approvers(number, HEAD) == ("ana",)


def test_of_more_than_is_read_at_a_time_nothing_is_passed_over(gitea_fake: GiteaFake) -> None:
    number, began = gitea_fake.open_pull(HEAD), int(time.time()) - 10_000
    most = MOST_PAGES * PAGE
    ids = [gitea_fake.comment(number, "ana", f"remark {turn}", at=began + turn) for turn in range(most + 20)]
    # Changed after all of them: whoever went on from there would miss the last twenty.
    gitea_fake.edit_comment(ids[0], "changed")
    first = forge(gitea_fake).remarks(began)
    second = forge(gitea_fake).remarks(first[-1].changed_at)
    assert {one.id for one in (*first, *second)} == {str(one) for one in ids}


def test_there_is_no_merge_queue(gitea_fake: GiteaFake) -> None:
    assert forge(gitea_fake).candidates("main") == ()


def test_what_gitea_does_not_know_is_a_fault_of_ours() -> None:
    """The fake is only as good as this: it finds what is wrong."""
    known = operation("GET", "/repos/acme/infra/pulls")
    assert known is not None
    assert {"base_branch", "state", "sort", "limit", "page"} <= known.query
    assert operation("GET", "/repos/acme/infra/merge_requests") is None
    assert list(faults("create_status_option", {"state": "success", "context": "x"})) == []
    assert list(faults("create_status_option", {"name": "x"}))
    assert list(faults("comment", [{"id": "7"}]))
