"""Plans that are made in one place and applied in another: exactly these, by whoever has the key, or none of them."""

from __future__ import annotations

import base64
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from e2e_yard import Yard

from orchestrator.assembly.stores import plan_cipher
from orchestrator.config.operator import Operator
from orchestrator.effects.encryption import Cipher
from orchestrator.effects.parcels import keys_in, read_parcel, write_parcel
from orchestrator.errors import PlanRefused, RecordError

pytestmark = pytest.mark.needs("git", "terraform")

KEY = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
OTHER = base64.b64encode(b"fedcba9876543210fedcba9876543210").decode()
STACKS = """\
version: 1
project: estate
stacks:
  network:
    tool: terraform
    path: network
    backend_config: {path: %(states)s/network.tfstate}
  web:
    tool: terraform
    path: web
    backend_config: {path: %(states)s/web.tfstate}
    inputs: {cidr: "${output:network.cidr}", word: "${secret:word}"}
"""
NETWORK = """
terraform {
  backend "local" {}
}
resource "lab_object" "network" {
  name = "network"
  size = 1
}
output "cidr" { value = "10.0.0.0/16" }
"""
WEB = """
terraform {
  backend "local" {}
}
variable "cidr" { type = string }
variable "word" {
  type      = string
  sensitive = true
}
resource "lab_object" "web" {
  name = "web-${var.cidr == "" ? "no" : "yes"}"
  size = %s
}
"""


@pytest.fixture
def laid(yard: Yard) -> Yard:
    """A yard in which nothing is made yet."""
    states = yard.folder / "states"
    states.mkdir()
    yard.extra |= {"HOLDFAST_PLAN_KEY": KEY, "HOLDFAST_SECRET_WORD": "open-sesame-17"}
    files = {"stacks.yaml": STACKS % {"states": states}, "network/main.tf": yard.lab + NETWORK}
    yard.commit({**files, "web/main.tf": yard.lab + WEB % 1})
    return yard


@pytest.fixture
def job(laid: Yard) -> Yard:
    """A yard whose network stands, and whose web is to be made."""
    laid.apply("network").ended(0)
    return laid


def elsewhere(job: Yard, name: str = "elsewhere", **extra: str) -> Yard:
    """Return another machine: a checkout and a home of its own, and the same cloud."""
    folder = job.folder / name
    folder.mkdir()
    other = Yard(folder=folder, cli_config=job.cli_config, extra={**job.extra, **extra})
    shutil.copytree(job.folder / "bin", folder / "bin")
    (folder / "person").mkdir()
    job.git("clone", "--quiet", "--no-local", "--depth=1", f"file://{job.checkout}", str(other.checkout))
    (folder / "cloud").symlink_to(job.cloud)
    return other


def plan(job: Yard, *words: str) -> tuple[Path, str]:
    out = job.folder / "plans"
    shutil.rmtree(out, ignore_errors=True)
    told = job.run("plan", "--out", str(out), "-o", "json", *words).ended(0).json["out"]
    assert told["path"] == str(out)
    return out, told["digest"]


def test_a_plan_is_applied_on_a_machine_that_has_never_heard_of_it_and_nothing_else_is(job: Yard) -> None:
    out, digest = plan(job)
    assert out.stat().st_mode & 0o777 == 0o700
    for path, content in job.files_below(out):
        assert path.stat().st_mode & 0o777 == 0o600
        assert b"open-sesame-17" not in content
    manifest = (out / "manifest.json").read_text()
    assert [one["stack"] for one in json.loads(manifest)["stacks"]] == ["estate/web@default"]
    other = elsewhere(job)

    def refused(code: str, *words: str, status: int = 4, **env: str) -> None:
        other.run("apply", "--plan", str(out), "--yes", *words, **env).ended(status, code)

    refused("HF-1603", "--digest", "0" * 64)
    refused("HF-1604", HOLDFAST_PLAN_KEY=OTHER)
    refused("HF-1601", status=64, HOLDFAST_PLAN_KEY="")
    refused("HF-1602", status=64, HOLDFAST_PLAN_KEY="correct horse battery staple")
    refused("HF-1612", "network", status=64)
    # Any file that is touched, however little: by whoever has no key, and would pass for the one who has.
    for path in sorted(out.iterdir()):
        content = path.read_bytes()
        path.write_bytes(content.replace(b"web", b"wed") if path.name == "manifest.json" else content[:-9] + b"A" * 9)
        refused("HF-1605")
        path.write_bytes(content)
    (out / "seal").rename(out / "gone")
    refused("HF-1605")
    (out / "gone").rename(out / "seal")
    (out / "manifest.json").write_text(manifest.replace('"version": 1', '"version": 2'))
    refused("HF-1606")
    (out / "manifest.json").write_text("[]")
    refused("HF-1605")
    (out / "manifest.json").unlink()
    refused("HF-1611", status=64)
    (out / "manifest.json").write_text(manifest)
    old = aged(out, job.folder / "aged")
    other.run("apply", "--plan", str(old), "--yes").ended(PlanRefused.exit_code, "HF-1609", "1970-01-02")
    assert job.created() == {"network": 1}

    other.forget_starts()
    said = ("--digest", f"sha256:{digest}", "--yes", "--reason", "seen by ana")
    other.run("apply", "--plan", str(out), *said).ended(0, "applied")
    assert job.created() == {"network": 1, "web-yes": 1}
    assert "plan" not in [verb for verb, _ in other.starts()]
    assert "seen by ana" in repr(other.entries("web"))
    # The same again: it was applied, and nothing has moved since.
    other.run("apply", "--plan", str(out), *said).ended(0)
    assert job.created() == {"network": 1, "web-yes": 1}
    other.record_is_sound()


