"""tantivy, SQLite FTS5 and stock Whoosh as rankers: a text in, ids out, best first, found by any of its words.

Each as its own guide sets it up: its English stemmer, its BM25 with its own constants.
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

    def __init__(self, folder: Path, rows: Iterable[Row]) -> None: ...

    def ask(self, text: str, top: int, title_weight: float) -> list[str]: ...

    def close(self) -> None: ...


class Tantivy:
    name = "tantivy"

    def __init__(self, folder: Path, rows: Iterable[Row]) -> None:
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

    def ask(self, text: str, top: int, title_weight: float) -> list[str]:
        words = " ".join(_words(text))  # without what its query language would read as operators
        asked = self._index.parse_query(words, ["title", "body"], field_boosts={"title": title_weight})
        found = self._searcher.search(asked, top, count=False)
        return [self._searcher.doc(address)["id"][0] for _, address in found.hits]

    def close(self) -> None:
        del self._searcher


class Fts5:
    name = "FTS5"

    def __init__(self, folder: Path, rows: Iterable[Row]) -> None:
        self._db = sqlite3.connect(folder / "articles.db")
        self._db.execute(
            "CREATE VIRTUAL TABLE articles USING fts5 (id UNINDEXED, title, body, tokenize='porter unicode61')"
        )
        self._db.executemany("INSERT INTO articles VALUES (?, ?, ?)", rows)
        self._db.commit()

    def ask(self, text: str, top: int, title_weight: float) -> list[str]:
        asked = " OR ".join(f'"{word}"' for word in _words(text))
        found = self._db.execute(
            "SELECT id FROM articles WHERE articles MATCH ? ORDER BY bm25(articles, 0, ?, 1), rowid LIMIT ?",
            (asked, title_weight, top),
        )
        return [id for (id,) in found]

    def close(self) -> None:
        self._db.close()


class Stock:
    name = "Whoosh"

    def __init__(self, folder: Path, rows: Iterable[Row]) -> None:
        text = fields.TEXT(StemmingAnalyzer())
        self._schema = fields.Schema(id=fields.ID(stored=True), title=text, body=text)
        made = index.create_in(str(folder), self._schema)
        writer = made.writer(limitmb=256)
        for id, title, body in rows:
            writer.add_document(id=id, title=title, body=body)
        writer.commit()
        self._searcher = made.searcher()

    def ask(self, text: str, top: int, title_weight: float) -> list[str]:
        weights = {"title": title_weight}
        parser = qparser.MultifieldParser(["title", "body"], self._schema, weights, group=qparser.OrGroup)
        found = self._searcher.search(parser.parse(" ".join(_words(text))), limit=top)
        return [hit["id"] for hit in found]

    def close(self) -> None:
        self._searcher.close()


PEERS: tuple[type[Peer], ...] = (Tantivy, Fts5, Stock)


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]  # AND, OR and NOT are words here
