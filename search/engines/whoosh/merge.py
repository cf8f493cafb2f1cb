"""Several segments -> one, of what is live in them; documents keep their order.

Nothing is analysed again: words are merged as texts, postings are moved as arrays, a part of the terms at a time, so
that what is needed beside the result is small.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from search import fields
from search.engines.whoosh import postings
from search.engines.whoosh.arrays import Array, Strings, narrow, ranges
from search.engines.whoosh.postings import FIELD_NAMES, FIELDS, Postings
from search.engines.whoosh.segment import filter_pairs
from search.engines.whoosh.words import NewWords, Words

BLOCK = 2_000_000  # postings or occurrences moved at once

Live = NDArray[np.bool_]


def merge(segments: Sequence[Mapping[str, Array]], live: Sequence[Live]) -> dict[str, Array]:
    """The arrays of the new segment."""
    bases = np.cumsum([0, *(int(mask.sum()) for mask in live)])
    renumber = [(np.cumsum(mask) - 1 + base).astype(np.uint32) for mask, base in zip(live, bases, strict=False)]
    parts = [_Part(arrays, mask) for arrays, mask in zip(segments, live, strict=True)]
    words = _words(parts)
    for part, numbers in zip(parts, renumber, strict=True):
        part.renumber(words, numbers)

    # Terms of all parts in the new order, of one term those of the first part first.
    key = np.concatenate([part.key for part in parts])
    order = np.argsort(key, kind="stable")
    key = key[order]

    def moved(name: str, sizes: NDArray[np.int64]) -> Array:
        return _moved([getattr(part, name) for part in parts], sizes, order)

    counts = np.concatenate([part.postings for part in parts])
    occurrences = np.concatenate([part.occurrences for part in parts])
    merged = {
        **words.arrays(),
        **postings.pack(
            stems=len(words.stems),
            key=np.repeat(key.astype(np.uint32), counts[order]),
            doc=moved("doc", counts),
            tf=moved("tf", counts),
            pos=moved("pos", occurrences),
            form=moved("form", occurrences),
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
    """What one segment brings: by term `key`, `postings`, `occurrences`; `doc`, `tf`; `pos`, `form`."""

    def __init__(self, arrays: Mapping[str, Array], live: Live) -> None:
        read, words = Postings(arrays), Words(arrays)
        self.stem_texts, self.form_texts = words.stems.texts(), words.forms.texts()
        self.first = words.first.astype(np.int64)
        self.key, self.postings = read.sizes()
        self.doc, self.tf, self.pos, self.form = read.all()
        term = np.repeat(np.arange(len(self.key)), self.postings)
        if not live.all():
            keep = live[self.doc]
            in_occurrences = np.repeat(keep, self.tf)
            self.doc, self.tf, term = self.doc[keep], self.tf[keep], term[keep]
            self.pos, self.form = self.pos[in_occurrences], self.form[in_occurrences]
            self.postings = np.bincount(term, minlength=len(self.key))
        ends = np.concatenate(([0], np.cumsum(self.tf, dtype=np.int64)))
        self.occurrences = np.diff(ends[np.concatenate(([0], np.cumsum(self.postings)))])

    def used(self) -> list[int]:
        """The forms that stand in an article, by their place in `form_texts`."""
        flags = np.zeros(len(self.form_texts), dtype=bool)
        for rows in _blocks(self.occurrences):
            flags[self._places(rows)] = True
        return np.flatnonzero(flags).tolist()

    def renumber(self, words: _Merged, docs: NDArray[np.uint32]) -> None:
        """From here on in the numbers of the new segment."""
        number = words.numbers(self.form_texts)
        renumbered = np.empty(len(self.form), dtype=number.dtype)
        for rows in _blocks(self.occurrences):
            start, end = self._span(rows)
            renumbered[start:end] = number[self._places(rows)]
        self.form = renumbered
        self.key = words.stems_of(self.stem_texts)[self.key // FIELDS] * FIELDS + self.key % FIELDS
        self.doc = docs[self.doc]

    def _span(self, rows: slice) -> tuple[int, int]:
        start = int(self.occurrences[: rows.start].sum())
        return start, start + int(self.occurrences[rows].sum())

    def _places(self, rows: slice) -> NDArray[np.int64]:
        """The place in `form_texts` of each occurrence of these terms."""
        start, end = self._span(rows)
        return np.repeat(self.first[self.key[rows] // FIELDS], self.occurrences[rows]) + self.form[start:end]


class _Merged:
    """The words of all parts, once each."""

    def __init__(self, stem_of: Mapping[str, str]) -> None:
        forms = list(stem_of)
        self._words = NewWords(forms, list(stem_of.values()))
        self._number = dict(zip(forms, self._words.number_of.tolist(), strict=True))
        self._top = int(self._words.number_of.max(initial=0))
        self.stems = self._words.stems
        self._stem = {stem: i for i, stem in enumerate(self.stems)}
        self.arrays = self._words.arrays

    def numbers(self, forms: Sequence[str]) -> Array:
        """Of each form its number within its stem; 0 where no article has it any more."""
        numbers = np.array([self._number.get(form, 0) for form in forms], dtype=np.int64)
        return numbers.astype(np.min_scalar_type(self._top))

    def stems_of(self, stems: Sequence[str]) -> NDArray[np.int64]:
        """Of each stem its number; 0 where no article has it any more."""
        return np.array([self._stem.get(stem, 0) for stem in stems], dtype=np.int64)


def _words(parts: Sequence[_Part]) -> _Merged:
    stem_of: dict[str, str] = {}
    for part in parts:
        used = part.used()
        stem = np.searchsorted(part.first, used, side="right") - 1
        stem_of.update((part.form_texts[i], part.stem_texts[j]) for i, j in zip(used, stem.tolist(), strict=True))
    return _Merged(stem_of)


def _moved(sources: list[Array], sizes: NDArray[np.int64], order: NDArray[np.int64]) -> Array:
    """The runs of all sources, of these sizes one after another, in this order of runs."""
    source = np.concatenate(sources)
    starts = np.concatenate(([0], np.cumsum(sizes)))[:-1][order]
    sizes = sizes[order]
    target = np.empty_like(source)
    at = 0
    for rows in _blocks(sizes):
        part = source[ranges(starts[rows], sizes[rows])]
        target[at : at + len(part)] = part
        at += len(part)
    return target


def _blocks(sizes: NDArray[np.int64]) -> list[slice]:
    """Cut a list of runs into parts of about BLOCK items together."""
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    cuts = np.searchsorted(ends, np.arange(BLOCK, total, BLOCK), side="right").tolist()
    edges = sorted({0, len(sizes), *cuts})
    return [slice(a, b) for a, b in pairwise(edges)]
