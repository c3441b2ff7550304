"""What a run's log tells: what provisioners print, why something failed, and what was said after everybody left."""

from __future__ import annotations

import pytest
from e2e_yard import Yard, until

pytestmark = pytest.mark.needs("git", "terraform")

STACKS = "version: 1\nproject: estate\nstacks:\n  web: {tool: terraform, path: web}\n"
WEB = 'resource "terraform_data" "web" {\n  provisioner "local-exec" { command = "%s" }\n}\n'


def test_what_a_provisioner_prints_and_why_it_failed_is_in_the_log(yard: Yard) -> None:
    yard.commit({"stacks.yaml": STACKS, "web/main.tf": WEB % "echo said aloud; exit 3"})
    yard.apply().ended(1)
    yard.run("logs", "1").ended(0, "(local-exec): said aloud", "exit status 3")


@pytest.mark.parametrize("words", [("logs", "-f", "1"), ("plan",)], ids=" ".join)
def test_what_is_said_after_the_worker_was_killed_is_in_the_log_of_its_run_once(
    yard: Yard, words: tuple[str, ...]
) -> None:
    gate, reached = yard.folder / "gate", yard.folder / "reached"
    gate.touch()
    script = f"echo before; touch {reached}; while [ -e {gate} ]; do sleep 0.05; done; echo afterwards"
    yard.commit({"stacks.yaml": STACKS, "web/main.tf": WEB % script})
    process = yard.start("apply", "--yes")
    until(reached.exists)
    (log,) = (yard.home / "logs" / "1").glob("*.log")
    until(lambda: "(local-exec): before" in log.read_text())
    # Once it is noted, too: whoever dies between the telling and the note has it told again.
    (step,) = (yard.home / "attempts").glob("*/1")
    until((step / "told").exists)
    until(lambda: int((step / "told").read_text() or 0) == (step / "stdout").read_bytes().count(b"\n"))
    process.kill()
    process.communicate()
    gate.unlink()
    yard.run(*words).ended(0)
    said = yard.run("logs", "1").ended(0, "Creation complete").out
    assert said.count("(local-exec): before") == said.count("(local-exec): afterwards") == 1
    runs = {one["run"]: one for one in yard.run("runs", "-o", "json").ended(0).json["runs"]}
    assert runs[1]["result"] == "success"
    assert runs[1]["ended_at"]
