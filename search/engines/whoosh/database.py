"""The store's file: its schema, how it is made and opened, and what SQLite's errors mean."""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from search import addresses, article
from search.engines import ArticlesCorrupt, EngineUnavailable, IndexMissing
from search.engines.whoosh import durable
from search.engines.whoosh.compression import Frames

VERSION = 7  # PRAGMA user_version; raise it with every change of the schema, and say in MIGRATIONS how to get there
WAIT = 10.0  # seconds for another process's transaction; a batch of 1,000 articles takes a tenth of one
PAGE = 16384  # bytes; 46,000 news articles: 53.5 MB and 10 of them read in .30 ms; 8192: 56 MB and .40 ms
CACHE = 16_000  # kB of pages while writing: 1,000 new articles touch so many of the indexes of 300,000

LOGS = ("-wal", "-shm")  # what SQLite appends to the name of a store for the files beside it

WITHHELD = """
CREATE INDEX withheld ON articles (seq, id, embargo)
    WHERE digest IS NULL OR status = 'withdrawn' OR embargo IS NOT NULL;
"""

PRUNED = """
CREATE TABLE pruned (
    until INTEGER NOT NULL           -- what this row or one before it has replaced is not kept
);
INSERT INTO pruned VALUES (0);
"""

HIDING = """
CREATE TABLE addresses (             -- every page that an article is or ever was at: old versions can come back
    page INTEGER NOT NULL,           -- a hash of `addresses.page`
    id TEXT NOT NULL,
    PRIMARY KEY (page, id)
) WITHOUT ROWID;
CREATE TABLE takedowns (
    target TEXT PRIMARY KEY,         -- an id, or a page: that has a / in it
    reason TEXT NOT NULL,
    since TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE hidden (                -- the articles that are, of each takedown: once hidden, hidden until it is undone
    target TEXT NOT NULL REFERENCES takedowns,
    id TEXT NOT NULL,
    PRIMARY KEY (target, id)
) WITHOUT ROWID;
CREATE TABLE audit (                 -- what was done about takedowns, for ever
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    target TEXT NOT NULL,
    ids TEXT NOT NULL,               -- a JSON list: the articles that it meant then
    reason TEXT
);
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
    BEGIN SELECT raise(ABORT, 'the audit log is append-only') ; END;
CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit
    BEGIN SELECT raise(ABORT, 'the audit log is append-only') ; END;
CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE number = new.number)
    BEGIN SELECT raise(ABORT, 'the audit log is append-only') ; END;
"""

SCHEMA = f"""
CREATE TABLE runs (                  -- changed: its newest accepted change; no end: it goes on, or was killed
    run INTEGER PRIMARY KEY AUTOINCREMENT,
    command TEXT NOT NULL,
    sources TEXT NOT NULL,           -- a JSON list
    started TEXT NOT NULL,
    changed TEXT,
    ended TEXT,
    outcome TEXT,
    pruned INTEGER NOT NULL DEFAULT 0  -- of its rows are gone
);
CREATE TABLE sources (
    number INTEGER PRIMARY KEY,
    source TEXT NOT NULL UNIQUE
);
CREATE TABLE dictionaries (
    number INTEGER PRIMARY KEY,      -- the frames of content name it
    content BLOB NOT NULL            -- itself a frame
);
CREATE TABLE articles (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    digest BLOB,                     -- of the content before it was packed
    status TEXT,
    run INTEGER NOT NULL REFERENCES runs,
    source INTEGER NOT NULL REFERENCES sources,
    embargo INTEGER,                 -- microseconds since 1970, as accepted is
    accepted INTEGER NOT NULL,
    content BLOB                     -- as article.to_line says, a frame; NULL: the article was deleted
);
CREATE TABLE newest (                -- the newest version of each article that is no deletion
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    source INTEGER NOT NULL REFERENCES sources
);
{WITHHELD}
{HIDING}
{PRUNED}
PRAGMA user_version = {VERSION};
"""

# What makes of a store of this version one of the next. `page_in` is a function of ours, as SQL reads no frames.
MIGRATIONS = {
    3: WITHHELD,
    4: f"""
DROP INDEX newest_by_url;
ALTER TABLE newest DROP COLUMN url;
ALTER TABLE takedowns RENAME TO taken_down;
{HIDING}
INSERT INTO takedowns SELECT id, reason, since FROM taken_down;
INSERT INTO hidden SELECT id, id FROM taken_down;
INSERT INTO audit (at, who, what, target, ids, reason)
    SELECT since, 'before this log was kept', 'taken down', id, json_array(id), reason FROM taken_down ORDER BY since;
DROP TABLE taken_down;
INSERT OR IGNORE INTO addresses SELECT page_in(content), id FROM articles WHERE content IS NOT NULL;
""",
    5: """
ALTER TABLE runs RENAME COLUMN ended TO changed;
ALTER TABLE runs ADD COLUMN ended TEXT;
ALTER TABLE runs ADD COLUMN outcome TEXT;
UPDATE runs SET ended = coalesce(changed, started), outcome = 'done';
""",
    6: f"""
ALTER TABLE runs ADD COLUMN pruned INTEGER NOT NULL DEFAULT 0;
{PRUNED}
""",
}

