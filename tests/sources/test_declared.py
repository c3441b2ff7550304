"""Sources of the operator's file through the installed program: by name without a checkout, and in a checkout of one."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from e2e_yard import Yard as World

pytestmark = pytest.mark.needs("git", "terraform")

TOKEN = "hunter2-token"
FILES = {
    "stacks.yaml": json.dumps({"version": 1, "project": "estate", "stacks": {"net": {"path": "net"}}}),
    "net/main.tf": 'resource "terraform_data" "net" {}\n',
}


def declare(world: World, *sources: dict[str, Any], **keys: Any) -> None:
    """Write the operator's file."""
    operator = world.folder / "holdfast.yaml"
    operator.write_text(json.dumps({"version": 1, "sources": list(sources), **keys}))
    world.extra["HOLDFAST_CONFIG"] = str(operator)


def git(location: object, name: str = "infra", **keys: Any) -> dict[str, Any]:
    return {"name": name, "git": {"url": str(location), **keys}}


def key_of(world: World) -> Path:
    """Make an SSH key to sign with and say who may; the checkout signs with it from now on."""
    key = world.folder / "ada"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    allowed = world.folder / "allowed"
    allowed.write_text(f"ada@example.org {key.with_suffix('.pub').read_text()}")
    world.git("config", "gpg.format", "ssh")
    world.git("config", "user.signingkey", str(key))
    return allowed


def sign(world: World) -> None:
    world.git("commit", "--quiet", "--amend", "--no-edit", "-S")


def elsewhere(world: World) -> tuple[str, ...]:
    """Return the words that have a command act in a folder that is no checkout."""
    folder = world.folder / "nowhere"
    folder.mkdir(exist_ok=True)
    return ("-C", str(folder))


def test_a_source_over_https_is_planned_applied_and_watched_without_a_checkout(world: World, https) -> None:
    world.commit(FILES)
    subprocess.run(["git", "clone", "-q", "--bare", world.checkout, https.root / "declared.git"], check=True)
    declare(world, git(https.url("declared"), branch="main", auth={"token": "${secret:token}"}))
    world.extra |= {"GIT_SSL_CAINFO": str(https.certificate), "HOLDFAST_SECRET_TOKEN": TOKEN}
    away = elsewhere(world)
    world.run("plan", "--source", "infra", *away).ended(0, "net", "1 to add")
    world.run(*away, "--source", "infra", "apply", "--yes").ended(0, "1 applied")
    world.run("drift", *away, HOLDFAST_SOURCE="infra").ended(0)
    world.run("status", "--check", "--source", "infra", *away).ended(0)
    assert not any(TOKEN.encode() in content for _, content in world.files_below(world.home))
    world.run("plan", "--source", "infra", *away, HOLDFAST_SECRET_TOKEN="wrong-canary").ended(1, "HF-3003")


@pytest.mark.needs("sshd", "ssh-keygen")
def test_a_source_over_ssh_is_read_with_its_own_key_and_pinned_host(world: World, ssh) -> None:
    world.commit(FILES)
    url = f"ssh://{ssh.user}@127.0.0.1:{ssh.port}{world.checkout}"
    auth = {"ssh_key": str(ssh.key), "known_hosts": str(ssh.known_hosts)}
    declare(world, git(url, auth=auth), git(url, "stranger", auth={**auth, "known_hosts": "/dev/null"}))
    world.run("plan", "--source", "infra", *elsewhere(world)).ended(0, "net", "1 to add")
    world.run("plan", "--source", "stranger", *elsewhere(world)).ended(1, "HF-3003")


def test_a_declared_folder_is_the_same_source_by_name_and_from_within(world: World) -> None:
    world.commit(FILES)
    shutil.rmtree(world.checkout / ".git")
    declare(world, {"name": "lab", "directory": {"path": str(world.checkout)}})
    world.run("apply", "--yes", "--source", "lab", *elsewhere(world)).ended(0, "1 applied")
    world.run("status", "--check").ended(0)


