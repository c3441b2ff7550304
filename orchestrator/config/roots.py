"""What Terraform's own files say without Terraform: whether they can be read, and which outputs they declare."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from orchestrator.config.yamltree import place
from orchestrator.errors import ConfigError
from orchestrator.ports import RevisionTree

_HCL: Final = {"terraform": (".tf",), "opentofu": (".tf", ".tofu")}
#: Tools whose files are read here.
READ: Final = frozenset(_HCL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """One folder of a tool."""

    #: None where a file cannot be read: then nobody can say what is missing.
    outputs: frozenset[str] | None
    #: HF-1023 for bytes that are no text, HF-1024 for text that our parser cannot follow; each with its place.
    problems: tuple[ConfigError, ...]


def read_root(folder: PurePosixPath, tool: str, tree: RevisionTree) -> Root:
    """Return what the files directly in ``folder`` say; ``tool`` is one of `READ`."""
    outputs: set[str] = set()
    problems: list[ConfigError] = []
    for path in tree.files(folder):
        endings = (*_HCL[tool], *(f"{ending}.json" for ending in _HCL[tool]))
        if path.parent != folder or not path.name.endswith(endings):
            continue
        try:
            outputs.update(_outputs(path, tree.read(path)))
        except ConfigError as error:
            problems.append(error)
    return Root(outputs=None if problems else frozenset(outputs), problems=tuple(problems))


def _outputs(path: PurePosixPath, content: bytes) -> Iterator[str]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        raise ConfigError(
            f"the file is not UTF-8: byte 0x{content[error.start]:02x}",
            code="HF-1023",
            where=place(path, line, column),
            hint="save it as UTF-8",
        ) from None
    parsed = _parsed(path, text)
    for one in parsed if isinstance(parsed, list) else [parsed]:
        blocks = one.get("output", ()) if isinstance(one, dict) else ()
        for block in blocks if isinstance(blocks, list) else [blocks]:
            yield from (str(name).strip('"') for name in (block if isinstance(block, dict) else ()))


def _parsed(path: PurePosixPath, text: str) -> Any:
    import hcl2  # noqa: PLC0415 -- the parser costs a fifth of a second to load

    try:
        return json.loads(text) if path.name.endswith(".json") else hcl2.loads(text)
    # The library lets its parser's errors through, and has some of its own.
    except Exception as error:  # noqa: BLE001
        line, column = (getattr(error, name, None) for name in ("line", "column"))
        line, column = (line, column) if line else (getattr(error, "lineno", 1), getattr(error, "colno", 1))
        raise ConfigError(
            "the file cannot be read: what stands here or before it is not closed, or newer than our parser",
            code="HF-1024",
            where=place(path, max(int(line), 1), max(int(column or 1), 1)),
            hint="holdfast validate --tools asks the tool itself",
        ) from None
