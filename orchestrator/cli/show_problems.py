"""What is wrong with the files: for people, for programs, for GitHub and for code scanning."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.text import Text

import orchestrator
from adapters.contract import Json, Problem, Severity
from orchestrator.cli.options import Form
from orchestrator.cli.printable import printable
from orchestrator.cli.screen import Page
from orchestrator.errors import ConfigError
from orchestrator.model import verdict
from orchestrator.model.verdict import Annotation
from orchestrator.telling.review.annotations import commands

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}
_GITHUB = {
    Severity.ERROR: verdict.Severity.FAILURE,
    Severity.WARNING: verdict.Severity.WARNING,
    Severity.NOTE: verdict.Severity.NOTICE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to say about one place."""

    severity: Severity
    code: str
    message: str
    hint: str = ""
    file: str = ""
    line: int = 0
    column: int = 0

    @property
    def place(self) -> str:
        """``file:line:column``, as far as it is known."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part)


def of_error(error: ConfigError, severity: Severity = Severity.ERROR) -> list[Finding]:
    """Return a finding for an error and for each that came with it."""
    return [_one(one, severity) for one in (error, *error.others)]


def _one(error: ConfigError, severity: Severity) -> Finding:
    file, line, column = _place(error.where)
    return Finding(
        severity=severity,
        code=error.code,
        message=error.message,
        hint=error.hint,
        file=file,
        line=line,
        column=column,
    )


def _place(where: str) -> tuple[str, int, int]:
    parts = where.split(":")
    numbers = [int(part) for part in parts[1:3] if part.isdigit()]
    return parts[0], numbers[0] if numbers else 0, numbers[1] if len(numbers) > 1 else 0


def of_problem(problem: Problem, stack: str) -> Finding:
    """Return a finding for what a tool said about a stack's files."""
    detail = f": {problem.detail.splitlines()[0]}" if problem.detail else ""
    return Finding(
        severity=problem.severity,
        code="HF-2004",
        message=f"{stack}: {problem.summary}{detail}",
        file=problem.file,
        line=problem.line,
    )


def page(findings: Sequence[Finding], stacks: int) -> Page:
    """Return the findings in every form; ``stacks`` is how many were read."""
    return Page(
        value=lambda: {"stacks": stacks, "findings": [_value(one) for one in findings], "errors": errors(findings)},
        records=lambda: [(one.place, one.severity.value, one.code, one.message, one.hint) for one in findings],
        view=lambda _: _view(findings, stacks),
        more={
            Form.GITHUB: lambda: github(findings),
            Form.SARIF: lambda: json.dumps(sarif(findings), indent=2) + "\n",
        },
    )


def errors(findings: Sequence[Finding]) -> int:
    """Return how many of the findings are errors."""
    return sum(one.severity is Severity.ERROR for one in findings)


def _view(findings: Sequence[Finding], stacks: int) -> RenderableType:
    lines = []
    for one in findings:
        line = Text(f"{printable(one.place)}  " if one.place else "")
        line.append(one.severity.value, style=_STYLES[one.severity]).append(f" {one.code}  {printable(one.message)}")
        lines.append(line.append(f"; {printable(one.hint)}" if one.hint else "", style="dim"))
    wrong = errors(findings)
    totals = (
        f"{wrong} error{'' if wrong == 1 else 's'}."
        if wrong
        else f"{stacks} stack{'' if stacks == 1 else 's'}, no errors."
    )
    return Group(*lines, Text(totals, style="bold"))


def github(findings: Sequence[Finding]) -> str:
    """Return workflow commands that GitHub shows beside the lines, the worst first."""
    return commands((_annotation(one) for one in findings), more_in="")


def _annotation(one: Finding) -> Annotation:
    return Annotation(
        severity=_GITHUB[one.severity],
        title=one.code,
        message=f"{one.message}; {one.hint}" if one.hint else one.message,
        file=one.file,
        line=one.line,
        column=one.column,
    )


def sarif(findings: Sequence[Finding]) -> Json:
    """Return a SARIF 2.1.0 log (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html)."""
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "holdfast", "version": orchestrator.__version__}},
                "results": [_result(one) for one in findings],
            }
        ],
    }


def _result(one: Finding) -> Json:
    region: dict[str, Json] = {"startLine": max(one.line, 1)}
    if one.column:
        region["startColumn"] = one.column
    text = f"{one.message}; {one.hint}" if one.hint else one.message
    result: dict[str, Json] = {"ruleId": one.code, "level": one.severity.value, "message": {"text": text}}
    if one.file:
        place: Json = {"physicalLocation": {"artifactLocation": {"uri": one.file}, "region": region}}
        result["locations"] = [place]
    return result


def _value(one: Finding) -> Json:
    return {
        "severity": one.severity.value,
        "code": one.code,
        "message": one.message,
        "hint": one.hint,
        "file": one.file,
        "line": one.line,
        "column": one.column,
    }
