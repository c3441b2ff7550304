"""Puts the files of one revision together into a `Layout`, and checks what only the whole can show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import PurePosixPath

from adapters.contract import Json
from orchestrator.config.discover import Found
from orchestrator.config.ground import is_folder
from orchestrator.config.layers import policy, tighten
from orchestrator.config.reading import or_rather, raise_all
from orchestrator.config.resolve import Resolved, Surroundings, Wanted
from orchestrator.config.toolkeys import IDENTITY_KEYS, NAMED_BY, ONE_STATE
from orchestrator.errors import ConfigError
from orchestrator.model.fingerprint import canonical
from orchestrator.model.reference import OutputRef
from orchestrator.model.stack import Stack, StackKey
from orchestrator.ports import Layout, RevisionTree
from orchestrator.rules.order import Cycle, EdgeKind, edges, waves
from orchestrator.rules.upstream import locate

#: Rings named before one is told to mend those first.
_MOST_RINGS = 5


def compose(
    project: str, files: Sequence[Resolved], found: Sequence[Found], around: Surroundings, tree: RevisionTree
) -> Layout:
    """Return the layout of everything that was declared and found. Raises ConfigError with every error aboard."""
    errors = [error for file in files for error in file.errors]
    notices = [notice for file in files for notice in file.notices]
    names = _names(files, errors)
    stacks = {stack.key: stack for file in files for stack in file.stacks}
    notices += _add_found(stacks, names, found, around)
    wanted = list(chain.from_iterable(file.wanted for file in files))
    errors += _old_names(stacks.values(), names)
    errors += _unknown_stacks(wanted, stacks)
    _set_order(stacks, wanted)
    if not errors:
        # Of half a configuration these would only say again what is wrong with it.
        errors += [*_same_place(stacks.values(), names), *_rings(stacks, wanted)]
    raise_all(errors)
    notices += _missing_folders(stacks.values(), tree)
    return Layout(
        project=project,
        stacks=dict(sorted(stacks.items())),
        environments=tuple(around.environments) or ("default",),
        notices=tuple(notices),
    )


def _names(files: Iterable[Resolved], errors: list[ConfigError]) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in files:
        for name, where in file.names.items():
            if name in found:
                message = f'the stack "{name}" stands twice, first at {found[name]}'
                errors.append(ConfigError(message, code="HF-1009", where=where, hint="rename one of them"))
            else:
                found[name] = where
    return found


def _add_found(
    stacks: dict[StackKey, Stack], names: Mapping[str, str], found: Sequence[Found], around: Surroundings
) -> Iterator[ConfigError]:
    """Add what discovery found; each goes by its folder, so that a new neighbour never renames it."""
    told = []
    for one in found:
        name = "root" if one.path == PurePosixPath() else str(one.path)
        # What nobody can read acts on the terminal of whoever lists it.
        if name in names or "@" in name or " " in name or not name.isprintable():
            yield ConfigError(
                f"{one.path} looks like a stack, but cannot go by the name of its folder",
                code="HF-1051",
                hint="declare it in stacks.yaml under a name of its own",
            )
            continue
        key = StackKey(source=around.source, name=name)
        stacks[key] = _found_stack(key, one, around)
        told.append(name)
    if told:
        yield ConfigError(
            f"found from the files: {', '.join(told[:10])}{f' and {len(told) - 10} more' if told[10:] else ''}",
            code="HF-1051",
            hint="holdfast init writes them down; discover: false in stacks.yaml leaves them out",
        )


def _found_stack(key: StackKey, found: Found, around: Surroundings) -> Stack:
    of_environment, layer = around.environments.get(key.environment, (None, {}))
    merged = {**around.defaults, **layer, **around.given}
    allowed, origins = policy(merged), {name: setting.origin for name, setting in merged.items()}
    for name in ("*", key.environment):
        limit = around.ceilings.get(name)
        if limit is not None:
            allowed, changed = tighten(allowed, limit.policy, limit.where)
            origins |= changed
    return Stack(
        key=key,
        tool=found.tool,
        path=found.path,
        policy=allowed,
        tier=(of_environment.tier or "") if of_environment else "",
        origins=origins | {"path": "discovered", "tool": "discovered"},
    )


def _old_names(stacks: Iterable[Stack], names: Mapping[str, str]) -> Iterator[ConfigError]:
    for stack in stacks:
        if stack.moved_from in names:
            yield ConfigError(
                f'stack "{stack.key.name}" was moved from "{stack.moved_from}", but that stack is still there',
                code="HF-1019",
                where=names.get(stack.key.name, ""),
                hint="remove moved_from, or the old stack",
            )


def _locate(wanted: Wanted, stacks: Mapping[StackKey, Stack]) -> StackKey:
    ref = OutputRef(stack=wanted.name, key="", environment=wanted.environment)
    return locate(ref, wanted.by, stacks)


def _unknown_stacks(wanted: Iterable[Wanted], stacks: Mapping[StackKey, Stack]) -> Iterator[ConfigError]:
    known = {key.name for key in stacks}
    for one in wanted:
        if _locate(one, stacks) in stacks:
            continue
        said = "an output of" if one.kind is EdgeKind.DATA else "depends_on"
        if one.name not in known:
            message = f'{said} "{one.name}": no stack "{one.name}"{or_rather(one.name, known)}'
            hint = "mend the name, or declare the stack"
        else:
            environments = sorted(key.environment for key in stacks if key.name == one.name)
            missing = one.environment or one.by.environment
            message = f'{said} "{one.name}": it has no environment "{missing}", only {", ".join(environments)}'
            hint = f"name one: {one.name}@{environments[0]}"
        yield ConfigError(f'stack "{one.by.short}": {message}', code="HF-1011", where=one.where, hint=hint)


def _same_place(stacks: Iterable[Stack], names: Mapping[str, str]) -> Iterator[ConfigError]:
    """Two stacks over one state would undo each other for ever."""
    seen: dict[tuple[str, str], Stack] = {}
    for stack in stacks:
        place = (str(stack.path), _identity(stack))
        first = seen.setdefault(place, stack)
        if first is stack:
            continue
        where = names.get(stack.key.name, "")
        what, hint = ONE_STATE.get(
            stack.tool, ("with the same settings", "give each a folder, or settings, of its own")
        )
        yield ConfigError(
            f'"{first.key.short}" and "{stack.key.short}" both work in {stack.path}, {what}',
            code="HF-1015",
            where=where,
            hint=hint,
        )


def _identity(stack: Stack) -> str:
    keys = IDENTITY_KEYS.get(stack.tool)
    if keys is None:
        return f"{stack.tool} {canonical({**stack.settings, 'inputs': stack.inputs}).decode()}"
    if stack.tool in NAMED_BY and NAMED_BY[stack.tool] not in stack.settings:
        return f"{stack.key.name}@{stack.key.environment}"
    if not stack.settings:
        return ""
    values: dict[str, Json] = {key: stack.settings[key] for key in keys if key in stack.settings}
    if values.get("workspace") == "default":
        del values["workspace"]
    return canonical(values).decode() if values else ""


def _set_order(stacks: dict[StackKey, Stack], wanted: Iterable[Wanted]) -> None:
    before: dict[StackKey, set[StackKey]] = {}
    for one in wanted:
        if one.kind is EdgeKind.ORDER:
            before.setdefault(one.by, set()).add(_locate(one, stacks))
    for key, found in before.items():
        if key in stacks:
            stacks[key] = replace(stacks[key], depends_on=tuple(sorted(found)))


def _rings(stacks: Mapping[StackKey, Stack], wanted: Sequence[Wanted]) -> Iterator[ConfigError]:
    """Name each ring with the place of every edge. One is cut to look for the next."""
    graph = dict(edges(stacks))
    for _ in range(_MOST_RINGS):
        try:
            waves(graph)
        except Cycle as error:
            ring = error.ring
        else:
            return
        places = [
            _edge_place(key, after, stacks, wanted) for key, after in zip(ring, (*ring[1:], ring[0]), strict=True)
        ]
        steps = [f"{key.short} ({where})" for key, where in zip(ring, places, strict=True)]
        yield ConfigError(
            f"stacks wait for each other: {' -> '.join([*steps, ring[0].short])}",
            code="HF-1013",
            where=places[0],
            hint="take one of the references or depends_on out",
        )
        last = ring[-1]
        graph[last] = frozenset(edge for edge in graph[last] if edge.upstream != ring[0])


def _edge_place(key: StackKey, after: StackKey, stacks: Mapping[StackKey, Stack], wanted: Iterable[Wanted]) -> str:
    return next((one.where for one in wanted if one.by == key and _locate(one, stacks) == after), "")


def _missing_folders(stacks: Iterable[Stack], tree: RevisionTree) -> Iterator[ConfigError]:
    """Name each folder that is none, once for a stack in all its environments. It stops no other stack."""
    once = {(stack.key.name, stack.path): stack for stack in reversed(list(stacks))}
    for (name, path), stack in reversed(once.items()):
        if not is_folder(path, tree):
            is_file = bool(tree.id_of(path))
            what = f"{path} is no folder" if is_file else f"there is no folder {path} in this revision"
            yield ConfigError(
                f'stack "{name}": {what}',
                code="HF-1014",
                where=stack.origins["path"],
                hint=f"write path: {path.parent}" if is_file else "mend path:, or remove the stack",
            )
