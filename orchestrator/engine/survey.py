"""Works out what is asked of each stack in one reading of a source, upstreams first. Reads, changes nothing.

A survey is a snapshot: make a new one for every decision.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from adapters.contract import AdapterError, Goal
from orchestrator.engine import left_behind
from orchestrator.engine.former import as_of, now_called
from orchestrator.engine.outside import Outside, Reading, read_at
from orchestrator.engine.people import authors, left
from orchestrator.engine.reads import Reads
from orchestrator.errors import OrchestratorError, RecordAway
from orchestrator.model.codec import encode
from orchestrator.model.desired import Desired, Missing, Pending, Upstream
from orchestrator.model.fingerprint import Parts, canonical, fingerprint, settings_digest
from orchestrator.model.gate import ALL_ACTS, Gate, GateKind
from orchestrator.model.observed import Applying, Hold, HoldKind, Looks, Observed, State, observe
from orchestrator.model.reference import COMMIT, OutputRef, output_references, references, secret_references
from orchestrator.model.stack import GOING_DOWN, MAIN, Stack, StackKey, is_foreign
from orchestrator.ports import Row, Stray
from orchestrator.rules import gates as gate_rules
from orchestrator.rules.decide import settled
from orchestrator.rules.drifted import weigh
from orchestrator.rules.upstream import Feeder, judge, locate


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One stack with what is asked of it, what is known of it, and where its files come from."""

    stack: Stack
    #: The reading that its files and settings come from: a held stack's is an earlier one.
    reading: Reading
    desired: Desired
    observed: Observed
    row: Row
    #: Paths outside the stack's folder that it reads.
    outside_paths: frozenset[PurePosixPath]

    @property
    def state(self) -> State:
        """The stack's fold."""
        return self.row.state

    @property
    def settled(self) -> bool:
        """Whether the world was brought to exactly what is asked for."""
        return settled(self.desired, self.observed)


