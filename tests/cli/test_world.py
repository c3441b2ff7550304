"""Commands on a real repository with a real tool: what each refuses, and what it leaves behind."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import preloaded
import pytest

STACKS = """\
version: 1
project: small
stacks:
  network: {tool: TOOL, path: network}
  web: {tool: TOOL, path: web, inputs: {cidr: "${output:network.cidr}"}}
"""
NETWORK = """\
resource "terraform_data" "net" { input = "10.0.0.0/16" }
output "cidr" { value = terraform_data.net.output }
output "key" {
  value     = "s3cr3t-canary"
  sensitive = true
}
"""
WEB = """\
variable "cidr" { type = string }
resource "terraform_data" "web" { input = var.cidr }
"""


@dataclass(frozen=True)
class Small:
    """A repository of two stacks, and a home of its own."""

    folder: Path

    @property
    def repo(self):
        return self.folder / "repo"

    @property
    def env(self):
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        home = str(self.folder / "person")
        return {**kept, "HOME": home, "XDG_STATE_HOME": home, "HOLDFAST_HOME": str(self.folder / "home")}

    def git(self, *words):
        named = ("-c", "user.name=Ana", "-c", "user.email=ana@acme.example", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *named, *words], cwd=self.repo, check=True, capture_output=True, env=self.env)
        return done.stdout.decode().strip()

    def commit(self, **files):
        for name, content in files.items():
            path = self.repo / name.replace("__", "/")
            path.parent.mkdir(exist_ok=True, parents=True)
            path.with_suffix(".yaml" if name == "stacks" else ".tf").write_text(content)
        self.git("add", "-A")
        self.git("commit", "-qm", "change")

    def run(self, *words, **env):
        code, out, err = preloaded.run(words, cwd=self.repo, env={**self.env, **env}, timeout=120)
        return subprocess.CompletedProcess(words, code, out, err)

    def ends(self, code, *words):
        done = self.run(*words)
        assert done.returncode == code, f"{words}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def refused(self, code, name, *words):
        done = self.ends(code, *words)
        assert done.stderr.splitlines()[-2].startswith(name), done.stderr
        assert done.stderr.splitlines()[-1].startswith("  hint  ")
        return done


def make(folder: Path) -> Small:
    tool = next((name for name in ("terraform", "tofu") if shutil.which(name)), "")
    assert tool, "terraform or tofu is needed"
    small = Small(folder=folder)
    small.repo.mkdir()
    (folder / "person").mkdir()
    small.git("init", "-q")
    small.git("config", "user.email", "ana@acme.example")
    stacks = STACKS.replace("TOOL", {"terraform": "terraform", "tofu": "opentofu"}[tool])
    small.commit(stacks=stacks, network__main=NETWORK, web__main=WEB)
    return small


@pytest.fixture(scope="module")
def applied(tmp_path_factory) -> Small:
    """Both stacks applied; tests that use it leave it so."""
    small = make(tmp_path_factory.mktemp("applied"))
    small.ends(0, "apply", "--yes")
    return small


@pytest.fixture
def fresh(tmp_path) -> Small:
    return make(tmp_path)


def value(done):
    return json.loads(done.stdout)


def test_a_plan_defers_what_waits_and_its_exit_code_may_say_that_something_changes(fresh):
    assert {row["stack"]: row["result"] for row in value(fresh.ends(0, "plan", "--json"))["stacks"]} == {
        "network": "changes",
        "web": "deferred",
    }
    fresh.ends(2, "plan", "--detailed-exitcode")
    assert value(fresh.ends(0, "status", "--json"))["stacks"][0]["conditions"]["Ready"] is False
    fresh.ends(1, "status", "--check")


def test_without_a_person_to_ask_an_apply_waits_and_an_approval_lets_it_go(fresh):
    assert "--yes" in fresh.ends(3, "apply", "network").stderr
    fresh.ends(0, "approve", "network", "--proposal", "1", "--reason", "seen")
    fresh.ends(0, "apply", "network")
    assert value(fresh.ends(0, "status", "network", "--json"))["stacks"][0]["sync"] == "Synced"


def test_a_no_stands_until_the_plan_changes(fresh):
    fresh.ends(0, "plan", "network")
    fresh.ends(0, "reject", "network", "--reason", "too big")
    status = value(fresh.ends(0, "status", "network", "--json"))["stacks"][0]
    assert status["next"]["reason"] == "rejected"
    assert "rejected by ana@acme.example: too big" in fresh.ends(4, "apply", "network", "--yes").stdout


def test_a_second_apply_starts_no_tool(applied):
    before = value(applied.ends(0, "runs", "--json"))["runs"][0]["run"]
    applied.ends(0, "apply", "--yes")
    assert value(applied.ends(0, "runs", "--json"))["runs"][0]["run"] == before, "nothing came of it"
    newest = value(applied.ends(0, "runs", "--all", "--json"))["runs"][0]
    assert newest["run"] > before
    applied.refused(64, "HF-1910", "logs", str(newest["run"]))
    assert "holdfast logs" not in applied.ends(0, "show", str(newest["run"])).stderr, "it led in a circle"


def test_outputs_are_masked_until_somebody_asks_for_them(applied):
    said = applied.ends(0, "outputs", "network").stdout + applied.ends(0, "outputs", "network", "--json").stdout
    assert "canary" not in said
    assert applied.ends(0, "outputs", "network", "cidr").stdout == "10.0.0.0/16\n"
    assert "canary" not in applied.refused(64, "HF-1900", "outputs", "network", "key").stderr
    assert applied.ends(0, "outputs", "network", "key", "--reveal").stdout == "s3cr3t-canary\n"


def test_of_a_stack_that_nothing_is_proposed_for_it_is_shown_why_it_was_applied(applied):
    shown = applied.ends(0, "show", "web").stdout
    assert "Nothing is proposed for web" in shown
    assert "applied by attempt 1 in run" in shown


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("HF-1900", ["outputs", "network", "cdir"]),
        ("HF-1901", ["plan", "netwrok"]),
        ("HF-1903", ["-e", "prod", "status"]),
        ("HF-1904", ["show", "999"]),
        ("HF-1904", ["logs", "999"]),
        ("HF-1906", ["approve", "web"]),
        ("HF-1908", ["suspend", "web", "--reason", "x", "--until", "soon"]),
        ("HF-1908", ["suspend", "web", "--reason", "x", "--until", "2020-01-01"]),
        ("HF-1909", ["rollback", "web"]),
        ("HF-1913", ["unlock", "web"]),
        ("HF-1914", ["resume", "web"]),
        ("HF-1914", ["cancel", "1"]),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_code_and_a_remedy(applied, code, words):
    applied.refused(64, code, *words)


def test_a_destroy_that_nobody_confirms_leaves_everything_as_it_was(applied):
    refused = applied.refused(3, "HF-1905", "apply", "--destroy", "web", "--yes")
    assert refused.stderr.splitlines()[-1] == "  hint  say it beforehand: --confirm web"
    assert value(applied.ends(0, "status", "web", "--json"))["stacks"][0]["hold"] is None
    applied.ends(0, "apply", "--yes")


def test_waiting_ends_when_the_time_is_up(fresh):
    fresh.refused(1, "HF-1916", "wait", "network", "--timeout", "0s")


def test_a_suspended_stack_rests_until_it_is_resumed(fresh):
    fresh.ends(0, "suspend", "--reason", "holidays", "--until", "1h")
    held = fresh.ends(5, "apply", "network", "--yes")
    assert "holidays" in held.stdout
    fresh.ends(0, "resume")
    fresh.ends(0, "apply", "network", "--yes")


def test_a_rollback_holds_against_later_commits_until_it_is_resumed(fresh):
    fresh.ends(0, "apply", "network", "--yes")
    fresh.commit(network__main=NETWORK.replace("10.0", "10.1"))
    fresh.ends(0, "apply", "network", "--yes")
    fresh.ends(0, "rollback", "network", "--yes")
    assert fresh.ends(0, "outputs", "network", "cidr").stdout == "10.0.0.0/16\n"
    fresh.commit(network__main=NETWORK.replace("10.0", "10.2"))
    fresh.ends(0, "apply", "network", "--yes")
    assert fresh.ends(0, "outputs", "network", "cidr").stdout == "10.0.0.0/16\n"
    fresh.ends(0, "resume", "network")
    fresh.ends(0, "apply", "network", "--yes")
    assert fresh.ends(0, "outputs", "network", "cidr").stdout == "10.2.0.0/16\n"


def test_a_rollback_that_somebody_said_yes_to_waits_for_the_gate_before_it(fresh):
    fresh.ends(0, "apply", "network", "--yes")
    earlier = fresh.git("rev-parse", "HEAD")
    fresh.commit(network__main=NETWORK.replace("10.0", "10.1"))
    fresh.ends(0, "apply", "network", "--yes")
    fresh.ends(0, "suspend", "network", "--reason", "holidays")
    fresh.ends(5, "rollback", "network", "--to", earlier, "--yes")
    assert fresh.ends(0, "outputs", "network", "cidr").stdout == "10.1.0.0/16\n"
    fresh.ends(0, "resume")
    fresh.ends(0, "apply", "network")
    assert fresh.ends(0, "outputs", "network", "cidr").stdout == "10.0.0.0/16\n"


def test_a_stack_taken_down_stays_down_until_it_is_resumed(fresh):
    fresh.ends(0, "apply", "--yes")
    fresh.ends(0, "apply", "--destroy", "web", "network", "--confirm", "web", "--confirm", "network")
    fresh.ends(0, "apply", "--yes")
    assert {row["health"] for row in value(fresh.ends(0, "status", "--json"))["stacks"]} == {"Missing"}
    fresh.ends(0, "resume", "web", "network")
    fresh.ends(0, "apply", "--yes")
    assert {row["health"] for row in value(fresh.ends(0, "status", "--json"))["stacks"]} == {"Healthy"}


def test_every_mistake_of_a_file_is_said_at_once_in_every_form(fresh):
    bad = "version: 1\nproject: small\nstacks:\n  network: {pth: network}\n  web: {path: web, tol: x}\n"
    fresh.commit(stacks=bad)
    findings = value(fresh.ends(64, "validate", "--json"))["findings"]
    assert {(one["line"], one["file"]) for one in findings} == {(4, "stacks.yaml"), (5, "stacks.yaml")}
    assert "::error file=stacks.yaml,line=4," in fresh.ends(64, "validate", "-o", "github").stdout
    sarif = value(fresh.ends(64, "validate", "-o", "sarif"))
    assert len(sarif["runs"][0]["results"]) == len(findings)


def test_uncommitted_files_are_said_and_left_out_unless_asked_for(applied):
    main = applied.repo / "network" / "main.tf"
    main.write_text(NETWORK.replace("10.0", "10.9"))
    try:
        plain = applied.ends(0, "plan", "network", "--json")
        assert "not committed" in plain.stderr
        assert value(plain)["stacks"][0]["result"] == "none"
        assert value(applied.ends(0, "plan", "network", "--dirty", "--json"))["stacks"][0]["result"] == "changes"
    finally:
        main.write_text(NETWORK)


def test_two_revisions_of_a_stack_are_compared(fresh):
    earlier = fresh.git("rev-parse", "HEAD")
    fresh.commit(network__main=NETWORK.replace("10.0", "10.1"))
    later = fresh.git("rev-parse", "HEAD")
    assert value(fresh.ends(0, "diff", "network", earlier, later, "--json"))["files"] == [
        {"path": "network/main.tf", "how": "changed"}
    ]


def test_a_file_that_cannot_be_written_is_named(applied, tmp_path):
    (tmp_path / "file").write_text("")
    done = applied.run("--home", str(tmp_path / "file" / "home"), "status")
    assert done.returncode == 1
    assert done.stderr.startswith("HF-1912"), done.stderr


def test_the_doctor_finds_tools_adapters_and_a_whole_record(applied):
    names = {one["name"]: one["verdict"] for one in value(applied.ends(0, "doctor", "--json"))["checks"]}
    assert names["record"] == "good"
    assert {f"adapter {tool}" for tool in ("ansible", "cloudformation", "puppet", "terraform")} <= set(names)
    assert {"ansible-playbook", "boto3", "puppet"} <= set(names)
    applied.ends(0, "audit", "verify")


def test_the_doctor_misses_what_a_stack_needs(fresh, tmp_path):
    fresh.commit(stacks="version: 1\nstacks:\n  base: {tool: puppet, path: network}\n")
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("git", "terraform"):
        (bare / name).symlink_to(shutil.which(name))
    done = fresh.run("doctor", "--json", PATH=str(bare))
    checks = {one["name"]: one for one in json.loads(done.stdout)["checks"]}
    assert done.returncode == 1
    assert checks["stacks of puppet"]["verdict"] == "bad"
    assert "puppet-agent" in checks["stacks of puppet"]["hint"]


def test_the_doctor_looks_at_the_rest_where_the_files_cannot_be_read(applied):
    applied.commit(stacks="version: 1\nstacsk: {}\n")
    checks = {one["name"]: one for one in value(applied.ends(1, "doctor", "--json"))["checks"]}
    applied.git("reset", "-q", "--hard", "HEAD~1")
    assert (checks["configuration"]["verdict"], checks["record"]["verdict"]) == ("bad", "good")
    assert "HF-1003" in checks["configuration"]["found"]


def test_the_first_ctrl_c_detaches_and_the_attempt_goes_on(fresh):
    mark = fresh.folder / "begun"
    slow = f'resource "terraform_data" "s" {{\n  provisioner "local-exec" {{ command = "touch {mark}; sleep 4" }}\n}}\n'
    fresh.commit(network__main=NETWORK + slow)
    child, terminal = pty.fork()
    if not child:
        os.chdir(fresh.repo)
        # In the background, whoever runs the tests ignores it.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        program = str(Path(sys.executable).with_name("holdfast"))
        os.execve(  # noqa: S606 -- the child of a terminal of its own
            program, [program, "apply", "network", "--yes"], {**fresh.env, "TERM": "xterm"}
        )
    said, pressed, ends_at = b"", False, time.monotonic() + 60
    while time.monotonic() < ends_at:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                said += os.read(terminal, 65536)
            except OSError:
                break
        if not pressed and mark.exists():
            os.write(terminal, b"\x03")
            pressed = True
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 130, said.decode()
    assert b"holdfast logs -f 1" in said
    fresh.ends(0, "logs", "-f", "1")
    status = value(fresh.ends(0, "status", "network", "--json"))["stacks"][0]
    assert (status["sync"], status["run"]) == ("Synced", 1)


def test_validate_names_a_tool_that_nobody_brings_and_where_it_is_written(fresh):
    fresh.commit(stacks="version: 1\nstacks:\n  web: {tool: terrafrom, path: web}\n")
    done = fresh.ends(64, "validate")
    assert "stacks.yaml:3:9  error HF-4001  stack \"web\": no adapter is called 'terrafrom'" in done.stdout
    assert 'did you mean "terraform"?' in done.stdout


def test_validate_says_that_what_no_commit_holds_was_not_looked_at(fresh):
    (fresh.repo / "stacks.yaml").write_text("version: 1\nstacks: {oops\n")
    assert "not committed are left out" in fresh.ends(0, "validate").stderr
    fresh.ends(64, "validate", "--dirty")


def test_a_plan_that_failed_says_the_tools_own_reason_and_where_its_log_is(fresh):
    fresh.commit(network__main='output "no" { value = var.nothing }\n')
    done = fresh.ends(1, "plan", "network")
    assert 'An input variable with the name "nothing" has not been declared' in done.stdout
    assert "Next:  holdfast logs" in done.stderr


def test_logs_of_a_stack_name_its_last_run(applied):
    refused = applied.refused(64, "HF-1900", "logs", "web")
    assert '"web" is a stack' in refused.stderr
    number = refused.stderr.split("holdfast logs ")[1].split()[0]
    assert "web" in applied.ends(0, "logs", number, "web").stdout
    assert "is no run" in applied.refused(64, "HF-1900", "logs", "wbe").stderr
    assert "is no run" in applied.refused(64, "HF-1900", "logs", "0").stderr


def test_a_stack_whose_destruction_failed_is_not_called_taken_down(fresh):
    trap = 'resource "terraform_data" "t" {\n  provisioner "local-exec" {\n    when = destroy\n    command = "exit 1"\n  }\n}\n'
    fresh.commit(network__trap=trap)
    fresh.ends(0, "apply", "network", "--yes")
    failed = fresh.ends(1, "apply", "--destroy", "network", "--yes", "--confirm", "network").stderr
    assert "network is to be taken down by ana@acme.example: holdfast resume network" in failed
