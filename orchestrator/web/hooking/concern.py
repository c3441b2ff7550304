"""Whether what a hook tells of can have changed what a source follows.

A hook never chooses the source: that its address and its secret did. Where nobody can tell, it concerns the source: a
look too many costs little. One too few costs no more than the time until the next look.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from orchestrator.model.source import Source
from orchestrator.web.hooking.words import Push, Talk

_COMMIT: Final = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_SCP: Final = re.compile(r"[^/:]+:(?P<path>[^/].*)")


def concerns(push: Push | Talk, source: Source) -> bool:
    """Whether a push can have changed what ``source`` follows, or talk be about its pull requests."""
    if isinstance(push, Talk):
        return _is_repository(push.repository, source.location)
    return _is_repository(push.repository, source.location) and _is_ref(push, source.ref)


def _is_ref(push: Push, ref: str) -> bool:
    if _COMMIT.fullmatch(ref):
        # Nothing moves a commit.
        return False
    wanted = ref or push.default_branch
    if not push.refs or not wanted:
        return True
    names = {wanted} if wanted.startswith("refs/") else {f"refs/heads/{wanted}", f"refs/tags/{wanted}"}
    return not names.isdisjoint(push.refs)


def _is_repository(said: str, location: str) -> bool:
    path = _path(location)
    if not said or not path:
        return True
    name = said.strip("/").lower()
    # A forge may answer below a folder of its host, and name its repositories without it.
    return path == name or path.endswith(f"/{name}")


def _path(location: str) -> str:
    """Return the repository's path on its host; empty where it lies on this one."""
    if location.startswith("/"):
        return ""
    scp = _SCP.fullmatch(location) if "://" not in location else None
    try:
        path = scp["path"] if scp else urlsplit(location).path
    except ValueError:
        return ""
    return path.strip("/").removesuffix(".git").lower()
