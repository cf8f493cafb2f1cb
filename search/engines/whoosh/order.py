"""Put what matches in order and cut the page: by score or by date, then newest first, then by the id's digest.

The order is total and depends on nothing but the articles, so that none repeats or vanishes between two pages,
whatever segments they lie in.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search.engines.whoosh.evaluate import Matches
from search.engines.whoosh.segment import NONE
from search.engines.whoosh.snapshot import Mask, Snapshot
from search.query import Query

DIGITS = 9  # scores that differ by less are float noise, and equal


def page(query: Query, snapshot: Snapshot, matches: Matches, masks: Sequence[Mask]) -> list[tuple[int, float | None]]:
    """Version in the store and score (None where nothing was scored) of the articles of the page."""
    start, end = (query.page - 1) * query.per_page, query.page * query.per_page
    docs = [np.flatnonzero(mask) for mask in masks]
    if start >= sum(map(len, docs)) or not query.per_page:
        return []

    def column(name: str) -> NDArray[np.int64]:
        return np.concatenate([view.arrays[name][doc] for view, doc in zip(snapshot.views, docs, strict=True)])

    published, tie = column("doc.published"), column("doc.tie")
    last = np.iinfo(np.int64).max  # undated articles come last, by either date
    newest = np.where(published == NONE, last, -published)
    scores = np.concatenate([total[doc] for total, doc in zip(matches.scores, docs, strict=True)]).round(DIGITS)
    scored = matches.scored and query.sort == "relevance"
    if scored:
        first = -scores
    elif query.sort == "oldest":
        first = np.where(published == NONE, last, published)
    else:
        first = newest
    candidates = np.arange(len(first))
    if end < len(first):
        candidates = np.flatnonzero(first <= np.partition(first, end - 1)[end - 1])
    order = np.lexsort((tie[candidates], newest[candidates], first[candidates]))
    chosen = candidates[order[start:end]]
    seqs = column("doc.seq")[chosen].tolist()
    return list(zip(seqs, scores[chosen].tolist() if scored else [None] * len(seqs), strict=True))
