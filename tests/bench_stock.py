"""Stock Whoosh with its stemming analyser in `make bench`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bench_corpus
from bench_queries import Asked
from whoosh import fields, highlight, index, qparser, query, sorting
from whoosh.analysis import StemmingAnalyzer


class Stock:
    name = "stock Whoosh"
    is_asked = True

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        analyzer = StemmingAnalyzer()
        schema = fields.Schema(
            id=fields.ID(stored=True, unique=True),
            title=fields.TEXT(analyzer, stored=True, field_boost=3.0),
            body=fields.TEXT(analyzer, stored=True),
            section=fields.ID(sortable=True),
            month=fields.ID(sortable=True),
            published=fields.NUMERIC(int, bits=64, sortable=True, default=0),  # 0 in the column is the least, not 1970,
        )
        self._index = index.create_in(str(folder), schema)

    def index(self, file: Path) -> None:
        writer = self._index.writer(limitmb=256)
        for row in bench_corpus.rows(file):
            writer.add_document(**{name: value for name, value in row._asdict().items() if value is not None})
        writer.commit()

    def remove(self, ids: Sequence[str]) -> None:
        writer = self._index.writer()
        for id in ids:
            writer.delete_by_term("id", id)
        writer.commit()
        self._searcher = self._index.searcher()
        self._parser = qparser.MultifieldParser(["title", "body"], self._index.schema)

    def ask(self, asked: Asked) -> int:
        results = self._searcher.search(
            self._parser.parse(asked.text),
            limit=10,
            filter=_filter(asked),
            sortedby=sorting.FieldFacet("published", reverse=True) if asked.newest else None,
            groupedby=sorting.Facets().add_field("section").add_field("month"),
            maptype=sorting.Count,
        )
        results.fragmenter = highlight.SentenceFragmenter()
        results.groups("section"), results.groups("month")
        for hit in results[:10]:  # with groups `limit` is no limit: it holds all that match
            hit["title"] if asked.is_prefix else hit.highlights("body", top=2)
        return len(results)

    def close(self) -> None:
        self._searcher.close()


def _filter(asked: Asked) -> query.Query | None:
    if not (asked.section and asked.from_date and asked.until):
        return None
    begin, end = (int(moment.timestamp()) for moment in (asked.from_date, asked.until))
    return query.And([query.Term("section", asked.section), query.NumericRange("published", begin, end, endexcl=True)])
