"""The system's clock."""

from __future__ import annotations

import time

from orchestrator.effects.clock import SystemClock


def test_the_clock_tells_the_hosts_time_and_waits_no_less_than_asked():
    clock = SystemClock()
    before = time.time()
    clock.sleep(0.02)
    clock.sleep(-5)
    assert before + 0.02 <= clock.now() <= time.time()
