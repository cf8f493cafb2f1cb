"""Filters as masks over documents, and the counts of what they leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import cache, lru_cache, reduce
from operator import and_

import numpy as np
from numpy.typing import NDArray

from search import dates, fields
from search.engines import Count, DateFacet, Facet, Period
from search.engines.whoosh.instants import EPOCH, NONE, micros
from search.engines.whoosh.snapshot import Mask, Snapshot, View
from search.query import Filters, Query

DATE = "date"
MOST_DAYS, MOST_MONTHS = 31, 60  # a facet has so many periods at most, before it takes the next coarser one
INTERVALS = ("day", "month", "year")
INSIDE = {"year": "month", "month": "day"}
WIDTH = {"year": 4, "month": 7, "day": 10}  # of the name of a period: 2025-08-06

Docs = NDArray[np.int64]  # numbers of documents, ascending


class Filtered:
    """The documents that match, under the filters, for the page and for each facet."""

    def __init__(self, query: Query, snapshot: Snapshot, matching: Sequence[Mask]) -> None:
        self._query = query
        self._views = snapshot.views
        self._matching = [mask.nonzero()[0] for mask in matching]
        self._kept: dict[str, list[Mask]] = {}  # by filter which of those
        for name in chosen(query.filters):
            views = zip(snapshot.views, self._matching, strict=True)
            self._kept[name] = [keeping(query.filters, name, view, docs) for view, docs in views]
        self.docs = self._all_but(None)

    def facet(self, name: str) -> Facet | DateFacet:
        """Counts that ignore the facet's own filter."""
        docs = self._all_but(name) if name in self._kept else self.docs
        return self._dates(docs) if name == DATE else self._values(name, docs)

    def _all_but(self, left_out: str | None) -> list[Docs]:
        others = [kept for name, kept in self._kept.items() if name != left_out]
        if not others:
            return self._matching
        by_segment = zip(self._matching, *others, strict=True)
        return [docs[reduce(and_, kept)] for docs, *kept in by_segment]

    def _values(self, name: str, docs: Sequence[Docs]) -> Facet:
        counts: dict[str, int] = {}
        missing = 0
        for view, found in zip(self._views, docs, strict=True):
            by_value, without = count_values(view, name, found)
            missing += without
            places = by_value.nonzero()[0]
            for value, count in zip(view.texts(name, places), by_value[places].tolist(), strict=True):
                counts[value] = counts.get(value, 0) + count
        selected = dict.fromkeys(getattr(self._query.filters, name))
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        listed = ranked[: fields.FACET_SIZE]
        if selected:
            shown = {value for value, _ in listed}
            listed += [(value, counts.get(value, 0)) for value in selected if value not in shown]
        return Facet(
            values=tuple([Count(value, count, value in selected) for value, count in listed]),
            other=sum(counts.values()) - sum([count for _, count in listed]),
            missing=missing,
        )

    def _dates(self, docs: Sequence[Docs]) -> DateFacet:
        span, timezone = (self._query.filters.from_date, self._query.filters.until), self._query.timezone
        by_month = [
            np.bincount(view.months(timezone).ordinal.take(found), minlength=len(view.months(timezone).names) + 1)
            for view, found in zip(self._views, docs, strict=True)
        ]

        @cache
        def counts(interval: str) -> dict[str, int]:
            """By name of the month or the year, of those that hold an article."""
            named: dict[str, int] = {}
            for view, counted in zip(self._views, by_month, strict=True):
                names, held = view.months(timezone).grouped(interval, counted[:-1])
                for place in held.nonzero()[0].tolist():
                    named[names[place]] = named.get(names[place], 0) + int(held[place])
            return named

        def dated() -> NDArray[np.int64]:
            found = [view.arrays["doc.published"][of_view] for view, of_view in zip(self._views, docs, strict=True)]
            together = np.concatenate(found or [np.empty(0, np.int64)])
            return np.sort(together[together != NONE])

        spans = [_fitting(years, counts, dated)] if (years := counts("year")) else []
        if one := _one_period(span, timezone):
            spans.append(one)  # never finer than what was chosen, which is to be listed whatever it holds
        interval = max(spans, key=INTERVALS.index, default="month")
        facet = _Periods(counts, dated, span, timezone).facet(interval)
        return DateFacet(facet.interval, facet.values, missing=sum(int(counted[-1]) for counted in by_month))


def count_values(view: View, name: str, docs: Docs) -> tuple[NDArray[np.int64], int]:
    """By value how many of these documents have it, and how many have none."""
    number = len(view.values(name))
    dense = view.ordinals(name)
    if dense is not None:
        found = np.bincount(dense.take(docs), minlength=number + 1)
        return found[:-1], int(found[-1])
    mask = np.zeros(view.size, dtype=bool)
    mask[docs] = True
    doc, ordinal = view.pairs(name)
    return np.bincount(ordinal[mask[doc]], minlength=number), int(np.count_nonzero(mask & ~view.has(name)))


