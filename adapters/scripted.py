"""Shells without a tool behind them: one answers from a script, one forbids running at all.

For tests of an adapter's own lines. That it drives its tool rightly only the tool can say: see ``conformance``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from adapters.contract import Command, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the scripted tool does when it is called the way ``words`` say."""

    #: Words that must be on the command line after the program, in this order, others between them allowed.
    words: tuple[str, ...]
    stdout: str = ""
    stderr: str = ""
    exit_code: int = 0
    #: Called before the answer is given: writes the files that the tool would write.
    effect: Callable[[Command], None] | None = None

    def fits(self, command: Command) -> bool:
        """Say whether this answers ``command``."""
        rest = iter(command.argv[1:])
        return all(word in rest for word in self.words)


@dataclass(slots=True, kw_only=True)
class ScriptedShell:
    """Answers each command with the first answer left that fits, and keeps what it was told."""

    answers: list[Answer]
    commands: list[Command] = field(default_factory=list)
    concealed: set[str] = field(default_factory=set)
    reported: list[str] = field(default_factory=list)

    def run(self, command: Command, on_line: Callable[[str], None] | None = None) -> Result:
        """Answer from the script; raises AssertionError where nothing in it fits."""
        self.commands.append(command)
        answer = next((answer for answer in self.answers if answer.fits(command)), None)
        if answer is None:
            raise AssertionError(f"the script has no answer to: {' '.join(command.argv)}")
        self.answers.remove(answer)
        if answer.effect is not None:
            answer.effect(command)
        for line in answer.stdout.splitlines():
            if on_line is not None:
                on_line(line)
        return Result(exit_code=answer.exit_code, stdout=answer.stdout.encode(), stderr=answer.stderr.encode())

    def conceal(self, values: Iterable[str]) -> None:
        """Keep the values for the test to look at."""
        self.concealed.update(values)

    def report(self, line: str) -> None:
        """Keep the line for the test to look at."""
        self.reported.append(line)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForbiddingShell:
    """A shell for what must not start anything: building an adapter, reading its settings or a tree."""

    def run(self, command: Command, on_line: Callable[[str], None] | None = None) -> Result:  # noqa: ARG002 - the port's
        """Raise AssertionError."""
        raise AssertionError(f"nothing may run here, yet: {' '.join(command.argv)}")

    def conceal(self, values: Iterable[str]) -> None:
        """Take the values: hiding something is never forbidden."""

    def report(self, line: str) -> None:
        """Take the line."""
