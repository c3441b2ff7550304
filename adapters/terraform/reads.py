"""Which files outside its own folder a stack reads. Pure: works on a tree, without a checkout."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from adapters.contract import Tree
from adapters.terraform.hcl import files_read, module_sources
from adapters.terraform.settings import PINS, Settings

_SOURCES: Final = (".tf", ".tf.json", ".tofu", ".tofu.json")


def outside(tree: Tree, settings: Settings) -> frozenset[PurePosixPath]:
    """Return the folders of local modules and the files outside ``settings.path``, modules of modules included."""
    root = settings.path
    found = {*settings.var_files, *settings.backend_files, *_pins(tree, settings)}
    waiting, seen = [root], {root}
    while waiting:
        module = waiting.pop()
        for name, text in _sources(tree, module):
            found |= {path for path in (_read_path(root, module, read) for read in files_read(text)) if path}
            for source in local_sources(name, text):
                called = _join(module, source)
                if called is not None and called not in seen:
                    seen.add(called)
                    waiting.append(called)
    return frozenset(path for path in found | seen if not path.is_relative_to(root))


def local_sources(name: str, text: str) -> list[str]:
    """Return the sources of the modules that a file calls from the same repository."""
    # The parser costs a third of a second to load: only files that call such a module are worth it.
    quick = [source for source in module_sources(name, text) if source.startswith(("./", "../"))]
    if not quick or name.endswith(".json"):
        return quick
    parsed = _parsed_sources(text)
    return quick if parsed is None else [source for source in parsed if source.startswith(("./", "../"))]


def _parsed_sources(text: str) -> list[str] | None:
    """Return the module sources as python-hcl2 reads them, None where it cannot read the file."""
    import hcl2  # noqa: PLC0415 - see local_sources

    try:
        calls = hcl2.loads(text).get("module", [])
    # The library lets its parser's errors through; newer syntax of the tools is no fault of the stack.
    except Exception:  # noqa: BLE001
        return None
    sources = (body.get("source", "") for call in calls for body in call.values() if isinstance(body, dict))
    return [str(source).strip('"') for source in sources]


def _pins(tree: Tree, settings: Settings) -> Iterator[PurePosixPath]:
    """Yield the files above the stack that pin the tool's version."""
    for folder in settings.path.parents:
        pin = folder / PINS[settings.tool]
        try:
            tree.read(pin)
        except FileNotFoundError:
            continue
        yield pin


def _sources(tree: Tree, folder: PurePosixPath) -> Iterator[tuple[str, str]]:
    for path in tree.files(folder):
        if path.parent == folder and path.name.endswith(_SOURCES):
            yield path.name, tree.read(path).decode("utf-8", "replace")


def _read_path(root: PurePosixPath, module: PurePosixPath, text: str) -> PurePosixPath | None:
    """Return the file that ``file("…")`` in ``module`` reads, None where it is not in the repository."""
    if text.startswith("${path.module}/"):
        return _join(module, text.removeprefix("${path.module}/"))
    for prefix in ("${path.root}/", "${path.cwd}/"):
        text = text.removeprefix(prefix)
    return None if text.startswith(("/", "~", "$")) else _join(root, text)


def _join(folder: PurePosixPath, text: str) -> PurePosixPath | None:
    path = posixpath.normpath(posixpath.join(str(folder), text))
    return None if path.startswith(("/", "../")) or path == ".." else PurePosixPath(path)
