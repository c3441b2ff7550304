"""All that is to be said of one stack: the decision, what stops it, what changed, and where each setting comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from adapters.contract import Json
from orchestrator.engine.judging import judged_of
from orchestrator.engine.outside import Outside, Reading
from orchestrator.engine.standings import situation_of
from orchestrator.engine.survey import Survey
from orchestrator.errors import UsageError
from orchestrator.model.action import Action, Rest
from orchestrator.model.codec import encode
from orchestrator.model.desired import Desired, Known, Pending
from orchestrator.model.gate import Act, Gate
from orchestrator.model.moment import stamp
from orchestrator.model.observed import State, TrackView
from orchestrator.model.policy import Ignore, Mode, Policy
from orchestrator.model.stack import MAIN, Stack, StackKey
from orchestrator.rules.axes import Standing
from orchestrator.rules.eligible import who
from orchestrator.rules.stillness import decided
from orchestrator.telling.judged import sentences

_UNNAMED = "default"
#: A field of a policy -> the key that stacks.yaml has for it, where the two differ.
_WRITTEN = {
    "mode": "apply",
    "approvals.eligible": "approvals.from",
    "approvals.valid_s": "approvals.valid_for",
    "drift.every_s": "drift.every",
    "drift.limit.within_s": "drift.limit.within",
    "timeout_s": "timeout",
    "plan_ttl_s": "plan_ttl",
}
_MODES = {Mode.OBSERVE: "never", Mode.PROPOSE: "approve", Mode.AUTO: "auto"}
_NEXT = {
    "MakePlan": "it is to be planned",
    "Ask": "people are to be asked",
    "Apply": "it is to be applied",
    "CheckDrift": "drift is to be looked for",
    "Rest": "it rests",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Everything there is to say about one stack."""

    stack: Stack
    desired: Desired
    state: State
    standing: Standing
    action: Action
    #: In words, whose approval counts.
    approvers: tuple[str, ...] = ()
    #: What is to be said of drift beside what counts.
    drift: tuple[str, ...] = ()

    @property
    def changed(self) -> tuple[str, ...]:
        """Which parts differ from what was applied."""
        return self.desired.parts.changed_since(self.state.applied.parts) if self.state.applied else ()

    @property
    def settings(self) -> tuple[tuple[str, Json, str], ...]:
        """Each setting with its value and where it was said."""
        return tuple(settings(self.stack))


def settings(stack: Stack) -> Iterator[tuple[str, Json, str]]:
    """Yield each setting of a stack with its value as written and where it was said."""

    def origin(*names: str) -> str:
        return next((stack.origins[name] for name in names if name in stack.origins), _UNNAMED)

    yield "tool", stack.tool, origin("tool")
    yield "path", str(stack.path), origin("path")
    if stack.tool_version:
        yield "tool_version", stack.tool_version, origin("tool_version")
    for name, value in sorted(stack.settings.items()):
        yield name, value, origin(name)
    for name, value in sorted(stack.inputs.items()):
        # Written values only: references stay unfilled, so no secret is among them.
        yield f"inputs.{name}", value, origin(f"inputs.{name}", "inputs")
    for key in stack.depends_on:
        yield "depends_on", key.short, origin("depends_on")
    if stack.owners:
        yield "owners", list(stack.owners), origin("owners")
    yield from _policy(stack.policy, stack, origin("policy"))


def _policy(policy: Policy, stack: Stack, other: str) -> Iterator[tuple[str, Json, str]]:
    for field, value in _flat(policy, ""):
        name = _WRITTEN.get(field, field)
        shown = _MODES[value] if isinstance(value, Mode) else encode(value)
        if field.endswith("_s") and isinstance(value, float):
            shown = _span(value)
        if field == "drift.ignore":
            shown = [_ignored(rule) for rule in policy.drift.ignore]
        if field == "approvals.groups":
            shown = [{"from": list(group.of), "at_least": group.at_least} for group in policy.approvals.groups]
        names = (name, name.rpartition(".")[0], name.partition(".")[0])
        yield name, shown, next((stack.origins[one] for one in names if one in stack.origins), other)


def _ignored(rule: Ignore) -> Json:
    """Return a rule as the file writes it."""
    written = {"address": rule.address, "path": rule.path, "owner": rule.owner, "reason": rule.reason}
    return {name: text for name, text in (written | {"until": stamp(rule.until or 0.0)}).items() if text}


def _span(seconds: float) -> str:
    """Return a duration as the file writes it, in the largest unit that leaves no rest."""
    sizes = (("d", 86400), ("h", 3600), ("m", 60))
    return next(
        (f"{seconds / size:g}{unit}" for unit, size in sizes if seconds and not seconds % size), f"{seconds:g}s"
    )


def _flat(value: Any, before: str) -> Iterator[tuple[str, object]]:
    """Yield each field of a policy, those of its parts with a dotted name."""
    for one in fields(value):
        part = getattr(value, one.name)
        if is_dataclass(part):
            yield from _flat(part, f"{before}{one.name}.")
        else:
            yield f"{before}{one.name}", part


