"""Texts -> numbers of their words, by array operations over bytes; what a word is, `analysis` alone says.

A text is cut into chunks at characters that no word holds, and each different chunk is analysed once: most are one
word. Telling chunks apart is the work, and takes no look at them one by one:

    bytes   "Yes," said Mr. O'Neill, 2,000 e-mails    every byte is of one of three classes: apart, word, joiner
    chunks  Yes  said  Mr  O'Neill  2,000  e-mails    a joiner stands in a chunk where `analysis.WORD` may want it
    keys    three numbers of 8 bytes                  found in a hash table, all at once

A joiner that is left out belongs to no word; one that is kept needlessly costs a chunk more, and no error.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from search import analysis
from search.engines.whoosh.arrays import Array, ranges

APART, WORD, JOINER = 0, 1, 2
MOST_KNOWN = 2_000_000  # chunks; then a new vocabulary is begun: these take some 250 MB
LONGEST = 23  # bytes of a chunk that is looked up; the last byte of its key is for `shouting`
SEPARATOR = "\x1e"  # of records, in ASCII: apart from any word
PADDING = b"\n" + b"\0" * 32  # so that the reading of a key never leaves the buffer
SHOUTING = np.uint64(1 << 63)
MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)  # odd, from xxHash

_CLASS = np.zeros(256, dtype=np.uint8)
_CLASS[[code for code in range(128) if chr(code).isalnum()]] = WORD
_CLASS[128:] = WORD  # part of a character of several bytes: those that are apart are taken out below
_CLASS[list(b"'`-,.&+#")] = JOINER
_CLASSES = _CLASS.tobytes()
_MASK = np.array([(1 << 8 * n) - 1 for n in range(9)], dtype=np.uint64)


def _bytes(characters: bytes) -> NDArray[np.bool_]:
    table = np.zeros(256, dtype=bool)
    table[list(characters)] = True
    return table


_DIGIT = _bytes(b"0123456789") | (np.arange(256) >= 128)
_CAPITAL = _bytes(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_SMALL = _bytes(b"abcdefghijklmnopqrstuvwxyz")
_QUOTE_OR_HYPHEN = _bytes(b"'`-")
# General punctuation is E2 80 xx in UTF-8: dashes, quotation marks, bullet, ellipsis. No word has one of these:
_APART = np.zeros(256, dtype=bool)
_APART[[ord(character) & 0x3F | 0x80 for character in "—―“”„‟†‡•…"]] = True
# .. and an apostrophe only where a word goes on after it.
_APOSTROPHE = np.zeros(256, dtype=bool)
_APOSTROPHE[[ord(character) & 0x3F | 0x80 for character in "‘’"]] = True


class Tokens(NamedTuple):
    """Words of several texts, one after another: number of the form, step of the position, and where each text ends."""

    form: NDArray[np.uint32]
    step: NDArray[np.uint8]
    ends: NDArray[np.int64]


class Tokeniser:
    """What was met so far: chunks, the forms in them, and the stems of those. Numbers count from 0 as they come."""

    def __init__(self) -> None:
        self.forms: list[str] = []
        self.stems: list[str] = []
        self.stem_of = array("I")  # by form
        self._form_number: dict[str, int] = {}
        self._stem_number: dict[str, int] = {}
        self._first = _Growing(np.uint32)  # by chunk: its first part, how many it has
        self._count = _Growing(np.uint32)
        self._part_form = _Growing(np.uint32)
        self._part_step = _Growing(np.uint8)
        self._keys = [_Growing(np.uint64) for _ in MIX]
        self._slots = np.full(1 << 16, -1, dtype=np.int32)

    @property
    def is_full(self) -> bool:
        """Whether it is time for a new one."""
        return len(self._first) > MOST_KNOWN

    def tokens(self, texts: Sequence[str]) -> Tokens:
        """All words of the texts, as `analysis.tokens` finds them."""
        data, text_end = _joined(texts)
        start, end = _chunks(data)
        shouting = np.fromiter(map(analysis.is_shouting, texts), dtype=bool, count=len(texts))
        last = np.searchsorted(start, text_end)  # by text: the chunk after its last one
        shouted = np.repeat(shouting, np.diff(last, prepend=0)) if shouting.any() else None
        chunk = self._look_up(data, start, end, shouted)
        count = self._count.array[chunk]
        first = self._first.array[chunk]
        parts = first if (count == 1).all() else ranges(first, count)
        before = np.concatenate(([0], np.cumsum(count, dtype=np.int64)))
        return Tokens(self._part_form.array[parts], self._part_step.array[parts], before[last])

    def _look_up(self, data: bytes, start: Array, end: Array, shouted: Array | None) -> NDArray[np.int64]:
        """The numbers of the chunks; those that are new are analysed."""
        found = np.empty(len(start), dtype=np.int64)
        length = end - start
        keys = _keys(data, start, length, shouted)
        left = np.flatnonzero(length <= LONGEST)
        if len(left) < len(start):  # in scripts that do not part words: a sentence, which does not come again
            long = np.flatnonzero(length > LONGEST)
            for key in keys:
                key[long] = 0
            found[long] = self._learn(data, start, end, shouted, keys, long)
        hashed = _hash(keys)
        while len(left):
            number, missing = self._find([key[left] for key in keys], hashed[left])
            found[left] = number
            left = left[missing]
            if len(left):
                _, some = np.unique(hashed[left], return_index=True)
                self._file(self._learn(data, start, end, shouted, keys, left[some]))
        return found

    def _find(self, keys: list[Array], hashed: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The numbers of these chunks, and the places of those that are not known."""
        top = np.int64(len(self._slots) - 1)
        known = [key.array for key in self._keys]
        slot = (hashed >> np.uint64(32)).astype(np.int64) & top
        number = self._slots[slot].astype(np.int64)
        differs = number >= 0
        for key, one in zip(keys, known, strict=True):
            differs &= one[number] == key if len(one) else False
        left = np.flatnonzero(~differs)
        missing = []
        while len(left):
            here = number[left]
            missing.append(left[here < 0])
            left = left[here >= 0]
            same = np.ones(len(left), dtype=bool)
            for key, one in zip(keys, known, strict=True):
                same &= one[number[left]] == key[left]
            left = left[~same]
            slot[left] = slot[left] + 1 & top
            number[left] = self._slots[slot[left]]
        return number, np.concatenate(missing) if missing else np.empty(0, np.int64)

    def _file(self, number: NDArray[np.int64]) -> None:
        """Give these chunks their slots; all of them, in a larger table, where half of it is taken."""
        if len(self._first) * 2 > len(self._slots):
            size = len(self._slots)
            while len(self._first) * 2 > size:
                size *= 4
            self._slots = np.full(size, -1, dtype=np.int32)
            number = np.flatnonzero(self._keys[0].array)  # long ones have no key
        slot = (_hash([key.array[number] for key in self._keys]) >> np.uint64(32)).astype(np.int64)
        slot &= len(self._slots) - 1
        while len(number):
            free = self._slots[slot] < 0
            self._slots[slot[free]] = number[free]  # of two that want the same slot the last one has it
            moved = self._slots[slot] != number
            number, slot = number[moved], slot[moved] + 1 & len(self._slots) - 1

    def _learn(
        self, data: bytes, start: Array, end: Array, shouted: Array | None, keys: list[Array], places: Array
    ) -> NDArray[np.int64]:
        """Analyse the chunks at these places; their numbers."""
        loud = [False] * len(places) if shouted is None else shouted[places].tolist()
        number_of, plain_form = self._form_number.get, analysis.plain_form
        forms: list[str] = []
        steps: list[int] = []
        counts: list[int] = []
        for first, last, shouting in zip(start[places].tolist(), end[places].tolist(), loud, strict=True):
            chunk = data[first:last]
            if chunk.isalnum() and last - first <= LONGEST:
                forms.append(plain_form(chunk.decode(), shouting))
                steps.append(1)
                counts.append(1)
                continue
            before = len(forms)
            for raw in analysis.WORD.findall(chunk.decode()):
                for form, step in analysis.forms(raw, shouting):
                    forms.append(form)
                    steps.append(step)
            counts.append(len(forms) - before)
        part_form = [self._new_form(form) if (number := number_of(form)) is None else number for form in forms]
        count = np.array(counts, dtype=np.int64)
        self._first.extend(len(self._part_form) + np.cumsum(count) - count)
        self._count.extend(count)
        self._part_form.extend(part_form)
        self._part_step.extend(steps)
        for known, key in zip(self._keys, keys, strict=True):
            known.extend(key[places])
        return np.arange(len(self._first) - len(places), len(self._first))

    def _new_form(self, form: str) -> int:
        number = self._form_number[form] = len(self.forms)
        self.forms.append(form)
        stem = analysis.stem(form)
        of = self._stem_number.setdefault(stem, len(self.stems))
        if of == len(self.stems):
            self.stems.append(stem)
        self.stem_of.append(of)
        return number


