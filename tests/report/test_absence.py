"""A source that tells nothing any more is told of: once, again each day, and once more when it is back."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from report_stage import QUICK

from orchestrator.report.absence import Absence, AbsenceJournal
from orchestrator.report.happening import Selection
from orchestrator.report.notify import AppriseSink
from orchestrator.report.outbox import Outbox
from orchestrator.report.reading import among_nobody
from orchestrator.rules.silence import Glimpse, lasting, silent_for, tellings, word_of

EXAMPLE = Path(__file__).parents[2] / "examples" / "alerts.yaml"
HOUR, DAY = 3600.0, 86400.0
T = 1_700_000_000.0


def glimpse(read_at: float = T, every_s: float = 60.0, code: str = "") -> Glimpse:
    return Glimpse(source="infra", every_s=every_s, read_at=read_at, looked_at=T, code=code)


@pytest.mark.parametrize(
    ("every_s", "passed", "silent"),
    [(60.0, HOUR, False), (60.0, HOUR + 1, True), (600.0, 2 * HOUR - 1200, False), (600.0, 6001.0, True)],
)
def test_ten_looks_or_an_hour_may_be_missed(every_s, passed, silent):
    found = silent_for(glimpse(every_s=every_s), T + passed, watched_since=0.0)
    assert (found is not None) is (silent or passed > 10 * every_s > HOUR)


def test_one_that_could_never_be_read_is_silent_since_somebody_waited_for_it():
    assert silent_for(glimpse(0.0), T + 30, watched_since=T) is None
    assert silent_for(glimpse(0.0), T + 2 * HOUR, watched_since=T) == 2 * HOUR


def test_it_is_told_at_once_and_with_each_day():
    assert [tellings(seconds) for seconds in (HOUR, DAY - 1, DAY, 3 * DAY)] == [1, 1, 2, 4]


def test_the_words_say_how_long_ago():
    assert word_of(glimpse(code="HF-3001"), 26 * HOUR, T + 26 * HOUR) == (
        "source infra: last success 26 h ago, 2023-11-14T22:13:20Z (HF-3001)"
    )
    assert word_of(glimpse(0.0), 2 * HOUR, T) == "source infra: never read, for 2 h"
    assert [lasting(seconds) for seconds in (120, 2 * HOUR, 80 * HOUR)] == ["2 min", "2 h", "3 days"]


class Watched:
    """A source whose last reading is set by hand."""

    def __init__(self, stage) -> None:
        self.stage, self.read_at, self.now = stage, T, T

    def absence(self, reader: str = "journal") -> Absence:
        return Absence(reader, self.stage.cursors, lambda: [glimpse(self.read_at)], watched_since=T)

    def journal(self) -> AbsenceJournal:
        return AbsenceJournal(self.absence(), self.stage.said, lambda: self.now, among_nobody)


@pytest.fixture
def watched(stage) -> Watched:
    return Watched(stage)


def test_the_journal_says_it_once_per_transition_and_again_each_day(watched):
    said, journal = watched.stage.said, watched.journal()
    for hours, lines in ((0.5, 0), (2, 1), (3, 1), (23, 1), (25, 2), (26, 2)):
        watched.now = T + hours * HOUR
        journal.turn()
        assert len(said.of("source infra: last success")) == lines, hours
    # Another service goes on where the one before ended.
    watched.journal().turn()
    assert len(said.of("source infra: last success")) == 2
    watched.read_at = watched.now
    for _ in range(2):
        watched.now += 60
        journal.turn()
    assert len(said.of("source infra: read again")) == 1
    watched.now += 2 * HOUR
    journal.turn()
    assert len(said.of("source infra: last success")) == 3


def test_a_receiver_is_told_what_was_not_told_to_it_yet_under_one_id(watched, receiver):
    stage = watched.stage
    watched.now = T + 2 * HOUR
    stage.world.now_ = watched.now

    def box() -> Outbox:
        sink = AppriseSink("ops", receiver.url)
        wanted = Selection(on=("source.*",), stacks=("infra/*",))
        return Outbox("notify-ops", stage.ground, sink, wanted, absence=watched.absence("notify-ops"), pace=QUICK)

    first = box()
    first.turn()
    (one,) = receiver.taken
    assert one.json["title"] == "infra: source.silent"
    assert one.json["message"].endswith(f"(ops-infra-silent-{int(T)}-1)")
    box().turn()
    assert len(receiver.taken) == 1


def test_the_example_of_alerts_is_what_prometheus_reads_and_names_our_metrics():
    groups = yaml.safe_load(EXAMPLE.read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {"HoldfastSourceSilent", "HoldfastAbsent"} <= {rule["alert"] for rule in rules}
    for rule in rules:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert "holdfast" in rule["expr"]
        assert {"summary", "description"} == set(rule["annotations"])
