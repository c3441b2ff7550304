"""Where a demo lives: one folder with the repository, the cloud, the provider and the record in it."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from orchestrator.cli.demo import lab, repository
from orchestrator.effects.git import git_environment, last_line
from orchestrator.effects.process import quick
from orchestrator.errors import ExecutionError, UsageError

#: Lies in a demo's folder, so that no other folder is ever taken for one and removed.
_MARK: Final = ".holdfast-demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The folders of one demo."""

    folder: Path

    @property
    def checkout(self) -> Path:
        """The Git repository."""
        return self.folder / "infra"

    @property
    def cloud(self) -> Path:
        """What stands for a cloud."""
        return self.folder / "cloud"

    @property
    def home(self) -> Path:
        """Record, state and workspaces."""
        return self.folder / "home"

    @property
    def activate(self) -> Path:
        """What a shell reads so that ``holdfast`` finds all this."""
        return self.folder / "activate"

    @property
    def program(self) -> Path:
        """The ``holdfast`` that belongs to this Python."""
        return Path(sys.executable).with_name("holdfast")

    @property
    def tool_configuration(self) -> Path:
        """The tool's own configuration: it points at the provider in the demo's folder."""
        return self.folder / "provider" / "cli.tfrc"

    def variables(self) -> dict[str, str]:
        """Return what ``holdfast`` needs in its environment to work here."""
        return {
            "HOLDFAST_HOME": str(self.home),
            "TF_CLI_CONFIG_FILE": str(self.tool_configuration),
            # A build service that tries the demo keeps its folder for as long as the demo takes.
            "HOLDFAST_RECORD": "lasting",
        }


def make(place: Place, *, anew: bool, outer: Mapping[str, str]) -> str:
    """Make the demo and return the tool that its stacks use; ``outer`` is this process's environment.

    Raises UsageError where the folder is there already (HF-1980), where neither Terraform nor OpenTofu is on
    PATH (HF-1981), or where the provider's library is missing (HF-1982).
    """
    tool = _tool(outer)
    if find_spec("tf") is None:
        raise UsageError(
            "the demo's provider needs the Python package tf, which is not installed",
            code="HF-1982",
            hint="pipx inject holdfast tf puts it beside holdfast; pipx install '.[demo]' brings it along",
        )
    _clear(place, anew=anew)
    place.folder.mkdir(parents=True)
    (place.folder / _MARK).write_text("Made by `holdfast demo`. The whole folder may be removed.\n", "utf-8")
    place.cloud.mkdir()
    lab.lay_mirror(place.tool_configuration.parent)
    place.activate.write_text(_activate(place), "utf-8")
    for name, text in repository.files(tool=tool, cloud=place.cloud).items():
        path = place.checkout / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    _commit(place.checkout, env=git_environment(outer))
    return tool


def _tool(outer: Mapping[str, str]) -> str:
    for program, tool in (("terraform", "terraform"), ("tofu", "opentofu")):
        if shutil.which(program, path=outer.get("PATH")):
            return tool
    raise UsageError(
        "neither terraform nor tofu is on PATH",
        code="HF-1981",
        hint="install one of them; in a checkout of holdfast `make demo` fetches one",
    )


def _clear(place: Place, *, anew: bool) -> None:
    if not place.folder.exists():
        return
    ours = (place.folder / _MARK).is_file()
    if not (anew and ours):
        raise UsageError(
            f"{place.folder} is there already",
            code="HF-1980",
            hint="--force makes it anew" if ours else "it is no demo's folder; name another one with --dir",
        )
    for path in place.home.rglob("*"):
        # Cached trees are read-only on purpose; a folder must be writable to be emptied.
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(place.folder)


def _activate(place: Place) -> str:
    lines = [f"export {name}={shlex.quote(value)}" for name, value in place.variables().items()]
    lines.append(f'export PATH={shlex.quote(str(place.program.parent))}:"$PATH"')
    return "# Read by a shell: . ./activate\n" + "\n".join(lines) + "\n"


def _commit(checkout: Path, *, env: Mapping[str, str]) -> None:
    # The identity is kept in the repository, so that its owner can commit on a machine where git knows nobody.
    for argv in (
        ("git", "init", "--quiet", "--initial-branch=main"),
        ("git", "config", "user.name", "Ana Demo"),
        ("git", "config", "user.email", "ana@demo.example"),
        ("git", "add", "--all"),
        ("git", "commit", "--quiet", "--message=Describe a network and two web servers"),
    ):
        result = quick(argv, env=env, cwd=checkout)
        if result.exit_code != 0:
            raise ExecutionError(
                f"git {argv[1]} failed in {checkout}: {last_line(result.stderr)}",
                code="HF-1983",
                hint="git 2.28 or newer is needed",
            )
