"""Forges that pull requests live at, on loopback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Tests are no package: this is how those of this folder share their forges.
sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))
sys.path.insert(0, str(Path(__file__).parent))

from e2e_yard import Yard
from forge_stand import QUICK, Stand
from github_mock import GitHubMock

from orchestrator.effects.forge_github import GitHub
from orchestrator.model.verdict import CheckConclusion
from orchestrator.ports import Forge


@pytest.fixture(scope="session")
def _github() -> Iterator[GitHubMock]:
    with GitHubMock().at_work() as made:
        yield made


@pytest.fixture
def github_mock(_github: GitHubMock) -> Iterator[GitHubMock]:
    """One server for all tests, as it was made for each; at the end it has been spoken to as GitHub's pages say."""
    _github.reset()
    yield _github
    assert _github.faults == []


def _at_github(url: str, repository: str, token: str) -> Forge:
    return GitHub(repository, lambda: token, api=url, login="holdfast-acme[bot]", patience=QUICK)


@pytest.fixture(params=["github"])
def stand(request: pytest.FixtureRequest) -> Stand:
    """Each forge in turn."""
    states = {
        CheckConclusion.PENDING: "pending",
        CheckConclusion.SUCCESS: "success",
        CheckConclusion.FAILURE: "failure",
        CheckConclusion.ACTION_REQUIRED: "pending",
        CheckConclusion.NEUTRAL: "success",
    }
    return Stand("github", request.getfixturevalue("github_mock"), _at_github, states, "ghs_given")


@pytest.fixture
def world(tmp_path: Path, lab_cli_config: Path) -> Iterator[Yard]:
    """The installed program, with a repository, a home and an operator's file of its own."""
    made = Yard(folder=tmp_path / "world", cli_config=lab_cli_config)
    made.folder.mkdir()
    made.lay()
    yield made
    made.clear()
