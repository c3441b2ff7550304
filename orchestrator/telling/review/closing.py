"""How a review ends: what has the change applied, the commands to paste, when and by what run it was planned. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from orchestrator.model.pull import Pull, PullState
from orchestrator.model.review import Fare, Part, Review
from orchestrator.telling.review.escapes import code, href, link, prose
from orchestrator.telling.review.sheet import Sheet
from orchestrator.telling.review.standing import NO_ENVIRONMENT, environments, namer

#: So many stacks are named in one command; for more there is the command that takes all.
_NAMED: Final = 5
#: All their names together, in characters: a command that is cut would be another.
_NAMES: Final = 400
_EARLIER: Final = 10
#: All links to earlier runs together, in characters.
_LINKS: Final = 1_200
_PRECISE_BELOW: Final = 10
_NAME: Final = 60
_DONE: Final = "✔️"
_REFUSED: Final = "🚫"
_OUT: Final = {
    Fare.FAILED: "failed",
    Fare.DENIED: "denied",
    Fare.QUEUED: "queued",
    Fare.UNTRUSTED: "not trusted",
}


def appliable(parts: Sequence[Part]) -> list[Part]:
    """Return the stacks whose plan could be applied now: nobody's yes is missing."""
    return [part for part in parts if part.fare is Fare.PLANNED and not part.asks]


def asking(parts: Sequence[Part]) -> list[Part]:
    """Return the stacks whose plan waits for a yes."""
    return [part for part in parts if part.fare is Fare.PLANNED and part.asks]


def how(review: Review) -> str:
    """Return what has the change applied, and what of it is not; empty where there is nothing to apply."""
    state = review.pull.state if review.pull else PullState.OPEN
    if state is PullState.CLOSED:
        return "**Closed** without a merge: nothing of it is applied."
    if review.pull and any(part.fare is Fare.UNTRUSTED for part in review.parts):
        return _untrusted(review.pull)
    return " ".join(said for said in (_way(review, state), _left(review)) if said)


def _way(review: Review, state: PullState) -> str:
    if review.trouble or not any(part.fare is Fare.PLANNED for part in review.parts):
        return ""
    later = "; ".join(_asked(review))
    if review.pull is None or state is PullState.MERGED:
        return f"**Apply**: {later}.{_yes(review)}" if later else ""
    if review.apply_on == "comment":
        ready = appliable(review.parts)
        said = f"**Apply**: comment {_command('apply', review, ready)}." if ready else "**Apply**: not before a yes."
    else:
        said = f"**Apply**: merge{f' ({later})' if later else ''}."
    return f"{said}{_yes(review)} A plan is valid until the branch or the state moves."


def _untrusted(pull: Pull) -> str:
    # Planning runs what was written: the yes is to a commit, so that nothing pushed meanwhile slips in.
    command = code(f"holdfast plan {pull.head}")
    return f"**Nothing of it was run**: it comes from a fork. Who has read it and may plan has it planned by {command}."


def answers(review: Review) -> str:
    """Return what came of the last commands, a line each; empty where nobody gave any."""
    return "\n".join(
        f"- {_DONE if one.done else _REFUSED} {code(one.command)} by {prose(one.login, _NAME)}: {prose(one.outcome)}"
        for one in review.answers
    )


def _left(review: Review) -> str:
    """Say what stays out, so that nobody takes a part for the whole."""
    fares = {part.fare for part in review.parts}
    words = [word for fare, word in _OUT.items() if fare in fares]
    said = [f"What is {' or '.join(words)} is not applied."] if words else []
    said += (
        [f"To have it planned, somebody who may comments {code('holdfast plan')}."] if Fare.UNTRUSTED in fares else []
    )
    said += ["What is deferred is planned once what it waits for is applied."] if Fare.DEFERRED in fares else []
    return " ".join(said)


def _asked(review: Review) -> list[str]:
    """Return who asks for whose yes, each environment once."""
    found = dict.fromkeys((part.key.environment, part.asks) for part in asking(review.parts))
    many = [f"{prose(environment, 40)} then asks for {prose(asks, 80)}" for environment, asks in found]
    return [*many[:_NAMED], f"and {len(many) - _NAMED} more"] if len(many) > _NAMED else many


def _yes(review: Review) -> str:
    waiting = asking(review.parts)
    if not waiting:
        return ""
    return f" To say yes, comment {_command('approve', review, waiting)}."


def _command(verb: str, review: Review, parts: Sequence[Part]) -> str:
    """Return a command ready to paste: with the names of its stacks, or for all where they are all or many.

    It names the environment where it is about one: a check of one environment must not offer what is done to others.
    """
    planned = sum(part.fare is Fare.PLANNED for part in review.parts)
    named = "".join(f" {namer(review)(part.key)}" for part in parts)
    every = len(parts) == planned or len(parts) > _NAMED or len(named) > _NAMES
    only = environments(review)
    where = f" -e {only[0]}" if len(only) == 1 and only[0] != NO_ENVIRONMENT else ""
    return code(f"holdfast {verb}{'' if every else named}{where}", 2 * _NAMES)


def footer(review: Review, sheet: Sheet) -> str:
    """Return when and by what it was planned, what came before, and the commands."""
    found = [_planned(review), _before(review), f"commands: {' '.join(map(code, _offered(review)))}"]
    address = href(sheet.help_url)
    found += [f'<a href="{address}">what is this?</a>'] if address else []
    return f"<sub>{' · '.join(one for one in found if one)}</sub>"


def _offered(review: Review) -> list[str]:
    apply = ["holdfast apply <stack>"] if review.apply_on == "comment" else []
    consent = ["holdfast approve <stack>", "holdfast reject <stack>"] if asking(review.parts) else []
    return ["holdfast plan", *apply, *consent, "holdfast unlock", "holdfast help"]


def _planned(review: Review) -> str:
    run = f" by run {_run(review, review.run)}" if review.run else ""
    if not review.planned_at:
        return f"Being planned{run}"
    took = f" in {_duration(review.took_s)}" if review.took_s else ""
    return f"Planned {utc(review.planned_at)}{run}{took}"


def _before(review: Review) -> str:
    if not review.history_known:
        return "earlier plans are not known here"
    shown: list[str] = []
    for run in review.earlier[:_EARLIER]:
        one = _run(review, run)
        if sum(map(len, shown)) + len(one) > _LINKS:
            break
        shown.append(one)
    left = len(review.earlier) - len(shown)
    return f"earlier plans: {' '.join(shown)}{f' and {left} more' if left else ''}" if review.earlier else ""


def _run(review: Review, run: int) -> str:
    return link(str(run), run_address(review, run))


def run_address(review: Review, run: int) -> str:
    """Return the address of a run's page, empty where nobody serves one."""
    return review.run_url.replace("{run}", str(run)) if run else ""


def utc(at: float) -> str:
    """Return a point in time (seconds since the epoch) as people write it, to the minute, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _duration(seconds: float) -> str:
    if seconds < _PRECISE_BELOW:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
