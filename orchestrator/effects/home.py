"""The folder that holds everything of ours on this host, closed to everybody else on it."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Final

from orchestrator.errors import RecordError

#: What only a home holds.
_OURS: Final = ("record.db", "artifacts", "sources")


def make_home(home: Path) -> None:
    """Make the folder, or close one that lies open: kept state and plans hold secrets, whatever modes files have.

    Raises RecordError (HF-4305) where it is open to everybody and not ours alone to close.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    mode = home.stat().st_mode
    if not mode & stat.S_IRWXO:
        return
    try:
        # A folder such as /tmp, named by mistake, must stay open for those whose it is.
        ours = not mode & stat.S_ISVTX and (not any(home.iterdir()) or any((home / name).exists() for name in _OURS))
        if ours:
            home.chmod(0o700)
            return
    except PermissionError:
        pass
    raise RecordError(
        f"the home {home} is open to everybody on this host", code="HF-4305", hint=f"chmod 700 {home}, or name another"
    )
