"""Plans that travel, on the command line: ``plan --out DIR`` and ``apply --plan DIR``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from adapters.contract import Json
from orchestrator.assembly.stores import plan_cipher
from orchestrator.cli.asking import Leave
from orchestrator.cli.flow import Wanted, carry_out
from orchestrator.cli.options import wish_of
from orchestrator.cli.place import Place, opened, sought
from orchestrator.cli.reports import Reports
from orchestrator.cli.screen import Page
from orchestrator.effects.encryption import Cipher
from orchestrator.effects.parcels import Opened, prepare, read_parcel, write_parcel
from orchestrator.effects.workflow import workflow_of
from orchestrator.engine.packing import pack, take_in
from orchestrator.errors import UsageError
from orchestrator.model.parcel import Parcel
from orchestrator.model.stack import StackKey
from orchestrator.ports import Run
from orchestrator.rules.choosing import named
from orchestrator.telling.rows import Mark, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedPlans:
    """Plans as they lie in a folder now."""

    folder: Path
    digest: str
    stacks: tuple[StackKey, ...]

    @property
    def outputs(self) -> Mapping[str, str]:
        """Return what later steps of a workflow ask for."""
        return {"plan-path": str(self.folder.absolute()), "plan-digest": self.digest}

    def command(self, place: Place) -> str:
        """Return what applies them, and nothing else."""
        return place.command("apply", "--plan", str(self.folder), "--digest", self.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Packer:
    """Writes plans for an apply elsewhere. It is made before anything is planned: what cannot be written is no use."""

    place: Place
    folder: Path
    _cipher: Cipher

    @classmethod
    def ready(cls, place: Place, folder: Path) -> Packer:
        """Make the folder and find the key. Raises UsageError (HF-1601, HF-1602, HF-1611), SecretMissing."""
        cipher = plan_cipher(place.world.operator, os.environ)
        prepare(folder)
        return cls(place=place, folder=folder, _cipher=cipher)

    def write(self, rows: Sequence[Row]) -> PackedPlans:
        """Write the plans that somebody's yes could have applied, and say so."""
        plans = {row.key: row.proposal for row in rows if row.mark is Mark.CHANGES and row.proposal is not None}
        outside = self.place.outside
        parcel = pack(outside, self.place.reading, plans)
        digest = write_parcel(
            self.folder, parcel, record_key=outside.record.key(), content=outside.artifacts.get, cipher=self._cipher
        )
        number = f"{len(plans)} plan{'' if len(plans) == 1 else 's'}"
        self.place.screen.say(f"{number} written to {self.folder}, encrypted; digest {digest}")
        return PackedPlans(folder=self.folder, digest=digest, stacks=tuple(plans))


def with_packed(page: Page, packed: PackedPlans) -> Page:
    """Return a page that also says where the plans lie."""

    def value() -> Json:
        found = page.value()
        out: dict[str, Json] = {"path": str(packed.folder), "digest": packed.digest}
        return {**found, "out": out} if isinstance(found, dict) else found

    return replace(page, value=value)


def apply_parcel(  # noqa: PLR0913 -- one argument per option
    ctx: click.Context,
    folder: Path,
    digest: str,
    words: Sequence[str],
    leave: Leave,
    *,
    reason: str,
    parallel: int,
    reports: Reports,
) -> int:
    """Apply the plans of a folder, or those of its stacks that ``words`` name; returns the exit code.

    Raises PlanRefused, UsageError, and whatever opening the world does.
    """
    operator, _ = sought(wish_of(ctx))
    found = read_parcel(folder, cipher=plan_cipher(operator, os.environ), digest=digest)
    with opened(ctx, key=found.record_key) as place:
        parcel = _chosen(place, found.parcel, words)
        keys = {StackKey.parse(one.stack): one for one in parcel.stacks}
        if leave.yes and digest:
            # Whoever names the digest has seen what is destroyed, and where.
            leave = replace(leave, confirmed=(*leave.confirmed, *(key.short for key in keys)))
        wanted = Wanted(
            verb="apply",
            keys=tuple(keys),
            leave=leave,
            parallel=parallel,
            reason=reason or _given_by(),
            begin=lambda run: _begin(place, parcel, found, run),
            bound={key: one.binding for key, one in keys.items()},
        )
        result = carry_out(place, wanted)
        reports.of_rows(place, result.rows, result.run, {})
        return result.exit_code


def _given_by() -> str:
    """Say whose yes it was: what lets a workflow's job begin is an approval of its environment, kept at its page."""
    work = workflow_of(os.environ)
    return f"{work.actor} in {work.page}" if work.on_github and work.page else ""


def _begin(place: Place, parcel: Parcel, found: Opened, run: Run) -> None:
    take_in(place.outside, place.reading, parcel, found.content, run=run.number)


def _chosen(place: Place, parcel: Parcel, words: Sequence[str]) -> Parcel:
    if not words and not place.wish.environment:
        return parcel
    there = {StackKey.parse(one.stack): one for one in parcel.stacks}
    chosen = set(place.chosen(words))
    for word in words:
        if not chosen.intersection(there, named(word, place.wish.environment, place.stacks)):
            raise UsageError(
                f"there is no plan of {word} in the folder",
                code="HF-1612",
                hint=f"there are: {', '.join(sorted(key.short for key in there)) or 'none'}",
            )
    return replace(parcel, stacks=tuple(one for key, one in there.items() if key in chosen))
