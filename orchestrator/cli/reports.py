"""What a command leaves for the build service that runs it: a summary, outputs for later steps, a comment."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import click

from adapters.contract import AdapterError
from orchestrator.cli.options import Form, wish_of
from orchestrator.errors import ConfigError, OrchestratorError, UsageError
from orchestrator.model.review import Review

if TYPE_CHECKING:
    from orchestrator.cli.place import Place
    from orchestrator.cli.show_drift import Row as DriftRow
    from orchestrator.telling.rows import Row

_F = TypeVar("_F", bound=Callable[..., Any])
#: What a later step can be told.
Output: TypeAlias = str | bool | int | Sequence[str]
_FILE = click.Path(dir_okay=False, path_type=Path)


def report_options(function: _F) -> _F:
    """Add ``--summary FILE`` and ``--outputs FILE``; they end up in one argument, ``reports``."""
    outputs = click.option("--outputs", metavar="FILE", type=_FILE, help="Add what later steps of a workflow ask for.")
    summary = click.option("--summary", metavar="FILE", type=_FILE, help="Write what was found as Markdown.")
    return summary(outputs(function))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """Where to leave what; None where nobody asked."""

    summary: Path | None = None
    outputs: Path | None = None
    #: At the forge, below the pull request that a workflow is about, and as issues.
    comment: bool = False
    issues: bool = False

    def refuse_far(self) -> None:
        """Raise UsageError (HF-1915) where something is to be left here of what a service on another host does."""
        if self.summary or self.outputs or self.comment or self.issues:
            raise UsageError(
                "what a run of a build service leaves is of the work that is done here, and none is",
                code="HF-1915",
                hint="unset HOLDFAST_URL to work on this host",
            )

    def of_rows(self, place: Place, rows: Sequence[Row], run: int, more: Mapping[str, str]) -> None:
        """Leave what became of stacks in a run; ``more`` are further outputs."""
        from orchestrator.cli.reviewing import review_of  # noqa: PLC0415 -- seldom asked for
        from orchestrator.telling.rows import Mark  # noqa: PLC0415 -- likewise

        self.review(lambda: review_of(place, rows, run))
        changing = [row.key.short for row in rows if row.mark in {Mark.CHANGES, Mark.APPLIED}]
        self.tell({"changes": bool(changing), "stacks": changing, "run-id": run, **more})
        if self.comment:
            from orchestrator.cli.at_forge import write_comment  # noqa: PLC0415 -- likewise

            write_comment(place.screen, place.world.source.id, review_of(place, rows, run))

    def of_drift(self, place: Place, rows: Sequence[DriftRow]) -> None:
        """Leave what was found to differ."""
        if self.summary:
            from orchestrator.cli.drift_summary import summary  # noqa: PLC0415 -- seldom asked for

            self.text(summary(rows, place.reading.revision.short))
        drifted = [row.key.short for row in rows if row.items]
        self.tell({"changes": bool(drifted), "stacks": drifted})
        if self.issues:
            from orchestrator.cli.at_forge import write_issues  # noqa: PLC0415 -- likewise

            write_issues(place, rows)

    def review(self, make: Callable[[], Review]) -> None:
        """Write the summary of a review, which is made only where somebody asked for it."""
        if self.summary:
            from orchestrator.telling.review.sheet import Sheet  # noqa: PLC0415 -- seldom asked for
            from orchestrator.telling.review.summary import summary  # noqa: PLC0415 -- likewise

            self.text(summary(make(), Sheet()))

    def text(self, markdown: str) -> None:
        """Write the summary."""
        if self.summary:
            self.summary.write_text(markdown, "utf-8", "replace")

    def tell(self, values: Mapping[str, Output]) -> None:
        """Add outputs, one line each: ``name=value``, lists as JSON."""
        if self.outputs:
            with self.outputs.open("a", encoding="utf-8") as file:
                file.writelines(f"{name}={_word(value)}\n" for name, value in values.items())

    @contextmanager
    def failing(self, ctx: click.Context) -> Iterator[None]:
        """Have what stops the command be told there, too, where nothing else will be."""
        try:
            yield
        except (OrchestratorError, AdapterError) as error:
            if wish_of(ctx).form is Form.GITHUB:
                click.echo(_annotations(error), nl=False)
            self._stopped(ctx, error)
            raise

    def _stopped(self, ctx: click.Context, error: OrchestratorError | AdapterError) -> None:
        from orchestrator.cli.reviewing import pull_here  # noqa: PLC0415 -- only a failure pays for it

        pull = pull_here()
        review = Review(pull=pull, revision=pull.head if pull else "", trouble=error.message, code=error.code)
        self.review(lambda: review)
        if self.comment and pull and not pull.fork:
            from orchestrator.cli.at_forge import write_comment  # noqa: PLC0415 -- likewise
            from orchestrator.cli.place import screen_of, sought  # noqa: PLC0415 -- likewise

            # What was planned of an earlier commit must not be taken for this one's.
            with suppress(OrchestratorError):
                write_comment(screen_of(ctx), sought(wish_of(ctx))[1].source.id, review)


def _word(value: Output) -> str:
    """Return a value on one line: what follows a line's end would be another output."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value).replace("\r", " ").replace("\n", " ")
    return json.dumps(list(value))


def _annotations(error: OrchestratorError | AdapterError) -> str:
    from orchestrator.cli.show_problems import github, of_error  # noqa: PLC0415 -- only a failure pays for it

    if not isinstance(error, ConfigError):
        error = ConfigError(error.message, code=error.code, hint=error.hint, where=getattr(error, "where", ""))
    return github(of_error(error))
