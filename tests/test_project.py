"""The project's own files: what is locked, what is promised in the Makefile, what the repository never names."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import orchestrator

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

# Spelled in pieces, or this file would name them itself.
REGISTRIES = [
    "py" + "pi.org",
    "python" + "hosted",
    "npm" + "js.org",
    "npm" + "js.com",
    "deb." + "debian",
    "nodejs." + "org",
]
WORKPLACE = [
    "/" + "work/",
    "/" + "opt/tf",
    "/" + "opt/py",
    "clau" + "de",
    "anthro" + "pic",
    "sub" + "agent",
    "co-authored" + "-by",
]


def tracked() -> list[Path]:
    """Every text file that would be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")


def machine_registries() -> set[str]:
    """Hosts that this machine's own package clients are told to use."""
    config = configparser.ConfigParser(interpolation=None)
    config.read([Path("/etc/pip.conf"), Path.home() / ".config/pip/pip.conf", Path.home() / ".pip/pip.conf"])
    told = [value for section in config.sections() for value in config[section].values()]
    told += [value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "NPM_", "npm_config_"))]
    hosts = {urlsplit(word).hostname for value in told for word in value.split() if "://" in word}
    return {host for host in hosts if host and "." in host}


def test_no_file_names_a_package_registry() -> None:
    names = [*REGISTRIES, *machine_registries()]
    assert not [f"{p.relative_to(ROOT)}: {name}" for p in tracked() for name in names if name in text_of(p).lower()]


def test_the_project_speaks_of_itself_alone() -> None:
    assert not [f"{p.relative_to(ROOT)}: {word}" for p in tracked() for word in WORKPLACE if word in text_of(p).lower()]


def locked(name: str = "constraints.txt") -> dict[str, tuple[Version, int]]:
    """Name -> version and number of hashes, as a file of constraints has them."""
    blocks = re.split(r"\n(?=\S)", (ROOT / name).read_text(encoding="utf-8"))
    found = {}
    for block in blocks:
        if match := re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", block):
            found[canonicalize_name(match[1])] = (Version(match[2]), block.count("--hash=sha256:"))
    return found


def direct_requirements() -> list[Requirement]:
    groups = [PROJECT["project"]["dependencies"]]
    groups += PROJECT["project"]["optional-dependencies"].values()
    groups += PROJECT["dependency-groups"].values()
    return [Requirement(line) for group in groups for line in group]


@pytest.mark.parametrize("requirement", direct_requirements(), ids=lambda requirement: requirement.name)
def test_each_dependency_is_locked_in_a_version_that_it_allows(requirement: Requirement) -> None:
    version, _ = locked()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version), f"{requirement} against {version}: run `make lock`"


@pytest.mark.parametrize("file", ["constraints.txt", "tests/localstack-constraints.txt"])
def test_everything_locked_has_hashes_and_no_address(file: str) -> None:
    assert locked(file)
    assert not [name for name, (_, hashes) in locked(file).items() if not hashes]
    assert "://" not in (ROOT / file).read_text(encoding="utf-8")


def test_make_lists_every_word_that_it_knows() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    known = set(text.split(".PHONY:", 1)[1].split("\n", 1)[0].split()) - {"help", "clean"}
    said = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert known == set(re.findall(r"^make (\S+)", said, re.MULTILINE))


@pytest.mark.parametrize("script", sorted([*(ROOT / "scripts").iterdir(), ROOT / ".ci" / "run"]), ids=lambda p: p.name)
def test_every_script_may_be_run_and_reads_well(script: Path) -> None:
    assert os.access(script, os.X_OK)
    if script.read_bytes().startswith(b"#!/bin/sh"):
        subprocess.run(["sh", "-n", script], check=True)


def test_an_old_python_is_refused_in_one_clear_line(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    old.chmod(0o755)
    done = subprocess.run(
        [ROOT / "scripts" / "make-venv", tmp_path / "venv"],
        env={"PATH": "/usr/bin:/bin", "PYTHON": str(old)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "needs Python 3.11" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_where_localstack_finds_no_python_its_tests_are_left_out_and_that_is_said(tmp_path: Path) -> None:
    for name in ("python3.13", "pyenv"):
        absent = tmp_path / "bin" / name
        absent.parent.mkdir(exist_ok=True)
        absent.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
        absent.chmod(0o755)
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    done = subprocess.run(
        ["scripts/with-localstack", "echo", "it ran"],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "left out: CloudFormation against LocalStack (no python3.13 on PATH, and it runs on no other)\n"
    )


def test_the_version_is_in_the_changelog_or_still_being_written() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## Unreleased" in text or f"## {orchestrator.__version__}" in text


def test_every_action_of_the_workflow_is_pinned_by_its_commit() -> None:
    used = [
        line.split("uses:", 1)[1].split("#")[0].strip()
        for path in (ROOT / ".github").rglob("*.yml")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "uses:" in line
    ]
    assert used
    assert not [name for name in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name)]


def run_pytest(folder: Path, test: str, *, ci: bool) -> subprocess.CompletedProcess[str]:
    shutil.copy(ROOT / "tests" / "conftest.py", folder)
    (folder / "test_one.py").write_text(test, encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "CI"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "1", "-p", "no:cacheprovider", "--rootdir", folder, folder],
        cwd=folder,
        env={**env, "CI": "true"} if ci else env,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


LEAVES_OUT = """
import pytest

@pytest.mark.needs("no-such-program")
def test_with_a_server(): ...

def test_that_gives_up():
    pytest.skip("for no good reason")

def test_that_runs(): ...
"""


def test_what_is_left_out_is_said_by_name(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, LEAVES_OUT, ci=False)
    assert done.returncode == 0, done.stdout
    assert "left out: test_one.py::test_with_a_server (not installed: no-such-program)" in done.stdout
    assert "left out: test_one.py::test_that_gives_up (for no good reason)" in done.stdout


def test_in_ci_a_test_that_is_left_out_fails_the_run(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, LEAVES_OUT, ci=True)
    assert done.returncode == 1, done.stdout
    assert run_pytest(tmp_path, "def test_that_runs(): ...", ci=True).returncode == 0


@pytest.mark.full
@pytest.mark.needs("uv")
def test_the_wheel_carries_what_runs_and_no_tests(tmp_path: Path) -> None:
    subprocess.run(["uv", "build", "--quiet", "--wheel", "--out-dir", tmp_path, ROOT], check=True, timeout=300)
    (wheel,) = tmp_path.glob("holdfast-*.whl")
    listed = subprocess.run([sys.executable, "-m", "zipfile", "-l", wheel], capture_output=True, text=True, check=True)
    assert "orchestrator/cli/demo/terraform-provider-lab.py" in listed.stdout
    assert "adapters/contract.py" in listed.stdout
    assert "orchestrator/deploy/holdfast.service" in listed.stdout
    assert "tests/" not in listed.stdout
