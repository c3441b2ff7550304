"""What is answered to a comment that asks for something: complaints, and help. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.rules.commands import MEANINGS, Complaint, Verb
from orchestrator.telling.review.escapes import code, prose


def complaint(found: Sequence[Complaint]) -> str:
    """Return what is wrong with lines that were meant as commands."""
    return "\n".join(_line(one) for one in found)


def _line(one: Complaint) -> str:
    hint = f"; {prose(one.hint)}" if one.hint else ""
    return f"- {code(one.line)}: {prose(one.why)}{hint}. Nothing was done about it."


def usage() -> str:
    """Return which commands there are."""
    lines = [f"| {code(_form(verb))} | {meaning} |" for verb, meaning in MEANINGS.items()]
    said = "Each on a line of its own; without a stack it is for all that the pull request touches."
    return "\n".join(["| command | does |", "|-|-|", *lines, "", said])


def _form(verb: Verb) -> str:
    return f"holdfast {verb}" if verb is Verb.HELP else f"holdfast {verb} [STACK…] [-e ENV]"
