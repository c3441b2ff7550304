"""The tool and its adapter as an ordinary user: root does not notice a folder that it may not write to."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NOBODY = 65534
#: A whole round with a repair, a destroy, and a state that could not be saved.
ROUND = "drift_is_told or planned_destroy or could_not_be_saved"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that belongs to nobody in particular, outside of pytest's own private one."""
    folder = Path(tempfile.mkdtemp(prefix="holdfast-nobody-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _ordinary_user() -> list[str]:
    """Return the command that turns root into somebody who is refused what files do not allow.

    Nobody, where nobody can reach this interpreter and this repository; else root without root's powers over
    files: a private folder of root's own is all that both have.
    """
    nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    # In a child of the shell's: setpriv itself still has the powers to reach what others cannot.
    look = f"{shlex.quote(sys.executable)} -c 'open({json.dumps(str(HERE / 'conftest.py'))})'"
    if subprocess.run([*nobody, "sh", "-c", f"{look}; exit $?"], capture_output=True, check=False).returncode == 0:
        return nobody
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner,-chown"]


@pytest.mark.needs("setpriv", "terraform")
@pytest.mark.skipif(os.geteuid() != 0, reason="the whole suite runs as an ordinary user here")
def test_a_whole_round_works_for_an_ordinary_user(open_folder: Path) -> None:
    who = _ordinary_user()
    variables = {"PATH": os.environ["PATH"], "HOME": str(open_folder), "TMPDIR": str(open_folder)}
    chosen = ["-k", f"terraform and ({ROUND})", "-m", "not full", "-p", "no:xdist", "--basetemp", open_folder / "cases"]
    ran = subprocess.run(
        [*who, sys.executable, "-B", "-m", "pytest", *chosen, HERE / "test_conformance.py", HERE / "test_rescue.py"],
        env=variables,
        cwd=open_folder,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "3 passed" in ran.stdout
