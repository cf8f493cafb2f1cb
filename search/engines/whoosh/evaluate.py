"""Evaluate a query over the arrays of a snapshot: which articles match, and how well.

Every leaf (word, phrase, prefix) is a term of its own: it has a frequency in each field of each article, and a number
of visible articles that hold it. With N visible articles, df of them holding the leaf, and for field f its weight w,
length l and mean length m:

    tf     = sum over f of  w * frequency / (1 - b + b * l / m)
    score  = ln(1 + (N - df + 0.5) / (df + 0.5)) * tf * (k1 + 1) / (tf + k1)

BM25F as in Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), section 3.6, with
the idf that cannot be negative. An occurrence of another word of the same stem counts STEM_MATE of one.
A group scores the sum of what matches in it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search import fields
from search.engines.whoosh.arrays import Array, ranges
from search.engines.whoosh.snapshot import Mask, Snapshot, View, Visible
from search.query import Both, Clause, Either, Phrase, Prefix, Query, Word

Scores = list[NDArray[np.float64]]  # by segment, by document; 0 where the clause does not match
WEIGHTS = {field.name: field for field in fields.SEARCHED}


@dataclass(frozen=True)
class Matches:
    """By segment: the visible documents that match, filters aside, and the scores of all documents."""

    masks: list[Mask]
    scores: Scores
    scored: bool


def evaluate(query: Query, snapshot: Snapshot, visible: Visible) -> Matches:
    """Who matches the words of the query; filters are not looked at."""
    evaluation = _Evaluation(snapshot, visible)
    minimum = len(query.required) if query.minimum is None else min(query.minimum, len(query.required))
    required = [evaluation.scores(clause) for clause in query.required]
    optional = [evaluation.scores(clause) for clause in query.optional]
    excluded = [evaluation.scores(clause) for clause in query.excluded]
    masks, totals = [], []
    for number, view in enumerate(snapshot.views):
        matched = np.zeros(view.size, dtype=np.int64)
        total = np.zeros(view.size)
        for scores in required:
            matched += scores[number] > 0
            total += scores[number]
        for scores in optional:
            total += scores[number]
        mask = visible.masks[number] & (matched >= minimum)
        for scores in excluded:
            mask &= scores[number] == 0
        masks.append(mask)
        totals.append(total)
    return Matches(masks, totals, scored=bool(query.required))


class _Evaluation:
    def __init__(self, snapshot: Snapshot, visible: Visible) -> None:
        self._snapshot = snapshot
        self._visible = visible

    def scores(self, clause: Clause) -> Scores:
        if isinstance(clause, Either):
            return [np.sum(parts, axis=0) for parts in zip(*map(self.scores, clause.of), strict=True)]
        if isinstance(clause, Both):
            parts = [self.scores(part) for part in clause.of]
            return [
                np.where(np.min(segment, axis=0) > 0, np.sum(segment, axis=0), 0.0)
                for segment in zip(*parts, strict=True)
            ]
        return self._leaf(clause)

    def _leaf(self, clause: Word | Phrase | Prefix) -> Scores:
        names = [clause.field] if clause.field else [f.name for f in fields.SEARCHED if f.weight]
        tfs = []
        for view in self._snapshot.views:
            tf = np.zeros(view.size)
            frequencies = _finder(view, clause)
            for name in names:
                docs, frequency = frequencies(name)
                field = WEIGHTS[name]
                length = view.arrays[f"len.{name}"][docs] / self._visible.average[name]
                tf[docs] += (field.weight or 1.0) * frequency / (1 - field.b + field.b * length)
            tfs.append(tf)
        df = sum(np.count_nonzero(tf[mask]) for tf, mask in zip(tfs, self._visible.masks, strict=True))
        idf = np.log(1 + (self._visible.count - df + 0.5) / (df + 0.5))
        return [idf * tf * (fields.K1 + 1) / (tf + fields.K1) for tf in tfs]


Frequencies = tuple[Array, NDArray[np.float64]]  # documents, each once, and how often
NOWHERE: Frequencies = (np.empty(0, np.int64), np.empty(0))


def _finder(view: View, clause: Word | Phrase | Prefix) -> Callable[[str], Frequencies]:
    """From a field's name to where the clause stands in it; what is the same for all fields is looked up once."""
    if isinstance(clause, Word):
        return _word(view, clause)
    return _phrase(view, clause) if isinstance(clause, Phrase) else _prefix(view, clause)


