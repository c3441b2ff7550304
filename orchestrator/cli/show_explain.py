"""Why a stack is where it is: the decision, what stops it, what changed, and where each setting comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from adapters.contract import Json
from orchestrator.catalogue import Entry
from orchestrator.cli.printable import printable
from orchestrator.cli.screen import Page
from orchestrator.model.action import Action, Rest
from orchestrator.model.codec import encode
from orchestrator.model.desired import Desired, Known, Pending
from orchestrator.model.gate import Act, Gate
from orchestrator.model.moment import stamp
from orchestrator.model.observed import State, TrackView
from orchestrator.model.policy import Ignore, Mode, Policy
from orchestrator.model.stack import MAIN, Stack
from orchestrator.rules.axes import Standing
from orchestrator.rules.stillness import decided
from orchestrator.telling.values import text_of

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


def page(explained: Explained, now: float) -> Page:
    """Return the explanation in every form."""
    return Page(
        value=lambda: _value(explained, now),
        records=lambda: [(name, text_of(value, whole=True), place) for name, value, place in explained.settings],
        view=lambda whole: _view(explained, now, whole=whole),
    )


def _view(it: Explained, now: float, *, whole: bool) -> RenderableType:
    parts: list[RenderableType] = [
        Text(it.stack.key.short, style="bold").append(
            f"  {it.stack.tool}  {it.standing.sync.value}, {it.standing.health.value}", style="dim"
        ),
        Text(),
        *_section("asked for", [f"revision {it.desired.revision[:7]}", *(f"changed: {part}" for part in it.changed)]),
        *_section("applied", _applied(it.state)),
        *_section("may approve", it.approvers),
        *_section("waits", _waits(it.desired, now)),
        *_section("trouble", _trouble(it.state)),
        *_section("drift", it.drift),
        Text("settings", style="dim"),
        _settings_table(it.settings, whole=whole),
        Text(),
        Text(f"Next: {next_words(it)}.", style="bold"),
    ]
    return Group(*parts)


def next_words(it: Explained) -> str:
    """Return what is next and why, in one sentence."""
    action = it.action
    until = f" until {stamp(action.until)}" if isinstance(action, Rest) and action.until else ""
    return f"{_NEXT[type(action).__name__]}{until}: {printable(decided(it.stack.key, action))}"


def _section(title: str, lines: Sequence[str]) -> Iterator[Text]:
    if not lines:
        return
    yield Text(title, style="dim")
    for line in lines:
        first, *more = line.splitlines() or [""]
        yield Text(f"  {printable(first)}")
        yield from (Text(f"    {printable(one)}", style="dim") for one in more)


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


def _settings_table(rows: Sequence[tuple[str, Json, str]], *, whole: bool) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for name, value, place in rows:
        shown = text_of(value, whole=whole)
        table.add_row(Text(f"  {printable(name)}"), Text(shown), Text(printable(place), style="dim"))
    return table


def _value(it: Explained, now: float) -> Json:
    until = it.action.until if isinstance(it.action, Rest) else None
    return {
        "stack": it.stack.key.short,
        "key": str(it.stack.key),
        "sync": it.standing.sync.value,
        "health": it.standing.health.value,
        "next": {
            "action": type(it.action).__name__,
            "reason": it.action.reason.value,
            "why": it.action.why,
            "until": stamp(until) if until else None,
        },
        "revision": it.desired.revision,
        "changed": list(it.changed),
        "approvers": list(it.approvers),
        "waits": _waits_value(it.desired, now),
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


def code_page(code: str, entry: Entry) -> Page:
    """Return what an error code means, in every form."""
    return Page(
        value=lambda: {"code": code, "title": entry.title, "meaning": entry.meaning, "remedy": entry.remedy},
        records=lambda: [(code, entry.title, entry.meaning, entry.remedy)],
        view=lambda _: Group(
            Text(f"{code}  {entry.title}", style="bold"),
            Text(f"  {entry.meaning}"),
            Text(f"  {entry.remedy}", style="green"),
        ),
    )
