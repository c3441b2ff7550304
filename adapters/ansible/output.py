"""What a run in check mode says, as changes, and what it cannot say. Pure.

Three things are never taken for "in sync":

- a task that cannot look (``command``, ``shell``, ``raw``, a module without check mode) is *blind*;
- a ``command`` with ``creates`` or ``removes`` that would run is a change, of kind unknown: it goes away by being done;
- a task that fails while looking, after something that was only looked at, is a change of kind unknown: it may fail
  only because what would come before it was not done. A failure that nothing comes before is a failure. Where the
  playbook lives with it (``ignore_errors``, ``rescue``), or with a host that does not answer, the task is *blind*.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from adapters.ansible.attributes import attributes_of, files_of, kind_of
from adapters.ansible.said import Said, Step
from adapters.ansible.texts import message, place
from adapters.contract import Change, ChangeKind, DriftItem, Problem, Severity
from adapters.telling import inverted, scrub

#: Modules that run what they are told to: what comes of it no module can know.
_RUNS_ANYTHING: Final = frozenset({"command", "shell", "raw", "script", "expect"})
#: What may be missing because a task that makes it was only looked at. Of what is wrong in the files themselves,
#: an undefined variable is the one that a blind task can bring about: what it would have registered is not there.
_UNDEFINED: Final = re.compile(r"is undefined|has no attribute|object of type .* has no", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What came of a look."""

    changes: tuple[Change, ...]
    #: Tasks that cannot look, as changes of kind unknown.
    blind: tuple[Change, ...]
    #: Hosts whose look ended early, with why.
    cut_short: tuple[Problem, ...]
    #: Failures that nothing comes before.
    failures: tuple[Step, ...]
    #: By address of a change: the files on the host that it is about.
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def seen(said: Said, root: str, secrets: frozenset[str]) -> Seen:
    """Return what the run saw; paths from the repository's ``root``."""
    failures = {id(step) for step in said.failures}
    changes: list[Change] = []
    blind: list[Change] = []
    notes: list[Problem] = []
    failed: list[Step] = []
    count: dict[str, int] = {}
    files: dict[str, tuple[str, ...]] = {}
    for step in said.steps:
        address = scrub(f"{step.host}: {step.name}", secrets)
        count[address] = count.get(address, 0) + 1
        if count[address] > 1:
            address = f"{address} #{count[address]}"
        where = f"{':'.join(str(part) for part in place(step.place, root))} {step.action}"
        # Of the same host: in which order several hosts are told of is chance.
        own = f"{scrub(step.host, secrets)}: "
        before, unseen = (any(one.address.startswith(own) for one in found) for found in (changes, blind))
        if id(step) in failures:
            if not foreseeable(step, changes=before, blind=unseen):
                failed.append(step)
                continue
            said_why = message(str(step.result.get("msg", "")), secrets)
            why = f"{where}: cannot be foretold: {said_why}"
            changes.append(Change(address=address, kind=ChangeKind.UNKNOWN, reason=why))
            notes.append(_cut_short(step, root, said_why))
        elif step.verdict in {"skipped", "ok"}:
            _judge(step, address, where, secrets, changes, blind)
            files[address] = files_of(step, secrets)
        elif step.verdict == "unreachable" or foreseeable(step, changes=before, blind=unseen):
            # With what would come before it done, it may go well, and so may what a rescue stood in for.
            why = message(str(step.result.get("msg", "")), secrets)
            blind.append(Change(address=address, kind=ChangeKind.UNKNOWN, reason=f"{where}: cannot look: {why}"))
            notes += [] if step.ignored else [_cut_short(step, root, why)]
    return Seen(
        changes=_sorted(changes),
        blind=_sorted(blind),
        cut_short=tuple(notes),
        failures=tuple(failed),
        files=files,
    )


def foreseeable(step: Step, *, changes: bool, blind: bool) -> bool:
    """Say whether a failure may come of looking only: something before it was not done."""
    if _UNDEFINED.search(str(step.result.get("msg", ""))):
        return blind
    return changes or blind


def drift_items(changes: Iterable[Change], files: Mapping[str, tuple[str, ...]] | None = None) -> tuple[DriftItem, ...]:
    """Return changes as drift: what the playbook asks for is what was, what it found is what is."""
    return tuple(
        DriftItem(change=inverted(change), will_be_reverted=True, identities=(files or {}).get(change.address, ()))
        for change in changes
    )


def blind_words(blind: tuple[Change, ...]) -> tuple[str, ...]:
    """Say in one sentence what could not be looked at."""
    if not blind:
        return ()
    names = ", ".join(change.address for change in blind[:3])
    more = f" and {len(blind) - 3} more" if len(blind) > 3 else ""  # noqa: PLR2004 - three names are enough
    what = "1 task that cannot look" if len(blind) == 1 else f"{len(blind)} tasks that cannot look"
    return (f"{what}: {names}{more}",)


def blind_notes(blind: tuple[Change, ...]) -> tuple[Problem, ...]:
    """Return the same as notes on a plan that leaves them out."""
    detail = "they ran with the last apply of these very files; what became of it since is not known"
    return tuple(Problem(severity=Severity.NOTE, summary=words, detail=detail) for words in blind_words(blind))


def _judge(
    step: Step, address: str, where: str, secrets: frozenset[str], changes: list[Change], blind: list[Change]
) -> None:
    """Put a step that ended well where it belongs."""
    anything = step.action.rpartition(".")[2] in _RUNS_ANYTHING
    if any(_cannot_look(step, part) for part in step.parts):
        blind.append(Change(address=address, kind=ChangeKind.UNKNOWN, reason=f"{where}: cannot look"))
    if not step.changed:
        return
    if step.runs and anything:
        # It ran, although all else only looked, and says that it changes something every time.
        blind.append(Change(address=address, kind=ChangeKind.UNKNOWN, reason=f"{where}: ran while looking"))
    elif anything:
        changes.append(Change(address=address, kind=ChangeKind.UNKNOWN, reason=f"{where}: would run"))
    else:
        kind = ChangeKind.UPDATE if step.hidden else kind_of(step)
        changes.append(Change(address=address, kind=kind, attributes=attributes_of(step, secrets), reason=where))


def _cannot_look(step: Step, part: object) -> bool:
    """Say whether a result was passed over for want of check mode, and not by a condition or an empty loop."""
    if not isinstance(part, dict):
        return False
    passed = part.get("skipped") if "items" in step.result else step.verdict == "skipped"
    # Where no_log hides which of both it was, no reason is there.
    return bool(passed) and not any(key in part for key in ("skip_reason", "skipped_reason", "false_condition"))


def _cut_short(step: Step, root: str, why: str) -> Problem:
    file, line = place(step.place, root)
    return Problem(
        severity=Severity.WARNING,
        summary=f"the look at {step.host} ended early: {why}",
        detail="what comes after it is not in the plan; it may fail only because what comes before it was not done",
        file=file,
        line=line,
    )


def _sorted(changes: list[Change]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda change: change.address))
