"""Apply the rows of the store to a generation: pieces are moved in, what they replace is deleted, segments are merged.

A row says what an article is now and not how it changed, so rows that are applied again do no harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from search.article import tie_break
from search.engines import Progress
from search.engines.whoosh import arrays, contents
from search.engines.whoosh.codec import Segment
from search.engines.whoosh.contents import table
from search.engines.whoosh.pieces import Piece
from search.engines.whoosh.store import Store
from search.engines.whoosh.workshop import Workshop

MERGE_TOKENS = 20_000_000  # no segment grows beyond this by merging: memory is bounded, whatever the corpus
SMALL = 50_000  # words; segments of fewer are merged with every commit, in some 20 ms
RATIO = 8  # a segment has so many times the words of the next smaller one, or is merged with it


def catch_up(
    generation: Path,
    store: Store,
    workshop: Workshop,
    progress: Progress | None = None,
    until: int | None = None,
    without: Sequence[int] = (),
) -> int:
    """Apply the rows after the generation's own number, all or up to `until`; how many. Hold the writer lock.

    `without`: the rows of these runs are passed over, as together they leave what is there already.
    """
    start, last = contents.applied(generation), store.last() if until is None else until
    at = start
    for ready in workshop.pieces(start, last, without=without):
        at = _take_in(generation, workshop.folder(), ready)
        if progress:
            progress("indexing", at - start, last - start)
    if without and at < last:
        at = last
        contents.commit(generation, table(generation).segments, at)
    if at > start:
        _merge(generation, workshop, at, progress)
        contents.complete(generation, at)
    else:
        contents.finish(generation)
    return at - start


def fill(generation: Path, workshop: Workshop, until: int, progress: Progress | None = None) -> None:
    """Put the newest version of every article, as of row `until`, into an empty generation."""
    for ready in workshop.pieces(0, until, newest=True):
        at = _take_in(generation, workshop.folder(), ready, replaces=False)
        if progress:
            progress("indexing", at, until)
    _merge(generation, workshop, until, progress)
    contents.commit(generation, table(generation).segments, until)


def find(one: arrays.Arrays, ids: Iterable[str]) -> set[int]:
    """The documents of a segment that have these ids, deleted ones too."""
    wanted = list(ids)
    ties = np.array([tie_break(id) for id in wanted], dtype=np.uint64)
    return _find(one, wanted, ties)


def _find(one: arrays.Arrays, wanted: Sequence[str], ties: arrays.Array) -> set[int]:
    by_tie = one["doc.by_tie"]
    texts = arrays.Strings.of(one, "doc.ids")
    left = np.searchsorted(one["doc.tie"], ties, "left", sorter=by_tie)
    right = np.searchsorted(one["doc.tie"], ties, "right", sorter=by_tie)
    return {
        int(by_tie[place])
        for i in np.flatnonzero(left < right).tolist()
        for place in range(left[i], right[i])
        if texts[int(by_tie[place])] == wanted[i]
    }


def _take_in(generation: Path, folder: Path, ready: Sequence[Piece], replaces: bool = True) -> int:
    """Commit these pieces; the number of their last row.

    `replaces`: what segments before have of their articles, and of what is gone, counts no more.
    """
    segments: list[Segment] = list(table(generation).segments)
    opened = [arrays.Arrays(one.file(generation)) for one in segments]
    for piece in ready:
        segment = piece.opened() if piece.segment else None
        new = arrays.Arrays(segment.file(folder)) if segment else None
        if replaces:
            ids = [*(arrays.Strings.of(new, "doc.ids").texts() if new else ()), *piece.gone]
            ties = np.array([tie_break(id) for id in piece.gone], dtype=np.uint64)
            if new:
                ties = np.concatenate((new["doc.tie"], ties))
            for one, content in zip(segments, opened, strict=True):
                one.deleted |= _find(content, ids, ties)
        if segment and new:
            new.path.rename(segment.file(generation))
            segments.append(segment)
            opened.append(new)
    contents.commit(generation, [one for one in segments if one.doc_count()], ready[-1].until)
    return ready[-1].until


def _merge(generation: Path, workshop: Workshop, seq: int, progress: Progress | None = None) -> None:
    """The merges that are due."""
    segments: list[Segment] = list(table(generation).segments)
    merged = 0
    while groups := _due(generation, segments):
        before, merged = merged, merged + sum(map(len, groups))
        if progress:
            progress("merging", before, merged)
        joined = workshop.joined(generation, [[one.segid for one in group] for group in groups])
        for group, piece in zip(groups, joined, strict=True):
            new = piece.opened()
            new.file(workshop.folder()).rename(new.file(generation))
            place = segments.index(group[0])
            segments = [one for one in segments if one not in group]
            segments.insert(place, new)
        contents.commit(generation, segments, seq)
        if progress:
            progress("merging", merged, merged)


def _due(generation: Path, segments: Sequence[Segment]) -> list[list[Segment]]:
    """Groups of segments, each to become one.

    From the smallest on, segments are taken together while the next one has less than RATIO times their words. So
    their number grows with the logarithm of the articles, and an article is rewritten a few times for each step of it.
    What would be larger than MERGE_TOKENS is left: a large archive has one segment for some 50,000 articles. One of
    which half is deleted is rewritten alone.
    """
    tokens = {one: len(arrays.Arrays(one.file(generation)).unchecked("occ.pos")) for one in segments}
    groups: list[list[Segment]] = []
    group: list[Segment] = []
    together = 0
    for one in sorted(segments, key=tokens.__getitem__):
        if group and (tokens[one] >= max(RATIO * together, SMALL) or together + tokens[one] > MERGE_TOKENS):
            groups.append(group)
            group, together = [], 0
        group.append(one)
        together += tokens[one]
    groups.append(group)
    return [
        group for group in groups if len(group) > 1 or any(2 * o.deleted_count() > o.doc_count_all() for o in group)
    ]
