"""What the right answer is: scan every article, with none of the engine's code but the analysis and the weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import log

from search import analysis, fields
from search.article import Article, tie_break
from search.clauses import Both, Clause, Either, Leaf, Near, Prefix, Word, is_free
from search.query import Query

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
    free = _rarest([_scores(clause, collection) for clause in query.required if is_free(clause)])
    insisted = [_scores(clause, collection) for clause in query.required if not is_free(clause)]
    optional = [_scores(clause, collection) for clause in query.optional]
    excluded = [_scores(clause, collection) for clause in query.excluded]
    having = {
        i: sum(scores[i] > 0 for scores in free)
        for i, article in enumerate(articles)
        if all(scores[i] for scores in insisted)
        and not any(scores[i] for scores in excluded)
        and _is_dated(article, query.after, query.before)
    }
    minimum = len(free)
    while minimum > 1 and sum(words >= minimum for words in having.values()) < query.enough:
        minimum -= 1
    matching = {
        i: sum(scores[i] for scores in (*free, *insisted, *optional)) for i, words in having.items() if words >= minimum
    }
    found = {i: score for i, score in matching.items() if _passes(articles[i], query)}
    scored = bool(query.required) and query.sort == "relevance"

    def place(i: int) -> tuple[object, ...]:
        published = articles[i].published
        newest = -published.timestamp() if published else float("inf")
        oldest = published or LAST
        first = -found[i] if scored else oldest if query.sort == "oldest" else newest
        return (first, newest, tie_break(articles[i].id))

    if scored:
        found = {
            i: score * _freshness(articles[i], [articles[j] for j in found], articles, query)
            for i, score in found.items()
        }
        best = sorted(found, key=place)[: fields.POOL]
        for i in best:
            found[i] += sum(_nearness(clause, collection, i) for clause in query.near)
        is_whole = any(words == len(free) for words in having.values())
        if len(free) >= fields.FEEDBACK_WORDS and not is_whole:
            best = sorted(best, key=place)
            for i, score in _feedback(articles, collection, {i: found[i] for i in best}).items():
                found[i] += score

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


def _rarest(words: list[list[float]]) -> list[list[float]]:
    """As many as count, in the order typed: those that the fewest articles hold, but for those that none does."""
    held = [sum(score > 0 for score in scores) for scores in words]
    by_rarity = sorted(range(len(words)), key=lambda i: (not held[i], held[i]))
    return [words[i] for i in sorted(by_rarity[: fields.MOST_WORDS])]


def _is_dated(article: Article, start: datetime | None, until: datetime | None) -> bool:
    if not (start or until):
        return True
    published = article.published
    return published is not None and (not start or start <= published) and (not until or published < until)


def _passes(article: Article, query: Query, but: str | None = None) -> bool:
    filters = query.filters
    for name in ATTRIBUTE:
        chosen = getattr(filters, name)
        if name != but and chosen and not set(chosen) & set(_values(article, name)):
            return False
    return but == "date" or _is_dated(article, filters.from_date, filters.until)


def _scores(clause: Clause, collection: Sequence[_Scanned]) -> list[float]:
    if isinstance(clause, Either):
        together = max if clause.spellings else sum
        return [together(parts) for parts in zip(*(_scores(part, collection) for part in clause.of), strict=True)]
    if isinstance(clause, Both):
        return [
            sum(parts) if all(parts) else 0.0
            for parts in zip(*(_scores(part, collection) for part in clause.of), strict=True)
        ]
    tfs = _tfs(clause, collection)
    weight = clause.weight if isinstance(clause, Word) else 1.0
    return [weight * _idf(tfs) * _saturated(tf) for tf in tfs]


def _tfs(clause: Leaf, collection: Sequence[_Scanned]) -> list[float]:
    """`tf` of a leaf in each article."""
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
    return tfs


def _idf(tfs: Sequence[float]) -> float:
    df = sum(tf > 0 for tf in tfs)
    return log(1 + (len(tfs) - df + 0.5) / (df + 0.5))


def _saturated(tf: float) -> float:
    return tf * (fields.K1 + 1) / (tf + fields.K1)


def _freshness(article: Article, found: Sequence[Article], articles: Sequence[Article], query: Query) -> float:
    if query.after or query.before or query.filters.from_date or query.filters.until:
        return 1
    now = datetime.now(UTC)
    dates = [one.published for one in articles if one.published and one.published <= now]
    among = [one.published for one in found if one.published and one.published <= now]
    if not dates:
        return 1
    newest = max(dates)
    bursts = []
    for days in fields.FRESH_DAYS:
        since = newest - timedelta(days=days)
        k, n, q = sum(date >= since for date in among), len(among), sum(date >= since for date in dates) / len(dates)
        if k >= fields.FRESH_FEWEST and k >= 2 * n * q:
            surprise = k * log(k / (n * q)) + ((n - k) * log((n - k) / (n * (1 - q))) if k < n else 0)
            bursts.append((surprise, 1 - n * q / k, days))
    surprise, strength, days = max(bursts, default=(0.0, 0.0, 1))
    if surprise < fields.FRESH_SURPRISE or article.published is None or article.published > newest:
        return 1
    age = (newest - article.published) / timedelta(days=days)
    return 1 + fields.FRESH * strength * 2.0**-age


def _nearness(clause: Near, collection: Sequence[_Scanned], i: int) -> float:
    idf = sum(_idf(_tfs(word, collection)) for word in clause.words)
    return fields.NEAR_WEIGHT * idf * _saturated(_tfs(clause, collection)[i])


def _feedback(articles: Sequence[Article], collection: Sequence[_Scanned], score: dict[int, float]) -> dict[int, float]:
    """What each of the best articles, the best first, gains by the stems that the first of them share."""
    first = list(score)[: fields.FEEDBACK_ARTICLES]
    together = sum(score[i] for i in first)
    weights: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for i in first:
        texts = (articles[i].title, articles[i].summary, articles[i].body[: fields.FEEDBACK_LEAD])
        stems = [token.stem for text in texts for token in analysis.tokens(text) if len(token.stem) > 1]
        held.update(set(stems))
        for stem in stems:
            weights[stem] += score[i] / together / len(stems)
    shared = [stem for stem in weights if held[stem] > 1 and stem not in set(map(analysis.stem, analysis.STOP_WORDS))]
    likely = sorted(shared, key=lambda stem: (-weights[stem], stem))[: fields.FEEDBACK_LIKELY]
    tfs = {stem: _tfs(Word(stem, ""), collection) for stem in likely}
    telling = {stem: weights[stem] * _idf(tfs[stem]) for stem in likely}
    chosen = sorted(telling, key=lambda stem: (-telling[stem], stem))[: fields.FEEDBACK_TERMS]
    gained = dict.fromkeys(score, 0.0)
    for stem in chosen:
        weight = telling[stem] / sum(telling[stem] for stem in chosen) * _idf(tfs[stem])
        for i in score:
            gained[i] += weight * _saturated(tfs[stem][i] / fields.STEM_MATE)
    top = sorted(gained.values())[-fields.FEEDBACK_ARTICLES :]
    if not sum(top):
        return {}
    level = (together / len(first)) / (sum(top) / len(top)) * fields.FEEDBACK_SHARE / (1 - fields.FEEDBACK_SHARE)
    return {i: gain * level for i, gain in gained.items()}


def _frequency(clause: Leaf, item: Iterable[analysis.Token]) -> float:
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
    if isinstance(clause, Near):
        stems = {word.stem for word in clause.words}
        return _stretches(stems, len(stems) + clause.slop, at)
    return sum(
        all(
            any(_stands(word, token, clause.exact) for token in at.get(start + offset, ()))
            for offset, word in enumerate(clause.words)
        )
        for start in at
    )


def _stretches(stems: set[str], length: int, at: Mapping[int, list[analysis.Token]]) -> int:
    """The places of one of the stems from which on all of them stand within so many places."""
    stems_at = {place: {token.stem for token in tokens} & stems for place, tokens in at.items()}
    return sum(
        bool(here) and set().union(*(stems_at.get(start + i, ()) for i in range(length))) == stems
        for start, here in stems_at.items()
    )


def _stands(word: Word, token: analysis.Token, exact: bool) -> bool:
    return token.stem == word.stem and (not exact or token.form.lower() == word.form.lower())
