"""Bad input through the installed program: each gets a clear error, and nothing that was there is lost."""

from __future__ import annotations

import base64
import fcntl
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from e2e_yard import Yard

from orchestrator.model.observed import Applied

pytestmark = pytest.mark.needs("git", "terraform")

NET = """
resource "terraform_data" "this" { input = "net" }
output "id" { value = terraform_data.this.id }
"""
WEB = """
variable "from" { type = string }
resource "terraform_data" "this" { input = var.from }
output "id" { value = terraform_data.this.id }
"""
STACKS = """\
version: 1
project: estate
stacks:
  net: {tool: terraform, path: net}
  web:
    tool: terraform
    path: web
    inputs: {from: "${output:net.id}"}
"""


@dataclass(kw_only=True)
class Estate(Yard):
    """Two stacks at rest, the second reading an output of the first."""

    def made(self) -> dict[str, Any]:
        """Return the id of each stack's resource, as the kept states have them: one made anew has another."""
        found = {}
        for path in (self.home / "state").glob("*/terraform.tfstate"):
            resources = json.loads(path.read_text())["resources"]
            found[path.parent.name] = [one["instances"][0]["attributes"]["id"] for one in resources]
        return found

    def write(self, old: str, new: str) -> None:
        """Commit stacks.yaml with ``new`` where ``old`` stood."""
        assert STACKS.count(old) == 1, old
        self.commit({"stacks.yaml": STACKS.replace(old, new)})

    def applied(self) -> list[Applied | None]:
        """Return what each stack was brought to; that somebody looked again is no difference."""
        found = [self.state(name).applied for name in ("net", "web")]
        return [one and replace(one, verified_at=None) for one in found]

    @contextmanager
    def nothing_lost(self) -> Iterator[None]:
        """Whatever happens inside, afterwards the world, the record and the states are as they were."""
        before = (self.made(), self.applied())
        good = self.git("rev-parse", "HEAD")
        yield
        assert (self.made(), self.applied()) == before
        self.git("reset", "--quiet", "--hard", good)
        self.forget_starts()
        self.apply().ended(0, "No changes in 2 stacks.")
        assert self.starts() == []
        with self.record() as record:
            assert record.verify() is None


@pytest.fixture(scope="session")
def at_rest(tmp_path_factory: pytest.TempPathFactory, lab_cli_config: Path) -> Path:
    """The folder of an estate at rest, made once and copied."""
    made = Estate(folder=tmp_path_factory.mktemp("at-rest"), cli_config=lab_cli_config)
    made.lay()
    made.commit({"stacks.yaml": STACKS, "net/main.tf": NET, "web/main.tf": WEB})
    made.apply().ended(0)
    return made.folder


@pytest.fixture
def estate(at_rest: Path, tmp_path: Path, lab_cli_config: Path) -> Iterator[Estate]:
    folder = tmp_path / "estate"
    shutil.copytree(at_rest, folder, symlinks=True)
    # What knows the folder by its name: the tool's log, and the home of where its repository lies.
    for path in (folder / "bin" / "terraform", *(folder / "home" / "state").glob("*.lineage")):
        path.write_text(path.read_text().replace(str(at_rest), str(folder)))
    made = Estate(folder=folder, cli_config=lab_cli_config)
    yield made
    made.clear()


@pytest.mark.parametrize(
    ("old", "new", "code", "place"),
    [
("path: net}", "path: net, depends_on: [web]}", "HF-1013", "stacks.yaml:4:50"),
        ("net.id", "ent.id", "HF-1011", "stacks.yaml:8:20"),
        ("path: web", "path: net", "HF-1015", "stacks.yaml:5:3"),
        ("path: web", "path: ../web", "HF-1008", "stacks.yaml:7:11"),
        ("path: web", "path: /etc", "HF-1008", "stacks.yaml:7:11"),
        ("path: web", "pth: web", "HF-1003", "stacks.yaml:7:5"),
    ],
    ids=["cycle", "unknown stack", "two stacks in one place", "path above", "absolute path", "unknown key"],
)  # fmt: skip
def test_a_configuration_that_cannot_be_meant_is_refused_by_line(
    estate: Estate, old: str, new: str, code: str, place: str
) -> None:
    with estate.nothing_lost():
        estate.write(old, new)
        estate.forget_starts()
        for words in (["apply", "--yes"], ["validate"]):
            estate.run(*words).ended(64, code, place)
        assert estate.starts() == []


