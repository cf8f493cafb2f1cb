"""Where a word, a phrase or a prefix stands in a segment: by field the documents, and how often in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search import fields
from search.clauses import Leaf, Near, Phrase, Prefix, Word
from search.engines.whoosh.arrays import Array, places_of
from search.engines.whoosh.postings import FIELD_NAMES, Postings
from search.engines.whoosh.postings import begins as _begins
from search.engines.whoosh.segment import GAP
from search.engines.whoosh.snapshot import Mask, View

LISTS = frozenset(map(FIELD_NAMES.index, ("subheads", "tags", "authors")))
_WEIGHTED = frozenset(number for number, field in enumerate(fields.SEARCHED) if field.weight)


@dataclass(frozen=True, slots=True)
class Counted:
    """Documents of a field, ascending, and how often the leaf stands in each."""

    field: int
    docs: NDArray[np.int64]  # numpy looks 16 bits up half as fast
    counts: NDArray[np.float64]

    def frequencies(self, places: Array | None) -> NDArray[np.float64]:
        """Of the documents at these places of `docs`, or of all."""
        counts: NDArray[np.float64] = self.counts if places is None else self.counts[places]
        return counts


@dataclass(frozen=True, slots=True)
class Weighed:
    """Documents of a field that hold a word, and its frequencies: another word of its stem counts less than one."""

    field: int
    docs: NDArray[np.int64]
    postings: Postings
    term: int
    weights: NDArray[np.float64]  # by form of the stem
    by_code: NDArray[np.float64] | None  # as `_by_code` gives it; None: every form has the same weight

    def frequencies(self, places: Array | None) -> NDArray[np.float64]:
        """Of the documents at these places of `docs`, or of all."""
        if self.by_code is None:
            found: NDArray[np.float64] = self.postings.frequencies(self.term, places) * self.weights[0]
            return found
        code = self.postings.codes(self.term)
        if places is not None:
            code = code[places]
        found = self.by_code.take(code)
        left = (found < 0).nonzero()[0]
        if len(left):
            often, forms = self.postings.mixed(self.term, left if places is None else places[left])
            found[left] = np.add.reduceat(self.weights.take(forms), often.cumsum() - often)
        return found


@dataclass(frozen=True, slots=True)
class Spread:
    """By document of the segment, how often the leaf stands in the field: for what stands in many of them."""

    field: int
    dense: NDArray[np.float64]

    @property
    def docs(self) -> NDArray[np.int64]:
        """Documents, ascending."""
        return (self.dense > 0).nonzero()[0]

    def frequencies(self, places: Array | None) -> NDArray[np.float64]:
        """Of the documents at these places of `docs`, or of all."""
        return self.dense.take(self.docs if places is None else self.docs[places])


Stand = Counted | Weighed | Spread
MANY = 8  # times as many: to look the few up among the many takes less time than to go through these
WIDE = 16  # one document in so many: to have a number for each takes less time than to gather them


def stands(leaf: Leaf, view: View) -> list[Stand]:
    """By field, where it stands: in the one field it is asked for in, else in all that have a weight."""
    wanted = fields_of(leaf)
    match leaf:
        case Word():
            return _word(leaf, view, wanted)
        case Phrase():
            return _phrase(leaf, view, wanted)
        case Near():
            return _near(leaf, view, wanted)
    return _prefix(leaf, view, wanted)


def fields_of(leaf: Leaf) -> frozenset[int]:
    """The one field that it is asked for in, else all that have a weight."""
    return frozenset({FIELD_NAMES.index(leaf.field)}) if leaf.field else _WEIGHTED


def _word(word: Word, view: View, wanted: frozenset[int]) -> list[Stand]:
    stem = view.words.stem(word.stem)
    if stem is None:
        return []
    # In small letters any capitals do; in capitals it is the acronym alone (`US`, not `us`).
    small = word.form == word.form.lower()
    same = [(form.lower() if small else form) == word.form for form in view.words.forms_of(stem)]
    weights = np.where(same, 1.0, fields.STEM_MATE)
    by_code = None if all(same) or not any(same) else _by_code(weights, view.postings)
    return [
        Weighed(field, view.postings.docs(term).astype(np.int64), view.postings, term, weights, by_code)
        for field, term in view.postings.terms_of(stem)
        if field in wanted
    ]


def _by_code(weights: NDArray[np.float64], postings: Postings) -> NDArray[np.float64]:
    """The weighted frequency that each code of a posting stands for; -1 of mixed forms: their occurrences say it."""
    # A code of more forms than this stem has is not met.
    number = np.minimum(postings.code_form, min(len(weights), 256) - 1)
    return np.where(postings.is_mixed, -1.0, postings.code_tf * weights[number])


def _phrase(phrase: Phrase, view: View, wanted: frozenset[int]) -> list[Stand]:
    stems = [view.words.stem(word.stem) for word in phrase.words]
    if not stems or None in stems:
        return []
    terms = [dict(view.postings.terms_of(stem)) for stem in stems if stem is not None]
    same: list[Mask | None] = [None] * len(stems)
    if phrase.exact:  # compared as it sounds, whatever the capitals
        same = [
            np.array([form.lower() == word.form.lower() for form in view.words.forms_of(stem)])
            for word, stem in zip(phrase.words, stems, strict=True)
        ]
    found: list[Stand] = []
    for field in sorted(wanted.intersection(*terms)):
        docs, counts = _side_by_side(view, [of_word[field] for of_word in terms], same)
        if len(docs):
            found.append(Counted(field, docs, counts))
    return found


def _side_by_side(
    view: View, terms: list[int], same: list[Mask | None]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The documents in which the terms stand in this order without a gap, and how often.

    With a byte for every place of the documents that hold all of the terms: those at which the phrase can begin as far
    as the first term is concerned, then those of them as far as the second is, and so on.
    """
    once = list(dict.fromkeys(terms))  # a word may be typed twice
    together, places = _common(view.size, [view.postings.docs(term) for term in once])
    if not len(together):
        return together, np.empty(0)
    read = {term: view.postings.occurrences(term, here) for term, here in zip(once, places, strict=True)}
    last = np.maximum.reduce([of_term.position[of_term.chosen.cumsum() - 1] for of_term in read.values()])
    width = last + len(terms)
    ends = width.cumsum()
    base, number = ends - last - 1, np.arange(len(together))
    text = {term: number.repeat(one.chosen) for term, one in read.items()}
    stands_at = {term: base.take(text[term]) + one.position for term, one in read.items()}
    whole = len(terms)
    reached = np.zeros(int(ends[-1]), dtype=np.uint8)  # how many terms, from the first on, can stand so
    reached[stands_at[terms[0]]] = 1
    for i, term in enumerate(terms[1:], 1):
        begin = stands_at[term] - i
        reached[begin[reached.take(begin) == i]] = i + 1
    for i, (term, of_word) in enumerate(zip(terms, same, strict=True)):  # of what is left: there is not much
        if of_word is not None and not of_word.all():
            begin = stands_at[term] - i
            which = (reached.take(begin) == whole).nonzero()[0]
            wanted = of_word[read[term].forms(which, text[term].take(which))]
            reached[begin[which[~wanted]]] = 0
            reached[begin[which[wanted]]] = whole  # two forms of one stem may share a place
    begin = stands_at[terms[0]]
    which = (reached.take(begin) == whole).nonzero()[0]
    docs = together[text[terms[0]][which[_begins(begin[which])]]]
    first = _begins(docs)
    return docs[first], np.diff(np.append(first, len(docs))).astype(np.float64)


