"""The time by which embargoes end: late where a clock fails, never early."""

from __future__ import annotations

import logging
import time

import pytest

from search.engines.whoosh.clock import Clock


class Machine:
    """Its clock may be set; what it has been running cannot."""

    def __init__(self) -> None:
        self.wall, self.running = 1_000.0, 50.0
        self.clock = Clock(lambda: self.wall, lambda: self.running)

    def goes_on(self, seconds: float) -> None:
        self.wall += seconds
        self.running += seconds


@pytest.fixture
def machine(caplog: pytest.LogCaptureFixture) -> Machine:
    caplog.set_level(logging.WARNING)
    return Machine()


# What happens, by how much the clock is set and how much time passes; then what is believed.
HISTORIES = [
    ([], 1_000),
    ([("passes", 60)], 1_060),
    ([("set", 31_536_000)], 1_000),  # a year ahead
    ([("set", 31_536_000), ("passes", 60)], 1_060),
    ([("set", -30)], 970),
    ([("set", -30), ("passes", 60)], 1_030),
    ([("set", 90), ("set", -90), ("passes", 5)], 1_005),
    ([("set", -90), ("set", 90), ("passes", 5)], 1_005),
    ([("passes", 10), ("set", -90), ("set", 95), ("passes", 5)], 1_015),
]


@pytest.mark.parametrize(("history", "believed"), HISTORIES)
def test_is_late_where_the_clock_is_set_and_never_early(
    machine: Machine, history: list[tuple[str, float]], believed: float
) -> None:
    for what, seconds in history:
        if what == "set":
            machine.wall += seconds
        else:
            machine.goes_on(seconds)
        assert machine.clock.now() <= 1_000 + machine.running - 50
    assert machine.clock.now() == believed


def test_says_so_once(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    machine.wall += 0.5
    machine.clock.now()
    assert caplog.messages == []
    machine.wall += 3600
    for _ in range(3):
        machine.clock.now()
    (said,) = caplog.messages
    assert "set forward by 3600 s" in said
    assert "start the service again" in said
    machine.wall -= 3600
    machine.clock.now()
    machine.wall += 7200
    machine.clock.now()
    assert len(caplog.messages) == 2


def test_is_the_time_of_day_where_nothing_is_set() -> None:
    clock = Clock()
    before = time.time()
    assert before - 1 <= clock.now() <= time.time()
