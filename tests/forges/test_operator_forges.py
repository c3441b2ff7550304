"""The forge of each source, built of what the operator says; and the one of the workflow that we run in."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import github_apps
import pytest
from github_mock import GitHubMock

from orchestrator.assembly.forges import OperatorForges, workflow_forge
from orchestrator.assembly.host import open_host
from orchestrator.config.operator import Operator
from orchestrator.config.operator_reading import read_operator
from orchestrator.errors import ForgeError, SecretMissing
from orchestrator.model.forge import AppLogin, ForgeKind, ForgePlace
from orchestrator.model.source import Source, SourceKind

HEAD = "a" * 40
MARKER = "<!-- holdfast:pull=1 -->"
APP = AppLogin(id=github_apps.APP, key_secret="app-key")


def forges(
    mock: GitHubMock, secrets: Mapping[str, str], environment: Mapping[str, str] | None = None, **more: object
) -> OperatorForges:
    place = ForgePlace(kind=ForgeKind.GITHUB, repository="acme/infra", api=mock.url, **more)  # type: ignore[arg-type]

    def secret(name: str) -> str:
        if name not in secrets:
            raise SecretMissing(f"no store knows the secret {name}", hint="put it there")
        return secrets[name]

    return OperatorForges(Operator(forges={"infra": place}), secret, environment or {})


def test_a_source_without_a_forge_has_none(github_mock: GitHubMock) -> None:
    assert forges(github_mock, {}).of("lab") is None


@pytest.mark.parametrize("more", [{"app": APP}, {"token_secret": "token"}])
def test_a_forge_is_spoken_with_as_the_operator_says(github_mock: GitHubMock, more: dict[str, object]) -> None:
    github_mock.open_pull(HEAD)
    made = forges(github_mock, {"app-key": github_apps.pem(), "token": "ghs_given"}, **more)
    forge = made.of("infra")
    assert forge is not None
    assert forge is made.of("infra")
    assert [one.number for one in forge.pulls("main")] == [1]


@pytest.mark.parametrize("more", [{"app": APP}, {"token_secret": "token"}])
def test_a_secret_that_is_not_there_lets_nobody_in(github_mock: GitHubMock, more: dict[str, object]) -> None:
    forge = forges(github_mock, {}, **more).of("infra")
    assert forge is not None
    with pytest.raises(ForgeError) as error:
        forge.pulls("main")
    assert error.value.code == "HF-4702"
    assert "no store knows" in error.value.message
    assert github_mock.requests == []


def test_a_workflow_is_let_in_by_its_own_token_and_finds_its_own_comment(github_mock: GitHubMock) -> None:
    number = github_mock.open_pull(HEAD)
    github_mock.tokens["ghs_workflow"] = "github-actions[bot]"
    given = {"GITHUB_ACTIONS": "true", "GITHUB_TOKEN": "ghs_workflow", "GITHUB_REPOSITORY": "acme/infra", "GITHUB_API_URL": github_mock.url}  # fmt: skip
    for forge in (workflow_forge(given), forges(github_mock, {}, given).of("infra")):
        assert forge is not None
        assert forge.traits.checks
        forge.say(number, f"{MARKER} a", marker=MARKER)
    assert [one.by for one in github_mock.comments(number)] == ["github-actions[bot]"]


@pytest.mark.parametrize("lacking", ["GITHUB_ACTIONS", "GITHUB_TOKEN", "GITHUB_REPOSITORY"])
def test_outside_of_a_workflow_there_is_none(lacking: str) -> None:
    given = {"GITHUB_ACTIONS": "true", "GITHUB_TOKEN": "x", "GITHUB_REPOSITORY": "acme/infra"}
    assert workflow_forge({name: value for name, value in given.items() if name != lacking}) is None


def test_a_library_that_is_not_installed_is_named(github_mock: GitHubMock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "orchestrator.effects.forge_github", None)
    with pytest.raises(ForgeError) as error:
        forges(github_mock, {"token": "x"}, token_secret="token").of("infra")
    assert error.value.code == "HF-4705"
    assert "holdfast[service]" in error.value.hint


def test_a_host_fetches_and_speaks_as_its_operator_s_file_says(github_mock: GitHubMock, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir(mode=0o700)
    (secrets / "app-key").write_text(github_apps.pem())
    (secrets / "app-key").chmod(0o600)
    file = tmp_path / "holdfast.yaml"
    file.write_text(
        "version: 1\nsources:\n  - name: infra\n    git:\n      url: https://github.com/acme/infra.git\n"
        f'      auth: {{github_app: {{id: {github_apps.APP}, key: "${{secret:app-key}}"}}}}\n'
        f"    forge: {{kind: github, api: {github_mock.url}}}\nsecrets:\n  - files: {secrets}\n"
    )
    github_mock.open_pull(HEAD)
    with open_host(tmp_path / "home", read_operator(file, {}), {}) as host:
        again = host.under(read_operator(file, {}))
        for one in (host, again):
            forge = one.forges.of("infra")
            assert forge is not None
            assert [pull.number for pull in forge.pulls("main")] == [1]
            token = one.sources.app_token(one.operator.source("infra"))
            assert token in github_mock.apps.given


def test_an_app_is_given_a_token_to_fetch_with(github_mock: GitHubMock) -> None:
    made = forges(github_mock, {"app-key": github_apps.pem()}, app=APP)
    source = Source(id="infra", kind=SourceKind.GIT, location="https://github.com/acme/infra.git", app=APP)
    token = made.fetching(source)
    assert token == made.fetching(source) == github_mock.apps.given[0]
    assert made.fetching(Source(id="lab", kind=SourceKind.DIRECTORY, location="/srv")) == ""
