"""Whose word counts for a proposal, how many words it needs, and whether it has them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from adapters.contract import Goal
from orchestrator.model.desired import Desired
from orchestrator.model.moment import stamp
from orchestrator.model.observed import Consent, Observed, Proposal
from orchestrator.model.policy import Approvals, DriftAnswer, Group, Mode, Policy
from orchestrator.rules.drifted import recurring
from orchestrator.rules.rights import is_program


def same(person: str) -> str:
    """Return what two spellings of one person's name have in common: nobody is two people by a capital letter."""
    return person.lower()


def wanted(desired: Desired, observed: Observed, policy: Policy) -> tuple[Group, ...]:
    """Return whose yes is needed before this may be applied, and how many of each; empty where nobody's is."""
    # Taking down is never a machine's own idea.
    asks = policy.mode is not Mode.AUTO or desired.goal is Goal.DESTROY or bool(undoing(observed, policy))
    return places(policy.approvals, asks=asks)


def places(approvals: Approvals, *, asks: bool) -> tuple[Group, ...]:
    """Return the places that people who say yes take; ``asks``: somebody is wanted whatever the numbers say."""
    own = approvals.required or int(asks and not approvals.groups)
    return (*([Group(of=approvals.eligible, at_least=own)] if own else []), *approvals.groups)


def needed(desired: Desired, observed: Observed, policy: Policy) -> int:
    """Return how many people must say yes before this may be applied."""
    return sum(group.at_least for group in wanted(desired, observed, policy))


def undoing(observed: Observed, policy: Policy) -> str:
    """Say what an apply may put back, for whatever reason it is made, that no machine was let repair; else empty."""
    # What people have ignored is to stay as it is, whatever is done about the rest.
    if any(one.item.will_be_reverted for one in observed.ignored):
        return "it may put back what is ignored as drift"
    # Only who asked for repairs is spared the question, and not once they keep being undone.
    asks = policy.drift.answer is not DriftAnswer.REPAIR or recurring(observed, policy.drift.limit)
    return "it may put back what drifted" if observed.drift is not None and asks else ""


def standing(
    desired: Desired, observed: Observed, proposal: Proposal, policy: Policy, now: float
) -> tuple[Consent, ...]:
    """Return the consents that count at ``now``: to this very binding, by people who may, one word each."""
    return tuple(
        consent
        for consent in _latest(observed, proposal)
        if not _expired(consent, policy, now)
        and may_approve(consent.by, _teams(observed, consent), policy, desired.authors)
    )


def may_approve(person: str, teams: Collection[str], policy: Policy, authors: Collection[str]) -> bool:
    """Whether policy counts the word of a person of these teams on what ``authors`` wrote."""
    if not policy.approvals.allow_author and same(person) in map(same, authors):
        return False
    return any(_admits(group, person, teams) for group in places(policy.approvals, asks=True))


def lacking(observed: Observed, words: Sequence[Consent], groups: Sequence[Group]) -> tuple[Group, ...]:
    """Return the places that nobody takes when as many are taken as these words can: none, where they suffice.

    One person takes one place, whatever teams they are in: two places are two people. Who sits where is found by
    making room (augmenting paths): somebody who is also of another group moves there.
    """
    taken: list[list[Consent]] = [[] for _ in groups]

    def seat(one: Consent, tried: set[int]) -> bool:
        for at, group in enumerate(groups):
            if at in tried or not _admits(group, one.by, _teams(observed, one)):
                continue
            tried.add(at)
            if len(taken[at]) < group.at_least:
                taken[at].append(one)
                return True
            for place, other in enumerate(taken[at]):
                if seat(other, tried):
                    taken[at][place] = one
                    return True
        return False

    for word in words:
        seat(word, set())
    left = ((group, group.at_least - len(sat)) for group, sat in zip(groups, taken, strict=True))
    return tuple(Group(of=group.of, at_least=empty) for group, empty in left if empty)


def lapsed(observed: Observed, proposal: Proposal, policy: Policy, now: float) -> Iterator[str]:
    """Yield a sentence for each yes to this very binding that counted once and does not at ``now``."""
    for consent in _latest(observed, proposal):
        left = observed.left.get(consent.by, frozenset()) & set(consent.teams)
        if _expired(consent, policy, now):
            yield f"the yes of {consent.by} expired at {stamp(consent.at + (policy.approvals.valid_s or 0.0))}"
        elif any(f"team:{team}" in group.of for team in left for group in places(policy.approvals, asks=True)):
            yield f"{consent.by}, who said yes, is no longer in {', '.join(sorted(left))}"


def in_words(groups: Sequence[Group]) -> str:
    """Say how many yeses are meant of whom: ``2 approvals from team:platform and 1 from team:security``."""
    if not groups:
        return "no approval"
    first, *more = groups
    many = f"{first.at_least} approval{'s' if first.at_least > 1 else ''}{_from(first)}"
    return " and ".join([many, *(f"{group.at_least}{_from(group)}" for group in more)])


def _from(group: Group) -> str:
    return f" from {', '.join(group.of)}" if group.of else ""


def _latest(observed: Observed, proposal: Proposal) -> tuple[Consent, ...]:
    """Return each person's latest yes to a proposal: it may accept a duplicate that the first did not."""
    binding = proposal.binding(observed.stack)
    return tuple({same(one.by): one for one in observed.consents if one.binding == binding}.values())


def _expired(consent: Consent, policy: Policy, now: float) -> bool:
    valid_s = policy.approvals.valid_s
    return valid_s is not None and now >= consent.at + valid_s


def _teams(observed: Observed, consent: Consent) -> frozenset[str]:
    """Return the teams that count for a yes: those that vouched for the person then, and still do."""
    return frozenset(consent.teams) - observed.left.get(consent.by, frozenset())


def _admits(group: Group, person: str, teams: Collection[str]) -> bool:
    if not group.of:
        # Behind a program may be whoever has spoken already, or wrote it: only who names it knows better.
        return not is_program(person)
    return f"user:{same(person)}" in map(same, group.of) or not {f"team:{team}" for team in teams}.isdisjoint(group.of)
