"""A person's word on drift, and what it means now: that it is left alone until a time, or that it counts again."""

from __future__ import annotations

from orchestrator.cli.moments import moment
from orchestrator.cli.place import Place
from orchestrator.engine.acts import drift_words
from orchestrator.engine.acts.drift_words import Exemption
from orchestrator.engine.acts.until import Until
from orchestrator.model.moment import stamp
from orchestrator.model.stack import StackKey
from orchestrator.rules.difference import Difference


def leave_alone(place: Place, key: StackKey, of: Difference, *, until: str, reason: str) -> None:
    """Record a rule, and say what it means now. Raises UsageError (HF-1908) where its end is over already."""
    end = Until(at=moment(until, place.now), said=f"--until {until}")
    wish = Exemption(of=of, until=end, reason=reason)
    left = drift_words.leave_alone(place.outside, place.reading, place.caller, key, wish)
    place.screen.say(f"{of} of {key.short} is ignored until {stamp(end.at)}")
    if not left.met:
        place.screen.say("note: nothing that is known to differ is meant by it")
    if left.reverted:
        place.screen.say("note: an apply for another reason would still put it back; a person is asked before")
    place.screen.next(f"{place.command('drift', key.short, '--heed', str(of))}      takes it back")


def heed_again(place: Place, key: StackKey, of: Difference, reason: str) -> None:
    """Record that a rule no longer counts. Raises UsageError (HF-1933) where nobody gave such a word."""
    drift_words.heed_again(place.outside, place.reading, place.caller, key, of, reason=reason)
    place.screen.say(f"{of} of {key.short} counts as drift again")
