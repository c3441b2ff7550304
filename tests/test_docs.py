"""What the documentation shows is run: commands, samples of output, exit codes, configuration, links."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from orchestrator import errors
from orchestrator.config.operator_reading import read_operator

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(page for room in ("docs", "changelog.d", "examples") for page in (ROOT / room).rglob("*.md")),
    ]
)
#: Pages that show the keys of one tool.
TOOLS = ("ansible", "cloudformation", "puppet")
HOLDFAST = Path(sys.executable).with_name("holdfast")

#: The console block below this line is run; what it shows must come out in that order, "…" standing for anything.
RUN_MARK = "<!-- run for real -->"


def fenced(page: Path, language: str) -> Iterator[str]:
    text = page.read_text(encoding="utf-8")
    yield from re.findall(rf"^ *```{language}\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)


def sample() -> tuple[str, list[str]]:
    """The README's command and the lines that it is said to print."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    command, *lines = text.split(f"{RUN_MARK}\n```console\n$ ", 1)[1].split("```", 1)[0].splitlines()
    return command, [line for line in lines if line.strip() not in {"", "…"}]


def matches(shown: str, printed: str) -> bool:
    """Whether a line was printed as shown; blanks may be more or fewer, and "…" stands for anything."""
    pattern = ".*".join(re.escape(" ".join(part.split())) for part in shown.split("…"))
    return re.fullmatch(pattern, " ".join(printed.split())) is not None


@pytest.mark.needs("git")
def test_the_readme_shows_what_really_happens_and_nothing_else_is_touched(tmp_path: Path) -> None:
    command, lines = sample()
    assert command == "make demo"
    # What `make demo` runs once everything is installed.
    done = subprocess.run(
        [HOLDFAST, "demo", "--dir", "holdfast-demo", "--run", "--force"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "NO_COLOR": "1", "HOME": str(tmp_path / "home")},
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout
    printed = iter(done.stdout.splitlines())
    missing = [line for line in lines if not any(matches(line, one) for one in printed)]
    assert not missing, f"not printed from here on: {missing[0]!r}\n{done.stdout}"
    assert [entry.name for entry in tmp_path.iterdir()] == ["holdfast-demo"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_yaml_in_the_pages_can_be_read(page: Path) -> None:
    for snippet in fenced(page, "yaml"):
        assert yaml.safe_load(snippet)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_the_pages_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert not [link for link in links if "://" not in link and not (page.parent / link).exists()]


@pytest.mark.parametrize(
    "snippet",
    [found for page in ("configuration", *TOOLS) for found in fenced(ROOT / "docs" / f"{page}.md", "yaml")],
    ids=["least", "environments", "drift", *TOOLS],
)
def test_the_configuration_that_a_page_shows_is_valid(snippet: str, tmp_path: Path) -> None:
    (tmp_path / "stacks.yaml").write_text(snippet, encoding="utf-8")
    for folder in re.findall(r"path: ([\w/.]+)", snippet):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "main.tf").write_text('output "cidr" {\n  value = "10.0.0.0/24"\n}\n', encoding="utf-8")
        (tmp_path / folder / "site.pp").touch()
        for listed in re.findall(r"(?:modulepath|roles_path): \[(.+)\]", snippet):
            for place in listed.split(", "):
                (tmp_path / folder / place).mkdir(parents=True, exist_ok=True)
                (tmp_path / folder / place / "README.md").touch()
        (tmp_path / folder / "envs").mkdir(exist_ok=True)
        for environment in ("dev", "prod"):
            (tmp_path / folder / "envs" / f"{environment}.tfvars").touch()
        for file in re.findall(
            r"(?:deployment|stack_policy|playbook|inventory|requirements|known_hosts): (\S+)", snippet
        ):
            for environment in ("dev", "prod"):
                named = tmp_path / folder / file.replace("${env.name}", environment)
                named.parent.mkdir(parents=True, exist_ok=True)
                named.touch()
    done = subprocess.run(
        [HOLDFAST, "-C", tmp_path, "--home", tmp_path.parent / "home", "validate"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "HF-1" not in done.stdout + done.stderr
    assert done.returncode == errors.EXIT_DONE, done.stdout + done.stderr


def test_the_readme_names_every_exit_code() -> None:
    rows = re.findall(r"^\| (\d+) \| ", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    known = {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    assert {int(row) for row in rows} == known


def test_the_readme_names_every_command_that_the_help_lists() -> None:
    from orchestrator.cli.menu import COMMANDS  # noqa: PLC0415 -- only this test needs the menu

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`holdfast ([a-z-]+)", text))
    assert not set(COMMANDS) - named
    assert not named - set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_operator_file_in_the_pages_is_read_without_a_word(page: Path, tmp_path: Path) -> None:
    for snippet in fenced(page, 'yaml title="holdfast.yaml"'):
        (tmp_path / "holdfast.yaml").write_text(snippet, encoding="utf-8")
        assert read_operator(tmp_path / "holdfast.yaml", {}).notices == ()