class _Growing:
    """An array that grows at its end."""

    def __init__(self, dtype: type[np.unsignedinteger]) -> None:
        self._all = np.zeros(1024, dtype=dtype)
        self._filled = 0

    def __len__(self) -> int:
        return self._filled

    def extend(self, values: Array | Sequence[int]) -> None:
        size = self._filled + len(values)
        if size > len(self._all):
            larger = np.zeros(max(size, 2 * len(self._all)), dtype=self._all.dtype)
            larger[: self._filled] = self.array
            self._all = larger
        self._all[self._filled : size] = values
        self._filled = size

    @property
    def array(self) -> Array:
        return self._all[: self._filled]


def _joined(texts: Sequence[str]) -> tuple[bytes, NDArray[np.int64]]:
    """All texts in UTF-8, apart from each other, and where each ends."""
    data = SEPARATOR.join((*texts, "")).encode()
    ends = (np.frombuffer(data, dtype=np.uint8) == ord(SEPARATOR)).nonzero()[0]
    if len(ends) != len(texts):  # a text has one too
        ends = np.array([len(text.encode()) + 1 for text in texts], dtype=np.int64).cumsum() - 1
    return data + PADDING, ends


def _chunks(data: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each chunk starts and ends."""
    codes = np.frombuffer(data, dtype=np.uint8)
    kind = np.frombuffer(bytearray(data.translate(_CLASSES)), dtype=np.uint8)
    _take_out_punctuation(codes, kind)
    joiners = np.flatnonzero(kind == JOINER)
    # The first byte of all has none before it; the padding follows the last one.
    code, before, after = codes[joiners], kind[joiners - 1], kind[joiners + 1]
    follows = (before == WORD) & (joiners > 0)
    goes_on = after == WORD
    keep = follows & goes_on
    # 2,000; a comma between other characters ends a word
    keep &= (code != ord(",")) | _DIGIT[codes[joiners - 1]] & _DIGIT[codes[joiners + 1]]
    # U.S.-led: the last full stop, and the hyphen after it
    keep |= (code == ord(".")) & follows & _QUOTE_OR_HYPHEN[codes[joiners + 1]]
    keep |= _QUOTE_OR_HYPHEN[code] & goes_on & (codes[joiners - 1] == ord("."))
    # C# and C++
    keep |= ((code == ord("#")) | (code == ord("+"))) & follows
    keep |= (code == ord("+")) & (codes[joiners - 1] == ord("+"))
    kind[joiners] = keep
    edges = np.flatnonzero(kind[1:] != kind[:-1]) + 1
    if kind[0]:
        edges = np.concatenate(([0], edges))
    return edges[::2], edges[1::2]


def _take_out_punctuation(codes: Array, kind: Array) -> None:
    """Typographic quotation marks, dashes and the like part words as ASCII ones do."""
    lead = np.flatnonzero(codes == 0xE2)
    lead = lead[codes[lead + 1] == 0x80]
    last = codes[lead + 2]
    apart = lead[_APART[last]]
    kind[apart] = kind[apart + 1] = kind[apart + 2] = APART
    quote = lead[_APOSTROPHE[last]]
    ends_word = kind[quote + 3] != WORD
    quote = quote[ends_word | ((kind[quote - 1] != WORD) & (codes[quote - 1] != ord(".")) | (quote == 0))]
    kind[quote] = kind[quote + 1] = kind[quote + 2] = APART


def _keys(data: bytes, start: Array, length: Array, shouted: Array | None) -> list[NDArray[np.uint64]]:
    """The first 24 bytes of each chunk as three numbers."""
    at = np.ndarray(shape=(len(data) - 7,), dtype="<u8", buffer=data, strides=(1,))  # 8 bytes from any place
    first = at[start] & _MASK[np.minimum(length, 8)]
    # A capital before a small letter says nothing: `Word` is `word`, while `WORD` may be an acronym.
    second = (first >> np.uint64(8)).astype(np.uint8)
    first[_CAPITAL[first.astype(np.uint8)] & _SMALL[second]] |= np.uint64(0x20)
    keys = [first]
    for skipped in (8, 16):
        key = np.zeros(len(start), dtype=np.uint64)
        longer = np.flatnonzero(length > skipped)
        key[longer] = at[start[longer] + skipped] & _MASK[np.minimum(length[longer] - skipped, 8)]
        keys.append(key)
    if shouted is not None:
        keys[2][shouted] |= SHOUTING
    return keys


def _hash(keys: Sequence[Array]) -> NDArray[np.uint64]:
    mixed = keys[0] * MIX[0] ^ keys[1] * MIX[1] ^ keys[2] * MIX[2]
    mixed ^= mixed >> np.uint64(29)
    hashed: NDArray[np.uint64] = mixed * MIX[0]
    return hashed
