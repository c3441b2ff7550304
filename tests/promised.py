"""What docs/json.md promises to programs, as shapes that compare."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

PAGE = (Path(__file__).parents[1] / "docs" / "json.md").read_text("utf-8")
EXAMPLES: dict[str, Any] = {
    heading: json.loads(block)
    for heading, block in re.findall(r"## holdfast (.*?)\n.*?```json\n(.*?)```", PAGE, re.DOTALL)
}


def shape(value: Any) -> Any:
    """Return the keys of a value, those of the first item for a list."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    return [shape(item) for item in value[:1]] if isinstance(value, list) else None
