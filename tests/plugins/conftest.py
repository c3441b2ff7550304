"""Environments with Holdfast and one adapter of somebody else's in them; nothing is downloaded.

The third party's own tests run in the third party's own environment, not in ours.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import pytest

REPOSITORY = Path(__file__).parents[2]

collect_ignore = ["third_party"]

#: Its Python, and the variables to run it with.
Environment: TypeAlias = tuple[Path, dict[str, str]]
#: From the distribution's name and version, its files and its entry points.
Install: TypeAlias = Callable[[str, str, Mapping[str, str], str], Environment]


def wheel(folder: Path, name: str, version: str, files: Mapping[str, str], entry_points: str) -> Path:
    """Pack a distribution as its author would publish it."""
    stem = f"{name.replace('-', '_')}-{version}"
    held = {
        **files,
        f"{stem}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{stem}.dist-info/entry_points.txt": f"[orchestrator.adapters]\n{entry_points}\n",
    }
    held[f"{stem}.dist-info/RECORD"] = "".join(f"{path},,\n" for path in [*held, f"{stem}.dist-info/RECORD"])
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as packed:
        for inside, text in held.items():
            packed.writestr(inside, text)
    return path


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """Makes a virtual environment with Holdfast and a distribution in it."""

    def installed(name: str, version: str, files: Mapping[str, str], entry_points: str) -> Environment:
        folder = tmp_path / "venv"
        venv.create(folder, with_pip=False, symlinks=True)
        python = folder / "bin/python"
        # Holdfast and its libraries come from the environment that the tests run in: nothing is downloaded.
        library = f"python{sys.version_info.major}.{sys.version_info.minor}"
        paths = folder / "lib" / library / "site-packages/holdfast.pth"
        paths.write_text(f"{REPOSITORY}\n{sysconfig.get_path('purelib')}\n")
        words = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-index", "--no-deps", "-q"]
        packed = wheel(tmp_path, name, version, files, entry_points)
        subprocess.run([*words, "--disable-pip-version-check", packed], check=True, capture_output=True, timeout=60)
        return python, {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}

    return installed


@pytest.fixture
def run_suite(tmp_path: Path) -> Callable[[Environment, Path], str]:
    """Runs a third party's tests in its environment; returns what they said. Fails where they fail."""

    def ran(environment: Environment, tests: Path) -> str:
        python, variables = environment
        options = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "--confcutdir", tests.parent]
        options += ["-c", os.devnull, "--rootdir", tmp_path, "--basetemp", tmp_path / "cases"]
        done = subprocess.run(
            [python, "-m", "pytest", *options, tests],
            env=variables,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return ran
