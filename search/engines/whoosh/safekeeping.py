"""What of an index folder cannot be made again, copied out of it while others write; and the same put in its place."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from search.engines import EngineError
from search.engines.whoosh import contents, database, durable, generations, store, takedowns

RESTORING = "restoring"


def copy(source: Path, target: Path) -> None:
    """Copy a store in one instant, while others read and write it; the copy has no log beside it, and lasts."""
    with (
        database.translated(source),
        closing(database.connect(source)) as db,
        database.translated(target),
        closing(sqlite3.connect(target, isolation_level=None)) as new,
    ):
        db.backup(new)  # all pages in one step: in several it begins again with every change by another process
        new.execute("PRAGMA journal_mode = DELETE")


def sweep(folder: Path) -> None:
    """Remove what a restore that was killed has left. Hold the rebuild lock."""
    shutil.rmtree(folder / RESTORING, ignore_errors=True)


@contextmanager
def workshop(folder: Path, copied: IO[bytes]) -> Iterator[Path]:
    """A folder within, with this store, where an index can be made of it before anybody sees it."""
    sweep(folder)
    inside = folder / RESTORING
    durable.make_folder(inside)
    try:
        with (inside / store.FILE).open("wb") as file:
            shutil.copyfileobj(copied, file)
            os.fsync(file.fileno())
        with database.translated(inside / store.FILE), closing(database.connect(inside / store.FILE)) as db:
            db.execute("PRAGMA journal_mode = WAL")
        yield inside
    finally:
        sweep(folder)


def adopt(folder: Path, inside: Path, seen: int) -> str | None:
    """Let what was taken down since the copy was made stay so; or why the store that is there cannot be asked.

    Rows get greater numbers than any that it has, or that readers have `seen`: a number never stands for two versions.
    """
    there, here = folder / store.FILE, inside / store.FILE
    with database.translated(here), closing(database.connect(here)) as new:
        _number_from(new, "articles", seen)
        if not there.exists():
            return None
        try:
            with database.translated(there), closing(database.connect(there)) as old, new.transaction():
                takedowns.adopt(new, old)
                numbers = "SELECT name, seq FROM sqlite_sequence WHERE name IN ('articles', 'runs')"
                for table, last in old.execute(numbers).fetchall():
                    _number_from(new, table, last)
        except EngineError as problem:
            return str(problem)
    return None


def _number_from(db: database.Connection, table: str, last: int) -> None:
    """The next row of the table gets a number greater than this one."""
    db.execute(
        "INSERT INTO sqlite_sequence (name, seq) SELECT ?1, 0"
        " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)",
        (table,),
    )
    db.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (last, table))


def swap(folder: Path, inside: Path, name: str, announce: Callable[[int], None]) -> str | None:
    """Put the store and the generation of this name in place; under which name the old store lies now.

    Until the last step there is no live generation: an index never answers beside a store that is not its own. Hold all
    locks. `announce` tells readers to look again, and the newest row that they will see.
    """
    (folder / generations.CURRENT).unlink(missing_ok=True)
    durable.sync_folder(folder)
    announce(0)
    aside = _set_aside(folder)
    for old in generations.names(folder):  # of the old store, of no use without it
        generations.remove(folder / generations.FOLDER / old)
    durable.make_folder(folder / generations.FOLDER)
    durable.rename(inside / store.FILE, folder / store.FILE)
    durable.rename(inside / generations.FOLDER / name, folder / generations.FOLDER / name)
    generations.switch(folder, name)
    announce(contents.applied(folder / generations.FOLDER / name))
    return aside


def _set_aside(folder: Path) -> str | None:
    """Give the store a second name, which it keeps when another takes its place: there is one at every instant."""
    file = folder / store.FILE
    if not file.exists():
        return None
    with suppress(EngineError), database.translated(file), closing(database.connect(file)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    aside = f"{store.FILE}.before-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    (folder / aside).hardlink_to(file)
    for log in database.LOGS:  # beside another store they would be taken for its own
        with suppress(FileNotFoundError):
            (folder / (store.FILE + log)).rename(folder / (aside + log))
    durable.sync_folder(folder)
    return aside
