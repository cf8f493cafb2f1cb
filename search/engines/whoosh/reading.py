"""What readers ask of a snapshot: of the live generation, or of one that nobody has switched to yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from search import addresses
from search.article import Article
from search.engines import ArticleGone, ArticleMissing, Count, Found, Hit
from search.engines.whoosh import explaining, order
from search.engines.whoosh.counts import counts_and_forms
from search.engines.whoosh.evaluate import Matches
from search.engines.whoosh.facets import Filtered, count_values
from search.engines.whoosh.snapshot import Snapshot
from search.engines.whoosh.store import Store
from search.explanation import Explanation
from search.query import Filters, Query

_Answer = TypeVar("_Answer")


class Files(Protocol):
    """A snapshot and the store that it is of."""

    def ask(self, question: Callable[[Snapshot], _Answer]) -> _Answer:
        """What it comes to in the snapshot."""

    def snapshot(self) -> Snapshot:
        """The snapshot itself."""

    def store(self) -> Store:
        """Where the articles lie."""


class Alone:
    """The files of one generation that stays as it is."""

    def __init__(self, snapshot: Snapshot, store: Store) -> None:
        self._snapshot = snapshot
        self._store = store

    def ask(self, question: Callable[[Snapshot], _Answer]) -> _Answer:
        return question(self._snapshot)

    def snapshot(self) -> Snapshot:
        return self._snapshot

    def store(self) -> Store:
        return self._store


class Reading:
    """Answers from such files."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def search(self, query: Query) -> Found:
        return self._files.ask(lambda snapshot: self._search(query, snapshot))

    def _search(self, query: Query, snapshot: Snapshot) -> Found:
        matches, filtered = _matching(query, snapshot)
        total = sum(map(len, filtered.docs))
        known: dict[int, Article] = {}

        def read(segments: Iterable[int], docs: Iterable[int]) -> list[Article]:
            seqs = list(map(snapshot.seq, segments, docs))
            missing = [seq for seq in seqs if seq not in known]
            known.update(zip(missing, self._files.store().articles(missing), strict=True))
            return [known[seq] for seq in seqs]

        page = order.page(query, snapshot, matches, filtered.docs, read)
        articles = read((place.segment for place in page), (place.doc for place in page))
        counts, forms = counts_and_forms(query, snapshot, page)
        is_lowered = 0 < matches.minimum < matches.words and total > matches.whole_of(filtered.docs)
        return Found(
            hits=tuple(map(Hit, articles, (place.score for place in page), counts)),
            total=total,
            facets={name: filtered.facet(name) for name in query.facets},
            minimum=matches.minimum if is_lowered else None,
            whole=matches.whole_of(filtered.docs) if is_lowered else total,
            left_out=matches.left_out,
            forms=forms,
        )

    def explain(self, query: Query, article: str) -> Explanation:
        return self._files.ask(
            lambda snapshot: explaining.explain(
                query, article, snapshot, *_matching(query, snapshot), self._files.store()
            )
        )

    def values(self, name: str, words: Sequence[str], filters: Filters, most: int) -> tuple[Count, ...]:
        return self._files.ask(lambda snapshot: _values(snapshot, name, words, filters, most))

    def article(self, id: str) -> Article:
        return self._files.ask(lambda snapshot: self._article(id, snapshot))

    def _article(self, id: str, snapshot: Snapshot) -> Article:
        place = snapshot.find(id)
        if place is None:
            raise ArticleMissing(f"there is no article {id!r}")
        segment, doc = place
        if not snapshot.visible().masks[segment][doc]:
            if snapshot.embargoed(segment, doc):
                raise ArticleMissing(f"there is no article {id!r}")
            raise ArticleGone(f"the article {id!r} was withdrawn")
        return self._files.store().articles([snapshot.seq(segment, doc)])[0]

    def article_at(self, url: str) -> Article:
        self._files.snapshot()  # it says what is wrong with the index, if anything is
        hidden = ArticleMissing(f"there is no article at {url}")
        for id in self._files.store().ids_at(url):  # of several, the one accepted last that may be seen
            try:
                return self.article(id)
            except ArticleGone as gone:
                hidden = gone
            except ArticleMissing:
                pass
        raise hidden

    def hides(self, named: Iterable[str]) -> set[str]:
        names = list(named)
        return self._files.ask(lambda snapshot: self._hides(names, snapshot))

    def _hides(self, named: Iterable[str], snapshot: Snapshot) -> set[str]:
        masks, store = snapshot.visible().masks, self._files.store()

        def is_hidden(name: str) -> bool:
            ids = store.ids_of(name)
            places = [place for id in ids if (place := snapshot.find(id))]
            if any(masks[segment][doc] for segment, doc in places):
                return False
            return bool(places) or not snapshot.taken.isdisjoint([*ids, addresses.page(name)])

        return {name for name in named if is_hidden(name)}


def _matching(query: Query, snapshot: Snapshot) -> tuple[Matches, Filtered]:
    """Who matches, and what the filters leave."""
    matches = Matches(query, snapshot, snapshot.visible())
    return matches, Filtered(query, snapshot, matches.masks)


def _values(snapshot: Snapshot, name: str, words: Sequence[str], filters: Filters, most: int) -> tuple[Count, ...]:
    docs = Filtered(Query(filters=filters), snapshot, snapshot.visible().masks).docs
    counts: Counter[str] = Counter()
    for view, found in zip(snapshot.views, docs, strict=True):
        places = view.lexicon(name).holding(words)
        if len(places):
            held = count_values(view, name, found)[0][places]
            counts.update(dict(zip(view.texts(name, places), held.tolist(), strict=True)))
    ranked = sorted(((-count, value) for value, count in counts.items() if count))[:most]
    return tuple(Count(value, -count) for count, value in ranked)
