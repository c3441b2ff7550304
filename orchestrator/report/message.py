"""What is sent: one message for each stack and run, and one for all of them where there are many. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.report.happening import GRAVITY, Gravity, Happening
from orchestrator.telling.intents import briefly

#: From so many messages at once on, there is one for all.
MANY: Final = 6
#: So many of them are named in it, the gravest first.
_NAMED: Final = 10
_SHORT: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message."""

    #: The same whenever the same is sent again.
    id: str
    gravity: Gravity
    title: str
    body: str


def messages(happenings: Sequence[Happening], reader: str, external_url: str = "") -> tuple[Message, ...]:
    """Return what ``reader`` is sent of these happenings."""
    groups: dict[tuple[str, int], list[Happening]] = {}
    for one in happenings:
        groups.setdefault((one.subject, one.run), []).append(one)
    if len(groups) >= MANY:
        return (_digest(happenings, len(groups), reader, external_url),)
    return tuple(_message(group, reader) for group in groups.values())


def _message(group: Sequence[Happening], reader: str) -> Message:
    head = min(group, key=lambda one: (one.rank, -one.seq))
    last = max(group, key=lambda one: one.seq)
    about = [one.summary for one in sorted(group, key=lambda one: one.rank)]
    where = [
        f"{head.tool} at {head.revision[:_SHORT]}" if head.tool and head.revision else head.tool,
        f"run {head.run}" if head.run else "",
    ]
    because = [f"why: {briefly(one.intent)}" for one in group if one.intent]
    lines = [*dict.fromkeys([*about, *because]), ", ".join(part for part in where if part), head.link]
    lines += [f"Next: {head.command}"] if head.command else []
    name = f"{reader}-{last.id}"
    return Message(
        id=name,
        gravity=GRAVITY[head.kind],
        title=f"{head.subject}: {head.kind.value}",
        body="\n".join([*(line for line in lines if line), f"({name})"]),
    )


def _digest(happenings: Sequence[Happening], subjects: int, reader: str, external_url: str) -> Message:
    counted = Counter(one.kind for one in sorted(happenings, key=lambda one: one.rank))
    gravest = sorted(happenings, key=lambda one: (one.rank, one.seq))
    lines = [f"{number} {kind.value}" for kind, number in counted.items()]
    lines += ["", *(f"{one.subject}: {one.summary}" for one in gravest[:_NAMED])]
    lines += [f"and {len(gravest) - _NAMED} more"] if len(gravest) > _NAMED else []
    last = max(happenings, key=lambda one: one.seq)
    name = f"{reader}-{last.id}"
    kinds = ", ".join(f"{number} {kind.value}" for kind, number in list(counted.items())[:3])
    tail = [external_url, "Next: holdfast status", f"({name})"]
    return Message(
        id=name,
        gravity=GRAVITY[gravest[0].kind],
        title=f"{subjects} stacks: {kinds}",
        body="\n".join([*lines, *(line for line in tail if line)]),
    )
