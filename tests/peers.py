"""tantivy, SQLite FTS5 and stock Whoosh as rankers: a text in, ids out, best first, found by any of its words.

Each as its own guide sets it up: its English stemmer, its BM25 with its own constants; the title weighs what is given.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from tantivy import Document, Index, SchemaBuilder
from whoosh import fields, index, qparser
from whoosh.analysis import StemmingAnalyzer

HEAP = 128_000_000  # bytes
_WORD = re.compile(r"[^\W_]+")

Row = tuple[str, str, str]  # id, title, body


class Peer(Protocol):
    """`folder` is its own, and fresh."""

    name: str

    def __init__(self, folder: Path, rows: Iterable[Row], title_weight: float) -> None: ...

    def ask(self, text: str, top: int) -> list[str]: ...

    def close(self) -> None: ...


class Tantivy:
    name = "tantivy"

    def __init__(self, folder: Path, rows: Iterable[Row], title_weight: float) -> None:
        builder = SchemaBuilder()
        builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
        builder.add_text_field("title", tokenizer_name="en_stem", index_option="position")
        builder.add_text_field("body", tokenizer_name="en_stem", index_option="position")
        self._index = Index(builder.build(), str(folder))
        writer = self._index.writer(HEAP, 1)
        for id, title, body in rows:
            writer.add_document(Document(id=id, title=title, body=body))
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()
        self._weights = {"title": title_weight}

    def ask(self, text: str, top: int) -> list[str]:
        words = " ".join(_words(text))  # without what its query language would read as operators
        asked = self._index.parse_query(words, ["title", "body"], field_boosts=self._weights)
        found = self._searcher.search(asked, top, count=False)
        return [self._searcher.doc(address)["id"][0] for _, address in found.hits]

    def close(self) -> None:
        del self._searcher


class Fts5:
    name = "FTS5"

    def __init__(self, folder: Path, rows: Iterable[Row], title_weight: float) -> None:
        self._db = sqlite3.connect(folder / "articles.db")
        self._db.execute(
            "CREATE VIRTUAL TABLE articles USING fts5 (id UNINDEXED, title, body, tokenize='porter unicode61')"
        )
        self._db.executemany("INSERT INTO articles VALUES (?, ?, ?)", rows)
        self._db.commit()
        self._weight = title_weight

    def ask(self, text: str, top: int) -> list[str]:
        asked = " OR ".join(f'"{word}"' for word in _words(text))
        found = self._db.execute(
            "SELECT id FROM articles WHERE articles MATCH ? ORDER BY bm25(articles, 0, ?, 1), rowid LIMIT ?",
            (asked, self._weight, top),
        )
        return [id for (id,) in found]

    def close(self) -> None:
        self._db.close()


class Stock:
    name = "Whoosh"

    def __init__(self, folder: Path, rows: Iterable[Row], title_weight: float) -> None:
        analyzer = StemmingAnalyzer()
        schema = fields.Schema(
            id=fields.ID(stored=True),
            title=fields.TEXT(analyzer, field_boost=title_weight),
            body=fields.TEXT(analyzer),
        )
        made = index.create_in(str(folder), schema)
        writer = made.writer(limitmb=256)
        for id, title, body in rows:
            writer.add_document(id=id, title=title, body=body)
        writer.commit()
        self._searcher = made.searcher()
        self._parser = qparser.MultifieldParser(["title", "body"], schema, group=qparser.OrGroup)

    def ask(self, text: str, top: int) -> list[str]:
        asked = self._parser.parse(" ".join(_words(text)))
        return [hit["id"] for hit in self._searcher.search(asked, limit=top)]

    def close(self) -> None:
        self._searcher.close()


PEERS: tuple[type[Peer], ...] = (Tantivy, Fts5, Stock)


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]  # AND, OR and NOT are words here
