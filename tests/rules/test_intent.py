"""What a commit says of why it was made: hints of its subject, facts of its trailers, and nothing that hurts."""

from __future__ import annotations

import time

import pytest

from orchestrator.model.commit import Commit
from orchestrator.model.intent import Basis, CommitNote, Intent, Link, Named, Permit, PullNote, Purpose
from orchestrator.rules.intent import MOST_TEXT, MOST_TRAILERS, MOST_VALUES, clean, judge, note_of
from orchestrator.telling.intents import briefly, why

SHA = "3f2a91c0d1e2f3a4b5c6d7e8f90a1b2c3d4e5f60"


def noted(message: str = "", *trailers: tuple[str, str], **more: object) -> CommitNote:
    return note_of(Commit(id=SHA, message=message, trailers=trailers, **more))


@pytest.mark.parametrize(
    ("subject", "type_", "scope", "breaking"),
    [
        ("fix: a leak", "fix", "", False),
        ("Fix(api)!: a leak", "fix", "api", True),
        ("feat!: words", "feat", "", True),
        ("feat(a b/c): words", "feat", "a b/c", False),
        ("fix a leak", "", "", False),
        ("fix:no space", "", "", False),
        ("fix(: words", "", "", False),
        ("Merge branch 'main' of https://example.org: x", "", "", False),
        ("", "", "", False),
    ],
)
def test_a_subject_is_read_as_conventional_commits_have_it(
    subject: str, type_: str, scope: str, breaking: bool
) -> None:
    note = noted(subject)
    assert (note.type, note.scope, note.breaking) == (type_, scope, breaking)


@pytest.mark.parametrize("footer", ["BREAKING CHANGE: gone", "BREAKING-CHANGE: gone"])
def test_a_footer_breaks_too_and_only_in_capitals(footer: str) -> None:
    assert noted(f"feat: x\n\nbody\n\n{footer}").breaking
    assert not noted(f"feat: x\n\n{footer.lower()}").breaking


@pytest.mark.parametrize(
    ("message", "purpose", "reverts"),
    [
        ("revert: a leak", Purpose.ROLLBACK, ()),
        (f'Revert "a leak"\n\nThis reverts commit {SHA}.', Purpose.ROLLBACK, (SHA,)),
        (f'Revert "x"\n\nThis reverts commit {SHA}, reversing\nchanges made to abc.', Purpose.ROLLBACK, (SHA,)),
        (f'Revert "Revert "a leak""\n\nThis reverts commit {SHA}.', None, ()),
        (f'Reapply "a leak"\n\nThis reverts commit {SHA}.', None, ()),
        ("hotfix(web): now", Purpose.HOTFIX, ()),
        ("fix: later", None, ()),
        ("This reverts commit zzzzzzz", None, ()),
    ],
)
def test_a_subject_hints_at_the_purpose(message: str, purpose: Purpose | None, reverts: tuple[str, ...]) -> None:
    note = noted(message)
    assert (note.purpose, note.stated, note.reverts) == (purpose, False, reverts)


def test_the_footer_of_a_revert_names_what_it_takes_back() -> None:
    assert noted("revert: the noodle", ("Refs", "676104e, a215868")).reverts == ("676104e", "a215868")
    assert noted("fix: the noodle", ("Refs", "676104e")).reverts == ()


def test_a_trailer_is_a_fact_and_stronger_than_a_hint() -> None:
    note = noted("revert: x", ("Deploy-Intent", "Routine"))
    assert (note.purpose, note.stated) == (Purpose.ROUTINE, True)


def test_of_two_words_the_stronger_counts_and_what_means_nothing_is_kept() -> None:
    note = noted("x", ("Deploy-Intent", "routine"), ("deploy-intent", "hotfix"), ("Deploy-Intent", "Emergency\x1b[31m"))
    assert (note.purpose, note.strange) == (Purpose.HOTFIX, ("emergency [31m",))
    assert noted("x", ("Deploy-Intent", "  ")).purpose is None


def test_trailers_name_incidents_runbooks_people_and_permits() -> None:
    note = noted(
        "x",
        ("Incident", "INC-481, INC-482"),
        ("Incident", "INC-481"),
        ("Runbook", "runbooks/web.md#failover"),
        ("Holdfast-Allow", "destroy(prod/network), replace( dev/dns )"),
        ("Holdfast-Allow", "everything"),
        *[(f"Co-authored-{by}", "Bob <bob@example.org>") for by in ("by", "with")],
        ("Reviewed-by", "Cy <cy@example.org>"),
        ("Signed-off-by", ""),
        ("Acked-by", "Dee <dee@example.org>"),
    )
    assert note.incidents == ("INC-481", "INC-482")
    assert note.runbooks == ("runbooks/web.md#failover",)
    assert note.permits == (Permit(act="destroy", of="prod/network"), Permit(act="replace", of="dev/dns"))
    assert note.people == (
        Named(role="co-authored", who="Bob <bob@example.org>"),
        Named(role="reviewed", who="Cy <cy@example.org>"),
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Fixes #12", [("#12", True)]),
        ("closes: #1, #2 and #3", [("#1", True), ("#2", True), ("#3", True)]),
        ("Resolves acme/infra#7.", [("acme/infra#7", True)]),
        ("refs group/sub/infra#7", [("group/sub/infra#7", False)]),
        (
            "Fixes https://git.example.org/acme/infra/-/issues/9",
            [("https://git.example.org/acme/infra/-/issues/9", True)],
        ),
        ("Refs #4\nFixes #4", [("#4", True)]),
        ("prefixes #12", []),
        ("fixes nothing, see below", []),
        ("Fixes ABC-12 and UTF-8", []),
        ('Fixes: 3f2a91c0d1e2 ("a subject")', []),
        ("#12", []),
        ("Fixes #12abc", []),
    ],
)
def test_words_of_a_message_name_issues(text: str, found: list[tuple[str, bool]]) -> None:
    assert noted(f"x\n\n{text}").links == tuple(Link(ref=ref, closes=closes) for ref, closes in found)


