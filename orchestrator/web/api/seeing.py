"""Whether what happened is somebody's to see."""

from __future__ import annotations

from orchestrator.model.stack import StackKey
from orchestrator.rules.rights import Identity, Right, allowed


def sees(who: Identity, stream: str) -> bool:
    """Whether a stream of the record is theirs to see; what is no stack's only who may see everything."""
    try:
        key = StackKey.parse(stream)
    except ValueError:
        return allowed(who, Right.VIEW, None)
    return allowed(who, Right.VIEW, key)
