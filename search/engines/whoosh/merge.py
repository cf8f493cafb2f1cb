"""Several segments -> one, of what is live in them; documents keep their order.

Nothing is analysed again: words are merged as texts, postings are moved as arrays, a part of the terms at a time, so
that what is needed beside the result is small.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, compress, pairwise

import numpy as np
from numpy.typing import NDArray

from search import fields
from search.engines.whoosh import postings
from search.engines.whoosh.arrays import Array, Arrays, Strings, narrow, ranges
from search.engines.whoosh.postings import FIELD_NAMES, FIELDS, MIXED, Far, Postings
from search.engines.whoosh.segment import filter_pairs
from search.engines.whoosh.words import NewWords, Words, differs

BLOCK = 500_000  # postings or occurrences moved at once

Live = NDArray[np.bool_]


def merge(segments: Sequence[Arrays], live: Sequence[Live]) -> dict[str, Array]:
    """The arrays of the new segment."""
    bases = np.cumsum([0, *(int(mask.sum()) for mask in live)])
    number = np.min_scalar_type(max(int(bases[-1]) - 1, 0))
    renumber = [(np.cumsum(mask) - 1 + base).astype(number) for mask, base in zip(live, bases, strict=False)]
    parts = [_Part(arrays, mask) for arrays, mask in zip(segments, live, strict=True)]
    words, places = _words(parts)
    for part, place, numbers in zip(parts, places, renumber, strict=True):
        part.renumber(words, place, numbers)

    # Terms of all parts in the new order, of one term those of the first part first.
    key = np.concatenate([part.key for part in parts])
    order = np.argsort(key, kind="stable")
    key = key[order]
    first = postings.begins(key)
    sizes = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in ("postings", "occurrences", "mixes")
    }

    def moved(name: str, by: str) -> Array:
        return _moved(parts, name, sizes[by], order)

    begin = np.append(0, sizes["postings"][order].cumsum())
    merged = {
        **words.arrays(),
        **postings.pack(
            stems=len(words.stems),
            key=key[first],
            first=np.append(begin[first], begin[-1]),
            doc=moved("doc", "postings"),
            tf=moved("tf", "postings"),
            form=moved("form", "postings"),
            mix=moved("mix", "mixes"),
            pos=moved("pos", "occurrences"),
            far=_moved_far(parts, sizes["occurrences"], order),
        ),
    }
    for name in ("doc.seq", "doc.tie", "doc.published", "doc.embargo", "doc.withdrawn"):
        merged[name] = np.concatenate([arrays[name][mask] for arrays, mask in zip(segments, live, strict=True)])
    merged["doc.by_tie"] = narrow(np.argsort(merged["doc.tie"], kind="stable"))
    ids = [Strings.of(arrays, "doc.ids").texts() for arrays in segments]
    merged |= Strings.pack(
        "doc.ids", (ids[i][doc] for i, mask in enumerate(live) for doc in np.flatnonzero(mask).tolist())
    )
    for name in FIELD_NAMES:
        merged[f"len.{name}"] = narrow(
            np.concatenate([arrays[f"len.{name}"][mask] for arrays, mask in zip(segments, live, strict=True)])
        )
    for name in fields.FILTERS:
        pairs: list[tuple[int, str]] = []
        for arrays, mask, numbers in zip(segments, live, renumber, strict=True):
            values = Strings.of(arrays, f"{name}.values").texts()
            doc, ordinal = arrays[f"{name}.doc"], arrays[f"{name}.ord"]
            keep = mask[doc]
            new_doc = numbers[doc[keep]].tolist()
            pairs += zip(new_doc, (values[place] for place in ordinal[keep].tolist()), strict=True)
        merged |= filter_pairs(name, pairs)
    return merged


class _Part:
    """What one segment brings.

    By term that has any: `key`, and how many `postings`, `occurrences` and `mixes` (occurrences of postings of
    several forms); by posting `doc`, `tf`, `form`; then `mix` and `pos`, with `far`.
    """

    def __init__(self, arrays: Arrays, live: Live) -> None:
        read, words = Postings(arrays), Words(arrays)
        self.entries = words.entries()
        self.first = words.first.astype(np.int64)
        self.key, self.postings = read.sizes()
        self.doc, self.tf, self.form, self.mix, self.pos, self.far = read.all()
        is_mixed = self.form == MIXED
        self._all_live = bool(live.all())
        if not self._all_live:
            keep = live[self.doc]
            in_occurrences = keep.repeat(self.tf)
            self.mix = self.mix[keep[is_mixed].repeat(self.tf[is_mixed])]
            self.pos = self.pos[in_occurrences]
            far = in_occurrences[self.far.occ]
            self.far = Far((in_occurrences.cumsum() - 1)[self.far.occ[far]], self.far.pos[far])
            begin = np.append(0, keep.cumsum())[np.append(0, self.postings.cumsum())]
            self.postings = np.diff(begin)
            self.doc, self.tf, self.form, is_mixed = (one[keep] for one in (self.doc, self.tf, self.form, is_mixed))
            held = self.postings > 0
            self.key, self.postings = self.key[held], self.postings[held]
        begin = self.postings.cumsum() - self.postings
        self.occurrences = _sums(self.tf, begin)
        self.mixes = _sums(np.where(is_mixed, self.tf, 0), begin)

    def used(self) -> NDArray[np.bool_]:
        """By word, whether it stands in an article."""
        if self._all_live:
            return np.ones(len(self.entries), dtype=bool)
        flags = np.zeros(len(self.entries), dtype=bool)
        plain = self.form != MIXED
        flags[(self._base(self.postings) + self.form)[plain]] = True
        flags[self._base(self.mixes) + self.mix] = True
        return flags

    def renumber(self, words: NewWords, new: NDArray[np.int64], docs: Array) -> None:
        """From here on in the numbers of the new segment; `new` is the place of each word there, -1 of one not used."""
        number = narrow(np.append(words.number_of, 0))[new]
        stem_of_form = np.append(words.stem_of, 0)[new]
        mixed = self.form == MIXED
        # In blocks, as the places are eight times as large as what is looked up.
        form, mix = np.empty(len(self.form), number.dtype), np.empty(len(self.mix), number.dtype)
        at = 0
        for rows in _blocks(self.postings):
            base = self._base(self.postings, rows)
            places = base + self.form[at : at + len(base)]
            form[at : at + len(base)] = number.take(places, mode="clip")  # what is MIXED is set below
            at += len(base)
        mix[:] = number[self._base(self.mixes) + self.mix]
        if words.number_of.max(initial=0) >= MIXED:  # a form that the byte has no number for is said by occurrence
            form, mix = self._widened(form, mix, mixed)
        form[mixed] = MIXED
        self.form, self.mix = form.astype(np.uint8), mix
        if len(self.key):
            stem = np.maximum.reduceat(stem_of_form, self.first[:-1])  # any form that is used tells it
            self.key = stem[self.key // FIELDS] * FIELDS + self.key % FIELDS
        self._docs = docs

    def hand_over(self, name: str) -> Array:
        """`doc`, `tf`, `form`, `mix` or `pos`, in the numbers of the new segment; it is asked for once."""
        values: Array = getattr(self, name)
        delattr(self, name)
        moved: Array = self._docs[values] if name == "doc" else values
        return moved

    def _base(self, sizes: NDArray[np.int64], rows: slice = slice(None)) -> NDArray[np.int64]:
        """The place of the first form of its stem, for as many items of each term as `sizes` says."""
        return self.first[self.key[rows] // FIELDS].repeat(sizes[rows])

    def _widened(self, form: Array, mix: Array, mixed: NDArray[np.bool_]) -> tuple[Array, Array]:
        beyond = (form >= MIXED) & ~mixed
        if beyond.any():
            often = np.where(mixed | beyond, self.tf, 0)
            few = often.nonzero()[0]
            mix = postings.by_occurrence(form[few], self.tf[few], mixed[few], mix)
            self.mixes = _sums(often, self.postings.cumsum() - self.postings)
            form[beyond] = MIXED
        return form, mix


def _words(parts: Sequence[_Part]) -> tuple[NewWords, list[NDArray[np.int64]]]:
    """The words of the new segment, and by part the place that each word has there, -1 of those not used."""
    used = [part.used() for part in parts]
    entries = list(
        chain.from_iterable(compress(part.entries, flags.tolist()) for part, flags in zip(parts, used, strict=True))
    )
    order = sorted(range(len(entries)), key=entries.__getitem__)  # those of each part are in order: little is left
    ordered = list(map(entries.__getitem__, order))
    new = differs(ordered)
    place = np.empty(len(order), np.int64)
    place[order] = new.cumsum() - 1
    places = [np.full(len(flags), -1) for flags in used]
    ends = np.cumsum([flags.sum() for flags in used])
    for one, flags, mine in zip(places, used, np.split(place, ends), strict=False):
        one[flags] = mine
    return NewWords(list(compress(ordered, new.tolist()))), places


def _sums(values: Array, begin: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of runs of values, none empty, that begin there."""
    return np.add.reduceat(values, begin, dtype=np.int64) if len(begin) else np.empty(0, np.int64)


