"""The time by which embargoes end: late where a clock fails, never early."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

STEP = 1.0  # seconds: less is not worth a word
TRIES = 5  # to read both clocks without a pause between, which would count as late for ever

_log = logging.getLogger(__name__)


class Clock:
    """The time of day, but never more than has passed since this was made.

    The clock of a machine can be set, wrongly too; the one that counts since its start, asleep or not, cannot. Both run
    at the same rate, as what keeps the time corrects that of both (clock_gettime(2)). Set back, embargoes hide again;
    set forward, they end as if it had not been, and only a new process believes it.
    """

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        running: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
    ) -> None:
        self._wall = wall
        self._running = running
        self._begun = max(wall() - running() for _ in range(TRIES))
        self._told = False

    def now(self) -> float:
        """Seconds since 1970."""
        wall, most = self._wall(), self._begun + self._running()
        is_ahead = wall > most + STEP
        if is_ahead and not self._told:
            _log.warning(
                "the clock of this machine was set forward by %.0f s: embargoes go on by the time before."
                " If it is right now, start the service again",
                wall - most,
            )
        self._told = is_ahead
        return min(wall, most)


now = Clock().now  # of this process
