"""What a module says that it would change, as kind and attributes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from adapters.ansible.said import Step
from adapters.ansible.texts import holds, shortened
from adapters.contract import MASK, AttributeChange, ChangeKind, Json

#: The one attribute of a change that ``no_log`` hides.
HIDDEN: Final = AttributeChange(path="no_log", before=MASK, after=MASK, sensitive=True)
_LEFT_OUT: Final = {
    "dst_binary": "binary content",
    "src_binary": "binary content",
    "dst_larger": "content that is too large to compare",
    "src_larger": "content that is too large to compare",
}


def kind_of(step: Step) -> ChangeKind:
    """Return what the step would do: a difference with nothing on one side makes or removes something."""
    kinds = {_kind(diff) for part in step.parts if part.get("changed") for diff in _diffs(part)}
    return kinds.pop() if len(kinds) == 1 else ChangeKind.UPDATE


def attributes_of(step: Step, secrets: frozenset[str]) -> tuple[AttributeChange, ...]:
    """Return each difference; one with a known secret on a side is masked on both: the other may be the old one."""
    if step.hidden:
        return (HIDDEN,)
    loop = "items" in step.result
    found: list[AttributeChange] = []
    for number, part in enumerate(step.parts):
        prefix = f"[{number}]." if loop else ""
        if part.get("hidden"):
            found += [AttributeChange(path=f"{prefix}no_log", before=MASK, after=MASK, sensitive=True)]
        elif part.get("changed"):
            diffs = _diffs(part)
            texts = sum(not isinstance(diff.get("after"), dict) for diff in diffs)
            for diff in diffs:
                found += _attributes(diff, prefix, secrets, several=texts > 1)
    return _distinct(found)


def files_of(step: Step, secrets: frozenset[str]) -> tuple[str, ...]:
    """Return the absolute paths of the files on the host that a step's differences name; none with a secret in it."""
    if step.hidden:
        return ()
    diffs = [diff for part in step.parts if part.get("changed") for diff in _diffs(part)]
    sides = [side for diff in diffs for side in (diff.get("before"), diff.get("after")) if isinstance(side, dict)]
    named = [str(side.get("path", "")) for side in sides]
    named += [
        str(diff.get(key) or "").removesuffix(" (content)")
        for diff in diffs
        for key in ("before_header", "after_header")
    ]
    # What a template is rendered to before it is copied lies on our own side.
    found = (one for one in named if one.startswith("/") and "/ansible-tmp-" not in one)
    return tuple(dict.fromkeys(one for one in found if not holds(one, secrets)))


def _diffs(part: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    diff = part.get("diff")
    found = diff if isinstance(diff, list) else [diff]
    return [item for item in found if isinstance(item, dict) and item]


def _kind(diff: Mapping[str, Any]) -> ChangeKind:
    before, after = diff.get("before"), diff.get("after")
    if isinstance(before, dict) and isinstance(after, dict):
        gone = before.get("state") == "absent", after.get("state") == "absent"
        return {(True, False): ChangeKind.CREATE, (False, True): ChangeKind.DELETE}.get(gone, ChangeKind.UPDATE)
    # copy and template name the file on the side on which there is one.
    if not before and after and not diff.get("before_header"):
        return ChangeKind.CREATE
    if before and not after and "/dev/null" in str(diff.get("after_header", "")):
        return ChangeKind.DELETE
    return ChangeKind.UPDATE


def _attributes(
    diff: Mapping[str, Any], prefix: str, secrets: frozenset[str], *, several: bool
) -> Iterator[AttributeChange]:
    before, after = diff.get("before"), diff.get("after")
    if isinstance(before, dict) or isinstance(after, dict):
        old, new = before if isinstance(before, dict) else {}, after if isinstance(after, dict) else {}
        for key in sorted({*old, *new}, key=str):
            if old.get(key) != new.get(key):
                yield _masked(f"{prefix}{key}", old.get(key), new.get(key), secrets)
    elif before is not None or after is not None:
        header = str(diff.get("after_header") or diff.get("before_header") or "")
        path = f"{prefix}content[{header.removesuffix(' (content)')}]" if several and header else f"{prefix}content"
        # A file that is not there has no content; one that is empty has an empty one.
        absent = _kind(diff) is ChangeKind.CREATE
        yield _masked(path, None if absent else before, after, secrets)
    elif diff.get("prepared"):
        yield _masked(f"{prefix}difference", None, diff["prepared"], secrets)
    for key, words in _LEFT_OUT.items():
        if diff.get(key):
            yield AttributeChange(path=f"{prefix}content", before=f"({words})", after=f"({words})", computed=True)
            return


def _masked(path: str, before: Any, after: Any, secrets: frozenset[str]) -> AttributeChange:
    if holds(_text(before), secrets) or holds(_text(after), secrets):
        return AttributeChange(path=path, before=MASK, after=MASK, sensitive=True)
    if isinstance(before, str) and isinstance(after, str):
        before, after = shortened(before, after)
    elif isinstance(after, str):
        after = shortened("", after)[1]
    return AttributeChange(path=path, before=_json(before), after=_json(after))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def _json(value: Any) -> Json:
    if isinstance(value, dict):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_json(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _distinct(found: list[AttributeChange]) -> tuple[AttributeChange, ...]:
    """Number those that have the same path: two differences of one file, say."""
    seen: dict[str, int] = {}
    told = []
    for one in found:
        seen[one.path] = seen.get(one.path, 0) + 1
        path = one.path if seen[one.path] == 1 else f"{one.path}#{seen[one.path]}"
        told.append(replace(one, path=path))
    return tuple(told)
