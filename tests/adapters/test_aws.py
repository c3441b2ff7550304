"""The real AWS provider against a server that speaks AWS: drift is what was done behind the tool's back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from adapters.contract import ChangeKind, Goal
from adapters.terraform.adapter import build

if TYPE_CHECKING:
    from conftest import LabRig

BUCKET = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  skip_region_validation      = true
  s3_use_path_style           = true
}
resource "aws_s3_bucket" "logs" {
  bucket = "logs-of-the-lab"
  tags   = { owner = "ops" }
}
"""


@pytest.fixture
def aws() -> Iterator[dict[str, str]]:
    """The variables with which tools and boto3 reach a server of our own."""
    from moto.moto_api._internal import moto_api_backend  # noqa: PLC0415 - takes a second to load
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - likewise

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    # What moto keeps is the whole process's: nothing of an earlier test may lie in it.
    moto_api_backend.reset()
    yield {
        "AWS_ACCESS_KEY_ID": "lab",
        "AWS_SECRET_ACCESS_KEY": "c4n4ry-aws-key",
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    server.stop()


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A CLI configuration for the provider mirror that this machine has."""
    found = Path(os.environ.get("HOLDFAST_TEST_PROVIDER_MIRROR") or Path("/") / "opt" / "tf-plugins")
    if not (found / "registry.terraform.io/hashicorp/aws").is_dir():
        pytest.skip("no mirror with the AWS provider: name one in HOLDFAST_TEST_PROVIDER_MIRROR")
    config = tmp_path / "mirror.tfrc"
    config.write_text(f'provider_installation {{\n  filesystem_mirror {{ path = "{found}" }}\n}}\n')
    return config


@pytest.mark.full  # thirty stacks have the same provider find the same in a bucket
@pytest.mark.parametrize("tool", ["terraform"], indirect=True)
def test_what_is_done_to_a_bucket_behind_terraforms_back_is_drift(
    rig: LabRig, aws: dict[str, str], mirror: Path
) -> None:
    import boto3  # noqa: PLC0415 - takes a second to load

    subject = rig.bare(BUCKET, cli_config_file=str(mirror))
    adapter = build(subject.settings, subject.shell(credentials=aws, secrets=(aws["AWS_SECRET_ACCESS_KEY"],)))
    s3: Any = boto3.client(
        "s3",
        endpoint_url=aws["AWS_ENDPOINT_URL_S3"],
        region_name=aws["AWS_REGION"],
        aws_access_key_id="lab",
        aws_secret_access_key="lab",
    )
    adapter.apply(subject.workspace, adapter.plan(subject.workspace, Goal.CONVERGE))
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["logs-of-the-lab"]

    s3.put_bucket_tagging(Bucket="logs-of-the-lab", Tagging={"TagSet": [{"Key": "owner", "Value": "mallory"}]})
    found = adapter.drift(subject.workspace)
    (item,) = found.items
    assert (item.change.address, item.change.kind, item.will_be_reverted) == (
        "aws_s3_bucket.logs",
        ChangeKind.UPDATE,
        True,
    )
    assert ("tags.owner", "ops", "mallory") in [(one.path, one.before, one.after) for one in item.change.attributes]
    assert not found.pending

    s3.delete_bucket(Bucket="logs-of-the-lab")
    (gone,) = adapter.drift(subject.workspace).items
    assert (gone.change.address, gone.change.kind) == ("aws_s3_bucket.logs", ChangeKind.DELETE)
    assert ("bucket", "logs-of-the-lab") in [(one.path, one.before) for one in gone.change.attributes]
    assert "c4n4ry" not in subject.said()
