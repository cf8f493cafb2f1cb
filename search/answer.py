"""Answer a query: the hits of an engine with their snippets, the facets, and where among the pages one is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter

from search import fields, places, snippets
from search import query as queries
from search.article import Article
from search.clauses import Clause, Phrase, Word, is_free, leaves
from search.engines import DateFacet, Facet, Found, Hit, Searchable
from search.places import Sought
from search.query import Query
from search.reader import Ignored
from search.snippets import Snippet

MOST_PASSAGES = 2
TOO_MANY_WORDS = f"of more than {fields.MOST_WORDS} words the rarest are asked for"
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
    """One page of results. `query` is what was asked in the end: its sort may differ from the reader's.

    `total` and the facets count articles, `groups` counts what pages are cut by. `minimum`: too few articles have all
    words (`whole` do), these have so many of them or more; None where all have all. `is_unquoted`: no article has what
    was quoted, these were found by its words.
    """

    query: Query
    total: int
    groups: int
    pages: int
    results: tuple[Result, ...]
    facets: Mapping[str, Facet | DateFacet]
    took_ms: int
    minimum: int | None = None
    whole: int = 0
    is_unquoted: bool = False

    @property
    def relaxed(self) -> bool:
        """Whether there are articles among these that have not all words."""
        return self.minimum is not None

    @property
    def has_most(self) -> bool:
        """Whether every one of these has more than half of the words."""
        return self.minimum is None or 2 * self.minimum > sum(map(is_free, self.query.required))


def answer(engine: Searchable, query: Query) -> Answer:
    """Ask the engine, and cut the passages that show why each article was found.

    Raises:
        EngineUnavailable, IndexMissing: a failure is never an empty answer.
    """
    begun = perf_counter()
    asked, found, is_unquoted = ask(engine, query)
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
        is_unquoted=is_unquoted and found.total > 0,
        minimum=found.minimum,
        whole=found.whole,
    )


def ask(engine: Searchable, query: Query) -> tuple[Query, Found, bool]:
    """What is asked in the end, what the engine says to it, and whether that is words for want of what was quoted."""
    asked = _asked(query)
    found = engine.search(usable(asked))
    is_unquoted = False
    if not found.total and (words := queries.unquoted(asked)):
        asked, found, is_unquoted = words, engine.search(words), True
    return _without(asked, found.left_out) if found.left_out else asked, found, is_unquoted


def _asked(query: Query) -> Query:
    """The same, or in another order where there is nothing to rank by."""
    if query.sort == "relevance" and not (query.required or query.optional):
        return replace(query, sort="newest")
    return query


def _without(query: Query, left_out: Sequence[Clause]) -> Query:
    """The query as it was asked: without the most frequent of too many words."""
    text = " ".join(leaf.form for leaf in leaves(left_out) if isinstance(leaf, Word))
    ignored = (*query.ignored, Ignored(text, TOO_MANY_WORDS))
    return replace(query, required=tuple(c for c in query.required if c not in left_out), ignored=ignored)


def usable(query: Query) -> Query:
    """The same; or, where something was typed and none of it could be used, what finds nothing.

    The newest articles would answer another question.
    """
    used = query.required or query.optional or query.excluded or query.after or query.before
    return replace(query, required=(NOTHING,)) if query.text.strip() and not used else query


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
