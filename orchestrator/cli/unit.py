"""``holdfast service install``, and what systemd itself calls when a service has ended."""

from __future__ import annotations

import os
from pathlib import Path

import click
import rich_click

from adapters.contract import Json
from orchestrator.cli.options import output_options, wish_of, world_options
from orchestrator.cli.unit_files import Fate, program_for, system_files, user_files
from orchestrator.errors import UsageError

#: More than a keeper gives its tool between the interrupt and the end, in seconds.
_PATIENCE_S = 120.0


@rich_click.group()
def command() -> None:
    """Put `holdfast serve` into systemd's hands."""


@command.command("install")
@click.option(
    "--root",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Write below this folder instead of /: for images.",
)
@click.option("--user", "own", is_flag=True, help="A service of your own, without a sandbox of systemd's.")
@click.option("--program", metavar="PATH", default="", help="What the unit runs, instead of this holdfast.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@world_options()
@output_options
@click.pass_context
def install(ctx: click.Context, root: Path | None, program: str, *, own: bool, dry_run: bool) -> None:
    """Write units, user, folders and an example of the operator's file; nothing is started.

    A file that a person changed is never written over. Run it again after an update.
    """
    from orchestrator.cli.screen import screen_for  # noqa: PLC0415 -- only this command prints

    if own and root:
        raise UsageError("--user and --root exclude each other", hint="--root is for images: run --user as that person")
    path = program_for(program, elsewhere=root is not None, own=own)
    files = list(user_files(_config(), _state(), path) if own else system_files(root or Path("/"), path))
    screen = screen_for(wish_of(ctx))
    try:
        fates = {one.target: one.fate for one in files}
        for one in files:
            if fates[one.target] is Fate.WRITTEN and not dry_run:
                one.write()
    except OSError as error:
        raise UsageError(
            f"{error.filename}: {error.strerror}",
            code="HF-1950",
            hint="run it as root, or with --user for a service of your own",
        ) from error
    told: list[Json] = [{"path": str(target), "fate": fate.value} for target, fate in fates.items()]
    screen.did({"files": told, "program": path, "dry_run": dry_run}, *_words(fates, dry_run=dry_run))
    if not dry_run:
        screen.next(*_next(own=own))


@command.command("end-leftovers")
def end_leftovers() -> None:
    """End what a deliberate stop left at work; after a crash, leave it alone. systemd calls it (ExecStopPost=).

    It tells the two apart by what systemd says of the end: SERVICE_RESULT, EXIT_CODE, EXIT_STATUS.
    """
    from orchestrator.effects.leftovers import called_by_systemd, deliberate, end, left  # noqa: PLC0415 -- heavy for a help page

    if not called_by_systemd(os.environ):
        raise UsageError(
            "only systemd calls this, after a service has ended",
            code="HF-1952",
            hint="to end a service: systemctl stop holdfast",
        )
    if not deliberate(os.environ):
        click.echo(f"not told to stop: {len(left())} processes are left to whoever starts next")
        return
    there = len(left())
    killed = end(_PATIENCE_S)
    click.echo(f"told to stop: {there} processes were left, {killed} had to be killed")


def _config() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")


def _state() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")


def _words(fates: dict[Path, Fate], *, dry_run: bool) -> list[str]:
    kinds = {
        Fate.WRITTEN: "would write" if dry_run else "wrote",
        Fate.UNCHANGED: "is as it should be:",
        Fate.KEPT: "kept as a person made it:",
    }
    return [f"{kinds[fate]} {target}" for target, fate in fates.items()]


def _next(*, own: bool) -> tuple[str, ...]:
    if own:
        file = _config() / "holdfast" / "holdfast.yaml"
        return (f"edit {file}", "systemctl --user daemon-reload", "systemctl --user enable --now holdfast")
    return (
        "systemd-sysusers && systemd-tmpfiles --create",
        "edit /etc/holdfast/holdfast.yaml",
        "systemctl daemon-reload",
        "systemctl enable --now holdfast",
    )
