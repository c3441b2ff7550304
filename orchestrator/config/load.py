"""`Layouts`: reads the configuration of a revision, as seldom as possible.

Nothing heavy is imported here: where a revision's layout is remembered, neither YAML nor the schema
is touched at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, cast

from adapters.contract import Json
from orchestrator.config.ground import stands
from orchestrator.config.operator import Operator
from orchestrator.errors import ConfigError
from orchestrator.model.codec import decode, encode
from orchestrator.model.fingerprint import canonical
from orchestrator.model.source import Revision, Source
from orchestrator.model.stack import Stack
from orchestrator.ports import Layout, RevisionTree

if TYPE_CHECKING:
    from orchestrator.config.files import Files

#: Raised whenever reading the same files would come to another layout.
VERSION: Final = 2
_TOPIC: Final = "layout"
#: Layouts kept in memory; a service follows a few refs of each source.
_KEPT: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One setting given on the way in, above every file: ``timeout``, ``45m``, ``HOLDFAST_TIMEOUT``."""

    setting: str
    value: str
    #: What `explain` shows as its origin: ``flag --timeout``, ``HOLDFAST_TIMEOUT``.
    origin: str


@dataclass(slots=True, kw_only=True)
class StackFiles:
    """The layouts of every source. Implements ``Layouts``."""

    operator: Operator = field(default_factory=Operator)
    given: tuple[Given, ...] = ()
    #: The record's cache, ``Record.remembered`` and ``Record.remember``; None keeps nothing between processes.
    remembered: Callable[[str, str], Json] | None = None
    remember: Callable[[str, Mapping[str, Json]], None] | None = None
    _layouts: dict[str, Layout] = field(default_factory=dict)
    _files: dict[str, Files] = field(default_factory=dict)
    #: Source -> the layout remembered last, and its digest.
    _noted: dict[str, tuple[Layout, str]] = field(default_factory=dict)

    def at(self, source: Source, revision: Revision, tree: RevisionTree) -> Layout:  # noqa: ARG002 -- the port's
        """Return the layout of one revision. Raises ConfigError with every error of every file aboard.

        The revision's own id plays no part: equal trees have equal layouts.
        """
        key = self._key(source, tree.id_of(PurePosixPath()))
        found = self._layouts.get(key) or self._recall(key) or self._recall_near(source, tree)
        if found is None:
            found = self._read(source, tree)
            self._note(source, key, found)
        if len(self._layouts) >= _KEPT:
            self._layouts.pop(next(iter(self._layouts)), None)
        self._layouts[key] = found
        return found

    def _key(self, source: Source, tree: str) -> str:
        ours: Json = {
            "version": VERSION,
            "source": source.id,
            "ceilings": {name: encode(limit) for name, limit in self.operator.ceilings.items()},
            "given": [encode(one) for one in self.given],
            "tree": tree,
        }
        return hashlib.sha256(canonical(ours)).hexdigest()

    def _read(self, source: Source, tree: RevisionTree) -> Layout:
        if source.id not in self._files:
            from orchestrator.config.files import Files  # noqa: PLC0415 -- a remembered layout needs none of it
            from orchestrator.config.given import layer_of  # noqa: PLC0415 -- likewise

            self._files[source.id] = Files(source.id, self.operator.ceilings, layer_of(self.given))
        return self._files[source.id].layout(tree)

    def _recall(self, key: str) -> Layout | None:
        if self.remembered is None:
            return None
        pointer = self.remembered(_TOPIC, key)
        body = self.remembered(_TOPIC, pointer) if isinstance(pointer, str) else None
        try:
            return _decoded(body) if isinstance(body, dict) else None
        except (KeyError, TypeError, ValueError):
            # Written by another release: it is only a cache.
            return None

    def _recall_near(self, source: Source, tree: RevisionTree) -> Layout | None:
        """Return the layout read last where this revision has the same ground."""
        if self.remembered is None or source.id in self._files:
            return None
        last = self.remembered(_TOPIC, self._key(source, ""))
        try:
            if not isinstance(last, dict) or not stands(cast("dict[str, Json]", last["ground"]), tree):
                return None
            body = self.remembered(_TOPIC, str(last["layout"]))
            return _decoded(body) if isinstance(body, dict) else None
        except (KeyError, TypeError, ValueError):
            return None

    def _note(self, source: Source, key: str, layout: Layout) -> None:
        """Remember under the content's own digest: commits that leave the layout alone write a pointer each."""
        if self.remember is None:
            return
        last, digest = self._noted.get(source.id, (None, ""))
        if last is not layout:
            body = _encoded(layout)
            digest = hashlib.sha256(canonical(body)).hexdigest()
            self.remember(_TOPIC, {digest: body})
            self._noted[source.id] = layout, digest
        self.remember(_TOPIC, {key: digest})
        if self._files[source.id].ground:
            ground: Json = {"ground": self._files[source.id].ground, "layout": digest}
            self.remember(_TOPIC, {self._key(source, ""): ground})


def _encoded(layout: Layout) -> dict[str, Json]:
    return {
        "project": layout.project,
        "environments": list(layout.environments),
        "stacks": [encode(stack) for stack in layout.stacks.values()],
        "notices": [[one.message, one.code, one.hint, one.where] for one in layout.notices],
    }


def _decoded(body: Mapping[str, Any]) -> Layout:
    stacks = [decode(Stack, one) for one in body["stacks"]]
    notices = [
        ConfigError(message, code=code, hint=hint, where=where) for message, code, hint, where in body["notices"]
    ]
    return Layout(
        project=body["project"],
        stacks={stack.key: stack for stack in stacks},
        environments=tuple(body["environments"]),
        notices=tuple(notices),
    )
