"""What may be meant by what was typed so far: titles, sections, tags and authors that hold its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

from search import analysis, snippets
from search import query as queries
from search.answer import Result, answer
from search.clauses import Clause, Prefix, Word
from search.engines import Engine
from search.places import Sought
from search.query import Filters
from search.snippets import Snippet

MOST = 5  # of each kind
VALUES = ("section", "tag", "author")  # the filters whose values are suggested


@dataclass(frozen=True, slots=True)
class Value:
    """A section, a tag or an author. `count`: the visible articles that have it."""

    value: str
    count: int
    marked: Snippet


@dataclass(frozen=True, slots=True)
class Suggestions:
    """`values` by filter, the most frequent first; `articles` as the search ranks them by their titles."""

    articles: tuple[Result, ...]
    values: Mapping[str, tuple[Value, ...]]
    took_ms: int


def suggest(engine: Engine, text: str, filters: Filters, most: int = MOST) -> Suggestions:
    """Titles and values that hold all words of the text; the last may be the beginning of one.

    Raises:
        EngineUnavailable, IndexMissing: a failure is never an empty answer.
    """
    begun = perf_counter()
    parts = [part for word in analysis.WORD.finditer(text) for part in analysis.parts(word[0], False) if part.step]
    titles = queries.parse(text, filters=filters, per_page=most, facets=(), prefix=True, field="title")
    articles = answer(engine, titles).results if titles.required else ()
    words = [part.form.lower() for part in parts]
    terms: list[Clause] = [Word(part.stem, part.form) for part in parts[:-1]]
    sought = Sought([*terms, *map(Prefix, words[-1:])])
    values = {
        name: tuple(
            Value(found.value, found.count, snippets.mark(found.value, sought))
            for found in engine.values(name, words, filters, most)
        )
        for name in VALUES
    }
    return Suggestions(articles, values, round((perf_counter() - begun) * 1000))
