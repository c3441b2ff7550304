"""Forges that pull requests live at, on loopback."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

# Tests are no package: this is how those of this folder share their forges.
sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))
sys.path.insert(0, str(Path(__file__).parent))

from e2e_yard import Yard
from forge_stand import QUICK, Stand
from gitea_fake import GiteaFake
from github_mock import GitHubMock
from gitlab_fake import GitLabFake
from imitated import Imitated

from orchestrator.effects.forge_gitea import Gitea
from orchestrator.effects.forge_github import GitHub
from orchestrator.effects.forge_gitlab import GitLab
from orchestrator.model.verdict import CheckConclusion
from orchestrator.ports import Forge


@pytest.fixture(scope="session")
def _at_work() -> Iterator[Callable[[type[Imitated]], Imitated]]:
    with ExitStack() as stack:
        made: dict[type[Imitated], Imitated] = {}

        def of(kind: type[Imitated]) -> Imitated:
            if kind not in made:
                made[kind] = stack.enter_context(kind().at_work())
            return made[kind]

        yield of


def _fresh(found: Imitated) -> Iterator[Imitated]:
    """One server for all tests, as it was made for each; at the end it has been spoken to as its makers say."""
    found.reset()
    yield found
    assert found.faults == []


@pytest.fixture
def github_mock(_at_work: Callable[[type[Imitated]], Imitated]) -> Iterator[Imitated]:
    """GitHub."""
    yield from _fresh(_at_work(GitHubMock))


@pytest.fixture
def gitea_fake(_at_work: Callable[[type[Imitated]], Imitated]) -> Iterator[Imitated]:
    """Gitea."""
    yield from _fresh(_at_work(GiteaFake))


@pytest.fixture
def gitlab_fake(_at_work: Callable[[type[Imitated]], Imitated]) -> Iterator[Imitated]:
    """GitLab."""
    yield from _fresh(_at_work(GitLabFake))


def _at_github(url: str, repository: str, token: str) -> Forge:
    return GitHub(repository, lambda: token, api=url, login="holdfast-acme[bot]", patience=QUICK)


def _at_gitea(url: str, repository: str, token: str) -> Forge:
    return Gitea(repository, lambda: token, api=f"{url}/api/v1", patience=QUICK)


def _at_gitlab(url: str, repository: str, token: str) -> Forge:
    return GitLab(repository, lambda: token, api=f"{url}/api/v4", patience=QUICK)


_STATES = {
    CheckConclusion.PENDING: "pending",
    CheckConclusion.SUCCESS: "success",
    CheckConclusion.FAILURE: "failure",
    CheckConclusion.ACTION_REQUIRED: "pending",
    CheckConclusion.NEUTRAL: "success",
}
_GITLABS = {**_STATES, CheckConclusion.FAILURE: "failed", CheckConclusion.ACTION_REQUIRED: "running"}


@pytest.fixture(params=["github", "gitlab", "gitea"])
def stand(request: pytest.FixtureRequest) -> Stand:
    """Each forge in turn."""
    match request.param:
        case "github":
            return Stand("github", request.getfixturevalue("github_mock"), _at_github, _STATES, "ghs_given")
        case "gitlab":
            return Stand("gitlab", request.getfixturevalue("gitlab_fake"), _at_gitlab, _GITLABS, "glpat-given")
        case _:
            return Stand("gitea", request.getfixturevalue("gitea_fake"), _at_gitea, _STATES, "given")


@pytest.fixture
def world(tmp_path: Path, lab_cli_config: Path) -> Iterator[Yard]:
    """The installed program, with a repository, a home and an operator's file of its own."""
    made = Yard(folder=tmp_path / "world", cli_config=lab_cli_config)
    made.folder.mkdir()
    made.lay()
    yield made
    made.clear()
