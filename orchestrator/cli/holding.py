"""Holds: a stack kept at an earlier revision, or kept down. Set before the plan, undone where nothing comes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from adapters.contract import AdapterError, Json
from orchestrator.cli.asking import Asker, Unanswered, words_for
from orchestrator.cli.flow import Result, Wanted, carry_out
from orchestrator.cli.place import Place
from orchestrator.cli.screen import Screen
from orchestrator.cli.suggesting import Suggesting, after_apply
from orchestrator.engine.acts.holds import UNPLANNED, Holding, Target, down
from orchestrator.engine.reads import NoShell
from orchestrator.errors import EXIT_INTERRUPTED, Denied, OrchestratorError, UsageError
from orchestrator.model.stack import StackKey
from orchestrator.rules.stillness import held_at
from orchestrator.telling.rows import Mark, Row


class Holder(Suggesting, Protocol):
    """Where it is told what is held."""

    @property
    def screen(self) -> Screen:
        """The terminal, or what stands in its place."""


def take_down(place: Place, wanted: Wanted) -> Result:
    """Plan the destruction of each stack, ask, do it, and hold it down. Raises UsageError where nothing is there."""
    targets = down(place.outside, wanted.keys, wanted.reason)
    for key in targets:
        _check_destroys(place, key)
    return held(place, wanted, targets)


def _check_destroys(place: Place, key: StackKey) -> None:
    """Raise UsageError where the stack's tool cannot take down what it made; one without files is left to its plan."""
    stack = place.stacks.get(key)
    if stack is None:
        return
    try:
        settings: dict[str, Json] = {**stack.settings, "path": str(stack.path), "tool": stack.tool}
        destroys = place.outside.adapters.build(stack, settings, NoShell()).traits.destroys
    except (AdapterError, OrchestratorError):
        # What is wrong with it is for the plan to tell.
        return
    if not destroys:
        hint = "have its files remove what they made, and apply that; then take it out of stacks.yaml"
        raise UsageError(f"{key.short}: {stack.tool} cannot take down what it made", code="HF-1922", hint=hint)


def held(place: Place, wanted: Wanted, targets: Mapping[StackKey, Target]) -> Result:
    """Hold each stack at its target, carry out, and put back the hold of each that nobody let go ahead.

    And of each that could not be planned: it must not stay held where it cannot be.
    """
    holding = Holding(outside=place.outside, source=place.reading.source, caller=place.caller, targets=targets)
    whole = False
    try:
        holding.hold()
        result = carry_out(place, replace(wanted, undo=holding.undo))
        whole = result.exit_code != EXIT_INTERRUPTED
    finally:
        # Somebody pressed Ctrl-C or typed a wrong name: nothing may stay half decided.
        if not whole:
            holding.undo()
    if whole:
        tell_unplanned(place.screen, holding.put_back_unplanned(result.rows))
    for key in result.refused:
        holding.put_back(key)
    kept = [row.key for row in result.rows if row.key not in result.refused]
    states = {key: place.outside.record.row(str(key)).state for key in kept}
    still = {key: held_at(key, state) for key, state in states.items()}
    tell_held(place, result, {key.short: "; ".join(one.words) for key, one in still.items() if one})
    _tell_refused(place, result)
    return result


def _tell_refused(place: Place, result: Result) -> None:
    tell_refused(place, [row for row in result.rows if row.key in result.refused])


def tell_unplanned(screen: Screen, keys: Iterable[StackKey]) -> None:
    """Say of which stacks the hold was put back, as no plan could be made of them."""
    for key in keys:
        screen.say(f"{key.short} stays as it was: {UNPLANNED}")


def tell_held(place: Holder, result: Result, held: Mapping[str, str]) -> None:
    """Say which stacks are held now, and what to type: what tells more, and what ends the hold."""
    for name, words in held.items():
        place.screen.say(f"{name} is {words}")
    rows = [row for row in result.rows if row.key not in result.refused]
    ends = [place.command("resume", *held)] if held else []
    more = after_apply(place, rows, result.run, ()) if result.exit_code else []
    place.screen.next(*more, *ends)


def tell_refused(place: Asker, rows: Sequence[Row]) -> None:
    """Raise Denied or Unanswered for stacks that stay as they were."""
    for row in rows:
        if row.mark is not Mark.CHANGES:
            raise Denied(f"{row.key.short} stays as it was: {row.why}", hint=f"holdfast explain {row.key.short}")
    if rows:
        names = ", ".join(row.key.short for row in rows)
        hint = "" if place.screen.interactive else f"say it beforehand: {' '.join(words_for(place, rows))}"
        raise Unanswered(f"without a yes {names} stays as it was", hint=hint)
