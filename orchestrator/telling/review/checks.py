"""The checks of a commit, one for each environment, and the one status that a protected branch can ask for. Pure.

How stacks add up, the worst first:

- Failed, denied, or of unknown end, or a change that cannot be planned at all: ``failure``. It does not wait for the
  others: whoever reviews should know at once.
- Being planned or applied, or queued behind another pull request: ``pending``.
- Not trusted yet: a person is asked for something, ``action_required``; the status stays ``pending``. Nothing was run.
- Waiting for a yes before it can be applied from the pull request: ``action_required``. Where merging has it applied
  the yes is asked for after the merge, and a check that waited for it would keep the merge from ever happening.
- Deferred: ``neutral``, and the title begins with it: nobody has seen what it would do, so it is not green. The status
  is ``success`` where merging has it applied, for only the apply of its upstream, and so only the merge, can tell;
  where a comment has it applied that comes first, and the status is ``pending`` until then.
- Only when every stack is planned, applied or without changes: ``success``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from orchestrator.model.pull import PullState
from orchestrator.model.review import Fare, Review
from orchestrator.model.verdict import Button, Check, CheckConclusion, CommitStatus
from orchestrator.telling.printable import printable
from orchestrator.telling.review import closing
from orchestrator.telling.review.annotations import beside_lines
from orchestrator.telling.review.comment import body, outcome
from orchestrator.telling.review.sheet import CHECK_LIMIT, Sheet
from orchestrator.telling.review.standing import NO_ENVIRONMENT, environments

#: The status's name, and the beginning of each check's.
NAME: Final = "holdfast"
#: The longest that GitHub takes of a status (https://docs.github.com/en/rest/commits/statuses), in characters.
_TITLE: Final = 140
#: The one button. Who presses it only an unasked message says: a yes, a no or an apply is worth a word of one's own.
_AGAIN: Final = Button(label="Re-plan", description="Plan this commit again", identifier="replan")
_FAILING: Final = frozenset({Fare.FAILED, Fare.DENIED, Fare.UNKNOWN})
_UNDER_WAY: Final = frozenset({Fare.PLANNING, Fare.APPLYING, Fare.QUEUED})


def checks(review: Review, sheet: Sheet) -> tuple[Check, ...]:
    """Return a check for each environment; one for all where the change touches none, or cannot be planned.

    There is none while nobody knows what it touches: nothing would ever conclude it. Where one was posted for a commit
    and is not among these any more, whoever posts them ends it.
    """
    if not review.planned_at and not review.parts and not review.trouble:
        return ()
    return tuple(_check(review, environment, sheet) for environment in environments(review) or (NO_ENVIRONMENT,))


def status(review: Review) -> CommitStatus:
    """Return what a protected branch is told: success only where merging hides nothing that is known to be wrong."""
    said = _conclusion(review)
    if said is CheckConclusion.NEUTRAL:
        said = CheckConclusion.PENDING if review.apply_on == "comment" else CheckConclusion.SUCCESS
    elif said is CheckConclusion.ACTION_REQUIRED:
        untrusted = any(part.fare is Fare.UNTRUSTED for part in review.parts)
        said = CheckConclusion.PENDING if untrusted or _deferred(review) else CheckConclusion.SUCCESS
    return CommitStatus(name=NAME, conclusion=said, title=title(review))


def title(review: Review) -> str:
    """Return in plain words how a change fares; what nobody has seen comes before what is planned."""
    void = sum(part.voided for part in review.parts)
    asked = ", ".join(dict.fromkeys(part.asks for part in closing.asking(review.parts)))
    words = [
        *outcome(review),
        *([f"{void} with a void yes"] if void else []),
        *([f"asks for {asked}"] if asked else []),
    ]
    code = f"{review.code} " if review.code and review.trouble else ""
    return _clipped(f"{code}{', '.join(filter(None, words))}", _TITLE)


def _clipped(text: str, longest: int) -> str:
    text = " ".join(printable(text).split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _check(review: Review, environment: str, sheet: Sheet) -> Check:
    own = replace(
        review,
        parts=tuple(part for part in review.parts if part.key.environment == environment),
        edits=tuple(edit for edit in review.edits if edit.key.environment == environment),
    )
    return Check(
        name=_clipped(NAME if environment == NO_ENVIRONMENT else f"{NAME} / {environment}", _TITLE),
        conclusion=_conclusion(own),
        title=title(own),
        summary=body(own, replace(sheet, size=len), room=min(sheet.limit, CHECK_LIMIT)),
        url=closing.run_address(review, review.run),
        annotations=beside_lines(own, quiet=sheet.quiet),
        buttons=_buttons(own),
    )


def _conclusion(review: Review) -> CheckConclusion:
    fares = {part.fare for part in review.parts}
    if review.trouble or fares & _FAILING:
        return CheckConclusion.FAILURE
    if not review.planned_at or fares & _UNDER_WAY:
        return CheckConclusion.PENDING
    if Fare.UNTRUSTED in fares or (review.apply_on == "comment" and closing.asking(review.parts)):
        return CheckConclusion.ACTION_REQUIRED
    return CheckConclusion.NEUTRAL if _deferred(review) else CheckConclusion.SUCCESS


def _deferred(review: Review) -> bool:
    return any(part.fare is Fare.DEFERRED for part in review.parts)


def _buttons(review: Review) -> tuple[Button, ...]:
    """Return what can be done now: nothing where the pull request is over, or somebody is at work."""
    busy = not review.planned_at or any(part.fare in {Fare.PLANNING, Fare.APPLYING} for part in review.parts)
    if busy or review.pull is None or review.pull.state is not PullState.OPEN:
        return ()
    # Planning again would run what nobody trusts: the yes is a word of its own.
    untrusted = any(part.fare is Fare.UNTRUSTED for part in review.parts)
    return () if untrusted else (_AGAIN,)
