"""A person's word on drift: that it is left alone until a time, that it counts again, that it is repaired again."""

from __future__ import annotations

from orchestrator.cli.consent import append, nudge
from orchestrator.cli.ignoring import named
from orchestrator.cli.looking import judged_of
from orchestrator.cli.moments import moment, stamp
from orchestrator.cli.place import Place
from orchestrator.cli.working import begun
from orchestrator.errors import UsageError
from orchestrator.model.drift import parts
from orchestrator.model.event import DriftHeeded, DriftIgnored, RepairsResumed
from orchestrator.model.policy import Ignore
from orchestrator.model.stack import StackKey
from orchestrator.rules.drifted import covers


def leave_alone(place: Place, key: StackKey, address: str, path: str, *, until: str, reason: str) -> None:
    """Record a rule, and say what it means now. Raises UsageError (HF-1908) where its end is over already."""
    end = moment(until, place.now)
    if end <= place.now:
        raise UsageError(f"--until {until} is over already", code="HF-1908", hint="name a time to come, or 30d")
    rule = Ignore(address=address, path=path, owner=place.world.actor, reason=reason, until=end)
    with begun(place, "ignore") as run:
        append(place, key, lambda _: DriftIgnored(rule=rule), run=run.number)
    row = place.outside.record.row(str(key))
    place.screen.say(f"{named(address, path)} of {key.short} is ignored until {stamp(end)}")
    if not any(
        covers(rule, part) for item in (row.state.drift.items if row.state.drift else ()) for part in parts(item)
    ):
        place.screen.say("note: nothing that is known to differ is meant by it")
    if any(one.rule == rule and one.item.will_be_reverted for one in judged_of(place, key, row).ignored):
        place.screen.say("note: an apply for another reason would still put it back; a person is asked before")
    place.screen.next(f"{place.command('drift', key.short, '--heed', named(address, path))}      takes it back")


def heed_again(place: Place, key: StackKey, address: str, path: str, reason: str) -> None:
    """Record that a rule no longer counts. Raises UsageError (HF-1933) where nobody gave such a word."""
    state = place.outside.record.row(str(key)).state
    if not any((one.address, one.path) == (address, path) for one in state.ignores):
        hint = (
            ", ".join(named(one.address, one.path) for one in state.ignores) or "what stacks.yaml ignores stands there"
        )
        raise UsageError(f"{named(address, path)} of {key.short} is not ignored by word", code="HF-1933", hint=hint)
    event = DriftHeeded(address=address, path=path, by=place.world.actor, reason=reason)
    with begun(place, "heed") as run:
        append(place, key, lambda _: event, run=run.number)
    nudge(place, key, "heeded again")
    place.screen.say(f"{named(address, path)} of {key.short} counts as drift again")


def repair_again(place: Place, key: StackKey, reason: str) -> bool:
    """Have drift that keeps coming back repaired again; False where nothing had stopped that."""
    if not judged_of(place, key, place.outside.record.row(str(key))).recurring:
        return False
    event = RepairsResumed(by=place.world.actor, reason=reason)
    with begun(place, "resume") as run:
        append(place, key, lambda _: event, run=run.number)
    nudge(place, key, "repairs resumed")
    return True
