"""The worked example of docs/adapters.md: it is what the page shows, passes the suite, and works from stacks.yaml."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from adapters.conformance import CASES

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Environment, Install

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/command-adapter"
PAGE = ROOT / "docs/adapters.md"
PACKAGE = sorted((EXAMPLE / "holdfast_command").glob("*.py"))


def shown() -> list[tuple[str, str]]:
    """Each snippet of the page and the file that it says it is from."""
    return re.findall(r'^ *```\w+ title="([^"]+)"\n(.*?)^ *```', PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def environment(install: Install) -> Environment:
    """A virtual environment with Holdfast and the example in it, as its own pyproject.toml says."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))["project"]
    ((name, place),) = project["entry-points"]["orchestrator.adapters"].items()
    files = {str(path.relative_to(EXAMPLE)): path.read_text("utf-8") for path in PACKAGE}
    return install(project["name"], project["version"], files, f"{name} = {place}")


def test_every_snippet_of_the_page_stands_in_the_file_that_it_names() -> None:
    assert len(shown()) >= 8
    for file, snippet in shown():
        assert snippet in (EXAMPLE / file).read_text("utf-8"), f"{file} has no\n{snippet}"


def test_every_file_of_the_package_is_walked_through() -> None:
    named = {file for file, _ in shown()}
    assert {str(path.relative_to(EXAMPLE)) for path in PACKAGE if path.name != "__init__.py"} <= named


def test_it_stays_small_and_knows_only_the_contract() -> None:
    texts = [path.read_text("utf-8") for path in PACKAGE]
    assert sum(len(text.splitlines()) for text in texts) < 300
    assert not [text for text in texts if "orchestrator" in text]


def test_it_is_found_by_its_entry_point_and_passes_the_suite(
    environment: Environment, run_suite: Callable[[Environment, Path], str]
) -> None:
    assert f"{len(CASES)} passed" in run_suite(environment, EXAMPLE / "tests/test_conformance.py")


def test_a_stack_of_it_is_applied_found_drifted_and_fails_in_one_line(environment: Environment, tmp_path: Path) -> None:
    python, variables = environment
    world, checkout = tmp_path / "world", tmp_path / "infra"
    world.mkdir()
    (checkout / "notes").mkdir(parents=True)
    for name in ("store.py", "wanted.json"):
        (checkout / "notes" / name).write_text((EXAMPLE / "notes" / name).read_text("utf-8"))
    (checkout / "stacks.yaml").write_text(
        (EXAMPLE / "README.md")
        .read_text("utf-8")
        .split("```yaml\n", 1)[1]
        .split("```", 1)[0]
        .replace("/srv/notes", str(world))
        .replace('"${secret:notes/token}"', "plain")
    )

    def holdfast(*words: str, code: int = 0) -> str:
        done = subprocess.run(
            [python, "-c", "from orchestrator.cli.main import run; run()", *words],
            cwd=checkout,
            env={**variables, "HOLDFAST_HOME": str(tmp_path / "state"), "COLUMNS": "200", "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    git = ["git", "-c", "user.name=Ana", "-c", "user.email=ana@lab.example"]
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message=first"]):
        subprocess.run([*git, *words], cwd=checkout, env=variables, check=True, timeout=30)

    holdfast("apply", "--yes")
    assert json.loads((world / "first.json").read_text()) == {"size": 10, "token": "plain"}
    assert holdfast("outputs", "notes", "count") == "2\n"
    (world / "first.json").write_text(json.dumps({"size": 99, "token": "plain"}))
    assert "expected 10" in holdfast("drift")

    for name in ("first", "second"):
        (world / f"{name}.json").unlink()
    world.rmdir()
    said = holdfast("apply", "--yes", code=1)
    assert "Traceback" not in said
    assert "FileNotFoundError" in said
