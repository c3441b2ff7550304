"""The lock that a killed apply leaves in a bucket is known for its own and freed; anybody else's stays."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from e2e_yard import Yard, until
from promised import EXAMPLES, shape

from orchestrator.effects import liveness

pytestmark = pytest.mark.needs("git", "terraform")

BUCKET, LOCK = "states", "web.tfstate.tflock"
WEB = """
terraform {
  backend "s3" {
    bucket                      = "states"
    key                         = "web.tfstate"
    use_lockfile                = true
    use_path_style              = true
    skip_credentials_validation = true
    skip_metadata_api_check     = true
    skip_requesting_account_id  = true
    skip_region_validation      = true
  }
}
resource "terraform_data" "web" {
  provisioner "local-exec" { command = "echo made >>'%s/ledger' && sleep 60" }
}
"""


@pytest.fixture
def bucket(yard: Yard) -> Iterator[Any]:
    import boto3  # noqa: PLC0415 - takes a second to load
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - likewise

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    url = f"http://127.0.0.1:{port}"
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    sets = {"s3": {"environment": {**keys, "AWS_ENDPOINT_URL_S3": url}, "stacks": ["*"]}}
    operator = yard.folder / "holdfast.yaml"
    operator.write_text(json.dumps({"version": 1, "credentials": sets}))
    yard.extra |= {"HOLDFAST_CONFIG": str(operator)}
    s3 = boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    s3.create_bucket(Bucket=BUCKET)
    # What the server keeps is the whole process's: nothing of an earlier test may lie in it.
    for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        s3.delete_object(Bucket=BUCKET, Key=one["Key"])
    stacks = "version: 1\nproject: estate\nstacks:\n  web: {tool: terraform, path: web, credentials: {plan: s3, apply: s3}}\n"
    yard.commit({"stacks.yaml": stacks, "web/main.tf": WEB % yard.cloud})
    yield s3
    server.stop()


def locks(s3: Any) -> list[str]:
    return [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ()) if one["Key"] == LOCK]


def kill_in_the_middle(yard: Yard) -> None:
    """Apply, and kill all of it once the lock is taken and the work has begun."""
    started = yard.start("apply", "--yes")
    until((yard.cloud / "ledger").exists)
    started.kill()
    lives = liveness.table()
    for folder in (yard.home / "attempts").glob("*"):
        for pid in liveness.marked(lives, str(folder)):
            # One may have gone with the one before.
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    started.communicate(timeout=100)


def test_a_lock_that_our_killed_apply_left_is_known_and_freed(yard: Yard, bucket: Any) -> None:
    kill_in_the_middle(yard)
    assert locks(bucket) == [LOCK]
    yard.run("plan").ended(75, "HF-2005")
    freed = yard.run("unlock", "web", "--confirm", "web", "-o", "json").ended(0).json
    assert shape(freed) == shape(EXAMPLES["unlock"])
    assert locks(bucket) == []
    yard.run("plan").ended(0)


def test_a_lock_that_somebody_took_afterwards_is_never_taken_for_ours(yard: Yard, bucket: Any) -> None:
    kill_in_the_middle(yard)
    ours = json.loads(bucket.get_object(Bucket=BUCKET, Key=LOCK)["Body"].read())
    theirs = {**ours, "ID": "11111111-2222-3333-4444-555555555555", "Created": "2099-01-01T00:00:00.123456789Z"}
    bucket.put_object(Bucket=BUCKET, Key=LOCK, Body=json.dumps(theirs).encode())
    yard.run("plan").ended(75, "HF-2005")
    yard.run("unlock", "web", "--confirm", "web").ended(64, "HF-1913")
    assert locks(bucket) == [LOCK]
