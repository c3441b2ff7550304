"""Checks what a file holds against its keys, and says all that is wrong with it at once, each with its place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from orchestrator.config.yamltree import Node, place
from orchestrator.errors import ConfigError
from orchestrator.nearest import did_you_mean, nearest

_Model = TypeVar("_Model", bound=BaseModel)

#: What stands behind a key that has to be there.
_SAMPLES = {"version": "1", "path": "FOLDER"}
_HINTS = {
    "HF-1008": "name something below the repository's root",
    "HF-1016": 'write "Mon-Fri 09:00-16:00 Europe/Berlin"',
    "string_type": "write one text",
    "string_too_long": "shorten it",
    "string_too_short": "write one text",
    "string_pattern_mismatch": "rename it",
    "list_type": "write a list: [first, second]",
    "dict_type": "write its keys below it, further indented",
    "model_type": "write its keys below it, further indented",
    "model_attributes_type": "write its keys below it, further indented",
    "greater_than_equal": "write a number from 0 to 1000000",
    "less_than_equal": "write a number from 0 to 1000000",
}
_EXPECTED = {
    "string_type": "text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


def check(
    model: type[_Model], node: Node, file: PurePosixPath, *, inside: str = ""
) -> tuple[_Model | None, list[ConfigError]]:
    """Return ``node`` as ``model``, or None and every error; ``inside`` names what the node is, for people."""
    try:
        return model.model_validate(node.value, by_alias=True, by_name=False), []
    except ValidationError as found:
        details = found.errors(include_url=False, include_input=False)
        return None, [_explain(model, node, file, dict(detail), inside) for detail in details]


def rest(model: type[_Model], node: Node) -> tuple[_Model | None, Node]:
    """Return what is left of ``node`` without everything that is wrong, so that what is wrong further on shows, too.

    None where what is wrong has a part in all the rest.
    """
    while True:
        try:
            return model.model_validate(node.value, by_alias=True, by_name=False), node
        except ValidationError as found:
            wrong = [_part(tuple(detail["loc"]), detail["type"]) for detail in found.errors(include_url=False)]
        if not all(wrong):
            return None, node
        smaller = node
        for path in wrong:
            smaller = _without(smaller, path)
        if smaller == node:
            return None, node
        node = smaller


def _part(loc: tuple[str | int, ...], kind: str) -> tuple[str, ...]:
    """Return the smallest part that can be taken out and change nothing else, empty where there is none."""
    steps = [step for step in loc if step != "[key]"][: -1 if kind == "missing" else None]
    numbers = (number for number, step in enumerate(steps) if isinstance(step, int))
    path = tuple(map(str, steps[: next(numbers, len(steps))]))
    match path:
        case ("stacks", name, "path" | "tool" | "environments", *_):
            return ("stacks", name)
        case ("stacks",) | ("environments",) | ("environments", _):
            return ()
        case _:
            return path


def _without(node: Node, path: tuple[str, ...]) -> Node:
    step, *below = path
    children = node.children if isinstance(node.children, dict) else {}
    if step not in children:
        return node
    kept = {key: child for key, child in children.items() if key != step}
    if below:
        kept[step] = _without(children[step], tuple(below))
    return node._replace(value={key: child.value for key, child in kept.items()}, children=kept)


def joined(errors: Iterable[ConfigError]) -> ConfigError:
    """Return the first error in the order of files, with the others aboard; the same one said twice counts once."""
    once = {(error.where, error.code, error.message): error for error in errors}
    first, *others = sorted(once.values(), key=_reading_order)
    return ConfigError(first.message, code=first.code, hint=first.hint, where=first.where, others=tuple(others))


def raise_all(errors: Collection[ConfigError]) -> None:
    """Raise the errors as one; do nothing where there are none."""
    if errors:
        raise joined(errors)


def flat(error: ConfigError) -> tuple[ConfigError, ...]:
    """Return an error and those aboard of it."""
    return (error, *error.others)


def _reading_order(error: ConfigError) -> tuple[str, int, int]:
    file, line, column = [*error.where.rsplit(":", 2), "", ""][:3]
    return (file, int(line), int(column)) if line.isdigit() and column.isdigit() else (error.where, 0, 0)


def or_rather(word: str, choices: Collection[str]) -> str:
    """Return ``; did you mean "x"?`` for the nearest of ``choices``, empty where none is near."""
    found = did_you_mean(word, choices)
    return f"; {found}" if found else ""


def unknown_key(key: str, known: Collection[str], inside: str, where: str) -> ConfigError:
    """Return the error for a key that nobody knows (HF-1003)."""
    near = or_rather(key, known)
    hint = "mend its spelling, or remove it" if near else f"known keys: {', '.join(sorted(known))}"
    message = f'unknown key "{key}"{f" in {inside}" if inside else ""}{near}'
    return ConfigError(message, code="HF-1003", where=where, hint=hint)


def _explain(
    model: type[BaseModel], node: Node, file: PurePosixPath, detail: Mapping[str, Any], inside: str
) -> ConfigError:
    loc = tuple(step for step in detail["loc"] if step != "[key]")
    bad_key = loc != tuple(detail["loc"])
    kind: str = detail["type"]
    value = node.at(loc)
    at_key = bad_key or kind == "extra_forbidden"
    where = place(file, *(value.starts if at_key else (value.line, value.column)))
    inside = _inside(loc[:-1]) or inside
    key = str(loc[-1]) if loc else ""
    if kind == "extra_forbidden":
        return unknown_key(key, known_keys(model, loc[:-1]), inside, where)
    if kind == "missing":
        place_of_parent = place(file, *node.at(loc[:-1]).starts)
        within = f" in {inside}" if inside else ""
        return ConfigError(
            f'the key "{key}" is missing{within}',
            code="HF-1006",
            where=place_of_parent,
            hint=f"write {key}: {_SAMPLES.get(key, '...')}",
        )
    if bad_key:
        # What is wrong is the key: what stands below it says nothing of that.
        value = value._replace(value=key)
    code = _code(kind)
    whose = f'"{key}" is no name: ' if bad_key else f"{subject(loc)}: " if loc else ""
    return ConfigError(whose + _sentence(kind, detail, value), code=code, where=where, hint=_hint(kind, detail, value))


def _code(kind: str) -> str:
    return kind if kind.startswith("HF-") else "HF-1004"


def subject(loc: tuple[str | int, ...]) -> str:
    """Return a place inside a file as people write it: ``sources[0].forge.token``."""
    words = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc]
    return "".join(words).lstrip(".")


def _sentence(kind: str, detail: Mapping[str, Any], node: Node) -> str:
    limits = detail.get("ctx", {})
    if kind.startswith("HF-"):
        return str(limits["message"])
    if kind in _EXPECTED:
        return f"{_EXPECTED[kind]} is expected, not {_kind_of(node.value)}"
    if kind == "literal_error":
        choices = _choices(detail)
        wanted = choices[0] if len(choices) == 1 else f"one of {', '.join(choices)}"
        return f'{wanted} is expected, not "{node.value}"{or_rather(str(node.value), choices)}'
    if kind == "string_pattern_mismatch":
        return "letters, digits, _ and - are allowed, and what begins with a letter, a digit or _"
    return str(detail["msg"]).lower()


def _choices(detail: Mapping[str, Any]) -> list[str]:
    return [word.strip(" '") for word in str(detail["ctx"]["expected"]).replace(" or ", ", ").split(",")]


def _hint(kind: str, detail: Mapping[str, Any], node: Node) -> str:
    if kind == "literal_error":
        choices = _choices(detail)
        near = nearest(str(node.value), choices)
        return f"write {near or ' or '.join(choices)}"
    said = str(detail.get("ctx", {}).get("hint", ""))
    return said or _HINTS.get(kind, "") or f"holdfast explain {_code(kind)} says more"


def _kind_of(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return f'"{value}"'


def _inside(loc: tuple[str | int, ...]) -> str:
    match loc:
        case ("stacks", name, *rest):
            below = "".join(f", {step}" for step in rest if not isinstance(step, int))
            return f'stack "{name}"{below}'
        case ("environments", name, *_):
            return f'environment "{name}"'
        case ():
            return ""
        case _:
            return subject(loc)


def known_keys(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """Return the keys that a mapping inside ``model`` may hold."""
    found: Any = model
    for step in loc:
        inner = _model_in(found)
        if inner is not None and step in aliases(inner):
            found = aliases(inner)[str(step)]
        # A step into a list or a dict stays with the type that its items have.
    inner = _model_in(found)
    return sorted(aliases(inner)) if inner else []


def aliases(model: type[BaseModel]) -> dict[str, Any]:
    """Return each key of ``model`` as it is written in files, with its type."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in get_args(annotation):
        found = _model_in(part)
        if found is not None:
            return found
    return None
