"""Postings as flat arrays: packed for a segment, and read term by term.

A term is a stem in a field; the terms of a stem stand side by side, in the order of the fields.

    stem.term    where the terms of a stem begin, and the end       term.field   number of the field
    term.post    where a term's postings begin, and the end         term.occ     its occurrences, term.mix: its forms
    post.doc     document numbers, ascending within a term          post.code    what stands there, one byte:
    code.tf      .. how often                                       code.form    .. and in which of the stem's forms
    occ.pos      token positions, ascending within a posting, modulo 65,536
    far.occ      the occurrences beyond position 65,535 (longer than most books), far.pos: their positions
    mix.form     the form of each occurrence of the postings of code.form MIXED, one posting after another
    rare.post    the postings of code RARE, rare.tf: how often; of form MIXED all of them

Two of three postings are of one occurrence or two, nine of ten of one form: 255 pairs of frequency and form say almost
all, and a word's weighted frequencies are looked up in a table of 256.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from search import fields
from search.engines.whoosh.arrays import Array, Arrays, narrow, ranges

FIELD_NAMES = tuple(field.name for field in fields.SEARCHED)
FIELDS = len(FIELD_NAMES)
MIXED = 255  # code.form
RARE = 255  # post.code
FAR = 1 << 16
BLOCK = 500_000  # postings looked at together


def pack(
    *, stems: int, key: Array, first: Array, doc: Array, tf: Array, form: Array, mix: Array, pos: Array, far: Far
) -> dict[str, Array]:
    """The arrays of postings.

    By term `key` (stem * FIELDS + field, ascending) and `first`, its first posting, with the end; by posting `doc`,
    `tf`, and `form`, the number of the form within its stem, or MIXED; by occurrence `pos`, modulo FAR, and `mix`, the
    forms of those of MIXED.
    """
    code, code_tf, code_form = _codes(tf, form)
    rare = (code == RARE).nonzero()[0]
    mixed = code_form[code] == MIXED
    often = np.where(mixed, tf, 0)
    few = mixed.nonzero()[0]
    mixes = by_occurrence(form[few], tf[few], form[few] == MIXED, mix)
    return {
        "stem.term": narrow(np.searchsorted(key, np.arange(stems + 1, dtype=np.int64) * FIELDS)),
        "term.field": (key % FIELDS).astype(np.uint8),
        "term.post": narrow(first),
        "term.occ": narrow(_ends(tf, first)),
        "term.mix": narrow(_ends(often, first)),
        "post.doc": narrow(doc),
        "post.code": code,
        "code.tf": code_tf,
        "code.form": code_form,
        "occ.pos": pos.astype(np.uint16, copy=False),
        "far.occ": narrow(far.occ),
        "far.pos": narrow(far.pos),
        "mix.form": narrow(mixes),
        "rare.post": narrow(rare),
        "rare.tf": narrow(tf[rare]),
    }


class Far(NamedTuple):
    """The occurrences beyond position FAR - 1, ascending, and their positions."""

    occ: Array
    pos: Array


def one_form(form: Array, tf: Array) -> tuple[NDArray[np.uint8], Array]:
    """From the form of each occurrence: that of each posting, or MIXED; and the forms of those of MIXED."""
    if not len(tf):
        return np.empty(0, np.uint8), form
    begin = np.cumsum(tf, dtype=np.int64) - tf
    other = np.append(False, form[1:] != form[:-1])  # than the one before it
    other[begin] = False
    first = form.take(begin)
    mixed = first >= MIXED
    mixed[begin.searchsorted(other.nonzero()[0], side="right") - 1] = True
    return np.where(mixed, MIXED, first).astype(np.uint8), form[mixed.repeat(tf)]


def by_occurrence(form: Array, tf: Array, mixed: NDArray[np.bool_], mix: Array) -> Array:
    """The form of each occurrence of these postings; `mix` has it of those that are mixed."""
    forms = form.astype(mix.dtype).repeat(tf)
    forms[mixed.repeat(tf)] = mix
    return forms


def _ends(sizes: Array, first: Array) -> NDArray[np.int64]:
    """By term where what its postings have so many of begins, and the end."""
    sums = np.zeros(len(first), dtype=np.int64)
    blocks = np.searchsorted(first, np.arange(0, first[-1] + BLOCK, BLOCK)).tolist()  # numpy makes 64 bits of each size
    for low, high in pairwise(sorted({0, *blocks, len(first) - 1} - {len(first)})):
        begin = first[low:high]
        sums[low + 1 : high + 1] = np.add.reduceat(sizes[begin[0] : first[high]], begin - begin[0], dtype=np.int64)
    return sums.cumsum()


def _codes(tf: Array, form: Array) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """One byte a posting, and what each stands for: the pairs of frequency and form that are seen most."""

    def pairs(rows: slice) -> NDArray[np.uint16]:
        pair = np.minimum(tf[rows], 255).astype(np.uint16)
        pair <<= 8
        pair |= form[rows]
        return pair

    blocks = [slice(at, at + BLOCK) for at in range(0, len(tf), BLOCK)]  # what is needed beside the bytes is larger
    seen = np.zeros(FAR, dtype=np.int64)
    for rows in blocks:
        seen += np.bincount(pairs(rows), minlength=FAR)
    seen[255 << 8 :] = 0  # 255 times or more: RARE
    common = np.argsort(-seen, kind="stable")[:RARE]
    common = common[seen[common] > 0]
    number = np.full(FAR, RARE, dtype=np.uint8)
    number[common] = np.arange(len(common), dtype=np.uint8)
    code_tf = np.zeros(256, dtype=np.uint8)
    code_form = np.full(256, MIXED, dtype=np.uint8)
    code_tf[: len(common)] = common >> 8
    code_form[: len(common)] = common & 0xFF
    code = np.empty(len(tf), dtype=np.uint8)
    for rows in blocks:
        code[rows] = number[pairs(rows)]
    return code, code_tf, code_form


class Postings:
    """The postings of a segment, as `pack` wrote them. Terms are numbers, stems too.

    Those of a term are checked when they are first used: four fifths of a segment are theirs.
    """

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays
        self._stem_term, self._term_field = arrays["stem.term"], arrays["term.field"]
        self._post, self._occ, self._mix = arrays["term.post"], arrays["term.occ"], arrays["term.mix"]
        self._doc, self._code = arrays.unchecked("post.doc"), arrays.unchecked("post.code")
        self._forms, self._pos = arrays.unchecked("mix.form"), arrays.unchecked("occ.pos")
        self._check_doc, self._check_code = arrays.blocks("post.doc").check, arrays.blocks("post.code").check
        self._check_forms, self._check_pos = arrays.blocks("mix.form").check, arrays.blocks("occ.pos").check
        self.code_tf, self.code_form = arrays["code.tf"], arrays["code.form"]
        self.is_mixed = self.code_form == MIXED
        self._code_tf = self.code_tf.astype(np.int64)
        self._mixed_tf = np.where(self.is_mixed, self._code_tf, 0)
        self._has_rare = len(arrays["rare.post"]) > 0

    def terms_of(self, stem: int) -> list[tuple[int, int]]:
        """The fields that hold the stem, by number, and the term in each."""
        first, last = self._stem_term[stem : stem + 2].tolist()
        return list(zip(self._term_field[first:last].tolist(), range(first, last), strict=True))

    def term(self, field: int, stem: int | None) -> int | None:
        """The term of a stem in a field; None where the field does not hold it."""
        return None if stem is None else dict(self.terms_of(stem)).get(field)

    def of_stems(self, stems: NDArray[np.int64]) -> tuple[NDArray[np.int64], Array, NDArray[np.int64]]:
        """The terms of several stems, the field of each, and which of the stems it is of."""
        first = self._stem_term[stems].astype(np.int64)
        count = self._stem_term[stems + 1] - first
        terms = ranges(first, count)
        return terms, self._term_field[terms], np.arange(len(stems)).repeat(count)

    def docs(self, term: int) -> Array:
        """Document numbers, ascending."""
        start, end = self._post[term : term + 2].tolist()
        self._check_doc(start, end)
        return self._doc[start:end]

    def codes(self, term: int) -> Array:
        """What stands in each of the documents: an index into `code_tf` and `code_form`."""
        start, end = self._post[term : term + 2].tolist()
        self._check_code(start, end)
        return self._code[start:end]

    def frequencies(self, term: int, places: Array | None = None) -> NDArray[np.int64]:
        """How often, by document; or by those at these places of `docs` alone."""
        start, end = self._post[term : term + 2].tolist()
        self._check_code(start, end)
        return self._often(slice(start, end) if places is None else start + places)

    def mixed(self, term: int, places: NDArray[np.int64]) -> tuple[NDArray[np.int64], Array]:
        """Of the postings at these places, which have several forms: how often, and the form of each occurrence."""
        start, end = self._mix[term : term + 2].tolist()
        self._check_forms(start, end)
        often = self.frequencies(term, places)
        if int(often.sum()) == end - start:  # all that the term has
            return often, self._forms[start:end]
        return often, self._forms.take(ranges(self._mixed_before(term, places), often))

    def _mixed_before(self, term: int, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where in `mix.form` the forms of the postings at these places begin."""
        code = self.codes(term)[: int(places[-1]) + 1]
        tf = self._mixed_tf.take(code)
        if self._has_rare:
            rare = (code == RARE).nonzero()[0]
            tf[rare] = self.frequencies(term, rare)
        return int(self._mix[term]) + tf.cumsum().take(places) - tf.take(places)

    def positions(self, term: int) -> NDArray[np.int64]:
        """Where each occurrence stands, posting after posting."""
        start, end = self._occ[term : term + 2].tolist()
        self._check_pos(start, end)
        return self._positions(start, end)

    def occurrences(self, term: int, places: NDArray[np.int64]) -> Occurrences:
        """Of the documents at these places of `docs`, every occurrence."""
        tf = self.frequencies(term)
        start, end = self._occ[term : term + 2].tolist()
        self._check_pos(start, end)
        if len(places) == len(tf):
            position, chosen = self._positions(start, start + int(tf.sum())), tf
        else:
            chosen = tf[places]
            position = self._at(ranges(tf.cumsum()[places] - chosen + start, chosen))
        return Occurrences(self, term, places, chosen, position)

    def counts(self, terms: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64]]:
        """Of several terms: by posting the document, and how often."""
        if len(terms) == 1:
            return self.docs(int(terms[0])), self.frequencies(int(terms[0]))
        starts = self._post[terms].astype(np.int64)
        sizes = self._post[terms + 1] - starts
        self._check_each(starts, sizes)
        postings = ranges(starts, sizes)
        return self._doc[postings], self._often(postings)

    def counts_of_forms(
        self, terms: NDArray[np.int64], first: NDArray[np.int64], wanted: NDArray[np.bool_]
    ) -> tuple[Array, NDArray[np.int64]]:
        """The same, of some of the forms alone.

        `first` is the place of the first form of each term's stem, and `wanted` goes by the places of all forms; what
        is beyond its end is not wanted.
        """
        starts = self._post[terms].astype(np.int64)
        sizes = self._post[terms + 1] - starts
        self._check_each(starts, sizes)
        postings, base = ranges(starts, sizes), first.repeat(sizes)
        code = self._code[postings]
        last = len(wanted) - 1
        count = np.where(wanted[np.minimum(base + self.code_form[code], last)], self._code_tf[code], 0)
        mixed = self.is_mixed[code].nonzero()[0]
        if len(mixed):
            often = self._often(postings[mixed])
            starts = self._mix[terms].astype(np.int64)
            sizes = self._mix[terms + 1] - starts
            self._arrays.blocks("mix.form").check_each(starts, sizes)
            forms = self._forms[ranges(starts, sizes)].astype(np.int64)
            here = wanted[np.minimum(forms + base[mixed].repeat(often), last)]
            count[mixed] = np.add.reduceat(here, often.cumsum() - often, dtype=np.int64)
        return self._doc[postings], count

    def forms_at(self, term: int, places: NDArray[np.int64], nth: NDArray[np.int64]) -> NDArray[np.int64]:
        """In which form of its stem the n-th occurrence in each of these places stands."""
        code = self.codes(term)[places]
        form = self.code_form.take(code).astype(np.int64)
        mixed = self.is_mixed.take(code).nonzero()[0]
        if len(mixed):
            begin = self._mixed_before(term, places[mixed])
            self._check_forms(*self._mix[term : term + 2].tolist())
            form[mixed] = self._forms.take(begin + nth[mixed])
        return form

    def _check_each(self, starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> None:
        self._arrays.blocks("post.doc").check_each(starts, sizes)
        self._arrays.blocks("post.code").check_each(starts, sizes)

    def _often(self, postings: NDArray[np.int64] | slice) -> NDArray[np.int64]:
        """How often, by posting: numbers of postings, not places in a term."""
        code = self._code[postings]
        tf = self._code_tf.take(code)
        if self._has_rare and len(rare := (code == RARE).nonzero()[0]):
            numbers = postings.start + rare if isinstance(postings, slice) else postings[rare]
            tf[rare] = self._arrays["rare.tf"][np.searchsorted(self._arrays["rare.post"], numbers)]
        return tf

    def _at(self, occurrences: NDArray[np.int64]) -> NDArray[np.int64]:
        positions = self._pos.take(occurrences).astype(np.int64)
        far = self._arrays["far.occ"]
        if len(far) and len(occurrences):
            place = np.minimum(far.searchsorted(occurrences), len(far) - 1)
            beyond = far[place] == occurrences
            positions[beyond] = self._arrays["far.pos"][place[beyond]]
        return positions

    def _positions(self, start: int, end: int) -> NDArray[np.int64]:
        positions = self._pos[start:end].astype(np.int64)
        far = self._arrays["far.occ"]
        if len(far):
            first, last = np.searchsorted(far, (start, end))
            positions[far[first:last].astype(np.int64) - start] = self._arrays["far.pos"][first:last]
        return positions

    # All terms at once, for merging.

    def sizes(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """By term: key (stem * FIELDS + field) and number of postings."""
        first, post = self._stem_term.astype(np.int64), self._post.astype(np.int64)
        stem = np.arange(len(first) - 1, dtype=np.int64).repeat(first[1:] - first[:-1])
        return stem * FIELDS + self._term_field, post[1:] - post[:-1]

    def all(self) -> tuple[Array, Array, Array, Array, Array, Far]:
        """By posting document, frequency and form (or MIXED); the forms of those of MIXED; by occurrence position."""
        code = self._arrays["post.code"]
        tf = self.code_tf[code]
        if self._has_rare:
            rare = self._arrays["rare.tf"]
            tf = tf.astype(np.promote_types(np.uint8, rare.dtype))
            tf[self._arrays["rare.post"]] = rare
        form, mix = self.code_form[code], self._arrays["mix.form"]
        far = Far(self._arrays["far.occ"], self._arrays["far.pos"])
        return self._arrays["post.doc"], tf, form, mix, self._arrays["occ.pos"], far


class Occurrences(NamedTuple):
    """Occurrences of a term in some of its documents, with the `position` of each."""

    postings: Postings
    term: int
    places: NDArray[np.int64]  # of these documents among all of the term's
    chosen: NDArray[np.int64]  # how often in each of these
    position: NDArray[np.int64]

    def forms(self, which: NDArray[np.int64], doc: NDArray[np.int64]) -> NDArray[np.int64]:
        """In which form of its stem each of these stands; `doc`: in which of the documents it does."""
        before = self.chosen.cumsum() - self.chosen
        return self.postings.forms_at(self.term, self.places.take(doc), which - before.take(doc))


def begins(ascending: Array) -> NDArray[np.int64]:
    """Where a value differs from the one before; the first does."""
    if not len(ascending):
        return np.empty(0, np.int64)
    return np.flatnonzero(np.concatenate(([True], ascending[1:] != ascending[:-1])))
