from __future__ import annotations

import cli_values as values
import pytest

from orchestrator.errors import UsageError
from orchestrator.rules.choosing import choose, choose_one

STACKS = {
    **values.stacks("network@dev", "network@prod", "dns@prod", "prod/db"),
    values.key("web@dev"): values.stack("web@dev", tool="ansible", owners=("team:web",)),
    values.key("web@prod"): values.stack("web@prod", tool="ansible", owners=("team:web",), tier="production"),
}


def chosen(*words, environment=""):
    return [key.short for key in choose(words, environment, STACKS)]


def test_no_words_mean_every_stack():
    assert len(chosen()) == len(STACKS)


@pytest.mark.parametrize(
    ("words", "environment", "expected"),
    [
        (["network"], "", ["network@dev", "network@prod"]),
        (["network@dev"], "", ["network@dev"]),
        (["infra/network@dev"], "", ["network@dev"]),
        (["network"], "prod", ["network@prod"]),
        (["network", "dns"], "prod", ["dns@prod", "network@prod"]),
        (["n*"], "", ["network@dev", "network@prod"]),
        (["*@prod"], "", ["dns@prod", "network@prod", "web@prod"]),
        (["tool=ansible"], "", ["web@dev", "web@prod"]),
        (["tool=ansible", "env=dev"], "", ["web@dev"]),
        (["owner=team:*"], "prod", ["web@prod"]),
        (["tier=production"], "", ["web@prod"]),
        (["web", "network", "tool=terraform"], "dev", ["network@dev"]),
        (["prod/db"], "", ["prod/db"]),
    ],
)
def test_words_mean_stacks(words, environment, expected):
    assert chosen(*words, environment=environment) == expected


@pytest.mark.parametrize(
    ("words", "environment", "code", "hint"),
    [
        (["netwrok"], "", "HF-1901", 'did you mean "network"?'),
        (["network@prd"], "", "HF-1901", 'did you mean "network@prod"?'),
        (["dns"], "dev", "HF-1901", "it is in prod"),
        (["tool=chef"], "", "HF-1901", "see: holdfast status"),
        (["tol=chef"], "", "HF-1901", 'did you mean "tool"?'),
        ([], "prd", "HF-1903", 'did you mean "prod"?'),
        (["x*"], "", "HF-1901", "see: holdfast status"),
    ],
)
def test_a_word_that_means_nothing_gets_the_nearest(words, environment, code, hint):
    with pytest.raises(UsageError) as caught:
        choose(words, environment, STACKS)
    assert (caught.value.code, caught.value.hint) == (code, hint)


def test_a_word_for_one_stack_that_means_two_names_both():
    with pytest.raises(UsageError, match="network@dev, network@prod") as caught:
        choose_one("network", "", STACKS)
    assert caught.value.code == "HF-1902"
    assert choose_one("network", "dev", STACKS) == values.key("network@dev")


def test_in_an_empty_repository_nothing_is_chosen_and_nothing_fails():
    assert choose([], "", {}) == ()
