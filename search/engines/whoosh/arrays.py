"""Named arrays in one file, mapped and not copied: what a segment is made of.

    magic | length and CRC-32 of the directory (uint32) | directory (JSON) | arrays, each at a multiple of 64 bytes

The directory says of each array: type, number of items, offset from the first array, and the CRC-32 of each BLOCK bytes
of it. Little-endian throughout. Sizes and directory are checked when a file is opened, a block when it is first used.
"""

from __future__ import annotations

import json
import mmap
import os
import re
import struct
import weakref
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from search.engines import IndexCorrupt
from search.engines.whoosh.refusals import REMEDY, of_reading

Array = NDArray[Any]
MAGIC = b"BSARRAY2"
HEAD = struct.Struct("<II")
STEP = 64  # texts from one landmark to the next
ALIGN = 64  # a cache line
BLOCK = 2**16  # bytes that are checked at once: 45 microseconds, when a word is asked for whose postings lie there
TYPE = re.compile(r"[<|][iuf][1248]")


def write(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write the arrays and fsync the file. Raises OSError."""
    directory: dict[str, tuple[str, int, int, list[int]]] = {}
    offset = 0
    for name, array in arrays.items():
        little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        directory[name] = (little.dtype.str, len(array), offset, _checks(little))
        offset += _padded(array.nbytes)
    head = json.dumps(directory, separators=(",", ":")).encode()
    with path.open("wb") as file:
        file.write(MAGIC + HEAD.pack(len(head), zlib.crc32(head)) + head)
        for name, array in arrays.items():
            file.write(b"\0" * (-file.tell() % ALIGN))
            file.write(np.ascontiguousarray(array, dtype=directory[name][0]).data)
        file.flush()
        os.fsync(file.fileno())


class Arrays(Mapping[str, Array]):
    """The arrays of a file, read-only, by name. They keep the file mapped for as long as one of them lives.

    An array is checked when it is asked for; `unchecked` gives it as it lies there, and its `blocks` check parts of it.
    """

    def __init__(self, path: Path) -> None:
        """Map the file. Raises IndexCorrupt for a file that is not what `write` wrote, as sizes and directory tell."""
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                self._file = os.dup(file.fileno())
        except ValueError:
            raise IndexCorrupt(f"{path} is empty: {REMEDY}") from None
        except OSError as problem:
            raise of_reading(path, problem) from None
        weakref.finalize(self, os.close, self._file)
        self.path = path
        self._arrays: dict[str, Array] = {}
        self._blocks: dict[str, Blocks] = {}
        self._whole: set[str] = set()  # arrays of which every block was found right
        try:
            end = self._open()
            if end != len(self._map):
                raise ValueError(f"it has {len(self._map)} bytes, not {end}")
        except (ValueError, TypeError, KeyError, AttributeError, struct.error) as problem:
            raise IndexCorrupt(f"{path} is damaged ({problem}): {REMEDY}") from None

    def _open(self) -> int:
        """Read the directory; where the last array ends."""
        if self._map[: len(MAGIC)] != MAGIC:
            raise ValueError("it does not begin as a segment does")
        length, check = HEAD.unpack_from(self._map, len(MAGIC))
        start = len(MAGIC) + HEAD.size
        head = self._map[start : start + length]
        if zlib.crc32(head) != check:
            raise ValueError("its directory is not as it was written")
        base = end = start + length
        base += -base % ALIGN
        for name, (dtype, count, offset, checks) in json.loads(head).items():
            if not TYPE.fullmatch(dtype):  # `>i8` is one bit from `<i8`, and numpy takes `,i8` for a program
                raise ValueError(f"{name!r} is of no type that is written")
            self._arrays[name] = array = (
                np.frombuffer(self._map, dtype=dtype, count=count, offset=base + offset)
                if count
                else np.empty(0, dtype=dtype)
            )
            self._blocks[name] = Blocks(self, name, base + offset, array, checks)
            end = base + int(offset) + array.nbytes
        return int(end)

    def __getitem__(self, name: str) -> Array:
        if name not in self._whole:
            self._blocks[name].check(0, len(self._arrays[name]))
            self._whole.add(name)
        return self._arrays[name]

    def __iter__(self) -> Any:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def unchecked(self, name: str) -> Array:
        """The array as it lies there."""
        return self._arrays[name]

    def blocks(self, name: str) -> Blocks:
        """What checks parts of the array."""
        return self._blocks[name]

    def damaged(self) -> list[str]:
        """Read everything; the names of the arrays whose bytes are not those written."""
        return [name for name, blocks in self._blocks.items() if not blocks.are_whole()]

    def read(self, start: int, size: int) -> bytes:
        """Bytes of the file as the disk has them: where it fails, a mapped page would end the process."""
        try:
            return os.pread(self._file, size, start)
        except OSError as problem:
            raise of_reading(self.path, problem) from problem


class Blocks:
    """The checksums of an array, and which blocks of it were not looked at yet."""

    def __init__(self, arrays: Arrays, name: str, start: int, array: Array, checks: Sequence[int]) -> None:
        self._arrays = weakref.proxy(arrays)
        self._name, self._start, self._end = name, start, start + array.nbytes
        self._item = array.itemsize
        self._checks = checks
        self._unseen = bytearray(b"\1") * len(checks)
        if len(checks) != -(-array.nbytes // BLOCK):
            raise ValueError(f"{name!r} has {len(checks)} checksums")

    def check(self, start: int, end: int) -> None:
        """Check the items from `start` to before `end`, as far as nobody has. Raises IndexCorrupt."""
        first, last = start * self._item // BLOCK, -(-end * self._item // BLOCK)
        while (number := self._unseen.find(1, first, last)) >= 0:
            self._look(number)

    def check_each(self, starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> None:
        """Check so many items from each of these, which are not all side by side."""
        if 1 in self._unseen:
            first, ends = starts * self._item // BLOCK, (starts + sizes) * self._item
            for number in np.unique(ranges(first, -(-ends // BLOCK) - first)).tolist():
                self._look(number)

    def are_whole(self) -> bool:
        """Read all of them again."""
        return all(map(self._is_whole, range(len(self._checks))))

    def _look(self, number: int) -> None:
        if self._unseen[number] and not self._is_whole(number):
            raise IndexCorrupt(f"{self._arrays.path} is damaged ({self._name}, block {number}): {REMEDY}")
        self._unseen[number] = 0

    def _is_whole(self, number: int) -> bool:
        start = self._start + number * BLOCK
        size = min(BLOCK, self._end - start)
        data = self._arrays.read(start, size)
        return len(data) == size and zlib.crc32(data) == self._checks[number]


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


def _checks(array: Array) -> list[int]:
    """The CRC-32 of each block."""
    data = array.data.cast("B") if len(array) else memoryview(b"")
    return [zlib.crc32(data[start : start + BLOCK]) for start in range(0, array.nbytes, BLOCK)]


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
