"""What an edit of the configuration changes in effect, stack by stack. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from adapters.contract import Json
from orchestrator.model.codec import encode
from orchestrator.model.review import Edit
from orchestrator.model.stack import Stack, StackKey

#: What people allow, and who they are: it counts as the base says until the change is merged.
_LATER: Final = frozenset({"policy", "credentials", "tier", "owners", "promote_from"})
#: Where something was written is no effect of it.
_SAID_NOWHERE: Final = frozenset({"origins", "key"})


def edits(before: Mapping[StackKey, Stack], after: Mapping[StackKey, Stack]) -> tuple[Edit, ...]:
    """Return what is not as it was, by stack and setting. A value that is secret is only ever a reference here."""
    found: list[Edit] = []
    for key in sorted(before.keys() | after.keys()):
        was, is_ = before.get(key), after.get(key)
        if was is None and is_ is not None:
            found.append(Edit(key=key, setting="", before="", after=f"{is_.tool} in {is_.path}", where=_where(is_, "")))
        elif is_ is None and was is not None:
            gone = f"{was.tool} in {was.path}"
            found.append(Edit(key=key, setting="", before=gone, after="", where=_where(was, "")))
        elif was is not None and is_ is not None and was != is_:
            found += _changed(was, is_)
    return tuple(found)


def _changed(was: Stack, is_: Stack) -> Iterator[Edit]:
    old, new = dict(_flat(encode(was))), dict(_flat(encode(is_)))
    for setting in sorted(old.keys() | new.keys()):
        if old.get(setting) != new.get(setting):
            yield Edit(
                key=is_.key,
                setting=setting,
                before=old.get(setting, ""),
                after=new.get(setting, ""),
                where=_where(is_, setting) or _where(was, setting),
                only_after_merge=setting.partition(".")[0] in _LATER,
            )


def _flat(value: Json, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each setting with its value in words, by its dotted path."""
    if isinstance(value, dict) and value and path.count(".") < 3:  # noqa: PLR2004 -- deeper it is a value
        for name, inner in value.items():
            if path or name not in _SAID_NOWHERE:
                yield from _flat(inner, f"{path}.{name}" if path else name)
    else:
        yield path, value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _where(stack: Stack, setting: str) -> str:
    """Return ``file:line`` of a setting, of the nearest above it where it has none of its own."""
    while setting:
        found = stack.origins.get(setting) or stack.origins.get(setting.rpartition(".")[2])
        if found and ":" in found:
            return found
        setting = setting.rpartition(".")[0]
    return next((origin for origin in stack.origins.values() if ":" in origin), "")
