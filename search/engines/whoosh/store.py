"""Keep every article as it was accepted: SQLite, append-only versions; an index is a view of this.

An article is accepted when its row is durable (WAL, synchronous=FULL). The number of a row orders everything: an index
that holds the rows up to a number catches up by reading those after it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from search import article
from search.article import Article
from search.engines import (
    ArticleMissing,
    Change,
    Delete,
    EngineUnavailable,
    Held,
    IndexCorrupt,
    IndexMissing,
    Put,
    Takedown,
)
from search.engines.whoosh import durable

FILE = "articles.db"
VERSION = 1  # PRAGMA user_version; raise it with every change of the schema
WAIT = 10.0  # seconds for another process's transaction; a batch of 500 articles takes a tenth of one
BATCH = 500
NEVER = 2**63 - 1  # the greatest number that a row can have

SCHEMA = f"""
CREATE TABLE runs (
    run INTEGER PRIMARY KEY AUTOINCREMENT,
    command TEXT NOT NULL,
    sources TEXT NOT NULL,           -- a JSON list
    started TEXT NOT NULL,
    ended TEXT                       -- its newest accepted change
);
CREATE TABLE articles (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    digest TEXT,
    status TEXT,
    run INTEGER NOT NULL REFERENCES runs,
    source TEXT NOT NULL,
    url TEXT,                        -- canonical
    embargo TEXT,
    accepted TEXT NOT NULL,
    content BLOB                     -- the canonical line, zlib; NULL: the article was deleted
);
CREATE TABLE newest (                -- the newest version of each article, deletions too
    id TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    digest TEXT,
    source TEXT NOT NULL,
    url TEXT,
    deleted INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX newest_by_seq ON newest (seq) WHERE NOT deleted;
CREATE INDEX newest_by_source ON newest (source) WHERE NOT deleted;
CREATE INDEX newest_by_url ON newest (url) WHERE NOT deleted;
CREATE TABLE takedowns (
    id TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    since TEXT NOT NULL
) WITHOUT ROWID;
PRAGMA user_version = {VERSION};
"""

# Primary result code of SQLite -> what is raised, and the remedy.
PROBLEMS: dict[int, tuple[type[EngineUnavailable], str]] = {
    sqlite3.SQLITE_BUSY: (EngineUnavailable, "another process has been writing to it for long: try again"),
    sqlite3.SQLITE_LOCKED: (EngineUnavailable, "another process has been writing to it for long: try again"),
    sqlite3.SQLITE_FULL: (EngineUnavailable, "the disk is full: make room and run it again, what was accepted is kept"),
    sqlite3.SQLITE_READONLY: (EngineUnavailable, "it may not be written: run as the owner of the folder"),
    sqlite3.SQLITE_PERM: (EngineUnavailable, "it may not be opened: run as the owner of the folder"),
    sqlite3.SQLITE_CANTOPEN: (EngineUnavailable, "it cannot be opened: run as the owner of the folder"),
    sqlite3.SQLITE_CORRUPT: (
        IndexCorrupt,
        "the file is damaged: put back a copy, or index the sources into a new folder",
    ),
    sqlite3.SQLITE_NOTADB: (IndexCorrupt, "it is no database: put back a copy, or index the sources into a new folder"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One accepted version. `article` is None where it was deleted."""

    seq: int
    id: str
    article: Article | None


@dataclass(frozen=True, slots=True)
class Counts:
    """What lies in the store; `size` in bytes."""

    articles: int  # newest versions that are no deletions
    last: int  # the number of the newest row, in the same instant
    pending: int  # rows after the number asked about
    size: int


class Store:
    """The articles of one index folder. Any number of threads and processes may use it at once."""

    @staticmethod
    def create(folder: Path) -> Store:
        """The store of this folder, made if absent."""
        try:
            durable.make_folder(folder)
            with _alone(folder):
                if not (folder / FILE).exists():
                    _make(folder / FILE)
        except OSError as problem:
            raise EngineUnavailable(f"cannot make an index at {folder}: {problem.strerror}") from problem
        return Store(folder)

    def __init__(self, folder: Path) -> None:
        """Raises IndexMissing where there is none."""
        self.path = folder / FILE
        self._file = _identity(self.path)
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._closed = False

    # What is accepted.

    def begin(self, command: str, sources: Sequence[str]) -> int:
        """Open a run."""
        row = (command, json.dumps(list(sources), ensure_ascii=False), _now())
        with self._writing() as db:
            return int(
                db.execute(
                    "INSERT INTO runs (command, sources, started) VALUES (?, ?, ?) RETURNING run", row
                ).fetchone()[0]
            )

    def accept(self, run: int, changes: Sequence[Change]) -> int:
        """Make the changes durable, all or none; the number of the newest row. No row for what is not held anyway."""
        now = _now()
        # Compressed before the transaction begins: while it lasts, nobody else writes.
        rows = [_put(change, run, now) if isinstance(change, Put) else change for change in changes]
        with self._writing() as db:
            for row in rows:
                if isinstance(row, Delete):
                    _delete(db, row.id, run, now)
                else:
                    _append(db, row)
            db.execute("UPDATE runs SET ended = ? WHERE run = ?", (now, run))
            return _last(db)

    def held(self, ids: Iterable[str]) -> dict[str, Held]:
        """What is held of these articles; deleted and unknown ones are left out."""
        with self._connection() as db:
            rows = db.execute(
                "SELECT id, digest, source FROM newest WHERE NOT deleted AND id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(ids)),),
            )
            return {id: Held(digest, source) for id, digest, source in rows}

    def held_from(self, source: str) -> Iterator[str]:
        """The ids of the articles whose newest version came from this source or a path below it, in order of id."""
        after = ""
        while True:
            with self._connection() as db:
                page = db.execute(
                    "SELECT id FROM newest WHERE NOT deleted AND (source = ? OR source > ? AND source < ?) AND id > ?"
                    " ORDER BY id LIMIT ?",
                    (source, f"{source}/", f"{source}0", after, BATCH),  # 0 comes after /
                ).fetchall()
            yield from (id for (id,) in page)
            if len(page) < BATCH:
                return
            after = page[-1][0]

    # What an index is filled from.

    def last(self) -> int:
        """The number of the newest row; 0 where there is none."""
        with self._connection() as db:
            return _last(db)

    def rows_after(self, seq: int, limit: int = BATCH, until: int | None = None) -> list[Row]:
        """The next rows, in order, to `until` at most. An id may come twice: the later row is the one that counts."""
        with self._connection() as db:
            rows = db.execute(
                "SELECT seq, id, digest, content FROM articles WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
                (seq, NEVER if until is None else until, limit),
            ).fetchall()
        return [_row(*row) for row in rows]

    def newest(self, until: int, batch: int = BATCH) -> Iterator[Row]:
        """The newest versions up to the row `until` that are no deletions, in order: what a rebuild starts from.

        `until` is `last()` as the rebuild begins, and the rows after it are caught up with. It is read in pages,
        as a transaction of an hour would keep SQLite from cleaning up its log.
        """
        after = 0
        while True:
            with self._connection() as db:
                page = db.execute(
                    "SELECT seq, articles.id, articles.digest, content FROM newest JOIN articles USING (seq)"
                    " WHERE NOT deleted AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
                    (after, until, batch),
                ).fetchall()
            for row in page:
                yield _row(*row)
            if len(page) < batch:
                return
            after = page[-1][0]

    def articles(self, seqs: Sequence[int]) -> list[Article]:
        """The versions of these numbers, in the order given.

        Raises:
            IndexCorrupt: one is missing or damaged.
        """
        with self._connection() as db:
            rows = db.execute(
                "SELECT seq, id, digest, content FROM articles WHERE seq IN (SELECT value FROM json_each(?))",
                (json.dumps(list(seqs)),),
            ).fetchall()
        found = {row[0]: _row(*row).article for row in rows}
        return [_there(found.get(seq), seq, self.path) for seq in seqs]

    def ids_at(self, url: str) -> list[str]:
        """The articles at this URL, the one accepted last first."""
        with self._connection() as db:
            rows = db.execute(
                "SELECT id FROM newest WHERE NOT deleted AND url = ? ORDER BY seq DESC", (article.canonical_url(url),)
            )
            return [id for (id,) in rows]

    def counts(self, after: int = 0) -> Counts:
        """How much lies here, and how many rows come after this number."""
        with self._connection() as db:
            # One statement is one instant. A million articles are counted in 0.4 s (measured on two shared cores).
            articles, last, pending = db.execute(
                "SELECT (SELECT count(*) FROM newest WHERE NOT deleted), (SELECT coalesce(max(seq), 0) FROM articles),"
                " (SELECT count(*) FROM articles WHERE seq > ?)",
                (after,),
            ).fetchone()
        return Counts(articles, last, pending, sum(_size(path) for path in self.path.parent.glob(f"{FILE}*")))

    # What must not be shown.

    def take_down(self, id: str, reason: str) -> None:
        """Hide an article, whether it is held or not; a second time changes the reason only."""
        with self._writing() as db:
            db.execute(
                "INSERT INTO takedowns VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET reason = excluded.reason",
                (id, reason, _now()),
            )

    def restore(self, id: str) -> None:
        """Undo a takedown. Raises ArticleMissing where there is none."""
        with self._writing() as db:
            if not db.execute("DELETE FROM takedowns WHERE id = ?", (id,)).rowcount:
                raise ArticleMissing(f"{id!r} is not taken down; `broadsheet takedowns` lists what is")

    def takedowns(self) -> list[Takedown]:
        """What is taken down, oldest first."""
        with self._connection() as db:
            rows = db.execute("SELECT id, reason, since FROM takedowns ORDER BY since, id").fetchall()
        return [Takedown(id, reason, datetime.fromisoformat(since)) for id, reason, since in rows]

    def close(self) -> None:
        """Let go of the file. A thread that is still reading finishes first."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                db.rollback()
                raise

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection for the time of a question; as many are open as were ever needed at once."""
        with _translated(self.path):
            file = _identity(self.path)
            with self._lock:
                if self._closed:
                    raise EngineUnavailable(f"{self.path} was closed")
                moved = [] if file == self._file else self._idle  # connections to what was removed, and made anew
                self._file, self._idle = file, [] if moved else self._idle
                connection = self._idle.pop() if self._idle else None
            for one in moved:
                one.close()
            connection = connection or _open(self.path)
            try:
                yield connection
            finally:
                with self._lock:
                    keep = not self._closed and file == self._file
                    if keep:
                        self._idle.append(connection)
                if not keep:
                    connection.close()


def _identity(path: Path) -> tuple[int, int]:
    """Device and number of the file: what is made anew at a path is another one. Raises IndexMissing."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise IndexMissing(f"there is no index at {path.parent}: `broadsheet index PATH` makes one") from None
    except OSError as problem:
        raise EngineUnavailable(f"{path}: {problem.strerror}; run as the owner of the folder") from problem
    return found.st_dev, found.st_ino


def _open(path: Path) -> sqlite3.Connection:
    """A connection to a store that is there: mode=rw keeps SQLite from making an empty one in its place."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=WAIT, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version != VERSION:
            raise EngineUnavailable(
                f"{path} has the format {version}, this version of Broadsheet reads {VERSION}: use the one that made it"
            )
    except BaseException:
        connection.close()
        raise
    return connection


def _make(path: Path) -> None:
    """Make it under another name first, so that nobody ever sees half of it."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    with _translated(path):
        connection = sqlite3.connect(temporary, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(f"BEGIN; {SCHEMA} COMMIT;")
        finally:
            connection.close()  # the last to close takes the log's pages over into the file, and removes the log
    durable.rename(temporary, path)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time makes the store of a folder; the folder itself is the lock."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """SQLite's errors become ours here, and nowhere else."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise  # a mistake of the caller, as a run that was never begun
    except sqlite3.DatabaseError as problem:
        code = getattr(problem, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        kind, remedy = PROBLEMS.get(code, (EngineUnavailable, "the message is SQLite's"))
        raise kind(f"{path}: {problem}; {remedy}") from problem


def _put(change: Put, run: int, now: str) -> tuple[Any, ...]:
    item = change.article
    if not (item.title or item.body):  # it could not be read back, and everything after it would wait for ever
        raise article.ArticleError([f"the article {item.id!r} has neither title nor body"])
    line = article.to_json(item).encode()
    return (
        item.id,
        _digest(line),
        item.status,
        run,
        change.source,
        article.canonical_url(item.url) if item.url else None,
        _instant(item.embargo_until) if item.embargo_until else None,
        now,
        zlib.compress(line),
    )


def _delete(db: sqlite3.Connection, id: str, run: int, now: str) -> None:
    held = db.execute("SELECT source, url FROM newest WHERE NOT deleted AND id = ?", (id,)).fetchone()
    if held:
        source, url = held
        _append(db, (id, None, None, run, source, url, None, now, None))


def _append(db: sqlite3.Connection, row: tuple[Any, ...]) -> None:
    id, digest, _, _, source, url, _, _, content = row
    seq = db.execute(
        "INSERT INTO articles (id, digest, status, run, source, url, embargo, accepted, content)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        row,
    ).lastrowid
    db.execute(
        "INSERT OR REPLACE INTO newest VALUES (?, ?, ?, ?, ?, ?)", (id, seq, digest, source, url, content is None)
    )


def _last(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT coalesce(max(seq), 0) FROM articles").fetchone()[0])


def _row(seq: int, id: str, digest: str | None, content: bytes | None) -> Row:
    if content is None:
        return Row(seq, id, None)
    try:
        line = zlib.decompress(content)
        if _digest(line) != digest:
            raise ValueError("its digest is another")
        return Row(seq, id, article.from_dict(json.loads(line)))
    except (zlib.error, ValueError, TypeError) as problem:
        raise IndexCorrupt(
            f"version {seq} of the article {id!r} is damaged ({problem}): index its source again"
        ) from problem


def _there(found: Article | None, seq: int, path: Path) -> Article:
    if found is None:
        raise IndexCorrupt(f"version {seq} of an article is missing in {path}: `broadsheet reindex` makes a new index")
    return found


def _digest(line: bytes) -> str:
    """`article.digest` of the canonical line as it lies here: the line itself is checked, not what it is parsed to."""
    return hashlib.blake2b(line, digest_size=16).hexdigest()


def _now() -> str:
    return _instant(datetime.now(UTC))


def _instant(moment: datetime) -> str:
    """Of one width, so that the order of the texts is that of the instants."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # the log of a connection that closed meanwhile
        return 0
