"""How far each reader of the record has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Spot:
    """A reader's place: a number, and what proves that it still means the same."""

    number: int
    proof: str = ""


class Cursors(Protocol):
    """Where readers of the record keep their places. Unlike what is remembered, these do not vanish."""

    def begin(self, reader: str) -> tuple[Spot, bool]:
        """Return the entry that a reader has come to, and whether it is new here.

        A new reader begins with what happens from now on; so does one whose place is in this record no longer,
        because an older copy of it was put back.
        """
        ...

    def at(self, name: str) -> Spot | None:
        """Return what was kept under a name, None where nothing was."""
        ...

    def keep(self, name: str, spot: Spot, *, durable: bool = True) -> None:
        """Keep a place. Without ``durable`` a loss of power may forget it, never a killed process."""
        ...