def test_keys_of_jira_count_in_trailers_alone() -> None:
    note = noted("Fixes ABC-1 in UTF-8", ("Closes", "ABC-12, ABC-13"), ("Jira", "OPS-7"), ("Encoding", "UTF-8"))
    assert note.links == (
        Link(ref="ABC-12", closes=True),
        Link(ref="ABC-13", closes=True),
        Link(ref="OPS-7"),
    )


@pytest.mark.parametrize(
    ("message", "number"),
    [
        ("Merge pull request #12 from acme/web", 12),
        ("Merge pull request 'Make it so' (#13) from web into main", 13),
        ("Make it so (#14)", 14),
        ('Revert "Make it so (#14)" (#15)', 15),
        ("Merge branch 'web' into 'main'\n\nMake it so\n\nSee merge request acme/infra!16", 16),
        ("Merge branch 'web' into 'main'\n\nSee merge request !17", 17),
        ("Make (#18) so", 0),
        ("Make it so (#999999999999999999999999)", 0),
        ("words about Merge pull request #12 from somewhere", 0),
    ],
)
def test_a_merge_or_a_squash_names_its_pull_request(message: str, number: int) -> None:
    assert noted(message).pull == number


def test_the_strongest_word_of_all_commits_counts_and_the_surest_of_those() -> None:
    routine = noted("x", ("Deploy-Intent", "routine"))
    hint, fact = noted("hotfix: x"), noted("x", ("Deploy-Intent", "hotfix"))
    assert judge([], verb="apply", undone=0) == (Purpose.ROUTINE, Basis.SILENCE)
    assert judge([routine], verb="apply", undone=0) == (Purpose.ROUTINE, Basis.TRAILER)
    assert judge([routine, hint], verb="apply", undone=0) == (Purpose.HOTFIX, Basis.HINT)
    assert judge([fact, hint], verb="apply", undone=0) == (Purpose.HOTFIX, Basis.TRAILER)
    assert judge([], verb="apply", undone=2) == (Purpose.ROLLBACK, Basis.HISTORY)
    assert judge([routine], verb="apply", undone=2) == (Purpose.ROUTINE, Basis.TRAILER)
    assert judge([fact], verb="rollback", undone=2) == (Purpose.ROLLBACK, Basis.COMMAND)


def test_a_permit_may_count_where_that_very_commit_is_signed_or_approved() -> None:
    note, signed = noted("x"), noted("x", verified=True)
    for approvers, may in (((), False), (("bob",), True)):
        intent = Intent(revision=SHA, pulls=(PullNote(number=1, head=SHA, approvers=approvers),))
        assert intent.counts(note) is may
        assert intent.counts(signed)
    # The words of a merge were written after the approval.
    merged = Intent(revision=SHA, pulls=(PullNote(number=1, merged_as=SHA, head="b" * 40, approvers=("bob",)),))
    assert not merged.counts(note)
    assert not merged.counts(noted("x", verified=False))


def test_hostile_commits_are_bounded_and_say_so() -> None:
    huge = "Fixes #1, " * 2_000_000
    begun = time.process_time()
    note = note_of(
        Commit(
            id=SHA,
            author="a\x00\x1b]0;x\x07" * 1000,
            message="fix: \u202egnorw\x1b[2J" + "x" * 5000 + "\n\n" + huge,
            trailers=tuple(("Incident", f"INC-{n}" + "y" * 10_000) for n in range(20_000)),
            committed_at=1e19,
            written_at=-5.0,
        )
    )
    assert time.process_time() - begun < 2.0
    assert note.unread == f"its message has {len(huge) + 5017} characters"
    assert len(note.incidents) == MOST_VALUES
    assert max(map(len, (*note.incidents, note.subject, note.author))) <= 200
    assert all(text.isprintable() for text in (*note.incidents, note.subject, note.author))
    assert (note.committed_at, note.written_at) == (0.0, 0.0)
    many = noted("x", *[("Runbook", "r")] * (MOST_TRAILERS + 1))
    assert many.unread == f"it has {MOST_TRAILERS + 1} trailers"
    assert noted("", too_long=99_999_999).unread == "it is 99999999 bytes long"


@pytest.mark.parametrize(
    "text", ["a" * MOST_TEXT, "a/" * 30_000, "fixes " * 10_000, "fixes https://" + "a/" * 30_000, "(#1" * 20_000]
)
def test_no_text_makes_reading_slow(text: str) -> None:
    begun = time.process_time()
    noted(f"{text}\n\n{text}", *[("Refs", text), ("Holdfast-Allow", "destroy(" + text)] * 50)
    assert time.process_time() - begun < 2.0


def test_what_is_cut_says_so() -> None:
    assert clean("a" * 300) == "a" * 199 + "…"
    assert clean(" a \n\t b ") == "a b"


def test_why_is_told_in_one_line() -> None:
    note = noted("Make it so", ("Deploy-Intent", "hotfix"), ("Incident", "INC-481"), email="ana@example.org")
    pull = PullNote(number=12, author="ana", approvers=("bob",), merged_as=SHA)
    intent = Intent(revision=SHA, commits=(note,), count=1, purpose=Purpose.HOTFIX, basis=Basis.TRAILER, pulls=(pull,))
    told = 'hotfix, INC-481, pull request #12 by ana, approved by bob, 3f2a91c "Make it so" by ana@example.org'
    assert why(intent) == told
    assert briefly(intent) == "hotfix, INC-481, pull request #12"
