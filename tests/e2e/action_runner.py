"""Runs the steps of action.yml as a runner of GitHub would, without one: its variables, its files, its expressions.

What it does not do: `uses:` steps, which are the caches, and the installation, for which the environment that the tests
run in stands. A test of its own installs for real.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from e2e_yard import Yard

ROOT: Final = Path(__file__).parents[2]
ACTION: Final[dict[str, Any]] = yaml.safe_load((ROOT / "action.yml").read_text())
_EXPRESSION: Final = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
REPOSITORY: Final = "acme/infra"


@dataclass(frozen=True, kw_only=True)
class Used:
    """What a step with ``uses: holdfast`` came to."""

    code: int
    log: str
    summary: str
    outputs: dict[str, str]
    #: Steps that are somebody else's action.
    skipped: list[str]

    def ended(self, code: int, *words: str) -> Used:
        assert self.code == code, f"{self.code}, not {code}\n{self.log}"
        assert "Traceback" not in self.log, self.log
        for word in words:
            assert word in self.log, f"{word!r} is missing in\n{self.log}"
        return self


@dataclass(kw_only=True)
class Machine:
    """A runner's machine: nobody has used it, and nobody will."""

    yard: Yard
    event: str = "push"
    payload: Mapping[str, Any] = field(default_factory=dict)
    #: Of the job, beside what the runner sets.
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.temp = self.yard.folder / "temp"
        self.temp.mkdir()
        self.used = 0

    def use(self, **inputs: str) -> Used:
        """Run every step with these inputs (``_`` for ``-``) and return what came of it."""
        self.used += 1
        folder = self.temp / f"_runner-{self.used}"
        folder.mkdir()
        (folder / "event.json").write_text(json.dumps(self.payload))
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        assert given.keys() <= ACTION["inputs"].keys()
        defaults = {name: one.get("default", "") for name, one in ACTION["inputs"].items()}
        known: dict[str, str] = {"github.token": "ghs_the-workflows-own", "runner.os": "Linux", "runner.arch": "X64"}
        known |= {f"inputs.{name}": self._filled(value, known) for name, value in {**defaults, **given}.items()}
        log, skipped, code, summary = "", list[str](), 0, ""
        for number, step in enumerate(ACTION["runs"]["steps"]):
            if "uses" in step:
                skipped.append(step["uses"])
                continue
            if step["run"].endswith('in-action" install'):
                (self.temp / "holdfast").mkdir(exist_ok=True)
                (self.temp / "holdfast" / "venv").unlink(missing_ok=True)
                (self.temp / "holdfast" / "venv").symlink_to(Path(sys.executable).parents[1])
                continue
            files = {name: folder / f"{name}-{number}" for name in ("output", "step_summary", "env", "path", "state")}
            for path in files.values():
                path.touch()
            variables = {name: self._filled(value, known) for name, value in step.get("env", {}).items()}
            code, said = self._shell(step["run"], folder, {**self._runner(folder, files), **variables})
            log += said
            summary += files["step_summary"].read_text()
            outputs = dict(line.split("=", 1) for line in files["output"].read_text().splitlines())
            known |= {f"steps.{step.get('id', '')}.outputs.{name}": value for name, value in outputs.items()}
            if code:
                break
        outputs = {name: self._filled(one["value"], known) for name, one in ACTION["outputs"].items()}
        return Used(code=code, log=log, summary=summary, outputs=outputs, skipped=skipped)

    def _runner(self, folder: Path, files: Mapping[str, Path]) -> dict[str, str]:
        """Return what GitHub says every runner sets."""
        environment = self.yard.environment
        environment.pop("HOLDFAST_HOME")
        return {
            **environment,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_ACTOR": "ana",
            "GITHUB_EVENT_NAME": self.event,
            "GITHUB_EVENT_PATH": str(folder / "event.json"),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ID": "4711",
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_WORKSPACE": str(self.yard.checkout),
            "RUNNER_TEMP": str(self.temp),
            **{f"GITHUB_{name.upper()}": str(path) for name, path in files.items()},
            **self.environment,
        }

    def _shell(self, line: str, folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
        # As the documentation says what `shell: bash` stands for.
        script = folder / "step.sh"
        script.write_text(line)
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.yard.checkout,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=200,
        )
        return done.returncode, done.stdout

    def _filled(self, value: object, known: Mapping[str, str]) -> str:
        def replaced(found: re.Match[str]) -> str:
            name = found[1]
            return known.get(name, "") if name.startswith("steps.") else known[name]

        return _EXPRESSION.sub(replaced, str(value))


def pull_request(*, fork: bool = False, title: str = "Larger network", branch: str = "larger") -> dict[str, Any]:
    """Return the event of a pull request, with what people choose in it."""
    head = "mallory/infra" if fork else REPOSITORY
    return {
        "action": "synchronize",
        "number": 118,
        "pull_request": {
            "number": 118,
            "title": title,
            "state": "open",
            "draft": False,
            "html_url": f"https://github.example/{REPOSITORY}/pull/118",
            "user": {"login": "mallory"},
            "head": {"ref": branch, "sha": "1" * 40, "repo": {"full_name": head}},
            "base": {"ref": "main", "sha": "2" * 40, "repo": {"full_name": REPOSITORY}},
        },
        "repository": {"full_name": REPOSITORY},
    }
