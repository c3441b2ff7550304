"""sceptre, in an environment of its own below ``.tools``: it wants other versions of what Holdfast stands on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / ".tools/sceptre"
PINNED = ROOT / "bench/sceptre-constraints.txt"

#: The three calls of its API that its command line makes for a change set, with what they load loaded before: its
#: kinds of resolvers, hooks and templates are modules that it finds as it reads a project.
SCRIPT = """
import json, sys, time
from importlib.metadata import entry_points
import boto3, botocore.parsers, jsonschema, networkx
from sceptre.context import SceptreContext
from sceptre.plan.plan import SceptrePlan
for group in ("hooks", "resolvers", "template_handlers"):
    for one in entry_points(group=f"sceptre.{group}"):
        one.load()
began = time.perf_counter()
plan = SceptrePlan(SceptreContext(project_path=sys.argv[1], command_path="web.yaml"))
name = f"c{sys.argv[2]}"
plan.create_change_set(name)
plan.wait_for_cs_completion(name)
(found,) = plan.describe_change_set(name).values()
print(json.dumps({"changes": len(found["Changes"]), "took": time.perf_counter() - began}))
"""


def sceptre() -> Path | None:
    """Return the Python that has sceptre, installing it the first time; None where that cannot be."""
    python, stamp = PLACE / "bin/python", PLACE / "installed"
    if stamp.is_file() and stamp.read_text() == PINNED.read_text():
        return python
    uv = str(Path(sys.executable).with_name("uv"))
    words = ["pip", "install", "--quiet", "--compile-bytecode", "--require-hashes", "--python", python, "-r", PINNED]
    for argv in ([uv, "venv", "--quiet", "--clear", "--python", sys.executable, PLACE], [uv, *words]):
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"sceptre cannot be installed: {done.stderr.strip()[-500:]}", flush=True)
            return None
    stamp.write_text(PINNED.read_text())
    return python


def project(folder: Path, *, stack: str) -> Path:
    """Lay a project of one stack below ``folder`` and return the file that its template is."""
    for name in ("config", "templates"):
        (folder / name).mkdir(parents=True)
    (folder / "config/config.yaml").write_text("project_code: bench\nregion: eu-central-1\n")
    (folder / "config/web.yaml").write_text(f"template: {{type: file, path: web.yaml}}\nstack_name: {stack}\n")
    return folder / "templates/web.yaml"


def change_set(python: Path, folder: Path, number: int, env: Mapping[str, str]) -> float:
    """Have a change set made and described; returns the seconds that took, sceptre's start and imports left out."""
    words = [python, "-c", SCRIPT, folder, str(number)]
    done = subprocess.run(words, env=dict(env), capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["changes"] == 1, told
    return float(told["took"])
