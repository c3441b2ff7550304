"""Sources that have told nothing for too long, for whoever looks: the service that should say so may be gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from orchestrator.cli.place import Place

if TYPE_CHECKING:
    from orchestrator.model.source import Source
    from orchestrator.rules.silence import Glimpse


def seen_here(place: Place, sources: Iterable[Source]) -> Iterator[tuple[Glimpse, float | None]]:
    """Yield each source that a service looks at with this record, and how long it is silent, None where it is not."""
    from orchestrator.engine.watching import glimpse_of  # noqa: PLC0415 -- the engine is heavy
    from orchestrator.rules.silence import silent_for  # noqa: PLC0415 -- likewise

    for source in sources:
        glimpse = glimpse_of(place.outside.record, source)
        if glimpse.looked_at:
            yield glimpse, silent_for(glimpse, place.now, watched_since=glimpse.looked_at)


def warn_of_silence(place: Place) -> None:
    """Say where what follows may be old, because the source it comes from has told nothing for too long."""
    declared = [one for one in place.world.operator.sources if one.id == place.world.source.id]
    if not declared:
        return
    from orchestrator.rules.silence import word_of  # noqa: PLC0415 -- likewise

    for glimpse, silence in seen_here(place, declared):
        if silence is not None:
            place.screen.say(f"note: {word_of(glimpse, silence, place.now)}")
            place.screen.say("      holdfast doctor looks; is holdfast serve at work?")
