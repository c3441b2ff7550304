"""How exposed the installed service is, by systemd's own measure: systemd-analyze(1), ``security``."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from orchestrator.cli.show_doctor import Check, Verdict

#: The most that our own unit may have, out of 10; CI holds it to that.
MOST: Final = 2.5
_PLACES: Final = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
)
_LEVEL: Final = re.compile(r"exposure level for \S+: (\d+\.\d+) (\w+)")
_NAME: Final = "systemd unit"


def exposure(says: Callable[..., str], root: Path = Path("/")) -> list[Check]:
    """Return one check for each unit that is installed below ``root``; ``says`` runs a program."""
    names = ("holdfast.service", "holdfast-worker.service")
    places = [root / place.lstrip("/") / name for name in names for place in _PLACES]
    units = {place.name: place for place in reversed(places) if place.is_file()}
    if not units:
        hint = "only a service needs one: holdfast service install"
        return [Check(name=_NAME, verdict=Verdict.GOOD, found="left out: none is installed", hint=hint)]
    return [
        _judged(unit, says("systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)))
        for unit in units.values()
    ]


def _judged(unit: Path, said: str) -> Check:
    level = _LEVEL.search(said)
    if level is None:
        return Check(
            name=_NAME, verdict=Verdict.GOOD, found="left out: systemd-analyze does not answer", hint=str(unit)
        )
    found = f"{unit.name}: exposure {level[1]} ({level[2].lower()})"
    if float(level[1]) > MOST:
        hint = f"more than {MOST}: compare with holdfast service install --dry-run, and see systemd-analyze security"
        return Check(name=_NAME, verdict=Verdict.WARNING, found=found, hint=hint)
    return Check(name=_NAME, verdict=Verdict.GOOD, found=found, hint=str(unit))
