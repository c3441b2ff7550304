"""The action and the workflows that people copy: what GitHub would refuse, and what would be unsafe."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.config.operator_reading import read_operator

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / "examples" / "github" / "workflows").glob("*.yaml"))
PROGRAMS = Path(sys.executable).parent
#: Whose commit everybody chooses by themselves.
OURS = "acme/holdfast@" + "0" * 40
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
README = (ROOT / "README.md").read_text("utf-8").split("<!-- a workflow -->\n```yaml\n", 1)[1].split("```", 1)[0]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))


def read(text: str) -> dict[str, Any]:
    # YAML 1.1 takes a key `on` for the truth.
    return {"on" if name is True else name: value for name, value in yaml.safe_load(text).items()}


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for one in workflow["jobs"].values() for step in one["steps"]]


def test_github_would_take_them(tmp_path: Path) -> None:
    ten_lines = tmp_path / "readme.yaml"
    ten_lines.write_text(README)
    assert len(README.splitlines()) == 10
    for schema, files in (
        ("vendor.github-actions", [ROOT / "action.yml"]),
        ("vendor.github-workflows", [*WORKFLOWS, ten_lines, ROOT / ".github" / "workflows" / "ci.yml"]),
    ):
        done = subprocess.run(
            [PROGRAMS / "check-jsonschema", "--builtin-schema", schema, *files],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_nothing_in_them_is_unsafe(tmp_path: Path) -> None:
    ten_lines = tmp_path / "readme.yaml"
    ten_lines.write_text(README)
    done = subprocess.run(
        [PROGRAMS / "zizmor", "--offline", "--no-progress", ROOT / "action.yml", *WORKFLOWS, ten_lines],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_has_the_least_rights_and_never_cuts_off_an_apply(path: Path) -> None:
    text = path.read_text("utf-8")
    workflow = read(text)
    assert workflow["permissions"] == {}
    assert all("permissions" in one and "timeout-minutes" in one for one in workflow["jobs"].values())
    assert "pull_request_target" not in text
    used = [step["uses"] for step in steps(workflow)]
    assert OURS in used
    assert not [one for one in used if not PINNED.fullmatch(one)]
    # Each says of which release it is the commit: what is pinned by hash alone nobody knows to be old.
    assert len(re.findall(r"@[0-9a-f]{40} # \S", text)) == len(used)
    applies = [step for step in steps(workflow) if step.get("with", {}).get("command") == "apply"]
    for step in applies:
        assert workflow["concurrency"]["cancel-in-progress"] is False
        assert {"plan", "digest"} <= step["with"].keys()
    for job in workflow["jobs"].values():
        assert not any(step in applies for step in job["steps"]) or job["environment"]
    for step in steps(workflow):
        if step["uses"] == OURS:
            assert step["with"].keys() <= ACTION["inputs"].keys()
        assert "run" not in step


def test_the_operators_file_beside_them_is_one() -> None:
    found = read_operator(ROOT / "examples" / "github" / "holdfast.yaml", {})
    assert found.notices == ()
    assert found.credentials["aws"].passed


def test_the_page_tells_of_every_input_and_output() -> None:
    page = (ROOT / "docs" / "github-actions.md").read_text("utf-8")
    assert not [name for name in (*ACTION["inputs"], *ACTION["outputs"]) if f"`{name}`" not in page]


def test_no_word_of_others_stands_in_a_line_that_a_shell_reads() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
        assert "run" in step or PINNED.fullmatch(step["uses"])
