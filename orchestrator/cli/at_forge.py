"""What a command writes at GitHub when a workflow runs it: a comment below the pull request, issues about drift."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import quote

from orchestrator.cli.drift_summary import section
from orchestrator.cli.place import Place
from orchestrator.cli.screen import Screen
from orchestrator.cli.show_drift import Row
from orchestrator.effects.forge_github import WORKFLOW_LOGIN, GitHub
from orchestrator.effects.forge_issues import GitHubIssues
from orchestrator.effects.workflow import Workflow, workflow_of
from orchestrator.errors import ForgeError, UsageError
from orchestrator.model.pull import MARK
from orchestrator.model.review import Review
from orchestrator.model.stack import StackKey
from orchestrator.telling.review.comment import comment, marker
from orchestrator.telling.review.escapes import code, link
from orchestrator.telling.review.sheet import Sheet

#: What lets us write, the first that is there.
_TOKENS: Final = ("HOLDFAST_FORGE_TOKEN", "GITHUB_TOKEN")
#: By which login a token of another App writes: nobody can ask it.
_LOGIN: Final = "HOLDFAST_FORGE_LOGIN"
#: What the tokens of workflows and Apps begin with.
_INSTALLED: Final = "ghs_"


def write_comment(screen: Screen, source: str, review: Review) -> None:
    """Keep our comment below the pull request up to date; what GitHub refuses is a notice, and no failure.

    Raises UsageError (HF-1622) where nothing says which pull request, or nothing lets us write.
    """
    work, token = _here("--comment")
    pull = review.pull
    if pull is None:
        screen.say("note: this run is about no pull request, so there is none to comment on")
        return
    text = comment(review, Sheet(source=source))

    def write() -> None:
        forge = GitHub(work.repository, lambda: token, api=work.api, login=_login(token))
        try:
            # A run that began earlier may end later: it must not take back what is newer.
            if forge.pull(pull.number).head != pull.head:
                screen.say("note: the pull request has a newer commit by now: no comment on this one")
                return
            forge.say(pull.number, text, marker=marker(source))
        finally:
            forge.close()

    _tried(screen, write, "the comment was not written")


def write_issues(place: Place, rows: Sequence[Row]) -> None:
    """Keep an issue open for each stack that drifted, and close it once it is as it should be again.

    Of a stack that nobody could look at nothing is said: it may have drifted, or not. Raises UsageError (HF-1622).
    """
    work, token = _here("--issues")
    place_of_run = link("this run", work.page)

    def write() -> None:
        issues = GitHubIssues(work.repository, lambda: token, api=work.api, login=_login(token) or WORKFLOW_LOGIN)
        try:
            known = issues.open_ones()
            for row in rows:
                mark = _marker(row.key)
                number = known.get(mark, 0)
                if row.items:
                    at = code(place.reading.revision.short)
                    text = f"{section(row)}\n\n<sub>Compared with {at} in {place_of_run}.</sub>"
                    issues.write(mark, f"Drift in {row.key.short}", text, number=number)
                elif number and not row.problem:
                    issues.end(number, f"It is as it should be again: nothing differed in {place_of_run}.")
        finally:
            issues.close_connections()

    _tried(place.screen, write, "the issues were not written")


def _here(option: str) -> tuple[Workflow, str]:
    work = workflow_of(os.environ)
    token = next((os.environ[name] for name in _TOKENS if os.environ.get(name)), "")
    if not work.on_github or not work.repository or not token:
        raise UsageError(
            f"{option} writes at GitHub for a workflow, and here is {'no token' if work.on_github else 'none'}",
            code="HF-1622",
            hint="run it in a workflow, with GITHUB_TOKEN: ${{ github.token }} in env:",
        )
    return work, token


def _login(token: str) -> str:
    """Return by which login a token writes, empty where GitHub can be asked."""
    return os.environ.get(_LOGIN) or (WORKFLOW_LOGIN if token.startswith(_INSTALLED) else "")


def _marker(key: StackKey) -> str:
    safe = quote(str(key), safe="/@").replace("--", "%2D%2D")
    return f"{MARK}drift {safe} -->"


def _tried(screen: Screen, write: Callable[[], None], failed: str) -> None:
    """Do what is a courtesy to readers: a fork's token may not, and the summary has it all."""
    try:
        write()
    except ForgeError as error:
        hint = f"; {error.hint}" if error.hint else ""
        screen.notice(error.code, f"{failed}: {error.message}{hint}; the summary has it all")
