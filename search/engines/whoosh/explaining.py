"""Explain where one article stands: the numbers of `evaluate`, `order` and `rescoring`, asked about it alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from search import article as articles
from search import explanation, fields
from search.article import Article
from search.clauses import Both, Clause, Either, Leaf, Near, Prefix, Word, is_free
from search.engines.whoosh import order
from search.engines.whoosh.arrays import places_of
from search.engines.whoosh.evaluate import Group, Matches, Node, Scores, Term
from search.engines.whoosh.facets import DATE, Filtered, chosen, keeping
from search.engines.whoosh.freshness import FRESHNESS
from search.engines.whoosh.instants import moment
from search.engines.whoosh.leaves import Stand, Weighed
from search.engines.whoosh.postings import FIELD_NAMES
from search.engines.whoosh.rescoring import FEEDBACK, NEARNESS, Best, Read, gained, nearness, shared
from search.engines.whoosh.snapshot import Snapshot, Visible
from search.engines.whoosh.store import Store
from search.explanation import Barrier, Explanation, Form, InField, Part, Wanted
from search.query import Query

SHARED = 5  # words of feedback that are named


def explain(
    query: Query, named: str, snapshot: Snapshot, matches: Matches, filtered: Filtered, store: Store
) -> Explanation:
    """Why the article of this id or URL stands where it does among what `filtered` left of `matches`."""
    query = replace(query, required=tuple(clause for clause in query.required if clause not in matches.left_out))
    id = _meant(named, snapshot, matches.visible, store)
    place = snapshot.find(id)
    state = _state(id, place, snapshot, matches.visible, store)
    found = Explanation(
        id,
        state,
        query,
        articles=matches.visible.count,
        total=sum(map(len, filtered.docs)),
        wanted=_wanted(query, matches),
    )
    if place is None or state != explanation.VISIBLE:
        return replace(found, hidden_until=_embargo(place, snapshot) if state == explanation.EMBARGOED else None)

    def read(segments: Sequence[int], docs: Sequence[int]) -> list[Article]:
        return store.articles(list(map(snapshot.seq, segments, docs)))

    (article,) = read(*([number] for number in place))
    held = store.held([id])
    one = _One(*place, article, matches)
    ranked = _Ranked(query, snapshot, matches, filtered, read, place)
    parts = list(one.parts(query))
    return replace(
        found,
        article=article,
        rank=ranked.rank,
        score=ranked.score,
        again=ranked.again,
        parts=(*parts, *ranked.parts(one)),
        excluded=tuple(one.part("excluded", clause) for clause in query.excluded),
        wanted=replace(found.wanted, has=sum(part.matches for part in parts if _may_be_missing(part))),
        barriers=tuple(_barriers(query, snapshot, place, article)),
        changed=id not in held or held[id].digest != articles.digest(article),
    )


# Which article is meant, and whether it may be shown.


def _meant(named: str, snapshot: Snapshot, visible: Visible, store: Store) -> str:
    """The id of an id or URL: of several articles at a URL the one that may be seen, accepted last."""
    at = store.ids_at(named) if "/" in named else []
    for id in at:
        place = snapshot.find(id)
        if place and visible.masks[place[0]][place[1]]:
            return id
    return at[0] if at else articles.as_id(named)


def _state(id: str, place: tuple[int, int] | None, snapshot: Snapshot, visible: Visible, store: Store) -> str:
    if id in snapshot.taken:
        return explanation.TAKEN_DOWN
    if place is None or id in snapshot.withheld:
        return explanation.PENDING if store.held([id]) else explanation.UNKNOWN
    segment, doc = place
    if visible.masks[segment][doc]:
        return explanation.VISIBLE
    return explanation.WITHDRAWN if snapshot.views[segment].arrays["doc.withdrawn"][doc] else explanation.EMBARGOED


def _embargo(place: tuple[int, int] | None, snapshot: Snapshot) -> datetime | None:
    return moment(int(snapshot.views[place[0]].arrays["doc.embargo"][place[1]])) if place else None


# What the query asks of every article.


def _wanted(query: Query, matches: Matches) -> Wanted:
    having = tuple(matches.leaving()) if matches.words else ()
    return Wanted(matches.words, matches.minimum, query.enough, having)


def _may_be_missing(part: Part) -> bool:
    return part.role == "required" and part.clause is not None and is_free(part.clause)


def _barriers(query: Query, snapshot: Snapshot, place: tuple[int, int], article: Article) -> Iterator[Barrier]:
    segment, doc = place
    published = (articles.iso(article.published),) if article.published else ()
    view, one = snapshot.views[segment], np.array([doc])
    for name in chosen(query.filters):
        if not keeping(query.filters, name, view, one)[0]:
            if name == DATE:
                yield Barrier(name, _span(query.filters.from_date, query.filters.until), published)
            else:
                has = getattr(article, fields.FILTERS[name])
                yield Barrier(name, getattr(query.filters, name), (has,) if isinstance(has, str) else has or ())
    typed = query.after, query.before
    if any(typed) and not view.published(*typed, one)[0]:
        yield Barrier("typed date", _span(*typed), published)


def _span(start: datetime | None, until: datetime | None) -> tuple[str, ...]:
    return (
        *([f"from {articles.iso(start)}"] if start else []),
        *([f"before {articles.iso(until)}"] if until else []),
    )


# What the article has of it.


@dataclass(frozen=True)
class _One:
    """The article, as one document of a segment."""

    segment: int
    doc: int
    article: Article
    matches: Matches

    def parts(self, query: Query) -> Iterator[Part]:
        """Of the clauses that make the score."""
        for clause in query.required:
            yield self.part("required", clause)
        for clause in query.optional:
            yield self.part("optional", clause)

    def part(self, role: str, clause: Clause, node: Node | None = None) -> Part:
        node = node or self.matches.node(clause)
        has = bool(node.masks[self.segment][self.doc])
        part = Part(
            role,
            explanation.name(clause),
            clause,
            matches=has,
            score=float(node.score(self.segment, np.array([self.doc]))[0]),
            weight=clause.weight if isinstance(clause, Word) else 1.0,
            close=() if has or not isinstance(clause, Word) else explanation.close(self.article, clause),
        )
        if isinstance(node, Group):
            assert isinstance(clause, Either | Both)
            of = zip(clause.of, node.nodes, strict=True)
            return replace(part, of=tuple(self.part(role, inside, one) for inside, one in of))
        assert not isinstance(clause, Either | Both)
        found = self.fields(clause, node)
        tf = sum(each.frequency * each.factor for each in found)
        return replace(part, articles=node.df, idf=node.idf, tf=tf, fields=found)

    def pair(self, clause: Near) -> Part:
        """What two neighbours in the query add where they are near each other here."""
        best = Best(np.array([self.segment]), np.array([self.doc]), np.zeros(1))
        found = self.fields(clause, Term(clause, self.matches.snapshot, self.matches.visible))
        return Part(
            NEARNESS,
            explanation.beside(clause),
            clause,
            matches=bool(found),
            score=float(nearness(best, [clause], self.matches)[0]),
            weight=fields.NEAR_WEIGHT,
            idf=sum(self.matches.term(word).idf for word in clause.words),
            tf=sum(each.frequency * each.factor for each in found),
            fields=found,
        )

    def fields(self, clause: Leaf, term: Term) -> tuple[InField, ...]:
        """Where a leaf stands in the article."""
        view, visible = self.matches.views[self.segment], self.matches.visible
        found = []
        for stand in term.stands[self.segment]:
            (place,), (held,) = places_of(np.array([self.doc]), stand.docs)
            if not held:
                continue
            lengths = view.lengths[stand.field][[self.doc]]
            frequency = float(stand.frequencies(np.array([place]))[0])
            forms = tuple(self.forms(clause, stand, int(place)))
            found.append(
                InField(
                    FIELD_NAMES[stand.field],
                    count=sum(form.count for form in forms) if forms else round(frequency),
                    frequency=frequency,
                    length=int(lengths[0]),
                    mean=visible.average[stand.field],
                    weight=fields.SEARCHED[stand.field].weight,
                    factor=float(visible.factors(stand.field, lengths)[0]),
                    forms=forms,
                )
            )
        return tuple(found)

    def forms(self, clause: Leaf, stand: Stand, place: int) -> Iterator[Form]:
        """Of a word: how often each word of its stem; of a prefix: each that begins so."""
        if isinstance(clause, Prefix):
            here = explanation.forms(self.article, FIELD_NAMES[stand.field])
            begin = Counter(form for form in here if form.lower().startswith(clause.text))
            yield from (Form(form, count, 1.0) for form, count in begin.most_common())
        if isinstance(clause, Word) and isinstance(stand, Weighed):
            words = self.matches.views[self.segment].words
            texts = words.forms_of(words.stem(clause.stem))
            read = stand.postings.occurrences(stand.term, np.array([place]))
            often = Counter(read.forms(np.arange(len(read.position)), np.zeros(len(read.position), np.int64)).tolist())
            for number, count in sorted(often.items(), key=lambda item: (-stand.weights[item[0]], -item[1])):
                yield Form(texts[number], count, float(stand.weights[number]))


# Where it stands among the others.


@dataclass
class _Ranked:
    """All that is found, in order, and what each step of the ranking added to this article."""

    query: Query
    snapshot: Snapshot
    matches: Matches
    filtered: Filtered
    read: Read
    place: tuple[int, int]
    rank: int | None = None
    score: float | None = None
    again: bool | None = None
    steps: list[tuple[str, float, float, Best]] = field(default_factory=list)

    def __post_init__(self) -> None:
        total = sum(map(len, self.filtered.docs))
        whole = replace(self.query, page=1, per_page=total)
        found = order.page(whole, self.snapshot, self.matches, self.filtered.docs, self.read, self._heard)
        for rank, (segment, doc, score) in enumerate(found, 1):
            if (segment, doc) == self.place:
                self.rank, self.score = rank, score

    def _heard(self, step: str, best: Best, added: Scores) -> None:
        which = ((best.segment == self.place[0]) & (best.doc == self.place[1])).nonzero()[0]
        if step != FRESHNESS:
            self.again = len(which) > 0
        if len(which):
            self.steps.append((step, float(added[which[0]]), float(best.score[which[0]]), best))

    def parts(self, one: _One) -> Iterator[Part]:
        """Of each step; of nearness by pair."""
        for step, added, before, best in self.steps:
            if step == NEARNESS:
                yield from map(one.pair, self.query.near)
            elif step == FEEDBACK:
                here = Best(np.array([one.segment]), np.array([one.doc]), np.zeros(1))
                weights = shared(best, self.matches, self.read)
                gains = {stem: float(gained({stem: weight}, here, self.matches)[0]) for stem, weight in weights.items()}
                level = added / sum(gains.values()) if added else 0.0
                first = sorted(gains, key=lambda stem: (-gains[stem], stem))[:SHARED]
                strongest = tuple((stem, gains[stem] * level) for stem in first if gains[stem])
                yield Part(step, step, matches=added > 0, score=added, shared=strongest)
            else:
                yield Part(step, step, matches=added != 0, score=added, weight=1 + added / before)
