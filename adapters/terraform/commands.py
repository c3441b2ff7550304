"""Every command line of Terraform and OpenTofu that we use, as values. Pure: building one starts nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from adapters.contract import Command, Goal

#: ``init`` writes to the provider cache, which is not made for several writers
#: (https://github.com/hashicorp/terraform/issues/25849).
ONE_INIT_AT_A_TIME: Final = "terraform-init"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the tool runs, and with what in its environment."""

    program: str
    folder: Path
    env: Mapping[str, str]

    def command(self, verb: str, *words: str, **options: Any) -> Command:
        """Return the command for ``verb`` at this place."""
        # Loaded here: whoever only asks which files a stack reads does without it.
        from adapters.terraform.arguments import build  # noqa: PLC0415

        return Command(argv=build(self.program, verb, *words, **options), cwd=self.folder, env=self.env)


def environment(*, scratch: Path, cli_config: Path, workspace: str, plugin_cache: Path | None) -> dict[str, str]:
    """Return the variables that keep the tool to our folders and from asking questions.

    With these set, neither a committed ``.terraform`` folder, nor a plugin folder, nor a workspace chosen in
    the tree has a say.
    """
    variables = {
        "TF_DATA_DIR": str(scratch / "terraform"),
        "TF_CLI_CONFIG_FILE": str(cli_config),
        "TF_WORKSPACE": workspace,
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
    }
    if plugin_cache is not None:
        variables["TF_PLUGIN_CACHE_DIR"] = str(plugin_cache)
    return variables


def cli_config(operators: str) -> str:
    """Return the CLI configuration: the operator's, with the two things in it that must never be left open.

    Without an explicit ``provider_installation`` the tool would take providers from a ``terraform.d`` folder
    of the tree (https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories).
    """
    parts = [operators.strip()]
    if "provider_installation" not in operators:
        parts.append("provider_installation {\n  direct {}\n}")
    if "disable_checkpoint" not in operators:
        parts.append("disable_checkpoint = true")
    return "\n".join(part for part in parts if part) + "\n"


def version(program: str, env: Mapping[str, str]) -> Command:
    """Ask for the tool's version and platform."""
    return Place(program=program, folder=Path("/"), env=env).command("version", json=_flag())


def init(place: Place, *, lock_is_committed: bool, backend_files: Sequence[Path]) -> Command:
    """Fetch modules and providers and open the backend; never changes a lock file that is committed."""
    command = place.command(
        "init",
        input=False,
        no_color=_flag(),
        reconfigure=_flag(),
        lockfile="readonly" if lock_is_committed else None,
        backend_config=[str(path) for path in backend_files],
    )
    return Command(argv=command.argv, cwd=command.cwd, env=command.env, exclusive=ONE_INIT_AT_A_TIME)


def validate(place: Place) -> Command:
    """Check the files, without state and without the world."""
    return place.command("validate", json=_flag())


def test(place: Place, files: Sequence[str]) -> Command:
    """Run these files of the tool's own tests."""
    return place.command("test", json=_flag(), no_color=_flag(), filter=list(files))


def plan(place: Place, *, goal: Goal, out: Path, var_files: Sequence[Path], parallelism: int | None) -> Command:
    """Work out what would be done and save it to ``out``."""
    return place.command(
        "plan",
        json=_flag(),
        input=False,
        detailed_exitcode=_flag(),
        destroy=_flag() if goal is Goal.DESTROY else None,
        parallelism=parallelism,
        var_file=[str(path) for path in var_files],
        out=str(out),
    )


def show(place: Place, saved: Path) -> Command:
    """Print a saved plan as JSON, with every secret in clear."""
    return place.command("show", str(saved), json=_flag())


def apply(place: Place, saved: Path, *, parallelism: int | None, sealed: Mapping[Path, str]) -> Command:
    """Do exactly what a saved plan says, with these files as they are."""
    command = place.command("apply", str(saved), json=_flag(), input=False, parallelism=parallelism)
    return Command(argv=command.argv, cwd=command.cwd, env=command.env, mutates=True, sealed=sealed)


def push_state(place: Place, state: Path) -> Command:
    """Hand a state that could not be saved to its backend; the tool refuses one that is older than what is there."""
    return _aside(place.command("state push", str(state), no_color=_flag()))


def pull_state(place: Place) -> Command:
    """Print the state, with every secret in clear."""
    return place.command("state pull", no_color=_flag())


def outputs(place: Place) -> Command:
    """Print the outputs as JSON, with every secret in clear."""
    return place.command("output", json=_flag(), no_color=_flag())


def force_unlock(place: Place, lock_id: str) -> Command:
    """Free the state's lock."""
    return _aside(place.command("force-unlock", lock_id, force=_flag(), no_color=_flag()))


def _aside(command: Command) -> Command:
    """Return the command as one that changes the backend and says nothing of how an apply ended."""
    return Command(argv=command.argv, cwd=command.cwd, env=command.env, mutates=True, aside=True)


def _flag() -> Any:
    from adapters.terraform.arguments import FLAG  # noqa: PLC0415 - see Place.command

    return FLAG
