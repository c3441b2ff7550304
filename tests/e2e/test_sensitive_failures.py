"""What the tool's files call sensitive stays out of everything that is shown or kept, above all when something fails."""

from __future__ import annotations

import pytest
from e2e_yard import Done, Yard

pytestmark = pytest.mark.needs("git", "terraform")

TEXT, NUMBER = "c4n4ry-hunter2", "918273645"
STACKS = "version: 1\nproject: estate\nstacks:\n  web: {tool: terraform, path: web}\n"
#: The values reach a command through an output that the tool marks in no way.
WEB = """
variable "pw" {
  sensitive = true
}
variable "pin" {
  sensitive = true
  type      = number
}
resource "terraform_data" "a" { input = [var.pw, var.pin] }
resource "terraform_data" "b" {
  triggers_replace = "%(command)s"
  provisioner "local-exec" {
    environment = { PW = terraform_data.a.output[0], PIN = terraform_data.a.output[1] }
    command     = "%(command)s"
  }
}
"""
FAILS = "echo out:$PW $PIN; exit 1"
VALUES = f'pw = "{TEXT}"\npin = {NUMBER}\n'


def sweep(yard: Yard, *done: Done) -> None:
    """Assert that no secret is in what commands said, nor in what is kept of them, but for files and state."""
    shown = [
        yard.run(*words)
        for words in (
            ("status", "-o", "json"),
            ("explain", "web"),
            ("show", "web", "-o", "json"),
            ("runs", "-o", "json"),
            *(("show", str(entry.run), "-o", "json") for entry in yard.entries("web") if entry.run),
            *(("logs", str(number)) for number in {entry.run for entry in yard.entries("web")} if number),
        )
    ]
    texts = {f"output {number}": one.said.encode() for number, one in enumerate((*done, *shown))}
    for place in ("logs", "artifacts", "spool", "attempts"):
        texts |= {str(path): content for path, content in yard.files_below(yard.home / place)}
    texts |= {str(path): path.read_bytes() for path in yard.home.glob("record.db*")}
    assert not [place for place, text in texts.items() for secret in (TEXT, NUMBER) if secret.encode() in text]


@pytest.fixture
def web(yard: Yard) -> Yard:
    yard.commit({"stacks.yaml": STACKS, "web/main.tf": WEB % {"command": "true"}, "web/terraform.tfvars": VALUES})
    yard.apply().ended(0)
    yard.commit({"web/main.tf": WEB % {"command": FAILS}})
    return yard


def test_a_failing_apply_tells_no_sensitive_value(web: Yard) -> None:
    done = web.apply("--confirm", "web").ended(1, "out:(sensitive)")
    sweep(web, done)


def test_what_a_failing_apply_said_is_masked_by_whoever_finds_it_after_a_crash(web: Yard) -> None:
    crashed = web.apply("--confirm", "web", HOLDFAST_FAILPOINT="attempts.close.before")
    assert crashed.code < 0
    sweep(web, crashed)


def test_an_attempt_that_is_adopted_tells_no_sensitive_value(web: Yard) -> None:
    crashed = web.apply("--confirm", "web", HOLDFAST_FAILPOINT="record.append.before:4")
    assert crashed.code < 0
    assert web.state("web").applying is not None
    done = web.run("plan")
    assert web.state("web").applying is None
    sweep(web, crashed, done)


def test_a_failing_plan_tells_no_sensitive_value_that_the_state_or_a_variable_file_holds(web: Yard) -> None:
    check = 'precondition {\n      condition     = terraform_data.a.id == 0\n      error_message = "is ${nonsensitive(%s)}"\n    }'
    data = 'data "terraform_remote_state" "none" {\n  backend = "local"\n  config  = { path = nonsensitive(%s) }\n}\n'
    for value in ("terraform_data.a.output[0]", "var.pw", "var.pin"):
        lifecycle = 'resource "terraform_data" "c" {\n  lifecycle {\n    ' + check % f"tostring({value})" + "\n  }\n}\n"
        web.commit({"web/main.tf": WEB % {"command": "true"} + lifecycle})
        sweep(web, web.run("plan").ended(1, "(sensitive)"))
    web.commit({"web/main.tf": WEB % {"command": "true"} + data % "var.pw"})
    sweep(web, web.run("plan").ended(1))
