"""Which runs go on: byte N of DIR/runs.lock is locked by the process of run N.

fcntl(2), locks of an open file description: the kernel frees them when the process dies, however it dies, so that a run
without an end whose byte is free was killed. A number that the system gives to another process could not tell that.
"""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path

from search.engines import EngineUnavailable
from search.engines.whoosh import lock

FILE = "runs.lock"


class Running:
    """The runs of one index folder, those of this process held here."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._own: dict[int, int] = {}  # run -> descriptor

    def add(self, run: int) -> None:
        """This process is at this run from now on."""
        descriptor = self._opened()
        lock.held.add(descriptor)  # a fork would keep it alive
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _byte(fcntl.F_WRLCK, run))
        self._own[run] = descriptor

    def remove(self, run: int) -> None:
        """It has ended."""
        descriptor = self._own.pop(run, None)
        if descriptor in lock.held:  # else it is not ours, or this is a fork, where it was closed
            lock.held.discard(descriptor)
            os.close(descriptor)

    def has(self, run: int) -> bool:
        """Whether any process is at this run."""
        descriptor = self._opened()
        try:
            found = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _byte(fcntl.F_WRLCK, run))
        finally:
            os.close(descriptor)
        return bool(struct.unpack_from("h", found)[0] != fcntl.F_UNLCK)

    def close(self) -> None:
        """This process is at no run any more."""
        for run in list(self._own):
            self.remove(run)

    def _opened(self) -> int:
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise EngineUnavailable(f"cannot open {self._path}: {problem.strerror}") from problem


def _byte(kind: int, number: int) -> bytes:
    """A `struct flock` of 64-bit Linux: type, from the beginning, start, length, pid (0 for such locks)."""
    return struct.pack("hhqqi0q", kind, os.SEEK_SET, number, 1, 0)
