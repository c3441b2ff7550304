"""Rules that have drift ignored, in words: who answers for what, and until when. Pure."""

from __future__ import annotations

from orchestrator.model.moment import stamp
from orchestrator.model.policy import Ignore
from orchestrator.rules.difference import Difference


def told(rule: Ignore) -> str:
    """Return one rule in words."""
    end = f" until {stamp(rule.until)}" if rule.until else ""
    return f"{Difference(address=rule.address, path=rule.path)} by {rule.owner}{end}: {rule.reason}"
