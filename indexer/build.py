"""Fill an index from article files: update what changed, or rebuild with what is there and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, tzinfo
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from indexer import plan
from indexer.fetch import Fetcher, is_address, without_secrets
from indexer.fetch.visits import Visits
from indexer.items import Gone, Item, Known, Listing, Remark
from indexer.plan import Seen
from indexer.reading import BATCH, Reading, batches, source
from indexer.reckoning import Reckoning
from indexer.report import Report, Stopped
from indexer.seen import SeenArticles
from indexer.sources import Names, Read, Refused
from search import ending
from search.engines import DONE, Delete, Engine, EngineError, Held, IndexMissing, Progress, RebuildRefused

SAME_TEXT = "the same title and text as an article read before, under another id"
KEPT = "nothing was removed: what cannot be read may still hold it"
GONE = "removed, as the site says that it is gone for good (410)"
NEWEST = "nothing was removed: a feed has its newest articles only, and the others are not gone"
VISITS = "visits.db"
MOST_LOST = 0.1  # of the articles of a path: more are rather a folder that is not mounted than an editor's decision
NAMED = 5  # of the articles that would go
TELL = 100  # articles between two words about the progress


def update(
    engine: Engine,
    paths: Sequence[str | Path],
    *,
    section: str | None = None,
    timezone: tzinfo = UTC,
    mapping: Names | None = None,
    stdin: BinaryIO | None = None,
    fetcher: Fetcher | None = None,
    progress: Progress | None = None,
    prune: bool = False,
    force: bool = False,
    only: Collection[Path] | None = None,
) -> Report:
    """Add what is new and replace what changed, by digest; nothing is removed but what its site says is gone (410).

    `prune`: what came from one of the paths before and is there no longer is removed, by the rules of `rebuild`.
    `only`: of the files of the paths these alone are read.

    Raises:
        Stopped: by Ctrl-C or an EngineError.
    """
    reading = Reading(section, timezone, mapping, stdin, fetcher, prune=prune, only=only)
    run = _Run(engine, "index", paths, reading, progress)
    with run.stoppable(), engine.bulk():
        before = run.held() if prune and not force else {}
        run.accept(adopt=False)
        try:
            if prune:
                run.check(before)
                run.remove()
        finally:
            if run.report.read or run.report.removed:
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
    fetcher: Fetcher | None = None,
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
    run = _Run(engine, "reindex", paths, Reading(section, timezone, mapping, stdin, fetcher, afresh=True), progress)
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


class _Run:
    """One command: what it was told, what it has seen, what it reports."""

    def __init__(
        self, engine: Engine, command: str, paths: Sequence[str | Path], reading: Reading, progress: Progress | None
    ) -> None:
        self.report = Report()
        self._engine = engine
        self._command = command
        self._paths = {source(path): without_secrets(str(path)) if is_address(path) else str(path) for path in paths}
        self._given = {source(path): str(path) for path in paths}  # with the secrets
        self._reading = reading
        self._progress = progress
        self._seen = SeenArticles()
        self._visits = Visits(lambda: engine.beside(VISITS), self._held_of)
        self._unread: set[str] = set()  # paths below which something cannot be read
        self._newest: set[str] = set()  # paths that have their newest articles only
        self._known: set[str] = set()  # paths of which something is as it was
        self.number: int | None = None  # once it has anything to accept

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        try:
            with closing(self._seen), closing(self._visits):
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
            for batch in batches(self._read(name, path, reckoning)):
                silent = False
                self._note(batch)
                if adopt or not self._begun() or self._engine.broken_off():
                    self._opened()
                ids = [read.article.id for read in batch]
                seen = self._seen.of(ids)
                todo = plan.compare(batch, self._engine.held(ids), seen, name, adopt=adopt)
                self._seen.add(seen)
                if todo.put:
                    self._engine.accept(self._opened(), todo.put)
                self._visits.save()
                report.added += todo.added
                report.changed += todo.changed
                report.unchanged += todo.unchanged
                report.duplicates += todo.duplicates
                report.refused += todo.refused
            self._visits.save()
            if silent and path not in self._known:
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
            if self._paths[name] in {*self._unread, *self._newest, *self.report.silent}:
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
            if path in self._newest:
                self.report.note(NEWEST, path)
            elif path in self._unread:
                self.report.note(KEPT, path)
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

    def _held_of(self, ids: Iterable[str]) -> Mapping[str, Held]:
        return self._engine.held(ids) if self._begun() else {}

    def _read(self, name: str, path: str, reckoning: Reckoning) -> Iterator[Read]:
        """The articles of a path; what else is said of it goes to the report."""
        for item in self._reading.items(self._given[name], self._visits):
            if isinstance(item, Read | Refused | Known):
                reckoning.count(item)
                if self._progress and (reckoning.done % TELL == 0 or is_address(path)):
                    self._progress("reading", reckoning.done, reckoning.expected())
            if isinstance(item, Read):
                yield item
            else:
                self._hear(item, name, path, reckoning)

    def _hear(self, item: Item, name: str, path: str, reckoning: Reckoning) -> None:
        """What is said of a path and is no article."""
        report = self.report
        match item:
            case Refused():
                report.refused.append(item)
                if item.unread:
                    self._unread.add(path)
            case Known():
                self._known.add(path)
                report.unchanged += len(self._seen.lacking(item.ids))
                self._seen.add({id: Seen(item.file, None, "") for id in item.ids})
            case Gone():
                held = self._held_of(item.ids)
                gone = [Delete(id) for id in item.ids if id in held and held[id].source == name]
                if gone:
                    self._engine.accept(self._opened(), gone)
                    report.note(GONE, item.file)
                report.removed += len(gone)
                report.gone += len(gone)
            case Listing():
                reckoning.pages += item.pages
                report.again = max(report.again, item.again)
                if item.newest:
                    self._newest.add(path)
                    if self._reading.prune:
                        raise RebuildRefused(f"{path}: {NEWEST}; prune the sitemap of the site instead")
            case Remark():
                report.note(item.text, item.file)

    def _note(self, batch: Sequence[Read]) -> None:
        for read, same in zip(batch, self._seen.same_text([read.article for read in batch]), strict=True):
            for note in (*read.notes, SAME_TEXT) if same else read.notes:
                self.report.note(note, read.file)
