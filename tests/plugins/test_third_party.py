"""An adapter in a distribution of its own: installed, found by its entry point, and as good as ours."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
THIRD_PARTY = Path(__file__).parent / "third_party"


def wheel(folder: Path) -> Path:
    """Pack the adapter as its author would publish it."""
    name = "acme_copy-1.0.0"
    held = {
        "acme_copy.py": (THIRD_PARTY / "acme_copy.py").read_text(),
        f"{name}.dist-info/METADATA": "Metadata-Version: 2.1\nName: acme-copy\nVersion: 1.0.0\n",
        f"{name}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{name}.dist-info/entry_points.txt": "[orchestrator.adapters]\nacme-copy = acme_copy:build\n",
    }
    held[f"{name}.dist-info/RECORD"] = "".join(f"{path},,\n" for path in [*held, f"{name}.dist-info/RECORD"])
    path = folder / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as packed:
        for inside, text in held.items():
            packed.writestr(inside, text)
    return path


@pytest.fixture
def environment(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A virtual environment with Holdfast and the adapter in it: its Python, and the variables to run it with."""
    folder = tmp_path / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin/python"
    # Holdfast and its libraries come from the environment that the tests run in: nothing is downloaded.
    paths = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages/holdfast.pth"
    paths.write_text(f"{REPOSITORY}\n{sysconfig.get_path('purelib')}\n")
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-index", "--no-deps", "-q"]
    subprocess.run(
        [*install, "--disable-pip-version-check", wheel(tmp_path)], check=True, capture_output=True, timeout=60
    )
    return python, {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}


def test_an_adapter_of_somebody_else_is_found_and_passes_the_suite(
    environment: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    python, variables = environment
    options = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "--confcutdir", THIRD_PARTY, "-c", os.devnull]
    options += ["--rootdir", tmp_path, "--basetemp", tmp_path / "cases"]
    ran = subprocess.run(
        [python, "-m", "pytest", *options, THIRD_PARTY / "test_acme_copy.py"],
        env=variables,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "20 passed" in ran.stdout


def test_it_stands_among_the_installed_adapters_beside_ours(environment: tuple[Path, dict[str, str]]) -> None:
    python, variables = environment
    ask = "from orchestrator.effects.plugins import InstalledAdapters; print(*InstalledAdapters().names())"
    told = subprocess.run(
        [python, "-c", ask], env=variables, capture_output=True, text=True, timeout=60, check=True
    ).stdout.split()
    assert {"acme-copy", "opentofu", "terraform"} <= set(told)
