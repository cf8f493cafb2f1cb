"""End a command that SIGTERM is sent to as Ctrl-C ends it: what it began it puts in order, and says so."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED, TERMINATED = 130, 143  # exit codes: 128 and the number of the signal, as shells have it


class Terminated(KeyboardInterrupt):
    """SIGTERM came."""


def code(problem: KeyboardInterrupt) -> int:
    """The exit code of a command that was ended so."""
    return TERMINATED if isinstance(problem, Terminated) else INTERRUPTED


def said(problem: KeyboardInterrupt) -> str:
    """What ended it, in words."""
    return "ended by SIGTERM" if isinstance(problem, Terminated) else "ended by Ctrl-C"


@contextmanager
def by_sigterm() -> Iterator[None]:
    """Within, SIGTERM raises Terminated. For the main thread, as signals are."""
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise Terminated
