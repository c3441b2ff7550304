"""Who is in which team now."""

from __future__ import annotations

from typing import Protocol


class People(Protocol):
    """Who is in which team now, as the operator of this host says."""

    def teams_of(self, person: str) -> tuple[str, ...]:
        """Return the teams that vouch for a person now; none of a person whom nobody knows."""
        ...
