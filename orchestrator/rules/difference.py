"""Which difference people mean, in the one word that they have for it: ``aws_x.y`` or ``aws_x.y#tags.owner``. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from orchestrator.errors import UsageError

#: Between address and attribute, as people write them.
_BETWEEN: Final = "#"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a person means of all that differs: an address, or one attribute of it."""

    address: str
    #: Empty where every attribute is meant.
    path: str = ""

    def __str__(self) -> str:
        """Return the word for it."""
        return f"{self.address}{_BETWEEN}{self.path}" if self.path else self.address

    @classmethod
    def parse(cls, word: str) -> Self:
        """Return what such a word means. Raises UsageError (HF-1931) where it names nothing.

        A sign in the quoted key of an address belongs to the address.
        """
        address, between, path = word.rpartition(_BETWEEN)
        if not between or address.count('"') % 2:
            address, path = word, ""
        elif not path:
            raise _unnamed(word)
        if not address:
            raise _unnamed(word)
        return cls(address=address, path=path)


def _unnamed(word: str) -> UsageError:
    return UsageError(
        f'"{word}" names no difference', code="HF-1931", hint="write ADDRESS or ADDRESS#ATTRIBUTE, as drift shows them"
    )
