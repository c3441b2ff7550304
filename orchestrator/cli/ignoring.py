"""Rules that have drift ignored, in words: who answers for what, and until when. Pure."""

from __future__ import annotations

from typing import Final

from orchestrator.cli.moments import stamp
from orchestrator.errors import UsageError
from orchestrator.model.policy import Ignore

#: Between address and attribute, as people write them.
_BETWEEN: Final = "#"


def named(address: str, path: str) -> str:
    """Return the one word for what a rule means: ``aws_x.y`` or ``aws_x.y#tags.owner``."""
    return f"{address}{_BETWEEN}{path}" if path else address


def parted(word: str) -> tuple[str, str]:
    """Return address and attribute of such a word; the attribute is empty where it names none. Raises UsageError.

    A sign in the quoted key of an address belongs to the address.
    """
    address, between, path = word.rpartition(_BETWEEN)
    if not between or address.count('"') % 2:
        address, path = word, ""
    elif not path:
        raise _unnamed(word)
    if not address:
        raise _unnamed(word)
    return address, path


def _unnamed(word: str) -> UsageError:
    return UsageError(
        f'"{word}" names no difference', code="HF-1931", hint="write ADDRESS or ADDRESS#ATTRIBUTE, as drift shows them"
    )


def told(rule: Ignore) -> str:
    """Return one rule in words."""
    end = f" until {stamp(rule.until)}" if rule.until else ""
    return f"{named(rule.address, rule.path)} by {rule.owner}{end}: {rule.reason}"