def _near(clause: Near, view: View, wanted: frozenset[int]) -> list[Stand]:
    stems = {view.words.stem(word.stem) for word in clause.words}
    if None in stems or not stems:
        return []
    terms = [dict(view.postings.terms_of(stem)) for stem in stems if stem is not None]
    found: list[Stand] = []
    for field in sorted(wanted.intersection(*terms)):
        of_field = [of_word[field] for of_word in terms]
        docs, places = _common(view.size, [view.postings.docs(term) for term in of_field])
        number = np.arange(len(docs)) << PLACES
        read = [view.postings.occurrences(*of_term) for of_term in zip(of_field, places, strict=True)]
        stretch = len(read) + clause.slop
        if field in LISTS:  # no longer than the gap between two items: it would span two tags
            stretch = min(stretch, GAP)
        starts = stretches([number.repeat(one.chosen) + one.position for one in read], stretch)
        counts = np.bincount(starts >> PLACES, minlength=len(docs))
        held = counts.nonzero()[0]
        if len(held):
            found.append(Counted(field, docs[held], counts[held].astype(np.float64)))
    return found


PLACES = 40  # bits of a position: text by text, the texts are so far apart that no stretch spans two


def stretches(positions: Sequence[NDArray[np.int64]], length: int) -> NDArray[np.int64]:
    """The positions, given word by word, from which on all of the words stand within so many places."""
    starts = np.concatenate(positions)
    for of_word in positions:
        if len(starts):
            following = of_word.take(of_word.searchsorted(starts), mode="clip") - starts
            starts = starts[(following >= 0) & (following < length)]
    return _once(np.sort(starts))


