"""Apply the rows of the store to a generation: new segments, deletions, merges, and one table of contents a commit.

A commit is durable step by step: the files of new segments, then the table of contents under a new name, then the
manifest. A crash between any two leaves the old table or the new one, and rows are applied again without harm, as a
row says what an article is now and not how it changed.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from whoosh.filedb.filestore import FileStorage
from whoosh.filedb.structfile import StructFile
from whoosh.index import _DEF_INDEX_NAME as NAME
from whoosh.index import TOC, EmptyIndexError, clean_files

from search.article import tie_break
from search.engines import IndexCorrupt, Progress
from search.engines.whoosh import arrays, durable, generations, merge, segment
from search.engines.whoosh.codec import Segment
from search.engines.whoosh.schema import schema
from search.engines.whoosh.store import Row, Store

FLUSH_CHARACTERS = 24_000_000  # gathered before a segment is written: 4 million words, 10,000 articles of a newspaper
READ_ROWS = 500
MERGE_AT = 4  # segments of one size class are merged when there are so many
MERGE_TOKENS = 20_000_000  # no segment grows beyond this by merging: memory is bounded, whatever the corpus


class DurableStorage(FileStorage):  # type: ignore[misc]
    """Whoosh's files, with the fsyncs that Whoosh leaves out (it has none), and closed where it leaves them open."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._opened: list[StructFile] = []

    def open_file(self, name: str, **values: Any) -> StructFile:
        self._opened.append(super().open_file(name, **values))
        return self._opened[-1]

    def let_go(self) -> None:
        """Close what was opened: reading a damaged table ends before Whoosh closes it."""
        for file in self._opened:
            if not file.is_closed:
                file.close()

    def rename_file(self, oldname: str, newname: str, safe: bool = False) -> None:
        """Called for the table of contents, the one file that Whoosh itself writes here."""
        if safe and self.file_exists(newname):
            raise IndexCorrupt(f"{self._fpath(newname)} is there already: is another program writing to this index?")
        with Path(self._fpath(oldname)).open("rb") as file:
            os.fsync(file.fileno())
        durable.rename(Path(self._fpath(oldname)), Path(self._fpath(newname)))


def create(generation: Path) -> None:
    """Make an empty index in this folder."""
    TOC.create(DurableStorage(str(generation)), schema(), NAME)


def table(generation: Path) -> TOC:
    """The table of contents as it is now. Raises IndexCorrupt."""
    storage = DurableStorage(str(generation))
    try:
        return TOC.read(storage, NAME)
    except EmptyIndexError as problem:
        raise IndexCorrupt(f"{generation} has no table of contents; {arrays.REMEDY}") from problem
    except OSError:
        raise
    except Exception as problem:  # Whoosh unpickles: a damaged file can raise anything
        raise IndexCorrupt(
            f"{generation}: the table of contents is damaged ({problem!r}); {arrays.REMEDY}"
        ) from problem
    finally:
        storage.let_go()


def applied(generation: Path) -> int:
    """The sequence number up to which the generation holds the store's rows."""
    # The segments carry it, so that it is committed with them; an index without segments has the manifest alone.
    return max((one.applied for one in table(generation).segments), default=_manifest(generation).last)


def catch_up(generation: Path, store: Store, progress: Progress | None = None, until: int | None = None) -> int:
    """Apply the rows after the generation's own number, all or up to `until`; how many. Hold the writer lock."""
    start, last = applied(generation), store.last() if until is None else until
    commit = _Commit(generation)
    done = 0
    seq = start
    while rows := store.rows_after(seq, READ_ROWS, until):
        for row in rows:
            commit.apply(row)
        seq = rows[-1].seq
        done += len(rows)
        if progress:
            progress("indexing", done, max(last - start, done))
        if commit.full:
            commit.write(seq)
            commit = _Commit(generation)
    if done:
        commit.write(seq)
    if done or not _is_complete(generation):
        complete(generation, seq)
    return done


def fill(generation: Path, store: Store, until: int, progress: Progress | None = None) -> None:
    """Put the newest version of every article, as of row `until`, into an empty generation."""
    commit = _Commit(generation)
    total = store.counts().articles
    for done, row in enumerate(store.newest(until), 1):
        commit.apply(row)
        if progress and done % READ_ROWS == 0:
            progress("indexing", done, total)
        if commit.full:
            commit.write(row.seq)
            commit = _Commit(generation)
    commit.write(until)
    if progress:
        progress("indexing", total, total)


def complete(generation: Path, seq: int) -> None:
    """Write the manifest of the generation as it is after row `seq`: from now on it counts as a whole one."""
    toc = table(generation)
    manifest = _manifest(generation)
    files = _files(generation, toc)
    generations.write_manifest(
        generation,
        generations.Manifest(
            created=manifest.created,
            last=seq,
            articles=sum(one.doc_count() for one in toc.segments),
            files=generations.measure(generation, files, manifest.files),
        ),
    )


