"""The words of short texts, such as the names of sections: which texts hold these words, the last as a beginning."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from search import analysis

AFTER_ALL = "\U0010ffff"  # what begins with a text comes before the text and this


class Lexicon:
    """Sorted words, and by word the places of the texts that hold it."""

    def __init__(self, texts: Sequence[str]) -> None:
        pairs = sorted(
            {(token.form.lower(), place) for place, text in enumerate(texts) for token in analysis.tokens(text)}
        )
        self._words = [word for word, _ in pairs]
        self._places = np.array([place for _, place in pairs], dtype=np.int64)

    def holding(self, words: Sequence[str]) -> NDArray[np.int64]:
        """The places, ascending, of the texts that hold all of these words, the last one as a beginning.

        No words are in every text and ask for nothing: no text is found by them.
        """
        if not words:
            return np.empty(0, np.int64)
        *whole, begin = words
        found = [np.unique(self._range(begin, begin + AFTER_ALL)), *(self._range(word, word + "\0") for word in whole)]
        return reduce(np.intersect1d, found)

    def _range(self, low: str, high: str) -> NDArray[np.int64]:
        return self._places[bisect_left(self._words, low) : bisect_left(self._words, high)]
