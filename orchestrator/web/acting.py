"""Who acts through this door, and with which hands: what they do is recorded under their name."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from orchestrator.engine.acts.caller import Caller
from orchestrator.engine.outside import Outside
from orchestrator.engine.post import Post
from orchestrator.rules.rights import Identity
from orchestrator.web.inside import Inside

#: What a run that was asked for here says that it was started by.
DOOR: Final = "api"


def caller_of(house: Inside, who: Identity) -> Caller:
    """Return who acts, with the teams that the operator's file says vouch for them."""
    return Caller(actor=who.speaker, door=DOOR, teams=house.operator.teams_of(who.speaker))


def hands_of(house: Inside, who: Identity, post: Post) -> Outside:
    """Return everything that the engine can touch; whatever it appends bears the name of the token that asks."""
    return replace(post.outside, record=replace(house.served.host.record, actor=who.name))
