"""Who may say yes, who sits in which place, and what is said of words that count no more."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from situations import DESIRED, NOW, PROPOSAL, STACK, consent

from orchestrator.model.action import Apply, Ask
from orchestrator.model.observed import Consent, Observed
from orchestrator.model.policy import Approvals, Group, Mode, Policy
from orchestrator.rules.consent import in_words, lacking, standing
from orchestrator.rules.decide import decide
from orchestrator.rules.eligible import may, who

PLATFORM, SECURITY = Group(of=("team:platform",)), Group(of=("team:security",))
BOTH = Policy(approvals=Approvals(required=2, eligible=PLATFORM.of, groups=(SECURITY,)))


def yes(by: str, *teams: str, at: float = NOW) -> Consent:
    return consent(PROPOSAL, by=by, teams=teams, at=at)


def seen(*words: Consent, **more: object) -> Observed:
    return replace(Observed(stack=STACK, track="main", progress=PROPOSAL, consents=words), **more)


def why(observed: Observed, policy: Policy, now: float = NOW) -> str:
    action = decide(replace(DESIRED, gates=(), upstream=()), observed, policy, now)
    return "" if isinstance(action, Apply) else action.why


def test_an_author_in_other_letters_is_the_author() -> None:
    barred = Policy(approvals=Approvals(allow_author=False))
    assert not may(barred, "Ana@acme.example", (), {"ana@acme.example"})
    assert may(barred, "bob@acme.example", (), {"ana@acme.example"})
    named = Policy(approvals=Approvals(eligible=("user:Ana@acme.example",)))
    assert may(named, "ana@acme.example", (), ())
    assert "has 1" in why(seen(yes("ana"), yes("ANA")), Policy(approvals=Approvals(required=2)))


def test_two_places_are_two_people_also_where_one_is_in_both_teams() -> None:
    one = Policy(approvals=Approvals(required=1, eligible=PLATFORM.of, groups=(SECURITY,)))
    cid = yes("cid", "platform", "security")
    assert "has 1, lacks 1 approval from team:" in why(seen(cid), one)
    assert why(seen(cid, yes("dan", "security")), one) == ""
    assert why(seen(cid, yes("bob", "platform")), one) == ""


def test_what_is_lacking_is_said_by_group() -> None:
    words = (yes("bob", "platform"), yes("cid", "platform"))
    assert (
        why(seen(*words), BOTH) == "needs 2 approvals from team:platform and 1 from team:security, has 2, "
        "lacks 1 approval from team:security"
    )
    assert why(seen(), BOTH) == "needs 2 approvals from team:platform and 1 from team:security, has 0"
    assert why(seen(*words, yes("dan", "security")), BOTH) == ""


teams = st.sets(st.sampled_from(["platform", "security", "web"])).map(sorted)


@given(
    st.lists(teams, max_size=5),
    st.lists(
        st.builds(
            Group,
            of=st.sampled_from([(), ("team:platform",), ("team:security",), ("team:platform", "team:web")]),
            at_least=st.integers(1, 2),
        ),
        max_size=3,
    ),
)
def test_nobody_lacks_where_some_order_of_people_takes_every_place(people, groups) -> None:
    words = [yes(f"p{at}", *of) for at, of in enumerate(people)]
    places = [group.of for group in groups for _ in range(group.at_least)]

    def fits(order: tuple[Consent, ...]) -> bool:
        return all(
            not of or {f"team:{one}" for one in word.teams} & set(of) for word, of in zip(order, places, strict=True)
        )

    assert (not lacking(seen(), words, groups)) == any(fits(order) for order in permutations(words, len(places)))


def test_a_yes_is_good_until_the_moment_that_it_expires_and_a_new_one_is_a_new_one() -> None:
    policy = Policy(approvals=Approvals(valid_s=3600.0))
    old = yes("bob", at=NOW - 3600)
    assert why(seen(replace(old, at=NOW - 3599)), policy) == ""
    assert "has 0; the yes of bob expired at" in why(seen(old), policy)
    assert why(seen(old, yes("bob")), policy) == ""


def test_who_left_the_team_has_no_say_left_and_who_joined_it_later_never_had_one() -> None:
    policy = Policy(approvals=Approvals(eligible=PLATFORM.of))
    bob = yes("bob", "platform", "web")
    assert why(seen(bob), policy) == ""
    assert "bob, who said yes, is no longer in platform" in why(
        seen(bob, left={"bob": frozenset({"platform"})}), policy
    )
    assert why(seen(bob, left={"bob": frozenset({"web"})}), policy) == ""
    assert standing(DESIRED, seen(yes("eve")), PROPOSAL, policy, NOW) == ()


def test_every_author_of_what_is_new_is_barred_where_authors_are() -> None:
    policy = Policy(approvals=Approvals(allow_author=False))
    desired = replace(DESIRED, authors=frozenset({"ana", "bob"}))
    words = seen(yes("ana"), yes("bob"), yes("cid"))
    assert [one.by for one in standing(desired, words, PROPOSAL, policy, NOW)] == ["cid"]
    assert not may(policy, "bob", (), desired.authors)
    assert who({}, policy, desired.authors) == ["anybody who may apply", "not ana, bob, who wrote what is new"]


def test_groups_are_asked_also_where_policy_applies_by_itself() -> None:
    policy = Policy(mode=Mode.AUTO, approvals=Approvals(required=0, groups=(SECURITY,)))
    assert isinstance(decide(replace(DESIRED, gates=(), upstream=()), seen(), policy, NOW), Ask)
    assert why(seen(yes("dan", "security")), policy) == ""
    assert not may(policy, "bob", ("platform",), ())


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ((), "no approval"),
        ((Group(of=()),), "1 approval"),
        ((Group(of=("team:a", "user:b"), at_least=2),), "2 approvals from team:a, user:b"),
    ],
)
def test_what_is_needed_reads_as_a_sentence(groups, words) -> None:
    assert in_words(groups) == words


def test_who_may_approve_is_listed_by_place() -> None:
    teams = {"platform": ("bob", "cid"), "security": ("dan",)}
    assert who(teams, BOTH, ()) == ["2 of team:platform (bob, cid)", "1 of team:security (dan)"]
