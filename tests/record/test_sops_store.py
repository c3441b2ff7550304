"""Secrets in files that the real sops encrypted: what it cannot decrypt is an error, and never an absent secret."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest

from orchestrator.effects import secrets_sops
from orchestrator.effects.secrets import EnvironmentStore, Shelf, Store, StoreSecrets
from orchestrator.effects.secrets_sops import SopsStore
from orchestrator.errors import SecretMissing, StoreUnreachable

CANARY = "canary-51c0ff"
KEY = b"k" * 32
BESIDE = Path(sys.executable).parent
ELSEWHERE = EnvironmentStore(environ={"HOLDFAST_SECRET_DB_PASSWORD": "from the store after it"})
DOCUMENT = f'db:\n  password: {CANARY}\n  port: 5432\n  open: true\ntoken: "007"\n'


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """The environment of whoever may decrypt: sops finds one age key in it."""
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "key.txt").write_text(f"{identity}\n")
    return {
        "PATH": f"{BESIDE}:{os.defpath}",
        "HOME": str(tmp_path),
        "SOPS_AGE_KEY_FILE": str(tmp_path / "key.txt"),
        "RECIPIENT": str(identity.to_public()),
    }


@pytest.fixture
def encrypt(tmp_path: Path, environ: dict[str, str]) -> Callable[..., Path]:
    """Have sops encrypt a document into a file of the folder ``files``."""

    def write(name: str, text: str = DOCUMENT) -> Path:
        path = tmp_path / "files" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        argv = ["sops", "--encrypt", "--in-place", "--age", environ["RECIPIENT"], str(path)]
        subprocess.run(argv, env=environ, check=True, capture_output=True)
        assert CANARY not in path.read_text()
        return path

    return write


@pytest.fixture
def store(tmp_path: Path, environ: dict[str, str]) -> SopsStore:
    return SopsStore(globs=[f"{tmp_path}/files/*.enc.*"], environ=environ)


def secrets(*stores: Store) -> StoreSecrets:
    return StoreSecrets(shelves=tuple(Shelf(store=one) for one in stores), key=KEY)


def refusal(store: SopsStore, name: str = "db/password") -> SecretMissing:
    with pytest.raises(SecretMissing) as caught:
        secrets(store, ELSEWHERE).get(name)
    assert CANARY not in str(caught.value)
    return caught.value


def test_a_value_is_found_by_its_path_in_the_first_file_that_has_it(store: SopsStore, encrypt: Callable[..., Path]):
    encrypt("a.enc.yaml", "other: 1\n")
    encrypt("b.enc.yaml")
    encrypt("c.enc.yaml", "db:\n  password: later\n  user: ana\n")
    asked = secrets(store)
    assert asked.get("db/password").value == CANARY
    assert asked.get("token").value == "007"
    assert asked.get("db/user").value == "ana"


@pytest.mark.parametrize(
    ("name", "text", "secret"),
    [
        ("x.enc.json", f'{{"db": {{"password": "{CANARY}"}}}}', "db/password"),
        ("x.enc.env", f"PASSWORD={CANARY}\n", "PASSWORD"),
        ("x.enc.ini", f"[db]\npassword = {CANARY}\n", "db/password"),
        ("x.enc.key", f"{CANARY}", "data"),
    ],
)
def test_every_kind_of_file_that_sops_knows_is_read(
    store: SopsStore, encrypt: Callable[..., Path], name: str, text: str, secret: str
):
    encrypt(name, text)
    assert secrets(store).get(secret).value == CANARY


def test_the_version_is_that_of_the_encrypted_file(store: SopsStore, encrypt: Callable[..., Path]):
    encrypt("x.enc.yaml")
    first = secrets(store).get("db/password").version
    assert secrets(store).get("db/password").version == first
    encrypt("x.enc.yaml")
    assert secrets(store).get("db/password").version != first


@pytest.mark.parametrize("name", ["db/none", "none", "db/password/more", "token/x", "sops/mac"])
def test_what_no_file_has_is_looked_for_in_the_next_store(store: SopsStore, encrypt: Callable[..., Path], name: str):
    encrypt("x.enc.yaml")
    with pytest.raises(SecretMissing) as caught:
        secrets(store).get(name)
    assert caught.value.code == "HF-4400"


@pytest.mark.parametrize("name", ["db", "db/port", "db/open"])
def test_what_is_no_text_is_refused(store: SopsStore, encrypt: Callable[..., Path], name: str):
    encrypt("x.enc.yaml")
    assert refusal(store, name).code == "HF-4401"


def test_without_the_key_nothing_is_known_and_no_other_store_is_asked(
    store: SopsStore, encrypt: Callable[..., Path], environ: dict[str, str]
):
    encrypt("x.enc.yaml")
    del environ["SOPS_AGE_KEY_FILE"]
    refused = refusal(store)
    assert refused.code == "HF-4403"
    assert "x.enc.yaml" in refused.message


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("data:", "data:A", 1),
        lambda _: "db: {password: in clear}\n",
        lambda text: text[: len(text) // 2],
        lambda _: "\0",
        lambda _: "",
    ],
    ids=["altered", "in clear", "cut off", "binary", "empty"],
)
def test_a_file_that_was_altered_or_never_encrypted_is_refused(
    store: SopsStore, encrypt: Callable[..., Path], damage: Callable[[str], str]
):
    path = encrypt("x.enc.yaml")
    path.write_text(damage(path.read_text()))
    assert refusal(store).code == "HF-4405"


def test_a_file_that_everybody_may_write_is_refused(store: SopsStore, encrypt: Callable[..., Path]):
    encrypt("x.enc.yaml").chmod(0o666)
    assert refusal(store).code == "HF-4401"


def test_no_file_at_all_is_a_slip_of_the_operator(store: SopsStore):
    assert refusal(store).code == "HF-4405"


def test_without_the_program_one_hears_what_to_install(
    store: SopsStore, encrypt: Callable[..., Path], environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    encrypt("x.enc.yaml")
    monkeypatch.setenv("PATH", "/nowhere")
    environ["PATH"] = "/nowhere"
    refused = refusal(store)
    assert refused.code == "HF-4404"
    assert "sops" in refused.hint


def test_a_program_that_hangs_is_ended_and_may_be_tried_again(
    tmp_path: Path,
    store: SopsStore,
    encrypt: Callable[..., Path],
    environ: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
):
    encrypt("x.enc.yaml")
    hanging = tmp_path / "bin" / "sops"
    hanging.parent.mkdir()
    hanging.write_text("#!/bin/sh\nexec sleep 60\n")
    hanging.chmod(0o755)
    monkeypatch.setattr(secrets_sops, "PATIENCE", 0.3)
    environ["PATH"] = f"{hanging.parent}:{os.defpath}"
    refused = refusal(store)
    assert isinstance(refused, StoreUnreachable)
    assert refused.code == "HF-4406"


def test_sops_gets_no_secret_of_our_own_environment(
    tmp_path: Path, store: SopsStore, encrypt: Callable[..., Path], environ: dict[str, str]
):
    encrypt("x.enc.yaml")
    spy = tmp_path / "bin" / "sops"
    spy.parent.mkdir()
    spy.write_text(f'#!/bin/sh\nenv >{tmp_path}/seen\nexec {BESIDE}/sops "$@"\n')
    spy.chmod(0o755)
    environ |= {"PATH": f"{spy.parent}:{environ['PATH']}", "HOLDFAST_SECRET_OTHER": "other", "GITHUB_TOKEN": "gh"}
    assert secrets(store).get("db/password").value == CANARY
    seen = (tmp_path / "seen").read_text()
    assert "SOPS_AGE_KEY_FILE" in seen
    assert "HOLDFAST" not in seen
    assert "GITHUB" not in seen
