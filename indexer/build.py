"""Fill an index from article files: update what changed, or rebuild with what is there and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from indexer import plan, sources
from indexer.plan import Duplicate
from indexer.reckoning import Reckoning
from indexer.seen import SeenArticles
from indexer.sources import Names, Read, Refused
from search import ending
from search.engines import DONE, Delete, Engine, EngineError, IndexMissing, Progress, RebuildRefused, Run

STDIN = "-"
BATCH = 1_000  # articles accepted in one transaction, which writes the pages of the indexes that they touch once
BATCH_TEXT = 8_000_000  # characters; a batch of books ends sooner
SAME_TEXT = "the same title and text as an article read before, under another id"
KEPT = "nothing was removed: what cannot be read may still hold it"
MOST_LOST = 0.1  # of the articles of a path: more are rather a folder that is not mounted than an editor's decision
NAMED = 5  # of the articles that would go
TELL = 100  # articles between two words about the progress


@dataclass(slots=True)
class Report:
    """What a run did."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    refused: list[Refused] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    notes: dict[str, tuple[int, str]] = field(default_factory=dict)  # what -> how often, and the file of the first
    silent: list[str] = field(default_factory=list)  # paths from which nothing was read
    generation: str | None = None  # the new one, of a rebuild
    broken_off: list[Run] = field(default_factory=list)  # runs before that did not come to their end

    @property
    def read(self) -> int:
        """Articles that were read."""
        return self.added + self.changed + self.unchanged


class Stopped(Exception):
    """The run was cut short, by its cause. What `report` counts is accepted and kept."""

    def __init__(self, report: Report) -> None:
        super().__init__("stopped")
        self.report = report


def update(
    engine: Engine,
    paths: Sequence[str | Path],
    *,
    section: str | None = None,
    timezone: tzinfo = UTC,
    mapping: Names | None = None,
    stdin: BinaryIO | None = None,
    progress: Progress | None = None,
) -> Report:
    """Add what is new and replace what changed, by digest; nothing is removed.

    Raises:
        Stopped: by Ctrl-C or an EngineError.
    """
    run = _Run(engine, "index", paths, _Reading(section, timezone, mapping, stdin), progress)
    with run.stoppable(), engine.bulk():
        run.accept(adopt=False)
        if run.report.read:
            engine.catch_up(progress)
    return run.report


def rebuild(
    engine: Engine,
    paths: Sequence[str | Path] = (),
    *,
    section: str | None = None,
    timezone: tzinfo = UTC,
    mapping: Names | None = None,
    stdin: BinaryIO | None = None,
    progress: Progress | None = None,
    force: bool = False,
) -> Report:
    """Make a new generation of all that is accepted, and switch to it.

    With paths: what came from one before and is there no longer is removed first; what was pushed, or came from
    elsewhere, stays. A path from which nothing can be read loses nothing: it is rather not mounted than empty. One that
    would lose more than `MOST_LOST` of its articles stops the rebuild, unless `force` says that it is meant.

    Raises:
        Stopped: by Ctrl-C or an EngineError.
    """
    run = _Run(engine, "reindex", paths, _Reading(section, timezone, mapping, stdin), progress)
    with run.stoppable():
        if not paths:
            run.begin()
        before = {} if force else run.held()
        run.accept(adopt=True)
        run.check(before)
        run.remove()
        if run.report.read or not paths:
            run.report.generation = engine.rebuild(progress, run.number)
    return run.report


def source(path: str | Path) -> str:
    """The name under which the engine keeps where an article came from: the same however the path is written."""
    name = STDIN if str(path) == STDIN else sources.files.source(path)
    return os.fsencode(name).decode("utf-8", "replace")  # a name of other bytes than UTF-8 is no text


@dataclass(frozen=True, slots=True)
class _Reading:
    """How the sources are read."""

    section: str | None
    timezone: tzinfo
    mapping: Names | None
    stdin: BinaryIO | None


