"""Only commits signed by a source's signers are read where the source asks for it: real gpg, real ssh-keygen."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from repositories import Repository, git_source

from orchestrator.errors import RevisionRejected, SourceError
from orchestrator.model.source import Verify


@dataclass(frozen=True)
class Keyring:
    """A person's gpg, with a key of their own."""

    home: Path

    @property
    def env(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "GNUPGHOME": str(self.home), "HOME": str(self.home)}

    def gpg(self, *args: str) -> str:
        argv = ["gpg", "--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", "", *args]
        return subprocess.run(argv, env=self.env, check=True, capture_output=True, text=True).stdout

    def make(self, who: str, *more: str) -> None:
        self.gpg(*more, "--quick-generate-key", who, "ed25519", "sign", "1d")


@pytest.fixture
def keyring() -> Iterator[Keyring]:
    # A path that is short enough for the agent's socket.
    home = Path(tempfile.mkdtemp(prefix="hf-gpg-"))
    home.chmod(0o700)
    made = Keyring(home)
    yield made
    subprocess.run(["gpgconf", "--kill", "all"], env=made.env, check=False, capture_output=True)
    shutil.rmtree(home, ignore_errors=True)


def signing_with_gpg(repository: Repository, keyring: Keyring, who: str) -> Repository:
    repository.git("config", "user.signingkey", who)
    return Repository(repository.path, env={"GNUPGHOME": str(keyring.home)})


def signing_with_ssh(repository: Repository, key: Path) -> Repository:
    if not key.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    repository.git("config", "gpg.format", "ssh")
    repository.git("config", "user.signingkey", str(key))
    return repository


def allow(file: Path, key: Path, options: str = "") -> str:
    public = key.with_suffix(".pub").read_text()
    file.write_text(f"ada@example.org {options} {public}")
    return str(file)


def signed(repository: Repository, *signers: str):
    return git_source(repository.path, verify=Verify.SIGNED, signers=signers)


def refusal(yard, source) -> str:
    with pytest.raises(RevisionRejected) as error:
        yard.sources.read(source)
    assert error.value.code == "HF-3016"
    assert error.value.hint
    return error.value.message


@pytest.mark.needs("ssh-keygen")
def test_a_commit_signed_by_an_allowed_ssh_key_is_verified(yard, repository, tmp_path):
    key = tmp_path / "ada"
    head = signing_with_ssh(repository, key).commit({"web/main.tf": "# signed\n"}, "signed", "-S")
    source = signed(repository, allow(tmp_path / "allowed", key))
    revision = yard.sources.read(source)
    assert (revision.id, revision.verified) == (head, True)
    assert yard.sources.revision(source, head).verified is True


@pytest.mark.needs("ssh-keygen")
def test_an_unsigned_commit_on_top_of_a_signed_one_is_refused(yard, repository, tmp_path):
    key = tmp_path / "ada"
    signing_with_ssh(repository, key).commit({"web/main.tf": "# signed\n"}, "signed", "-S")
    source = signed(repository, allow(tmp_path / "allowed", key))
    yard.sources.read(source)
    unsigned = repository.commit({"web/main.tf": "# slipped in\n"}, "unsigned", "--no-gpg-sign")
    assert "not signed" in refusal(yard, source)
    with pytest.raises(RevisionRejected):
        yard.sources.revision(source, unsigned)


@pytest.mark.needs("ssh-keygen")
def test_a_key_that_nobody_allowed_is_refused_even_with_the_right_name(yard, repository, tmp_path):
    signing_with_ssh(repository, tmp_path / "ada")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "bo"], check=True)
    repository.commit({"web/main.tf": "# signed\n"}, "signed", "-S")
    assert "not among the signers" in refusal(yard, signed(repository, allow(tmp_path / "allowed", tmp_path / "bo")))


@pytest.mark.needs("ssh-keygen")
def test_an_ssh_key_that_was_not_valid_when_it_signed_is_refused(yard, repository, tmp_path):
    key = tmp_path / "ada"
    signing_with_ssh(repository, key).commit({"web/main.tf": "# signed\n"}, "signed", "-S")
    allowed = allow(tmp_path / "allowed", key, 'valid-before="20200101"')
    assert "commit" in refusal(yard, signed(repository, allowed))


