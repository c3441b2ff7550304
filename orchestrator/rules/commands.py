"""What people ask for in a comment below a pull request: ``holdfast apply web -e prod``. Pure.

A command is a line of its own that begins with ``holdfast`` or ``/holdfast``, in a paragraph that stands by itself.
What is only shown is none: quotes, lists, code, what HTML hides or shows as it is. Where there is room for doubt it is
none: a command that is not seen is written again, one that nobody gave has been obeyed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final, TypeAlias

from markdown_it import MarkdownIt
from markdown_it.token import Token

from orchestrator.nearest import did_you_mean

#: More than this many commands, or stacks in one of them, nobody means.
MOST_COMMANDS: Final = 10
MOST_STACKS: Final = 50
#: In characters. The time to parse brackets that never close grows with the square of their number.
_LONGEST_BODY: Final = 32_768
_LONGEST_LINE: Final = 2_000
_LONGEST_WORD: Final = 200
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_CALL: Final = re.compile(r" {0,3}(/?)(holdfast)(?![\w/.:-])(.*)", re.IGNORECASE | re.DOTALL)
#: A name, ``name@env``, a glob or a selector. No sign with which a sentence ends.
_STACK: Final = re.compile(r"[\w*?\[][\w./*?@:=+\-\[\]]*(?<![.:?=+])")
_ENVIRONMENT: Final = re.compile(r"[\w][\w.-]*")
_BARS: Final = ">>>"
_MARKDOWN: Final = MarkdownIt("commonmark")
_OWN: Final = "<!-- holdfast:pr"


class Verb(StrEnum):
    """What can be asked for."""

    PLAN = "plan"
    APPLY = "apply"
    APPROVE = "approve"
    REJECT = "reject"
    UNLOCK = "unlock"
    HELP = "help"


#: Each with what it does, for whoever asks for help.
MEANINGS: Final[dict[Verb, str]] = {
    Verb.PLAN: "plans the pull request anew, or these stacks of it",
    Verb.APPLY: "applies what is planned and agreed to",
    Verb.APPROVE: "says yes to what is planned",
    Verb.REJECT: "says no to what is planned",
    Verb.UNLOCK: "gives up what the pull request holds, for others to have",
    Verb.HELP: "says this",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One thing asked for."""

    verb: Verb
    #: As they were written: names, ``name@env``, globs. None of them is everything that the pull request touches.
    stacks: tuple[str, ...] = ()
    #: Empty where none was named.
    environment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A line that was meant as a command and is none. All of it is somebody's own text: escape it where it is shown."""

    line: str
    why: str
    #: What to write instead, empty where nobody can know.
    hint: str = ""


Asked: TypeAlias = Command | Complaint


def read(body: str) -> tuple[Asked, ...]:
    """Return what a comment asks for, in its order, each command once. Nobody asks for anything in one of our own."""
    if _OWN in body or not any(_CALL.fullmatch(line) for line in _LINE_END.split(body)):
        return ()
    if len(body) > _LONGEST_BODY:
        return (Complaint(line=_short(body.partition("\n")[0]), why="the comment is too long to look for commands"),)
    found: list[Asked] = []
    for line in _open_lines(body):
        asked = _asked(line)
        if asked is None or asked in found:
            continue
        if len(found) == MOST_COMMANDS:
            return (*found, Complaint(line=_short(line), why=f"more than {MOST_COMMANDS} commands in one comment"))
        found.append(asked)
    return tuple(found)


def _open_lines(body: str) -> Iterator[str]:
    """Yield the lines of paragraphs that stand by themselves: in no quote, list or table, no code, no HTML."""
    lines = _LINE_END.split(body)
    quoted = _quoted_by_bars(lines)
    for opening, token in pairwise(_MARKDOWN.parse(body)):
        if opening.type != "paragraph_open" or opening.level or token.map is None:
            continue
        shown = set(_plain_lines(token.children or []))
        for number in range(*token.map):
            if number not in quoted and lines[number].strip() in shown:
                yield lines[number]


def _quoted_by_bars(lines: Sequence[str]) -> set[int]:
    """Return the lines between ``>>>`` and ``>>>``, which GitLab quotes over empty lines too."""
    bars = [number for number, line in enumerate(lines) if line.strip() == _BARS]
    ends = [*bars[1::2], *([len(lines)] if len(bars) % 2 else [])]
    return {number for start, end in zip(bars[::2], ends, strict=True) for number in range(start, end)}


