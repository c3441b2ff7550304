"""The same commands on the service's own host and from elsewhere: what they print and end in is the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fared import Estate

#: What each command is asked with; none of them changes anything.
READING = [
    ["status"],
    ["status", "-o", "wide", "--check"],
    ["status", "-o", "json"],
    ["status", "--plain", "web"],
    ["status", "n*", "-o", "yaml", "--check"],
    ["status", "nope"],
    ["status", "tool=ansible"],
    ["status", "-e", "nowhere"],
    ["runs"],
    ["runs", "--all", "-n", "3", "-o", "json"],
    ["runs", "--failed"],
    ["runs", "--since", "1h", "--plain"],
    ["show", "2"],
    ["show", "2", "-o", "json"],
    ["show", "999"],
    ["logs", "2"],
    ["logs", "2", "-o", "json"],
    ["logs", "-f", "2", "net", "--plain"],
    ["logs", "net"],
    ["logs", "77"],
    ["wait", "net"],
    ["wait", "net", "-o", "json"],
    ["wait", "web", "--timeout", "0s"],
]


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with Estate(tmp_path_factory.mktemp("estate")).at_work() as made:
        made.until(lambda: len(made.get("/api/v1/approvals", made.first).json()["items"]) == 2)
        yield made


def alike(text: str) -> str:
    """Leave out how long ago something was: it goes on between two commands, and widens its column."""
    return re.sub(r" +", " ", re.sub(r"\b\d+ (s|min)\b", "AGE", text))


@pytest.mark.needs("terraform")
@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_what_is_read_is_the_same_from_elsewhere(estate: Estate, words: list[str]) -> None:
    here, far = estate.here(*words), estate.far(*words)
    assert (far.returncode, alike(far.stdout)) == (here.returncode, alike(here.stdout)), far.stderr
    if here.returncode:
        assert far.stderr.splitlines()[:1] == here.stderr.splitlines()[:1]


@pytest.mark.needs("terraform")
def test_a_token_that_does_not_count_is_refused_and_never_shown(estate: Estate) -> None:
    found = estate.far("status", token="hf_c4n4ry_of_nobody")
    assert (found.returncode, found.stdout, found.stderr[:7]) == (4, "", "HF-4121")
    assert "c4n4ry" not in found.stderr