def chosen(filters: Filters) -> list[str]:
    """The names of the filters of which something was chosen."""
    names = [name for name in fields.FILTERS if getattr(filters, name)]
    return [*names, DATE] if filters.from_date or filters.until else names


def keeping(filters: Filters, name: str, view: View, docs: Docs) -> Mask:
    """Which of these documents a filter keeps."""
    if name == DATE:
        return view.published(filters.from_date, filters.until, docs)
    values = view.values(name)
    wanted = np.zeros(len(values) + 1, dtype=bool)  # by value; and where there is none
    wanted[[place for value in getattr(filters, name) if (place := values.index_of(value)) is not None]] = True
    dense = view.ordinals(name)
    if dense is not None:
        return wanted.take(dense.take(docs))
    doc, ordinal = view.pairs(name)
    having = np.zeros(view.size, dtype=bool)
    having[doc[wanted[ordinal]]] = True
    return having.take(docs)


def _fitting(
    years: Mapping[str, int], counts: Callable[[str], Mapping[str, int]], dated: Callable[[], NDArray[np.int64]]
) -> str:
    if int(max(years)) - int(min(years)) > MOST_MONTHS / 12 + 1:  # with a whole year more than so many between them
        return "year"
    months = counts("month")
    first, last = min(months), max(months)
    if 12 * (int(last[:4]) - int(first[:4])) + int(last[5:]) - int(first[5:]) > MOST_MONTHS + 1:
        return "year"
    instants = dated()
    days = (_moment(instants[-1]) - _moment(instants[0])).days + 1
    if days <= MOST_DAYS:
        return "day"
    return "month" if days <= MOST_MONTHS * 365 / 12 else "year"


def _one_period(chosen: tuple[datetime | None, datetime | None], timezone: tzinfo) -> str | None:
    """The finest interval of which one period holds what was chosen; None if nothing or more was chosen."""
    low, high = chosen
    if low is None or high is None or high <= low:
        return None
    return next(
        (interval for interval in INTERVALS if high <= _span(_name(low, interval, timezone), timezone)[1]), None
    )


class _Periods:
    """The periods that hold an article, by name: `counts` by month and by year, `dated`, sorted, for those by day."""

    def __init__(
        self,
        counts: Callable[[str], dict[str, int]],
        dated: Callable[[], NDArray[np.int64]],
        chosen: tuple[datetime | None, datetime | None],
        timezone: tzinfo,
    ) -> None:
        self._all = counts
        self._dated = dated
        self._chosen = chosen
        self._timezone = timezone

    def facet(self, interval: str, within: str = "") -> DateFacet:
        """The periods of one size; `within` is the name of the larger one that they are a part of."""
        low, high = self._chosen
        counts = self._counts(interval, within)
        if low and high and low < high:
            name = _name(low, interval, self._timezone)
            if name.startswith(within) and high <= _span(name, self._timezone)[1]:
                counts.setdefault(name, 0)  # what was chosen is listed, whatever it holds
        return DateFacet(interval, tuple(self._period(interval, name, count) for name, count in sorted(counts.items())))

    def _counts(self, interval: str, within: str) -> dict[str, int]:
        if interval == "day":
            return self._days(within)
        return {name: count for name, count in self._all(interval).items() if name.startswith(within)}

    def _days(self, within: str) -> dict[str, int]:
        dated = self._dated()
        counts = {}
        place, last = 0, len(dated)
        if within:
            start, end = _span(within, self._timezone)
            place = int(np.searchsorted(dated, micros(start)))
            last = int(np.searchsorted(dated, micros(end))) if end < dates.LAST else last
        while place < last:
            name = _name(_moment(dated[place]), "day", self._timezone)
            end = _span(name, self._timezone)[1]
            after = int(np.searchsorted(dated, micros(end))) if end < dates.LAST else last
            counts[name] = after - place
            place = after
        return counts

    def _period(self, interval: str, name: str, count: int) -> Period:
        low, high = self._chosen
        start, end = _span(name, self._timezone)
        within = low is not None and high is not None and start <= low and high <= end
        covered = (low or high) is not None and (low is None or low <= start) and (high is None or end <= high)
        finer = INSIDE.get(interval) if within else None
        inside = self.facet(finer, name) if finer else None
        return Period(name, start, end, count, selected=within or covered, inside=inside)


@lru_cache(2**12)  # the same months come again with every answer
def _span(name: str, timezone: tzinfo) -> tuple[datetime, datetime]:
    """Begin and end of a year, month or day, by the calendar of the zone, in UTC."""
    whole = dates.span(name, timezone)
    return whole.start, whole.end


def _name(moment: datetime, interval: str, timezone: tzinfo) -> str:
    # Not strftime: it writes the year 1 as `1` on Linux.
    return dates.day(moment, timezone).isoformat()[: WIDTH[interval]]


def _moment(value: np.int64) -> datetime:
    return EPOCH + timedelta(microseconds=int(value))
