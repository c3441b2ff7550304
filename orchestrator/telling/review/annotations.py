"""What is said beside the lines of a change: as values for checks, and as workflow commands of GitHub Actions. Pure.

The escapes are those of the toolkit: https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import adapters.contract as tools
from adapters.contract import Problem
from orchestrator.model.review import Fare, Part, Review
from orchestrator.model.verdict import Annotation, Severity
from orchestrator.telling.printable import printable
from orchestrator.telling.review.standing import namer, worst_first

#: GitHub shows so many of each kind for a step, and drops the rest.
MOST: Final = 10
#: What a check takes (https://docs.github.com/en/rest/checks/runs): 255 characters, and 64 KiB which nobody would read.
_TITLE: Final = 255
_MESSAGE: Final = 4_000
#: The shortest word that can keep a runner from obeying what a tool prints, in characters.
_TOKEN: Final = 16
_SEVERITIES: Final = {
    tools.Severity.ERROR: Severity.FAILURE,
    tools.Severity.WARNING: Severity.WARNING,
    tools.Severity.NOTE: Severity.NOTICE,
}
_KINDS: Final = {Severity.FAILURE: "error", Severity.WARNING: "warning", Severity.NOTICE: "notice"}
_TROUBLED: Final = {
    Fare.FAILED: "failed",
    Fare.DENIED: "denied",
    Fare.UNKNOWN: "nobody knows how it ended",
}


def beside_lines(review: Review, *, quiet: bool = False) -> tuple[Annotation, ...]:
    """Return what is to be said, the worst first; ``quiet`` leaves out what tools and rules say in their own words."""
    found = [_of_problem(problem, "", review.code) for problem in review.problems]
    if review.trouble and not review.problems:
        found.append(_annotation(Severity.FAILURE, review.code or "holdfast", review.trouble))
    named = namer(review)
    for part in worst_first(review.parts):
        found += _of_part(named(part.key), part)
    ordered = sorted(dict.fromkeys(found), key=lambda one: _rank(one.severity))
    return tuple(_hushed(one) for one in ordered) if quiet else tuple(ordered)


def _rank(severity: Severity) -> int:
    return list(Severity).index(severity)


def _of_part(stack: str, part: Part) -> Iterable[Annotation]:
    problems = [*part.problems, *(part.plan.problems if part.plan else ())]
    said = [_of_problem(problem, stack, part.code) for problem in problems]
    yield from said
    if part.fare in _TROUBLED and not any(one.severity is Severity.FAILURE and one.file for one in said):
        because = f": {part.why}" if part.why else ""
        yield _annotation(Severity.FAILURE, part.code or "holdfast", f"{stack} {_TROUBLED[part.fare]}{because}")


def _of_problem(problem: Problem, stack: str, code: str) -> Annotation:
    whose = f"{stack}: " if stack else ""
    detail = f"\n{problem.detail.strip()}" if problem.detail.strip() else ""
    severity = _SEVERITIES[problem.severity]
    title = code if code and severity is Severity.FAILURE else "holdfast"
    return _annotation(severity, title, f"{whose}{problem.summary}{detail}", file=problem.file, line=problem.line)


def _annotation(severity: Severity, title: str, message: str, *, file: str = "", line: int = 0) -> Annotation:
    return Annotation(
        severity=severity,
        title=_clipped(title, _TITLE),
        message=_clipped(message, _MESSAGE),
        file=printable(file).replace("\n", "\\n"),
        line=max(line, 0),
    )


def _clipped(text: str, longest: int) -> str:
    text = printable(text[: longest + 1])
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _hushed(one: Annotation) -> Annotation:
    return Annotation(
        severity=one.severity,
        title=one.title,
        message="see the plan for what is said here",
        file=one.file,
        line=one.line,
        column=one.column,
    )


def commands(found: Iterable[Annotation], *, more_in: str = " in the summary") -> str:
    """Return the lines that have a runner show these: ten errors, ten warnings, and how many there are beside them."""
    every = list(found)
    shown: list[str] = []
    for severity in Severity:
        # What is said of the rest is a notice itself.
        most = MOST - 1 if severity is Severity.NOTICE else MOST
        shown += [command(one) for one in every if one.severity is severity][:most]
    left = len(every) - len(shown)
    if left:
        shown.append(f"::notice title=holdfast::{_payload(f'and {left} more{more_in}')}")
    return "".join(f"{line}\n" for line in shown)


def command(one: Annotation) -> str:
    """Return one workflow command."""
    known = {"file": one.file, "line": one.line, "col": one.column, "title": one.title}
    properties = ",".join(f"{key}={_property(str(value))}" for key, value in known.items() if value)
    return f"::{_KINDS[one.severity]} {properties}::{_payload(one.message)}"


def _payload(text: str) -> str:
    """Return text as what a command says: nothing in it ends the command or begins another."""
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _payload(text).replace(":", "%3A").replace(",", "%2C")


def grouped(title: str, lines: Sequence[str], token: str) -> str:
    """Return output of a tool in a group that folds, in which no workflow command counts.

    A runner obeys ``::add-mask::`` and its like where a line of a log begins with them, and ``##[…]`` anywhere in it.
    Between ``::stop-commands::TOKEN`` and ``::TOKEN::`` it obeys none. ``token`` is drawn anew, at random, for each
    group and only after the output is there: what cannot know it cannot end the silence. Raises ValueError where the
    output holds it, or it is too weak.
    """
    if len(token) < _TOKEN or not token.isalnum():
        raise ValueError("a token of at least sixteen letters and digits is needed")
    if any(token in line for line in lines):
        raise ValueError("the output holds the token")
    shown = [printable(line).replace("\n", "\\n") for line in lines]
    silent = [f"::stop-commands::{token}", *shown, f"::{token}::"]
    return "\n".join([f"::group::{_payload(title)}", *silent, "::endgroup::", ""])
