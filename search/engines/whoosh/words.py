"""The words of a segment: stems, and the surface forms of each.

words.stems   texts, sorted                     words.forms   texts: the forms of stem 0, of stem 1, .., sorted
words.first   where a stem's forms begin        words.order   the forms, sorted by their small letters
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import chain, compress, islice
from operator import ne

import numpy as np
from numpy.typing import NDArray

from search.engines.whoosh.arrays import STEP, Array, Strings, narrow

REMEMBERED = 10_000  # stems: 1 MB


def entry(stem: str, form: str) -> str:
    """A word of the dictionary: entries sort by stem, then by form."""
    return f"{stem}\0{form}"


def differs(texts: Sequence[str]) -> NDArray[np.bool_]:
    """Of texts in order, whether each is another one than that before it; the first is."""
    return np.fromiter(chain((True,), map(ne, texts, islice(texts, 1, None))), bool, len(texts))


class NewWords:
    """The words of a segment to be written, from its entries, sorted and each once.

    By place of an entry: `stem_of` and, within its stem, `number_of`.
    """

    def __init__(self, entries: Sequence[str]) -> None:
        halves = "\0".join(entries).split("\0") if entries else []
        stems, self._forms = halves[::2], halves[1::2]
        new = differs(stems)
        first = new.nonzero()[0]
        self.stems = list(compress(stems, new.tolist()))
        self._first = np.append(first, len(stems))
        self.stem_of = new.cumsum() - 1
        self.number_of = np.arange(len(stems)) - self._first[self.stem_of]

    def arrays(self) -> dict[str, Array]:
        small = list(map(str.lower, self._forms))
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
        self._met: dict[str, int | None] = {}

    def stem(self, text: str) -> int | None:
        """The number of a stem; None where no form of it was met. A query asks for each some three times."""
        try:
            return self._met[text]
        except KeyError:
            number = self.stems.index_of(text)
        if len(self._met) >= REMEMBERED:
            self._met.clear()
        self._met[text] = number
        return number

    def entries(self) -> list[str]:
        """All of them, sorted."""
        stems = self.stems.texts()
        of = np.arange(len(stems)).repeat(np.diff(self.first)).tolist()
        return list(map(entry, map(stems.__getitem__, of), self.forms.texts()))

    def forms_of(self, stem: int | None) -> list[str]:
        """The surface forms of a stem, by number."""
        return [] if stem is None else self.forms.run(*self.first[stem : stem + 2].tolist())

    def beginning_with(self, text: str) -> NDArray[np.int64]:
        """The places in `forms`, ascending, of those that begin so, whatever their capitals."""
        first = self._place(text)
        last = self._place(text + "\U0010ffff")
        return np.sort(self._order[first:last].astype(np.int64))

    def _place(self, text: str) -> int:
        """How many forms, in small letters, come before this text."""
        order, step = self._order.data, bisect_left(self._landmarks, text)
        low, high = max(0, (step - 1) * STEP), min(len(order), step * STEP)
        return bisect_left(order, text, low, high, key=self._small)

    def _small(self, place: int) -> str:
        return self.forms[place].lower()

    @cached_property
    def _landmarks(self) -> list[str]:
        return [self._small(place) for place in self._order[::STEP].tolist()]
