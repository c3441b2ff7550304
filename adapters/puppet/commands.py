"""Every command line of Puppet that we use, as values, and the configuration they run with. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.contract import Command

PROGRAM: Final = "puppet"

#: Two applies at once would get into each other's way: packages have one lock for the whole host.
ONE_APPLY_AT_A_TIME: Final = "puppet-apply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where Puppet runs: its own folder, and what it works on."""

    #: Our folder for this call; nothing of Puppet's lies outside it.
    own: Path
    #: The stack's folder.
    folder: Path
    environment: str
    manifest: Path
    modulepath: tuple[str, ...]
    certname: str

    @property
    def report(self) -> Path:
        """Where Puppet writes what came of a run."""
        return self.own / "report.yaml"

    @property
    def catalogs(self) -> Path:
        """The folder in which a look leaves the catalog that it compiled."""
        return self.own / "var/client_data/catalog"

    @property
    def environments(self) -> Path:
        """The folder of Puppet's environments, with ours in it."""
        return self.own / "environments"

    @property
    def environment_folder(self) -> Path:
        """The environment as Puppet sees it."""
        return self.environments / self.environment

    @property
    def state_file(self) -> Path:
        """When Puppet last looked at what: schedules count from there."""
        return self.own / "state/state.yaml"

    def command(self, *words: str, mutates: bool = False) -> Command:
        """Return the command with these words; ``mutates`` as in the contract."""
        return Command(
            argv=(PROGRAM, *words),
            cwd=self.folder,
            mutates=mutates,
            exclusive=ONE_APPLY_AT_A_TIME if mutates else "",
        )


def configuration(place: Place) -> str:
    """Return our ``puppet.conf``: every folder is ours, and no server is asked."""
    folders = {
        "vardir": "var",
        "statedir": "state",
        "codedir": "code",
        "publicdir": "public",
        "rundir": "run",
        "logdir": "log",
        "ssldir": "ssl",
    }
    lines = [f"{name} = {place.own / below}" for name, below in folders.items()]
    lines += [
        f"lastrunreport = {place.report}",
        f"environmentpath = {place.environments}",
        f"environment = {place.environment}",
        f"hiera_config = {place.own / 'hiera.yaml'}",
        "reports = none",
        "node_terminus = plain",
        # As root it would give them to a user of its own, which root inside a container may not do.
        "manage_internal_file_permissions = false",
        "show_diff = true",
        "color = false",
    ]
    lines += [f"certname = {place.certname}"] if place.certname else []
    return "[main]\n" + "".join(f"{line}\n" for line in lines)


def version() -> Command:
    """Ask for the tool's version."""
    return Command(argv=(PROGRAM, "--version"), cwd=Path("/"))


def validate(place: Place, files: Sequence[Path]) -> Command:
    """Check the syntax of manifests."""
    return place.command("parser", "validate", "--confdir", str(place.own), *(str(file) for file in files))


def look(place: Place) -> Command:
    """Work out what would be done, and leave the catalog behind."""
    return place.command(*_apply(place), "--noop", "--catalog_cache_terminus", "json", str(place.manifest))


def apply(place: Place) -> Command:
    """Do what the manifests say."""
    return place.command(*_apply(place), "--detailed-exitcodes", str(place.manifest), mutates=True)


def facts(place: Place, names: Sequence[str]) -> Command:
    """Print facts as JSON; those that the stack's modules add are among them."""
    words = ("--confdir", str(place.own), "--modulepath", ":".join(place.modulepath), "--render-as", "json")
    return place.command("facts", "show", *words, *names)


def traces(folder: Path, script: str) -> Command:
    """Have the host say who was at work on it."""
    return Command(argv=("sh", "-c", script), cwd=folder, env={"LC_ALL": "C.UTF-8"})


def _apply(place: Place) -> tuple[str, ...]:
    return ("apply", "--confdir", str(place.own), "--modulepath", ":".join(place.modulepath))
