"""What went wrong, told from what the tool said: one error of the contract. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from adapters.ansible.said import Said, Step
from adapters.ansible.texts import message, place
from adapters.contract import Problem, Severity, ToolFailed

_ORIGIN: Final = re.compile(r"Origin: (?P<place>\S.*?:\d+(?::\d+)?)\s*$")
_BEGINS: Final = ("[ERROR]: ", "ERROR! ")
_HOST_KEY: Final = ("host key verification failed", "no matching host key", "remote host identification has changed")


def problems(said: Said, root: str, secrets: frozenset[str]) -> tuple[Problem, ...]:
    """Return what the tool calls errors in the files, with the place that it names; none of the lines it quotes."""
    found: list[Problem] = []
    for text in said.texts:
        origin = _ORIGIN.search(text)
        if text.startswith(_BEGINS):
            found.append(Problem(severity=Severity.ERROR, summary=message(text, secrets)))
        elif origin and found and not found[-1].file:
            file, line = place(origin["place"], root)
            found[-1] = Problem(severity=Severity.ERROR, summary=found[-1].summary, file=file, line=line)
    return tuple(dict.fromkeys(found))


def step_problems(steps: Sequence[Step], root: str, secrets: frozenset[str]) -> Iterator[Problem]:
    """Yield each failed step as a problem with its place."""
    for step in steps:
        file, line = place(step.place, root)
        yield Problem(severity=Severity.ERROR, summary=_sentence(step, secrets), file=file, line=line)


def not_read(found: tuple[Problem, ...], exit_code: int, texts: Sequence[str], secrets: frozenset[str]) -> ToolFailed:
    """Return the error for a playbook that never began."""
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        where = f"{found[0].file}:{found[0].line}: " if found[0].file else ""
        return ToolFailed(
            f"ansible could not begin: {where}{found[0].summary}{more}",
            hint="mend the file, then: holdfast validate",
            problems=found,
        )
    last = message(texts[-1], secrets) if texts else f"it ended with exit code {exit_code}"
    return ToolFailed(f"ansible could not begin: {last}", hint="read the run's log")


def unreachable(said: Said, root: str, secrets: frozenset[str]) -> ToolFailed:
    """Return the error for hosts that did not answer: nothing is known of them, and nothing is called fine."""
    dark = said.dark
    steps = [step for step in said.steps if step.verdict == "unreachable" and step.host in dark]
    why = message(_last_line(str(steps[0].result.get("msg", ""))), secrets) if steps else ""
    key = any(word in str(step.result.get("msg", "")).lower() for step in steps for word in _HOST_KEY)
    hint = (
        "name a known_hosts file with the host's key: keys are always checked"
        if key
        else "see that it is up and that its credentials are granted, then: holdfast plan"
    )
    noun = "host" if len(dark) == 1 else "hosts"
    return ToolFailed(
        f"{len(dark)} {noun} could not be reached: {', '.join(dark)}" + (f": {why}" if why else ""),
        hint=hint,
        problems=tuple(step_problems(steps, root, secrets)),
    )


def failed(steps: Sequence[Step], verb: str, root: str, secrets: frozenset[str]) -> ToolFailed:
    """Return the error for steps that failed."""
    found = tuple(step_problems(steps, root, secrets))
    first = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return ToolFailed(
        f"ansible {verb} failed: {first.file}:{first.line}: {first.summary}{more}",
        hint="mend the task or the host, then: holdfast plan",
        problems=found,
    )


def _sentence(step: Step, secrets: frozenset[str]) -> str:
    text = "its result is hidden by no_log" if step.hidden else str(step.result.get("msg", ""))
    why = message(_last_line(text) if step.verdict == "unreachable" else text, secrets)
    return f"{message(f'{step.host}: {step.name}', secrets)}: {why or step.verdict}"


def _last_line(text: str) -> str:
    """Return the line in which ssh says why: banners and warnings come before it."""
    return next((line for line in reversed(text.splitlines()) if line.strip()), "")
