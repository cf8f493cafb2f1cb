"""Dates as readers write them: the span that `2025`, `2025-08`, `2025-08-06` or an instant covers, and its name."""

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


def long(moment: date) -> str:
    """6 August 2025."""
    return f"{moment.day} {moment:%B} {moment.year}"


def label(value: str, *, within: bool = False) -> str:
    """The name of a period of a facet: `2025-08` is August 2025, or August `within` its year."""
    parts = [int(part) for part in value.split("-")]
    first = date(*parts, *(1, 1)[len(parts) - 1 :])
    name = ("{0.year}", "{0:%B}", "{0.day} {0:%B}")[len(parts) - 1].format(first)
    return name if within or len(parts) == 1 else f"{name} {first.year}"


def range_label(start: datetime | None, end: datetime | None, timezone: tzinfo) -> str:
    """The name of a range of days: August 2025, 6 August 2025, or 6 August 2025 to 3 March 2026."""
    first = day(start, timezone) if start else None
    last = last_day(end, timezone) if end else None
    if first and last:
        iso = first.isoformat()
        for value in (iso[:4], iso[:7], iso):
            whole = span(value, timezone)
            if (first, last) == (day(whole.start, timezone), last_day(whole.end, timezone)):
                return label(value)
        return f"{long(first)} to {long(last)}"
    return f"from {long(first)}" if first else f"until {long(last)}" if last else "any date"


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
