"""What a run has read so far: the newest in memory and the rest on disk, so that more articles take no more memory."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from indexer.plan import Seen
from search.article import Article
from search.engines import EngineUnavailable

NEWEST = 20_000  # rows kept in memory, and written together in order: each page is then written once for many
BITS = 2**24  # of a million keys one in seventeen is looked for on disk in vain
SETTINGS = ("page_size = 16384", "cache_size = -2000", "journal_mode = OFF", "synchronous = OFF")
WHERE = "the temporary database of what was read (in the folder TMPDIR, else /var/tmp)"
REMEDY = "make room there, or set TMPDIR to a folder on another disk, and run it again"

_Row = tuple[Any, ...]  # its key first


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as problem:
        raise EngineUnavailable(f"{WHERE}: {problem}; {REMEDY}") from problem


class SeenArticles:
    """Each article that was read, by id and by text.

    Ids and texts are known by their hashes, 64 bits, which two of n share with a chance of n * n / 2**65. All methods
    raise EngineUnavailable where the disk fails.
    """

    def __init__(self) -> None:
        # Without a name SQLite makes a file when its cache is full, and removes it from its folder before it is used.
        self._db = sqlite3.connect("", isolation_level=None)
        for setting in SETTINGS:
            self._db.execute(f"PRAGMA {setting}")
        self._db.execute("BEGIN")  # and no COMMIT: nobody else reads it
        self._db.execute("CREATE TABLE files (number INTEGER PRIMARY KEY, name BLOB)")
        self._ids = _Rows(self._db, "ids", ("digest", "file", "line"))
        self._texts = _Rows(self._db, "texts", ("id",))
        self._file: tuple[str | None, int | None] = (None, None)  # the one added last, and its number

    @_translated()
    def of(self, ids: Iterable[str]) -> dict[str, Seen]:
        """Those of these that were read before, as they were then."""
        keys = {hash(id): id for id in ids}
        rows = self._ids.of(keys).values()
        return {keys[key]: Seen(self._name(file), line, digest.hex()) for key, digest, file, line in rows}

    @_translated()
    def add(self, seen: Mapping[str, Seen]) -> None:
        """Remember these, in place of what was known of them."""
        self._ids.add(
            (hash(id), bytes.fromhex(one.digest), self._number(one.file), one.line) for id, one in seen.items()
        )

    @_translated()
    def lacking(self, ids: Iterable[str]) -> list[str]:
        """Those of these that were not read."""
        keys = {hash(id): id for id in ids}
        found = self._ids.of(keys)
        return [id for key, id in keys.items() if key not in found]

    @_translated()
    def same_text(self, articles: Sequence[Article]) -> list[bool]:
        """Of each, whether its title and text are those of one before, under another id. They are remembered."""
        rows = [(hash((one.title, one.body)), hash(one.id)) for one in articles]
        first = self._texts.of([text for text, _ in rows])
        same = [
            bool(one.body) and first.setdefault(row[0], row) != row for row, one in zip(rows, articles, strict=True)
        ]
        self._texts.add(first.values())
        return same

    def close(self) -> None:
        """Forget everything."""
        self._db.close()

    def _number(self, file: str) -> int | None:
        if file != self._file[0]:
            row = (os.fsencode(file),)
            self._file = (file, self._db.execute("INSERT INTO files (name) VALUES (?)", row).lastrowid)
        return self._file[1]

    def _name(self, number: int) -> str:
        (name,) = self._db.execute("SELECT name FROM files WHERE number = ?", (number,)).fetchone()
        return os.fsdecode(name)


class _Rows:
    """A table of rows by whole numbers that are spread evenly."""

    def __init__(self, db: sqlite3.Connection, name: str, columns: Sequence[str]) -> None:
        self._db = db
        db.execute(f"CREATE TABLE {name} (key INTEGER PRIMARY KEY, {', '.join(columns)})")
        self._insert = f"INSERT OR REPLACE INTO {name} VALUES (?{', ?' * len(columns)})"
        self._select = f"SELECT * FROM {name} WHERE key IN (SELECT value FROM json_each(?))"
        self._newest: dict[int, _Row] = {}
        self._bits = bytearray(BITS // 8)  # a Bloom filter: where a key's bit is not set, it is not on disk

    def of(self, keys: Iterable[int]) -> dict[int, _Row]:
        """The rows of those keys that have one."""
        found, perhaps, newest, bits = {}, [], self._newest, self._bits
        for key in keys:
            if key in newest:
                found[key] = newest[key]
            elif bits[key % BITS >> 3] >> (key & 7) & 1:
                perhaps.append(key)
        if perhaps:
            found |= {row[0]: row for row in self._db.execute(self._select, (json.dumps(perhaps),))}
        return found

    def add(self, rows: Iterable[_Row]) -> None:
        """Keep these, in place of those of the same keys."""
        newest, bits = self._newest, self._bits
        for row in rows:
            newest[row[0]] = row
        if len(newest) >= NEWEST:
            for key in newest:
                bits[key % BITS >> 3] |= 1 << (key & 7)
            self._db.executemany(self._insert, map(newest.__getitem__, sorted(newest)))
            newest.clear()
