"""The model's tests tell of the same stack as those of the rules."""

from __future__ import annotations

import sys
from pathlib import Path

# Tests are no package: this is how they share `situations`.
sys.path.insert(0, str(Path(__file__).parent.parent / "rules"))