def test_an_output_that_nobody_has_is_named(estate: Estate) -> None:
    with estate.nothing_lost():
        estate.write("net.id", "net.nope")
        estate.apply().ended(1, "HF-4010", "net has no output nope")


def test_a_missing_tool_is_named(estate: Estate) -> None:
    bare = estate.folder / "bare"
    bare.mkdir()
    for program in ("git", "sh"):
        (bare / program).symlink_to(shutil.which(program) or "")
    with estate.nothing_lost():
        estate.commit({"web/main.tf": WEB + "\n"})
        estate.apply(PATH=str(bare)).ended(1, "HF-2002", "terraform is not on PATH")


def test_a_wrong_version_of_the_tool_is_named_with_what_asks_for_another(estate: Estate) -> None:
    with estate.nothing_lost():
        estate.write("path: web", 'path: web\n    tool_version: "~> 0.11"')
        estate.apply().ended(1, "HF-2003", "tool_version asks for ~> 0.11")
        estate.commit({"stacks.yaml": STACKS, "web/.terraform-version": "0.11.0\n"})
        estate.apply().ended(1, "HF-2003", "web/.terraform-version asks for 0.11.0")


@pytest.mark.parametrize(
    ("more", "line"),
    [('resource "terraform_data" {', 5), ('output "q" { value = local.nope }', 5), ("\xff", 5)],
    ids=["unclosed", "undeclared", "not UTF-8"],
)
def test_invalid_files_of_the_tool_are_named_by_line(estate: Estate, more: str, line: int) -> None:
    with estate.nothing_lost():
        estate.commit({"web/main.tf": (WEB + more + "\n").encode("latin-1")})
        estate.apply().ended(1, "HF-2004", f"web/main.tf:{line}")


def test_a_configuration_that_is_not_utf8_is_named_by_line(estate: Estate) -> None:
    with estate.nothing_lost():
        estate.commit({"stacks.yaml": STACKS.encode() + b"# \xff\n"})
        estate.apply().ended(64, "HF-1002", "stacks.yaml:9:3")


def test_a_repository_without_commits_costs_nothing(estate: Estate) -> None:
    with estate.nothing_lost():
        good = estate.git("rev-parse", "HEAD")
        estate.git("checkout", "--quiet", "--orphan", "elsewhere")
        estate.git("branch", "--quiet", "-D", "main")
        for words in (["apply", "--yes"], ["status"]):
            estate.run(*words).ended(64, "HF-3004", "nothing is destroyed because of it")
        estate.git("branch", "main", good)
        estate.git("checkout", "--quiet", "--force", "main")


def test_a_repository_that_vanishes_costs_nothing(estate: Estate) -> None:
    with estate.nothing_lost():
        away = estate.folder / "away"
        estate.checkout.rename(away)
        estate.checkout.mkdir()
        for words in (["apply", "--yes"], ["status"]):
            estate.run(*words).ended(64, "HF-3005", "holds no file")
        estate.checkout.rmdir()
        away.rename(estate.checkout)


def test_an_emptied_repository_costs_nothing(estate: Estate) -> None:
    with estate.nothing_lost():
        estate.commit({"stacks.yaml": None, "net/main.tf": None, "web/main.tf": None})
        for words in (["apply", "--yes"], ["status"]):
            estate.run(*words).ended(64, "HF-3005", "nothing is destroyed because of it")