@pytest.mark.needs("ssh-keygen")
def test_a_checkout_of_a_declared_source_runs_only_what_is_signed(world: World) -> None:
    allowed = key_of(world)
    world.commit(FILES)
    sign(world)
    declare(world, git(world.checkout, verify={"commits": "signed", "signers": [str(allowed)]}))
    world.apply().ended(0, "1 applied")
    (world.checkout / "net/main.tf").write_text("# not committed\n")
    world.run("plan", "--dirty").ended(4, "HF-3016", "not committed")
    world.commit({"net/main.tf": "# slipped in\n"})
    world.forget_starts()
    for words in (["plan"], ["apply", "--yes"], ["validate"], ["status"], ["plan", "--ref", "HEAD"]):
        world.run(*words).ended(4, "HF-3016", "not signed")
    world.run("plan", "--source", "infra", *elsewhere(world)).ended(4, "HF-3016")
    assert world.starts() == []


def test_a_clone_is_known_by_its_origin_however_the_url_is_spelled(world: World) -> None:
    world.commit(FILES)
    world.git("remote", "add", "origin", "git@git.example.org:acme/infra.git")
    declare(world, git("https://git.example.org/acme/infra", verify={"commits": "signed"}))
    world.run("plan").ended(4, "HF-3016")


def test_an_older_commit_is_asked_about_unless_the_operator_says_no(world: World) -> None:
    world.commit(FILES)
    world.commit({"net/main.tf": 'resource "terraform_data" "net" { input = "newer" }\n'})
    declare(world, git(world.checkout))
    world.apply().ended(0, "1 applied")
    world.git("checkout", "--quiet", "HEAD~1")
    world.run("plan").ended(0, "is not after")
    declare(world, git(world.checkout, allow_rewrite=False))
    world.git("checkout", "--quiet", "main")
    world.run("plan").ended(0)
    world.git("checkout", "--quiet", "HEAD~1")
    world.run("plan").ended(4, "HF-3011")


def test_a_commit_that_only_a_checkout_has_does_not_stand_in_the_way_of_the_source(world: World) -> None:
    world.commit(FILES)
    subprocess.run(["git", "clone", "-q", "--bare", world.checkout, world.folder / "origin.git"], check=True)
    world.git("remote", "add", "origin", str(world.folder / "origin.git"))
    declare(world, git(world.folder / "origin.git"))
    world.commit({"net/main.tf": 'resource "terraform_data" "mine" {}\n'})
    world.run("plan").ended(0, "terraform_data.mine")
    world.run("plan", "--source", "infra", *elsewhere(world)).ended(0, "terraform_data.net")


@pytest.mark.parametrize(
    "source", [git("https://git.example.org/acme/estate"), {"name": "estate", "oci": {"ref": "x"}}]
)
def test_a_repository_may_not_go_by_the_name_of_a_source_that_it_is_not(world: World, source: dict[str, Any]) -> None:
    world.commit(FILES)
    declare(world, {**source, "name": "estate"})
    world.run("plan").ended(4, "HF-4112", "estate")
    assert world.starts() == []


def test_of_two_branches_the_one_that_is_checked_out_counts(world: World) -> None:
    world.commit(FILES)
    branches = [git(world.checkout, name, branch=name) for name in ("main", "staging")]
    declare(world, *branches)
    world.git("checkout", "--quiet", "-b", "staging")
    world.run("status").ended(0)
    assert [path.name for path in (world.home / "sources").iterdir()] == ["staging"]


@pytest.mark.parametrize("kind", ["s3", "azure_blob", "oci"])
def test_a_source_of_a_later_release_is_said_to_be_one(world: World, kind: str) -> None:
    declare(world, {"name": "golden", kind: {"bucket": "b"}})
    world.run("plan", "--source", "golden").ended(64, "HF-1050", kind, "not supported yet")


def test_an_unknown_source_is_told_with_the_nearest_name(world: World) -> None:
    declare(world, git("/srv/infra"))
    world.run("plan", "--source", "infar").ended(64, "HF-1052", 'did you mean "infra"?')
    world.run("plan", "--source", "x").ended(64, "HF-1052", "there are: infra")


def test_a_source_without_a_checkout_has_no_files_that_are_not_committed(world: World) -> None:
    world.commit(FILES)
    declare(world, git(world.checkout))
    world.run("plan", "--dirty", "--source", "infra").ended(64, "HF-1921")


def test_a_relative_home_means_the_folder_that_the_command_is_started_in(world: World) -> None:
    world.commit(FILES)
    world.run("status", HOLDFAST_HOME="../kept").ended(0)
    assert (world.folder / "kept" / "record.db").exists()
    assert world.git("status", "--porcelain") == ""
