"""The whole main job on thirty stacks, one of them in a cloud that speaks AWS: commit, apply, drift, repair, roll back."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from e2e_yard import Yard

from orchestrator.model.event import ApplyEnded, ApplyStarted

pytestmark = pytest.mark.needs("git", "terraform")

#: Built into the tool: no provider has to be started for it.
PLAIN = """
variable "from" { type = string }
resource "terraform_data" "this" { input = "%(name)s of ${var.from}" }
output "id" { value = terraform_data.this.output }
output "kind" { value = "%(kind)s" }
"""
REGION = """
resource "lab_object" "lan" {
  name = "lan"
  tags = { cidr = "10.0.0.0/8" }
}
output "cidr" { value = lab_object.lan.tags["cidr"] }
"""
LONELY = """
resource "lab_object" "lamp" {
  name = "lamp"
  size = %d
}
"""
STORE = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "5.100.0" }
  }
}
variable "cidr" { type = string }
provider "aws" {
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  skip_region_validation      = true
  s3_use_path_style           = true
}
resource "aws_s3_bucket" "logs" {
  bucket = "logs-of-the-estate"
  tags   = { cidr = var.cidr, owner = "ops" }
}
resource "aws_s3_bucket" "spare" { bucket = "spare-of-the-estate" }
output "bucket" { value = aws_s3_bucket.logs.bucket }
"""

NETS = [f"net-{number}" for number in range(5)]
APPS = [f"app-{number}" for number in range(10)]
SITES = [f"site-{number}" for number in range(10)]


def graph() -> dict[str, str]:
    """Return each stack with the output that it reads, the empty one where it reads none."""
    readers = {
        "region": "",
        "lonely": "",
        "store": "region.cidr",
        "bill": "store.bucket",
        **dict.fromkeys(NETS, "region.cidr"),
        **{name: f"{NETS[number % 5]}.id" for number, name in enumerate(APPS)},
        # Of an app they read what does not change with its net.
        **{name: f"{APPS[number]}.kind" for number, name in enumerate(SITES)},
        "report": "site-9.id",
    }
    assert len(readers) == 30
    return readers


def stacks_yaml() -> str:
    entries: dict[str, Any] = {}
    for name, output in graph().items():
        entries[name] = {"tool": "terraform", "path": name}
        if output:
            entries[name]["inputs"] = {"cidr" if name == "store" else "from": f"${{output:{output}}}"}
    entries["report"]["depends_on"] = ["lonely", "bill"]
    entries["store"]["credentials"] = {"plan": "store-read", "apply": "store-write"}
    # JSON is YAML.
    return json.dumps({"version": 1, "project": "estate", "stacks": entries}, indent=1)


@dataclass(kw_only=True)
class Estate:
    """The thirty stacks and the cloud of one of them."""

    yard: Yard
    s3: Any
    #: What was applied so far, by stack: how often.
    applied: Counter[str] = field(default_factory=Counter)

    def worked(self, verb: str) -> set[str]:
        """Return the stacks in which the tool was started with ``verb`` since the last look."""
        return {folder for started, folder in self.yard.starts() if started == verb}

    def order(self) -> list[str]:
        """Return the stacks in the order in which their attempts began; each began when what it reads was applied."""
        began: list[str] = []
        ended: set[str] = set()
        for entry in self.yard.entries():
            name = entry.stack.removeprefix("estate/").removesuffix("@default")
            if isinstance(entry.event, ApplyStarted):
                began.append(name)
                assert {output.partition(".")[0] for output in [graph()[name]] if output} <= ended
            if isinstance(entry.event, ApplyEnded):
                ended.add(name)
        return began


