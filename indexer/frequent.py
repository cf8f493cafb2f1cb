"""The most frequent queries of readers, read from a file, and what becomes of their first results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from search import query
from search.answer import answer
from search.engines import Searchable

FIRST = 10  # results that are compared: one page
MOST = 1_000  # queries that are asked, of a longer file the most frequent: twice each they take some seconds


class QueriesError(ValueError):
    """The file cannot be used; the message names the line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Frequent:
    """What readers typed, and how often."""

    query: str
    times: int


@dataclass(frozen=True, slots=True)
class First:
    """The first results of a query (ids), and how many there are in all."""

    ids: tuple[str, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Changed:
    """A query that has other first results than before."""

    query: Frequent
    before: First
    after: First

    @property
    def left(self) -> list[str]:
        """What is no longer among the first results."""
        return [id for id in self.before.ids if id not in self.after.ids]

    @property
    def came(self) -> list[str]:
        """What is new among them."""
        return [id for id in self.after.ids if id not in self.before.ids]

    @property
    def is_lost(self) -> bool:
        """Whether it found something, and finds nothing now."""
        return bool(self.before.total) and not self.after.total


def read(path: Path) -> list[Frequent]:
    """The queries of a file, the most frequent first: one a line; after a tab how often, else once.

    Raises:
        QueriesError: naming the line.
        OSError: the file cannot be read.
    """
    times: Counter[str] = Counter()
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as problem:
        raise QueriesError(
            f"{path} is no text in UTF-8: write one query a line, and after a tab how often"
        ) from problem
    for number, line in enumerate(lines, 1):
        text, tab, often = line.partition("\t")
        if tab and not (often.strip().isascii() and often.strip().isdigit()):
            raise QueriesError(
                f"{path}, line {number}: {often.strip()!r} is no number of times that {text!r} was asked"
            )
        if text.strip():
            times[text.strip()] += int(often) if tab else 1
    if not times:
        raise QueriesError(f"{path} holds no query: write one a line, and after a tab how often it was asked")
    return [Frequent(*item) for item in times.most_common(MOST)]


def ask(engine: Searchable, one: Frequent) -> First:
    """The first results, as a reader gets them.

    Raises:
        EngineError: the engine cannot be asked.
    """
    found = answer(engine, query.parse(one.query, per_page=FIRST, facets=(), highlight=False))
    return First(tuple(result.article.id for result in found.results), found.total)


def compare(queries: Sequence[Frequent], before: Sequence[First], after: Sequence[First]) -> list[Changed]:
    """Those whose first results are not the same, the most frequent first."""
    every = zip(queries, before, after, strict=True)
    return [Changed(one, old, new) for one, old, new in every if old.ids != new.ids]
