"""What the operator's file says about forges: where pull requests live, what lets us in, and who people are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.config.operator import Operator
from orchestrator.config.operator_reading import read_operator
from orchestrator.errors import ConfigError
from orchestrator.model.forge import AppLogin, ForgeKind, ForgePlace, hosted

URL = "https://github.com/acme/infra.git"


def source(url: str = URL, forge: str = "", auth: str = "") -> str:
    """Return a source; TOKEN stands for what lets into its forge."""
    git = f"{{url: {url}, auth: {auth}}}" if auth else f"{{url: {url}}}"
    said = ", forge: " + forge.replace("TOKEN", 'token: "${secret:forge}"') if forge else ""
    return f"sources: [{{name: infra, git: {git}{said}}}]\n"


def operator(tmp_path: Path, text: str, **environment: str) -> Operator:
    file = tmp_path / "holdfast.yaml"
    file.write_text(f"version: 1\n{text}")
    return read_operator(file, environment)


def slips(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        operator(tmp_path, text)
    return [f"{error.code} {error.message}" for error in (caught.value, *caught.value.others)]


@pytest.mark.parametrize(
    ("url", "kind", "repository", "api"),
    [
        (URL, "github", "acme/infra", "https://api.github.com"),
        ("git@github.com:acme/infra.git", "github", "acme/infra", "https://api.github.com"),
        ("ssh://git@git.acme.example:2222/acme/infra", "github", "acme/infra", "https://git.acme.example/api/v3"),
        ("https://gitlab.com/acme/net/infra", "gitlab", "acme/net/infra", "https://gitlab.com/api/v4"),
        ("https://code.acme.example:8443/acme/infra/", "gitea", "acme/infra", "https://code.acme.example:8443/api/v1"),
    ],
)
def test_the_url_of_the_source_says_where_its_pull_requests_live(
    tmp_path: Path, url: str, kind: str, repository: str, api: str
) -> None:
    found = operator(tmp_path, source(url, f"{{kind: {kind}, TOKEN}}"))
    assert found.forges == {
        "infra": ForgePlace(kind=ForgeKind(kind), repository=repository, api=api, token_secret="forge")
    }
    assert "forge" in found.reserved_secrets()


def test_what_is_said_counts_more_than_the_url(tmp_path: Path) -> None:
    forge = '{kind: github, repository: other/place, api: "http://127.0.0.1:9/", login: "holdfast-acme[bot]", app: {id: 12345, key: "${secret:app-key}", installation: 54000000}}'
    found = operator(tmp_path, source("/srv/git/infra", forge))
    app = AppLogin(id="12345", key_secret="app-key", installation=54_000_000)
    assert found.forges["infra"] == ForgePlace(
        kind=ForgeKind.GITHUB,
        repository="other/place",
        api="http://127.0.0.1:9",
        app=app,
        login="holdfast-acme[bot]",
    )
    assert "app-key" in found.reserved_secrets()


def test_what_fetches_the_source_lets_into_its_forge(tmp_path: Path) -> None:
    app = operator(tmp_path, source(auth='{github_app: {id: Iv1.8, key: "${secret:k}"}}', forge="{kind: github}"))  # fmt: skip
    assert app.forges["infra"].app == app.sources[0].app == AppLogin(id="Iv1.8", key_secret="k")
    token = operator(tmp_path, source(auth='{token: "${secret:t}"}', forge="{kind: github}"))  # fmt: skip
    assert token.forges["infra"].token_secret == "t"
    assert token.sources[0].app is None


def test_in_a_workflow_its_own_token_lets_in(tmp_path: Path) -> None:
    found = operator(tmp_path, source(URL, "{kind: github}"), GITHUB_ACTIONS="true")
    assert (found.forges["infra"].token_secret, found.forges["infra"].app) == ("", None)


def test_a_source_without_a_forge_has_none(tmp_path: Path) -> None:
    found = operator(tmp_path, source())
    assert found.forges == {}
    assert found.person_at("infra", "ana-gh") == ""


def test_people_are_known_by_their_login_whatever_its_capitals(tmp_path: Path) -> None:
    people = "people: {github: {Ana-GH: ana@acme.example}, gitlab: {ana: other@acme.example}}\n"
    found = operator(tmp_path, people + source(URL, "{kind: github, TOKEN}"))
    assert found.person_at("infra", "ana-gh") == found.person_at("infra", "ANA-gh") == "ana@acme.example"
    assert [found.person_at(*one) for one in (("infra", "ana"), ("infra", ""), ("lab", "ana-gh"))] == ["", "", ""]


@pytest.mark.parametrize(
    ("url", "forge", "said"),
    [
        (URL, "{kind: github}", ["HF-1004 forge: nothing lets Holdfast in"]),
        (URL, "{kind: svn, TOKEN}", ['HF-1004 sources[0].forge.kind: one of github, gitlab, gitea is expected, not "svn"']),
        (URL, "{TOKEN}", ['HF-1006 the key "kind" is missing in sources[0].forge']),
        (URL, "{kind: github, token: hunter2}", ["HF-1004 sources[0].forge.token: a secret does not stand in this file"]),
        (URL, "{kind: github, app: {id: 1, key: hunter2}}", ["HF-1004 sources[0].forge.app.key: a secret does not stand in this file"]),
        (URL, "{kind: github, app: {id: 'a b', key: '${secret:k}'}}", None),
        (URL, "{kind: github, app: {id: 1, key: '${secret:k}', installation: -1}}", None),
        (URL, "{kind: github, TOKEN, app: {id: 1, key: '${secret:k}'}}", ["HF-1004 forge: only one of token and app lets in"]),
        (URL, "{kind: gitea, app: {id: 1, key: '${secret:k}'}}", ["HF-1004 forge.app: gitea has no Apps"]),
        (URL, "{kind: github, TOKEN, tokne: x}", ['HF-1003 unknown key "tokne" in sources[0].forge; did you mean "token"?']),
        ("/srv/git/infra.git", "{kind: github, TOKEN}", ["HF-1004 forge: the URL names no repository", 'HF-1004 forge: "" is no URL of an API']),
        (URL, "{kind: github, repository: acme, TOKEN}", ['HF-1004 forge: "acme" names no repository']),
        (URL, "{kind: github, repository: acme/net/infra, TOKEN}", ['HF-1004 forge: "acme/net/infra" names no repository']),
        (URL, "{kind: gitlab, repository: acme/../infra, TOKEN}", ['HF-1004 forge: "acme/../infra" names no repository']),
        (URL, "{kind: github, repository: 'acme/in fra', TOKEN}", ['HF-1004 forge: "acme/in fra" names no repository']),
        (URL, "{kind: github, api: 'http://git.acme.example/api/v3', TOKEN}", ["HF-1004 forge: a token would go over the network in clear"]),
        (URL, "{kind: github, api: 'ftp://x', TOKEN}", ['HF-1004 forge: "ftp://x" is no URL of an API']),
        (URL, "{kind: github, api: 'https://u:p@x/', TOKEN}", ['HF-1004 forge: "https://u:p@x/" is no URL of an API']),
        (URL, "{kind: github, api: 'https://[::1/', TOKEN}", ['HF-1004 forge: "https://[::1/" is no URL of an API']),
        (URL, "{kind: github, api: 'https://x:99999/', TOKEN}", ['HF-1004 forge: "https://x:99999/" is no URL of an API']),
    ],
)  # fmt: skip
def test_a_slip_in_a_forge_is_told(tmp_path: Path, url: str, forge: str, said: list[str] | None) -> None:
    told = slips(tmp_path, source(url, forge))
    assert "hunter2" not in "".join(told)
    assert said is None or told == said


def test_only_a_git_source_has_pull_requests(tmp_path: Path) -> None:
    text = 'sources: [{name: lab, directory: {path: /srv/lab}, forge: {kind: github, token: "${secret:t}"}}]\n'
    assert slips(tmp_path, text) == ["HF-1004 forge: only a git source has pull requests"]


@pytest.mark.parametrize(
    ("url", "auth", "said"),
    [
        ("git@github.com:acme/infra", "{github_app: APP}", "HF-1004 github_app: an App fetches over HTTPS alone"),
        ("https://github.com/acme", "{github_app: APP}", "HF-1004 github_app: the URL names no repository of GitHub's"),
        (URL, "{token: '${secret:t}', github_app: APP}", "HF-1004 only one of token and github_app lets in"),
    ],
)  # fmt: skip
def test_an_app_that_could_not_fetch_is_told(tmp_path: Path, url: str, auth: str, said: str) -> None:
    assert slips(tmp_path, source(url, auth=auth.replace("APP", "{id: 1, key: '${secret:k}'}"))) == [said]


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ("{github: {ana: ana@acme.example, Ana: eve@acme.example}}", "HF-1004 people.github: Ana stands there twice: capitals say nothing"),
        ("{githb: {ana: ana@acme.example}}", 'HF-1004 "githb" is no name: one of github, gitlab, gitea is expected, not "githb"; did you mean "github"?'),
        ("{github: {ana: 'a b'}}", "HF-"),
    ],
)  # fmt: skip
def test_a_slip_in_who_people_are_is_told(tmp_path: Path, people: str, said: str) -> None:
    assert slips(tmp_path, f"people: {people}\n")[0].startswith(said)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://u:p@Host.example:8443/a/b.git/", ("host.example:8443", "a/b")),
        ("ssh://git@host.example:22/a/b", ("host.example", "a/b")),
        ("git@host.example:a/b.git", ("host.example", "a/b")),
        ("/srv/git/infra.git", ("", "")),
        ("https://[::1", ("", "")),
        ("https://host:99999/a/b", ("", "")),
        ("", ("", "")),
    ],
)
def test_a_url_says_its_host_and_its_repository(url: str, said: tuple[str, str]) -> None:
    assert hosted(url) == said
