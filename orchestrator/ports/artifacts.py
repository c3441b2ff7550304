"""What is kept beside the record, by its digest."""

from __future__ import annotations

from typing import Protocol


class Artifacts(Protocol):
    """Plans, state copies, inputs, finished logs: put and got by SHA-256, encrypted at rest."""

    def put(self, content: bytes) -> str:
        """Store and return the hex SHA-256 of ``content``."""
        ...

    def get(self, sha256: str) -> bytes:
        """Return the content. Raises RecordError where it is missing or was altered."""
        ...
