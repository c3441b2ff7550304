"""Secrets in Vault, asked through the real client of a fake server: one that does not answer has not said "absent"."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

import pytest

from orchestrator.assembly.host import open_host
from orchestrator.config.operator import operator_of
from orchestrator.effects import secrets_vault
from orchestrator.effects.secrets import EnvironmentStore, Remembering, Shelf, StoreSecrets
from orchestrator.effects.secrets_vault import VaultStore
from orchestrator.errors import SecretMissing, StoreUnreachable

sys.path.insert(0, str(Path(__file__).parent))
fake = import_module("fake_vault")

CANARY = "canary-51c0ff"
KEY = b"k" * 32
ELSEWHERE = EnvironmentStore(environ={"HOLDFAST_SECRET_DB_PASSWORD": "from the store after it"})


@pytest.fixture
def vault() -> Iterator[fake.FakeVault]:
    with fake.fake_vault() as running:
        running.secrets["holdfast/db"] = (1, {"password": CANARY, "port": 5432})
        running.secrets["holdfast"] = (4, {"oidc": "shared"})
        yield running


def store(vault: fake.FakeVault, login: Mapping[str, str] | None = None, **more: str) -> VaultStore:
    given = {"token": vault.token} if login is None else login
    return VaultStore(**{"address": vault.address, "mount": "kv", "path": "holdfast", "login": lambda: given, **more})


def secrets(*stores: object) -> StoreSecrets:
    return StoreSecrets(shelves=tuple(Shelf(store=one) for one in stores), key=KEY)


def refusal(asked: StoreSecrets, name: str = "db/password") -> SecretMissing:
    with pytest.raises(SecretMissing) as caught:
        asked.get(name)
    assert CANARY not in str(caught.value)
    assert "t0k3n" not in f"{caught.value} {caught.value.hint}"
    return caught.value


def test_the_last_part_of_a_name_is_the_key_of_the_secret(vault: fake.FakeVault):
    asked = secrets(store(vault))
    assert asked.get("db/password").value == CANARY
    assert asked.get("oidc").value == "shared"
    assert vault.asked == ["/v1/kv/data/holdfast/db", "/v1/kv/data/holdfast"]


def test_the_version_is_that_of_the_secret_and_tells_nothing(vault: fake.FakeVault):
    first = secrets(store(vault)).get("db/password").version
    assert CANARY not in first
    vault.secrets["holdfast/db"] = (2, {"password": CANARY})
    assert secrets(store(vault)).get("db/password").version != first
    vault.secrets["holdfast/db"] = (1, {"password": CANARY})
    assert secrets(store(vault)).get("db/password").version == first
    assert (
        secrets(store(vault, address=vault.address.replace("127.0.0.1", "localhost"))).get("db/password").version
        != first
    )


def test_a_role_is_logged_in_once_and_again_when_its_token_has_ended(vault: fake.FakeVault):
    by_role = store(vault, {"role_id": "role-1", "secret_id": "secret-1"})
    asked = secrets(by_role)
    assert asked.get("db/password").value == CANARY
    assert asked.get("oidc").value == "shared"
    logins = [path for path in vault.asked if "login" in path]
    assert logins == ["/v1/auth/approle/login"]
    vault.tokens.clear()
    assert refusal(asked).code == "HF-4403"
    assert asked.get("db/password").value == CANARY


@pytest.mark.parametrize("name", ["db/other", "nothing/there", "other"])
def test_what_is_absent_is_looked_for_in_the_next_store(vault: fake.FakeVault, name: str):
    environ = {f"HOLDFAST_SECRET_{name.replace('/', '_').upper()}": "next"}
    assert secrets(store(vault), EnvironmentStore(environ=environ)).get(name).value == "next"
    assert refusal(secrets(store(vault)), name).code == "HF-4400"


def test_a_secret_whose_newest_version_is_deleted_is_absent(vault: fake.FakeVault):
    vault.secrets["holdfast/db"] = (3, None)
    assert refusal(secrets(store(vault))).code == "HF-4400"


@pytest.mark.parametrize("login", [{"token": "wrong"}, {"role_id": "role-1", "secret_id": "wrong"}])
def test_who_is_not_let_in_hears_so_and_no_other_store_is_asked(vault: fake.FakeVault, login: dict[str, str]):
    refused = refusal(secrets(store(vault, login), ELSEWHERE))
    assert (refused.code, refused.transient) == ("HF-4403", False)


def test_what_the_policy_forbids_is_not_absent(vault: fake.FakeVault):
    vault.forbidden.add("holdfast/db")
    refused = refusal(secrets(store(vault), ELSEWHERE))
    assert refused.code == "HF-4403"
    assert "permission denied" in refused.message


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_vault_that_cannot_answer_now_is_an_error_and_may_be_tried_again(vault: fake.FakeVault, status: int):
    vault.status = status
    refused = refusal(secrets(store(vault), ELSEWHERE))
    assert isinstance(refused, StoreUnreachable)
    assert (refused.code, refused.transient) == ("HF-4402", True)


def test_a_vault_that_is_not_there_is_an_error(vault: fake.FakeVault):
    gone = store(vault, address="http://127.0.0.1:9")
    assert refusal(secrets(gone, ELSEWHERE)).code == "HF-4402"


def test_a_vault_that_says_nothing_is_not_waited_for_longer_than_agreed(
    vault: fake.FakeVault, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(secrets_vault, "PATIENCE", 0.2)
    vault.speaks.clear()
    refused = refusal(secrets(store(vault), ELSEWHERE))
    assert (refused.code, refused.transient) == ("HF-4406", True)


def test_a_token_does_not_follow_where_an_answer_leads(vault: fake.FakeVault):
    with fake.fake_vault() as other:
        vault.redirect = other.address
        assert refusal(secrets(store(vault), ELSEWHERE)).code in {"HF-4402", "HF-4405"}
        assert other.asked == []


@pytest.mark.parametrize("mount", ["none", "old"])
def test_an_engine_that_is_not_there_or_of_another_kind_is_no_absent_secret(vault: fake.FakeVault, mount: str):
    assert refusal(secrets(store(vault, mount=mount), ELSEWHERE)).code == "HF-4405"


def test_a_value_that_is_no_text_is_refused(vault: fake.FakeVault):
    assert refusal(secrets(store(vault)), "db/port").code == "HF-4401"


def test_without_the_library_one_hears_what_to_install(vault: fake.FakeVault, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "hvac", None)
    refused = refusal(secrets(store(vault), ELSEWHERE))
    assert (refused.code, refused.hint) == ("HF-4404", "pip install 'holdfast[vault]'")


def test_a_vault_that_hangs_keeps_one_waiting_and_not_everybody_for_each_name(
    vault: fake.FakeVault, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(secrets_vault, "PATIENCE", 0.2)
    now = [0.0]
    asked = secrets(Remembering(lambda: store(vault), now=lambda: now[0]))
    first = asked.get("db/password").value
    asked.forget()
    vault.speaks.clear()
    with ThreadPoolExecutor(8) as crowd:
        # As many runs begin, each forgets what was answered before.
        refused = list(crowd.map(lambda number: refusal(asked, f"db/other-{number}"), range(40)))
    assert {(one.code, one.transient) for one in refused} == {("HF-4406", True)}
    assert len(vault.asked) == 2
    asked.forget()
    vault.speaks.set()
    assert refusal(asked).code == "HF-4406"
    # What it told once is masked all the while.
    assert asked.told() == (first,)
    now[0] += 15.0
    assert asked.get("db/password").value == first


def test_what_the_service_says_of_itself_waits_for_no_vault_and_masks_what_it_told(
    vault: fake.FakeVault, tmp_path: Path
):
    file = tmp_path / "holdfast.yaml"
    place = {"address": vault.address, "path": "kv/holdfast"}
    sets = {"aws": {"environment": {"KEY": "${secret:db/password}"}, "stacks": ["*"]}}
    file.write_text(json.dumps({"version": 1, "secrets": [{"vault": place}], "credentials": sets}))
    operator = operator_of({"HOLDFAST_CONFIG": str(file)})
    with open_host(tmp_path / "home", operator, {"VAULT_TOKEN": vault.token}) as host:
        vault.speaks.clear()
        host.masker()("a line")
        assert vault.asked == []
        vault.speaks.set()
        value = host.own_secret("db/password")
        vault.speaks.clear()
        host.secrets.forget()
        assert value not in host.masker()(f"the tool said {value}")


def test_an_answer_counts_until_it_is_forgotten_and_a_failure_is_never_kept(vault: fake.FakeVault):
    asked = secrets(Remembering(lambda: store(vault)))
    vault.status = 503
    assert refusal(asked).code == "HF-4402"
    vault.status = 0
    first = asked.get("db/password")
    vault.secrets["holdfast/db"] = (2, {"password": "new"})
    assert asked.get("db/password") == first
    assert vault.asked.count("/v1/kv/data/holdfast/db") == 2
    asked.forget()
    assert asked.get("db/password").value == "new"
