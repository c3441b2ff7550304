"""Brings stacks to a proposal, and shows what came of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from adapters.contract import Goal, Plan
from orchestrator.engine.planning import stored_plan
from orchestrator.engine.side_by_side import Ended, Ground, Stopping, Tell, ordered, side_by_side
from orchestrator.engine.standings import still
from orchestrator.engine.survey import Asked, Survey
from orchestrator.engine.work import VANISHED, Limits, Settled, Worker
from orchestrator.errors import Conflict, RecordError
from orchestrator.model.action import Action, Apply, Ask, CheckDrift, MakePlan, Reason, Rest
from orchestrator.model.gate import GateKind
from orchestrator.model.observed import Proposal, TrackView
from orchestrator.model.policy import Mode
from orchestrator.model.stack import MAIN, StackKey
from orchestrator.ports import Run
from orchestrator.rules.order import Edge, EdgeKind, ancestors, edges
from orchestrator.rules.stillness import Still
from orchestrator.telling.ignoring import told
from orchestrator.telling.outcome import code_of, mark_of
from orchestrator.telling.plans import named
from orchestrator.telling.rows import Mark, Row

#: Why a plan would not be applied whatever anybody says.
_BARRING = frozenset({Reason.REJECTED, Reason.OVER_LIMIT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Everything that working the stacks of one run takes."""

    ground: Ground
    run: Run
    stop: Stopping
    tell: Tell
    parallel: int
    #: Whether a plan that somebody said no to is made afresh.
    afresh: bool = False
    #: Whether this very command holds the stacks: then that is told at its end, where it is known what became of it.
    holds: bool = False

    def settle(self, keys: Sequence[StackKey], mode: Mode) -> list[Ended[Settled]]:
        """Work each stack until it rests; ``mode`` OBSERVE goes as far as a plan."""
        worker = self._worker(mode)

        def one(key: StackKey) -> Settled:
            return worker.settle(key, on_action=lambda of, action: self.tell(of, words(action)))

        return side_by_side(keys, one, parallel=self.parallel, stop=self.stop, tell=self.tell)

    def look_up(self, keys: Collection[StackKey]) -> None:
        """Have a record that remembers nothing know of what ``keys`` wait for: an empty plan proves that it is there.

        One that lasts knows already, and nothing is planned that nobody asked for.
        """
        if self.ground.outside.forgetful:
            for wave in ordered(self.ground, sorted(ancestors(self.ground.stacks, keys))):
                self.settle(wave, Mode.OBSERVE)

    def decision(self, key: StackKey) -> Action:
        """Return what would be done about a stack next if a person let it."""
        asked = Survey(self.ground.outside, self.ground.reading).look(key)
        return self._worker(Mode.PROPOSE).decision(asked) if asked else VANISHED

    def _worker(self, mode: Mode) -> Worker:
        limits = Limits(mode=mode, person=True, drift=False, afresh=self.afresh)
        ground = self.ground
        return Worker(ground.outside, ground.reading, self.run, limits=limits, cancelled=self.stop.cancelled)

    def rows(self, ended: Sequence[Ended[Settled]]) -> list[Row]:
        """Return what to show for each stack."""
        return [self._told(one, self._row(one)) for one in ended]

    def _row(self, ended: Ended[Settled]) -> Row:
        row = row_of(self.ground, ended)
        if not self.holds or row.mark is not Mark.FAILED or ended.result is None or ended.result.asked is None:
            return row
        kept = replace(still(ended.result.asked, self.ground.now), hold=None)
        return replace(row, why=kept.told(ended.result.rest))

    def _told(self, ended: Ended[Settled], row: Row) -> Row:
        """Say of a plan what stands in the way of applying it, so that nobody first learns of it there."""
        asked = ended.result.asked if ended.result else None
        if asked is None or row.mark is not Mark.CHANGES:
            return row
        action = self._worker(Mode.PROPOSE).decision(asked)
        if isinstance(action, Rest) and action.reason in _BARRING:
            return replace(row, mark=Mark.DENIED, why=action.why)
        gated = action.reason is Reason.GATED
        return replace(row, why=still(asked, self.ground.now).told(action)) if gated else row


def words(action: Action) -> str:
    """Return what goes on, in one word; nothing for what takes no time."""
    match action:
        case MakePlan():
            return "planning"
        case Apply():
            return "applying"
        case CheckDrift():
            return "looking for drift"
        case Ask() | Rest():
            return ""


