"""How far a command has come: a bar on a terminal, a step now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from tqdm import tqdm

EVERY = 5.0  # seconds between two steps that are told where there is no terminal
UNITS = {
    "merging": "segments",
    "checking": "files",
    "asking the old one": "queries",
    "asking the new one": "queries",
    "generations": "generations",
    "versions": "versions",
}
UNIT = "articles"  # of every other stage


class Bar:
    """One bar a stage, with rate and time left."""

    def __init__(self) -> None:
        self._stage = ""
        self._bar: Any = None

    def __call__(self, stage: str, done: int, of: int) -> None:
        if stage != self._stage:
            self.close()
            unit = f" {UNITS.get(stage, UNIT)}"
            self._stage, self._bar = stage, tqdm(desc=stage, unit=unit, file=sys.stderr, dynamic_ncols=True)
        self._bar.total = of or None
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Leave the last bar as it is."""
        if self._bar is not None:
            self._bar.close()


class Steps:
    """Tells `say` every few seconds of the stage, how much is done, of how much, the rate, and the seconds left."""

    def __init__(self, say: Callable[[Mapping[str, Any]], None]) -> None:
        self._say = say
        self._stage = ""
        self._begun = self._said = 0.0

    def __call__(self, stage: str, done: int, of: int) -> None:
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._begun, self._said = stage, now, now
        if now - self._said >= EVERY:
            self._said = now
            rate = done / max(now - self._begun, 0.001)
            left = round((of - done) / rate) if of and rate else None
            unit = UNITS.get(stage, UNIT)
            self._say({"stage": stage, "done": done, "of": of or None, "unit": unit, "rate": round(rate), "left": left})

    def close(self) -> None:
        """Nothing is open."""
