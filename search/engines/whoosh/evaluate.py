"""Evaluate a query over the arrays of a snapshot: which articles match, and how well.

Every leaf (word, phrase, prefix) is a term of its own: it has a frequency in each field of each article, and a number
of visible articles that hold it. With N visible articles, df of them holding the leaf, and for field f its weight w,
length l and mean length m:

    tf     = sum over f of  w * frequency / (1 - b + b * l / m)
    score  = ln(1 + (N - df + 0.5) / (df + 0.5)) * tf * (k1 + 1) / (tf + k1)

BM25F as in Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), section 3.6, with
the idf that cannot be negative. An occurrence of another word of the same stem counts STEM_MATE of one. The score of a
word that was typed several times is multiplied by its weight. A group scores the sum of what matches in it.

Who matches is a mask over all documents, a byte each, which is combined at many gigabytes a second; how well is
computed for those documents alone that are asked about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property, reduce
from operator import and_

import numpy as np
from numpy.typing import NDArray

from search import fields
from search.clauses import Both, Clause, Either, Leaf, Word, is_free
from search.engines.whoosh.leaves import Spread, look_up, stands
from search.engines.whoosh.snapshot import Mask, Snapshot, Visible
from search.query import Query

Scores = NDArray[np.float64]  # of the documents asked about; 0 where the clause does not match


class Matches:
    """Who matches a query, by segment, filters aside; and how well.

    `masks`: who does. `minimum`: the free words that they have at least, of `words`; lowered where too few have all,
    who are `whole`. `left_out`: the most frequent of too many words, which count for nothing.
    """

    def __init__(self, query: Query, snapshot: Snapshot, visible: Visible) -> None:
        self.snapshot, self.visible = snapshot, visible
        self.views = snapshot.views
        self._terms: dict[Leaf, Term] = {}

        def read(clauses: Iterable[Clause]) -> list[Node]:
            return [self.node(clause) for clause in clauses]

        free = [clause for clause in query.required if is_free(clause)]
        self._free = read(free)
        self.left_out: tuple[Clause, ...] = ()
        if len(free) > fields.MOST_WORDS:
            # What no article has says nothing.
            by_rarity = sorted(range(len(free)), key=lambda i: (not self._free[i].df, self._free[i].df))
            chosen = set(by_rarity[: fields.MOST_WORDS])
            self.left_out = tuple(clause for i, clause in enumerate(free) if i not in chosen)
            self._free = [node for i, node in enumerate(self._free) if i in chosen]
        insisted = read(clause for clause in query.required if not is_free(clause))
        self._scoring = [*self._free, *insisted, *read(query.optional)]
        self.scored = bool(query.required)
        self._may: list[Mask] = []  # who does if words may be missing
        excluded = read(query.excluded)
        for number, mask in enumerate(visible.masks):
            for node in insisted:
                mask = mask & node.masks[number]
            for node in excluded:
                mask = mask & ~node.masks[number]
            if query.after or query.before:
                docs = mask.nonzero()[0]
                mask = np.zeros(len(mask), dtype=bool)
                mask[docs] = snapshot.views[number].published(query.after, query.before, docs)
            self._may.append(mask)
        self.masks = [
            reduce(and_, (node.masks[number] for node in self._free), mask) for number, mask in enumerate(self._may)
        ]
        self.words = self.minimum = len(self._free)
        self.whole = sum(int(np.count_nonzero(mask)) for mask in self.masks)
        if self.words > 1 and self.whole < query.enough:
            self._lower(query.enough)

    @cached_property
    def having(self) -> list[NDArray[np.uint8]]:
        """By document how many of the free words it has; a query has 64 at most."""
        return [
            np.add.reduce([node.masks[number].view(np.uint8) for node in self._free], dtype=np.uint8)
            for number in range(len(self._may))
        ]

    def _lower(self, enough: int) -> None:
        """Ask for as many words as leave so many articles; for one where no number does."""
        found = 0
        while self.minimum > 1 and found < enough:
            self.minimum -= 1
            self.masks = [may & (having >= self.minimum) for may, having in zip(self._may, self.having, strict=True)]
            found = sum(int(np.count_nonzero(mask)) for mask in self.masks)

    def leaving(self) -> list[int]:
        """How many may be found by one free word or more, by two or more, and so on."""
        return [
            sum(int(np.count_nonzero(may & (having >= n))) for may, having in zip(self._may, self.having, strict=True))
            for n in range(1, self.words + 1)
        ]

    def term(self, leaf: Leaf) -> Term:
        """The leaf as it stands in the snapshot, whether it was asked for or not."""
        if leaf not in self._terms:
            self._terms[leaf] = Term(leaf, self.snapshot, self.visible)
        return self._terms[leaf]

    def idf(self, stem: str) -> float:
        """How much any word of the stem says; remembered as long as nothing changes."""
        known = self.visible.idfs
        if stem not in known:
            df = 0
            for view, shown in zip(self.views, self.visible.masks, strict=True):
                held = np.zeros(view.size, dtype=bool)
                for _, term in view.terms(stem):
                    held[view.postings.docs(term)] = True
                df += int(np.count_nonzero(held & shown))
            known[stem] = self.visible.idf(df)
        return known[stem]

    def node(self, clause: Clause) -> Node:
        """The clause as it stands in the snapshot, whether it was asked for or not."""
        if isinstance(clause, Either | Both):
            combine = np.logical_or if isinstance(clause, Either) else np.logical_and
            # Of two spellings of one word the one that says more counts: to write it twice says no more.
            together = np.maximum if isinstance(clause, Either) and clause.spellings else np.add
            return Group([self.node(part) for part in clause.of], combine, together, self.visible)
        return self.term(clause)

    def whole_of(self, docs: Sequence[NDArray[np.int64]]) -> int:
        """How many of these documents, by segment, have all the words."""
        return sum(
            int(np.count_nonzero(having[of_segment] == self.words))
            for having, of_segment in zip(self.having, docs, strict=True)
        )

    def score(self, number: int, docs: NDArray[np.int64]) -> Scores:
        """How well these documents of a segment match; ascending numbers of documents of its mask."""
        scores = [node.score(number, docs) for node in self._scoring]
        return scores[0] if len(scores) == 1 else np.sum(scores, axis=0)


class _Masked:
    """What has a mask over each segment."""

    masks: list[Mask]
    _visible: Visible

    @cached_property
    def df(self) -> int:
        """How many visible articles it matches."""
        shown = zip(self.masks, self._visible.masks, strict=True)
        return sum(int(np.count_nonzero(mask & may_be)) for mask, may_be in shown)

    @property
    def idf(self) -> float:
        """How much it says: the fewer visible articles it matches, the more."""
        return self._visible.idf(self.df)


class Term(_Masked):
    """A leaf, over all segments."""

    def __init__(self, clause: Leaf, snapshot: Snapshot, visible: Visible) -> None:
        self._weight = clause.weight if isinstance(clause, Word) else 1.0
        self._views, self._visible = snapshot.views, visible
        self.stands = [stands(clause, view) for view in snapshot.views]
        self.masks: list[Mask] = []
        for view, of_view in zip(snapshot.views, self.stands, strict=True):
            mask = np.zeros(view.size, dtype=bool)
            for stand in of_view:
                if isinstance(stand, Spread):
                    mask |= stand.dense > 0
                else:
                    mask[stand.docs] = True
            self.masks.append(mask)

    def score(self, number: int, docs: NDArray[np.int64]) -> Scores:
        tf, dense = np.zeros(len(docs)), None
        for stand in self.stands[number]:
            lengths = self._views[number].lengths[stand.field]
            if isinstance(stand, Spread):
                tf += stand.dense.take(docs) * self._visible.factors(stand.field, lengths.take(docs))
            elif len(stand.docs) > 2 * len(docs):
                place, held = look_up(docs, stand.docs, self._views[number].size)
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
        tf *= self._weight * self.idf * (fields.K1 + 1) / (tf + fields.K1)
        return tf


class Group(_Masked):
    """At least one of these, or every one: as their masks are combined, and their scores."""

    def __init__(self, nodes: Sequence[Node], combine: np.ufunc, together: np.ufunc, visible: Visible) -> None:
        self.nodes, self._together, self._visible = nodes, together, visible
        self.masks: list[Mask] = [combine.reduce(masks) for masks in zip(*(node.masks for node in nodes), strict=True)]

    def score(self, number: int, docs: NDArray[np.int64]) -> Scores:
        total = self._together.reduce([node.score(number, docs) for node in self.nodes])
        return np.where(self.masks[number][docs], total, 0.0)


Node = Term | Group