class Survey:
    """What is asked of the stacks of one reading, worked out on demand and remembered."""

    def __init__(self, outside: Outside, reading: Reading, *, whole: bool = False) -> None:
        """``whole`` reads every row at once: cheaper where most stacks will be asked about."""
        self._outside = outside
        self._reading = reading
        self._now = outside.clock.now()
        self._key = outside.record.key()
        self.gates_version, self._gates = outside.record.gates()
        self._rows: dict[str, Row] = {row.key: row for row in outside.record.rows(reading.source.id)} if whole else {}
        self._whole = whole
        self._reads = Reads(outside, whole=whole)
        self._asked: dict[StackKey, Asked | None] = {}
        #: Those that are being worked out: one that comes up again stands in a ring.
        self._open: set[StackKey] = set()
        self._earlier: dict[str, Reading] = {}
        #: What a pull request leaves alone is as it is where it asks to be merged into.
        self._beside = Survey(outside, reading.base, whole=whole) if reading.base else None
        self._orphans: tuple[StackKey, ...] | None = None
        self._strays: Mapping[str, Stray] = {}

    @property
    def reading(self) -> Reading:
        """The reading that is surveyed."""
        return self._reading

    def row(self, key: StackKey) -> Row:
        """Return the stack's row as it was when this survey first looked."""
        name = str(key)
        if name not in self._rows:
            self._rows[name] = _unseen(name) if self._whole else self._outside.record.row(name)
        return self._rows[name]

    def look(self, key: StackKey) -> Asked | None:
        """Return what is asked of a stack; None where it is in no source any more and nobody asked to destroy it."""
        if self._beside is not None and key not in self._reading.touched:
            return self._beside.look(key)
        if key not in self._asked:
            self._open.add(key)
            try:
                self._asked[key] = self._work_out(key)
            finally:
                self._open.discard(key)
        return self._asked[key]

    def every(self) -> Iterable[Asked]:
        """Yield what is asked of each stack of the reading, by key."""
        for key in sorted(self._reading.layout.stacks):
            asked = self.look(key)
            if asked:
                yield asked
        self.keep()

    def keep(self) -> None:
        """Remember what was found out on the way: the next survey need not."""
        self._reads.keep()
        if self._beside is not None:
            self._beside.keep()

    def recorded(self) -> tuple[StackKey, ...]:
        """Return every stack of a whole survey's source that the record knows, in the source or not."""
        prefix = f"{self._reading.source.id}/"
        return tuple(StackKey.parse(name) for name in sorted(self._rows) if name.startswith(prefix))

    def _work_out(self, key: StackKey) -> Asked | None:
        row = self.row(key)
        found = self._files_of(key, row.state)
        if found is None:
            return None
        stack, reading, goal, lost = found
        seen = observe(str(key), self._reading.track, row.state, row.looks)
        observed = weigh(seen, row.state, row.looks, stack.policy.drift, self._now)
        destroying = goal is Goal.DESTROY and row.state.applied is not None
        upstream = () if destroying else tuple(self._upstream(ref, key) for ref in _references(stack))
        parts, paths, troubles = self._parts(stack, reading, upstream, row.state if destroying else None)
        observed = replace(observed, left=left(self._outside.people, observed.consents))
        desired = Desired(
            revision=reading.revision.id,
            fingerprint=fingerprint(parts, self._key),
            parts=parts,
            policy_digest=policy_digest(stack),
            goal=goal,
            held=goal is Goal.CONVERGE and self._held(row.state),
            committed=reading.revision.committed,
            authors=authors(self._outside, reading, stack, row.state, parts, paths),
            upstream=upstream,
            gates=(*lost, *troubles, *self._gates_of(stack)),
        )
        return Asked(stack=stack, reading=reading, desired=desired, observed=observed, row=row, outside_paths=paths)

    def _files_of(self, key: StackKey, state: State) -> tuple[Stack, Reading, Goal, tuple[Gate, ...]] | None:
        """Say where the stack's files come from: today's reading, or an earlier one where it is held.

        With a gate where it is held at a revision that does not have it: nothing may be made of today's files then.
        """
        today = self._reading.layout.stacks.get(key)
        hold = self._hold_of(state)
        if hold is None:
            return (today, self._reading, Goal.CONVERGE, ()) if today else None
        reading = self._at(hold.revision)
        goal = Goal.DESTROY if hold.kind is HoldKind.DESTROYED else Goal.CONVERGE
        then = as_of(self._outside, key, today, reading.layout)
        if then is not None:
            return (_under_todays_rules(then, today), reading, goal, ())
        return (today, self._reading, goal, (_not_there(key, hold),)) if today else None

    def _hold_of(self, state: State) -> Hold | None:
        if self._reading.track == GOING_DOWN and state.applied is not None:
            revision = state.applied.revision
            return Hold(kind=HoldKind.DESTROYED, revision=revision, by="", at=self._now, reason="")
        return state.hold if self._reading.track == MAIN else None

    def _held(self, state: State) -> bool:
        return self._hold_of(state) is not None

    def _at(self, revision: str) -> Reading:
        if revision == self._reading.revision.id:
            return self._reading
        if revision not in self._earlier:
            self._earlier[revision] = read_at(self._outside, self._reading.source, revision)
        return self._earlier[revision]

    def _parts(
        self, stack: Stack, reading: Reading, upstream: tuple[Upstream, ...], gone: State | None
    ) -> tuple[Parts, frozenset[PurePosixPath], tuple[Gate, ...]]:
        """Return the fingerprint's parts, the outside paths, and a gate for each thing that could not be found out."""
        troubles: list[Gate] = []
        paths: frozenset[PurePosixPath] = frozenset()
        versions: dict[str, str] = {}
        try:
            paths = self._reads.of(stack, reading.tree)
            readable = self._outside.secrets.readable_by(stack.key, foreign=is_foreign(self._reading.track))
            versions = dict(readable.versions(secret_references({**stack.inputs, **stack.settings})))
        except RecordAway:
            raise
        except (AdapterError, OrchestratorError) as error:
            why = f"{error.code} {error.message}" + (f"; {error.hint}" if error.hint else "")
            troubles.append(Gate(kind=GateKind.MISSING, why=why, selector=str(stack.key), stops=ALL_ACTS))
        if gone is not None and gone.applied is not None:
            # Taking down needs what was applied, not what is asked for today.
            return gone.applied.parts, paths, tuple(troubles)
        parts = Parts(
            tree=reading.tree.id_of(stack.path),
            outside={str(path): reading.tree.id_of(path) for path in sorted(paths)},
            settings=settings_digest(stack),
            tool=stack.tool_version,
            upstream={str(one.ref): getattr(one, "hmac", "") for one in upstream} | _commit(stack, reading),
            secrets=versions,
        )
        return parts, paths, tuple(troubles)

    def _upstream(self, ref: OutputRef, reader: StackKey) -> Upstream:
        stacks = self._reading.layout.stacks
        # The reader may be held at a revision from before a rename: it asks by the old name.
        key = now_called(self._outside, locate(ref, reader, stacks), stacks)
        if key in self._open:
            # No revision holds a ring; one that is held and one that is not can make one between them.
            return Pending(
                ref=ref, stack=key.short, why=f"{key.short} waits for {reader.short} itself: resume one of them"
            )
        asked = self.look(key)
        if asked is None:
            return Missing(ref=ref, stack=key.short)
        feeder = Feeder(
            stack=key.short,
            observed=asked.observed,
            settled=asked.settled,
            fingerprint=asked.desired.fingerprint,
            trouble=_trouble(asked),
        )
        return judge(ref, feeder)

    def _gates_of(self, stack: Stack) -> tuple[Gate, ...]:
        unready = [key.short for key in stack.depends_on if not self._is_settled(key)]
        # What is only looked at is promoted nowhere.
        promoted = stack.promote_from and self._reading.track == MAIN
        ready = not promoted or self._is_settled(replace(stack.key, environment=stack.promote_from))
        return (
            *self._maybe_made(stack),
            *gate_rules.closed_for(stack, self._gates),
            *gate_rules.window(stack, self._now),
            *gate_rules.order(stack, unready),
            *gate_rules.promotion(stack, ready=ready),
        )

    def _maybe_made(self, stack: Stack) -> tuple[Gate, ...]:
        """Return a gate where this stack is new and may have been made already under another name."""
        key = stack.key
        if self._reading.track != MAIN or not left_behind.is_new(key, self.row(key).state):
            return ()
        if self._orphans is None:
            gone = left_behind.gone(self._outside.record.versions(key.source), self._reading.layout.stacks)
            self._orphans = tuple(one for one in gone if left_behind.holds_state(self.row(one).state))
            self._strays = self._outside.workspaces.strays(key.source)
        renamed = left_behind.maybe_renamed(key, self._orphans)
        if renamed is not None:
            return (renamed,)
        name = f"{key.name}@{key.environment}"
        return (left_behind.elsewhere(key, self._strays[name]),) if name in self._strays else ()

    def _is_settled(self, key: StackKey) -> bool:
        asked = None if key in self._open else self.look(key)
        at_work = asked is not None and isinstance(asked.observed.progress, Applying)
        return asked is not None and asked.settled and not at_work


