"""``holdfast import atlantis|digger [FILE]``."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import click
import rich_click

from adapters.contract import Json
from orchestrator.cli.options import output_options, wish_of, world_options
from orchestrator.cli.screen import screen_for
from orchestrator.errors import UsageError

_FILES = {"atlantis": ("atlantis.yaml",), "digger": ("digger.yml", "digger.yaml")}


@rich_click.command()
@click.argument("tool", type=click.Choice(sorted(_FILES)))
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Print it, write nothing.")
@click.option("--force", is_flag=True, help="Write over the one that is there.")
@world_options()
@output_options
@click.pass_context
def command(ctx: click.Context, tool: str, file: Path | None, *, dry_run: bool, force: bool) -> None:
    """Write a stacks.yaml from the file of another tool; each key that could not be mapped is listed."""
    from orchestrator.cli.writing import Found, deliver, root_of  # noqa: PLC0415 -- nothing is read for a mistyped word
    from orchestrator.config.importing import import_atlantis, import_digger  # noqa: PLC0415 -- heavy

    wish = wish_of(ctx)
    screen = screen_for(wish)
    root = root_of(wish.directory)
    source = file or _found(root, tool)
    read = import_atlantis if tool == "atlantis" else import_digger
    imported = read(source.read_bytes(), PurePosixPath(source.name))
    left = imported.unmapped
    told: dict[str, Json] = {"unmapped": [{"where": one.where, "key": one.key, "hint": one.hint} for one in left]}
    words = [f"{one.where}  not mapped: {one.key}; {one.hint}" for one in left]
    words += [f"{len(left)} not mapped."] if left else []
    deliver(screen, root, imported.text, Found(told, words), dry_run=dry_run, force=force)


def _found(root: Path, tool: str) -> Path:
    for name in _FILES[tool]:
        if (root / name).is_file():
            return root / name
    names = " or ".join(_FILES[tool])
    raise UsageError(f"no {names} in {root}", hint=f"holdfast import {tool} FILE")
