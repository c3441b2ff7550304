"""A connection that is being closed when somebody presses Ctrl-C."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sqlite3, sys
from orchestrator.effects.record_schema import open_database
database = open_database(f"sqlite:///{sys.argv[1]}/record.db")
def pressed(connection):
    raise KeyboardInterrupt
database.engine.dialect.do_close = pressed
try:
    database.close()
except KeyboardInterrupt:
    pass
"""


def test_ctrl_c_while_the_record_is_closed_shows_no_traceback(tmp_path: Path):
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr == ""
