"""What the right answer is: scan every article, with none of the engine's code but the analysis and the weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import log

from search import analysis, fields
from search.article import Article, tie_break
from search.query import Both, Clause, Either, Phrase, Prefix, Query, Word

ATTRIBUTE = {"section": "section", "tag": "tags", "author": "authors", "language": "language"}
LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Right:
    """Ids in order, score by id, counts by facet and value, and how many have no value."""

    ids: list[str]
    scores: dict[str, float]
    total: int
    counts: dict[str, Counter[str]]
    missing: dict[str, int]
    dates: list[datetime]  # of everything that the date facet counts


def answer(articles: Sequence[Article], query: Query) -> Right:
    """The whole answer, not cut into pages. `articles` are the visible ones."""
    collection = [_Scanned(article) for article in articles]
    required = [_scores(clause, collection) for clause in query.required]
    optional = [_scores(clause, collection) for clause in query.optional]
    excluded = [_scores(clause, collection) for clause in query.excluded]
    minimum = len(required) if query.minimum is None else min(query.minimum, len(required))
    matching = {
        i: sum(scores[i] for scores in (*required, *optional))
        for i in range(len(articles))
        if sum(scores[i] > 0 for scores in required) >= minimum and not any(scores[i] for scores in excluded)
    }
    found = {i: score for i, score in matching.items() if _passes(articles[i], query)}
    scored = bool(query.required) and query.sort == "relevance"

    def place(i: int) -> tuple[object, ...]:
        published = articles[i].published
        newest = -published.timestamp() if published else float("inf")
        oldest = published or LAST
        first = -found[i] if scored else oldest if query.sort == "oldest" else newest
        return (first, newest, tie_break(articles[i].id))

    counts: dict[str, Counter[str]] = {}
    missing: dict[str, int] = {}
    for name in ATTRIBUTE:
        members = [articles[i] for i in matching if _passes(articles[i], query, but=name)]
        counts[name] = Counter(value for article in members for value in _values(article, name))
        missing[name] = sum(not _values(article, name) for article in members)
    dated = [articles[i].published for i in matching if _passes(articles[i], query, but="date")]
    missing["date"] = dated.count(None)
    return Right(
        ids=[articles[i].id for i in sorted(found, key=place)],
        scores={articles[i].id: score for i, score in found.items()} if scored else {},
        total=len(found),
        counts=counts,
        missing=missing,
        dates=[date for date in dated if date],
    )


class _Scanned:
    def __init__(self, article: Article) -> None:
        self.items = {f.name: [analysis.tokens(text) for text in _texts(article, f.name)] for f in fields.SEARCHED}

    def length(self, field: str) -> int:
        return sum(len({token.position for token in item}) for item in self.items[field])


def _texts(article: Article, field: str) -> list[str]:
    value = getattr(article, field)
    return [value] if isinstance(value, str) else list(value or ())


def _values(article: Article, name: str) -> list[str]:
    return _texts(article, ATTRIBUTE[name])


def _passes(article: Article, query: Query, but: str | None = None) -> bool:
    filters = query.filters
    for name in ATTRIBUTE:
        chosen = getattr(filters, name)
        if name != but and chosen and not set(chosen) & set(_values(article, name)):
            return False
    if but == "date" or not (filters.from_date or filters.until):
        return True
    if article.published is None:
        return False
    return (not filters.from_date or filters.from_date <= article.published) and (
        not filters.until or article.published < filters.until
    )


def _scores(clause: Clause, collection: Sequence[_Scanned]) -> list[float]:
    if isinstance(clause, Either):
        return [sum(parts) for parts in zip(*(_scores(part, collection) for part in clause.of), strict=True)]
    if isinstance(clause, Both):
        return [
            sum(parts) if all(parts) else 0.0
            for parts in zip(*(_scores(part, collection) for part in clause.of), strict=True)
        ]
    tfs = [0.0] * len(collection)
    for field in fields.SEARCHED:
        if clause.field != field.name and (clause.field or not field.weight):
            continue
        lengths = [one.length(field.name) for one in collection]
        having = [length for length in lengths if length]
        for i, one in enumerate(collection):
            if frequency := sum(_frequency(clause, item) for item in one.items[field.name]):
                relative = lengths[i] * len(having) / sum(having)
                tfs[i] += (field.weight or 1.0) * frequency / (1 - field.b + field.b * relative)
    df = sum(tf > 0 for tf in tfs)
    idf = log(1 + (len(collection) - df + 0.5) / (df + 0.5))
    return [idf * tf * (fields.K1 + 1) / (tf + fields.K1) for tf in tfs]


def _frequency(clause: Word | Phrase | Prefix, item: Iterable[analysis.Token]) -> float:
    if isinstance(clause, Prefix):
        return sum(token.form.lower().startswith(clause.text) for token in item)
    if isinstance(clause, Word):
        small = clause.form.islower() or clause.form == clause.form.lower()
        return sum(
            1.0 if (token.form.lower() if small else token.form) == clause.form else fields.STEM_MATE
            for token in item
            if token.stem == clause.stem
        )
    at: dict[int, list[analysis.Token]] = {}
    for token in item:
        at.setdefault(token.position, []).append(token)
    return sum(
        all(
            any(_stands(word, token, clause.exact) for token in at.get(start + offset, ()))
            for offset, word in enumerate(clause.words)
        )
        for start in at
    )


def _stands(word: Word, token: analysis.Token, exact: bool) -> bool:
    return token.stem == word.stem and (not exact or token.form.lower() == word.form.lower())
