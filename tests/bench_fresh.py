"""What is measured in a process of its own: the memory it takes, its first answer, and those that follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby, islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TypeVar

import bench_measure
import bench_queries
from bench_ours import Ours
from bench_queries import Asked

import search.engines.whoosh  # noqa: F401  `connect` imports it, and the first answer is measured without imports

EVERY = 0.1  # seconds between two looks at the memory
SPAWN = get_context("spawn")  # a fork would share the memory of this process
T = TypeVar("T")
_open: list[Ours] = []  # in a process that answers


@dataclass(slots=True)
class Memory:
    """Bytes (PSS) of a process and all below it: the most that was seen, and when its work was done."""

    peak: int = 0
    last: int = 0

    def look(self, process: int) -> None:
        self.last = sum(map(_pss, _tree(process)))
        self.peak = max(self.peak, self.last)


@dataclass(frozen=True, slots=True)
class Served:
    """Seconds from opening the index to the first answer, and the p50 of each kind of queries."""

    first: float
    p50s: Mapping[str, float]


def run(task: Callable[..., T], *arguments: object, memory: Memory | None = None) -> T:
    """What the task returns, in a fresh process that has imported what this one has; `memory` is looked at."""
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_run, args=(theirs, task, arguments))
    process.start()
    theirs.close()
    try:
        if memory:
            while not ours.poll(EVERY):
                memory.look(process.pid)
            memory.look(process.pid)
        done: T = ours.recv()
        ours.send(None)
    except (EOFError, ConnectionError):
        raise SystemExit(f"{task.__name__} failed, see above") from None
    finally:
        ours.close()
        process.join()
    return done


def _run(connection: Connection, task: Callable[..., object], arguments: Sequence[object]) -> None:
    connection.send(task(*arguments))
    connection.recv()  # the memory is looked at once more


def _tree(process: int) -> list[int]:
    """A process and all below it. `/proc/*/task/*/children` is not in every kernel."""
    above: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            above[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    tree = [process]
    for one in tree:
        tree += [below for below, parent in above.items() if parent == one]
    return tree


def _pss(process: int) -> int:
    with suppress(OSError), Path(f"/proc/{process}/smaps_rollup").open() as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return 0


# The tasks


def index(folder: Path, file: Path) -> float:
    """Index the file; seconds."""
    begun = perf_counter()
    Ours(folder).index(file)
    return perf_counter() - begun


def draw(folder: Path, file: Path, articles: int, each: int | None = None) -> list[Asked]:
    """Queries of every kind that find something in this index; so many of each, if not all."""
    ours = Ours(folder)
    drawn = bench_queries.draw(file, articles, [ours])
    ours.close()
    return [asked for _, alike in groupby(drawn, lambda asked: asked.kind) for asked in islice(alike, each)]


def serve(folder: Path, queries: Sequence[Asked]) -> Served:
    """Answer them all. The index stays open: the memory is looked at once more when this is done."""
    begun = perf_counter()
    ours = Ours(folder)
    ours.ask(queries[0])
    first = perf_counter() - begun
    _open.append(ours)
    return Served(first, p50s(queries, bench_measure.ask([ours], queries)[ours.name].times))


def p50s(queries: Sequence[Asked], times: Mapping[Asked, float]) -> dict[str, float]:
    """The p50 of the times of each kind."""
    grouped = groupby(queries, lambda asked: asked.kind)
    return {kind: median(times[asked] for asked in alike) for kind, alike in grouped}
