"""Makes text from tools and repositories harmless for a terminal: by the rule that holds wherever people read."""

from __future__ import annotations

from orchestrator.telling.printable import one_line, printable

__all__ = ["one_line", "printable"]