def explain(outside: Outside, reading: Reading, teams: Mapping[str, tuple[str, ...]], key: StackKey) -> Explained:
    """Return what is to be said of a stack; ``teams`` are each team's members. Raises UsageError (HF-1901)."""
    asked = Survey(outside, reading).look(key)
    if asked is None:
        raise UsageError(
            f"{key.short} is no longer in its source; what it made still stands",
            code="HF-1901",
            hint=f"holdfast apply --destroy {key.short} takes it down",
        )
    row = situation_of(outside, asked)
    if row.action is None:
        raise UsageError(f"nothing is known of {key.short}", code="HF-1901")
    return Explained(
        stack=asked.stack,
        desired=asked.desired,
        state=row.state,
        drift=tuple(sentences(judged_of(outside, reading, key, asked.row), key.short, whom=True)),
        standing=row.standing,
        action=row.action,
        approvers=tuple(who(teams, asked.stack.policy, asked.desired.authors)),
    )


def next_words(it: Explained) -> str:
    """Return what is next and why, in one sentence."""
    action = it.action
    until = f" until {stamp(action.until)}" if isinstance(action, Rest) and action.until else ""
    return f"{_NEXT[type(action).__name__]}{until}: {decided(it.stack.key, action)}"


def _applied(state: State) -> list[str]:
    applied = state.applied
    if applied is None:
        return ["never"]
    lines = [f"{applied.revision[:7]} at {stamp(applied.at)} in run {applied.run}, {applied.tool.name}"]
    verified = f"verified at {stamp(applied.verified_at)}" if applied.verified_at else "not verified yet"
    lines.append(f"{applied.tool.version}; {verified}")
    if state.hold:
        lines.append(f"held by {state.hold.by}: {state.hold.kind.value} {state.hold.revision[:7]} {state.hold.reason}")
    return [" ".join(lines[:2]), *lines[2:]]


def _waits(desired: Desired, now: float) -> list[str]:
    lines = [gate_words(gate) for gate in desired.gates if _stands(gate, now)]
    for upstream in desired.upstream:
        if isinstance(upstream, Pending):
            lines.append(f"{upstream.ref}: {upstream.why}")
        elif not isinstance(upstream, Known):
            lines.append(f"{upstream.ref}: {upstream.stack} has no such output")
    return lines


def gate_words(gate: Gate) -> str:
    """Return one gate in words: kind, what it stops, until when, who and why."""
    stops = ", ".join(sorted(act.value for act in gate.stops)) or "nothing"
    until = f" until {stamp(gate.until)}" if gate.until else ""
    who = f" by {gate.who}" if gate.who else ""
    return f"{gate.kind.value}{who}{until} (stops {stops}): {gate.why}"


def _trouble(state: State) -> list[str]:
    found = []
    failure = state.tracks.get(MAIN, TrackView()).failure
    if failure:
        found.append(f"{failure.phase.value} failed {failure.count}x: {failure.code} {failure.message}")
    if state.unknown:
        found.append(f"attempt {state.unknown.attempt.number} ended unknown: {state.unknown.why}")
    if state.applied and state.applied.pending:
        found.append(f"applied, and still to be changed: {', '.join(state.applied.pending)}")
    doubted = sorted({address for doubt in state.doubts for address in doubt.addresses})
    if doubted:
        found.append(f"may exist unknown to the tool, since an attempt ended unknown: {', '.join(doubted)}")
    if state.drift:
        found.append(f"{len(state.drift.items)} drifted, first seen {stamp(state.drift.first_seen)}")
    if state.drift_check_error:
        found.append(f"drift could not be looked for: {state.drift_check_error}")
    return found


def value(it: Explained, now: float) -> dict[str, Json]:
    """Return it for programs, and for whoever prints it; ``now`` in seconds since the epoch."""
    until = it.action.until if isinstance(it.action, Rest) else None
    return {
        "stack": it.stack.key.short,
        "key": str(it.stack.key),
        "tool": it.stack.tool,
        "sync": it.standing.sync.value,
        "health": it.standing.health.value,
        "next": {
            "action": type(it.action).__name__,
            "reason": it.action.reason.value,
            "why": it.action.why,
            "until": stamp(until) if until else None,
            "sentence": next_words(it),
        },
        "applied": [*_applied(it.state)],
        "revision": it.desired.revision,
        "changed": list(it.changed),
        "approvers": list(it.approvers),
        "waits": _waits_value(it.desired, now),
        "waiting": [*_waits(it.desired, now)],
        "trouble": list(_trouble(it.state)),
        "drift": list(it.drift),
        "settings": [{"name": name, "value": value, "origin": place} for name, value, place in it.settings],
    }


def _waits_value(desired: Desired, now: float) -> list[Json]:
    found: list[Json] = [
        {"kind": gate.kind.value, "id": gate.id, "why": gate.why} for gate in desired.gates if _stands(gate, now)
    ]
    waiting = [f"{one.ref} of {one.stack}" for one in desired.upstream if not isinstance(one, Known)]
    found += [{"kind": "upstream", "id": 0, "why": why} for why in waiting]
    return found


def _stands(gate: Gate, now: float) -> bool:
    return any(gate.stands(act, now) for act in Act)
