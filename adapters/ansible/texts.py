"""Texts that the tool gives us, made fit to be told: no secret, no quoted source, not too long. Pure."""

from __future__ import annotations

import hashlib
import os.path
import re
from collections.abc import Iterable
from typing import Final

from adapters.contract import Json
from adapters.telling import TELLING, scrub

#: Most of one side of a difference that a plan keeps. Characters.
MOST: Final = 4096
#: Most of one message. Characters.
_MESSAGE: Final = 400

_PLACE: Final = re.compile(r"^(?P<file>.+?):(?P<line>\d+)(?::\d+)?$")


def untemplated(value: Json) -> Json:
    """Return a value in the form in which ansible-core reads no template in its texts: ``{{`` would run code."""
    if isinstance(value, dict):
        return {name: untemplated(item) for name, item in value.items()}
    if isinstance(value, list):
        return [untemplated(item) for item in value]
    return {"__ansible_unsafe": value} if isinstance(value, str) else value


def holds(text: str, secrets: Iterable[str]) -> bool:
    """Say whether a secret that is long enough to tell stands in ``text``."""
    return any(secret in text for secret in secrets if len(secret) >= TELLING)


def message(text: str, secrets: Iterable[str]) -> str:
    """Return a message as one line, without the lines of the playbook that ansible-core quotes after it.

    Since 2.19 it quotes the neighbours of what failed: a password two lines above, for one.
    """
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    first = re.split(r"\s*Origin: ", first)[0]
    first = first.removeprefix("[ERROR]: ").removeprefix("ERROR! ").removeprefix("Task failed: ")
    first = first.removeprefix("Action failed: ").removeprefix("Module failed: ")
    return scrub(first if len(first) <= _MESSAGE else f"{first[:_MESSAGE]}…", secrets)


def place(text: str, root: str) -> tuple[str, int]:
    """Return file and line of ``path:line`` or ``path:line:column``, the file from the repository's root."""
    found = _PLACE.match(text.strip())
    if not found:
        return "", 0
    file = os.path.normpath(found["file"])
    inside = file.startswith(f"{root}/")
    return (file.removeprefix(f"{root}/") if inside else os.path.basename(file)), int(found["line"])  # noqa: PTH119


def shortened(before: str, after: str) -> tuple[str, str]:
    """Return both sides, of long ones only what lies between the lines they share, and no more than `MOST` of that."""
    if max(len(before), len(after)) <= MOST:
        return before, after
    left, right = before.splitlines(keepends=True), after.splitlines(keepends=True)
    start = 0
    while start < min(len(left), len(right)) and left[start] == right[start]:
        start += 1
    end = 0
    while end < min(len(left), len(right)) - start and left[-1 - end] == right[-1 - end]:
        end += 1
    return _cut("".join(left[start : len(left) - end])), _cut("".join(right[start : len(right) - end]))


def _cut(text: str) -> str:
    if len(text) <= MOST:
        return text
    # The digest keeps two plans apart that differ only in what is left out.
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{text[:MOST]}… ({len(text) - MOST} more characters, sha256 {digest})"