def row_of(ground: Ground, ended: Ended[Settled]) -> Row:
    """Return what to show for one stack."""
    tool = ground.reading.layout.stacks[ended.key].tool if ended.key in ground.reading.layout.stacks else ""
    if ended.result is None:
        error = ended.error
        mark = Mark.LOCKED if isinstance(error, Conflict) else Mark.FAILED
        return Row(
            key=ended.key,
            tool=tool,
            mark=mark,
            why=error.message if error else "",
            code=error.code if error else "",
        )
    settled = ended.result
    failure = settled.asked.observed.failure if settled.asked else None
    mark = mark_of(settled.rest, settled.did, failure)
    proposal = proposal_of(settled) if mark in {Mark.CHANGES, Mark.DENIED, Mark.UNKNOWN, Mark.HELD} else None
    back = _back(ground, settled) if proposal else ""
    kept = still(settled.asked, ground.now) if settled.asked else Still(key=ended.key)
    plan = plan_of(ground, proposal)
    return Row(
        key=ended.key,
        tool=tool,
        mark=mark,
        warnings=(*_warnings(ground, proposal, back, settled), *_undone(settled, plan)) if proposal else (),
        backwards=bool(back),
        # That a plan stops at the plan is nothing to be told.
        why="" if settled.rest.reason is Reason.OBSERVED_ONLY and not kept else kept.told(settled.rest),
        kept=bool(kept),
        proposal=proposal,
        plan=plan,
        code=code_of(settled.rest, mark, failure),
    )


def _back(ground: Ground, settled: Settled) -> str:
    """Say what a stack's new revision lacks that is applied, empty where it lacks nothing or is meant to.

    Who rolls back has said so; who has an old branch checked out may not know.
    """
    asked = settled.asked
    if asked is None or asked.observed.track != MAIN or asked.desired.held or asked.desired.goal is Goal.DESTROY:
        return ""
    applied, revision = asked.state.applied, asked.desired.revision
    if applied is None or applied.goal is Goal.DESTROY:
        return ""
    number = ground.outside.sources.lacking(ground.reading.source, revision, applied.revision)
    if number == 0:
        return ""
    both = f"{revision[:7]} is not after {applied.revision[:7]}, which is applied"
    if number is None:
        return f"{both}, as far as anybody can tell: the history between them is not here (git fetch --unshallow?)"
    return f"{both}: {number} applied commit{'s are' if number > 1 else ' is'} missing from it and would be undone"


def _warnings(ground: Ground, proposal: Proposal, back: str, settled: Settled) -> tuple[str, ...]:
    readers = readers_of(ground, settled.key) if proposal.goal is Goal.DESTROY else ""
    said = (back, f"{readers} reads its outputs, and still stands" if readers else "")
    return (*filter(None, said), *_doubts(settled))


def readers_of(ground: Ground, key: StackKey) -> str:
    """Name the stacks that take outputs of a stack and still stand, empty where none does."""
    found = []
    for reader, waits in edges(ground.stacks).items():
        applied = ground.outside.record.row(str(reader)).state.applied
        if Edge(upstream=key, kind=EdgeKind.DATA) in waits and applied and applied.goal is not Goal.DESTROY:
            found.append(reader.short)
    return ", ".join(sorted(found))


def _doubts(settled: Settled) -> tuple[str, ...]:
    gates = settled.asked.desired.gates if settled.asked else ()
    return tuple(gate.why for gate in gates if gate.kind is GateKind.CONSENT)


def _undone(settled: Settled, plan: Plan | None) -> tuple[str, ...]:
    """Say what a plan would put back though people have it ignored: no tool can be told to leave it out."""
    changed = {change.address for change in plan.changes} if plan else set()
    ignored = settled.asked.observed.ignored if settled.asked else ()
    found = [one for one in ignored if one.item.will_be_reverted and one.item.change.address in changed]
    return tuple(dict.fromkeys(f"may put back what is ignored as drift: {told(one.rule)}" for one in found))


def proposal_row(ground: Ground, asked: Asked, proposal: Proposal) -> Row:
    """Return what to show of a proposal that waits for a word."""
    mark, why = (Mark.NONE if proposal.empty else Mark.CHANGES), named(proposal)
    if asked.observed.rejected == proposal.binding(str(asked.stack.key)):
        mark, why = Mark.DENIED, f"{why}, rejected by {asked.observed.rejected_because}"
    return Row(
        key=asked.stack.key,
        tool=asked.stack.tool,
        mark=mark,
        why=why,
        proposal=proposal,
        plan=plan_of(ground, proposal),
    )


def proposal_of(settled: Settled) -> Proposal | None:
    """Return the proposal that a stack rests at, None where there is none."""
    asked = settled.asked
    if asked is None:
        return None
    return asked.state.tracks.get(asked.observed.track, TrackView()).proposal


def plan_of(ground: Ground, proposal: Proposal | None) -> Plan | None:
    """Return the masked plan of a proposal; None where its detail has been pruned."""
    if proposal is None:
        return None
    try:
        return stored_plan(ground.outside, proposal)
    except RecordError:
        return None