@pytest.fixture
def aws_endpoint() -> Iterator[str]:
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - takes a second to load

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def estate(yard: Yard, aws_endpoint: str) -> Estate:
    import boto3  # noqa: PLC0415 - takes a second to load

    mirror = Path(os.environ.get("HOLDFAST_TEST_PROVIDER_MIRROR") or Path("/") / "opt" / "tf-plugins")
    if not (mirror / "registry.terraform.io/hashicorp/aws").is_dir():
        pytest.skip("no mirror with the AWS provider: name one in HOLDFAST_TEST_PROVIDER_MIRROR")
    lab = yard.cli_config.parent / "mirror"
    config = yard.folder / "both.tfrc"
    config.write_text(
        "disable_checkpoint = true\nprovider_installation {\n"
        f'  filesystem_mirror {{\n    path = "{lab}"\n    include = ["lab.test/*/*"]\n  }}\n'
        f'  filesystem_mirror {{\n    path = "{mirror}"\n    include = ["registry.terraform.io/*/*"]\n  }}\n}}\n'
    )
    operator = yard.folder / "holdfast.yaml"
    secrets = yard.folder / "secrets"
    secrets.mkdir(mode=0o700)
    (secrets / "store-key").write_text("c4n4ry-store-key")
    (secrets / "store-key").chmod(0o600)
    given = {
        "AWS_SECRET_ACCESS_KEY": "${secret:store-key}",
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL_S3": aws_endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    sets = {
        f"store-{what}": {"environment": {"AWS_ACCESS_KEY_ID": what, **given}, "stacks": ["estate/store@*"]}
        for what in ("read", "write")
    }
    operator.write_text(json.dumps({"version": 1, "secrets": [{"files": str(secrets)}], "credentials": sets}))
    yard.extra |= {"TF_CLI_CONFIG_FILE": str(config), "HOLDFAST_CONFIG": str(operator)}
    files = {f"{name}/main.tf": PLAIN % {"name": name, "kind": name[:3]} for name in graph()}
    files |= {"region/main.tf": yard.lab + REGION, "lonely/main.tf": yard.lab + LONELY % 1, "store/main.tf": STORE}
    yard.commit({"stacks.yaml": stacks_yaml(), **files})
    s3 = boto3.client(
        "s3",
        endpoint_url=aws_endpoint,
        region_name="eu-central-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    return Estate(yard=yard, s3=s3)


@pytest.mark.long
def test_thirty_stacks_from_a_commit_to_rest_through_drift_and_back(estate: Estate) -> None:
    yard = estate.yard
    comes_to_rest_in_order(estate)
    a_second_apply_starts_no_tool(yard)
    drift_is_shown_and_repaired(estate)
    a_changed_output_plans_its_readers_anew(estate)
    a_rollback_holds_against_later_commits(yard)
    for path, content in yard.files_below(yard.home):
        assert b"c4n4ry" not in content, path
    yard.record_is_sound()


def comes_to_rest_in_order(estate: Estate) -> None:
    yard = estate.yard
    before = yard.status()
    assert len(before) == 30
    assert {row["sync"] for row in before.values()} == {"OutOfSync"}
    assert {name for name, row in before.items() if row["next"]["reason"] == "no_plan"} == {"region", "lonely"}
    assert yard.starts() == [], "to show what is out of date no tool is needed"
    done = yard.apply("-o", "json")
    rows = {row["stack"]: row for row in done.json["stacks"]}
    assert {name: (row["why"], row["code"]) for name, row in rows.items() if row["result"] != "applied"} == {}
    assert rows.keys() == graph().keys()
    done.ended(0)
    order = estate.order()
    assert len(order) == len(set(order)) == 30
    assert order[-1] == "report"
    assert {row["sync"] for row in yard.status().values()} == {"Synced"}
    assert yard.created() == {"lan": 1, "lamp": 1}
    buckets = [bucket["Name"] for bucket in estate.s3.list_buckets()["Buckets"]]
    assert sorted(buckets) == ["logs-of-the-estate", "spare-of-the-estate"]


def a_second_apply_starts_no_tool(yard: Yard) -> None:
    yard.forget_starts()
    yard.apply().ended(0, "No changes in 30 stacks.")
    assert yard.starts() == []


def drift_is_shown_and_repaired(estate: Estate) -> None:
    yard, s3 = estate.yard, estate.s3
    tags = [{"Key": "cidr", "Value": "10.0.0.0/8"}, {"Key": "owner", "Value": "mallory"}]
    s3.put_bucket_tagging(Bucket="logs-of-the-estate", Tagging={"TagSet": tags})
    s3.delete_bucket(Bucket="spare-of-the-estate")
    found = yard.run("drift", "store", "-o", "json").ended(0).json["stacks"][0]
    changes = {item["change"]["address"]: item["change"] for item in found["items"]}
    assert {address: change["kind"] for address, change in changes.items()} == {
        "aws_s3_bucket.logs": "update",
        "aws_s3_bucket.spare": "delete",
    }
    attributes = [(a["path"], a["before"], a["after"]) for a in changes["aws_s3_bucket.logs"]["attributes"]]
    assert ("tags.owner", "ops", "mallory") in attributes
    assert yard.status("store")["store"]["conditions"]["Drifted"]
    yard.apply().ended(0, "1 applied")
    assert estate.worked("apply") == {"store"}
    assert {"Key": "owner", "Value": "ops"} in s3.get_bucket_tagging(Bucket="logs-of-the-estate")["TagSet"]
    assert len(s3.list_buckets()["Buckets"]) == 2
    assert not yard.status("store")["store"]["conditions"]["Drifted"]


def a_changed_output_plans_its_readers_anew(estate: Estate) -> None:
    yard = estate.yard
    yard.commit({"net-2/main.tf": PLAIN % {"name": "renamed", "kind": "net"}})
    yard.forget_starts()
    out = {name for name, row in yard.status().items() if row["sync"] == "OutOfSync"}
    assert "net-2" in out
    yard.apply().ended(0, "3 applied")
    assert estate.worked("plan") == estate.worked("apply") == {"net-2", "app-2", "app-7"}
    assert yard.run("outputs", "app-7", "-o", "json").json["outputs"]["id"]["value"] == "app-7 of renamed of 10.0.0.0/8"


def a_rollback_holds_against_later_commits(yard: Yard) -> None:
    def size() -> int:
        return next(one["size"] for one in yard.objects() if one["name"] == "lamp")

    yard.commit({"lonely/main.tf": yard.lab + LONELY % 2})
    yard.apply("lonely").ended(0)
    assert size() == 2
    yard.run("rollback", "lonely", "--to", "previous", "--yes").ended(0, "held at")
    assert size() == 1
    yard.commit({"lonely/main.tf": yard.lab + LONELY % 3})
    yard.forget_starts()
    yard.apply().ended(0)
    assert (size(), yard.starts()) == (1, []), "a later commit does not undo it"
    assert yard.status("lonely")["lonely"]["hold"]["kind"] == "revision"
    yard.run("resume", "lonely").ended(0)
    yard.apply().ended(0)
    assert size() == 3
    assert yard.created()["lamp"] == 1
