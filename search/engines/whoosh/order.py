"""Put what matches in order and cut the page: by score or by date, then newest first, then by the id's digest.

The best by score are scored again (`rescoring`), and stay before the others: that only adds.

The order is total and depends on nothing but the articles, so that none repeats or vanishes between two pages,
whatever segments they lie in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from search import fields
from search.engines.whoosh import freshness
from search.engines.whoosh.evaluate import Matches, Scores
from search.engines.whoosh.instants import NONE
from search.engines.whoosh.rescoring import FEEDBACK, NEARNESS, Best, Read, feedback, nearness
from search.engines.whoosh.snapshot import Snapshot
from search.query import Query

DIGITS = 9  # scores that differ by less are float noise, and equal
NOISE = 10.0**-DIGITS
GROUP = 32  # values of which one stands for all, where the least are sought
LAST = np.iinfo(np.int64).max  # undated articles come last, by either date

Heard = Callable[[str, Best, Scores], None]  # the step, what it looked at, best first or all, and what it adds to each


class Place(NamedTuple):
    """Where an article stands: segment and document; and its score, None where nothing was scored."""

    segment: int
    doc: int
    score: float | None


def page(
    query: Query,
    snapshot: Snapshot,
    matches: Matches,
    docs: Sequence[NDArray[np.int64]],
    read: Read,
    heard: Heard | None = None,
) -> list[Place]:
    """The places of the page; `docs` by segment, ascending. `heard` is told what each step added."""
    start, end = (query.page - 1) * query.per_page, query.page * query.per_page
    if start >= sum(map(len, docs)) or not query.per_page:
        return []
    scored = matches.scored and query.sort == "relevance"
    first: NDArray[Any]  # what they are ordered by, the least first: the score, with a minus, or the date
    again: dict[str, Callable[[Best], Scores]] = {}
    if scored:
        by_segment = [matches.score(number, found) for number, found in enumerate(docs)]
        first = -(by_segment[0] if len(by_segment) == 1 else np.concatenate(by_segment))
        if _is_dateless(query) and (fresh := freshness.factors(snapshot, matches.visible, docs)) is not None:
            if heard:
                heard(freshness.FRESHNESS, _everything(docs, -first), -first * (fresh - 1))
            first *= fresh
        if query.near:
            again[NEARNESS] = lambda best: nearness(best, query.near, matches)
        if matches.words >= fields.FEEDBACK_WORDS and not matches.whole:
            again[FEEDBACK] = lambda best: feedback(best, matches, read)
    else:
        first = _dates(query.sort, _column(snapshot, "doc.published", docs))
    reach = max(end, fields.POOL) if again else end
    candidates = _least(first, reach, NOISE if scored else 0)
    first = first[candidates].round(DIGITS) if scored else first[candidates]
    ends = np.cumsum([len(found) for found in docs])
    segment = ends.searchsorted(candidates, side="right")
    few = [found[candidates[segment == number] - (ends[number] - len(found))] for number, found in enumerate(docs)]
    doc = np.concatenate(few)
    newest = _dates("newest", _column(snapshot, "doc.published", few))
    tie = _column(snapshot, "doc.tie", few)
    order = np.lexsort((tie, newest, first))
    for step, scores in again.items():
        best = order[: fields.POOL]
        so_far = np.negative(first[best], dtype=np.float64)
        asked = Best(segment[best], doc[best], so_far)
        added = scores(asked)
        if heard:
            heard(step, asked, added)
        first[best] = -(so_far + added).round(DIGITS)
        order[: fields.POOL] = best[np.lexsort((tie[best], newest[best], first[best]))]
    order = order[start:end]
    score = (-first[order]).tolist() if scored else [None] * len(order)
    return list(map(Place, segment[order].tolist(), doc[order].tolist(), score))


def _everything(docs: Sequence[NDArray[np.int64]], score: Scores) -> Best:
    return Best(np.arange(len(docs)).repeat([len(found) for found in docs]), np.concatenate(docs), score)


def _is_dateless(query: Query) -> bool:
    """Whether the reader has left it to us how old the articles are."""
    return not (query.after or query.before or query.filters.from_date or query.filters.until)


def _least(values: NDArray[Any], count: int, noise: float) -> NDArray[np.int64]:
    """The places of the `count` least values, and of those that differ from the last of them by no more than noise."""
    if len(values) <= count:
        return np.arange(len(values))
    groups = len(values) // GROUP
    candidates: NDArray[np.int64] | None = None
    if groups > count:
        # `count` groups have a least value up to this bound, so that many values are not above it: the rest is out.
        least = values[: groups * GROUP].reshape(GROUP, groups).min(axis=0)
        least.partition(count - 1)
        candidates = (values <= least[count - 1] + noise).nonzero()[0]
        values = values[candidates]
    last = np.partition(values, count - 1)[count - 1]
    near: NDArray[np.int64] = (values <= last + noise).nonzero()[0]
    return near if candidates is None else candidates[near]


def _column(snapshot: Snapshot, name: str, docs: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    if len(docs) == 1:
        return snapshot.views[0].arrays[name].take(docs[0])
    return np.concatenate([view.arrays[name].take(found) for view, found in zip(snapshot.views, docs, strict=True)])


def _dates(sort: str, published: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers whose order is that of the dates."""
    return np.where(published == NONE, LAST, published if sort == "oldest" else -published)
