"""What each stack of a change would do, attribute by attribute, and why it cannot be done. Pure."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from adapters.contract import AttributeChange, Change, ChangeKind, Json, Plan, Problem
from orchestrator.model.review import Fare, Part, Review
from orchestrator.telling.changes import by_risk
from orchestrator.telling.counts import SYMBOLS, WORDS
from orchestrator.telling.review.escapes import fence, html_code, seen
from orchestrator.telling.review.standing import SIGNS, name, risk_of, worst_first
from orchestrator.telling.review.table import SENTENCE
from orchestrator.telling.values import before_and_after

#: So many resources of a stack, and attributes of a resource, are in the short form.
_LISTED: Final = 20
_ATTRIBUTES: Final = 8
#: Longer texts are not compared line by line: that takes time with the square of their length.
_COMPARED: Final = 400
_CONTEXT: Final = 3
#: The first lines of a comparison name two files, and there are none.
_NAMES: Final = 2
#: What a forge colours a line by, in a block of the language ``diff``.
_COLOURS: Final = {ChangeKind.CREATE: "+", ChangeKind.DELETE: "-"}
_TROUBLED: Final = {Fare.FAILED: "why it failed", Fare.DENIED: "why it is denied", Fare.UNKNOWN: "what is known of it"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """What is to be said of one stack below the table, shortest first."""

    stack: str
    #: Why it failed or is denied; empty where it is not.
    reasons: str = ""
    #: Attribute by attribute, as much as one can take in. It is the full diff where that says no more.
    brief: str = ""
    #: Draws the full diff if it takes no more than so many characters, else nothing. None where ``brief`` is all.
    whole: Callable[[int], str] | None = None


def differences(review: Review) -> Iterator[Differences]:
    """Yield what is to be said of each stack, the worst first."""
    for part in worst_first(review.parts):
        found = _differences(review, part)
        if found.reasons or found.brief:
            yield found


def _differences(review: Review, part: Part) -> Differences:
    stack = name(review, part.key)
    reasons = _reasons(stack, part)
    plan = part.plan
    if plan is None or not _lines_exist(plan):
        return Differences(stack=stack, reasons=reasons)
    brief = list(_brief(plan))
    if all(short == long for short, long in zip_longest(brief, _whole(plan))):
        return Differences(stack=stack, reasons=reasons, brief=_section(stack, "full diff", brief))
    return Differences(
        stack=stack,
        reasons=reasons,
        brief=_section(stack, "changes", brief),
        whole=lambda room: _bounded(stack, plan, room),
    )


def _lines_exist(plan: Plan) -> bool:
    return bool(plan.changes or plan.outputs_changing or plan.problems)


def _section(stack: str, title: str, lines: Iterable[str]) -> str:
    return f"<details><summary>{html_code(stack)}: {title}</summary>\n\n{fence(lines, 'diff')}\n\n</details>"


def _bounded(stack: str, plan: Plan, room: int) -> str:
    """Return the full diff, nothing where it is longer than ``room``; it is not drawn to its end to find that out."""
    lines = []
    for line in _whole(plan):
        room -= len(line) + 1
        if room < 0:
            return ""
        lines.append(line)
    return _section(stack, "full diff", lines)


def _brief(plan: Plan) -> Iterator[str]:
    ordered = by_risk(plan.changes)
    for change in ordered[:_LISTED]:
        yield _head(change)
        yield from _few_attributes(change)
    if len(ordered) > _LISTED:
        yield f"# … and {len(ordered) - _LISTED} more"
    yield from _besides(plan)


def _whole(plan: Plan) -> Iterator[str]:
    for change in by_risk(plan.changes):
        yield _head(change)
        for attribute in _sorted(change):
            yield from _whole_attribute(change.kind, attribute)
    yield from _besides(plan)


def _head(change: Change) -> str:
    symbol = "" if change.kind in _COLOURS else f"{SYMBOLS[change.kind]} "
    word = f"  {WORDS[change.kind]}" if change.kind.destructive else ""
    reason = f"  ({_flat(change.reason.replace('_', ' '))})" if change.reason else ""
    return f"{_COLOURS.get(change.kind, '!')} {symbol}{_flat(change.address)}{word}{reason}"


def _besides(plan: Plan) -> Iterator[str]:
    if plan.outputs_changing:
        yield f"# outputs: {', '.join(map(_flat, plan.outputs_changing))}"
    for problem in plan.problems:
        yield from (f"# {line}" for line in _said(problem))


def _sorted(change: Change) -> list[AttributeChange]:
    return sorted(change.attributes, key=lambda one: (not one.forces_replacement, one.path))


def _few_attributes(change: Change) -> Iterator[str]:
    if change.kind in _COLOURS:
        return
    ordered = _sorted(change)
    for attribute in ordered[:_ATTRIBUTES]:
        yield _on_one_line(change.kind, attribute, *before_and_after(attribute))
    if len(ordered) > _ATTRIBUTES:
        yield f"      … and {len(ordered) - _ATTRIBUTES} more attributes"


def _on_one_line(kind: ChangeKind, attribute: AttributeChange, before: str, after: str) -> str:
    both = {ChangeKind.CREATE: after, ChangeKind.DELETE: before}.get(kind, f"{before} → {after}")
    forces = "  forces replacement" if attribute.forces_replacement else ""
    return f"      {_flat(attribute.path)}: {_flat(both)}{forces}"


def _whole_attribute(kind: ChangeKind, attribute: AttributeChange) -> Iterator[str]:
    before, after = attribute.before, attribute.after
    several = any(isinstance(text, str) and "\n" in text for text in (before, after))
    if not several or attribute.sensitive or attribute.computed:
        yield _on_one_line(kind, attribute, *before_and_after(attribute, whole=True))
        return
    forces = "  forces replacement" if attribute.forces_replacement else ""
    yield f"      {_flat(attribute.path)}:{forces}"
    yield from _by_lines(_lines(before), _lines(after))


def _lines(value: Json) -> list[str]:
    if value is None:
        return []
    return seen(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).split("\n")


def _by_lines(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    if max(len(before), len(after)) > _COMPARED:
        yield from (f"-         {line}" for line in before)
        yield from (f"+         {line}" for line in after)
        return
    for number, line in enumerate(difflib.unified_diff(before, after, n=_CONTEXT, lineterm="")):
        if number < _NAMES:
            continue
        yield "          …" if line.startswith("@@") else f"{line[0]}         {line[1:]}"


def _reasons(stack: str, part: Part) -> str:
    title = _TROUBLED.get(part.fare, "what the tool says of its files")
    untold = len(part.why) > SENTENCE or "\n" in part.why or part.problems
    lines = [f"  {line}" for line in seen(part.why).split("\n")] if untold and part.fare in _TROUBLED else []
    lines += [f"  {line}" for problem in part.problems for line in _said(problem)]
    if not lines:
        return ""
    code = f" {html_code(part.code)}" if part.code else ""
    opening = f"<details open><summary>{SIGNS[risk_of(part)].symbol} {html_code(stack)}: {title}{code}</summary>"
    return f"{opening}\n\n{fence(lines)}\n\n</details>"


def _said(problem: Problem) -> Iterator[str]:
    """Yield what a tool says of a file, with the whole detail."""
    yield _flat(str(problem))
    yield from (f"  {line}" for line in seen(problem.detail.strip()).split("\n") if line.strip())


def _flat(text: str) -> str:
    return seen(text).replace("\n", "\\n").replace("\t", "\\t")