def _once(ascending: NDArray[np.int64]) -> NDArray[np.int64]:
    return ascending[_begins(ascending)]


def _common(size: int, lists: list[Array]) -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
    """The documents that all of the lists hold, and their places in each list."""
    rarest, *others = sorted(range(len(lists)), key=lambda i: len(lists[i]))
    common = lists[rarest].astype(np.int64)
    places = {rarest: np.arange(len(common))}
    for i in others:
        place, held = look_up(common, lists[i], size)
        places = {j: of_list[held] for j, of_list in places.items()} | {i: place[held]}
        common = common[held]
    return common, [places[i] for i in range(len(lists))]


def look_up(wanted: NDArray[np.int64], among: Array, size: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """As `places_of`, of documents of a segment of this size, by what takes less time."""
    if len(among) > MANY * len(wanted):
        return places_of(wanted, among)
    at = np.full(size, -1, dtype=np.int32)
    at[among.astype(np.int64, copy=False)] = np.arange(len(among), dtype=np.int32)
    place = at.take(wanted).astype(np.int64)
    return place, place >= 0


def _prefix(prefix: Prefix, view: View, wanted: frozenset[int]) -> list[Stand]:
    places = view.words.beginning_with(prefix.text)
    if not len(places):
        return []
    first = view.words.first
    stem = first.searchsorted(places.astype(first.dtype), side="right") - 1
    begin = _begins(stem)
    stems = stem[begin]
    first_form = first[stems].astype(np.int64)
    whole = np.diff(np.append(begin, len(stem))) == first[stems + 1] - first_form  # every form begins so: mostly
    terms, fields_, of = view.postings.of_stems(stems)
    found: list[Stand] = []
    for field in sorted(wanted.intersection(fields_.tolist())):
        here = fields_ == field
        parts = []
        if len(all_of := (here & whole[of]).nonzero()[0]):
            parts.append(view.postings.counts(terms[all_of]))
        if len(some_of := (here & ~whole[of]).nonzero()[0]):
            within = np.zeros(int(places[-1]) + 2, dtype=bool)  # by form; what comes after the last one is none
            within[places] = True
            parts.append(view.postings.counts_of_forms(terms[some_of], first_form[of[some_of]], within))
        found.append(_added_up(field, parts, view.size, len(all_of) == 1 and not len(some_of)))
    return found


def _added_up(field: int, parts: list[tuple[Array, NDArray[np.int64]]], size: int, is_one: bool) -> Stand:
    """What several terms count together, by document."""
    if is_one:
        ((docs, counts),) = parts
        return Counted(field, docs.astype(np.int64), counts.astype(np.float64))
    by_part: list[NDArray[Any]] = [np.bincount(docs, weights=counts, minlength=size) for docs, counts in parts]
    dense = reduce(np.add, by_part)
    spread = Spread(field, dense)
    if sum(len(docs) for docs, _ in parts) * WIDE > size:
        return spread
    docs = spread.docs
    return Counted(field, docs, dense.take(docs))
