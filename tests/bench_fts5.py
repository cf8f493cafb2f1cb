"""SQLite FTS5 in `make bench`, asked in the way that was fastest of those tried."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import bench_corpus
from bench_queries import Asked

# What is counted and filtered stands in a narrow table of its own: a look at `articles` reads a page with its text.
TABLES = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA cache_size = -262144;
PRAGMA mmap_size = 2147483648;
PRAGMA temp_store = MEMORY;
CREATE TABLE articles (number INTEGER PRIMARY KEY, id TEXT UNIQUE, title TEXT, body TEXT);
CREATE TABLE facts (number INTEGER PRIMARY KEY, section TEXT, month TEXT, published INTEGER);
CREATE VIRTUAL TABLE words USING fts5
  (title, body, content='articles', content_rowid='number', tokenize='porter unicode61');
"""
FOUND = "FROM words CROSS JOIN facts ON facts.number = words.rowid WHERE words MATCH :text"
NARROWED = " AND section = :section AND published >= :begin AND published < :end"
# Not `ORDER BY rank`: that ranks what a filter then leaves out, and sorts all where the ten best will do.
ORDERS = {False: " ORDER BY bm25(words, 3.0, 1.0) LIMIT 10", True: " ORDER BY published DESC LIMIT 10"}
WITHOUT_FILTER = "SELECT rowid FROM words WHERE words MATCH :text" + ORDERS[False]


class Fts5:
    name = "FTS5"
    is_asked = True

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._db = sqlite3.connect(folder / "articles.db", isolation_level=None)
        self._db.executescript(TABLES)

    def index(self, file: Path) -> None:
        db = self._db
        db.execute("BEGIN")
        for number, row in enumerate(bench_corpus.rows(file)):
            db.execute("INSERT INTO articles VALUES (?, ?, ?, ?)", (number, row.id, row.title, row.body))
            db.execute("INSERT INTO facts VALUES (?, ?, ?, ?)", (number, row.section, row.month, row.published))
            db.execute("INSERT INTO words (rowid, title, body) VALUES (?, ?, ?)", (number, row.title, row.body))
        db.execute("INSERT INTO words (words) VALUES ('optimize')")  # one segment: queries took up to half as long
        db.execute("COMMIT")
        self._settle()

    def remove(self, ids: Sequence[str]) -> None:
        db = self._db
        db.execute("BEGIN")
        for id in ids:
            number, title, body = db.execute("SELECT number, title, body FROM articles WHERE id = ?", (id,)).fetchone()
            db.execute(
                "INSERT INTO words (words, rowid, title, body) VALUES ('delete', ?, ?, ?)", (number, title, body)
            )
            db.execute("DELETE FROM articles WHERE number = ?", (number,))
            db.execute("DELETE FROM facts WHERE number = ?", (number,))
        db.execute("COMMIT")
        self._settle()

    def _settle(self) -> None:
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def ask(self, asked: Asked) -> int:
        found = FOUND
        values: dict[str, str | int] = {"text": asked.text}
        if asked.section and asked.from_date and asked.until:
            found += NARROWED
            values["section"] = asked.section
            values["begin"], values["end"] = (int(moment.timestamp()) for moment in (asked.from_date, asked.until))
        sections: Counter[str] = Counter()
        months: Counter[str] = Counter()
        total = 0
        pairs = Counter(self._db.execute(f"SELECT section, month {found}", values))  # one pass for all three
        for (section, month), count in pairs.items():
            sections[section] += count
            months[month] += count
            total += count
        narrowed = asked.newest or found != FOUND
        top = f"SELECT words.rowid {found}{ORDERS[asked.newest]}" if narrowed else WITHOUT_FILTER
        self._shown([number for (number,) in self._db.execute(top, values)], asked)
        return total

    def _shown(self, numbers: Sequence[int], asked: Asked) -> list[tuple[str, str, str]]:
        """Id, title and snippet of these, in this order; for a prefix the text itself."""
        some = ", ".join(map(str, numbers))
        if asked.is_prefix:
            rows = self._db.execute(f"SELECT number, id, title, body FROM articles WHERE number IN ({some})")
        else:
            rows = self._db.execute(
                "SELECT number, id, articles.title, snippet(words, 1, '<b>', '</b>', '…', 32) FROM words"
                f" JOIN articles ON number = words.rowid WHERE words MATCH ? AND words.rowid IN ({some})",
                (asked.text,),
            )
        by_number = {number: shown for number, *shown in rows}
        return [tuple(by_number[number]) for number in numbers]

    def close(self) -> None:
        self._db.close()
