from __future__ import annotations

import pytest

from orchestrator.cli.moments import age, duration, moment, since
from orchestrator.errors import UsageError
from orchestrator.model.moment import stamp


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("12h", 43200), ("7d", 604800), ("2 w", 1209600)]
)
def test_a_duration_is_a_number_and_a_unit(text, seconds):
    assert duration(text) == seconds
    assert moment(text, 1000.0) == 1000.0 + seconds
    assert since(text, 2e6) == 2e6 - seconds


@pytest.mark.parametrize("text", ["", "h", "12", "-3h", "1h30m", "soon", "2026-13-01"])
def test_what_is_no_time_is_refused_with_an_example(text):
    with pytest.raises(UsageError) as caught:
        moment(text, 0.0)
    assert caught.value.code == "HF-1908"
    assert caught.value.hint


def test_a_time_is_read_with_its_offset():
    assert moment("2026-11-30T00:00:00+00:00", 0.0) == 1795996800.0
    assert stamp(1795996800.0) == "2026-11-30T00:00:00Z"
    assert stamp(0.0) == ""


@pytest.mark.parametrize(
    ("seconds", "said"), [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (7300, "2 h"), (172800, "2 d"), (1e7, "115 d")]
)
def test_an_age_is_said_in_one_unit(seconds, said):
    assert age(seconds) == said
