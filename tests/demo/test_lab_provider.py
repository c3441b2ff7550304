"""The lab provider as its tool starts it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

from orchestrator.cli.demo.lab import lay_mirror


def certificate(mirror: Path, home: Path) -> str:
    """Start the provider with this home and return the certificate that it tells its tool."""
    home.mkdir()
    (program,) = mirror.glob("mirror/**/terraform-provider-lab_*")
    with subprocess.Popen(
        [program], env={**os.environ, "HOME": str(home)}, stdout=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout
        told = started.stdout.readline().strip().split("|")
        # It removes its socket only where it is asked to end.
        started.send_signal(signal.SIGINT)
    assert told[:3] == ["1", "6", "unix"]
    return told[5]


def test_one_certificate_serves_every_start_whatever_home_the_tool_has(tmp_path: Path) -> None:
    lay_mirror(tmp_path / "lab")
    first = certificate(tmp_path / "lab", tmp_path / "one")
    assert certificate(tmp_path / "lab", tmp_path / "two") == first
    assert [*(tmp_path / "one").iterdir(), *(tmp_path / "two").iterdir()] == []


def test_where_it_cannot_keep_one_each_start_makes_its_own(tmp_path: Path) -> None:
    lay_mirror(tmp_path / "lab")
    shutil.rmtree(tmp_path / "lab" / "keys")
    first = certificate(tmp_path / "lab", tmp_path / "one")
    assert certificate(tmp_path / "lab", tmp_path / "two") != first
