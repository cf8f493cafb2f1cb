"""Let one process at a time write, and say to the others who it is.

flock(2): the kernel frees it when its holder dies, however it dies; what the file then says is harmless. It holds
between the threads of a process too. It is advisory and local: an index does not belong on NFS.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from search.engines import EngineUnavailable, IndexLocked, IndexMissing

UNITS = (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1))  # and the next smaller one
POLL = 0.05  # seconds between two tries: far below what a person notices, far above what it costs

# O_CLOEXEC closes the descriptor in a program that is started; a fork that starts none would keep the lock alive
# after its parent (three of 25 kills of Whoosh's own multi-process writer ended so), hence the hook below.
held: set[int] = set()


def _let_go_in_fork() -> None:
    for descriptor in held:
        os.close(descriptor)
    held.clear()


os.register_at_fork(after_in_child=_let_go_in_fork)


@contextmanager
def hold(path: Path, what: str, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock at `path` while `what` (the command, for the others to read) goes on; try for `wait` seconds.

    Raises:
        IndexLocked: naming the holder.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        raise IndexMissing(f"there is no index at {path.parent}: `broadsheet index PATH` makes one") from None
    except OSError as problem:
        raise EngineUnavailable(f"cannot open {path}: {problem.strerror}") from problem
    held.add(descriptor)
    try:
        _take(descriptor, path, what, wait)
        _sign(descriptor, what)
        yield
    finally:
        if descriptor in held:  # else this is a fork: the hook has closed it, the number may be another file's by now
            held.discard(descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_UN)  # for a fork that has not yet come to its hook
            os.close(descriptor)


def _take(descriptor: int, path: Path, what: str, wait: float) -> None:
    deadline = time.monotonic() + wait
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                message = f"{what} cannot start: {path} is held by {_holder(path)}; let it finish, or end it"
                raise IndexLocked(message) from None
        time.sleep(POLL)


def _sign(descriptor: int, what: str) -> None:
    card = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "command": what,
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(card).encode(), 0)


def _holder(path: Path) -> str:
    """Who holds it, in words. The card may be a moment late or half written: then it is not named."""
    try:
        card = json.loads(path.read_bytes())
        age = datetime.now(UTC) - datetime.fromisoformat(card["since"])
        return f"process {card['pid']} on {card['host']} ({card['command']}, for {lasting(age)})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def lasting(age: timedelta) -> str:
    """So long, in the two units that fit."""
    seconds = max(0, int(age.total_seconds()))
    for unit, length, part, of in UNITS:
        if seconds >= length:
            rest = seconds % length // of
            return f"{seconds // length} {unit}" + (f" {rest} {part}" if rest else "")
    return f"{seconds} s"