REMEDY = "`broadsheet restore FILE --force` puts back a backup; or index the sources into a new folder"

# Primary result code of SQLite -> what is raised, and the remedy.
PROBLEMS: dict[int, tuple[type[EngineUnavailable], str]] = {
    sqlite3.SQLITE_BUSY: (EngineUnavailable, "another process has been writing to it for long: try again"),
    sqlite3.SQLITE_LOCKED: (EngineUnavailable, "another process has been writing to it for long: try again"),
    sqlite3.SQLITE_FULL: (EngineUnavailable, "the disk is full: make room and run it again, what was accepted is kept"),
    # To be read it needs a file beside it too, of 32 kB, unless another process has made that already.
    sqlite3.SQLITE_IOERR: (EngineUnavailable, "the disk is full or fails: make room, or move the index to another one"),
    sqlite3.SQLITE_READONLY: (EngineUnavailable, "it may not be written: run as the owner of the folder"),
    sqlite3.SQLITE_PERM: (EngineUnavailable, "it may not be opened: run as the owner of the folder"),
    sqlite3.SQLITE_CANTOPEN: (EngineUnavailable, "it cannot be opened: run as the owner of the folder"),
    sqlite3.SQLITE_CORRUPT: (ArticlesCorrupt, f"the file is damaged: {REMEDY}"),
    sqlite3.SQLITE_NOTADB: (ArticlesCorrupt, f"it is no database: {REMEDY}"),
}


class Connection(sqlite3.Connection):
    """A connection, and the frames that are read and written by it. One thread at a time uses it."""

    frames: Frames

    def dictionary(self, number: int) -> bytes | None:
        """The dictionary of this number, as it lies there."""
        found = self.execute("SELECT content FROM dictionaries WHERE number = ?", (number,)).fetchone()
        return found[0] if found else None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of what is written within, or nothing."""
        self.execute(f"PRAGMA cache_size = -{CACHE}")
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            self.rollback()
            raise


def make(path: Path) -> None:
    """Make it, if absent: under another name first, so that nobody ever sees half of it."""
    with _alone(path.parent):
        if path.exists():
            return
        temporary = path.with_name(f"{path.name}.new")
        temporary.unlink(missing_ok=True)
        with translated(path):
            connection = sqlite3.connect(temporary, isolation_level=None)
            try:
                connection.execute(f"PRAGMA page_size = {PAGE}")
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.executescript(f"BEGIN; {SCHEMA} COMMIT;")
            finally:
                connection.close()  # the last to close takes the log's pages over into the file, and removes the log
        durable.rename(temporary, path)


def connect(path: Path) -> Connection:
    """A connection to a store that is there: mode=rw keeps SQLite from making an empty one in its place."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=WAIT,
        isolation_level=None,
        check_same_thread=False,
        factory=Connection,
    )
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.frames = Frames(connection.dictionary)
        while (version := _version(connection)) != VERSION:
            if not version:  # SQLite takes an empty file for an empty database
                raise ArticlesCorrupt(f"{path} holds no articles: {REMEDY}")
            if version not in MIGRATIONS:
                raise EngineUnavailable(
                    f"{path} has the format {version}, this version of Broadsheet reads {VERSION}:"
                    " use the one that made it, or index the sources into a new folder"
                )
            _migrate(connection, version)
    except BaseException:
        connection.close()
        raise
    return connection


def _version(connection: Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _migrate(connection: Connection, version: int) -> None:
    """Make it one of the next version, all or nothing; another process may have been faster."""
    connection.create_function("page_in", 1, partial(_page_in, connection.frames))
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _version(connection) == version:
            for statement in MIGRATIONS[version].split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version + 1}")
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def _page_in(frames: Frames, content: bytes) -> int | None:
    """The page of the article in a frame; none where it is damaged, as nobody can be shown it then."""
    try:
        url = article.from_stored(frames.open(content)).url
    except (ValueError, TypeError, AttributeError):
        return None
    return page_hash(url) if url else None


def page_hash(url: str) -> int:
    """64 bits of the page that an address means, as SQLite has integers."""
    digest = hashlib.blake2b(addresses.page(url).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def identity(path: Path) -> tuple[int, int]:
    """Device and number of the file: what is made anew at a path is another one. Raises IndexMissing."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise IndexMissing(f"there is no index at {path.parent}: `broadsheet index PATH` makes one") from None
    except OSError as problem:
        raise EngineUnavailable(f"{path}: {problem.strerror}; run as the owner of the folder") from problem
    return found.st_dev, found.st_ino


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors become ours here, and nowhere else."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise  # a mistake of the caller, as a run that was never begun
    except sqlite3.DatabaseError as problem:
        code = getattr(problem, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        kind, remedy = PROBLEMS.get(code, (EngineUnavailable, "the message is SQLite's"))
        raise kind(f"{path}: {problem}; {remedy}") from problem


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time makes the store of a folder; the folder itself is the lock."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
