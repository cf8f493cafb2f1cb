"""Snapshot: a generation as it was after one commit, opened whole, shared by all threads, kept while it is used.

Files that a later commit removes stay mapped, so a snapshot answers as long as somebody holds it. Nothing in it moves
when it is read (no cursor, no shared seek), which is why one serves every thread.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search import fields
from search.engines import IndexCorrupt
from search.engines.whoosh import writer
from search.engines.whoosh.arrays import Array, Arrays, Strings
from search.engines.whoosh.codec import Dictionary, Segment
from search.engines.whoosh.segment import FIELD_NAMES, NONE

TRIES = 10  # a commit may remove a file between the table of contents and its opening; then there is a newer table

Mask = NDArray[np.bool_]


class View:
    """One segment, opened."""

    def __init__(self, generation: Path, segment: Segment) -> None:
        self.arrays = Arrays(segment.file(generation))
        self.size = segment.doccount
        self.live = segment.live()
        self.terms = Dictionary(self.arrays)
        self.forms = Strings.of(self.arrays, "words.forms")
        self.ids = Strings.of(self.arrays, "doc.ids")
        if len(self.arrays["doc.seq"]) != self.size:
            raise IndexCorrupt(f"{self.arrays.path} holds {len(self.arrays['doc.seq'])} articles, not {self.size}")

    def values(self, name: str) -> Strings:
        """The values of a filter, sorted."""
        return Strings.of(self.arrays, f"{name}.values")

    def pairs(self, name: str) -> tuple[Array, Array]:
        """Documents and the places of their values in `values`."""
        return self.arrays[f"{name}.doc"], self.arrays[f"{name}.ord"]

    @cached_property
    def has(self) -> dict[str, Mask]:
        """By filter, which documents have a value at all."""
        masks = {}
        for name in fields.FILTERS:
            masks[name] = np.zeros(self.size, dtype=bool)
            masks[name][self.arrays[f"{name}.doc"]] = True
        return masks


@dataclass(frozen=True)
class Visible:
    """What may be shown at one moment, and the statistics of just that: hidden words change no score.

    `masks` by segment; `average` is the mean length of a field over the articles that have it, in tokens.
    `until`: microseconds since 1970, when the next embargo ends.
    """

    masks: tuple[Mask, ...]
    count: int
    average: dict[str, float]
    until: int


class Snapshot:
    """The generation as it is now. `hidden` are the ids taken down."""

    def __init__(self, generation: Path, hidden: frozenset[str]) -> None:
        self.hidden = hidden
        toc = _table_with_files(generation)
        self.generation = generation
        self.views = toc
        self.applied = writer.applied(generation)
        self._taken = [writer.find(view.arrays, hidden) for view in self.views]
        self._visible: Visible | None = None

    def visible(self, now: float | None = None) -> Visible:
        """What may be shown now (seconds since 1970; the clock's time by default)."""
        moment = int((time.time() if now is None else now) * 1_000_000)
        known = self._visible
        if known is None or moment >= known.until or now is not None:
            known = self._look(moment)
            if now is None:
                self._visible = known
        return known

    def _look(self, moment: int) -> Visible:
        masks, until = [], np.iinfo(np.int64).max
        for view, taken in zip(self.views, self._taken, strict=True):
            embargo = view.arrays["doc.embargo"]
            mask = view.live & (embargo <= moment) & (view.arrays["doc.withdrawn"] == 0)
            mask[list(taken)] = False
            masks.append(mask)
            later = embargo[embargo > moment]
            until = min(until, int(later.min())) if len(later) else until
        average = {}
        for name in FIELD_NAMES:
            lengths = [view.arrays[f"len.{name}"][mask] for view, mask in zip(self.views, masks, strict=True)]
            total = sum(int(one.sum(dtype=np.int64)) for one in lengths)
            having = sum(int(np.count_nonzero(one)) for one in lengths)
            average[name] = total / having if having else 1.0
        return Visible(tuple(masks), sum(int(mask.sum()) for mask in masks), average, int(until))

    def find(self, id: str) -> tuple[int, int] | None:
        """Segment and document of the article of this id, hidden or not; None where it is not held."""
        for number, view in enumerate(self.views):
            for doc in writer.find(view.arrays, [id]):
                if view.live[doc]:
                    return number, doc
        return None

    def embargoed(self, segment: int, doc: int) -> bool:
        """Whether the article waits for its time."""
        embargo = int(self.views[segment].arrays["doc.embargo"][doc])
        return embargo != NONE and embargo > time.time() * 1_000_000


def _table_with_files(generation: Path) -> tuple[View, ...]:
    problem: Exception = IndexCorrupt(str(generation))
    for _ in range(TRIES):
        try:
            number = None
            toc = writer.table(generation)
            number = toc.generation
            return tuple(View(generation, one) for one in toc.segments)
        except (OSError, IndexCorrupt) as missing:
            problem = missing
            if number is not None and writer.table(generation).generation == number:
                break  # nobody wrote meanwhile: it is the file that is wrong
            time.sleep(0.01)
    raise problem if isinstance(problem, IndexCorrupt) else IndexCorrupt(f"{generation} cannot be opened: {problem}")
