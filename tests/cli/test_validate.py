"""What validate finds out, through the installed program; no tool is started."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from test_world import make, value

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
HEAD = "version: 1\nproject: small\ndiscover: false\nstacks:\n"


@pytest.fixture
def small(tmp_path):
    return make(tmp_path)


def found(small, code, *words):
    """Return each finding as ``place severity code``."""
    findings = value(small.ends(code, "validate", "--dirty", "--json", *words))["findings"]
    return [f"{one['file']}:{one['line']}:{one['column']} {one['severity']} {one['code']}" for one in findings]


def test_the_long_example_has_notes_and_no_error(small):
    for folder in ("network", "web"):
        shutil.rmtree(small.repo / folder)
    shutil.copy(EXAMPLES / "stacks.yaml", small.repo / "stacks.yaml")
    for folder in ("terraform/network", "cloudformation/dns", "ansible/web"):
        (small.repo / folder).mkdir(parents=True)
        (small.repo / folder / "README.md").write_text("")
    (small.repo / "terraform/network/envs").mkdir()
    for name in ("dev", "prod"):
        (small.repo / f"terraform/network/envs/{name}.tfvars").write_text("")
    (small.repo / "terraform/network/main.tf").write_text(
        'output "vpc_id" { value = 1 }\noutput "cidr" { value = 2 }\nvariable "site_name" {}\nvariable "region" {}\n'
    )
    notes = found(small, 0, "network", "dns", "web")
    assert {note.partition(" ")[2] for note in notes} == {"note HF-1050"}
    found(small, 64, "--strict")
    held = small.ends(0, "plan", "web@dev", "--dirty").stdout
    assert "no adapter is called 'ansible'" in held


def test_a_path_that_is_no_folder_is_an_error_by_line_and_column(small):
    text = "  network: {path: network/main.tf, tool: terraform}\n  web: {path: wbe, tool: terraform}\n"
    (small.repo / "stacks.yaml").write_text(f"{HEAD}{text}")
    assert found(small, 64) == ["stacks.yaml:5:13 error HF-1014", "stacks.yaml:6:9 error HF-1014"]


def test_a_tool_that_nobody_brings_is_named_by_line_and_column(small):
    (small.repo / "stacks.yaml").write_text(f"{HEAD}  web: {{tool: terrafrom, path: web}}\n")
    assert "stacks.yaml:5:9 error HF-4001" in found(small, 64)
