"""examples/mixed: Terraform, CloudFormation, Ansible and Puppet in one graph, two environments, the whole main job.

The tools are real; the hosts are two real sshd on this machine; AWS is moto as `moto_as_the_service.py` extends it.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aws_lab import KEY, serving_aws
from e2e_yard import Done, Yard
from sshd import Host, serving_ssh

from orchestrator.model.event import ApplyStarted

pytestmark = pytest.mark.needs("git", "terraform", "sshd", "ssh-keygen", "puppet")

EXAMPLE = Path(__file__).parents[2] / "examples" / "mixed"
#: Where the example's hosts keep what is made; the test's own folder stands in its place.
SITE = "/srv/acme"
CANARY = "c4n4ry-db-hunter2"
NAMES = ("network", "dns", "web", "base")
BUCKET = "query-logs-dev.acme.example"


@dataclass(kw_only=True)
class Estate:
    """The example as a repository, and everything that it manages."""

    yard: Yard
    site: Path
    #: Those that are brought to rest; the other one is left alone.
    environments: tuple[str, ...]
    aws: dict[str, str]
    hosts: dict[str, Host] = field(default_factory=dict)

    def lay(self) -> None:
        key = self.yard.folder / "secrets"
        key.mkdir(mode=0o700)
        (key / "db_password").write_text(CANARY)
        shutil.copy(self.hosts["dev"].user_key, key / "deploy_key")
        for secret in key.iterdir():
            secret.chmod(0o600)
        files: dict[str, str | bytes | None] = {}
        for path in sorted(EXAMPLE.rglob("*")):
            if path.is_file() and path.name != "README.md":
                files[path.relative_to(EXAMPLE).as_posix()] = self._here(path.read_text())
        files["web/known_hosts"] = "".join(host.known for host in self.hosts.values())
        for environment in self.hosts:
            for name in ("cloud", "web", "base"):
                (self.site / environment / name).mkdir(parents=True)
        self.yard.commit(files, "the example")
        operator = {
            "version": 1,
            "secrets": [{"files": str(key)}],
            "credentials": {"aws": {"environment": self.aws, "stacks": ["*/dns@*"]}},
        }
        (self.yard.folder / "holdfast.yaml").write_text(json.dumps(operator))
        self.yard.extra |= {"HOLDFAST_CONFIG": str(self.yard.folder / "holdfast.yaml")}

    def _here(self, text: str) -> str:
        text = text.replace(SITE, str(self.site))
        for environment, port in (("dev", "2201"), ("prod", "2202")):
            host = self.hosts[environment]
            text = text.replace(
                f"ansible_port={port}",
                f"ansible_port={host.port} ansible_user={host.user} ansible_python_interpreter={sys.executable}",
            )
        return text

    @property
    def stacks(self) -> list[str]:
        return [f"{name}@{environment}" for environment in self.environments for name in NAMES]

    def apply(self, environment: str) -> Done:
        """Apply one environment: what is grave is said by name."""
        names = [word for name in NAMES for word in ("--confirm", f"{name}@{environment}")]
        return self.yard.run("apply", "--yes", "-e", environment, *names, timeout=400)

    def client(self, name: str) -> Any:
        import boto3  # noqa: PLC0415 -- takes a moment to load

        return boto3.client(
            name,
            region_name="us-east-1",
            endpoint_url=self.aws["AWS_ENDPOINT_URL"],
            aws_access_key_id="lab",
            aws_secret_access_key="lab",
        )

    def drift(self, *stacks: str) -> dict[str, list[tuple[str, str, Any, Any]]]:
        """Return what has drifted: by stack, each address with attribute, expected and actual."""
        done = self.yard.run("drift", "-o", "json", *stacks, timeout=400).ended(0).json
        return {
            row["stack"]: [
                (item["change"]["address"], one["path"], one["before"], one["after"])
                for item in row["items"]
                for one in item["change"]["attributes"]
            ]
            for row in done["stacks"]
        }


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with serving_aws(tmp_path_factory.mktemp("aws")) as granted:
        yield granted


@pytest.fixture
def estate(yard: Yard, aws: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Estate]:
    with serving_ssh(tmp_path / "dev-host") as dev, serving_ssh(tmp_path / "prod-host", user_key=dev.user_key) as prod:
        hosts = {"dev": dev, "prod": prod}
        made = Estate(yard=yard, site=tmp_path / "site", environments=request.param, aws=aws, hosts=hosts)
        made.lay()
        yield made


def starts(yard: Yard) -> set[str]:
    """Return the stacks for which a tool was started in the newest run."""
    run = yard.run("runs", "-o", "json", "--all").ended(0).json["runs"][0]["run"]
    said = yard.run("logs", str(run), "-o", "json")
    return {json.loads(line)["stack"] for line in said.out.splitlines()} if said.code == 0 else set()


def drifted(estate: Estate) -> set[str]:
    """Return the stacks of which drift is known."""
    return {name for name, row in estate.yard.status().items() if row["conditions"]["Drifted"]}


def in_order(yard: Yard, environment: str) -> list[str]:
    """Return the stacks of an environment in the order in which their attempts began."""
    began = [entry.stack for entry in yard.entries() if isinstance(entry.event, ApplyStarted)]
    return [key.partition("/")[2].partition("@")[0] for key in began if key.endswith(f"@{environment}")]


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "estate", [("dev",), pytest.param(("dev", "prod"), marks=pytest.mark.full)], ids="-".join, indirect=True
)
def test_four_tools_in_one_graph(estate: Estate) -> None:
    yard = estate.yard
    comes_to_rest_in_order(estate)
    a_second_apply_starts_no_tool(estate)
    a_change_of_one_output_concerns_exactly_its_readers(estate)
    what_is_changed_by_hand_is_told(estate)
    what_is_told_is_repaired(estate)
    the_secret_is_where_it_belongs_and_nowhere_else(estate)
    yard.record_is_sound()


def comes_to_rest_in_order(estate: Estate) -> None:
    for environment in estate.environments:
        estate.apply(environment).ended(0)
        assert in_order(estate.yard, environment) == ["network", "dns", "web", "base"]
        zone = estate.yard.run("outputs", f"dns@{environment}", "HostedZoneId").ended(0).out.strip()
        motd = (estate.site / environment / "base/motd").read_text()
        assert motd == f"web-{environment} in 10.1.0.0/16, zone {zone}\n"
    synced = {name for name, row in estate.yard.status().items() if row["sync"] == "Synced"}
    assert synced == set(estate.stacks)


def a_second_apply_starts_no_tool(estate: Estate) -> None:
    for environment in estate.environments:
        estate.yard.run("apply", "--yes", "-e", environment).ended(0)
        assert starts(estate.yard) == set()


def a_change_of_one_output_concerns_exactly_its_readers(estate: Estate) -> None:
    yard = estate.yard
    text = (yard.checkout / "stacks.yaml").read_text()
    assert "cidr: 10.1.0.0/16" in text
    yard.commit({"stacks.yaml": text.replace("cidr: 10.1.0.0/16", "cidr: 10.2.0.0/16")}, "another network")
    estate.apply("dev").ended(0)
    # What the zone reads of the network is as it was; the host's greeting comes from the application.
    assert starts(yard) == {"network@dev", "web@dev", "base@dev"}
    assert (estate.site / "dev/web/app.conf").read_text().startswith("network = 10.2.0.0/16\n")
    assert "10.2.0.0/16" in (estate.site / "dev/base/motd").read_text()
    untouched = estate.site / "prod/base/motd"
    if "prod" in estate.environments:
        assert "10.1.0.0/16" in untouched.read_text()
    else:
        assert not untouched.exists(), "nobody asked for it"


def what_is_changed_by_hand_is_told(estate: Estate) -> None:
    (lan,) = (estate.site / "dev/cloud/objects").glob("network-*.json")
    held = json.loads(lan.read_text())
    lan.write_text(json.dumps({**held, "tags": {**held["tags"], "owner": "mallory"}}))
    s3 = estate.client("s3")
    tags = s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"]
    hacked = [{**one, "Value": "mallory"} if one["Key"] == "owner" else one for one in tags]
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": hacked})
    (estate.site / "dev/web/app.conf").write_text("network = none\n")
    (estate.site / "dev/base/motd").write_text("mallory was here\n")
    found = estate.drift("-e", "dev")
    zone = estate.yard.run("outputs", "dns@dev", "HostedZoneId").ended(0).out.strip()
    assert found["network@dev"] == [("lab_object.network", "tags.owner", "ops", "mallory")]
    assert [(path, before, after) for _, path, before, after in found["dns@dev"]] == [
        ("Tags[1].Value", "ops", "mallory")
    ]
    asked = f"network = 10.2.0.0/16\nzone = {zone}\n"
    assert [one[1:] for one in found["web@dev"]] == [("content", asked, "network = none\n")]
    (motd,) = {address for address, *_ in found["base@dev"]}
    assert motd.endswith("/base/motd]")
    assert drifted(estate) == {"network@dev", "dns@dev", "web@dev", "base@dev"}


def what_is_told_is_repaired(estate: Estate) -> None:
    estate.apply("dev").ended(0)
    assert drifted(estate) == set()
    (lan,) = (estate.site / "dev/cloud/objects").glob("network-*.json")
    assert json.loads(lan.read_text())["tags"]["owner"] == "ops"
    values = {one["Value"] for one in estate.client("s3").get_bucket_tagging(Bucket=BUCKET)["TagSet"]}
    assert "mallory" not in values
    assert (estate.site / "dev/web/app.conf").read_text().startswith("network = 10.2.0.0/16\n")
    assert (estate.site / "dev/base/motd").read_text().startswith("web-dev in 10.2.0.0/16")


def the_secret_is_where_it_belongs_and_nowhere_else(estate: Estate) -> None:
    yard = estate.yard
    for environment in estate.environments:
        assert (estate.site / environment / "web/db_password").read_text() == f"{CANARY}\n"
        assert (estate.site / environment / "base/backup.cnf").read_text() == CANARY
    commands = [["status", "-o", "json"], ["drift", "--show", "-o", "json"], ["runs", "--all", "-o", "json"]]
    commands += [[word, name, "-o", "json"] for name in estate.stacks for word in ("show", "outputs", "explain")]
    commands += [
        [word, str(run["run"]), "-o", "json"]
        for run in yard.run("runs", "-o", "json", "--all").ended(0).json["runs"]
        for word in ("show", "logs")
    ]
    for words in commands:
        said = yard.run(*words).said
        assert CANARY not in said, words
        assert KEY not in said, words
    leaks = {str(path.relative_to(yard.home)) for path, held in yard.files_below(yard.home) if CANARY.encode() in held}
    # The state that Terraform itself writes holds what was handed to it: kept for its owner alone, and the one place.
    assert {leak.partition("/")[0] for leak in leaks} <= {"state"}, leaks
    assert all(path.stat().st_mode & 0o077 == 0 for path, _ in yard.files_below(yard.home / "state"))
