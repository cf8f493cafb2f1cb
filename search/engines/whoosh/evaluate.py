"""Evaluate a query over the arrays of a snapshot: which articles match, and how well.

Every leaf (word, phrase, prefix) is a term of its own: it has a frequency in each field of each article, and a number
of visible articles that hold it. With N visible articles, df of them holding the leaf, and for field f its weight w,
length l and mean length m:

    tf     = sum over f of  w * frequency / (1 - b + b * l / m)
    score  = ln(1 + (N - df + 0.5) / (df + 0.5)) * tf * (k1 + 1) / (tf + k1)

BM25F as in Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), section 3.6, with
the idf that cannot be negative. An occurrence of another word of the same stem counts STEM_MATE of one.
A group scores the sum of what matches in it.

Who matches is a mask over all documents, a byte each, which is combined at many gigabytes a second; how well is
computed for those documents alone that are asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from search import fields
from search.engines.whoosh.arrays import places_of
from search.engines.whoosh.leaves import MANY, Leaf, Spread, stands
from search.engines.whoosh.snapshot import Mask, Snapshot, Visible
from search.query import Both, Clause, Either, Query

Scores = NDArray[np.float64]  # of the documents asked about; 0 where the clause does not match


class Matches:
    """Who matches the words of a query, by segment, filters aside; and how well."""

    def __init__(self, query: Query, snapshot: Snapshot, visible: Visible) -> None:
        def read(clauses: Sequence[Clause]) -> list[_Node]:
            return [_node(clause, snapshot, visible) for clause in clauses]

        required, excluded = read(query.required), read(query.excluded)
        self._scoring = required + read(query.optional)
        self.scored = bool(required)
        minimum = len(required) if query.minimum is None else min(query.minimum, len(required))
        self.masks: list[Mask] = []
        for number, mask in enumerate(visible.masks):
            if required and minimum == len(required):
                for node in required:
                    mask = mask & node.masks[number]
            elif minimum:
                matched = np.zeros(len(mask), dtype=np.uint8)  # a query has 64 words at most
                for node in required:
                    matched += node.masks[number]
                mask = mask & (matched >= minimum)
            for node in excluded:
                mask = mask & ~node.masks[number]
            self.masks.append(mask)

    def score(self, number: int, docs: NDArray[np.int64]) -> Scores:
        """How well these documents of a segment match; ascending numbers of documents of its mask."""
        scores = [node.score(number, docs) for node in self._scoring]
        return scores[0] if len(scores) == 1 else np.sum(scores, axis=0)


class _Term:
    """A leaf, over all segments."""

    def __init__(self, clause: Leaf, snapshot: Snapshot, visible: Visible) -> None:
        self._views, self._visible = snapshot.views, visible
        self._stands = [stands(clause, view) for view in snapshot.views]
        self.masks: list[Mask] = []
        for view, of_view in zip(snapshot.views, self._stands, strict=True):
            mask = np.zeros(view.size, dtype=bool)
            for stand in of_view:
                if isinstance(stand, Spread):
                    mask |= stand.dense > 0
                else:
                    mask[stand.docs] = True
            self.masks.append(mask)

    @cached_property
    def _idf(self) -> float:
        df = sum(np.count_nonzero(mask & shown) for mask, shown in zip(self.masks, self._visible.masks, strict=True))
        return float(np.log(1 + (self._visible.count - df + 0.5) / (df + 0.5)))

    def score(self, number: int, docs: NDArray[np.int64]) -> Scores:
        tf, dense = np.zeros(len(docs)), None
        for stand in self._stands[number]:
            lengths = self._views[number].lengths[stand.field]
            if isinstance(stand, Spread):
                tf += stand.dense.take(docs) * self._visible.factors(stand.field, lengths.take(docs))
            elif len(stand.docs) > MANY * len(docs):  # look each of the few up among the many
                place, held = places_of(docs, stand.docs)
                if len(here := held.nonzero()[0]):
                    tf[here] += stand.frequencies(place[here]) * self._visible.factors(
                        stand.field, lengths.take(docs[here])
                    )
            else:
                if dense is None:
                    dense = np.zeros(self._views[number].size)
                dense[stand.docs] += stand.frequencies(None) * self._visible.factors(
                    stand.field, lengths.take(stand.docs)
                )
        if dense is not None:
            tf += dense.take(docs)
        tf *= self._idf * (fields.K1 + 1) / (tf + fields.K1)
        return tf


class _Group:
    """At least one of these, or every one: as their masks are combined."""

    def __init__(self, nodes: Sequence[_Node], combine: np.ufunc) -> None:
        self._nodes = nodes
        self.masks: list[Mask] = [combine.reduce(masks) for masks in zip(*(node.masks for node in nodes), strict=True)]

    def score(self, number: int, docs: NDArray[np.int64]) -> Scores:
        total = np.sum([node.score(number, docs) for node in self._nodes], axis=0)
        return np.where(self.masks[number][docs], total, 0.0)


_Node = _Term | _Group


def _node(clause: Clause, snapshot: Snapshot, visible: Visible) -> _Node:
    if isinstance(clause, Either | Both):
        combine = np.logical_or if isinstance(clause, Either) else np.logical_and
        return _Group([_node(part, snapshot, visible) for part in clause.of], combine)
    return _Term(clause, snapshot, visible)
