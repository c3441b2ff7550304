"""The secret stores through the installed program: what answers, what does not, and no value anywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyrage
import pytest
from e2e_yard import Yard
from promised import EXAMPLES, shape

pytestmark = pytest.mark.needs("git", "terraform")

CANARY = "canary-51c0ff"
#: Nothing listens there.
NOWHERE = {"vault": {"address": "http://127.0.0.1:9", "path": "kv/holdfast", "token": "${secret:vault-token}"}}
STACK = (
    'variable "password" {\n  sensitive = true\n}\nresource "terraform_data" "web" { input = sha256(var.password) }\n'
)


@pytest.fixture
def web(yard: Yard) -> Yard:
    """A stack whose input is in a file that sops encrypted, beside the operator's file."""
    identity = pyrage.x25519.Identity.generate()
    key = yard.folder / "age.txt"
    key.write_text(f"{identity}\n")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    file = yard.folder / "secrets" / "all.enc.yaml"
    file.parent.mkdir()
    file.write_text(f"web:\n  password: {CANARY}\nvault-token: {CANARY}-token\n")
    argv = ["sops", "--encrypt", "--in-place", "--age", str(identity.to_public()), str(file)]
    subprocess.run(argv, env={"PATH": path, "HOME": str(yard.folder)}, check=True, capture_output=True)
    yard.extra |= {"SOPS_AGE_KEY_FILE": str(key), "PATH": f"{yard.folder}/bin{os.pathsep}{path}"}
    inputs = {"password": "${secret:web/password}"}
    stacks = {"version": 1, "project": "estate", "stacks": {"web": {"path": "web", "inputs": inputs}}}
    yard.commit({"stacks.yaml": json.dumps(stacks), "web/main.tf": STACK})
    return yard


def declare(yard: Yard, *stores: dict[str, Any]) -> None:
    operator = yard.folder / "holdfast.yaml"
    operator.write_text(json.dumps({"version": 1, "secrets": stores}))
    yard.extra["HOLDFAST_CONFIG"] = str(operator)


def test_a_stack_gets_what_sops_keeps_and_the_value_stays_nowhere(web: Yard) -> None:
    declare(web, {"sops": {"files": "secrets/*.enc.yaml"}})
    checked = web.run("secrets", "check").ended(0, "answers", "web/password")
    applied = web.apply().ended(0, "1 applied")
    assert CANARY not in checked.said + applied.said
    left = [path for path, content in web.files_below(web.home) if CANARY.encode() in content]
    assert {path.name for path in left} <= {"terraform.tfstate"}
    document = web.run("secrets", "check", "-o", "json").ended(0).json
    assert shape(document) == shape({**EXAMPLES["secrets check"], "operator": []})
    (only,) = document["stacks"][0]["secrets"]
    assert (only["name"], only["used"], only["found"]) == ("web/password", "inputs", True)
    assert web.run("secrets", "check", "--plain").ended(0).out.count("\n") == 2


def test_a_store_that_does_not_answer_hides_none_and_is_named(web: Yard) -> None:
    declare(web, {"sops": {"files": "secrets/*.enc.yaml"}}, NOWHERE, {"environment": {}})
    web.run("plan").ended(0, "1 to add")
    declare(web, {"environment": {}}, NOWHERE, {"sops": {"files": "secrets/*.enc.yaml"}})
    web.extra["HOLDFAST_SECRET_VAULT_TOKEN"] = f"{CANARY}-token"
    refused = web.run("plan")
    assert refused.code != 0
    refused.ended(refused.code, "HF-4402", "127.0.0.1:9")
    checked = web.run("secrets", "check").ended(1, "HF-4402", "answers")
    assert CANARY not in refused.said + checked.said


def test_a_secret_that_is_missing_or_not_granted_is_told(web: Yard) -> None:
    declare(web, {"sops": {"files": "secrets/*.enc.yaml"}, "stacks": ["other/*"]})
    web.run("secrets", "check").ended(1, "HF-4411")
    declare(web, {"environment": {}})
    web.run("secrets", "check").ended(1, "HF-4400")
    web.run("secrets", "chekc").ended(64)


def test_where_nothing_names_a_secret_stores_are_asked_all_the_same(web: Yard) -> None:
    web.commit({"stacks.yaml": "version: 1\nproject: estate\nstacks: {}\n"})
    declare(web, NOWHERE | {"stacks": ["*"]}, {"environment": {}})
    web.run("secrets", "check", VAULT_TOKEN="t").ended(1, "HF-4400")
    nowhere = {"vault": {"address": "http://127.0.0.1:9", "path": "kv/holdfast"}}
    declare(web, {"environment": {}}, nowhere)
    web.run("secrets", "check", VAULT_TOKEN=f"{CANARY}-token").ended(1, "HF-4402", "Nothing names a secret")
    web.run("secrets", "check", VAULT_TOKEN="").ended(1, "HF-4403", "VAULT_TOKEN")
