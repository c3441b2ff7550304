"""Reading from real servers: HTTPS with a token, SSH with a pinned host key."""

from __future__ import annotations

import subprocess

import pytest
from repositories import Repository, Yard, git_source

from orchestrator.errors import ForgeAway, ForgeError, SourceUnreachable
from orchestrator.model.forge import AppLogin
from orchestrator.model.source import Source

TOKEN = "hunter2-token"


def over_https(yard: Yard, https, token: str = TOKEN) -> Yard:
    yard.outer |= {"GIT_SSL_CAINFO": str(https.certificate)}
    yard.token = token
    return yard


def refused(yard: Yard, source) -> SourceUnreachable:
    with pytest.raises(SourceUnreachable) as error:
        yard.sources.read(source)
    assert TOKEN not in error.value.message + error.value.hint
    return error.value


@pytest.mark.needs("nginx", "fcgiwrap")
def test_https_is_read_with_a_token_that_is_in_no_argument_and_on_no_disk(yard, https, repository):
    source = git_source(https.publish(repository, "token"), token_secret="token")
    revision = over_https(yard, https).sources.read(source)
    assert revision.id == repository.head()
    assert not any(TOKEN in word for argv in yard.runs.seen for word in argv)
    # Nor does anything of the person's home, ~/.netrc for one, have a say.
    assert {env["HOME"] for env in yard.runs.environments} == {"/nonexistent"}
    kept = [path for path in yard.home.rglob("*") if path.is_file()]
    assert kept
    assert not any(TOKEN.encode() in path.read_bytes() for path in kept)


@pytest.mark.needs("nginx", "fcgiwrap")
def test_the_user_name_of_a_url_goes_with_the_token(yard, https, repository):
    url = https.publish(repository, "user").replace("https://", "https://git@")
    revision = over_https(yard, https).sources.read(git_source(url, token_secret="token"))
    assert revision.id == repository.head()


@pytest.mark.needs("nginx", "fcgiwrap")
@pytest.mark.parametrize("token", ["", "wrong-canary"])
def test_a_missing_or_wrong_token_is_said_and_never_shown(yard, https, repository, token):
    url = https.publish(repository, f"refused{len(token)}")
    source = git_source(url, token_secret="token" if token else "")
    error = refused(over_https(yard, https, token), source)
    assert error.code == "HF-3003"
    assert "canary" not in error.message + error.hint


@pytest.mark.needs("nginx", "fcgiwrap")
def test_a_redirect_to_another_host_gets_neither_the_request_nor_the_token(yard, https, repository):
    https.publish(repository, "away")
    source = git_source(https.url("moved/away"), token_secret="token")
    error = refused(over_https(yard, https), source)
    assert error.code == "HF-3001"
    assert not https.log.exists() or https.log.read_text() == ""


@pytest.mark.needs("nginx", "fcgiwrap")
def test_a_certificate_of_nobody_we_know_is_refused(yard, https, repository):
    source = git_source(https.publish(repository, "unknown-ca"), token_secret="token")
    yard.token = TOKEN
    error = refused(yard, source)
    assert error.code == "HF-3001"
    assert "certificate" in error.message


@pytest.mark.needs("nginx", "fcgiwrap")
def test_a_repository_that_left_its_server_leaves_the_last_revision_in_force(yard, https, repository):
    source = git_source(https.publish(repository, "leaving"), token_secret="token")
    last = over_https(yard, https).sources.read(source)
    (https.root / "leaving.git").rename(https.root / "left.git")
    error = refused(yard, source)
    assert error.code == "HF-3001"
    assert yard.sources.revision(source, last.id).id == last.id


def test_a_server_that_is_not_there_is_unreachable(yard):
    assert refused(yard, git_source("https://localhost:1/infra.git")).code == "HF-3001"


@pytest.mark.needs("sshd")
def test_ssh_is_read_with_our_own_key_and_the_pinned_host(yard, ssh, repository):
    source = git_source(ssh.url(repository), known_hosts=str(ssh.known_hosts), ssh_key=str(ssh.key))
    assert yard.sources.read(source).id == repository.head()


@pytest.mark.needs("sshd")
def test_a_host_with_another_key_than_the_pinned_one_is_refused(yard, ssh, repository, tmp_path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "other"], check=True)
    pinned = tmp_path / "known hosts 100%"
    pinned.write_text(f"[127.0.0.1]:{ssh.port} {(tmp_path / 'other.pub').read_text()}")
    error = refused(yard, git_source(ssh.url(repository), known_hosts=str(pinned), ssh_key=str(ssh.key)))
    assert error.code == "HF-3003"
    pinned.write_text(ssh.known_hosts.read_text())
    source = git_source(ssh.url(repository), known_hosts=str(pinned), ssh_key=str(ssh.key))
    assert yard.sources.read(source).id == repository.head()


@pytest.mark.needs("sshd")
def test_a_host_that_nobody_pinned_is_refused(yard, ssh, repository, tmp_path):
    (tmp_path / "nobody").write_text("")
    source = git_source(ssh.url(repository), known_hosts=str(tmp_path / "nobody"), ssh_key=str(ssh.key))
    assert refused(yard, source).code == "HF-3003"


@pytest.mark.needs("sshd")
def test_a_key_that_the_host_does_not_know_is_refused_without_asking(yard, ssh, repository, tmp_path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "stranger"], check=True)
    source = git_source(ssh.url(repository), known_hosts=str(ssh.known_hosts), ssh_key=str(tmp_path / "stranger"))
    assert refused(yard, source).code == "HF-3003"


@pytest.mark.needs("nginx", "fcgiwrap")
def test_an_app_fetches_with_the_token_that_it_is_given(yard: Yard, https, repository: Repository) -> None:
    source = git_source(https.publish(repository, "app"), app=AppLogin(id="1", key_secret="k"))
    sources = over_https(yard, https).sources
    sources.app_token = lambda asked: TOKEN if asked is source else ""
    assert sources.read(source).id == repository.head()


@pytest.mark.needs("nginx", "fcgiwrap")
@pytest.mark.parametrize(
    ("error", "code"), [(ForgeAway("it does not answer"), "HF-3001"), (ForgeError("no", code="HF-4702"), "HF-3003")]
)
def test_an_app_that_is_given_no_token_reaches_nothing(yard: Yard, https, error: ForgeError, code: str) -> None:
    def refused(_: Source) -> str:
        raise error

    sources = over_https(yard, https).sources
    sources.app_token = refused
    with pytest.raises(SourceUnreachable) as told:
        sources.read(git_source(https.url("app"), app=AppLogin(id="1", key_secret="k")))
    assert (told.value.code, error.message in told.value.message) == (code, True)
