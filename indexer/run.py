"""One run over the sources: what it reads, accepts and removes, and what it reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import islice
from pathlib import Path

from indexer import plan
from indexer.acceptance import Examination, some
from indexer.fetch import is_address, without_secrets
from indexer.fetch.visits import Visits
from indexer.items import Gone, Item, Known, Listing, Remark
from indexer.plan import Seen
from indexer.reading import BATCH, Reading, batches, source
from indexer.reckoning import Reckoning
from indexer.report import Report, Stopped
from indexer.seen import SeenArticles
from indexer.sources import Read, Refused
from search import ending
from search.engines import (
    DONE,
    REFUSED,
    Change,
    Delete,
    Engine,
    EngineError,
    Held,
    IndexMissing,
    Progress,
    Put,
    RebuildRefused,
    Searchable,
)

SAME_TEXT = "the same title and text as an article read before, under another id"
KEPT = "nothing was removed: what cannot be read may still hold it"
GONE = "removed, as the site says that it is gone for good (410)"
NEWEST = "nothing was removed: a feed has its newest articles only, and the others are not gone"
VISITS = "visits.db"
MOST_LOST = 0.1  # of the articles of a path: more are rather a folder that is not mounted than an editor's decision
TELL = 100  # articles between two words about the progress
REFUSED_IS = {  # what a refusal leaves, by command
    "index": "Nothing was removed; what is new or changed is in the index",
    "reindex": "The old index goes on, and nothing of this run is kept",
}


class Run:
    """One command: what it was told, what it has seen, what it reports."""

    def __init__(
        self,
        engine: Engine,
        command: str,
        paths: Sequence[str | Path],
        reading: Reading,
        progress: Progress | None,
        name: Callable[[str, str, str | None], None] = lambda *_: None,
    ) -> None:
        self.report = Report()
        self._engine = engine
        self._command = command
        self._paths = {source(path): without_secrets(str(path)) if is_address(path) else str(path) for path in paths}
        self._given = {source(path): str(path) for path in paths}  # with the secrets
        self._reading = reading
        self._progress = progress
        self._name = name
        self._seen = SeenArticles()
        self._visits = Visits(lambda: engine.beside(VISITS), self._held_of)
        self._unread: set[str] = set()  # paths below which something cannot be read
        self._newest: set[str] = set()  # paths that have their newest articles only
        self._known: set[str] = set()  # paths of which something is as it was
        self._has_accepted = False
        self.number: int | None = None  # once it has anything to accept

    @contextmanager
    def stoppable(self) -> Iterator[None]:
        try:
            with closing(self._seen), closing(self._visits):
                yield
            self._end(DONE)
        except BaseException as problem:
            with suppress(EngineError):  # on a disk that is full it will look killed, which is near enough
                self._end(_outcome(problem))
            if isinstance(problem, KeyboardInterrupt | EngineError):
                raise Stopped(self.report) from problem
            raise

    def begin(self) -> None:
        """Begin now. Raises IndexMissing, as there is nothing to read that could make one."""
        self._engine.held([])
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
                seen, held = self._seen.of(ids), self._engine.held(ids)
                new = set(ids) - set(seen)
                todo = plan.compare(batch, held, seen, name, adopt=adopt)
                self._seen.add(seen)
                self._tell_names([put for put in todo.put if put.article.id in new], held)
                self._accept(todo.put)
                self._visits.save()
                report.added += todo.added
                report.changed += todo.changed
                report.unchanged += todo.unchanged
                report.duplicates += todo.duplicates
                report.refused += todo.refused
            self._visits.save()
            if silent and path not in self._known:
                report.silent.append(path)
        if self._progress and self._paths:
            self._progress("reading", reckoning.done, reckoning.done)

    def take_over(self, *, adopt: bool, prune: bool, force: bool) -> None:
        """Read every path, accept what is new, and remove what is gone if it is to be, unless that is too much."""
        before = {name: self._count(name) for name in self._paths} if prune and self._begun() else {}
        self.accept(adopt=adopt)
        self.report.objections += [problem for item in before.items() if (problem := self._shrunk(*item))]
        self.object(force)
        if prune:
            self._remove()

    def examine(self, examination: Examination, old: Searchable, new: Searchable) -> None:
        """See how the new generation answers."""
        self.report.findings = examination.of(old, new, self._progress)
        self.report.objections += self.report.findings.objections()

    def object(self, force: bool) -> None:
        """Go no further where anything objects. Raises RebuildRefused."""
        if self.report.objections and not force:
            raise RebuildRefused(
                f"{'; '.join(self.report.objections)}. {REFUSED_IS[self._command]}. If it is meant: --force"
            )

    def take_back(self) -> None:
        """Make everything as it was before this run."""
        self.report.is_kept = False
        if self.number is not None and self._has_accepted:
            self._engine.undo(self.number)

    def _count(self, name: str) -> int:
        return sum(1 for _ in self._engine.held_from(name))

    def _shrunk(self, name: str, held: int) -> str | None:
        """What to object to where a path has so many fewer articles than before."""
        if self._paths[name] in {*self._unread, *self._newest, *self.report.silent}:
            return None  # nothing of it is removed
        gone = [change.id for change in self._gone(name)]
        left = self._count(name) - len(gone)
        if left >= held * (1 - MOST_LOST):
            return None
        return (
            f"{self._paths[name]} had {held:,} articles and has {left:,} now, without {some(gone)} (is it all mounted?)"
        )

    def _accept(self, changes: Sequence[Change]) -> None:
        if changes:
            self._has_accepted = True
            self._engine.accept(self._opened(), changes)

    def _tell_names(self, put: Sequence[Put], held: Mapping[str, Held]) -> None:
        for one in put:
            there = held.get(one.article.id)
            if there is None or there.digest != one.digest:
                self._name("changed" if there else "added", one.article.id, one.article.title)

    def _begun(self) -> bool:
        """Whether there is an index at all."""
        try:
            self._engine.held([])
        except IndexMissing:
            return False
        return True

    def _remove(self) -> None:
        """Remove what came from these paths before and is not there now; nothing where something cannot be read."""
        for name, path in self._paths.items():
            if path in self._newest:
                self.report.note(NEWEST, path)
            elif path in self._unread:
                self.report.note(KEPT, path)
            elif path not in self.report.silent:
                gone = self._gone(name)
                while batch := list(islice(gone, BATCH)):
                    for change in batch:
                        self._name("removed", change.id, None)
                    self._accept(batch)
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
                    for change in gone:
                        self._name("removed", change.id, None)
                    self._accept(gone)
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


def _outcome(problem: BaseException) -> str:
    """What is kept of why a run did not come to its end."""
    if isinstance(problem, RebuildRefused):
        return REFUSED
    return ending.said(problem) if isinstance(problem, KeyboardInterrupt) else f"failed: {problem}"
