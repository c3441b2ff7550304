"""Credentials through the installed program: each stack gets its own, each step its own, and nobody what is not granted."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest
from e2e_yard import HOLDFAST, Yard

pytestmark = pytest.mark.needs("git", "terraform")

STACKS: dict[str, Any] = {
    "red": {"tool": "terraform", "path": "red", "credentials": {"plan": "red-read", "apply": "red-write"}},
    "blue": {"tool": "terraform", "path": "blue", "credentials": {"plan": "blue-read", "apply": "blue-write"}},
}
SETS: dict[str, Any] = {
    f"{color}-{what}": {
        "environment": {"LAB_KEY": f"{color}-{what}-c4n4ry", "LAB_SECRET": "${secret:lab}"},
        "pass": ["HTTPS_PROXY"],
        "stacks": [f"estate/{color}@*"],
    }
    for color in ("red", "blue")
    for what in ("read", "write")
}
#: Asked of both at once, so that they run side by side: each waits until the other is there too.
MEET = """
resource "terraform_data" "this" {
  input = "%(color)s"
  provisioner "local-exec" {
    command = "cd %(folder)s; touch %(color)s; for i in $(seq 300); do [ -e red -a -e blue ] && break; sleep 0.1; done; [ -e red -a -e blue ] && printf '%%s' \\"$LAB_KEY\\" >%(color)s.key"
  }
}
"""


def configure(yard: Yard, stacks: dict[str, Any], sets: dict[str, Any]) -> None:
    """Write the operator's file and commit the stacks; the tool says with which key it was started."""
    wrapper = yard.folder / "bin" / "terraform"
    said = f'echo "$1 ${{PWD##*/}} $LAB_KEY" >>"{yard.folder}/keys.log"\n'
    wrapper.write_text(wrapper.read_text().replace("exec", f"{said}exec", 1))
    operator = yard.folder / "holdfast.yaml"
    operator.write_text(json.dumps({"version": 1, "secrets": [{"environment": {}}], "credentials": sets}))
    yard.extra |= {"HOLDFAST_CONFIG": str(operator), "HOLDFAST_SECRET_LAB": "c4n4ry-lab-secret", "LAB_KEY": "mine"}
    meeting = yard.folder / "meeting"
    meeting.mkdir()
    files = {f"{color}/main.tf": MEET % {"color": color, "folder": meeting} for color in stacks}
    yard.commit({"stacks.yaml": json.dumps({"version": 1, "project": "estate", "stacks": stacks}), **files})


def keys(yard: Yard) -> set[tuple[str, str, str]]:
    """Return verb, stack and key of every start of the tool in a stack's folder."""
    log = yard.folder / "keys.log"
    lines = log.read_text().splitlines() if log.exists() else []
    return {(verb, *rest) for verb, *rest in (line.split(" ") for line in lines) if verb != "version"}


def test_two_stacks_with_different_keys_run_side_by_side(yard: Yard) -> None:
    configure(yard, STACKS, SETS)
    yard.run("plan").ended(0)
    assert keys(yard) == {
        (verb, color, f"{color}-read-c4n4ry") for verb in ("init", "plan", "show") for color in ("red", "blue")
    }
    (yard.folder / "keys.log").unlink()
    yard.apply("--parallel", "2").ended(0, "2 applied")
    assert keys(yard) == {("apply", color, f"{color}-write-c4n4ry") for color in ("red", "blue")}
    assert (yard.folder / "meeting/red.key").read_text() == "red-write-c4n4ry"
    assert (yard.folder / "meeting/blue.key").read_text() == "blue-write-c4n4ry"
    for path, content in yard.files_below(yard.home):
        assert b"c4n4ry" not in content, path


def test_files_that_are_not_committed_are_planned_without_the_keys_for_applying(yard: Yard) -> None:
    configure(yard, STACKS, SETS)
    (yard.checkout / "red/main.tf").write_text('resource "terraform_data" "other" {}\n')
    yard.run("plan", "red", "--dirty").ended(0)
    assert {key for _, _, key in keys(yard)} == {"red-read-c4n4ry"}