class _Run:
    """One command: what it was told, what it has seen, what it reports."""

    def __init__(
        self, engine: Engine, command: str, paths: Sequence[str | Path], reading: _Reading, progress: Progress | None
    ) -> None:
        self.report = Report()
        self._engine = engine
        self._command = command
        self._paths = {source(path): str(path) for path in paths}
        self._reading = reading
        self._progress = progress
        self._seen = SeenArticles()
        self._unread: set[str] = set()  # paths below which something cannot be read
        self.number: int | None = None  # once it has anything to accept

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        try:
            with closing(self._seen):
                yield
            self._end(DONE)
        except BaseException as problem:
            with suppress(EngineError):  # on a disk that is full it will look killed, which is near enough
                self._end(ending.said(problem) if isinstance(problem, KeyboardInterrupt) else f"failed: {problem}")
            if isinstance(problem, KeyboardInterrupt | EngineError):
                raise Stopped(self.report) from problem
            raise

    def begin(self) -> None:
        """Begin where there is an index; it makes none."""
        if self._begun():
            self._opened()

    def accept(self, *, adopt: bool) -> None:
        """Read every path, and accept what is new."""
        report, reckoning = self.report, Reckoning(self._paths.values())
        for name, path in self._paths.items():
            silent = True
            for batch in _batches(self._read(path, reckoning)):
                silent = False
                self._note(batch)
                run = self._opened()
                ids = [read.article.id for read in batch]
                seen = self._seen.of(ids)
                todo = plan.compare(batch, self._engine.held(ids), seen, name, adopt=adopt)
                self._seen.add(seen)
                self._engine.accept(run, todo.put)
                report.added += todo.added
                report.changed += todo.changed
                report.unchanged += todo.unchanged
                report.duplicates += todo.duplicates
                report.refused += todo.refused
            if silent:
                report.silent.append(path)
        if self._progress:
            self._progress("reading", reckoning.done, reckoning.done)

    def held(self) -> dict[str, int]:
        """How many articles there are of each path."""
        return {name: sum(1 for _ in self._engine.held_from(name)) for name in self._paths} if self._begun() else {}

    def check(self, before: Mapping[str, int]) -> None:
        """Refuse to go on where a path would have so many fewer articles than before.

        Raises:
            RebuildRefused: naming the first of them, and the remedy.
        """
        for name, held in before.items():
            if self._paths[name] in {*self._unread, *self.report.silent}:
                continue  # nothing of it is removed
            gone = [change.id for change in self._gone(name)]
            left = sum(1 for _ in self._engine.held_from(name)) - len(gone)
            if left < held * (1 - MOST_LOST):
                named = ", ".join(gone[:NAMED]) + (f" and {len(gone) - NAMED:,} more" if len(gone) > NAMED else "")
                raise RebuildRefused(
                    f"{self._paths[name]} had {held:,} articles and has {left:,} now, without {named}; nothing was "
                    "removed, and the old index goes on. Is everything mounted? If they are meant to go: --force"
                )

    def _begun(self) -> bool:
        """Whether there is an index at all."""
        try:
            self._engine.held([])
        except IndexMissing:
            return False
        return True

    def remove(self) -> None:
        """Remove what came from these paths before and is not there now; nothing where something cannot be read."""
        for name, path in self._paths.items():
            if path in self._unread:
                self.report.notes[KEPT] = (self.report.notes.get(KEPT, (0, path))[0] + 1, path)
            elif path not in self.report.silent:
                gone = self._gone(name)
                while batch := list(islice(gone, BATCH)):
                    self._engine.accept(self._opened(), batch)
                    self.report.removed += len(batch)

    def _gone(self, name: str) -> Iterator[Delete]:
        held = iter(self._engine.held_from(name))
        while ids := list(islice(held, BATCH)):
            yield from map(Delete, self._seen.lacking(ids))

    def _opened(self) -> int:
        """The run, begun with the first article and not before: where nothing can be read no index is made."""
        if self.number is None:
            self.number = self._engine.begin(self._command, list(self._paths))
            self.report.broken_off = self._engine.broken_off()
        return self.number

    def _end(self, outcome: str) -> None:
        if self.number is not None:
            self._engine.end(self.number, outcome)

    def _read(self, path: str, reckoning: Reckoning) -> Iterator[Read]:
        """The articles of a path; what is refused goes to the report."""
        how, report = self._reading, self.report
        for item in sources.read(
            [path], section=how.section, timezone=how.timezone, mapping=how.mapping, stdin=how.stdin
        ):
            reckoning.count(item)
            if self._progress and reckoning.done % TELL == 0:
                self._progress("reading", reckoning.done, reckoning.expected())
            if isinstance(item, Refused):
                report.refused.append(item)
                if item.unread:
                    self._unread.add(path)
                continue
            yield item

    def _note(self, batch: Sequence[Read]) -> None:
        notes = self.report.notes
        for read, same in zip(batch, self._seen.same_text([read.article for read in batch]), strict=True):
            for note in (*read.notes, SAME_TEXT) if same else read.notes:
                count, first = notes.get(note, (0, read.file))
                notes[note] = (count + 1, first)


def _batches(reads: Iterable[Read]) -> Iterator[list[Read]]:
    batch: list[Read] = []
    length = 0
    for read in reads:
        batch.append(read)
        length += len(read.article.body)
        if len(batch) == BATCH or length > BATCH_TEXT:
            yield batch
            batch, length = [], 0
    if batch:
        yield batch
