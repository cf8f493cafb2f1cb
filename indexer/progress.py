"""How far a command has come: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from tqdm import tqdm

from search.engines import Progress

EVERY = 5.0  # seconds between two lines of progress where there is no terminal


@contextmanager
def shown(quiet: bool) -> Iterator[Progress | None]:
    """What tells how far it is; None where nothing is to be said."""
    if quiet:
        yield None
        return
    told = _Bar() if sys.stderr.isatty() else _Lines()
    try:
        yield told
    finally:
        told.close()


class _Bar:
    """One bar a stage, with rate and time left."""

    def __init__(self) -> None:
        self._stage = ""
        self._bar: Any = None

    def __call__(self, stage: str, done: int, of: int) -> None:
        if stage != self._stage:
            self.close()
            self._stage, self._bar = stage, tqdm(desc=stage, unit=" articles", file=sys.stderr, dynamic_ncols=True)
        self._bar.total = of or None
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class _Lines:
    """A line every few seconds, for logs."""

    def __init__(self) -> None:
        self._stage = ""
        self._begun = self._said = 0.0

    def __call__(self, stage: str, done: int, of: int) -> None:
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._begun, self._said = stage, now, now
        if now - self._said >= EVERY:
            self._said = now
            rate = done / max(now - self._begun, 0.001)
            left = f" of about {of:,}, {(of - done) / rate:,.0f} s left" if of and rate else ""
            click.echo(f"{stage}: {done:,}{left}, {rate:,.0f} articles/s", err=True)

    def close(self) -> None:
        """Nothing is open."""
