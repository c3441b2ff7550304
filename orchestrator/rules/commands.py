"""What people ask for in a comment below a pull request: ``holdfast apply web -e prod``. Pure.

A command is a line of its own that begins with ``holdfast`` or ``/holdfast``, at most three blanks in. What is only
shown is none: quotes, blocks of code, what HTML hides or shows as it is. Where markdown leaves room for doubt, it is
none: a command that is not seen is written again, one that nobody gave has been obeyed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from orchestrator.nearest import did_you_mean

#: More than this many commands, or stacks in one of them, nobody means.
MOST_COMMANDS: Final = 10
MOST_STACKS: Final = 50
_LONGEST_LINE: Final = 2_000
_LONGEST_WORD: Final = 200
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_CALL: Final = re.compile(r" {0,3}(/?)(holdfast)(?![\w/.:-])(.*)", re.IGNORECASE | re.DOTALL)
#: A name, ``name@env``, a glob or a selector. No sign with which a sentence ends.
_STACK: Final = re.compile(r"[\w*?\[][\w./*?@:=+\-\[\]]*(?<![.:?=+])", re.ASCII)
_ENVIRONMENT: Final = re.compile(r"[\w][\w.-]*", re.ASCII)
_FENCE: Final = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_QUOTE: Final = re.compile(r" {0,3}>")
#: HTML that markdown leaves as it is, to the end that is named; and a comment, which nobody sees.
_RAW: Final = re.compile(r"<(?:(!--)|(pre|script|style|textarea|code|blockquote)\b)", re.IGNORECASE)
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
    if _OWN in body:
        return ()
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
    """Yield the lines that are neither quoted nor code nor inside of raw HTML."""
    fence = raw = ""
    quoted = False
    for line in _LINE_END.split(body):
        if fence:
            fence = "" if _closes(line, fence) else fence
            continue
        if raw:
            raw = "" if raw in line.lower() else raw
            continue
        found = _FENCE.match(line)
        if found:
            fence, quoted = found[1], False
            continue
        # A paragraph that a quote begins goes on to the next blank line, also where the mark is left out.
        quoted = bool(_QUOTE.match(line)) or (quoted and bool(line.strip()))
        if quoted:
            continue
        raw = _opened(line)
        if not raw:
            yield line


def _closes(line: str, fence: str) -> bool:
    bare = line.strip(" \t")
    indented = len(line) - len(line.lstrip(" "))
    return indented <= _INDENT and len(bare) >= len(fence) and not bare.strip(fence[0])


_INDENT: Final = 3


def _opened(line: str) -> str:
    """Return what ends the raw HTML that a line leaves open, empty where it leaves none."""
    lowered = line.lower()
    at = 0
    while found := _RAW.search(lowered, at):
        end = "-->" if found[1] else f"</{found[2]}>"
        at = lowered.find(end, found.end())
        if at < 0:
            return end
    return ""


def _asked(line: str) -> Asked | None:
    call = _CALL.fullmatch(line)
    if call is None:
        return None
    meant = bool(call[1])
    if len(line) > _LONGEST_LINE:
        return Complaint(line=_short(line), why="the line is too long")
    if not line.isascii() or not line.replace("\t", " ").isprintable():
        return _unreadable(line, call[3], meant=meant)
    words = call[3].split()
    if not words:
        return Complaint(line=_short(line), why="no command", hint="holdfast help")
    return _command(line, words, meant=meant or call[2] == "holdfast")


def _unreadable(line: str, rest: str, *, meant: bool) -> Complaint | None:
    """Complain of signs that look like others, or like nothing, where a command is meant; a sentence may hold any."""
    words = rest.split()
    if not meant and not (words and _verb(words[0])):
        return None
    return Complaint(line=_short(line), why="signs that are not on a plain keyboard", hint="write it anew by hand")


def _verb(word: str) -> Verb | None:
    return next((verb for verb in Verb if verb.value == word.lower()), None)


def _command(line: str, words: Sequence[str], *, meant: bool) -> Asked | None:
    verb = _verb(words[0])
    if verb is None:
        hint = did_you_mean(words[0].lower(), [one.value for one in Verb])
        # Without a verb it is perhaps a sentence about us.
        return (
            Complaint(line=_short(line), why=f'no command "{_short(words[0])}"', hint=hint) if meant and hint else None
        )
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
