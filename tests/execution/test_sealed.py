"""What a change was sealed with is what it gets, whoever writes to the file and whenever."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from execution_yard import Yard, step

from adapters.contract import Command, PlanStale
from orchestrator.effects.sandbox import Sandbox
from orchestrator.ports import NeverStarted


def change(yard: Yard, file: Path, script: str, approved: bytes) -> Command:
    """Return a change that gets ``file`` as its first argument, sealed as ``approved``."""
    seal = {file: hashlib.sha256(approved).hexdigest()}
    return Command(argv=("sh", "-c", script, "sh", str(file)), cwd=yard.work, mutates=True, sealed=seal)


def test_a_file_that_is_not_as_it_was_sealed_keeps_the_change_from_starting(yard: Yard) -> None:
    attempt, file = yard.attempt(), yard.work / "plan"
    shell = yard.shell(attempt=Path(attempt.folder))
    for there in (b"another plan", None):
        file.unlink(missing_ok=True)
        if there:
            file.write_bytes(there)
        with pytest.raises(PlanStale, match="plan was altered"):
            shell.run(change(yard, file, "touch ran", b"the plan"))
    assert not (yard.work / "ran").exists()
    assert isinstance(yard.attempts.look(attempt), NeverStarted)


@pytest.mark.parametrize("sandboxed", [False, pytest.param(True, marks=pytest.mark.needs("bwrap"))])
def test_the_tool_reads_what_was_sealed_even_where_the_file_is_swapped_under_it(yard: Yard, sandboxed: bool) -> None:
    attempt, file = yard.attempt(), yard.work / "plan"
    file.write_bytes(b"the plan")
    sandbox = Sandbox.find(yard.outer["PATH"]) if sandboxed else None
    shell = yard.shell(attempt=Path(attempt.folder), shells=yard.shells(sandbox=sandbox), writable=(yard.work,))
    script = 'echo evil >plan; cat "$1"; echo evil >"$1" || echo refused'
    result = shell.run(change(yard, file, script, b"the plan"))
    assert result.stdout == b"the planrefused\n", result.stderr
    assert file.read_bytes() == b"evil\n"
    assert f"$ sh -c '{script}' sh {file}" in yard.log.replace("'\"'\"'", "'"), "people see the file, not the copy"
    assert step(attempt).exists()


def test_the_stacks_files_are_proven_right_before_the_first_change_and_never_after_it(yard: Yard) -> None:
    attempt = yard.attempt()
    asked: list[list[Path]] = []
    file = yard.work / "beside"
    file.write_bytes(b"ours")

    def verify(beside: object) -> None:
        asked.append(list(beside))  # type: ignore[call-overload]
        if len(asked) == 1:
            raise PlanStale("altered")

    shell = yard.shell(attempt=Path(attempt.folder), verify=verify)
    with pytest.raises(PlanStale):
        shell.run(change(yard, file, "touch ran", b"ours"))
    assert not (yard.work / "ran").exists()
    for _ in range(2):
        shell.run(change(yard, file, "touch ran", b"ours"))
    assert asked == [[file]] * 2
