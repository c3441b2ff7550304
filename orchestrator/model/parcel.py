"""Plans that travel: made in one place, looked at by people, applied in another that has never heard of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from orchestrator.model.observed import Applied, Proposal

#: Of the manifest. Raised whenever an older release could misunderstand a newer one's.
PARCEL_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """One stack's plan."""

    #: ``source/name@environment``.
    stack: str
    proposal: Proposal
    #: What a yes to it binds: see `Proposal.binding`.
    binding: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What the manifest says."""

    version: int = PARCEL_VERSION
    #: The repository whose stacks these are, by the id that its record knows it by.
    source: str
    #: The commit that was planned.
    revision: str
    #: Seconds since the epoch.
    made_at: float
    stacks: tuple[Packed, ...] = ()
    #: Stack -> what it was last brought to: of the planned ones, and of all that they wait for.
    standing: Mapping[str, Applied] = field(default_factory=dict)

    def artifacts(self) -> tuple[str, ...]:
        """Return the SHA-256 of everything that applying takes besides, sorted."""
        of_plans = (
            (one.proposal.artifact, one.proposal.detail, one.proposal.inputs, one.proposal.secrets)
            for one in self.stacks
        )
        found = {digest for digests in of_plans for digest in digests}
        found |= {one.outputs_artifact for one in self.standing.values()}
        return tuple(sorted(found - {""}))
