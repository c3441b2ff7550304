"""`holdfast demo`: a repository, a cloud and a provider in one folder, to try everything on."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click
import rich_click

from orchestrator.cli.demo.place import Place, make
from orchestrator.cli.demo.walk import walk
from orchestrator.errors import EXIT_DONE


@rich_click.command(cls=rich_click.RichCommand)
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("holdfast-demo"),
    show_default=True,
    help="Where to make it; nothing outside is touched.",
)
@click.option("--run", "walked", is_flag=True, help="Take every step for you, with the real commands.")
@click.option("--force", is_flag=True, help="Make it anew where it is there already.")
def command(folder: Path, *, walked: bool, force: bool) -> int:
    """Make a Git repository with two Terraform stacks, and a provider whose cloud is a folder.

    With `--run` it is planned, applied, changed by hand and repaired before your eyes.
    """
    began = time.monotonic()
    place = Place(folder=folder.resolve())
    tool = make(place, anew=force, outer=os.environ)
    shown = os.path.relpath(place.folder)
    click.echo(f"made {shown}: a Git repository with two stacks for {tool}, and a folder that stands for a cloud")
    if walked and (code := walk(place, os.environ)):
        click.echo(f"stopped: that command ended with exit code {code}", err=True)
        return code
    if walked:
        click.echo(f"\nall of it in {time.monotonic() - began:.0f} s, and nothing outside {shown} was touched")
    _say_next(shown, walked=walked)
    return EXIT_DONE


def _say_next(shown: str, *, walked: bool) -> None:
    lines = [f". {shown}/activate && cd {shown}/infra"]
    if walked:
        lines += [
            "holdfast runs                              # what was done, by whom",
            "holdfast apply                             # after: edit network/main.tf, git commit -am 'why'",
            "holdfast drift                             # after: edit a file in ../cloud/objects",
        ]
    else:
        lines += ["holdfast plan", "holdfast apply"]
    click.echo("\nNext:  " + "\n       ".join(lines))
