"""Folders that are stacks by what is in them, though no file name says so: Puppet manifests, CloudFormation templates.

Looked at only for a first stacks.yaml: it reads every YAML and JSON file, and a person looks at what it found.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from orchestrator.config.discover import ROOT, folders
from orchestrator.config.ground import below
from orchestrator.ports import RevisionTree

#: Larger files are no templates: CloudFormation takes 1 MiB. Bytes.
_LARGEST: Final = 1 << 20
_ENDINGS: Final = (".yaml", ".yml", ".json", ".template")
_FORMAT = re.compile(rb"^\s*[\"']?AWSTemplateFormatVersion[\"']?\s*:", re.MULTILINE)
_RESOURCES = re.compile(rb"^(?:[\"']?Resources|\s+\"Resources)[\"']?\s*:", re.MULTILINE)
_TYPE = re.compile(rb"[\"']?Type[\"']?\s*:\s*[\"']?AWS::\w+::\w+")
#: Where a module's own tests keep what they need.
_FIXTURES: Final = frozenset({"fixtures", "spec"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A folder that its contents tell to be a stack."""

    path: PurePosixPath
    tool: str
    #: The template's name in the folder, empty where the tool finds by itself what it works from.
    template: str = ""


def told_by_contents(tree: RevisionTree, taken: Collection[PurePosixPath]) -> tuple[Told, ...]:
    """Return each stack outside the folders ``taken``, sorted by path and template."""
    # What lies at the repository's root need not be the root of all that lies below.
    roots = {str(path) for path in taken} - {"."}
    itself = {"."} if ROOT in taken else set[str]()
    free = {
        folder: names for folder, names in folders(tree).items() if folder not in itself and not below(folder, roots)
    }
    parents = {str(PurePosixPath(folder).parent) for folder, names in free.items() if _is_manifests(folder, names)}
    puppets = sorted(parents - itself)
    found = [Told(path=PurePosixPath(folder), tool="puppet") for folder in puppets]
    for folder, names in free.items():
        if folder not in puppets and not below(folder, set(puppets) - {"."}):
            found += _templates(PurePosixPath(folder), names, tree)
    return tuple(sorted(found, key=lambda one: (one.path, one.template)))


def _is_manifests(folder: str, names: Collection[str]) -> bool:
    parts = folder.split("/")
    return parts[-1] == "manifests" and "site.pp" in names and not _FIXTURES.intersection(parts)


def _templates(folder: PurePosixPath, names: Collection[str], tree: RevisionTree) -> Iterator[Told]:
    texts = {name: tree.read(folder / name) for name in sorted(names) if name.endswith(_ENDINGS)}
    templates = {name: text for name, text in texts.items() if is_template(text)}
    for name in templates:
        # What another one names is a part of that one.
        nested = any(name.encode() in text for other, text in templates.items() if other != name)
        if not nested:
            yield Told(path=folder, tool="cloudformation", template=name)


def is_template(content: bytes) -> bool:
    """Whether a file's content is that of a CloudFormation template."""
    if len(content) > _LARGEST:
        return False
    return bool(_FORMAT.search(content)) or bool(_RESOURCES.search(content) and _TYPE.search(content))
