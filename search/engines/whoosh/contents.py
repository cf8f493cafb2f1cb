"""The table of contents of a generation: which segments it has now. Writing a new one is the commit.

A commit is durable step by step: the files of new segments, then the table of contents under a new name, then the
manifest. A crash between any two leaves the old table or the new one.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from whoosh.filedb.filestore import FileStorage
from whoosh.filedb.structfile import StructFile
from whoosh.index import _DEF_INDEX_NAME as NAME
from whoosh.index import TOC, EmptyIndexError, clean_files

from search.engines import EngineUnavailable, IndexCorrupt
from search.engines.whoosh import durable, generations
from search.engines.whoosh.codec import Segment
from search.engines.whoosh.refusals import REMEDY
from search.engines.whoosh.schema import schema


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
        _check(generation, storage)
        return TOC.read(storage, NAME)
    except EmptyIndexError as problem:
        raise IndexCorrupt(f"{generation} has no table of contents; {REMEDY}") from problem
    except (OSError, EngineUnavailable):
        raise
    except Exception as problem:  # Whoosh unpickles: a damaged file can raise anything
        raise IndexCorrupt(f"{generation}: the table of contents is damaged ({problem!r}); {REMEDY}") from problem
    finally:
        storage.let_go()


def _check(generation: Path, storage: DurableStorage) -> None:
    """Raise IndexCorrupt where the manifest knows this table and has another checksum. A newer one it knows not yet."""
    name = TOC._filename(NAME, TOC._latest_generation(storage, NAME))
    known = _manifest(generation).files.get(name)
    if known and generations.measure(generation, [name])[name] != known:
        raise IndexCorrupt(f"{generation / name} is not as it was written; {REMEDY}")


def applied(generation: Path, toc: TOC | None = None) -> int:
    """The sequence number up to which the generation holds the store's rows, as this table of its contents says."""
    # The segments carry it, so that it is committed with them; an index without segments has the manifest alone.
    segments = (toc or table(generation)).segments
    return max(one.applied for one in segments) if segments else _manifest(generation).last


def commit(generation: Path, segments: list[Segment], seq: int) -> None:
    """Make these the segments of the generation, as its state after row `seq`. Their files are in its folder."""
    storage = DurableStorage(str(generation))
    number = table(generation).generation + 1
    for one in segments:
        one.applied = seq
    durable.sync_folder(generation)  # the names of the new segments, before a table names them
    TOC(schema(), segments, number).write(storage, NAME)
    _clean(generation, storage, number, segments)


def _clean(generation: Path, storage: DurableStorage, number: int, segments: list[Segment]) -> None:
    """Remove what the table of this number does not name."""
    for left in generation.glob("_*.toc.*"):  # of a crash; Whoosh removes other left-overs, but not these
        left.unlink()
    clean_files(storage, NAME, number, segments)


def complete(generation: Path, seq: int) -> None:
    """Write the manifest of the generation as it is after row `seq`: from now on it counts as a whole one."""
    toc = table(generation)
    _clean(generation, DurableStorage(str(generation)), toc.generation, toc.segments)  # of a crash after the commit
    manifest = _manifest(generation)
    generations.write_manifest(
        generation,
        replace(
            manifest,
            last=seq,
            articles=sum(one.doc_count() for one in toc.segments),
            files=generations.measure(generation, _files(generation, toc), manifest.files),
        ),
    )


def finish(generation: Path) -> None:
    """Have the manifest tell of the last commit: it is written after it, and a crash may come between."""
    known = (generation / generations.MANIFEST).exists() and set(_manifest(generation).files)
    if known != set(_files(generation, table(generation))):
        complete(generation, applied(generation))


def _files(generation: Path, toc: TOC) -> list[str]:
    return [one.file(generation).name for one in toc.segments] + [TOC._filename(NAME, toc.generation)]


def _manifest(generation: Path) -> generations.Manifest:
    """The manifest, or that of a generation being filled for the first time."""
    if not (generation / generations.MANIFEST).exists():
        return generations.Manifest(created=datetime.now(UTC), last=0, articles=0)
    return generations.read_manifest(generation)