def test_a_rewritten_history_loses_no_applied_revision(estate: Estate) -> None:
    with estate.nothing_lost():
        applied = estate.git("rev-parse", "HEAD")
        estate.commit({"web/main.tf": WEB.replace("var.from", '"else"')})
        estate.git("reset", "--quiet", "--soft", applied)
        estate.git("commit", "--quiet", "--amend", "--message=as if it had always been so")
        estate.git("reflog", "expire", "--expire=now", "--all")
        estate.git("gc", "--quiet", "--prune=now")
        assert subprocess.run(["git", "cat-file", "-e", applied], cwd=estate.checkout, check=False).returncode != 0
        # Drift is looked for at the revision that was applied, which no branch holds any more.
        estate.run("drift").ended(0, "No drift in 2 stacks.")
        done = estate.run("plan", "web", "-o", "json").ended(0).json["stacks"][0]
        assert done["counts"]["update"] == 1
        estate.git(
            "fetch", "--quiet", str(estate.home / "sources/estate/mirror.git"), "refs/holdfast/keep/*:refs/kept/*"
        )
        estate.git("reset", "--quiet", "--hard", applied)
        good = estate.git("rev-parse", "HEAD")
        assert good == applied
    # `nothing_lost` went back to it.


def test_a_link_that_leaves_the_checkout_is_refused(estate: Estate) -> None:
    with estate.nothing_lost():
        (estate.checkout / "web" / "passwd").symlink_to("/etc/passwd")
        estate.commit({})
        estate.apply().ended(1, "HF-3014", "web/passwd is a link to /etc/passwd")


@pytest.mark.parametrize("name", [".terraform/providers/x", "terraform.d/plugins/x", "old.tfstate", ".terraformrc"])
def test_a_committed_file_that_would_take_over_the_tool_is_refused(estate: Estate, name: str) -> None:
    with estate.nothing_lost():
        estate.commit({f"web/{name}": "{}"})
        estate.forget_starts()
        estate.apply().ended(1, "HF-2008", f"web/{name} is committed")
        assert "plan" not in {verb for verb, _ in estate.starts()}