def aged(out: Path, to: Path) -> Path:
    """Return the same plans as if they had been made long ago, by whoever has the key."""
    cipher = Cipher(read_keys=lambda: keys_in(KEY, "the test"))
    found = read_parcel(out, cipher=cipher)
    old = [replace(one, proposal=replace(one.proposal, made_at=1.0)) for one in found.parcel.stacks]
    parcel = replace(found.parcel, stacks=tuple(old))
    write_parcel(to, parcel, record_key=found.record_key, content=found.content, cipher=cipher)
    return to


def test_what_has_moved_since_is_not_applied(job: Yard) -> None:
    out, _ = plan(job)
    # A record with a history of its own goes by a key of its own.
    own = elsewhere(job, "own")
    own.run("plan").ended(0)
    own.run("apply", "--plan", str(out), "--yes").ended(4, "HF-1610")
    # Its secret is another.
    other = elsewhere(job, "secret", HOLDFAST_SECRET_WORD="another-word-4")
    other.run("apply", "--plan", str(out), "--yes").ended(4, "HF-1608", "secret word")
    # A commit that leaves the stack as it was does no harm, and one that does not does.
    job.commit({"README.md": "words"})
    job.commit({"stacks.yaml": (job.checkout / "stacks.yaml").read_text().replace("estate", "estate2")})
    elsewhere(job, "renamed").run("apply", "--plan", str(out), "--yes").ended(4, "HF-1607")
    job.git("revert", "--no-edit", "HEAD")
    job.commit({"web/main.tf": job.lab + WEB % 2})
    elsewhere(job, "files").run("apply", "--plan", str(out), "--yes").ended(4, "HF-1608", "its files")
    assert job.created() == {"network": 1}
    job.git("revert", "--no-edit", "HEAD")
    back = elsewhere(job, "back")
    # The world itself: whoever made the plans has applied them meanwhile, by the record that they are in already.
    job.run("apply", "--plan", str(out), "--yes").ended(0, "1 applied")
    job.forget_starts()
    job.run("apply", "--plan", str(out), "--yes").ended(0)
    assert not job.starts()
    back.run("apply", "--plan", str(out), "--yes").ended(1, "HF-2006", "stale")
    assert job.created() == {"network": 1, "web-yes": 1}


def test_a_machine_that_remembers_nothing_learns_what_stands_from_the_tools(job: Yard) -> None:
    # Network changes, and what it hands on does not: web can be planned with it, and is applied after it.
    job.commit({"network/main.tf": job.lab + NETWORK.replace("size = 1", "size = 2")})
    planning = elsewhere(job, "planning", HOLDFAST_RECORD="ephemeral")
    out = job.folder / "plans"
    planned = planning.run("plan", "--out", str(out), "-o", "json").ended(0).json
    assert [(row["stack"], row["result"]) for row in planned["stacks"]] == [("network", "changes"), ("web", "changes")]
    other = elsewhere(job, "applying", HOLDFAST_RECORD="ephemeral")
    other.run("apply", "--plan", str(out), "--digest", planned["out"]["digest"], "--yes").ended(0, "2 applied")
    assert job.created() == {"network": 1, "web-yes": 1}
    # Named alone, a stack is planned with what the others hand it; none of them is in its plan.
    alone = elsewhere(job, "alone", HOLDFAST_RECORD="ephemeral")
    alone.run("plan", "web").ended(0, "No changes in 1 stack")
    alone.run("drift", "web").ended(0, "No drift in 1 stack")
    # What would change is waited for: no value is invented.
    job.commit({"network/main.tf": job.lab + NETWORK.replace("10.0.0.0", "10.9.0.0")})
    late = elsewhere(job, "late", HOLDFAST_RECORD="ephemeral")
    late.run("plan", "web").ended(5, "waits for network.cidr")


def test_the_operators_own_key_serves_where_no_other_is_named_and_of_several_the_first_encrypts() -> None:
    operator = Operator(encryption_secret="data-key")
    theirs = plan_cipher(operator, {"HOLDFAST_SECRET_DATA_KEY": f"{OTHER}\n{KEY}"})
    ours = plan_cipher(operator, {"HOLDFAST_SECRET_DATA_KEY": OTHER, "HOLDFAST_PLAN_KEY": KEY})
    assert theirs.decrypt(ours.encrypt(b"plan")) == b"plan"
    with pytest.raises(RecordError):
        ours.decrypt(theirs.encrypt(b"plan"))


def test_a_folder_that_holds_something_is_left_alone_and_nothing_is_written_without_a_key(laid: Yard) -> None:
    out = laid.folder / "plans"
    laid.run("plan", "--out", str(out), HOLDFAST_PLAN_KEY="").ended(64, "HF-1601", "openssl rand -base64 32")
    assert not out.exists()
    out.mkdir()
    (out / "mine").write_text("keep")
    laid.forget_starts()
    laid.run("plan", "--out", str(out)).ended(64, "HF-1611")
    assert (out / "mine").read_text() == "keep"
    assert not laid.starts()
    laid.run("apply", "--plan", str(out)).ended(64, "HF-1611")
    laid.run("plan", "--out", str(out / "x"), "--dirty").ended(64, "HF-1900")
    laid.run("apply", "--digest", "0" * 64).ended(64, "HF-1900")
