"""The operator's file through the installed program: where the record is kept, and what has no effect yet."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.fernet import Fernet
from e2e_yard import Yard

pytestmark = pytest.mark.needs("git", "terraform")


def operator(yard: Yard, **keys: Any) -> None:
    """Write the operator's file."""
    file = yard.folder / "holdfast.yaml"
    file.write_text(json.dumps({"version": 1, **keys}))
    yard.extra["HOLDFAST_CONFIG"] = str(file)


def declare(yard: Yard, **keys: Any) -> None:
    """Write the operator's file, and commit a stack."""
    operator(yard, **keys)
    stacks = json.dumps({"version": 1, "project": "estate", "stacks": {"net": {"path": "net"}}})
    yard.commit({"stacks.yaml": stacks, "net/main.tf": 'resource "terraform_data" "net" {}\n'})


@pytest.mark.needs("initdb")
def test_the_record_lives_in_postgresql_where_the_operator_wants_it(yard: Yard, postgresql_url: str) -> None:
    url = postgresql_url.replace("postgres@", "postgres:${secret:db/pass}@")
    declare(yard, database=url)
    yard.extra["HOLDFAST_SECRET_DB_PASS"] = "p@ss/c4n4ry"
    yard.run("plan").ended(64, "HF-1061", "encryption:")
    operator(yard, database=url, encryption={"key": "${secret:data-key}"})
    yard.extra["HOLDFAST_SECRET_DATA_KEY"] = Fernet.generate_key().decode()
    # What one host keeps on its disk the others would not find.
    yard.run("plan").ended(1, "HF-2012", "backend")
    backend = f'terraform {{\n backend "local" {{\n path = "{yard.folder}/net.tfstate"\n }}\n}}\n'
    yard.commit({"net/main.tf": f'{backend}resource "terraform_data" "net" {{}}\n'})
    yard.run("plan").ended(0, "1 to add")
    yard.apply().ended(0, "1 applied")
    yard.run("drift").ended(0)
    yard.run("status", "--check").ended(0)
    yard.run("runs").ended(0, "apply")
    yard.run("doctor").ended(0, "whole")
    yard.record_is_sound()
    assert not (yard.home / "record.db").exists()
    assert not (yard.home / "artifacts").exists()
    yard.run("status", HOLDFAST_SECRET_DB_PASS="").ended(1, "HF-4400", "db/pass")


def test_the_record_lies_in_another_file_where_the_operator_wants_it(yard: Yard) -> None:
    declare(yard, database=f"sqlite:///{yard.folder}/kept/holdfast.db")
    yard.apply().ended(0, "1 applied")
    yard.run("status", "--check").ended(0)
    assert (yard.folder / "kept/holdfast.db").exists()
    assert not (yard.home / "record.db").exists()


def test_a_worker_shares_its_record_or_is_none(yard: Yard) -> None:
    declare(yard, sources=[{"name": "estate", "git": {"url": str(yard.checkout), "branch": "main"}}])
    yard.run("worker").ended(64, "HF-1062", "PostgreSQL")


@pytest.mark.parametrize("url", ["mysql://u@h/d", "sqlite:///relative.db", "nonsense"])
def test_a_database_that_cannot_be_one_is_told(yard: Yard, url: str) -> None:
    declare(yard, database=url)
    yard.run("status").ended(1, "HF-4300", "postgresql://" if "relative" not in url else "four slashes")


def test_what_has_no_effect_yet_is_said_with_its_place(yard: Yard) -> None:
    declare(yard, auth={"oidc": {"issuer": "https://id.example.org", "client_id": "x"}}, retention={"runs": "400d"})
    said = yard.run("status").ended(0).err
    notes = [line for line in said.splitlines() if "note HF-1050" in line]
    assert len(notes) == 2
    assert all(f"{yard.folder}/holdfast.yaml:1:" in line for line in notes)
    yard.run("validate").ended(0, "HF-1050", "auth", "retention")
    yard.run("validate", "--strict").ended(64, "HF-1050")
