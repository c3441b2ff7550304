"""Values of attributes as people read them: before → after, masked where they are secret. Pure."""

from __future__ import annotations

import json
from typing import Final

from adapters.contract import MASK, AttributeChange, Json
from orchestrator.telling.printable import printable

#: What stands for a value that nobody knows yet.
COMPUTED: Final = "(known after apply)"
#: Longer values are cut, unless everything was asked for.
_LONGEST: Final = 72


def text_of(value: Json, *, whole: bool = False) -> str:
    """Return a value on one line: strings quoted, structures as JSON, cut unless ``whole``."""
    text = value if value == MASK and isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = printable(text)
    if whole or len(text) <= _LONGEST:
        return text
    return f"{text[: _LONGEST - 1]}…"


def before_and_after(attribute: AttributeChange, *, whole: bool = False) -> tuple[str, str]:
    """Return both sides of a change. A sensitive value is masked here again: twice is cheap."""
    if attribute.sensitive:
        return MASK, MASK
    after = COMPUTED if attribute.computed else text_of(attribute.after, whole=whole)
    return text_of(attribute.before, whole=whole), after
