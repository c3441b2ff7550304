"""``holdfast audit verify|checkpoint|export``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import rich_click

from adapters.contract import Json
from orchestrator.cli.options import output_options, world_options
from orchestrator.cli.place import Place, at_record
from orchestrator.errors import RecordError, UsageError
from orchestrator.telling.counts import counted

if TYPE_CHECKING:
    from orchestrator.effects.record_chain import Link


@rich_click.group()
def command() -> None:
    """Prove that the record is what happened: verify it, keep checkpoints elsewhere, export it."""


@command.command("verify")
@click.option(
    "--checkpoint",
    "file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Lines of `holdfast audit checkpoint`: a cut-off end is found, too.",
)
@world_options()
@output_options
@click.pass_context
def verify(ctx: click.Context, file: Path | None) -> None:
    """Check that nobody altered what the record holds: each entry is chained to the one before it."""
    with at_record(ctx) as place:
        broken = place.outside.record.verify()
        if broken is not None:
            raise RecordError(
                f"the record's chain does not hold at entry {broken}", code="HF-4320", hint="restore it from a backup"
            )
        checked = _checked(place, file) if file else 0
        words = f"the record is whole up to entry {place.world.record.head().seq}"
        words += f", and holds what {counted(checked, 'checkpoint')} saw" if checked else ""
        place.screen.did({"whole": True, "checkpoints": checked}, words)


@command.command("checkpoint")
@world_options()
@click.pass_context
def checkpoint(ctx: click.Context) -> None:
    """Print one line that proves how far the record had come. Keep it where nobody who can write here can.

    Only the data keys can make such a line. Append it to a file: `holdfast audit verify --checkpoint FILE` reads it.
    """
    with at_record(ctx) as place:
        broken = place.outside.record.verify()
        if broken is not None:
            raise RecordError(f"the record's chain does not hold at entry {broken}", code="HF-4320")
        head: Link = place.world.record.head()
        at = _iso(place.now)
        line = {"seq": head.seq, "chain": head.digest, "at": at, "mac": place.world.cipher.vouch(_text(head, at))}
        click.echo(json.dumps(line))


@command.command("export")
@click.option("--after", metavar="SEQ", type=click.IntRange(min=0), default=0, help="Only entries after this one.")
@world_options()
@click.pass_context
def export(ctx: click.Context, after: int) -> None:
    """Print every entry as a line of JSON, oldest first. Secrets are in none: they never get into the record."""
    with at_record(ctx) as place:
        for line in _lines(place, after):
            click.echo(json.dumps(line, ensure_ascii=False))


def _lines(place: Place, after: int) -> Iterator[dict[str, Json]]:
    from orchestrator.model.codec import encode  # noqa: PLC0415 -- heavy

    while True:
        some = place.outside.record.events(after=after)
        if not some:
            return
        for one in some:
            head: dict[str, Json] = {"seq": one.seq, "at": _iso(one.at), "actor": one.actor, "stack": one.stack}
            head |= {"run": one.run, "version": one.version, "event": encode(one.event), "chain": one.chain}
            yield head
        after = some[-1].seq


def _checked(place: Place, file: Path) -> int:
    """Check every line and return how many could be. Raises RecordError (HF-4321, HF-4322), UsageError."""
    from orchestrator.effects.record_chain import Link  # noqa: PLC0415 -- heavy

    try:
        lines = [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
        found = [(Link(int(one["seq"]), str(one["chain"])), str(one["at"]), str(one["mac"])) for one in lines]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{file} holds something else than checkpoints", hint="holdfast audit checkpoint") from error
    record, proven = place.world.record, 0
    for link, at, mac in found:
        if not place.world.cipher.vouches(_text(link, at), mac):
            raise RecordError(f"the checkpoint at entry {link.seq} is none of this record's keys", code="HF-4322")
        holds = record.proves(link)
        if holds is False:
            head = record.head().seq
            what = "was cut off" if head < link.seq else "was rewritten"
            where = f"entry {head + 1}" if head < link.seq else f"entry {link.seq} or before"
            raise RecordError(
                f"the record {what}: the checkpoint of {at} saw entry {link.seq}, and it is wrong from {where} on",
                code="HF-4321",
                hint="restore a record that holds it",
            )
        proven += bool(holds)
    if not proven:
        # Whoever can prune could make every checkpoint mute.
        raise RecordError("every checkpoint is from before what was pruned: none can be checked", code="HF-4322")
    return proven


def _text(at: Link, when: str) -> str:
    return f"{at.seq} {at.digest} {when}"


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
