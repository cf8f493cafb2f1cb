"""Look at the best again, for what costs too much to ask of every article: how near the words are, what is alike.

Both add to the score. With the terms of `evaluate`, two words that stand near each other (`fields.NEAR`) score as a
word that stands as often as they do, with the sum of their idf, times NEAR_WEIGHT: the unordered window of the
sequential dependence model (Metzler and Croft, "A Markov Random Field Model for Term Dependencies", 2005).

Feedback is a relevance model over the best articles (Lavrenko and Croft, "Relevance-Based Language Models", 2001, as
mixed with the query in RM3), told in scores instead of probabilities. A stem weighs, over the first FEEDBACK_ARTICLES,

    E(stem) = idf * sum over articles of  score / sum of scores * frequency / length

where length is that of the text read: title, summary and the first FEEDBACK_LEAD characters of the body. Those of two
articles or more count, but for stop words, the FEEDBACK_TERMS best, so that their E adds up to 1. The score by them is
mixed with the one so far, each divided by its mean over its ten best, in the shares FEEDBACK_SHARE and 1 - that.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from search import analysis, fields
from search.article import Article
from search.clauses import Near
from search.engines.whoosh.arrays import places_of
from search.engines.whoosh.evaluate import Matches, Scores
from search.engines.whoosh.leaves import PLACES, fields_of, stretches

Read = Callable[[Sequence[int], Sequence[int]], list[Article]]  # the articles of these segments and documents

NEARNESS, FEEDBACK = "nearness", "feedback"  # the steps, in this order


class Best:
    """The best by their words, best first: segment and document of each, and its score."""

    def __init__(self, segment: NDArray[np.int64], doc: NDArray[np.int64], score: Scores) -> None:
        self.segment, self.doc, self.score = segment, doc, score

    def by_segment(self) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
        """The number of a segment, its documents in order, and which of the best they are."""
        order = self.doc.argsort()
        for number in sorted(set(self.segment.tolist())):
            which = order[self.segment[order] == number]
            yield number, self.doc[which], which


def nearness(best: Best, clauses: Sequence[Near], matches: Matches) -> Scores:
    """What neighbours in the query that stand near each other add."""
    total = np.zeros(len(best.doc))
    for number, docs, which in best.by_segment():
        found = _Positions(matches, number, docs)
        for clause in clauses:
            tf = found.near(clause)
            idf = sum(matches.term(word).idf for word in clause.words)
            total[which] += fields.NEAR_WEIGHT * idf * tf * (fields.K1 + 1) / (tf + fields.K1)
    return total


class _Positions:
    """Where words stand in some documents of a segment: by field, document and position, in one number."""

    def __init__(self, matches: Matches, number: int, docs: NDArray[np.int64]) -> None:
        self._view, self._visible, self._docs = matches.views[number], matches.visible, docs
        self._of_stem: dict[str, NDArray[np.int64]] = {}
        self._factors: dict[int, Scores] = {}  # by field

    def near(self, clause: Near) -> Scores:
        """`tf` of a stretch in which the words stand, by document."""
        tf = np.zeros(len(self._docs))
        positions = [self._of(stem) for stem in dict.fromkeys(word.stem for word in clause.words)]
        if all(map(len, positions)):
            starts = stretches(positions, len(positions) + clause.slop) >> PLACES
            for field in sorted(fields_of(clause) & self._factors.keys()):
                first, last = starts.searchsorted((field * len(tf), (field + 1) * len(tf))).tolist()
                if first < last:
                    tf += np.bincount(starts[first:last] - field * len(tf), minlength=len(tf)) * self._factors[field]
        return tf

    def _of(self, stem: str) -> NDArray[np.int64]:
        if stem not in self._of_stem:
            postings, parts = self._view.postings, [np.empty(0, dtype=np.int64)]
            number = self._view.words.stem(stem)
            for field, term in [] if number is None else postings.terms_of(number):
                places, held = places_of(self._docs, postings.docs(term))
                if len(here := held.nonzero()[0]):
                    read = postings.occurrences(term, places[here])
                    text = (here + field * len(self._docs)) << PLACES
                    parts.append(text.repeat(read.chosen) + read.position)
                    if field not in self._factors:
                        lengths = self._view.lengths[field].take(self._docs)
                        self._factors[field] = self._visible.factors(field, lengths)
            self._of_stem[stem] = np.concatenate(parts)
        return self._of_stem[stem]


def feedback(best: Best, matches: Matches, read: Read) -> Scores:
    """What the words that the best articles share add."""
    found = gained(shared(best, matches, read), best, matches)
    mean = float(np.sort(found)[-fields.FEEDBACK_ARTICLES :].mean())
    if mean:
        level = best.score[: fields.FEEDBACK_ARTICLES].mean()
        found *= level / mean * fields.FEEDBACK_SHARE / (1 - fields.FEEDBACK_SHARE)
    return found


def shared(best: Best, matches: Matches, read: Read) -> dict[str, float]:
    """The stems that the best articles share, the most telling first, and what each is multiplied by."""
    first = slice(fields.FEEDBACK_ARTICLES)
    share = best.score[first] / best.score[first].sum()
    weights: dict[str, float] = defaultdict(float)
    held: Counter[str] = Counter()
    for part, article in zip(share.tolist(), read(best.segment[first].tolist(), best.doc[first].tolist()), strict=True):
        stems = _stems(article)
        length = stems.total()
        held.update(stems.keys())
        for stem, often in stems.items():
            weights[stem] += part * often / length
    common = [stem for stem, articles in held.items() if articles > 1 and stem not in _stops()]
    likely = sorted(common, key=lambda stem: (-weights[stem], stem))[: fields.FEEDBACK_LIKELY]
    idf = {stem: matches.idf(stem) for stem in likely}
    telling = {stem: weights[stem] * idf[stem] for stem in likely}
    chosen = sorted(telling, key=lambda stem: (-telling[stem], stem))[: fields.FEEDBACK_TERMS]
    together = sum(telling[stem] for stem in chosen)
    return {stem: telling[stem] / together * idf[stem] for stem in chosen}


def gained(weights: Mapping[str, float], best: Best, matches: Matches) -> Scores:
    """What stems of these weights score, before the shares are settled."""
    found = np.zeros(len(best.doc))
    for number, docs, which in best.by_segment():
        for stem, weight in weights.items():
            tf = _frequencies(stem, number, docs, matches)
            found[which] += weight * tf * (fields.K1 + 1) / (tf + fields.K1)
    return found


def _frequencies(stem: str, number: int, docs: NDArray[np.int64], matches: Matches) -> Scores:
    """`tf` of a stem, whatever its form, in these documents of a segment."""
    view = matches.views[number]
    tf = np.zeros(len(docs))
    for field, term in view.terms(stem):
        places, held = places_of(docs, view.postings.docs(term))
        if len(here := held.nonzero()[0]):
            lengths = view.lengths[field].take(docs[here])
            frequencies = view.postings.frequencies(term, places[here])
            tf[here] += frequencies * matches.visible.factors(field, lengths)
    return tf


def _stems(article: Article) -> Counter[str]:
    """How often each stem of two letters or more stands in what says what the article is about."""
    stems: Counter[str] = Counter()
    for text in (article.title, article.summary, article.body[: fields.FEEDBACK_LEAD]):
        shouting = analysis.is_shouting(text)
        for raw, often in Counter(analysis.WORD.findall(text)).items():
            for part in analysis.parts(raw, shouting):
                if len(part.stem) > 1:
                    stems[part.stem] += often
    return stems


@cache
def _stops() -> frozenset[str]:
    """The stems of stop words; a command that searches for nothing needs none."""
    return frozenset(map(analysis.stem, analysis.STOP_WORDS))
