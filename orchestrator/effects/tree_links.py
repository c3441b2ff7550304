"""Where the symbolic links of a tree lead, worked out in the tree itself: nothing on disk is followed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ROOT: Final = "."
#: How many links a path may lead through, as the kernel does it.
_LIMIT: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Every link of a tree, sorted into those that stay inside and those that do not."""

    #: Link -> the place that it leads to in the end; the place need not exist, a tool may make it.
    leads: Mapping[str, str]
    #: Link -> its target as stored, where it leads out of the tree or in a circle.
    refused: Mapping[str, str]

    def reach(self, name: str) -> set[str]:
        """Return each place outside ``name`` that links below it lead to, through any number of links."""
        reached: set[str] = set()
        waiting = [name]
        while waiting:
            folder = waiting.pop()
            for link, place in self.leads.items():
                if within(link, folder) and not within(place, name) and place not in reached:
                    reached.add(place)
                    waiting.append(place)
        return reached

    def refused_below(self, name: str) -> str | None:
        """Return the first refused link at or below ``name``."""
        return next((link for link in sorted(self.refused) if within(link, name)), None)


def sort_links(targets: Mapping[str, str]) -> Links:
    """Sort links (path -> stored target) by whether they stay inside the tree."""
    leads: dict[str, str] = {}
    refused: dict[str, str] = {}
    for link, target in targets.items():
        place = follow(link, targets)
        if place is None:
            refused[link] = target
        else:
            leads[link] = place
    return Links(leads=leads, refused=refused)


def follow(path: str, targets: Mapping[str, str]) -> str | None:
    """Return where ``path`` leads once every link on the way is followed; None where that is outside or a circle."""
    left = _parts(path)
    place: list[str] = []
    followed = 0
    while left:
        part = left.pop(0)
        if part == "..":
            if not place:
                return None
            place.pop()
            continue
        place.append(part)
        target = targets.get("/".join(place))
        if target is not None:
            followed += 1
            if followed > _LIMIT or target.startswith("/"):
                return None
            place.pop()
            left = _parts(target) + left
    return "/".join(place) or ROOT


def within(path: str, folder: str) -> bool:
    """Whether ``path`` is ``folder`` or lies below it."""
    return folder in {ROOT, path} or path.startswith(f"{folder}/")


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in {"", "."}]
