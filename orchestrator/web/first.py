"""The first token: a service that nobody has a token for makes one, and says it once on its own console."""

from __future__ import annotations

from typing import Final, TextIO

from orchestrator.effects.tokens import Tokens

#: Seconds for which it counts: long enough to make tokens that people keep.
_LIFE_S: Final = 86400.0
_NAME: Final = "first"


def say_first_token(tokens: Tokens, now: float, to: TextIO) -> bool:
    """Make and say the first token where there never was any; whether that was so. ``now``: seconds since the epoch.

    There is no default password: without this token everything that asks for one is closed.
    """
    if not tokens.is_empty():
        return False
    _, text = tokens.create(_NAME, "admin", by="service", until=now + _LIFE_S)
    to.write(f"The first token may do everything, for 24 hours, and is shown this once: {text}\n")
    to.write("Make others with: holdfast token create NAME --role ROLE --for EMAIL\n")
    to.flush()
    return True
