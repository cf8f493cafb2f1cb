"""Keep every article as it was accepted: SQLite, append-only versions; an index is a view of this.

An article is accepted when its row is durable (WAL, synchronous=FULL). The number of a row orders everything: an index
that holds the rows up to a number catches up by reading those after it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from search import article
from search.article import Article
from search.engines import (
    DONE,
    ArticlesCorrupt,
    Change,
    Deed,
    Delete,
    EngineUnavailable,
    Held,
    Progress,
    Put,
    Run,
    Takedown,
    Undone,
)
from search.engines.whoosh import ahead, clock, compression, database, durable, history, takedowns
from search.engines.whoosh.ahead import Order
from search.engines.whoosh.database import Connection
from search.engines.whoosh.instants import micros, text
from search.engines.whoosh.running import Running

FILE = "articles.db"
BATCH = 500
PATIENCE = 600.0  # seconds that a takedown, which holds already, waits to be written: undoing 300,000 takes a minute
LEARN_AT = (1_000, 10_000, 100_000, 1_000_000)  # articles: a store that has grown tenfold has other things in common
NEVER = 2**63 - 1  # the greatest number that a row can have


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
            database.make(folder / FILE)
        except OSError as problem:
            raise EngineUnavailable(f"cannot make an index at {folder}: {problem.strerror}") from problem
        return Store(folder)

    def __init__(self, folder: Path) -> None:
        """Raises IndexMissing where there is none."""
        self.path = folder / FILE
        self.file = database.identity(self.path)
        self._idle: list[Connection] = []
        self._running = Running(folder)
        self._lock = threading.Lock()
        self._closed = False

    # What is accepted.

    def begin(self, command: str, sources: Sequence[str]) -> int:
        """Open a run."""
        with self._writing() as db:
            run = history.begin(db, command, sources, text(datetime.now(UTC)))
            self._running.add(run)  # before others can see it, to whom it would look killed
        return run

    def end(self, run: int, outcome: str) -> None:
        """Close a run of this process."""
        with self._writing() as db:
            history.end(db, run, outcome, text(datetime.now(UTC)))
        self._running.remove(run)

    def accept(self, run: int, changes: Sequence[Change]) -> int:
        """Make the changes durable, all or none; the number of the newest row. No row for what is not held anyway."""
        # Packed before the transaction begins: while it lasts, nobody else writes.
        now = datetime.now(UTC)
        lines = [_line(change) for change in changes if isinstance(change, Put)]
        with self._connection() as db:
            try:
                number = _dictionary(db, lines)
                contents = [(line, db.frames.pack(line, number)) for line in lines]
            except ValueError as problem:
                raise ArticlesCorrupt(f"{self.path}: {problem}; {database.REMEDY}") from problem
            with db.transaction():
                _append(db, changes, iter(contents), run, micros(now))
                db.execute("UPDATE runs SET changed = ? WHERE run = ?", (text(now), run))
                return _last(db)

    def held(self, ids: Iterable[str]) -> dict[str, Held]:
        """What is held of these articles; deleted and unknown ones are left out."""
        with self._connection() as db:
            rows = db.execute(
                "SELECT newest.id, lower(hex(digest)), sources.source FROM newest JOIN articles USING (seq)"
                " JOIN sources ON number = newest.source WHERE newest.id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(ids)),),
            )
            return {id: Held(digest, source) for id, digest, source in rows}

    def held_from(self, source: str) -> Iterator[str]:
        """The ids of the articles whose newest version came from this source or a path below it, in order of id."""
        # 0 comes after /; an address may go on with / and be another place.
        below = (source, source) if "://" in source else (f"{source}/", f"{source}0")
        with self._connection() as db:
            ids = db.execute(
                "SELECT id FROM newest WHERE source IN"
                " (SELECT number FROM sources WHERE source = ? OR source > ? AND source < ?) ORDER BY id",
                (source, *below),
            ).fetchall()
        return (id for (id,) in ids)

    # What an index is filled from.

    def last(self) -> int:
        """The number of the newest row; 0 where there is none."""
        with self._connection() as db:
            return _last(db)

    def number(self) -> int:
        """The greatest number that any row ever had: the next one gets a greater."""
        with self._connection() as db:
            return _number(db)

    def rows_after(
        self, seq: int, limit: int = BATCH, until: int | None = None, without: Sequence[int] = ()
    ) -> list[Row]:
        """The next rows, in order, to `until` at most. An id may come twice: the later row is the one that counts.

        `without`: the rows of these runs are passed over.
        """
        with self._connection() as db:
            rows = db.execute(
                "SELECT seq, id, content FROM articles WHERE seq > ? AND seq <= ?"
                " AND run NOT IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT ?",
                (seq, NEVER if until is None else until, json.dumps(list(without)), limit),
            ).fetchall()
            return [_row(db, *row) for row in rows]

    def newest_after(self, seq: int, limit: int, until: int) -> list[Row]:
        """The next newest versions that are no deletions, in order, to `until` at most: what a rebuild is made of.

        `until` is `last()` as the rebuild begins, and the rows after it are caught up with. It is read in pages,
        as a transaction of an hour would keep SQLite from cleaning up its log.
        """
        with self._connection() as db:
            rows = db.execute(
                "SELECT seq, articles.id, content FROM newest JOIN articles USING (seq)"
                " WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
                (seq, until, limit),
            ).fetchall()
            return [_row(db, *row) for row in rows]

    def articles(self, seqs: Sequence[int]) -> list[Article]:
        """The versions of these numbers, in the order given.

        Raises:
            ArticlesCorrupt: one is missing or damaged.
        """
        with self._connection() as db:
            rows = db.execute(
                "SELECT seq, id, content FROM articles WHERE seq IN (SELECT value FROM json_each(?))",
                (json.dumps(list(seqs)),),
            ).fetchall()
            found = {row[0]: _row(db, *row).article for row in rows}
        return [_there(found.get(seq), seq, self.path) for seq in seqs]

    def withheld(self, after: int, until: int) -> frozenset[str]:
        """The articles that a row between these deletes, withdraws or puts under an embargo, and that are so still."""
        now = int(clock.now() * 1_000_000)
        with self._connection() as db:
            rows = db.execute(
                "SELECT id FROM articles AS old INDEXED BY withheld WHERE seq > ? AND seq <= ?"
                " AND (digest IS NULL OR status = 'withdrawn' OR embargo IS NOT NULL)"
                " AND NOT EXISTS (SELECT 1 FROM newest JOIN articles AS new USING (seq) WHERE newest.id = old.id"
                "                 AND new.status <> 'withdrawn' AND (new.embargo IS NULL OR new.embargo <= ?))",
                (after, until, now),
            ).fetchall()
        return frozenset(id for (id,) in rows)

    def ids_at(self, url: str) -> list[str]:
        """The articles at this URL, the one accepted last first."""
        with self._connection() as db:
            seqs = db.execute(
                "SELECT seq FROM addresses JOIN newest USING (id) WHERE page = ? ORDER BY seq DESC",
                (database.page_hash(url),),
            ).fetchall()
        canonical = article.canonical_url(url)
        found = self.articles([seq for (seq,) in seqs])
        return [one.id for one in found if one.url and article.canonical_url(one.url) == canonical]

    def counts(self, after: int = 0) -> Counts:
        """How much lies here, and how many rows come after this number."""
        with self._connection() as db:
            # One statement is one instant. A million articles are counted in 0.4 s (measured on two shared cores).
            articles, last, pending = db.execute(
                "SELECT (SELECT count(*) FROM newest), (SELECT coalesce(max(seq), 0) FROM articles),"
                " (SELECT count(*) FROM articles WHERE seq > ?)",
                (after,),
            ).fetchone()
        files = (self.path, *(self.path.with_name(FILE + log) for log in database.LOGS))
        return Counts(articles, last, pending, sum(map(_size, files)))

    # What was accepted when, and what is taken back.

    def runs(self) -> list[Run]:
        """Every run, oldest first."""
        with self._connection() as db:
            return history.runs(db, self._running.has)

    def broken_off(self) -> list[Run]:
        """The runs that ended before their end, but where the same command has since come to its end."""
        with self._connection() as db:
            return history.broken_off(db, self._running.has, text(datetime.now(UTC)))

    def undo(self, run: int) -> Undone:
        """Append what each article was before this run, all or none; but for those that a later run has changed.

        Raises:
            NothingBefore: there is no such run.
        """
        now = datetime.now(UTC)
        with self._writing() as db:
            own, later = history.before(db, run)
            number = history.begin(db, "undo", [str(run)], text(now))
            for batch in history.batches(own):
                changes, frames = _as_before(db, batch)
                _append(db, changes, iter(frames), number, micros(now))
            db.execute("UPDATE runs SET changed = started WHERE run = ?", (number,))
            history.end(db, number, DONE, text(now))
        return Undone(number, tuple(one.id for one in own), tuple(later))

    def prune(self, until: int) -> int:
        """Remove the versions that no generation needs which began at row `until` or after it; how many."""
        with self._connection() as db:
            return history.prune(db, until)

    def damages(self, progress: Progress | None = None) -> list[str]:
        """What cannot be read back as it was accepted, a line each: SQLite's pages, then every version."""
        with self._connection() as db:
            problems = [found for (found,) in db.execute("PRAGMA integrity_check") if found != "ok"]
            last = _last(db)
        found = [f"{self.path}: {problem}; {database.REMEDY}" for problem in problems]
        seq = 0
        while not problems:
            with self._connection() as db:
                rows = db.execute(
                    "SELECT seq, id, digest, content FROM articles WHERE seq > ? AND seq <= ? AND content IS NOT NULL"
                    " ORDER BY seq LIMIT ?",
                    (seq, last, BATCH),
                ).fetchall()
                found += [problem for row in rows if (problem := _damage(db, *row))]
            if not rows:
                break
            seq = rows[-1][0]
            if progress:
                progress("versions", seq, last)
        return found

    # What must not be shown.

    def take_down(self, named: str, reason: str) -> Takedown:
        """Hide the article of an id, or all of a page, held or not; a second time changes the reason only.

        It holds from the moment that it is written down, however long others write here. Hold the lock of takedowns.
        """
        orders = [*ahead.read(self.path.parent), ahead.order(named, reason)]
        ahead.write(self.path.parent, orders)
        return self._carry_out(orders)[-1]

    def put_back(self, named: str) -> list[Takedown]:
        """Undo a takedown; those that hide articles of it all the same. Raises ArticleMissing where there is none.

        Hold the lock of takedowns.
        """
        self._carry_out(ahead.read(self.path.parent))
        with self._writing(PATIENCE) as db:
            return takedowns.put_back(db, named)

    def takedowns(self) -> list[Takedown]:
        """What is taken down, oldest first."""
        with self._connection() as db:
            return takedowns.standing(db)

    def audit(self) -> list[Deed]:
        """What was ever done about takedowns, oldest first."""
        with self._connection() as db:
            return takedowns.audit(db)

    def hidden(self) -> frozenset[str]:
        """The ids and the pages that are taken down."""
        # Read first: an order is taken out of the file after it was carried out.
        orders = ahead.read(self.path.parent)
        with self._connection() as db:
            return takedowns.hidden(db, orders)

    def ids_of(self, named: str) -> list[str]:
        """The articles that may be meant by an id or a URL, in any spelling of its page; also what was there once."""
        with self._connection() as db:
            return takedowns.meant(db, named)

    def close(self) -> None:
        """Let go of the file. A thread that is still reading finishes first."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        self._running.close()
        for connection in idle:
            connection.close()

    def _carry_out(self, orders: Sequence[Order]) -> list[Takedown]:
        """Write what was ordered into the store; those of a command that was killed, too."""
        with self._writing(PATIENCE) as db:
            done = [takedowns.take_down(db, one) for one in orders]
        ahead.write(self.path.parent, [])
        return done

    @contextmanager
    def _writing(self, wait: float = database.WAIT) -> Iterator[Connection]:
        with self._connection() as db:
            db.execute(f"PRAGMA busy_timeout = {wait * 1000:.0f}")
            with db.transaction():
                yield db

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """A connection for the time of a question; as many are open as were ever needed at once."""
        with database.translated(self.path):
            file = database.identity(self.path)
            with self._lock:
                if self._closed:
                    raise EngineUnavailable(f"{self.path} was closed")
                moved = [] if file == self.file else self._idle  # connections to what was removed, and made anew
                self.file, self._idle = file, [] if moved else self._idle
                connection = self._idle.pop() if self._idle else None
            for one in moved:
                one.close()
            connection = connection or database.connect(self.path)
            try:
                yield connection
            finally:
                with self._lock:
                    keep = not self._closed and file == self.file
                    if keep:
                        self._idle.append(connection)
                if not keep:
                    connection.close()


def _as_before(db: Connection, batch: Sequence[history.Before]) -> tuple[list[Change], list[tuple[bytes, bytes]]]:
    """The changes that bring back these versions, and their frames as they lie there."""
    seqs = json.dumps([one.seq for one in batch if one.seq])
    rows = db.execute(
        "SELECT seq, id, lower(hex(digest)), sources.source, content FROM articles"
        " JOIN sources ON number = articles.source"
        " WHERE seq IN (SELECT value FROM json_each(?)) AND content IS NOT NULL",
        (seqs,),
    )
    held = {id: (seq, digest, source, content) for seq, id, digest, source, content in rows.fetchall()}
    changes: list[Change] = []
    frames = []
    for one in batch:
        if one.id not in held:
            changes.append(Delete(one.id))
            continue
        seq, digest, source, content = held[one.id]
        found = _row(db, seq, one.id, content).article
        assert found
        changes.append(Put(found, source, digest=digest))
        frames.append((b"", content))
    return changes, frames


def _line(change: Put) -> bytes:
    item = change.article
    if not (item.title or item.body):  # it is none
        raise article.ArticleError([f"the article {item.id!r} has neither title nor body"])
    line = change.line or article.to_line(item)
    if len(line) > compression.LONGEST:  # it could not be read back, and everything after it would wait for ever
        raise article.ArticleError([f"the article {item.id!r} is longer than {compression.LONGEST // 2**20} MiB"])
    return line


def _dictionary(db: Connection, lines: Sequence[bytes]) -> int:
    """The number of the dictionary to pack with, learnt now if it is with these lines that there are enough."""
    newest: int = db.execute("SELECT coalesce(max(number), ?) FROM dictionaries", (compression.PLAIN,)).fetchone()[0]
    last = _last(db)
    total = last + len(lines)
    if not any(last < size <= total for size in LEARN_AT):
        return newest
    step = total // compression.SAMPLES + 1
    stored = db.execute(
        "SELECT content FROM articles WHERE content IS NOT NULL AND seq IN (SELECT value FROM json_each(?))",
        (json.dumps(list(range(1, last + 1, step))),),
    ).fetchall()
    number = max(newest + 1, compression.FIRST)
    learnt = compression.learn(number, _samples(db, [frame for (frame,) in stored], lines[::step]))
    if learnt is None:
        return newest
    # The one that another process has learnt meanwhile is as good.
    db.execute("INSERT OR IGNORE INTO dictionaries VALUES (?, ?)", (number, learnt))
    return number


def _samples(db: Connection, frames: Iterable[bytes], lines: Iterable[bytes]) -> list[bytes]:
    """The beginnings of articles: of an archive of books the whole ones would fill the memory."""
    return [line[: compression.SAMPLE] for line in chain(map(db.frames.open, frames), lines)]


def _append(
    db: Connection, changes: Sequence[Change], contents: Iterator[tuple[bytes, bytes]], run: int, now: int
) -> None:
    """Write the rows, in the transaction that lasts. `contents`: the line, and its frame, of each Put."""
    ids = json.dumps([change.id if isinstance(change, Delete) else change.article.id for change in changes])
    held = dict(db.execute("SELECT id, source FROM newest WHERE id IN (SELECT value FROM json_each(?))", (ids,)))
    replaced = json.dumps(list(held))
    sources = _sources(db, {change.source for change in changes if isinstance(change, Put)})
    seq = _number(db)
    rows: list[tuple[object, ...]] = []
    newest: dict[str, tuple[object, ...]] = {}
    urls: list[tuple[str, str]] = []
    for change in changes:
        if isinstance(change, Put):
            item = change.article
            id, source = item.id, sources[change.source]
            (line, frame), embargo = next(contents), item.embargo_until
            digest = bytes.fromhex(change.digest or article.digest_of(line))
            until = micros(embargo) if embargo else None
            seq += 1
            rows.append((seq, id, digest, item.status, run, source, until, now, frame))
            newest[id] = (seq, id, source)
            held[id] = source
            if item.url:
                urls.append((id, item.url))
        elif change.id in held:
            seq += 1
            rows.append((seq, change.id, None, None, run, held.pop(change.id), None, now, None))
            newest.pop(change.id, None)
    db.executemany("INSERT INTO articles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    # An INSERT OR REPLACE for each would take four times as long.
    db.execute("DELETE FROM newest WHERE id IN (SELECT value FROM json_each(?))", (replaced,))
    db.executemany("INSERT INTO newest VALUES (?, ?, ?)", newest.values())
    takedowns.came(db, urls)


def _sources(db: Connection, names: set[str]) -> dict[str, int]:
    """The numbers of these sources; new ones get theirs."""
    db.executemany("INSERT OR IGNORE INTO sources (source) VALUES (?)", [(name,) for name in sorted(names)])
    return dict(
        db.execute(
            "SELECT source, number FROM sources WHERE source IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(names)),),
        )
    )


def _number(db: Connection) -> int:
    found = db.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'articles'").fetchone()
    return int(found[0])


def _last(db: Connection) -> int:
    return int(db.execute("SELECT coalesce(max(seq), 0) FROM articles").fetchone()[0])


def _row(db: Connection, seq: int, id: str, content: bytes | None) -> Row:
    if content is None:
        return Row(seq, id, None)
    try:
        found = article.from_stored(db.frames.open(content))
        if found.id != id:
            raise ValueError("it holds another")
    except (ValueError, TypeError, AttributeError) as problem:
        raise ArticlesCorrupt(
            f"version {seq} of the article {id!r} is damaged ({problem}): {database.REMEDY}"
        ) from problem
    return Row(seq, id, found)


def _damage(db: Connection, seq: int, id: str, digest: bytes, content: bytes) -> str | None:
    """What is wrong with a version, if anything is."""
    try:
        is_whole = article.digest_of(db.frames.open(content)) == digest.hex()
    except ValueError:
        is_whole = False
    return None if is_whole else f"version {seq} of the article {id!r} is damaged: {database.REMEDY}"


def _there(found: Article | None, seq: int, path: Path) -> Article:
    if found is None:
        raise ArticlesCorrupt(
            f"version {seq} of an article is missing in {path}: `broadsheet reindex` makes a new index"
        )
    return found


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # the log of a connection that closed meanwhile
        return 0
