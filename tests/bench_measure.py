"""How `make bench` measures: one index after the other, and queries with the engines taking turns."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from bench_queries import Asked, Engine

ROUNDS = 3  # passes over all queries; of each query the best counts
BLOCK = 20  # queries that an engine answers before it is another's turn


@dataclass(frozen=True, slots=True)
class Built:
    """An index: seconds that it took, and bytes on the disk."""

    seconds: float
    size: int


@dataclass(frozen=True, slots=True)
class Answered:
    """What one engine made of the queries: best seconds and total of each."""

    times: dict[Asked, float] = field(default_factory=dict)
    totals: dict[Asked, int] = field(default_factory=dict)


def build(engine: Engine, file: Path, folder: Path) -> Built:
    """Index the file with an engine that keeps everything in this folder."""
    os.sync()  # what the engine before left to be written
    begun = perf_counter()
    engine.index(file)
    seconds = perf_counter() - begun
    return Built(seconds, sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()))


def ask(engines: Sequence[Engine], queries: Sequence[Asked]) -> Mapping[str, Answered]:
    """The answers by the name of the engine.

    A pass asks every query once, so that none has just been asked; engines take turns in blocks, so that all have their
    share of what else the machine does, and none begins each query with the caches that another left.
    """
    answered = {engine.name: Answered() for engine in engines}
    random_ = random.Random(11)
    for _ in range(ROUNDS):
        shuffled = random_.sample(queries, len(queries))
        for at in range(0, len(shuffled), BLOCK):
            for engine in random_.sample(engines, len(engines)):
                for asked in shuffled[at : at + BLOCK]:
                    _ask(engine, asked, answered[engine.name])
    return answered


def _ask(engine: Engine, asked: Asked, answered: Answered) -> None:
    begun = perf_counter()
    total = engine.ask(asked)
    seconds = perf_counter() - begun
    answered.times[asked] = min(seconds, answered.times.get(asked, seconds))
    answered.totals[asked] = total
