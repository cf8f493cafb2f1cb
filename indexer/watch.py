"""Follow folders and addresses: index what changes there, until it is ended."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from indexer.fetch import is_address, without_secrets
from indexer.report import Report, Stopped
from indexer.sources import Refused, files, is_wanted

LOOK = 2.0  # seconds between two looks at a folder: a file that is the same in both is written to its end
SHARE = 20  # times as long as a look takes passes before the next: of 100,000 files, for one
AGAIN = 60.0  # seconds after something failed
LONGEST = 24 * 3600.0  # seconds between two questions, whatever the server asks for
SPREAD = 0.1  # of the interval, at random: not all who follow a site shall ask it at the full minute

_Signature = tuple[int, int, int]


class Update(Protocol):
    """Index one path, or these files of it alone. Raises Stopped."""

    def __call__(self, path: str, only: Collection[Path] | None = None, *, prune: bool = False) -> Report: ...


@dataclass(slots=True)
class _Folder:
    """Files, looked at again and again: so it works on every disk and network, and misses nothing that was moved here.

    The system's own notices would tell of a change sooner, but not over a network, not when there are too many, and
    never when a file is complete.
    """

    path: str
    update: Update
    prune: bool
    clock: Callable[[], float]
    done: dict[Path, _Signature] = field(default_factory=dict)  # as they were when they were read
    before: dict[Path, _Signature] | None = None  # as they were at the last look
    problems: tuple[str, ...] = ()

    def poll(self) -> tuple[list[Report], float]:
        begun = self.clock()
        now, problems = _look(self.path)
        again = max(LOOK, SHARE * (self.clock() - begun))
        reports = [Report(refused=[Refused(self.path, None, said) for said in problems if said not in self.problems])]
        if self.before is None:
            reports.append(self.update(self.path, prune=self.prune))
            self.done = dict(now)
        else:
            reports += self._changed(now, is_whole=not problems)
        self.before, self.problems = now, problems
        return reports, again

    def _changed(self, now: dict[Path, _Signature], *, is_whole: bool) -> Iterable[Report]:
        before = self.before or {}
        rested = {file for file, seen in now.items() if before.get(file) == seen != self.done.get(file)}
        if rested:
            yield self.update(self.path, rested)
            self.done |= {file: now[file] for file in rested}
        gone = self.done.keys() - now.keys() - before.keys()
        if gone and is_whole and (not self.prune or now == before):  # nothing is pruned while files are written
            if self.prune:
                yield self.update(self.path, prune=True)
            for file in gone:
                del self.done[file]


@dataclass(slots=True)
class _Address:
    """An address, asked again and again, and no more often than its site wants."""

    path: str
    update: Update
    prune: bool
    every: float
    spread: Callable[[float, float], float]

    def poll(self) -> tuple[list[Report], float]:
        report = self.update(self.path, prune=self.prune)
        interval = min(max(self.every, report.again), LONGEST)
        return [report], interval * self.spread(1 - SPREAD, 1 + SPREAD)


class Told(Protocol):
    """What is told of a path: what was done, or why nothing could be done."""

    def polled(self, path: str, report: Report) -> None: ...

    def failed(self, path: str, problem: BaseException, again: float) -> None: ...


def watch(
    paths: Iterable[str],
    update: Update,
    told: Told,
    *,
    every: float,
    prune: bool = False,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    spread: Callable[[float, float], float] = random.uniform,
) -> None:
    """Index each of the paths, and then what changes there, one after the other.

    It ends by Ctrl-C and SIGTERM alone: what fails is told, and tried again.
    """
    followed: list[_Folder | _Address] = [
        _Address(path, update, prune, every, spread) if is_address(path) else _Folder(path, update, prune, clock)
        for path in paths
    ]
    due = dict.fromkeys(range(len(followed)), clock())
    try:
        while True:
            which = min(due, key=due.__getitem__)
            one = followed[which]
            if (wait := due[which] - clock()) > 0:
                sleep(wait)
            try:
                reports, again = one.poll()
                for report in reports:
                    told.polled(without_secrets(one.path), report)
            except Stopped as stopped:
                told.polled(without_secrets(one.path), stopped.report)
                problem = stopped.__cause__ or stopped
                if isinstance(problem, KeyboardInterrupt):
                    return
                again = max(AGAIN, every if is_address(one.path) else 0)
                told.failed(without_secrets(one.path), problem, again)
            due[which] = clock() + again
    except KeyboardInterrupt:
        return


def _look(path: str) -> tuple[dict[Path, _Signature], tuple[str, ...]]:
    """The files of a path as they are now, and what of it cannot be read."""
    found: dict[Path, _Signature] = {}
    problems: list[str] = []
    for file in files.find(path, is_wanted):
        if isinstance(file, Refused):
            problems.append(file.reason)
            continue
        try:
            status = file.path.stat()
        except FileNotFoundError:  # gone between the two questions
            continue
        except OSError as error:
            problems.append(files.unreadable(file.path, error).reason)
            continue
        found[file.path] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found, tuple(dict.fromkeys(problems))
