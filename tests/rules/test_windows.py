"""Windows of the wall clock, on ordinary days and on those when clocks change."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.rules.windows import opening, parse

BERLIN = ZoneInfo("Europe/Berlin")
WORK = ("Mon-Fri 09:00-16:00 Europe/Berlin",)


def at(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


def shuts(windows: tuple[str, ...], moment: float) -> bool:
    """Whether it is open up to ``moment`` and shut from then on."""
    return opening(windows, moment - 1) == moment - 1 and opening(windows, moment) != moment


def test_without_windows_it_is_always_open():
    assert opening((), 5.0) == 5.0


def test_inside_it_is_open_now_and_shuts_at_the_end():
    now = at("2026-11-23 10:30")
    assert opening(WORK, now) == now
    assert shuts(WORK, at("2026-11-23 16:00"))


def test_the_first_minute_is_in_and_the_last_is_out():
    assert opening(WORK, at("2026-11-23 09:00")) == at("2026-11-23 09:00")
    assert opening(WORK, at("2026-11-23 16:00")) == at("2026-11-24 09:00")
    assert shuts(WORK, at("2026-11-23 16:00"))


def test_on_friday_evening_it_opens_on_monday():
    assert opening(WORK, at("2026-11-27 16:00")) == at("2026-11-30 09:00")


def test_of_several_windows_the_first_to_open_counts():
    both = (*WORK, "Sat 10:00-11:00 UTC")
    assert opening(both, at("2026-11-27 18:00")) == at("2026-11-28 10:00", ZoneInfo("UTC"))


def test_windows_that_touch_shut_at_the_end_of_the_second():
    both = ("Mon 09:00-12:00 UTC", "Mon 12:00-15:00 UTC")
    utc = ZoneInfo("UTC")
    assert opening(both, at("2026-11-23 12:00", utc)) == at("2026-11-23 12:00", utc)
    assert shuts(both, at("2026-11-23 15:00", utc))


def test_a_window_over_midnight_belongs_to_the_day_it_began():
    night = ("Sat 22:00-04:00 Europe/Berlin",)
    assert opening(night, at("2026-11-29 03:00")) == at("2026-11-29 03:00")
    assert shuts(night, at("2026-11-29 04:00"))
    assert opening(night, at("2026-11-28 03:00")) == at("2026-11-28 22:00")


def test_days_may_go_over_the_end_of_the_week():
    assert parse("Sat-Mon 09:00-10:00 UTC")[0].days == {5, 6, 0}
    assert parse("daily 00:00-24:00 UTC")[0].days == set(range(7))
    assert parse("Mon,Wed-Thu 09:00-10:00 UTC")[0].days == {0, 2, 3}


def test_open_all_day_every_day_never_shuts():
    quarters = [1e9 + 900 * number for number in range(2 * 96)]
    assert [opening(("daily 00:00-24:00 UTC",), now) for now in quarters] == quarters


def test_joined_windows_that_never_meet_never_open():
    assert opening(("Mon 09:00-10:00 UTC & Tue 09:00-10:00 UTC",), at("2026-11-23 09:30", ZoneInfo("UTC"))) is None


def test_joined_windows_are_open_while_all_are():
    joined = ("Mon-Fri 09:00-16:00 UTC & daily 15:00-18:00 UTC",)
    utc = ZoneInfo("UTC")
    assert opening(joined, at("2026-11-23 09:30", utc)) == at("2026-11-23 15:00", utc)
    assert shuts(joined, at("2026-11-23 16:00", utc))


def test_an_hour_that_is_skipped_in_spring_opens_when_the_clock_has_jumped():
    # Berlin, 29 March 2026: 02:00 becomes 03:00.
    window = ("Sun 02:30-03:30 Europe/Berlin",)
    jump = at("2026-03-29 01:00", ZoneInfo("UTC"))
    assert opening(window, jump - 600) == jump
    assert shuts(window, jump + 1800)


def test_a_working_day_across_the_change_keeps_its_wall_clock():
    friday, monday = at("2026-03-27 16:00"), at("2026-03-30 09:00")
    assert opening(WORK, friday) == monday
    assert monday - friday == 64 * 3600  # 65 hours by the wall clock


def test_an_hour_that_comes_twice_in_autumn_is_open_twice():
    # Berlin, 25 October 2026: 03:00 becomes 02:00.
    window = ("Sun 02:30-02:45 Europe/Berlin",)
    first, second = at("2026-10-25 02:30"), at("2026-10-25 02:30", fold=1)
    assert second - first == 3600
    assert opening(window, first - 60) == first
    assert shuts(window, first + 900)
    assert opening(window, first + 900) == second


def test_the_leap_day_is_a_day_like_others():
    # 29 February 2028 is a Tuesday.
    window = ("Tue 23:00-24:00 UTC",)
    utc = ZoneInfo("UTC")
    assert opening(window, at("2028-02-29 12:00", utc)) == at("2028-02-29 23:00", utc)
    assert shuts(window, at("2028-03-01 00:00", utc))


@settings(max_examples=60, deadline=None)
@given(
    st.floats(min_value=1.7e9, max_value=1.9e9).map(round),
    st.sampled_from(["Mon-Fri", "Sun", "daily", "Sat-Mon"]),
    st.tuples(st.integers(0, 23), st.integers(0, 23)).filter(lambda pair: pair[0] != pair[1]),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
)
def test_it_is_shut_up_to_the_moment_of_opening_and_open_from_then(now, days, hours, zone):
    windows = (f"{days} {hours[0]:02}:00-{hours[1]:02}:00 {zone}",)
    opens = opening(windows, now)
    assert opens is not None
    assert opening(windows, opens) == opens
    if opens > now:
        assert opening(windows, opens - 1) == opens


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no window"),
        ("Mon-Fri 09:00-16:00", "is no window"),
        ("Mon-Fri 9:00-16:00 UTC", "is no window"),
        ("Mon-Fri 09:00 - 16:00 UTC", "is no window"),
        ("Mon-Fry 09:00-16:00 UTC", '"mon-fry" is no day'),
        ("Funday 09:00-16:00 UTC", "is no day"),
        ("Mon, 09:00-16:00 UTC", '"" is no day'),
        ("Mon 09:60-16:00 UTC", '"09:60" is no time of day'),
        ("Mon 09:00-24:01 UTC", '"24:01" is no time of day'),
        ("Mon 09:00-09:00 UTC", "never open"),
        ("Mon 24:00-09:00 UTC", "never open"),
        ("Mon 09:00-16:00 Europe/Berlim", 'no time zone goes by "Europe/Berlim"'),
        ("Mon 09:00-16:00 ../../etc/passwd", "no time zone"),
        ("Mon 09:00-16:00 /etc/localtime", "no time zone"),
        ("Mon 09:00-16:00 UTC & ", "is no window"),
    ],
)
def test_a_window_that_cannot_be_read_says_why(text, says):
    with pytest.raises(ValueError, match=says.replace("(", "\\(")):
        parse(text)