def _moved(parts: Sequence[_Part], name: str, sizes: NDArray[np.int64], order: NDArray[np.int64]) -> Array:
    """The runs of all parts, of these sizes one after another, in this order of runs. The parts forget them."""
    starts = np.empty_like(sizes)
    starts[order] = sizes[order].cumsum() - sizes[order]
    target: Array | None = None
    run = 0
    for part in parts:
        values, runs = part.hand_over(name), slice(run, run := run + len(part.key))
        if target is None:
            target = np.empty(int(sizes.sum()), dtype=values.dtype)
        elif values.dtype.itemsize > target.dtype.itemsize:
            target = target.astype(values.dtype)
        at = 0
        for rows in _blocks(sizes[runs]):
            places = ranges(starts[runs][rows], sizes[runs][rows])
            target[places] = values[at : at + len(places)]
            at += len(places)
    assert target is not None
    return target


def _moved_far(parts: Sequence[_Part], sizes: NDArray[np.int64], order: NDArray[np.int64]) -> Far:
    """Where the occurrences at far positions stand after their runs were moved."""
    counts = [int(part.occurrences.sum()) for part in parts]
    bases = np.cumsum([0, *counts[:-1]])
    occ = np.concatenate([part.far.occ + base for part, base in zip(parts, bases, strict=True)]).astype(np.int64)
    pos = np.concatenate([part.far.pos for part in parts])
    old = sizes.cumsum() - sizes
    new = np.empty_like(old)
    new[order] = sizes[order].cumsum() - sizes[order]
    run = old.searchsorted(occ, side="right") - 1
    moved = new[run] + occ - old[run]
    sorting = moved.argsort()
    return Far(moved[sorting], pos[sorting])


def _blocks(sizes: NDArray[np.int64]) -> list[slice]:
    """Cut a list of runs into parts of about BLOCK items together."""
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    cuts = np.searchsorted(ends, np.arange(BLOCK, total, BLOCK), side="right").tolist()
    edges = sorted({0, len(sizes), *cuts})
    return [slice(a, b) for a, b in pairwise(edges)]