def _is_complete(generation: Path) -> bool:
    """Whether the manifest tells of the last commit: it is written after it, and a crash may come between."""
    manifest = generations.MANIFEST
    return (generation / manifest).exists() and set(_manifest(generation).files) == set(
        _files(generation, table(generation))
    )


def _files(generation: Path, toc: TOC) -> list[str]:
    return [one.file(generation).name for one in toc.segments] + [TOC._filename(NAME, toc.generation)]


class _Commit:
    """What the next commit of a generation will hold."""

    def __init__(self, generation: Path) -> None:
        self._generation = generation
        self._batch = segment.Batch()
        self._place: dict[str, int] = {}  # id -> document of the batch
        self._dead: set[int] = set()  # documents of the batch that a later row replaced
        self._changed: set[str] = set()

    @property
    def full(self) -> bool:
        return self._batch.characters >= FLUSH_CHARACTERS

    def apply(self, row: Row) -> None:
        self._changed.add(row.id)
        before = self._place.pop(row.id, None)
        if before is not None:
            self._dead.add(before)
        if row.article is not None:
            self._place[row.id] = len(self._batch)
            self._batch.add(row.seq, row.article)

    def write(self, seq: int) -> None:
        """Commit it, as the state after row `seq`."""
        toc = table(self._generation)
        _sweep(self._generation)
        segments: list[Segment] = list(toc.segments)
        for one in segments:
            one.deleted |= find(arrays.Arrays(one.file(self._generation)), self._changed)
        if len(self._batch):
            segments.append(_write(self._generation, self._batch.arrays(), self._dead))
        segments = _merged(self._generation, [one for one in segments if one.doc_count()])
        for one in segments:
            one.applied = seq
        _commit(self._generation, segments, toc.generation + 1)


def find(one: arrays.Arrays, ids: Iterable[str]) -> set[int]:
    """The documents of a segment that have these ids, deleted ones too."""
    wanted = list(ids)
    ties = np.array([tie_break(id) for id in wanted], dtype=np.uint64)
    by_tie = one["doc.by_tie"]
    texts = arrays.Strings.of(one, "doc.ids")
    left = np.searchsorted(one["doc.tie"], ties, "left", sorter=by_tie)
    right = np.searchsorted(one["doc.tie"], ties, "right", sorter=by_tie)
    return {
        int(by_tie[place])
        for i in np.flatnonzero(left < right)
        for place in range(left[i], right[i])
        if texts[int(by_tie[place])] == wanted[i]
    }


def _write(generation: Path, content: dict[str, arrays.Array], dead: set[int]) -> Segment:
    new = Segment(NAME, len(content["doc.seq"]))
    new.deleted = set(dead)
    arrays.write(new.file(generation), content)
    return new


def _merged(generation: Path, segments: list[Segment]) -> list[Segment]:
    """The segments after the merges that are due.

    Of one size class (a power of MERGE_AT) fewer than MERGE_AT are left: an article is rewritten once a class, and the
    segments grow in number with the logarithm of the articles. Beyond MERGE_TOKENS words together they are left alone,
    so that a large archive has one segment for some 25,000 articles. One of which half is deleted is rewritten alone.
    """
    while due := _due(generation, segments):
        opened = [arrays.Arrays(one.file(generation)) for one in due]
        together = _write(generation, merge.merge(opened, [one.live() for one in due]), set())
        place = segments.index(due[0])
        segments = [one for one in segments if one not in due]
        segments.insert(place, together)
    return segments


def _due(generation: Path, segments: Sequence[Segment]) -> list[Segment]:
    for one in segments:
        if one.deleted_count() * 2 > one.doc_count_all():
            return [one]
    classes: dict[int, list[Segment]] = {}
    for one in segments:
        classes.setdefault(int(math.log(max(one.doc_count(), 1), MERGE_AT)), []).append(one)
    for _, members in sorted(classes.items()):
        if len(members) >= MERGE_AT:
            tokens = {one: len(arrays.Arrays(one.file(generation))["occ.pos"]) for one in members}
            smallest = sorted(members, key=tokens.__getitem__)[:MERGE_AT]
            if sum(tokens[one] for one in smallest) <= MERGE_TOKENS:
                return smallest
    return []


def _commit(generation: Path, segments: list[Segment], number: int) -> None:
    storage = DurableStorage(str(generation))
    durable.sync_folder(generation)  # the names of the new segments, before a table names them
    TOC(schema(), segments, number).write(storage, NAME)
    clean_files(storage, NAME, number, segments)


def _manifest(generation: Path) -> generations.Manifest:
    """The manifest, or that of a generation being filled for the first time."""
    if not (generation / generations.MANIFEST).exists():
        return generations.Manifest(created=datetime.now(UTC), last=0, articles=0)
    return generations.read_manifest(generation)


def _sweep(generation: Path) -> None:
    """Remove temporary tables of contents that a crash left; Whoosh removes other left-overs, but not these."""
    for left in generation.glob("_*.toc.*"):
        left.unlink()
