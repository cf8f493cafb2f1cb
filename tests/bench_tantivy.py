"""tantivy in `make bench`, by its Python binding."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bench_corpus
from bench_queries import Asked
from tantivy import Document, FieldType, Index, Occur, Query, Schema, SchemaBuilder, SnippetGenerator

HEAP = 128_000_000  # bytes a thread, the binding's default; four times as much was no faster
COUNTS = {
    "section": {"terms": {"field": "section", "size": 1000}},
    "month": {"terms": {"field": "month", "size": 1000}},
}


class Tantivy:
    name = "tantivy"
    is_asked = True
    threads = 1

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._index = Index(_schema(), str(folder))

    def index(self, file: Path) -> None:
        writer = self._index.writer(HEAP * self.threads, self.threads)
        for row in bench_corpus.rows(file):
            writer.add_document(Document(**{name: value for name, value in row._asdict().items() if value is not None}))
        writer.commit()
        writer.wait_merging_threads()

    def remove(self, ids: Sequence[str]) -> None:
        writer = self._index.writer(HEAP, 1)
        for id in ids:
            writer.delete_documents_by_term("id", id)
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()

    def ask(self, asked: Asked) -> int:
        words = self._words(asked)
        query = self._narrowed(words, asked)
        found = self._searcher.search(query, 10, order_by_field="published" if asked.newest else None)
        self._searcher.aggregate(query, COUNTS)  # both in one pass; the binding cannot make it one with the search
        documents = [self._searcher.doc(address) for _, address in found.hits]
        if not asked.is_prefix:
            snippets = SnippetGenerator.create(self._searcher, words, self._index.schema, "body")
            for document in documents:
                snippets.snippet_from_doc(document).to_html()
        total: int = found.count
        return total

    def _words(self, asked: Asked) -> Query:
        if asked.is_prefix:
            # Of one word it is a prefix. A regular expression finds the same, and takes longer to compile than to run.
            return Query.phrase_prefix_query(self._index.schema, "body", [asked.text[:-1]])
        fields = ["title", "body"]
        return self._index.parse_query(asked.text, fields, field_boosts={"title": 3.0}, conjunction_by_default=True)

    def _narrowed(self, words: Query, asked: Asked) -> Query:
        if not (asked.section and asked.from_date and asked.until):
            return words
        begin, end = (int(moment.timestamp()) for moment in (asked.from_date, asked.until))
        section = Query.term_query(self._index.schema, "section", asked.section, "basic")
        dates = Query.range_query(
            self._index.schema, "published", FieldType.Integer, begin, end, include_upper=False
        )  # by the column, which beat the inverted index where few articles match
        return Query.boolean_query([(Occur.Must, words), (Occur.Must, section), (Occur.Must, dates)])

    def close(self) -> None:
        del self._searcher


class TwoThreads(Tantivy):
    """Indexing with as many cores as ours may use."""

    name = "tantivy, 2 threads"
    is_asked = False
    threads = 2


def _schema() -> Schema:
    builder = SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("title", stored=True, tokenizer_name="en_stem", index_option="position")
    builder.add_text_field("body", stored=True, tokenizer_name="en_stem", index_option="position")
    builder.add_text_field("section", stored=True, fast=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("month", fast=True, tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("published", indexed=True, fast=True)
    return builder.build()
