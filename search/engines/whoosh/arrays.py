"""Named arrays in one file, mapped and not copied: what a segment is made of.

    magic | length of the directory (uint32) | directory (JSON) | arrays, each at a multiple of 64 bytes

The directory says of each array: type, number of items, offset from the first array, CRC-32. Little-endian throughout.
"""

from __future__ import annotations

import json
import mmap
import os
import re
import struct
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from search.engines import IndexCorrupt

Array = NDArray[Any]
MAGIC = b"BSARRAY1"
REMEDY = "`broadsheet reindex` makes a new index from the articles, which are kept apart"
STEP = 64  # texts from one landmark to the next
ALIGN = 64  # a cache line
TYPE = re.compile(r"[<|][iuf][1248]")


def write(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write the arrays and fsync the file. Raises OSError."""
    directory: dict[str, tuple[str, int, int, int]] = {}
    offset = 0
    for name, array in arrays.items():
        little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        directory[name] = (little.dtype.str, len(array), offset, zlib.crc32(little.data))
        offset += _padded(array.nbytes)
    head = json.dumps(directory, separators=(",", ":")).encode()
    with path.open("wb") as file:
        file.write(MAGIC + struct.pack("<I", len(head)) + head)
        for name, array in arrays.items():
            file.write(b"\0" * (-file.tell() % ALIGN))
            file.write(np.ascontiguousarray(array, dtype=directory[name][0]).data)
        file.flush()
        os.fsync(file.fileno())


class Arrays(Mapping[str, Array]):
    """The arrays of a file, read-only, by name. They keep the file mapped for as long as one of them lives."""

    def __init__(self, path: Path) -> None:
        """Map the file. Raises IndexCorrupt for a file that is not what `write` wrote, as far as its sizes tell."""
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (FileNotFoundError, ValueError) as problem:
            state = "not there" if isinstance(problem, OSError) else "empty"
            raise IndexCorrupt(f"{path} is {state}: {REMEDY}") from None
        self.path = path
        try:
            if self._map[: len(MAGIC)] != MAGIC:
                raise ValueError("it does not begin as a segment does")
            (length,) = struct.unpack_from("<I", self._map, len(MAGIC))
            start = len(MAGIC) + 4
            directory = json.loads(self._map[start : start + length])
            base = start + length
            self._arrays: dict[str, Array] = {}
            self._checks: dict[str, int] = {}
            base += -base % ALIGN
            for name, (dtype, count, offset, check) in directory.items():
                if not TYPE.fullmatch(dtype):  # `>i8` is one bit from `<i8`, and numpy takes `,i8` for a program
                    raise ValueError(f"{name!r} is of no type that is written")
                self._arrays[name] = (
                    np.frombuffer(self._map, dtype=dtype, count=count, offset=base + offset)
                    if count
                    else np.empty(0, dtype=dtype)
                )
                self._checks[name] = check
        except (ValueError, TypeError, KeyError, AttributeError, struct.error) as problem:
            raise IndexCorrupt(f"{path} is damaged ({problem}): {REMEDY}") from None

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __iter__(self) -> Any:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def damaged(self) -> list[str]:
        """Read everything; the names of the arrays whose bytes are not those written."""
        return [name for name, array in self._arrays.items() if zlib.crc32(array.tobytes()) != self._checks[name]]


class Strings(Sequence[str]):
    """Texts one after another in a blob; text i ends before byte `ends[i]`. A slice is not offered."""

    def __init__(self, blob: Array, ends: Array) -> None:
        self._blob: memoryview = blob.data  # an item of an array is an object of numpy's, which takes ten times as long
        self._ends: memoryview = ends.data

    @classmethod
    def of(cls, arrays: Mapping[str, Array], name: str) -> Strings:
        """The texts that `pack` put under this name."""
        return cls(arrays[f"{name}.blob"], arrays[f"{name}.ends"])

    @staticmethod
    def pack(name: str, texts: Iterable[str]) -> dict[str, Array]:
        """The texts as arrays, to be written."""
        kept = texts if isinstance(texts, list) else list(texts)
        blob = np.frombuffer("".join(kept).encode("utf-8", "replace"), dtype=np.uint8)
        ends = np.fromiter(map(len, kept), np.int64, len(kept)).cumsum()
        if len(kept) and ends[-1] < len(blob):  # from characters to bytes
            ends = np.append(_characters(blob).nonzero()[0], len(blob))[ends]
        return {f"{name}.blob": blob, f"{name}.ends": narrow(ends)}

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        index %= len(self)
        return str(self._blob[self._ends[index - 1] if index else 0 : self._ends[index]], "utf-8")

    def texts(self) -> list[str]:
        """All of them at once, which is much faster."""
        blob = np.frombuffer(self._blob, np.uint8)
        if not len(self) or not blob.all():
            return self.run(0, len(self))
        parted = np.zeros(len(blob) + len(self), np.uint8)  # a zero byte after each, which no text has
        apart = np.frombuffer(self._ends, self._ends.format).astype(np.int64) + np.arange(len(self))
        within = np.ones(len(parted), dtype=bool)
        within[apart] = False
        parted[within] = blob
        return parted[:-1].tobytes().decode().split("\0")

    def run(self, first: int, last: int) -> list[str]:
        """Those from `first` to before `last`, at once."""
        base = self._ends[first - 1] if first else 0
        ends = self._ends[first:last].tolist()
        blob = self._blob[base : ends[-1] if ends else base].tobytes()
        text = blob.decode()
        if len(text) < len(blob):  # from bytes to characters
            characters = np.append(0, _characters(np.frombuffer(blob, np.uint8)).cumsum())
            base, ends = 0, characters[np.array(ends) - base].tolist()
        return [text[start - base : end - base] for start, end in zip([base, *ends], ends, strict=False)]

    def index_of(self, text: str) -> int | None:
        """Where the text stands, in texts that are sorted."""
        step = bisect_left(self._landmarks, text)
        place = bisect_left(self, text, max(0, (step - 1) * STEP), min(len(self), step * STEP))
        return place if place < len(self) and self[place] == text else None

    @cached_property
    def _landmarks(self) -> list[str]:
        """One text in so many, at hand: most of a search is done among them."""
        return [self[i] for i in range(0, len(self), STEP)]


class Growing:
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


def _characters(blob: Array) -> NDArray[np.bool_]:
    """Where a character of UTF-8 begins: at all bytes but those that go on with one."""
    begins: NDArray[np.bool_] = blob & 0xC0 != 0x80
    return begins


def narrow(array: Array) -> Array:
    """The same whole numbers, none negative, in the smallest unsigned type that holds them."""
    top = int(array.max()) if len(array) else 0
    return array.astype(np.min_scalar_type(top), copy=False)


def ranges(starts: Array, lengths: Array) -> NDArray[np.int64]:
    """start, start + 1, .. of each range, one range after another: `ranges([5, 9], [2, 3])` is 5 6 9 10 11."""
    lengths = lengths.astype(np.int64)
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(starts.astype(np.int64) - (ends - lengths), lengths) + np.arange(total, dtype=np.int64)


def places_of(wanted: NDArray[np.int64], among: Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Where these whole numbers stand among ascending ones (anywhere, where they do not), and which of them do."""
    if not len(among):
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), dtype=bool)
    if among.dtype.kind == "u":  # in the type of the many: else numpy would make all of them 64 bits
        top = (1 << 8 * among.itemsize) - 1
        place = among.searchsorted(np.minimum(wanted, top).astype(among.dtype))
    else:
        place = among.searchsorted(wanted)
    return place, among.take(place, mode="clip") == wanted


def _padded(size: int) -> int:
    return size + -size % ALIGN
