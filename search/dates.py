"""Dates as readers write them: the span that `2025`, `2025-08`, `2025-08-06` or an instant covers, and back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from search.article import parse_date

_DAY = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?", re.ASCII)
_ZONE_AFTER_SPACE = re.compile(r"(?<=\d) (?=\d\d:?\d\d$)")  # a + in a query string arrives as a space
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """What `text` covers: start <= moment < end."""

    text: str
    start: datetime
    end: datetime


def span(text: str, timezone: tzinfo) -> Span:
    """The whole year, month or day that is meant, else the second (or, with a fraction, the microsecond).

    Raises:
        ValueError: for what is no date; the message says how to write one.
    """
    match = _DAY.fullmatch(text)
    try:
        if match:
            year, month, day = (int(part) if part else None for part in match.groups())
            first = date(year or 0, month or 1, day or 1)
            return Span(text, _midnight(first, timezone), _midnight(_next(first, month, day), timezone))
        start = parse_date(_ZONE_AFTER_SPACE.sub("+", text), timezone)
    except ValueError:
        raise ValueError(
            "write a year, a month, a day or an instant: 2025, 2025-08, 2025-08-06 or 2025-08-06T14:30:00Z"
        ) from None
    step = timedelta(microseconds=1) if start.microsecond else timedelta(seconds=1)
    return Span(text, start, min(start, LAST - step) + step)


def day(moment: datetime, timezone: tzinfo) -> date:
    """The calendar day of a moment."""
    try:
        return moment.astimezone(timezone).date()
    except OverflowError:  # the first and the last day that there are
        return moment.date()


def last_day(end: datetime, timezone: tzinfo) -> date:
    """The last day of a span that ends before `end`."""
    return day(max(end, FIRST + timedelta(microseconds=1)) - timedelta(microseconds=1), timezone)


def period(first: date, last: date, timezone: tzinfo) -> str | None:
    """The year, month or day that these days are the first and the last of: `2025-08`; None where it is none."""
    iso = first.isoformat()
    for value in (iso[:4], iso[:7], iso):
        whole = span(value, timezone)
        if (first, last) == (day(whole.start, timezone), last_day(whole.end, timezone)):
            return value
    return None


def periods(first: date, last: date, timezone: tzinfo) -> tuple[str, str] | None:
    """The years, or else the months, that the first of these days begins and the last one ends, if they do."""
    for width in (4, 7):
        begin, end = first.isoformat()[:width], last.isoformat()[:width]
        begins, ends = day(span(begin, timezone).start, timezone), last_day(span(end, timezone).end, timezone)
        if (first, last) == (begins, ends):
            return begin, end
    return None


def _next(first: date, month: int | None, day_of_month: int | None) -> date | None:
    try:
        if day_of_month:
            return first + timedelta(days=1)
        if month:
            return date(first.year + month // 12, month % 12 + 1, 1)
        return date(first.year + 1, 1, 1)
    except (OverflowError, ValueError):
        return None


def _midnight(first: date | None, timezone: tzinfo) -> datetime:
    """The first instant of a day; None is the day after the last that there is."""
    if first is None:
        return LAST
    if first == date.min:
        return FIRST  # in a western zone its hours before UTC's are in no calendar
    try:
        return datetime(first.year, first.month, first.day, tzinfo=timezone).astimezone(UTC)
    except OverflowError:
        return FIRST if first.year == 1 else LAST
