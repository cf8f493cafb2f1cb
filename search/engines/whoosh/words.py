"""The words of a segment: stems, and the surface forms of each.

words.stems   texts, sorted                     words.forms   texts: the forms of stem 0, of stem 1, .., sorted
words.first   where a stem's forms begin        words.order   the forms, sorted by their small letters
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from search.engines.whoosh.arrays import Array, Strings, narrow


class NewWords:
    """The words of a segment to be written, from its forms and the stem of each.

    `stem_of` and `number_of` (within its stem) go by the place in `forms` as given.
    """

    def __init__(self, forms: Sequence[str], stems: Sequence[str]) -> None:
        order = sorted(range(len(forms)), key=lambda i: (stems[i], forms[i]))
        sorted_stems = [stems[i] for i in order]
        new = np.array([True, *(a != b for a, b in pairwise(sorted_stems))][: len(order)], dtype=bool)
        stem = np.cumsum(new) - 1
        first = np.flatnonzero(new)
        self.stems = [sorted_stems[i] for i in first.tolist()]
        self._forms = [forms[i] for i in order]
        self._first = np.append(first, len(forms))
        self.stem_of = np.empty(len(forms), dtype=np.int64)
        self.stem_of[order] = stem
        self.number_of = np.empty(len(forms), dtype=np.int64)
        self.number_of[order] = np.arange(len(forms)) - self._first[stem]

    def arrays(self) -> dict[str, Array]:
        small = [form.lower() for form in self._forms]
        return {
            **Strings.pack("words.stems", self.stems),
            **Strings.pack("words.forms", self._forms),
            "words.first": narrow(self._first),
            "words.order": narrow(np.array(sorted(range(len(small)), key=small.__getitem__), dtype=np.int64)),
        }


class Words:
    """The words of a segment, as `NewWords` wrote them."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self.stems = Strings.of(arrays, "words.stems")
        self.forms = Strings.of(arrays, "words.forms")
        self.first, self._order = arrays["words.first"], arrays["words.order"]

    def stem(self, text: str) -> int | None:
        """The number of a stem; None where no form of it was met."""
        return self.stems.index_of(text)

    def forms_of(self, stem: int | None) -> list[str]:
        """The surface forms of a stem, by number."""
        return [] if stem is None else self.forms.run(*self.first[stem : stem + 2].tolist())

    def beginning_with(self, text: str) -> NDArray[np.int64]:
        """The places in `forms`, ascending, of those that begin so, whatever their capitals."""

        def small(place: int) -> str:
            return self.forms[place].lower()

        order = self._order.data
        first = bisect_left(order, text, key=small)
        last = bisect_left(order, text + "\U0010ffff", first, key=small)
        return np.sort(self._order[first:last].astype(np.int64))