def _unseen(key: str) -> Row:
    return Row(key=key, state=State(), looks=Looks())


def _references(stack: Stack) -> tuple[OutputRef, ...]:
    return output_references({**stack.inputs, **stack.settings})


def _commit(stack: Stack, reading: Reading) -> dict[str, str]:
    named = any(COMMIT in references(value) for value in (*stack.inputs.values(), *stack.settings.values()))
    return {COMMIT: reading.revision.id} if named else {}


def _not_there(key: StackKey, hold: Hold) -> Gate:
    why = f"held at {hold.revision[:7]}, which does not have it (HF-1920); holdfast resume {key.short} ends the hold"
    return Gate(kind=GateKind.MISSING, why=why, selector=str(key), stops=ALL_ACTS)


def _under_todays_rules(then: Stack, today: Stack | None) -> Stack:
    """Take files and settings from the earlier revision, and everything that people allow from today's."""
    if today is None:
        return then
    return replace(
        then,
        policy=today.policy,
        credentials=today.credentials,
        depends_on=today.depends_on,
        tier=today.tier,
        owners=today.owners,
        promote_from="",
    )


def _trouble(asked: Asked) -> str:
    name = asked.stack.key.short
    if asked.observed.unknown:
        return f"an attempt of {name} ended unknown"
    failure = asked.observed.failure
    if failure and failure.fingerprint == asked.desired.fingerprint:
        # The remedy is below the cause, and said with the one that failed: here it would break a table.
        cause, _, _ = failure.message.partition("\n")
        return f"{name} failed: {cause}"
    # The first cause, however far up: what waits in between is no news.
    return next((one.why for one in asked.desired.upstream if isinstance(one, Pending)), "")


def policy_digest(stack: Stack) -> str:
    """Return the digest of the resolved policy: an approval under one policy is none under another."""
    return hashlib.sha256(canonical(encode(stack.policy))).hexdigest()
