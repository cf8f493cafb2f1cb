"""Filters as masks over documents, and the counts of what they leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray

from search import dates, fields
from search.engines import Count, DateFacet, Facet, Period
from search.engines.whoosh.segment import EPOCH, NONE, micros
from search.engines.whoosh.snapshot import Mask, Snapshot, View
from search.query import Filters, Query

DATE = "date"
MOST_DAYS, MOST_MONTHS = 31, 24  # a facet has so many periods at most, before it takes the next coarser one
INTERVALS = ("day", "month", "year")
INSIDE = {"year": "month", "month": "day"}


class Filtered:
    """The documents that match, under the filters, for the page and for each facet."""

    def __init__(self, query: Query, snapshot: Snapshot, matching: Sequence[Mask]) -> None:
        self._query = query
        self._views = snapshot.views
        self._matching = matching
        self._by_name = {
            name: [_having(view, name, chosen) for view in snapshot.views]
            for name in fields.FILTERS
            if (chosen := getattr(query.filters, name))
        }
        if query.filters.from_date or query.filters.until:
            self._by_name[DATE] = [_published(view, query.filters) for view in snapshot.views]
        self.masks = self._all_but(None)

    def facet(self, name: str) -> Facet | DateFacet:
        """Counts that ignore the facet's own filter."""
        masks = self._all_but(name)
        return self._dates(masks) if name == DATE else self._values(name, masks)

    def _all_but(self, left_out: str | None) -> list[Mask]:
        masks = list(self._matching)
        for name, filters in self._by_name.items():
            if name != left_out:
                masks = [mask & chosen for mask, chosen in zip(masks, filters, strict=True)]
        return masks

    def _values(self, name: str, masks: Sequence[Mask]) -> Facet:
        counts: Counter[str] = Counter()
        missing = 0
        for view, mask in zip(self._views, masks, strict=True):
            doc, ordinal = view.pairs(name)
            values = view.values(name)
            found = np.bincount(ordinal[mask[doc]], minlength=len(values))
            counts.update({values[int(i)]: int(found[i]) for i in np.flatnonzero(found)})
            missing += int(np.count_nonzero(mask & ~view.has[name]))
        selected = dict.fromkeys(getattr(self._query.filters, name))
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        listed = ranked[: fields.FACET_SIZE]
        shown = {value for value, _ in listed}
        listed += [(value, counts[value]) for value in selected if value not in shown]
        return Facet(
            values=tuple(Count(value, count, value in selected) for value, count in listed),
            other=counts.total() - sum(count for _, count in listed),
            missing=missing,
        )

    def _dates(self, masks: Sequence[Mask]) -> DateFacet:
        published = np.concatenate(
            [view.arrays["doc.published"][mask] for view, mask in zip(self._views, masks, strict=True)]
            or [np.empty(0, np.int64)]
        )
        dated = np.sort(published[published != NONE])
        chosen = self._query.filters.from_date, self._query.filters.until
        spans = [_fitting(_moment(dated[0]), _moment(dated[-1]))] if len(dated) else []
        if one := _one_period(chosen, self._query.timezone):
            spans.append(one)  # never finer than what was chosen, which is to be listed whatever it holds
        interval = max(spans, key=INTERVALS.index, default="month")
        facet = _periods(dated, interval, chosen, self._query.timezone)
        return DateFacet(facet.interval, facet.values, missing=len(published) - len(dated))


def _having(view: View, name: str, chosen: Sequence[str]) -> Mask:
    mask = np.zeros(view.size, dtype=bool)
    values = view.values(name)
    wanted = [place for value in chosen if (place := values.index_of(value)) is not None]
    doc, ordinal = view.pairs(name)
    mask[doc[np.isin(ordinal, wanted)]] = True
    return mask


def _published(view: View, filters: Filters) -> Mask:
    published = view.arrays["doc.published"]
    mask: Mask = published != NONE
    if filters.from_date:
        mask &= published >= micros(filters.from_date)
    if filters.until:
        mask &= published < micros(filters.until)
    return mask


def _fitting(first: datetime, last: datetime) -> str:
    days = (last - first).days + 1
    if days <= MOST_DAYS:
        return "day"
    return "month" if days <= MOST_MONTHS * 365 / 12 else "year"


def _one_period(chosen: tuple[datetime | None, datetime | None], timezone: tzinfo) -> str | None:
    """The finest interval of which one period holds what was chosen; None if nothing or more was chosen."""
    low, high = chosen
    if low is None or high is None or high <= low:
        return None
    return next((interval for interval in INTERVALS if high <= _around(low, interval, timezone)[1]), None)


def _periods(
    dated: NDArray[np.int64], interval: str, chosen: tuple[datetime | None, datetime | None], timezone: tzinfo
) -> DateFacet:
    """The periods that hold one of these sorted instants, and the one that was chosen, if one was."""
    low, high = chosen
    periods = []
    place = 0
    starts = set()
    while place < len(dated):
        start, end = _around(_moment(dated[place]), interval, timezone)
        after = int(np.searchsorted(dated, micros(end))) if end < dates.LAST else len(dated)
        periods.append((start, end, place, after))
        starts.add(start)
        place = after
    if low and high and low < high:
        start, end = _around(low, interval, timezone)
        if high <= end and start not in starts:
            empty = int(np.searchsorted(dated, micros(start)))
            periods.append((start, end, empty, empty))
    values = []
    for start, end, first, after in sorted(periods):
        within = low is not None and high is not None and start <= low and high <= end
        covered = (low or high) is not None and (low is None or low <= start) and (high is None or end <= high)
        finer = INSIDE.get(interval) if within else None
        values.append(
            Period(
                value=_name(start, interval, timezone),
                start=start,
                end=end,
                count=after - first,
                selected=within or covered,
                inside=_periods(dated[first:after], finer, chosen, timezone) if finer else None,
            )
        )
    return DateFacet(interval, tuple(values))


def _around(moment: datetime, interval: str, timezone: tzinfo) -> tuple[datetime, datetime]:
    """Begin and end of the year, month or day, by the calendar of the zone, in UTC."""
    whole = dates.span(_name(moment, interval, timezone), timezone)
    return whole.start, whole.end


def _name(moment: datetime, interval: str, timezone: tzinfo) -> str:
    # Not strftime: it writes the year 1 as `1` on Linux.
    return dates.day(moment, timezone).isoformat()[: {"year": 4, "month": 7, "day": 10}[interval]]


def _moment(value: np.int64) -> datetime:
    return EPOCH + timedelta(microseconds=int(value))
