"""The list of traps is true: what it names is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/traps.md").read_text(encoding="utf-8")
#: Guard: file and name. Test: file, and name without its parameters.
ROW = re.compile(
    r"^\| (?P<trap>[^|]+) \| `(?P<file>\S+)` `(?P<name>\S+)` \| `(?P<tests>\S+?)::(?P<test>\w+)(?:\[.+\])?` \|$"
)
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| Trap |")]


@cache
def defined(file: str) -> frozenset[str]:
    """What a file defines: functions and classes, methods as ``Class.method``."""
    found: set[str] = set()

    def gather(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found.add(f"{prefix}{node.name}")
            if isinstance(node, ast.ClassDef):
                gather(node.body, f"{node.name}.")

    gather(ast.parse((ROOT / file).read_text(encoding="utf-8")).body, "")
    return frozenset(found)


def test_the_list_of_traps_speaks_of_each_tool() -> None:
    assert {"Terraform", "Ansible", "CloudFormation", "Puppet"} <= set(re.findall(r"^## (\w+)", PAGE, re.MULTILINE))
    assert len(ROWS) > 60


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_the_guard_of_a_trap_and_the_test_that_misses_it_are_there(row: str) -> None:
    named = ROW.match(row)
    assert named, row
    assert named["name"] in defined(named["file"])
    assert named["test"] in defined(named["tests"])