def _word(view: View, word: Word) -> Callable[[str], Frequencies]:
    stem = view.terms.stems.index_of(word.stem)
    # In small letters any capitals do; in capitals it is the acronym alone (`US`, not `us`).
    small = word.form == word.form.lower()
    same = np.array([(form.lower() if small else form) == word.form for form in _forms(view, stem)])
    weight = np.where(same, 1.0, fields.STEM_MATE)

    def frequencies(field: str) -> Frequencies:
        term = view.terms.term(field, stem)
        if term is None:
            return NOWHERE
        docs, tf = view.terms.postings(term)
        if len(weight) == 1:
            return docs, tf * weight[0]
        _, form = view.terms.occurrences(term)
        starts = np.cumsum(tf, dtype=np.int64) - tf
        return docs, np.add.reduceat(weight[form], starts)

    return frequencies


def _phrase(view: View, phrase: Phrase) -> Callable[[str], Frequencies]:
    stems = [view.terms.stems.index_of(word.stem) for word in phrase.words]
    # Compared as it sounds, whatever the capitals.
    same = [
        np.array([form.lower() == word.form.lower() for form in _forms(view, stem)])
        for word, stem in zip(phrase.words, stems, strict=True)
    ]

    def frequencies(field: str) -> Frequencies:
        terms = [view.terms.term(field, stem) for stem in stems]
        if None in terms:
            return NOWHERE
        lists = [(*view.terms.postings(term), *view.terms.occurrences(term)) for term in terms if term is not None]
        together = np.ones(view.size, dtype=bool)
        for docs, *_ in lists:
            together &= _mask(view.size, docs)
        starts: Array | None = None  # of the phrase: document << 32 | position, ascending
        for offset, (docs, tf, pos, form) in sorted(enumerate(lists), key=lambda item: len(item[1][2])):
            kept = together[docs]
            first = np.cumsum(tf, dtype=np.int64) - tf
            occurrences = ranges(first[kept], tf[kept])
            keys = (np.repeat(docs[kept].astype(np.int64), tf[kept]) << 32) + pos[occurrences] - offset
            if phrase.exact:
                keys = keys[same[offset][form[occurrences]]]
            starts = keys if starts is None else starts[_among(starts, keys)]
        if starts is None or not len(starts):
            return NOWHERE
        starts = starts[_changes(starts)]  # two spellings of one stem may share a position
        docs = starts >> 32
        edges = np.flatnonzero(_changes(docs))
        return docs[edges], np.diff(np.append(edges, len(docs))).astype(np.float64)

    return frequencies


def _prefix(view: View, prefix: Prefix) -> Callable[[str], Frequencies]:
    order = view.arrays["words.order"]

    def small(place: int) -> str:
        return view.forms[int(place)].lower()

    first = bisect_left(order, prefix.text, key=small)
    last = bisect_left(order, prefix.text + "\U0010ffff", key=small)
    forms = np.sort(order[first:last].astype(np.int64))
    wanted = np.zeros(len(view.forms), dtype=bool)
    wanted[forms] = True
    stem_first = view.arrays["words.first"].astype(np.int64)
    all_stems = np.unique(np.searchsorted(stem_first, forms, side="right") - 1)
    post, occ = (view.arrays[name].astype(np.int64) for name in ("term.post", "term.occ"))

    def frequencies(field: str) -> Frequencies:
        terms, held = view.terms.of_stems(field, all_stems)
        counts = occ[terms + 1] - occ[terms]
        form = np.repeat(stem_first[all_stems[held]], counts) + view.arrays["occ.form"][ranges(occ[terms], counts)]
        postings = ranges(post[terms], post[terms + 1] - post[terms])
        doc = np.repeat(view.arrays["post.doc"][postings], view.arrays["post.tf"][postings])
        docs, frequency = np.unique(doc[wanted[form]], return_counts=True)
        return docs, frequency.astype(np.float64)

    return frequencies


def _forms(view: View, stem: int | None) -> list[str]:
    if stem is None:
        return []
    start, end = view.arrays["words.first"][stem : stem + 2].tolist()
    return [view.forms[place] for place in range(start, end)]


def _mask(size: int, docs: Array) -> Mask:
    mask = np.zeros(size, dtype=bool)
    mask[docs] = True
    return mask


def _among(some: Array, others: Array) -> Mask:
    """Which of `some` are in `others`; both ascending."""
    if not len(others):
        return np.zeros(len(some), dtype=bool)
    place = np.minimum(np.searchsorted(others, some), len(others) - 1)
    found: Mask = others[place] == some
    return found


def _changes(ascending: Array) -> Mask:
    """Where a value differs from the one before; the first does."""
    return np.concatenate(([True], ascending[1:] != ascending[:-1]))