@pytest.mark.needs("ssh-keygen")
def test_a_signer_who_is_taken_off_the_list_counts_no_more(yard, repository, tmp_path):
    key = tmp_path / "ada"
    signing_with_ssh(repository, key).commit({"web/main.tf": "# signed\n"}, "signed", "-S")
    allowed = Path(allow(tmp_path / "allowed", key))
    yard.sources.read(signed(repository, str(allowed)))
    allowed.write_text("")
    assert "not among the signers" in refusal(yard, signed(repository, str(allowed)))


@pytest.mark.needs("ssh-keygen")
def test_the_repositorys_own_list_of_signers_counts_for_nothing(yard, repository, tmp_path):
    key = tmp_path / "ada"
    signing_with_ssh(repository, key)
    repository.git("config", "gpg.ssh.allowedSignersFile", allow(tmp_path / "own", key))
    repository.commit({"web/main.tf": "# signed\n"}, "signed", "-S")
    refusal(yard, signed(repository))


@pytest.mark.needs("gpg")
def test_a_commit_signed_by_a_key_of_the_ring_is_verified(yard, repository, keyring, tmp_path):
    keyring.make("ada@example.org")
    (tmp_path / "ring.asc").write_text(keyring.gpg("--armor", "--export", "ada@example.org"))
    signing = signing_with_gpg(repository, keyring, "ada@example.org")
    head = signing.commit({"web/main.tf": "# signed\n"}, "signed", "-S")
    revision = yard.sources.read(signed(repository, str(tmp_path / "ring.asc")))
    assert (revision.id, revision.verified) == (head, True)


@pytest.mark.needs("gpg")
def test_a_gpg_key_outside_the_ring_is_refused_and_an_altered_commit_too(yard, repository, keyring, tmp_path):
    keyring.make("ada@example.org")
    keyring.make("bo@example.org")
    ring = tmp_path / "ring.asc"
    ring.write_text(keyring.gpg("--armor", "--export", "bo@example.org"))
    signing = signing_with_gpg(repository, keyring, "ada@example.org")
    signing.commit({"web/main.tf": "# signed\n"}, "signed", "-S")
    assert "not among the signers" in refusal(yard, signed(repository, str(ring)))
    ring.write_text(keyring.gpg("--armor", "--export", "ada@example.org"))
    stored = repository.git("cat-file", "commit", "HEAD")
    altered = stored.replace("\n\nsigned", "\n\naltered").encode() + b"\n"
    repository.git("update-ref", "HEAD", repository.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=altered))
    assert "does not fit" in refusal(yard, signed(repository, str(ring)))


@pytest.mark.needs("gpg")
def test_an_expired_gpg_key_is_refused(yard, repository, keyring, tmp_path):
    then = ["--faked-system-time", "20200101T000000!"]
    keyring.make("ada@example.org", *then)
    wrapper = tmp_path / "gpg-then"
    wrapper.write_text(f'#!/bin/sh\nexec gpg --batch --pinentry-mode loopback --passphrase "" {" ".join(then)} "$@"\n')
    wrapper.chmod(0o755)
    (tmp_path / "ring.asc").write_text(keyring.gpg("--armor", "--export", "ada@example.org"))
    signing = signing_with_gpg(repository, keyring, "ada@example.org")
    signing.git("config", "gpg.program", str(wrapper))
    signing.commit({"web/main.tf": "# signed\n"}, "signed", "-S")
    assert "expired" in refusal(yard, signed(repository, str(tmp_path / "ring.asc")))


@pytest.mark.parametrize("content", [None, "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nrubbish\n"])
@pytest.mark.needs("gpg")
def test_a_signers_file_that_is_missing_or_rubbish_is_named(yard, repository, tmp_path, content):
    file = tmp_path / "ring.asc"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SourceError) as error:
        yard.sources.read(signed(repository, str(file)))
    assert error.value.code == "HF-3016"
    assert error.value.hint
