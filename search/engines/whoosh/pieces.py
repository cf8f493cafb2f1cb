"""Rows of the store -> pieces of an index: segments that lie ready, and what they replace in the segments before.

A piece is made without a lock, in a folder of its own, and belongs to no generation: whoever holds the writer lock
moves it into one. It says what the articles of its rows are after the last of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from whoosh.index import _DEF_INDEX_NAME as NAME

from search.engines.whoosh import arrays, contents, merge
from search.engines.whoosh.codec import Segment
from search.engines.whoosh.segment import Batch
from search.engines.whoosh.store import Row, Store
from search.engines.whoosh.tokenise import Tokeniser

FLUSH_CHARACTERS = 18_000_000  # gathered before a segment is written: 3 million words, 7,000 articles of a newspaper
READ_ROWS = 500


@dataclass(frozen=True, slots=True)
class Piece:
    """The rows after `after` up to `until`. `segment` is its id, "" where all that the rows do is delete."""

    after: int
    until: int
    segment: str = ""
    docs: int = 0
    dead: tuple[int, ...] = ()  # documents that a later row of the piece replaced
    gone: tuple[str, ...] = ()  # ids that were deleted

    def opened(self) -> Segment:
        """As the table of contents names it."""
        one = Segment(NAME, self.docs)
        one.segid = self.segment
        one.deleted = set(self.dead)
        return one


def gather(
    store: Store,
    into: Path,
    after: int,
    until: int,
    tokeniser: Tokeniser,
    newest: bool = False,
    without: Sequence[int] = (),
) -> Iterator[Piece]:
    """The pieces of these rows, each when its segment is written; `newest`: without the rows that a later one replaced.

    `without`: nor those of these runs. The last one ends with the last row that there is, at `until` or before.
    """
    gathering = _Gathering(after, tokeniser)
    seq = after

    def read(seq: int) -> list[Row]:
        if newest:
            return store.newest_after(seq, READ_ROWS, until)
        return store.rows_after(seq, READ_ROWS, until, without)

    while rows := read(seq):
        for row in rows:
            gathering.apply(row)
        seq = rows[-1].seq
        if gathering.full:
            yield gathering.write(into, seq)
            gathering = _Gathering(seq, tokeniser)
    if seq > gathering.after:
        yield gathering.write(into, seq)


def join(generation: Path, into: Path, segments: Sequence[str]) -> Piece:
    """One segment of several of a generation, without what is deleted. Hold the writer lock."""
    chosen = [one for one in contents.table(generation).segments if one.segid in segments]
    opened = [arrays.Arrays(one.file(generation)) for one in chosen]
    return _write(into, merge.merge(opened, [one.live() for one in chosen]), Piece(0, 0))


class _Gathering:
    """A piece in the making."""

    def __init__(self, after: int, tokeniser: Tokeniser) -> None:
        self.after = after
        self._batch = Batch(tokeniser)
        self._place: dict[str, int] = {}  # id -> document of the batch
        self._dead: list[int] = []
        self._gone: dict[str, None] = {}

    @property
    def full(self) -> bool:
        return self._batch.characters >= FLUSH_CHARACTERS

    def apply(self, row: Row) -> None:
        before = self._place.pop(row.id, None)
        if before is not None:
            self._dead.append(before)
        if row.article is None:
            self._gone[row.id] = None
        else:
            self._place[row.id] = len(self._batch)
            self._batch.add(row.seq, row.article)

    def write(self, into: Path, until: int) -> Piece:
        piece = Piece(self.after, until, dead=tuple(self._dead), gone=tuple(self._gone))
        return _write(into, self._batch.arrays(), piece) if len(self._batch) else piece


def _write(into: Path, content: dict[str, arrays.Array], piece: Piece) -> Piece:
    docs = len(content["doc.seq"])
    new = Segment(NAME, docs)
    arrays.write(new.file(into), content)
    return replace(piece, segment=new.segid, docs=docs)
