"""What a build service tells of the run that we are part of: whether anything outlives it, and whose code it has.

GitHub's variables: https://docs.github.com/actions/reference/workflows-and-actions/variables. Nothing here is a secret,
and nothing here lets anybody do anything: whoever writes the workflow writes these words, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from orchestrator.model.pull import Pull, PullState

#: ``lasting`` where the record outlives the run all the same, ``ephemeral`` where it does not though nobody can tell.
RECORD: Final = "HOLDFAST_RECORD"
#: Says that code of others may be run, by whoever knows why that is safe here.
FOREIGN: Final = "HOLDFAST_RUN_FOREIGN_CODE"
_YES: Final = frozenset({"1", "true", "yes"})
#: Anybody who may comment sets it off.
_REMARK: Final = "issue_comment"
#: What sets off a run with the rights of the repository itself, whoever wrote what it is about.
_PRIVILEGED: Final = frozenset({"pull_request_target", "workflow_run", _REMARK})
#: A file of the service's own making: more than that is none.
_LARGEST: Final = 25 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """One run at a build service; all empty where there is none."""

    #: ``github``, or ``other``; empty where a person sits at a terminal.
    runner: str = ""
    #: What set it off: ``pull_request``, ``push``, ``schedule``.
    event: str = ""
    #: ``owner/name`` at the forge, the address of its API, and the page of this run.
    repository: str = ""
    api: str = ""
    page: str = ""
    #: Login of whoever set it off.
    actor: str = ""
    #: The pull request that it is about, None where it is about none.
    pull: Pull | None = None

    @property
    def on_github(self) -> bool:
        """Whether GitHub runs it."""
        return self.runner == "github"

    @property
    def foreign(self) -> bool:
        """Whether it is about code that somebody proposes from a repository of their own."""
        return self.pull is not None and self.pull.fork

    @property
    def privileged(self) -> bool:
        """Whether what it was set off by gives it the repository's own rights, whoever wrote the code."""
        return self.event in _PRIVILEGED


def workflow_of(outer: Mapping[str, str]) -> Workflow:
    """Return what our environment ``outer`` says. What cannot be read counts as code of others."""
    runner = _runner(outer)
    if runner != "github":
        return Workflow(runner=runner)
    event = outer.get("GITHUB_EVENT_NAME", "")
    repository = outer.get("GITHUB_REPOSITORY", "")
    number = outer.get("GITHUB_RUN_ID", "")
    home = f"{outer.get('GITHUB_SERVER_URL', 'https://github.com')}/{repository}"
    return Workflow(
        runner=runner,
        event=event,
        repository=repository,
        api=outer.get("GITHUB_API_URL", "https://api.github.com"),
        page=f"{home}/actions/runs/{number}" if repository and number else "",
        actor=outer.get("GITHUB_TRIGGERING_ACTOR") or outer.get("GITHUB_ACTOR", ""),
        pull=_pull(event, _payload(outer.get("GITHUB_EVENT_PATH", ""))),
    )


def ephemeral(outer: Mapping[str, str], *, shared: bool) -> bool:
    """Whether what is recorded here is gone when this run is over; ``shared``: the record lies in a database elsewhere.

    A build service gives each job a machine that nobody has used and nobody will.
    """
    said = outer.get(RECORD, "").lower()
    if said in {"lasting", "ephemeral"}:
        return said == "ephemeral" and not shared
    return bool(_runner(outer)) and not shared


def _runner(outer: Mapping[str, str]) -> str:
    """Return which build service runs us, without reading what set it off: ``github``, ``other``, or nothing."""
    return "github" if _on(outer, "GITHUB_ACTIONS") else "other" if _on(outer, "CI") else ""


def runs_foreign_code(outer: Mapping[str, str]) -> bool:
    """Whether somebody has said that code of others may be run here."""
    return _on(outer, FOREIGN)


def _on(outer: Mapping[str, str], name: str) -> bool:
    return outer.get(name, "").lower() in _YES


def _payload(path: str) -> Mapping[str, Any]:
    try:
        with Path(path).open("rb") as file:
            found = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _pull(event: str, payload: Mapping[str, Any]) -> Pull | None:
    """Return the pull request that an event is about. Whatever shape the event has, this returns."""
    found = payload.get("pull_request")
    if not isinstance(found, dict):
        if event == _REMARK:
            return _of_remark(payload)
        # Without a word of where it comes from it comes from anywhere.
        return Pull(number=0, fork=True) if event.startswith("pull_request") else _of_earlier_run(payload)
    head, base = _part(found, "head"), _part(found, "base")
    return Pull(
        number=_number(found.get("number")),
        title=_text(found, "title"),
        url=_text(found, "html_url"),
        author=_text(_part(found, "user"), "login"),
        base=_text(base, "ref"),
        head=_text(head, "sha"),
        branch=_text(head, "ref"),
        fork=_elsewhere(_part(head, "repo"), _part(base, "repo")),
        draft=found.get("draft") is True,
        state=PullState.OPEN if found.get("state") == "open" else PullState.CLOSED,
    )


def _of_earlier_run(payload: Mapping[str, Any]) -> Pull | None:
    """Of a run that another one set off: it has the rights of the repository, and what the other had made."""
    found = payload.get("workflow_run")
    if not isinstance(found, dict):
        return None
    fork = _elsewhere(_part(found, "head_repository"), _part(payload, "repository"))
    return Pull(number=0, head=_text(found, "head_sha"), branch=_text(found, "head_branch"), fork=fork)


def _of_remark(payload: Mapping[str, Any]) -> Pull | None:
    """Of a comment below a pull request: the event does not say whose code that is."""
    issue = _part(payload, "issue")
    of_an_issue = issue and not _part(issue, "pull_request")
    return None if of_an_issue else Pull(number=_number(issue.get("number")), fork=True)


def _elsewhere(head: Mapping[str, Any], base: Mapping[str, Any]) -> bool:
    """Whether two repositories are not one; a fork that was deleted has no name any more."""
    name = _text(head, "full_name")
    return not name or name.lower() != _text(base, "full_name").lower()


def _part(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = of.get(name)
    return found if isinstance(found, dict) else {}


def _text(of: Mapping[str, Any], name: str) -> str:
    found = of.get(name)
    return found if isinstance(found, str) else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
