"""`holdfast token` as it is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from serviced import Service

sys.path.insert(0, str(Path(__file__).parents[1]))

from promised import EXAMPLES, shape

from orchestrator.config.operator import HookKind


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """A service that does not run: tokens need none."""
    return Service(tmp_path_factory.mktemp("tokens"))


def test_a_token_is_printed_once_and_listed_without_what_proves_it(made: Service) -> None:
    done = made.run("token", "create", "ci", "--role", "web")
    assert done.returncode == 0
    token = done.stdout.strip()
    assert token.startswith("hf_")
    assert token not in done.stderr
    listed = made.run("token", "list")
    assert "ci" in listed.stdout
    assert token.split("_", 2)[2] not in listed.stdout + listed.stderr
    assert token.split("_", 2)[2].encode() not in (made.home / "record.db").read_bytes()


def test_programs_get_what_the_page_promises(made: Service) -> None:
    created = json.loads(made.run("token", "create", "prog", "--role", "view", "--until", "90d", "-o", "json").stdout)
    assert shape(created) == shape(EXAMPLES["token create"])
    assert created["until"]
    revoked = json.loads(made.run("token", "revoke", "prog", "-o", "json").stdout)
    assert shape(revoked) == shape(EXAMPLES["token revoke"])
    state = {one["id"]: one["state"] for one in json.loads(made.run("token", "list", "-o", "json").stdout)["tokens"]}
    assert state[created["id"]] == "revoked"
    told = [json.loads(line) for line in made.run("audit", "export", "--source", "lab").stdout.splitlines()]
    mine = [one["event"]["kind"] for one in told if one["event"].get("token") == created["id"]]
    assert mine == ["token_made", "token_revoked"]
    plain = made.run("token", "create", "plain", "--role", "view", "--plain").stdout
    assert plain.startswith("hf_")
    assert plain.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("create", "x", "--role", "wbe"), "HF-1940", "web"),
        (("create", "x", "--role", ""), "HF-1940", "admin"),
        (("create", "a b", "--role", "view"), "HF-1941", "letters"),
        (("create", "x", "--role", "view", "--until", "2020-01-01"), "HF-1908", "over"),
        (("create", "x", "--role", "view", "--until", "soon"), "HF-1908", "soon"),
        (("create", "x"), "HF-1900", "role"),
        (("create", "x", "--role", "view", "--for", "token:ci"), "HF-1944", "ana@"),
        (("revoke", "nobody"), "HF-1942", "token list"),
        (("remove", "x"), "HF-1900", "remove"),
    ],
)
def test_a_slip_is_told_in_words(made: Service, words: tuple[str, ...], code: str, said: str) -> None:
    done = made.run("token", *words)
    assert done.returncode == 64, done.stderr
    assert code in done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_without_an_operators_file_it_is_said_that_there_is_none(tmp_path: Path) -> None:
    def run(*words: str) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "HOLDFAST_HOME": str(tmp_path / "home")}
        command = [Path(sys.executable).with_name("holdfast"), *words]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        ).stderr

    for words in (
        ("serve",),
        ("token", "create", "x", "--role", "web"),
        ("token", "list"),
        ("status", "--source", "lab"),
    ):
        assert "no operator's file was found" in run(*words), words


def test_a_name_in_use_is_not_given_twice(made: Service) -> None:
    assert made.run("token", "create", "twice", "--role", "view").returncode == 0
    again = made.run("token", "create", "twice", "--role", "view")
    assert (again.returncode, "HF-1941" in again.stderr) == (64, True)


def test_the_page_says_of_every_kind_of_hook_what_to_choose() -> None:
    page = (Path(__file__).parents[2] / "docs" / "service.md").read_text(encoding="utf-8")
    assert all(f"\n| `{kind.value}`" in page for kind in HookKind)
