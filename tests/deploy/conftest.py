"""What the tests of the service's own files share."""

from __future__ import annotations

import sys
from pathlib import Path

# Tests are no package: this is how they share `booted`.
sys.path.insert(0, str(Path(__file__).parent))
