"""Nothing is allowed that nobody granted, whatever stacks and sources are called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.stack import StackKey
from orchestrator.rules.freshness import read_lately
from orchestrator.rules.rights import (
    BUILT_IN,
    Identity,
    Right,
    Role,
    SourceName,
    allowed,
    allowed_somewhere,
    borne,
)


def who(*rights: Right, stacks: tuple[str, ...] | None = None) -> Identity:
    return Identity(name="a", roles=(Role(name="r", rights=frozenset(rights), stacks=stacks),))


def stack(text: str) -> StackKey:
    return StackKey.parse(text)


@pytest.mark.parametrize(
    ("glob", "key", "yes"),
    [
        ("web@*", "infra/web@prod", True),
        ("web@*", "infra/web2@prod", False),
        ("*@dev", "infra/web@prod", False),
        ("infra/*", "infra/web@prod", True),
        ("infra/*", "other/web@prod", False),
        # A stack that is called like a source and a stack is not taken for them.
        ("infra/web@*", "other/infra/web@prod", False),
        ("other/infra/web@*", "other/infra/web@prod", True),
        ("*/web@prod", "infra/web@prod", True),
        ("", "infra/web@prod", False),
    ],
)
def test_a_glob_means_the_stacks_that_it_says(glob: str, key: str, yes: bool) -> None:
    assert allowed(who(Right.APPLY, stacks=(glob,)), Right.APPLY, stack(key)) is yes


def test_a_role_over_some_stacks_is_none_over_everything() -> None:
    some = who(*Right, stacks=("infra/*",))
    assert not allowed(some, Right.VIEW, None)
    assert allowed_somewhere(some, Right.VIEW)
    assert not allowed_somewhere(who(*Right, stacks=()), Right.VIEW)


def test_whoever_works_with_stacks_of_a_source_may_see_it_and_do_nothing_to_it() -> None:
    some = who(*Right, stacks=("infra/web@*", "dns@*"))
    assert allowed(some, Right.VIEW, SourceName("infra"))
    assert not allowed(some, Right.PLAN, SourceName("infra"))
    assert not allowed(some, Right.VIEW, SourceName("other"))


def test_roles_do_not_lend_each_other_rights() -> None:
    both = Identity(
        name="a",
        roles=(
            Role(name="see", rights=frozenset({Right.VIEW})),
            Role(name="do", rights=frozenset({Right.APPLY}), stacks=("web@*",)),
        ),
    )
    assert allowed(both, Right.VIEW, stack("infra/db@prod"))
    assert not allowed(both, Right.APPLY, stack("infra/db@prod"))


def test_a_role_that_nobody_declares_any_more_grants_nothing() -> None:
    assert borne(("gone",), {}) == ()
    assert borne(("admin",), {"admin": Role(name="admin", rights=frozenset())}) == (BUILT_IN["admin"],)


@given(st.sampled_from(Right), st.text(max_size=8), st.text(max_size=8), st.text(max_size=8))
def test_nobody_may_do_anything(right: Right, source: str, name: str, environment: str) -> None:
    nobody = Identity(name="nobody")
    assert not allowed_somewhere(nobody, right)
    for on in (None, SourceName(source), StackKey(source=source, name=name, environment=environment)):
        assert not allowed(nobody, right, on)


@pytest.mark.parametrize(
    ("read_at", "every", "yes"), [(0, 60, False), (701, 60, True), (699, 60, False), (1, 1000, True), (1, 300, False)]
)
def test_a_source_counts_as_read_for_three_looks_and_five_minutes_at_least(
    read_at: float, every: float, yes: bool
) -> None:
    assert read_lately(read_at, every, 1001.0) is yes
