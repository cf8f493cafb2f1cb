"""Pack lines small: zstd frames, most of them with a dictionary of what the articles of a store have in common.

A frame names its dictionary and ends with a checksum of its line: damage is found when it is opened, whatever is hit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import zstandard
from zstandard import ZstdCompressionDict, ZstdCompressor, ZstdDecompressor, ZstdError

LEVEL = 3  # 46,000 news articles of 2.6 KB: .50 of the line, with a dictionary .37 in 20 us; level 6 takes thrice that
SIZE = 110 * 1024  # bytes of a dictionary; half of it packs 1% worse
SAMPLES = 2000  # lines a dictionary is learnt from, in 0.1 s; twice as many pack 0.5% better
SAMPLE = 16 * 1024  # bytes of each
PLAIN = 0  # the number of no dictionary
FIRST = 2**15  # the least number of a dictionary of one's own: RFC 8878, 3.1.1.1.3
LONGEST = 2**28  # bytes of a line, eight times what the readers take: damage must not ask for all memory


class Frames:
    """Packs lines and opens frames, for one thread at a time."""

    def __init__(self, load: Callable[[int], bytes | None]) -> None:
        """`load` gives the dictionary of a number as `learn` made it, when it is needed first."""
        self._load = load
        self._packers: dict[int, ZstdCompressor] = {}
        self._openers: dict[int, ZstdDecompressor] = {}

    def pack(self, line: bytes, number: int = PLAIN) -> bytes:
        """The frame of a line, with the dictionary of this number.

        Raises:
            ValueError: that dictionary is missing or damaged.
        """
        packer = self._packers.get(number)
        if packer is None:
            packer = self._packers[number] = ZstdCompressor(LEVEL, self._dictionary(number), write_checksum=True)
        return packer.compress(line)

    def open(self, frame: bytes) -> bytes:
        """The line of a frame.

        Raises:
            ValueError: the frame or its dictionary is damaged.
        """
        try:
            about = zstandard.get_frame_parameters(frame)
            if about.content_size > LONGEST:
                raise ValueError("it is longer than any article")
            opener = self._openers.get(about.dict_id)
            if opener is None:
                opener = self._openers[about.dict_id] = ZstdDecompressor(self._dictionary(about.dict_id))
            return opener.decompress(frame, allow_extra_data=False)
        except (ZstdError, TypeError) as problem:
            raise ValueError(str(problem)) from problem

    def _dictionary(self, number: int) -> ZstdCompressionDict | None:
        if number == PLAIN:
            return None
        packed = self._load(number)
        if packed is None:
            raise ValueError(f"its dictionary {number} is missing")
        try:
            dictionary = ZstdCompressionDict(self.open(packed), zstandard.DICT_TYPE_FULLDICT)
        except ValueError as problem:
            raise ValueError(f"its dictionary {number}: {problem}") from problem
        if dictionary.dict_id() != number:
            raise ValueError(f"its dictionary {number} is another")
        return dictionary


def learn(number: int, lines: Sequence[bytes]) -> bytes | None:
    """The dictionary of what these lines have in common, packed; None where they are too short for one."""
    samples: list[bytes | bytearray | memoryview] = list(lines)
    try:
        learnt = zstandard.train_dictionary(SIZE, samples, k=400, d=8, dict_id=number, level=LEVEL)
    except ZstdError:
        return None
    return ZstdCompressor(LEVEL, write_checksum=True).compress(learnt.as_bytes())
