"""Looks at a source: revision, files, configuration; says which stacks that makes due. Starts no tool."""

from __future__ import annotations

import hashlib

from adapters.contract import AdapterError
from orchestrator.engine.outside import Outside, Reading, read_at
from orchestrator.engine.post import row_of
from orchestrator.engine.reads import Reads
from orchestrator.engine.resting import all_due
from orchestrator.errors import Conflict, OrchestratorError, RecordAway
from orchestrator.model.event import Event, Returned, Vanished
from orchestrator.model.observed import Looks
from orchestrator.model.source import Source
from orchestrator.model.stack import StackKey
from orchestrator.ports import Row
from orchestrator.rules.affected import Index, Reach

#: Runs that no person and no door opened: what a look at a source records by itself.
NO_RUN = 0
#: From this many stacks on, all that is remembered of them is fetched at once.
_MANY = 20
#: How often a word is offered to a stack that moves meanwhile.
_OFFERS = 20
#: Where the mark of the stacks that were last accounted for is remembered.
_ACCOUNTED = "accounted"


def read_source(outside: Outside, source: Source) -> Reading:
    """Read the source's newest revision, and say aloud which stacks have gone from it or come back.

    Nothing is ever destroyed because it is missing. Raises SourceUnreachable, RevisionRejected, ConfigError.
    """
    name = _row_name(source)
    last = outside.record.row(name).looks.revision
    revision = outside.sources.read(source, last=last)
    tree = outside.sources.tree(source, revision.id)
    reading = Reading(source=source, revision=revision, tree=tree, layout=outside.layouts.at(source, revision, tree))
    if revision.id != last:
        _account(outside, reading)
        outside.record.look(name, Looks(revision=revision.id))
    return reading


def last_good(outside: Outside, source: Source) -> Reading | None:
    """Read the source at the revision that could be read last; None where none ever could. Raises as `read_source`."""
    revision = outside.record.row(_row_name(source)).looks.revision
    return read_at(outside, source, revision) if revision else None


def _row_name(source: Source) -> str:
    # A commit that somebody has only on their own machine must not count as the newest of the source itself.
    return f"checkout:{source.id}" if source.checkout else row_of(source.id)


def _account(outside: Outside, reading: Reading) -> None:
    """Say which stacks have gone or come back; reads no state where the same ones are there as last time."""
    source = reading.source.id
    if outside.record.remembered(_ACCOUNTED, source) == _mark(outside, reading):
        return
    for row in outside.record.rows(source):
        _account_for(outside, reading, row)
    outside.record.remember(_ACCOUNTED, {source: _mark(outside, reading)})


def _mark(outside: Outside, reading: Reading) -> str:
    """Return a digest of the stacks that are there, and of those that are not with what has become of them."""
    there = {str(key) for key in reading.layout.stacks}
    versions = outside.record.versions(reading.source.id)
    gone = (f"{key} {version}" for key, version in versions.items() if key not in there)
    return hashlib.sha256("\n".join([*sorted(there), "", *sorted(gone)]).encode()).hexdigest()


def _account_for(outside: Outside, reading: Reading, row: Row) -> None:
    """Say it of one stack. Where somebody else wrote to it meanwhile they may have said it already: look again."""
    for _ in range(_OFFERS):
        try:
            return _say_gone_or_back(outside, reading, row)
        except Conflict as late:
            if late.code != Conflict.code:
                raise
            row = outside.record.row(row.key)
    return None


def _say_gone_or_back(outside: Outside, reading: Reading, row: Row) -> None:
    try:
        key = StackKey.parse(row.key)
    except ValueError:
        return
    there, state = key in reading.layout.stacks, row.state
    events: list[Event] = []
    if there and state.vanished_at is not None:
        events.append(Returned(revision=reading.revision.id))
    made = state.applied or state.kept or state.unknown or state.applying
    if not there and state.vanished_at is None and made and not state.moved_to:
        events.append(Vanished(revision=reading.revision.id))
    if events:
        outside.record.append(row.key, events, expected=state.version, run=NO_RUN)


class Watch:
    """Follows one source and keeps the agenda: after each look exactly the stacks that a change concerns are due."""

    def __init__(self, outside: Outside, source: Source) -> None:
        """The first look is at every stack: what happened while nobody watched is not known."""
        self._outside = outside
        self._source = source
        self._last: Reading | None = None
        self._index = Index()

    def look(self) -> tuple[Reading, frozenset[StackKey]]:
        """Read the source and nudge what it concerns; returns the reading and the keys of what is due now.

        What is at rest all the same gets the date of its next look, and no more: thousands that are as asked for are
        not worked each whenever the service begins. The work is proportional to the change.
        Raises SourceUnreachable, RevisionRejected, ConfigError: then the last good revision stays in force.
        """
        reading = read_source(self._outside, self._source)
        last = self._last
        if last is not None and last.revision.id == reading.revision.id:
            return reading, frozenset()
        due = frozenset(reading.layout.stacks) if last is None else self._concerned(last, reading)
        reads = Reads(self._outside, whole=len(due) > _MANY)
        for key in due:
            self._index.put(key, _reach(reads, reading, key))
        reads.keep()
        dues = tuple(all_due(self._outside, reading, due))
        self._outside.agenda.nudge(*dues)
        now = self._outside.clock.now()
        # Not before they are due for certain: a look that failed half-way is taken again from the start.
        self._last = reading
        return reading, frozenset(StackKey.parse(one.stack) for one in dues if one.at <= now)

    def _concerned(self, last: Reading, reading: Reading) -> frozenset[StackKey]:
        for gone in self._index.keys() - reading.layout.stacks.keys():
            self._index.drop(gone)
        return _rewritten(last, reading) | self._index.affected(reading.tree.changed(last.tree))


def changed_since(outside: Outside, earlier: Reading, reading: Reading) -> frozenset[StackKey]:
    """Return the stacks that read a file, or have a setting, that is not as it was in an earlier reading."""
    index = Index()
    reads = Reads(outside, whole=len(reading.layout.stacks) > _MANY)
    for key in reading.layout.stacks:
        index.put(key, _reach(reads, reading, key))
    reads.keep()
    return _rewritten(earlier, reading) | index.affected(reading.tree.changed(earlier.tree))


def _rewritten(earlier: Reading, reading: Reading) -> frozenset[StackKey]:
    """Return the stacks of ``reading`` that are declared in other words than before."""
    if reading.layout is earlier.layout:
        return frozenset()
    return frozenset(k for k, stack in reading.layout.stacks.items() if earlier.layout.stacks.get(k) != stack)


def _reach(reads: Reads, reading: Reading, key: StackKey) -> Reach:
    stack = reading.layout.stacks[key]
    try:
        paths = reads.of(stack, reading.tree)
    except RecordAway:
        raise
    except (AdapterError, OrchestratorError):
        # Its own plan says what is wrong; a change of its own folder makes it due again.
        paths = frozenset()
    return Reach(path=stack.path, outside=paths, watch=stack.watch)