@pytest.mark.parametrize(
    ("names", "code"),
    [({"plan": "blue-read"}, "HF-4110"), ({"plan": "red-raed"}, "HF-4111")],
    ids=["of another stack", "misspelt"],
)
def test_a_set_that_is_not_granted_is_named_and_nothing_runs(yard: Yard, names: dict[str, str], code: str) -> None:
    configure(yard, {"red": {**STACKS["red"], "credentials": names}}, SETS)
    yard.run("plan").ended(1, code, names["plan"])
    assert keys(yard) == set()


def test_a_set_for_applying_that_is_not_granted_starts_no_apply(yard: Yard) -> None:
    configure(yard, {"red": {**STACKS["red"], "credentials": {"apply": "blue-write"}}}, SETS)
    yard.apply().ended(1, "HF-4110", "blue-write")
    assert {verb for verb, _, _ in keys(yard)} == {"init", "plan", "show"}
    assert {key for _, _, key in keys(yard)} == {""}, "the person's own variables are nobody's business"
    assert yard.state("red").attempts == 0


def test_a_missing_secret_is_named_and_nothing_runs(yard: Yard) -> None:
    configure(yard, STACKS, SETS)
    yard.run("plan", "red", HOLDFAST_SECRET_LAB="").ended(1, "HF-4400", "lab")
    assert keys(yard) == set()


@pytest.mark.parametrize("name", ["LD_PRELOAD", "PATH", "TF_CLI_ARGS_apply", "TF_DATA_DIR"])
def test_a_set_may_not_take_the_tool_over(yard: Yard, name: str) -> None:
    configure(yard, STACKS, {**SETS, "red-read": {**SETS["red-read"], "environment": {name: "x"}}})
    yard.run("plan", "red").ended(64, name, "holdfast.yaml:1:")
    assert keys(yard) == set()


def test_a_stack_does_not_get_around_a_grant_by_reading_the_secret_itself(yard: Yard) -> None:
    red = {**STACKS["red"], "credentials": {}, "inputs": {"k": "${secret:lab}"}}
    configure(yard, {"red": red}, SETS)
    yard.run("apply", "--yes").ended(5, "HF-4410", "secret lab", "credentials:")
    assert keys(yard) == set()


def test_a_missing_input_names_the_variable_that_would_hold_it(yard: Yard) -> None:
    configure(yard, {"red": {"tool": "terraform", "path": "red", "inputs": {"k": "${secret:db/pw}"}}}, {})
    yard.run("apply", "--yes").ended(5, "HF-4400", "HOLDFAST_SECRET_DB_PW")


def test_a_secret_that_a_tool_got_hold_of_by_itself_is_masked_all_the_same(yard: Yard) -> None:
    configure(yard, {"red": {"tool": "terraform", "path": "red"}}, SETS)
    yard.extra |= {"HOLDFAST_SECRET_OTHER": "c4n4ry-of-nobody", "HTTPS_PROXY": "http://me:c4n4ry@proxy"}
    wrapper = yard.folder / "bin" / "terraform"
    # As a provider would that looks around on its host.
    told = "echo c4n4ry-lab-secret c4n4ry-of-nobody http://me:c4n4ry@proxy >&2; exit 1"
    wrapper.write_text(wrapper.read_text().replace("exec", f'[ "$1" = plan ] && {{ {told}; }}\nexec', 1))
    done = yard.run("plan")
    assert done.code == 1
    assert "c4n4ry" not in done.said + yard.run("logs", "1").said + yard.run("show", "1").said
    assert not [path for path, content in yard.files_below(yard.home) if b"c4n4ry" in content]


@pytest.mark.needs("setpriv")
def test_what_the_tool_starts_cannot_read_our_environment(yard: Yard) -> None:
    configure(yard, {"red": {"tool": "terraform", "path": "red"}}, SETS)
    wrapper = yard.folder / "bin" / "terraform"
    look = f"cat /proc/$PPID/environ >{yard.folder}/found 2>{yard.folder}/refused"
    wrapper.write_text(wrapper.read_text().replace("exec", f'[ "$1" = plan ] && {look}\nexec', 1))
    # Who may do everything may read everything: root lays that power down for once.
    plainly = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    argv = [*plainly, str(HOLDFAST), "plan"]
    done = subprocess.run(argv, cwd=yard.checkout, env=yard.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (yard.folder / "found").read_text() == ""
    assert "denied" in (yard.folder / "refused").read_text()
