"""Snapshot: a generation as it was after one commit, opened whole, shared by all threads, kept while it is used.

Files that a later commit removes stay mapped, so a snapshot answers as long as somebody holds it. Nothing in it moves
when it is read (no cursor, no shared seek), which is why one serves every thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from math import log
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search import dates, fields
from search.engines import IndexCorrupt
from search.engines.whoosh import clock, contents, refusals, writer
from search.engines.whoosh.arrays import Array, Arrays, Strings
from search.engines.whoosh.codec import Segment
from search.engines.whoosh.instants import DAY, NONE, micros
from search.engines.whoosh.lexicon import Lexicon
from search.engines.whoosh.postings import FIELD_NAMES, FIELDS, Postings
from search.engines.whoosh.words import Words

TRIES = 10  # a commit may remove a file between the table of contents and its opening; then there is a newer table


LONG = 65_535  # words of a field: what is longer is computed, not looked up

Mask = NDArray[np.bool_]


class View:
    """One segment, opened."""

    def __init__(self, generation: Path, segment: Segment) -> None:
        self.arrays = Arrays(segment.file(generation))
        self.size = segment.doccount
        self.live = segment.live()
        self.words = Words(self.arrays)
        self.postings = Postings(self.arrays)
        self.lengths = [self.arrays[f"len.{name}"] for name in FIELD_NAMES]
        self.ids = Strings.of(self.arrays, "doc.ids")
        self._values: dict[str, Strings] = {}
        self._texts: dict[str, list[str]] = {}
        self._lexicons: dict[str, Lexicon] = {}
        self._ordinals: dict[str, Array | None] = {}
        self._months: dict[tzinfo, Months] = {}
        if len(self.arrays["doc.seq"]) != self.size:
            raise IndexCorrupt(f"{self.arrays.path} holds {len(self.arrays['doc.seq'])} articles, not {self.size}")

    def again(self, segment: Segment) -> View:
        """The same segment after a commit: its file never changes, only what is deleted of it."""
        view = copy(self)
        view.live = segment.live()
        return view

    def terms(self, stem: str) -> list[tuple[int, int]]:
        """The fields with a weight that hold the stem, by number, and the term in each."""
        number = self.words.stem(stem)
        if number is None:
            return []
        return [(field, term) for field, term in self.postings.terms_of(number) if fields.SEARCHED[field].weight]

    def values(self, name: str) -> Strings:
        """The values of a filter, sorted."""
        if name not in self._values:
            self._values[name] = Strings.of(self.arrays, f"{name}.values")
        return self._values[name]

    def texts(self, name: str, places: Array) -> list[str]:
        """The values at these places of `values`."""
        if name not in self._texts:
            self._texts[name] = self.values(name).texts()
        return list(map(self._texts[name].__getitem__, places.tolist()))

    def lexicon(self, name: str) -> Lexicon:
        """The words of the values of a filter."""
        if name not in self._lexicons:
            self._lexicons[name] = Lexicon(self.values(name).texts())
        return self._lexicons[name]

    def pairs(self, name: str) -> tuple[Array, Array]:
        """Documents and the places of their values in `values`."""
        return self.arrays[f"{name}.doc"], self.arrays[f"{name}.ord"]

    def ordinals(self, name: str) -> Array | None:
        """By document the place of its value in `values`, and their number where it has none; None if one has two."""
        if name not in self._ordinals:
            docs, ordinal = self.pairs(name)
            none = len(self.arrays[f"{name}.values.ends"])
            dense = np.full(self.size, none, dtype=np.min_scalar_type(none))
            dense[docs] = ordinal
            self._ordinals[name] = dense if len(docs) == np.count_nonzero(dense < none) else None
        return self._ordinals[name]

    def has(self, name: str) -> Mask:
        """Which documents have a value of the filter at all."""
        mask = np.zeros(self.size, dtype=bool)
        mask[self.pairs(name)[0]] = True
        return mask

    def published(self, start: datetime | None, until: datetime | None, docs: NDArray[np.int64]) -> Mask:
        """Which of these documents are dated from the one instant on and before the other."""
        published = self.arrays["doc.published"].take(docs)
        mask: Mask = published != NONE
        if start:
            mask &= published >= micros(start)
        if until:
            mask &= published < micros(until)
        return mask

    def months(self, timezone: tzinfo) -> Months:
        """By document the month it was published in, by the calendar of the zone."""
        if timezone not in self._months:
            self._months[timezone] = Months(self.arrays["doc.published"], timezone)
        return self._months[timezone]


class Months:
    """The months of instants: `ordinal` says which of `names` each is in, and is their number for no date."""

    def __init__(self, published: NDArray[np.int64], timezone: tzinfo) -> None:
        dated = published != NONE
        # In UTC first; by the calendar of another zone it may be the month before or after.
        utc = np.unique(published[dated].astype("M8[us]").astype("M8[M]").astype(np.int64))
        near = np.unique(np.concatenate((utc - 1, utc, utc + 1)))
        near = near[(near >= _FIRST_MONTH) & (near <= _LAST_MONTH)]
        names = [f"{1970 + month // 12:04}-{month % 12 + 1:02}" for month in near.tolist()]
        starts = np.array([micros(dates.span(name, timezone).start) for name in names], dtype=np.int64)
        place = np.maximum(starts.searchsorted(published, side="right") - 1, 0)
        used = np.unique(place[dated])
        self.names = [names[i] for i in used.tolist()]
        first = {name[:4]: i for i, name in reversed(list(enumerate(self.names)))}
        self._years, self._begins = sorted(first), sorted(first.values())
        self.ordinal = np.where(dated, used.searchsorted(place), len(used)).astype(np.min_scalar_type(len(used)))

    def grouped(self, interval: str, counts: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int64]]:
        """Counts by month as those of months or of years, and the names of these."""
        if interval == "month" or not self.names:
            return self.names, counts
        return self._years, np.add.reduceat(counts, self._begins)


_FIRST_MONTH, _LAST_MONTH = (1 - 1970) * 12, (9999 - 1970) * 12 + 11


@dataclass(frozen=True)
class Visible:
    """What may be shown at one moment, and the statistics of just that: hidden words change no score.

    `masks` by segment; by field `average`, the mean length over the articles that have it, and `longest`, in tokens.
    `since`, `until`: microseconds since 1970, when the last embargo ended and when the next one ends.
    """

    masks: tuple[Mask, ...]
    count: int
    average: tuple[float, ...]
    longest: tuple[int, ...]
    since: int
    until: int
    newest: int  # when the newest article was published, microseconds since 1970
    fresh: tuple[float, ...]  # the share of all dated articles that is of the last `fields.FRESH_DAYS`
    idfs: dict[str, float] = field(default_factory=dict)  # by stem, of those that were asked about
    _factors: dict[int, NDArray[np.float64]] = field(default_factory=dict)

    def idf(self, df: int) -> float:
        """How much is said by what so many articles hold."""
        return log(1 + (self.count - df + 0.5) / (df + 0.5))

    def factors(self, number: int, lengths: Array) -> NDArray[np.float64]:
        """What a frequency in fields of these lengths is multiplied by: weight / (1 - b + b * length / mean)."""
        if number not in self._factors:
            self._factors[number] = self._factor(number, np.arange(min(self.longest[number], LONG) + 1))
        factors = self._factors[number].take(lengths, mode="clip")
        if self.longest[number] > LONG and len(beyond := (lengths > LONG).nonzero()[0]):
            factors[beyond] = self._factor(number, lengths[beyond])
        return factors

    def _factor(self, number: int, lengths: Array) -> NDArray[np.float64]:
        field = fields.SEARCHED[number]
        factor: NDArray[np.float64] = (field.weight or 1.0) / (1 - field.b + field.b * (lengths / self.average[number]))
        return factor


class Snapshot:
    """The generation as it is now.

    Hidden are the ids `taken` down, and those `withheld` by rows after the one that the generation is at, where readers
    have seen these in another. What `before` has open is not opened again.
    """

    def __init__(
        self,
        generation: Path,
        taken: frozenset[str] = frozenset(),
        withheld: Callable[[int], frozenset[str]] = lambda _: frozenset(),
        before: Snapshot | None = None,
    ) -> None:
        self.taken = taken
        self.generation = generation
        known = {view.arrays.path: view for view in before.views} if before else {}
        self.views: tuple[View, ...]
        self.views, self.applied = _opened(generation, known)
        self.withheld = withheld(self.applied)
        self._hidden = [writer.find(view.arrays, taken | self.withheld) for view in self.views]
        self._visible: Visible | None = None

    def visible(self, now: float | None = None) -> Visible:
        """What may be shown now (seconds since 1970)."""
        moment = int((clock.now() if now is None else now) * 1_000_000)
        known = self._visible
        if known is None or not known.since <= moment < known.until or now is not None:
            known = self._look(moment)
            if now is None:
                self._visible = known
        return known

    def _look(self, moment: int) -> Visible:
        masks, since, until = [], int(NONE), np.iinfo(np.int64).max
        for view, hidden in zip(self.views, self._hidden, strict=True):
            embargo = view.arrays["doc.embargo"]
            mask = view.live & (embargo <= moment) & (view.arrays["doc.withdrawn"] == 0)
            mask[list(hidden)] = False
            masks.append(mask)
            since = max(since, int(embargo.max(where=embargo <= moment, initial=NONE)))
            later = embargo[embargo > moment]
            until = min(until, int(later.min())) if len(later) else until
        average, longest = [], []
        for number in range(FIELDS):
            shown = [view.lengths[number][mask] for view, mask in zip(self.views, masks, strict=True)]
            total = sum(int(one.sum(dtype=np.int64)) for one in shown)
            having = sum(int(np.count_nonzero(one)) for one in shown)
            average.append(total / having if having else 1.0)
            longest.append(max((int(view.lengths[number].max(initial=0)) for view in self.views), default=0))
        count = sum(int(np.count_nonzero(mask)) for mask in masks)
        published = [view.arrays["doc.published"][mask] for view, mask in zip(self.views, masks, strict=True)]
        newest, fresh = _freshness(np.concatenate([np.empty(0, np.int64), *published]), moment)
        return Visible(tuple(masks), count, tuple(average), tuple(longest), since, int(until), newest, fresh)

    def find(self, id: str) -> tuple[int, int] | None:
        """Segment and document of the article of this id, hidden or not; None where it is not held."""
        for number, view in enumerate(self.views):
            for doc in writer.find(view.arrays, [id]):
                if view.live[doc]:
                    return number, doc
        return None

    def seq(self, segment: int, doc: int) -> int:
        """Its version in the store."""
        return int(self.views[segment].arrays["doc.seq"][doc])

    def embargoed(self, segment: int, doc: int) -> bool:
        """Whether the article waits for its time."""
        embargo = int(self.views[segment].arrays["doc.embargo"][doc])
        return embargo != NONE and embargo > clock.now() * 1_000_000


def _freshness(published: NDArray[np.int64], moment: int) -> tuple[int, tuple[float, ...]]:
    """The newest date that has come, and the shares of what is of the last `fields.FRESH_DAYS` before it."""
    come = published[(published != NONE) & (published <= moment)]
    if not len(come):
        return int(NONE), (0.0,) * len(fields.FRESH_DAYS)
    newest = int(come.max())
    return newest, tuple(np.count_nonzero(come >= newest - days * DAY) / len(come) for days in fields.FRESH_DAYS)


def _opened(generation: Path, known: Mapping[Path, View]) -> tuple[tuple[View, ...], int]:
    """Every segment that the table of contents names, and the row up to which they hold the store's."""
    problem: Exception = IndexCorrupt(str(generation))
    for _ in range(TRIES):
        try:
            number = None
            toc = contents.table(generation)
            number = toc.generation
            views = [
                known[path].again(one) if (path := one.file(generation)) in known else View(generation, one)
                for one in toc.segments
            ]
            return tuple(views), contents.applied(generation, toc)
        except (OSError, IndexCorrupt) as missing:
            problem = missing
            if number is not None and contents.table(generation).generation == number:
                break  # nobody wrote meanwhile: it is the file that is wrong
            time.sleep(0.01)
    if isinstance(problem, OSError):
        raise refusals.of_reading(generation, problem)
    raise problem
