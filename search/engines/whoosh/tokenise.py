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
from search.engines.whoosh.arrays import Array, Growing, ranges

APART, WORD, JOINER = 0, 1, 2
MOST_KNOWN = 2_000_000  # chunks; then all are forgotten: these take some 250 MB
LONGEST = 23  # bytes of a chunk that is looked up; the last byte of its key is for `shouting`
SEVERAL = 1 << 31  # from here on it is no form that a chunk stands for, but several or none
FREE = 0  # the number of no chunk: its key is that of no word
SEPARATOR = b"\x1e"  # of records, in ASCII: apart from any word
PADDING = b"\n" + b"\0" * 32  # so that the reading of a key never leaves the buffer
SHOUTING = np.uint64(1 << 63)
SHORT = np.uint64(56)  # a key of less than this many bits is a whole chunk
SHOUTING_SHORT = np.uint64(0xFF << 56)  # no byte of UTF-8
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
# By the first two bytes, the second one high: what a capital lacks to be a small letter, where one follows.
_CAPITALISED = np.zeros(256 * 256, dtype=np.uint8)
_CAPITALISED.reshape(256, 256)[ord("a") : ord("z") + 1, ord("A") : ord("Z") + 1] = 0x20
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
        self._forget()

    def _forget(self) -> None:
        self.forms: list[str] = []
        self.stems: list[str] = []
        self.stem_of = array("I")  # by form
        self._form_number: dict[str, int] = {}
        self._stem_number: dict[str, int] = {}
        self._stands_for = Growing(np.uint32)  # by chunk: its form, or SEVERAL + its place in the next two
        self._first = Growing(np.uint32)  # of those of several parts: the first one, how many
        self._count = Growing(np.uint32)
        self._part_form = Growing(np.uint32)
        self._part_step = Growing(np.uint8)
        self._keys = [Growing(np.uint64) for _ in MIX]
        for by_chunk in (self._stands_for, *self._keys):
            by_chunk.extend([FREE])
        self._slots = np.full(1 << 16, FREE, dtype=np.int32)

    def spare_memory(self) -> None:
        """Forget everything where that is much: numbers that were given before mean nothing then."""
        if len(self._stands_for) > MOST_KNOWN:
            self._forget()

    def tokens(self, texts: Sequence[str]) -> Tokens:
        """All words of the texts, as `analysis.tokens` finds them."""
        data, text_end = _joined(texts)
        start, end = _chunks(data)
        shouting = np.fromiter(map(analysis.is_shouting, texts), dtype=bool, count=len(texts))
        last = np.searchsorted(start, text_end)  # by text: the chunk after its last one
        shouted = np.repeat(shouting, np.diff(last, prepend=0)) if shouting.any() else None
        chunk = self._look_up(data, start, end, shouted)
        form = self._stands_for.array.take(chunk)
        several = (form >= SEVERAL).nonzero()[0]
        which = form[several] - SEVERAL
        count = self._count.array[which]
        parts = np.ones(len(form), dtype=np.int64)
        parts[several] = count
        end = np.append(0, parts.cumsum())
        form, step = form.repeat(parts), np.ones(end[-1], dtype=np.uint8)
        places, parts = ranges(end[several], count), ranges(self._first.array[which], count)
        form[places] = self._part_form.array[parts]
        step[places] = self._part_step.array[parts]
        return Tokens(form, step, end[last])

    def _look_up(self, data: bytes, start: Array, end: Array, shouted: Array | None) -> NDArray[np.int32]:
        """The numbers of the chunks; those that are new are analysed."""
        length = end - start
        keys = _keys(data, start, length, shouted)
        long = (length > LONGEST).nonzero()[0]
        for key in keys:
            key[long] = 0
        hashed = _hash(keys)
        found, missing = self._find(keys, hashed)
        if len(long):  # in scripts that do not part words: a sentence, which does not come again
            found[long] = self._learn(data, start, end, shouted, keys, long)
            missing = missing[length[missing] <= LONGEST]
        while len(missing):
            _, some = np.unique(hashed[missing], return_index=True)
            self._file(self._learn(data, start, end, shouted, keys, missing[some]))
            found[missing], left = self._find([key[missing] for key in keys], hashed[missing])
            missing = missing[left]
        return found

    def _find(self, keys: list[Array], hashed: Array) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The numbers of these chunks, and the places of those that are not known."""
        top = np.int64(len(self._slots) - 1)
        known = [key.array for key in self._keys]
        slot = (hashed >> np.uint64(32)).astype(np.int64) & top
        number = self._slots.take(slot)
        same = known[0].take(number) == keys[0]
        goes_on = (keys[0] >> SHORT).nonzero()[0]
        for key, one in zip(keys[1:], known[1:], strict=True):
            same[goes_on] &= one[number[goes_on]] == key[goes_on]
        left = (~same).nonzero()[0]
        missing = [left[:0]]
        while len(left):
            is_free = number[left] == FREE
            missing.append(left[is_free])
            left = left[~is_free]
            slot[left] = slot[left] + 1 & top
            number[left] = here = self._slots[slot[left]]
            same = np.ones(len(left), dtype=bool)
            for key, one in zip(keys, known, strict=True):
                same &= one[here] == key[left]
            left = left[~same]
        return number, np.concatenate(missing)

    def _file(self, number: NDArray[np.int64]) -> None:
        """Give these chunks their slots; all of them, in a larger table, where half of it is taken."""
        if len(self._stands_for) * 2 > len(self._slots):
            size = len(self._slots)
            while len(self._stands_for) * 2 > size:
                size *= 4
            self._slots = np.full(size, FREE, dtype=np.int32)
            number = np.flatnonzero(self._keys[0].array)  # long ones have no key
        number = number[::-1]  # of two that want the same slot the last one has it: let it be the one met first
        slot = (_hash([key.array[number] for key in self._keys]) >> np.uint64(32)).astype(np.int64)
        slot &= len(self._slots) - 1
        while len(number):
            free = self._slots[slot] == FREE
            self._slots[slot[free]] = number[free]
            moved = self._slots[slot] != number
            number, slot = number[moved], slot[moved] + 1 & len(self._slots) - 1

    def _learn(
        self, data: bytes, start: Array, end: Array, shouted: Array | None, keys: list[Array], places: Array
    ) -> NDArray[np.int64]:
        """Analyse the chunks at these places; their numbers."""
        loud = [False] * len(places) if shouted is None else shouted[places].tolist()
        plain_form = analysis.plain_form
        stands_for: list[int] = []
        forms: list[int] = []  # of those of several parts
        steps: list[int] = []
        counts: list[int] = []
        several = SEVERAL + len(self._count)
        for first, last, shouting in zip(start[places].tolist(), end[places].tolist(), loud, strict=True):
            chunk = data[first:last]
            if chunk.isalnum() and last - first <= LONGEST:
                form = chunk.decode() if chunk.islower() else plain_form(chunk.decode(), shouting)
            else:
                parts = [
                    part for raw in analysis.WORD.findall(chunk.decode()) for part in analysis.forms(raw, shouting)
                ]
                if len(parts) != 1:
                    stands_for.append(several + len(counts))
                    counts.append(len(parts))
                    steps += [step for _, step in parts]
                    forms += [self._number(form) for form, _ in parts]
                    continue
                form = parts[0][0]
            stands_for.append(self._number(form))
        count = np.array(counts, dtype=np.int64)
        self._first.extend(len(self._part_form) + count.cumsum() - count)
        self._count.extend(count)
        self._part_form.extend(forms)
        self._part_step.extend(steps)
        self._stands_for.extend(stands_for)
        for known, key in zip(self._keys, keys, strict=True):
            known.extend(key[places])
        return np.arange(len(self._stands_for) - len(places), len(self._stands_for))

    def _number(self, form: str) -> int:
        number = self._form_number.get(form)
        if number is None:
            number = self._form_number[form] = len(self.forms)
            self.forms.append(form)
            stem = analysis.stem(form)
            of = self._stem_number.setdefault(stem, len(self.stems))
            if of == len(self.stems):
                self.stems.append(stem)
            self.stem_of.append(of)
        return number


def _joined(texts: Sequence[str]) -> tuple[bytes, NDArray[np.int64]]:
    """All texts in UTF-8, apart from each other, and where each ends."""
    encoded = list(map(str.encode, texts))  # one by one: most are ASCII, whose bytes are at hand
    ends = np.fromiter(map(len, encoded), np.int64, len(encoded)).cumsum() + np.arange(len(encoded))
    return SEPARATOR.join((*encoded, PADDING)), ends


def _chunks(data: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each chunk starts and ends."""
    codes = np.frombuffer(data, dtype=np.uint8)
    kinds = np.frombuffer(bytearray(bytes((APART,)) + data.translate(_CLASSES)), dtype=np.uint8)
    kind = kinds[1:]
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
    edges = np.flatnonzero(kind != kinds[:-1])
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
    first = at[start] & _MASK.take(length, mode="clip")
    # A capital before a small letter says nothing: `Word` is `word`, while `WORD` may be an acronym.
    first |= _CAPITALISED.take(first.astype(np.uint16))
    keys = [first]
    for skipped in (8, 16):
        key = np.zeros(len(start), dtype=np.uint64)
        longer = np.flatnonzero(length > skipped)
        key[longer] = at[start[longer] + skipped] & _MASK.take(length[longer] - skipped, mode="clip")
        keys.append(key)
    if shouted is not None:
        keys[2][shouted] |= SHOUTING
        keys[0][shouted & (length < 8)] |= SHOUTING_SHORT  # so that the first key of a short one says all
    return keys


def _hash(keys: Sequence[Array]) -> NDArray[np.uint64]:
    mixed = keys[0] * MIX[0] ^ keys[1] * MIX[1] ^ keys[2] * MIX[2]
    mixed ^= mixed >> np.uint64(29)
    hashed: NDArray[np.uint64] = mixed * MIX[0]
    return hashed
