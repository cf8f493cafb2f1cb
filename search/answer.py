"""Answer a query: the hits of an engine with their snippets, the facets, and where among the pages one is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from time import perf_counter

from search import places, snippets
from search import query as queries
from search.article import Article
from search.engines import DateFacet, Engine, Facet, Found, Hit
from search.places import Sought
from search.query import Clause, Either, Phrase, Prefix, Query, Word
from search.snippets import Snippet

MOST_PASSAGES = 2
NOTHING = Phrase(())  # a phrase of no words stands nowhere
NOTHING_SOUGHT = places.by_field(())


@dataclass(frozen=True, slots=True)
class Result:
    """One article found, and what shows why: passages of its text; title, section, authors and tags with marks.

    Those last three are marked when they are looked at: not every page shows them.
    """

    article: Article
    score: float | None
    title: Snippet
    snippets: tuple[Snippet, ...]
    sought: Mapping[str, Sought] = field(default_factory=lambda: NOTHING_SOUGHT, repr=False, compare=False)

    @property
    def section(self) -> Snippet | None:
        """The section, where there is one."""
        section = self.article.section
        return snippets.mark(section, self.sought["section"]) if section else None

    @property
    def authors(self) -> tuple[Snippet, ...]:
        """Each of the authors."""
        return tuple(snippets.mark(author, self.sought["authors"]) for author in self.article.authors)

    @property
    def tags(self) -> tuple[Snippet, ...]:
        """Each of the tags."""
        return tuple(snippets.mark(tag, self.sought["tags"]) for tag in self.article.tags)

    @property
    def shown(self) -> bool:
        """Whether title or text show a word that was asked for."""
        return any(part.marks for part in (self.title, *self.snippets))


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of results. `query` is what was asked in the end: its sort and `minimum` may differ from the reader's.

    `total` and the facets count articles, `groups` counts what pages are cut by. `relaxed`: no article has all
    words, these have `query.minimum` of them or more.
    """

    query: Query
    total: int
    groups: int
    pages: int
    results: tuple[Result, ...]
    facets: Mapping[str, Facet | DateFacet]
    took_ms: int
    relaxed: bool = False


def answer(engine: Engine, query: Query) -> Answer:
    """Ask the engine, with fewer of the words where nothing has them all.

    Raises:
        EngineUnavailable, IndexMissing: a failure is never an empty answer.
    """
    begun = perf_counter()
    asked, found = _search(engine, query)
    terms = queries.terms(asked) if asked.highlight else ()
    sought = places.by_field(terms, found.forms)
    result = _result if asked.highlight else _plain
    results = tuple([result(hit, sought) for hit in found.hits])
    return Answer(
        query=asked,
        total=found.total,
        groups=found.total,  # nothing is folded yet: every article is a group of its own
        pages=-(-found.total // asked.per_page) if asked.per_page else 0,
        results=results,
        facets=found.facets,
        took_ms=round((perf_counter() - begun) * 1000),
        relaxed=asked.minimum is not None and asked.minimum != query.minimum,
    )


def _search(engine: Engine, query: Query) -> tuple[Query, Found]:
    if _unusable(query):
        return query, engine.search(replace(query, required=(NOTHING,)))
    if query.sort == "relevance" and not (query.required or query.optional):
        query = replace(query, sort="newest")  # nothing to rank by
    found = engine.search(query)
    if found.total:
        return query, found
    for minimum in _fewer(query):
        relaxed = replace(query, minimum=minimum)
        some = engine.search(relaxed)
        if some.total:
            return relaxed, some
    return query, found


def _unusable(query: Query) -> bool:
    """Something was typed, and none of it could be used: the newest articles would answer another question."""
    return bool(query.text.strip()) and not (query.required or query.optional or query.excluded)


def _fewer(query: Query) -> Iterator[int]:
    """All words but one, about half, one: three more questions at most, however long the query."""
    words = len(query.required)
    if query.minimum is None and words > 1 and all(_free(clause) for clause in query.required):
        yield from dict.fromkeys((words - 1, (words + 1) // 2, 1))


def _free(clause: Clause) -> bool:
    """Typed without quotes, OR or a field: the reader did not insist on it."""
    match clause:
        case Word(field=None) | Prefix(field=None) | Phrase(exact=False, field=None):
            return True
        case Either(of, spellings=True):
            return all(_free(spelling) for spelling in of)
    return False


def _result(hit: Hit, sought: Mapping[str, Sought]) -> Result:
    article = hit.article
    counts = (hit.counts or {}).get("title")
    return Result(
        article,
        hit.score,
        title=snippets.mark(article.title, sought["title"], counts),
        snippets=_passages(hit, sought),
        sought=sought,
    )


def _plain(hit: Hit, sought: Mapping[str, Sought]) -> Result:
    """Without passages: they were not asked for."""
    return Result(hit.article, hit.score, title=Snippet(hit.article.title), snippets=(), sought=sought)


def _passages(hit: Hit, sought: Mapping[str, Sought]) -> tuple[Snippet, ...]:
    """Of the body where it shows a word, else of the summary, else the subheads that do, else the beginning."""
    article, counts = hit.article, hit.counts or {}
    for name, text in (("body", article.body), ("summary", article.summary)):
        if passages := snippets.cut_many(text, sought[name], MOST_PASSAGES, counts.get(name)):
            return passages
    subheads = [snippets.mark(subhead, sought["subheads"]) for subhead in article.subheads]
    if marked := [subhead for subhead in subheads if subhead.marks]:
        return tuple(marked[:MOST_PASSAGES])
    text = article.summary or article.body
    return (snippets.beginning(text),) if text else ()
