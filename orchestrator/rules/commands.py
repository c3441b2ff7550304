"""stub"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verb(StrEnum):
    PLAN = "plan"
    APPROVE = "approve"
    REJECT = "reject"
    APPLY = "apply"
    UNLOCK = "unlock"
    HELP = "help"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    verb: Verb
    stacks: tuple[str, ...] = ()
    environment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    word: str
    why: str


def commands(text: str) -> tuple[Command | Complaint, ...]:
    found = []
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["holdfast"] and len(words) > 1:
            found.append(Command(verb=Verb(words[1]), stacks=tuple(words[2:])))
    return tuple(found)
