"""The template that stands, kept in the cache between runs: it is what it was for as long as the stack was not updated.

The service tells with each look at a stack when it was last updated, so an unchanged one need not be asked again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from adapters.files import write_private

_FILE: Final = "deployed.json"


def read(scratch: Path) -> dict[str, Any]:
    """Return what is remembered: ``of``, the stack as it was seen, and its ``template``. Empty where nothing is."""
    try:
        found = json.loads((scratch / _FILE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    whole = isinstance(found, dict) and isinstance(found.get("of"), dict) and isinstance(found.get("template"), str)
    return found if whole else {}


def keep(scratch: Path, answer: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Remember what a look at the stack told, where that is not what is ``known``; a cache that is full is none."""
    deployed = answer.get("deployed")
    if not deployed or not answer.get("expected"):
        return
    seen = {"of": answer["expected"], "template": deployed["template"]}
    if seen != known:
        with suppress(OSError):
            write_private(scratch / _FILE, json.dumps(seen).encode())
