"""Broadsheet in `make bench`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench_queries import Asked

from indexer import build
from search import query
from search.answer import answer
from search.engines import connect


class Ours:
    name = "Broadsheet"
    is_asked = True

    def __init__(self, folder: Path) -> None:
        self._engine = connect(f"whoosh:{folder}")

    def index(self, file: Path) -> None:
        build.update(self._engine, [file])
        self._engine.close()  # it is opened again when it is asked

    def remove(self, ids: Sequence[str]) -> None:
        for id in ids:
            self._engine.take_down(id, "bench")

    def ask(self, asked: Asked) -> int:
        filters = query.Filters(
            section=(asked.section,) if asked.section else (), from_date=asked.from_date, until=asked.until
        )
        sort = "newest" if asked.newest else "relevance"
        parsed = query.parse(asked.text, filters=filters, sort=sort, highlight=not asked.is_prefix)
        answered = answer(self._engine, replace(parsed, enough=0))  # the others are asked for all words too
        return 0 if answered.is_unquoted else answered.total

    def close(self) -> None:
        self._engine.close()
