"""Secrets and credential sets: who asks gets the value, everybody else gets none of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.effects.credentials import CredentialSet, GrantedCredentials
from orchestrator.effects.secrets import EnvironmentStore, FileStore, Shelf, Store, StoreSecrets, SystemdStore
from orchestrator.errors import ConfigError, Denied, SecretMissing
from orchestrator.model.stack import StackKey

CANARY = "canary-51c0ff"
KEY = b"k" * 32
NET = StackKey(source="acme", name="net", environment="prod")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "secrets"
    made.mkdir()
    return made


def put(path: Path, value: str | bytes, mode: int = 0o600) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(value.encode() if isinstance(value, str) else value)
    path.chmod(mode)


def shelves(*stores: Store) -> tuple[Shelf, ...]:
    return tuple(Shelf(store=store) for store in stores)


def files(folder: Path) -> StoreSecrets:
    return StoreSecrets(shelves=(Shelf(store=FileStore(folder=folder)),), key=KEY)


def test_the_first_store_that_knows_the_name_wins(folder: Path, tmp_path: Path):
    systemd = tmp_path / "credentials"
    put(folder / "db" / "password", "from the folder\n")
    put(systemd / "db_password", "from systemd", 0o400)
    environ = {"HOLDFAST_SECRET_DB_PASSWORD": "from the environment", "HOLDFAST_SECRET_ONLY_HERE": "here"}
    stores = shelves(SystemdStore(folder=systemd), FileStore(folder=folder), EnvironmentStore(environ=environ))
    assert StoreSecrets(shelves=stores, key=KEY).get("db/password").value == "from systemd"
    assert StoreSecrets(shelves=stores[1:], key=KEY).get("db/password").value == "from the folder"
    assert StoreSecrets(shelves=stores[2:], key=KEY).get("db/password").value == "from the environment"
    assert StoreSecrets(shelves=stores, key=KEY).get("only-here").value == "here"


def test_a_missing_secret_names_the_stores_that_were_asked(folder: Path):
    stores = shelves(FileStore(folder=folder), EnvironmentStore(environ={"HOLDFAST_SECRET_DB_PASSWORD": ""}))
    with pytest.raises(SecretMissing) as refused:
        StoreSecrets(shelves=stores, key=KEY).get("db/password")
    assert refused.value.code == "HF-4400"
    asked = f"file {folder}/db/password, environment variable HOLDFAST_SECRET_DB_PASSWORD"
    assert refused.value.message == f"no store knows the secret db/password (asked: {asked})"


def test_a_version_changes_with_the_value_and_tells_nothing_of_it(folder: Path):
    put(folder / "a", CANARY)
    put(folder / "b", CANARY)
    first = files(folder).versions(["a", "b", "a"])
    assert first["a"] == first["b"] == files(folder).get("a").version
    assert CANARY not in str(first)
    assert StoreSecrets(shelves=files(folder).shelves, key=b"other" * 7).get("a").version != first["a"]
    put(folder / "a", CANARY + "2")
    second = files(folder).versions(["a", "b"])
    assert second["a"] != first["a"]
    assert second["b"] == first["b"]


@pytest.mark.parametrize(
    ("stored", "value"),
    [
        ("x", "x"),
        ("x\n", "x"),
        ("x\r\n", "x"),
        ("x\n\n", "x\n"),
        (" x ", " x "),
        ("a\nb", "a\nb"),
        ("ü", "ü"),
        ("", ""),
    ],
)
def test_only_the_end_of_line_that_an_editor_adds_is_taken_off(folder: Path, stored: str, value: str):
    put(folder / "s", stored)
    assert files(folder).get("s").value == value


@pytest.mark.parametrize(
    "name",
    ["", "/etc/passwd", "../outside", "a/../../outside", "a//b", ".hidden", "a/.b", "a b", "a\0b", "a\n", "ä", "a/"],
)
def test_a_name_that_could_lead_elsewhere_is_refused(folder: Path, name: str):
    put(folder.parent / "outside", CANARY)
    with pytest.raises(SecretMissing) as refused:
        files(folder).get(name)
    assert refused.value.code == "HF-4401"


def test_a_link_out_of_the_folder_is_refused_and_one_inside_is_followed(folder: Path, tmp_path: Path):
    put(tmp_path / "outside", CANARY)
    (folder / "out").symlink_to(tmp_path / "outside")
    put(folder / "..data" / "token", "t")
    (folder / "token").symlink_to("..data/token")
    assert files(folder).get("token").value == "t"
    with pytest.raises(SecretMissing, match="leads out of its folder"):
        files(folder).get("out")


@pytest.mark.parametrize("mode", [0o604, 0o644, 0o602, 0o666])
def test_a_file_that_everybody_may_read_or_write_is_refused(folder: Path, mode: int):
    put(folder / "open", CANARY, mode)
    with pytest.raises(SecretMissing) as refused:
        files(folder).get("open")
    assert refused.value.code == "HF-4401"
    assert CANARY not in str(refused.value)


def test_bytes_that_are_no_text_are_refused_without_being_shown(folder: Path):
    put(folder / "binary", b"canary\xff\xfe")
    with pytest.raises(SecretMissing, match="is not UTF-8 text") as refused:
        files(folder).get("binary")
    assert refused.value.__cause__ is None


def test_a_folder_or_a_pipe_is_no_secret_and_hangs_nobody(folder: Path):
    (folder / "sub").mkdir()
    os.mkfifo(folder / "pipe", 0o600)
    for name in ("sub", "pipe"):
        with pytest.raises(SecretMissing, match="is not a file"):
            files(folder).get(name)


def test_a_store_is_read_by_the_stacks_that_it_is_granted_to_and_the_next_one_by_the_others(folder: Path):
    put(folder / "db", CANARY)
    put(folder / "net", CANARY)
    stores = (
        Shelf(store=FileStore(folder=folder), stacks=("acme/*@prod",)),
        Shelf(store=EnvironmentStore(environ={"MINE_DB": "for everybody"}, prefix="MINE_")),
    )
    secrets = StoreSecrets(shelves=stores, key=KEY)
    other = StackKey(source="acme", name="net", environment="dev")
    assert secrets.readable_by(NET, foreign=False).get("db").value == CANARY
    assert secrets.readable_by(other, foreign=False).get("db").value == "for everybody"
    with pytest.raises(Denied, match="not granted to acme/net@dev") as refused:
        secrets.readable_by(other, foreign=False).versions(["net"])
    assert (refused.value.code, "operator" in refused.value.hint) == ("HF-4411", True)
    with pytest.raises(SecretMissing, match="MINE_NOWHERE"):
        secrets.readable_by(other, foreign=False).get("nowhere")


def test_what_a_pull_request_proposes_reads_only_what_is_granted_to_such_code(folder: Path):
    put(folder / "db", CANARY)
    closed = StoreSecrets(shelves=shelves(FileStore(folder=folder)), key=KEY)
    with pytest.raises(Denied, match="pull requests of acme/net@prod") as refused:
        closed.readable_by(NET, foreign=True).get("db")
    assert refused.value.code == "HF-4411"
    opened = StoreSecrets(shelves=(Shelf(store=FileStore(folder=folder), foreign=True),), key=KEY)
    assert opened.readable_by(NET, foreign=True).get("db").value == CANARY


@pytest.mark.parametrize("name", ["aws/key", "aws_key", "aws-key", "AWS/Key", "aws.key"])
def test_a_secret_of_a_credential_set_is_no_input_however_it_is_spelled(name: str):
    store = EnvironmentStore(environ={"HOLDFAST_SECRET_AWS_KEY": CANARY})
    secrets = StoreSecrets(shelves=shelves(store), key=KEY, reserved=frozenset({"aws/key"}))
    with pytest.raises(Denied) as refused:
        secrets.readable_by(NET, foreign=False).get(name)
    assert refused.value.code == "HF-4410"
    assert secrets.get("aws/key").value == CANARY


def granted(sets: dict[str, CredentialSet], environ: dict[str, str] | None = None) -> GrantedCredentials:
    store = EnvironmentStore(environ={"HOLDFAST_SECRET_AWS_KEY": CANARY})
    return GrantedCredentials(sets=sets, secrets=StoreSecrets(shelves=shelves(store), key=KEY), environ=environ or {})


def test_a_granted_set_brings_its_variables_and_nothing_else():
    aws = CredentialSet(
        environment={
            "AWS_SECRET_ACCESS_KEY": "${secret:aws/key}",
            "AWS_REGION": "eu-west-1",
            "URL": "k=${secret:aws/key};",
        },
        passed=("HTTPS_PROXY", "NOT_SET"),
        stacks=("acme/*@prod",),
    )
    credentials = granted({"aws": aws}, {"HTTPS_PROXY": "http://proxy", "OTHER": "x"})
    assert credentials.environment("aws", NET) == {
        "HTTPS_PROXY": "http://proxy",
        "AWS_SECRET_ACCESS_KEY": CANARY,
        "AWS_REGION": "eu-west-1",
        "URL": f"k={CANARY};",
    }


@pytest.mark.parametrize("globs", [(), ("acme/*@dev",), ("acme/net",), ("ACME/*",), ("shop/*", "acme/ne")])
def test_a_set_that_is_not_granted_is_denied_before_any_secret_is_read(globs: tuple[str, ...]):
    broken = CredentialSet(environment={"X": "${secret:does/not/exist}"}, stacks=globs)
    with pytest.raises(Denied) as refused:
        granted({"aws": broken}).environment("aws", NET)
    assert refused.value.code == "HF-4110"
    assert refused.value.message == "the credential set aws is not granted to acme/net@prod"


def test_a_set_that_nobody_defined_is_denied_with_the_nearest_name():
    with pytest.raises(Denied) as refused:
        granted({"aws-prod": CredentialSet()}).environment("aws-prd", NET)
    assert refused.value.code == "HF-4111"
    assert refused.value.hint == 'did you mean "aws-prod"?'


def test_a_set_can_refer_to_secrets_only():
    leaky = CredentialSet(environment={"X": "${output:net.id}"}, stacks=("*",))
    with pytest.raises(ConfigError, match="cannot stand in credential set leaky"):
        granted({"leaky": leaky}).environment("leaky", NET)
