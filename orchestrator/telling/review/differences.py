"""What each stack of a change would do, attribute by attribute, and why it cannot be done. Pure."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Final

from adapters.contract import AttributeChange, Change, ChangeKind, Json, Plan, Problem
from orchestrator.model.review import Fare, Part, Review
from orchestrator.telling.changes import by_risk
from orchestrator.telling.counts import SYMBOLS, WORDS
from orchestrator.telling.review.escapes import fence, html_code, seen
from orchestrator.telling.review.standing import SIGNS, namer, risk_of, worst_first
from orchestrator.telling.review.table import SENTENCE
from orchestrator.telling.values import before_and_after

#: So many resources of a stack, and attributes of a resource, are in the short form.
_LISTED: Final = 20
_ATTRIBUTES: Final = 8
#: A full diff of so many lines, none of them wider than that, needs no short form.
_SHORT: Final = 30
_WIDE: Final = 160
#: Longer texts are not compared line by line: that takes time with the square of their length.
_COMPARED: Final = 400
_CONTEXT: Final = 3
#: The first lines of a comparison name two files, and there are none.
_NAMES: Final = 2
#: What a forge colours a line by, in a block of the language ``diff``.
_COLOURS: Final = {ChangeKind.CREATE: "+", ChangeKind.DELETE: "-"}
_TROUBLED: Final = {Fare.FAILED: "why it failed", Fare.DENIED: "why it is denied", Fare.UNKNOWN: "what is known of it"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One stack, of which there is more to say than its row in the table."""

    stack: str
    part: Part

    def reasons(self, room: int) -> str | None:
        """Return why it failed or is denied: nothing where that takes more than ``room``, None where it did not."""
        part = self.part
        untold = len(part.why) > SENTENCE or "\n" in part.why or part.problems
        if not untold or not (part.problems or part.fare in _TROUBLED):
            return None
        title = _TROUBLED.get(part.fare, "what the tool says of its files")
        code = f" {html_code(part.code)}" if part.code else ""
        said = f"{SIGNS[risk_of(part)].symbol} {html_code(self.stack)}: {title}{code}"
        lines = _within(_reasons(part), room)
        return f"<details open><summary>{said}</summary>\n\n{fence(lines)}\n\n</details>" if lines else ""

    def brief(self, room: int) -> str | None:
        """Return the attributes that change, as many as one can take in: the full diff, where that is short."""
        plan = self.part.plan
        if plan is None or not _says_something(plan):
            return None
        longer = _is_long(plan)
        lines = _within(_brief(plan) if longer else _whole(plan), room)
        return self._section("changes" if longer else "full diff", lines) if lines else ""

    def whole(self, room: int) -> str | None:
        """Return the full diff: None where `brief` is that already."""
        plan = self.part.plan
        if plan is None or not _is_long(plan):
            return None
        lines = _within(_whole(plan), room)
        return self._section("full diff", lines) if lines else ""

    def _section(self, title: str, lines: Iterable[str]) -> str:
        opening = f"<details><summary>{html_code(self.stack)}: {title}</summary>"
        return f"{opening}\n\n{fence(lines, 'diff')}\n\n</details>"


def stories(review: Review) -> tuple[Story, ...]:
    """Return every stack of which there may be something to say, the worst first."""
    named = namer(review)
    return tuple(Story(stack=named(part.key), part=part) for part in worst_first(review.parts))


def _says_something(plan: Plan) -> bool:
    return bool(plan.changes or plan.outputs_changing or plan.problems)


def _within(lines: Iterable[str], room: int) -> list[str]:
    """Return lines that take no more than ``room``, none where they do; they are not drawn to the end to find out."""
    found = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            return []
        found.append(line)
    return found


def _is_long(plan: Plan) -> bool:
    """Whether the full diff is more than one can take in, and says more than the short form."""
    first = list(islice(_whole(plan), _SHORT + 1))
    if len(first) <= _SHORT and all(len(line) <= _WIDE for line in first):
        return False
    return any(short != long for short, long in zip_longest(_brief(plan), _whole(plan)))


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


def _reasons(part: Part) -> Iterator[str]:
    if part.why and part.fare in _TROUBLED:
        yield from (f"  {line}" for line in seen(part.why).split("\n"))
    for problem in part.problems:
        yield from (f"  {line}" for line in _said(problem))


def _said(problem: Problem) -> Iterator[str]:
    """Yield what a tool says of a file, with the whole detail."""
    yield _flat(str(problem))
    yield from (f"  {line}" for line in seen(problem.detail.strip()).split("\n") if line.strip())


def _flat(text: str) -> str:
    return seen(text).replace("\n", "\\n").replace("\t", "\\t")
