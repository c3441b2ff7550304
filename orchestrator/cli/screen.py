"""Where output goes: what was asked for to stdout, everything else to stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

import click

from adapters.contract import Json
from orchestrator.cli.options import Form, Wish
from orchestrator.cli.printable import one_line, printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

#: Width off a terminal: wide enough that no table folds a line that a program reads.
_FREE_WIDTH = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a command found, in each form that it can be printed in. Only the form asked for is built."""

    #: For ``-o json`` and ``-o yaml``: documented in docs/json.md and stable.
    value: Callable[[], Json]
    #: For ``--plain``: one record each, words instead of symbols.
    records: Callable[[], Sequence[Sequence[str]]]
    #: For people; True asks for everything (``-o wide``).
    view: Callable[[bool], RenderableType]
    #: The same where no terminal is: a long table is laid out in a tenth of the time. None takes ``view``.
    text: Callable[[bool], str] | None = None
    #: Forms that only this page has.
    more: Mapping[Form, Callable[[], str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """The terminal, or what stands in its place."""

    form: Form
    #: None asks the stream.
    color: bool | None
    #: Whether a person can be asked something.
    interactive: bool

    @property
    def for_people(self) -> bool:
        """Whether output is read by eyes and not by a program."""
        return self.form in {Form.TABLE, Form.WIDE}

    def emit(self, page: Page) -> None:
        """Print what was found on stdout, in the form asked for."""
        match self.form:
            case Form.JSON:
                _write(_json(page.value()))
            case Form.YAML:
                _write(_yaml(page.value()))
            case Form.PLAIN:
                _write("".join("\t".join(map(one_line, record)) + "\n" for record in page.records()))
            case Form.GITHUB | Form.SARIF:
                _write(page.more[self.form]())
            case Form.TABLE | Form.WIDE if page.text and not sys.stdout.isatty():
                _write(page.text(self.form is Form.WIDE))
            case Form.TABLE | Form.WIDE:
                self.console(sys.stdout).print(page.view(self.form is Form.WIDE))

    def did(self, value: Mapping[str, Json], *words: str) -> None:
        """Tell what was done: in words to people, on stderr; as one document to programs, on stdout."""
        match self.form:
            case Form.JSON:
                _write(_json(dict(value)))
            case Form.YAML:
                _write(_yaml(dict(value)))
            case Form.PLAIN:
                _write("".join(one_line(text) + "\n" for text in words))
            case _:
                for text in words:
                    self.say(text)

    def say(self, text: str = "") -> None:
        """Print a message for people on stderr."""
        sys.stdout.flush()
        click.echo(printable(text), err=True)

    def notice(self, title: str, text: str) -> None:
        """Say something that is no failure: beside the run where a workflow's log is read, else like `say`."""
        if self.form is Form.GITHUB:
            from orchestrator.model.verdict import Annotation, Severity  # noqa: PLC0415 -- only for this form
            from orchestrator.telling.review.annotations import commands  # noqa: PLC0415 -- likewise

            _write(commands([Annotation(severity=Severity.NOTICE, title=title, message=text)]))
        else:
            self.say(f"note {title}: {text}")

    def next(self, *commands: str) -> None:
        """Suggest what to type next; programs are not bothered with it."""
        if self.for_people and commands:
            self.say("Next:  " + "\n       ".join(commands))

    def console(self, stream: TextIO) -> Console:
        """Return a console for one stream; animation and colour only where a person looks at it."""
        from rich.console import Console  # noqa: PLC0415 -- programs that read JSON need none of it

        terminal = stream.isatty()
        return Console(
            file=stream,
            force_terminal=terminal and self.color is not False,
            no_color=self.color is False,
            width=None if terminal else _FREE_WIDTH,
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=not terminal,
        )


def screen_for(wish: Wish) -> Screen:
    """Return the screen that fits what was asked for and who looks."""
    asked = sys.stdin.isatty() and sys.stderr.isatty() and not wish.no_input
    return Screen(form=wish.form, color=wish.color, interactive=asked)


def _json(value: Json) -> str:
    import json  # noqa: PLC0415 -- only for this form

    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _yaml(value: Json) -> str:
    import yaml  # noqa: PLC0415 -- likewise

    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True))


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