def _plain_lines(children: Sequence[Token]) -> Iterator[str]:
    """Yield the lines of a paragraph that are text and nothing else, as they were written."""
    line: list[str] | None = []
    for child in [*children, Token("softbreak", "", 0)]:
        if child.type in {"softbreak", "hardbreak"}:
            if line:
                yield "".join(line).strip()
            line = []
        elif line is not None:
            written = _written(child)
            line = None if written is None else [*line, written]


def _written(child: Token) -> str | None:
    """Return the source of a piece of text, None where it is more than text. Two globs may look like an emphasis."""
    if child.type == "text":
        return child.content
    return child.markup if child.type in {"em_open", "em_close", "strong_open", "strong_close"} else None


def _asked(line: str) -> Asked | None:
    call = _CALL.fullmatch(line)
    if call is None:
        return None
    if len(line) > _LONGEST_LINE:
        return Complaint(line=_short(line), why="the line is too long")
    if not line.replace("\t", " ").isprintable():
        return _unseen(line, call[3])
    words = call[3].split()
    if not words:
        return Complaint(line=_short(line), why="no command", hint="holdfast help")
    return _command(line, words, slashed=bool(call[1]))


def _unseen(line: str, rest: str) -> Complaint | None:
    """Complain of signs that nobody sees where a command is meant: what is done must be what people read."""
    words = rest.split()
    if not words or not did_you_mean(words[0].lower(), [one.value for one in Verb]):
        return None
    return Complaint(line=_short(line), why="it holds signs that cannot be seen", hint="write it anew by hand")


def _verb(word: str) -> Verb | None:
    return next((verb for verb in Verb if verb.value == word.lower()), None)


def _command(line: str, words: Sequence[str], *, slashed: bool) -> Asked | None:
    verb = _verb(words[0])
    if verb is None:
        hint = did_you_mean(words[0].lower(), [one.value for one in Verb])
        # Without a verb it is perhaps a sentence about us.
        complaint = Complaint(line=_short(line), why=f'no command "{_short(words[0])}"', hint=hint or "holdfast help")
        return complaint if slashed or hint else None
    return _with_words(line, verb, words[1:])


def _with_words(line: str, verb: Verb, words: Sequence[str]) -> Asked:
    stacks: list[str] = []
    environments: list[str] = []
    rest = iter(words)
    for word in rest:
        if word.startswith("-"):
            environment = _environment(word, rest)
            if not environment:
                return Complaint(line=_short(line), why=f'"{_short(word)}" makes no sense here', hint="-e ENV")
            environments.append(environment)
        elif _STACK.fullmatch(word) and len(word) <= _LONGEST_WORD:
            stacks.append(word)
        else:
            return Complaint(line=_short(line), why=f'"{_short(word)}" is no name of a stack')
    return _whole(line, verb, tuple(dict.fromkeys(stacks)), tuple(dict.fromkeys(environments)))


def _environment(word: str, rest: Iterator[str]) -> str:
    """Return the environment that an option names, empty where the option is another or the name is none."""
    option, equals, value = word.partition("=")
    if option not in {"-e", "--environment"}:
        return ""
    named = value if equals else next(rest, "")
    return named if _ENVIRONMENT.fullmatch(named) and len(named) <= _LONGEST_WORD else ""


def _whole(line: str, verb: Verb, stacks: tuple[str, ...], environments: tuple[str, ...]) -> Asked:
    if len(environments) > 1:
        return Complaint(line=_short(line), why="two environments in one command", hint="a line for each")
    if len(stacks) > MOST_STACKS:
        return Complaint(line=_short(line), why=f"more than {MOST_STACKS} stacks in one command")
    environment = environments[0] if environments else ""
    others = [stack for stack in stacks if "@" in stack and not stack.endswith(f"@{environment}")]
    if environment and others:
        return Complaint(line=_short(line), why=f'"{_short(others[0])}" is not in the environment {environment}')
    return Command(verb=verb, stacks=stacks, environment=environment)


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= _LONGEST_WORD else f"{text[: _LONGEST_WORD - 1]}…"