def test_a_plan_that_was_edited_after_approval_is_not_applied(estate: Estate) -> None:
    before = estate.made()
    asking = "environments:\n  default: {apply: approve, approvals: {required: 1}}\nstacks:"
    stacks = STACKS.replace("stacks:", asking).replace(
        "tool: terraform", "environments: [default]\n    tool: terraform"
    )
    stacks = stacks.replace("{environments: [default]\n    tool", "{environments: [default], tool")
    estate.commit({"stacks.yaml": stacks, "web/main.tf": WEB.replace("var.from", '"else"')})
    run = str(estate.run("plan", "web", "-o", "json").ended(0).json["stacks"][0]["run"])
    estate.run("approve", run).ended(0, "approved web")
    proposal = estate.state("web").tracks["main"].proposal
    assert proposal is not None
    (saved,) = (estate.home / "artifacts").rglob(proposal.artifact)
    content = bytearray(saved.read_bytes())
    content[len(content) // 2] ^= 1
    saved.chmod(0o600)
    saved.write_bytes(content)
    estate.forget_starts()
    estate.apply("web").ended(1, "HF-4311", "was altered")
    assert "apply" not in {verb for verb, _ in estate.starts()}
    assert estate.made() == before
    # The damaged plan is good for nothing, and so is the word for it: a new one is made and asked about.
    estate.apply("web").ended(0, "1 applied")
    assert estate.made() == before, "changed in place"


def test_a_state_that_is_locked_elsewhere_names_its_holder(estate: Estate) -> None:
    with estate.nothing_lost():
        estate.commit({"web/main.tf": WEB.replace("var.from", '"else"')})
        (state,) = (estate.home / "state").glob("*web*/terraform.tfstate")
        info = {
            "ID": "f00",
            "Operation": "OperationTypeApply",
            "Who": "mallory@elsewhere",
            "Created": "2026-01-01T00:00:00Z",
        }
        note = state.with_name(".terraform.tfstate.lock.info")
        note.write_text(json.dumps(info))
        with state.open("r+") as held:
            fcntl.lockf(held, fcntl.LOCK_EX)
            estate.apply("web").ended(75, "HF-2005", "mallory@elsewhere", "2026-01-01")
            estate.run("unlock", "web", "--confirm", "web").ended(64, "HF-1913")
        note.unlink()


def test_a_stack_that_left_the_repository_is_said_and_never_destroyed(estate: Estate) -> None:
    with estate.nothing_lost():
        estate.commit({"stacks.yaml": STACKS.split("  web:", maxsplit=1)[0], "web/main.tf": None})
        estate.apply().ended(0, "web is no longer in its source; what it made still stands")
        assert estate.status()["web"]["why"] == "it is no longer in its source; what it made still stands"
        assert estate.state("web").vanished_at is not None
    assert estate.state("web").vanished_at is None


def test_a_renamed_stack_that_says_so_makes_nothing_twice(estate: Estate) -> None:
    (web,) = (ids for name, ids in estate.made().items() if "web" in name)
    estate.commit({"stacks.yaml": STACKS.replace("  web:", "  site:\n    moved_from: web")})
    estate.forget_starts()
    estate.apply().ended(0, "No changes in 2 stacks.")
    assert "apply" not in {verb for verb, _ in estate.starts()}
    assert [ids for name, ids in estate.made().items() if "site" in name] == [web]
    assert estate.status().keys() == {"net", "site"}


def test_a_renamed_stack_that_does_not_say_so_stops_and_asks(estate: Estate) -> None:
    with estate.nothing_lost():
        estate.commit({"stacks.yaml": STACKS.replace("  web:", "  site:")})
        estate.apply().ended(5, "new beside web", "moved_from: web")


def test_a_secret_shows_nowhere(estate: Estate) -> None:
    canary = "c4n4ry/+pa55phrase"
    web = """
variable "from" { type = string }
variable "password" { type = string }
resource "terraform_data" "this" {
  input = sensitive(var.password)
  provisioner "local-exec" {
    command = "echo the password is $PASSWORD; echo $PASSWORD | base64; echo $PASSWORD >&2"
    environment = { PASSWORD = var.password }
  }
}
output "password" {
  value     = var.password
  sensitive = true
}
output "plain" { value = nonsensitive(var.password) }
"""
    estate.write('net.id}"', 'net.id}", password: "${secret:pass}"')
    estate.commit({"web/main.tf": web})
    given = {"HOLDFAST_SECRET_PASS": canary}
    said = [
        estate.run(*words, **given)
        for words in (
            ["plan"],
            ["apply", "--yes"],
            ["status", "-o", "json"],
            ["outputs", "web"],
            ["outputs", "web", "-o", "json"],
            ["show", "2"],
            ["show", "web", "-o", "wide"],
            ["logs", "3"],
            ["drift", "-o", "json"],
            ["explain", "web"],
        )
    ]
    said[1].ended(0)
    # An error that repeats it, from the tool and from the files.
    broken = web.replace('"echo the', '"exit 1; echo the').replace(
        "input = sensitive(var.password)", 'input = "new"\n  triggers_replace = 1'
    )
    estate.commit(
        {
            "web/main.tf": broken
            + 'check "x" {\n  assert {\n    condition = false\n    error_message = "it is ${var.password}"\n  }\n}\n'
        }
    )
    said.append(estate.apply(**given))
    said.append(estate.run("status", "-o", "json", **given))
    forms = [canary, base64.b64encode(canary.encode()).decode(), canary.encode().hex(), json.dumps(canary)[1:-1]]
    for form in forms:
        for done in said:
            assert form not in done.said
        for path, content in estate.files_below(estate.folder):
            # The state itself holds what the tool wrote into it; it is the one place that must.
            if "/home/state/" not in str(path):
                assert form.encode() not in content, (form, path)


def test_ten_thousand_stacks_cost_no_tool_to_look_at_one(estate: Estate) -> None:
    with estate.nothing_lost():
        names = [f"s{number}" for number in range(9_998)]
        stacks = STACKS + "".join(f"  {name}: {{tool: terraform, path: more/{name}}}\n" for name in names)
        estate.commit({"stacks.yaml": stacks, **{f"more/{name}/main.tf": NET for name in names}})
        estate.forget_starts()
        assert estate.run("status", "web", "-o", "json", timeout=60).ended(0).json["stacks"][0]["sync"] == "Synced"
        assert estate.run("status", "s77", "-o", "json", timeout=60).ended(0).json["stacks"][0]["sync"] == "OutOfSync"
        assert estate.starts() == []
