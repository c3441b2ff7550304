"""What the state itself says of who changed things: whether anybody but us has written it. Pure."""

from __future__ import annotations

from adapters.terraform.seen import Seen, Snapshot
from adapters.testimony import Confidence, Testimony

SOURCE = "state"


def of_state(seen: Seen | None, now: Snapshot | None) -> tuple[Testimony, ...]:
    """Compare the state that the last apply left with the one that a look was made on."""
    if seen is None or now is None or not now.lineage:
        return ()
    if now.lineage != seen.lineage:
        said = "another state is in the place of the one that the last apply left"
    elif now.serial > seen.serial:
        more = now.serial - seen.serial
        times = "once" if more == 1 else f"{more} times"
        said = (
            f"somebody else has written the state {times} since the last apply (serial {now.serial}, not {seen.serial})"
        )
    else:
        said = f"nobody has written the state since the last apply (serial {now.serial}): it was changed without it"
    return (Testimony(what=said, source=SOURCE, confidence=Confidence.CERTAIN),)
