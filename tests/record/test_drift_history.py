"""The history of drift is made of what happened: a record from before it was kept has it all the same."""

from __future__ import annotations

import json

from sqlalchemy import select

from adapters.contract import AttributeChange, Change, ChangeKind, DriftItem
from orchestrator.effects.database import Database
from orchestrator.effects.record import SqlRecord
from orchestrator.effects.record_tables import stacks
from orchestrator.model.drift import Ending, Sighting
from orchestrator.model.event import DriftGone, DriftIgnored, DriftSeen
from orchestrator.model.observed import Looks
from orchestrator.model.policy import Ignore

NET = "acme/net@prod"
#: What folds made before they kept any history of drift.
NEVER_KNEW = ("occurrences", "repairs", "ignores")


def seen(actual: int) -> DriftSeen:
    attribute = AttributeChange(path="size", before=1, after=actual)
    change = Change(address="x.one", kind=ChangeKind.UPDATE, attributes=(attribute,))
    return DriftSeen(revision="r1", items=(DriftItem(change=change, will_be_reverted=True),))


def test_a_record_from_before_it_was_kept_has_its_history(record: SqlRecord, database: Database):
    state = record.append(NET, [seen(2), DriftGone(), seen(3)], expected=0, run=1)
    with database.reading() as connection:
        body = json.loads(connection.execute(select(stacks.c.state)).scalar_one())
    older = json.dumps({name: value for name, value in body.items() if name not in NEVER_KNEW})
    database.write(lambda c: c.execute(stacks.update().values(fold_version=3, state=older)))
    assert record.row(NET).state == state
    assert [(one.actual, one.ended) for one in record.row(NET).state.occurrences] == [("2", Ending.GONE), ("3", None)]


def test_history_and_rules_outlast_the_events_that_made_them(record: SqlRecord, database: Database, clock):
    rule = Ignore(address="x.*", path="size", owner="ana", reason="known", until=9.5)
    state = record.append(NET, [seen(2), DriftGone(), DriftIgnored(rule=rule)], expected=0, run=1)
    clock.at += 100
    assert record.prune(before=clock.at) == 3
    database.write(lambda c: c.execute(stacks.update().values(fold_version=0)))
    assert record.row(NET).state == state
    assert record.row(NET).state.ignores == (rule,)


def test_how_often_each_difference_was_seen_is_kept_with_the_row(record: SqlRecord):
    record.append(NET, [seen(2)], expected=0, run=1)
    looks = Looks(drift_seen=2, sightings=(Sighting(place="p", count=2),), blind_spots=("made by hand",))
    record.look(NET, looks)
    assert record.row(NET).looks == looks
