"""The engine's hands: every port in one value, so that a loop takes one argument and tests swap any part."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator import ports
from orchestrator.engine.merges import remade
from orchestrator.errors import NoSuchRevision, RevisionRejected
from orchestrator.model.source import Revision, Source
from orchestrator.model.stack import MAIN, StackKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Everything that the engine can touch."""

    record: ports.Record
    artifacts: ports.Artifacts
    agenda: ports.Agenda
    sources: ports.Sources
    layouts: ports.Layouts
    workspaces: ports.Workspaces
    attempts: ports.Attempts
    shells: ports.Shells
    adapters: ports.Adapters
    secrets: ports.Secrets
    credentials: ports.Credentials
    clock: ports.Clock
    running: ports.Running
    people: ports.People
    #: Whether other hosts work on the same record: what one keeps on its disk must reach the others.
    shared: bool = False
    #: Whether the record began with this run and ends with it: what it does not know may stand all the same.
    forgetful: bool = False
    #: Who is asked by whom drift came about, beside the adapters.
    witnesses: tuple[ports.Witness, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One look at a source: a revision, its files and the configuration in them, on one track."""

    source: Source
    revision: Revision
    tree: ports.RevisionTree
    layout: ports.Layout
    track: str = MAIN
    #: Of a pull request: the reading that it asks to be merged into, and the stacks that it touches. All others are
    #: as they are there.
    base: Reading | None = None
    touched: frozenset[StackKey] = frozenset()
    #: Whether what it proposes was written by somebody who may not write to the repository: a fork's.
    strange: bool = False


def read_at(outside: Outside, source: Source, revision: str) -> Reading:
    """Return the reading of a revision that is known already: an applied, held or proposed one. Raises SourceError."""
    try:
        found = outside.sources.revision(source, revision)
    except (NoSuchRevision, RevisionRejected):
        made = remade(outside, source, revision)
        if made is None:
            raise
        found = made
    tree = outside.sources.tree(source, found.id)
    return Reading(source=source, revision=found, tree=tree, layout=outside.layouts.at(source, found, tree))
