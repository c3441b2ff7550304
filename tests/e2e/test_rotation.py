"""The encryption key through the installed program: exchanged, interrupted anywhere, and the old one worth nothing."""

from __future__ import annotations

import base64
import json
import os
import re
import signal

import pytest
from cryptography.fernet import Fernet, InvalidToken
from e2e_yard import Yard
from promised import EXAMPLES, shape

from orchestrator.effects.failpoints import POINTS

pytestmark = pytest.mark.needs("git", "terraform")

STACKS = "version: 1\nproject: estate\nstacks:\n  web: {path: web}\n"
WEB = 'resource "terraform_data" "web" { input = "%s" }\noutput "made" { value = terraform_data.web.output }\n'
DEATHS = [f"rotation.{step}.{when}" for step in POINTS["rotation"] for when in ("before", "after")]


@pytest.fixture
def web(yard: Yard) -> Yard:
    yard.commit({"stacks.yaml": STACKS, "web/main.tf": WEB % "one"})
    yard.apply().ended(0)
    return yard


def tokens(yard: Yard) -> set[bytes]:
    """Return whatever looks like something encrypted in the record's files, those pages that are free among them."""
    files = [content for path, content in yard.files_below(yard.home) if path.name.startswith("record.db")]
    return {token for content in files for token in re.findall(rb"gAAAAA[\w-]+={0,2}", content)}


def opens(key: bytes, token: bytes) -> bool:
    try:
        Fernet(key).decrypt(token)
    except InvalidToken:
        return False
    return True


@pytest.mark.parametrize("point", DEATHS)
def test_a_rotation_that_dies_anywhere_is_finished_by_the_next(web: Yard, point: str) -> None:
    old = (web.home / "key").read_bytes().strip()
    assert web.run("rotate-key", HOLDFAST_FAILPOINT=point).code == -signal.SIGKILL
    web.run("outputs", "web", "made").ended(0, "one")
    web.run("rotate-key").ended(0, "under the new key")
    (new,) = (web.home / "key").read_bytes().split()
    assert new != old
    web.run("outputs", "web", "made").ended(0, "one")
    assert any(opens(new, token) for token in tokens(web))
    assert not [token for token in tokens(web) if opens(old, token)]


def test_a_rotation_writes_no_artifact_anew_and_says_what_it_did(web: Yard) -> None:
    before = {path: path.stat().st_mtime_ns for path, _ in web.files_below(web.home / "artifacts")}
    said = web.run("rotate-key", "-o", "json").ended(0).json
    assert shape(said) == shape(EXAMPLES["rotate-key"])
    assert said == {"data_keys": 2, "encrypted_anew": 0, "remove_from": ""}
    assert {path: path.stat().st_mtime_ns for path, _ in web.files_below(web.home / "artifacts")} == before


def test_the_operators_key_is_exchanged_once_a_new_one_stands_in_the_secret(web: Yard) -> None:
    old, new = (base64.urlsafe_b64encode(os.urandom(32)).decode() for _ in range(2))
    operator = web.folder / "holdfast.yaml"
    operator.write_text(json.dumps({"version": 1, "encryption": {"key": "${secret:data-key}"}}))
    web.extra |= {"HOLDFAST_CONFIG": str(operator), "HOLDFAST_SECRET_DATA_KEY": old}
    web.commit({"web/main.tf": WEB % "two"})
    web.apply().ended(0)
    web.run("rotate-key").ended(1, "HF-4312", "a line above")
    web.run("rotate-key", HOLDFAST_SECRET_DATA_KEY=f"{new}\n{old}").ended(0, "remove the old key")
    web.extra["HOLDFAST_SECRET_DATA_KEY"] = new
    web.run("outputs", "web", "made").ended(0, "two")
    web.run("outputs", "web", "made", HOLDFAST_SECRET_DATA_KEY=old).ended(1, "HF-4311")
