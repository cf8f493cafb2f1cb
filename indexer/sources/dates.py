"""Read the dates that people write on pages: `August 06, 2025`, `6 Aug. 2025`, `2025-08-06 11:33:15 -0400`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from datetime import timezone as fixed
from zoneinfo import ZoneInfo

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
# The zones of RFC 2822, those that European newsrooms write, and the American ones that follow the season.
_ZONES: dict[str, tzinfo] = {
    **dict.fromkeys(("z", "ut", "utc", "gmt"), UTC),
    **{name: fixed(timedelta(hours=hours)) for name, hours in {"est": -5, "edt": -4, "cst": -6, "cdt": -5}.items()},
    **{name: fixed(timedelta(hours=hours)) for name, hours in {"mst": -7, "mdt": -6, "pst": -8, "pdt": -7}.items()},
    **{name: fixed(timedelta(hours=hours)) for name, hours in {"wet": 0, "bst": 1, "cet": 1, "cest": 2}.items()},
    **{f"{short}t": ZoneInfo(f"America/{city}") for short, city in (("e", "New_York"), ("c", "Chicago"))},
    **{f"{short}t": ZoneInfo(f"America/{city}") for short, city in (("m", "Denver"), ("p", "Los_Angeles"))},
}
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_YEAR = r"(?P<year>\d{4})"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?"
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+)?"
_TIME = r"""(?:(?:\s*,?\s*(?:at\s+)?|\s*[-–—|•·]\s*|T)
    (?P<hour>\d{1,2})[:.h](?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?
    (?:\s*(?P<half>[ap])\.?m\.?)?
    (?:\s*\(?(?P<zone>[A-Z]{1,4}|[+-]\d{2}:?\d{2})\)?)?)?"""
_DAYS = (
    rf"{_WEEKDAY}{_MONTH}\s+{_DAY}\s*,?\s+{_YEAR}",
    rf"{_WEEKDAY}{_DAY}(?:\s+of)?[\s-]+{_MONTH},?[\s-]+{_YEAR}",
    rf"{_YEAR}(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}})",
    # One of two numbers is a month only if the other cannot be one.
    rf"(?P<day>1[3-9]|2\d|3[01])(?P<mark>[/.])(?P<month>\d{{1,2}})(?P=mark){_YEAR}",
    rf"(?P<month>\d{{1,2}})/(?P<day>1[3-9]|2\d|3[01])/{_YEAR}",
    rf"(?P<day>\d{{1,2}})\.\s?(?P<month>\d{{1,2}})\.\s?{_YEAR}",  # with dots it is Europe, day first
)
# As C and Java print it: Sun Nov 23 16:00:00 EDT 2014
_CLOCK = (
    rf"{_WEEKDAY}{_MONTH}\s+{_DAY}\s+(?P<hour>\d{{2}}):(?P<minute>\d{{2}}):(?P<second>\d{{2}})"
    rf"(?P<half>)(?:\s+(?P<zone>[A-Z]{{1,4}}))?\s+{_YEAR}"
)
_FORMS = [
    re.compile(rf"(?<!\w){form}(?!\w)", re.IGNORECASE | re.VERBOSE)
    for form in (*(day + _TIME for day in _DAYS), _CLOCK)
]
# When a page was loaded nobody knows, so this tells no date; the words before it are the group.
AGO = re.compile(
    r"((?:last )?(?:published|posted|updated)\W*)?"
    r"(?:(?:\d+|an?) ?(?:second|sec|minute|min|hour|hr|day|week|month|year)s? ago|yesterday|today|just now)\W*",
    re.IGNORECASE,
)


def parse(text: str, timezone: tzinfo = UTC) -> datetime | None:
    """The instant in UTC that the whole of `text` names, or None. A date without a zone is in `timezone`."""
    text = " ".join(text.split())
    try:
        return _utc(datetime.fromisoformat(text), timezone)
    except (ValueError, OverflowError):
        pass
    for form in _FORMS:
        if found := form.fullmatch(text):
            return _moment(found, timezone)
    return None


def find(text: str, timezone: tzinfo = UTC) -> Iterator[tuple[int, int, datetime]]:
    """Every date in `text`: where it starts and ends, and the instant."""
    spans: list[tuple[int, int, datetime]] = []
    for form in _FORMS:
        for found in form.finditer(text):
            moment = _moment(found, timezone)
            if moment and not any(found.start() < end and start < found.end() for start, end, _ in spans):
                spans.append((*found.span(), moment))
    yield from sorted(spans)


def _moment(found: re.Match[str], timezone: tzinfo) -> datetime | None:
    part = found.groupdict()
    month = part["month"]
    hour = int(part["hour"] or 0)
    if half := (part["half"] or "").lower():
        hour = hour % 12 + 12 * (half == "p")
    zone = _zone(part["zone"] or "")
    try:
        moment = datetime(
            int(part["year"]),
            int(month) if month.isdigit() else _MONTHS.index(month[:3].lower()) + 1,
            int(part["day"]),
            hour,
            int(part["minute"] or 0),
            int(part["second"] or 0),
        )
        return _utc(moment.replace(tzinfo=zone), timezone)
    except (ValueError, OverflowError):
        return None


def _zone(name: str) -> tzinfo | None:
    """The zone of that name; one that is not known is as none, since a wrong one is worse."""
    if offset := re.fullmatch(r"([+-])(\d\d):?(\d\d)", name):
        minutes = int(offset[2]) * 60 + int(offset[3])
        return fixed(timedelta(minutes=-minutes if offset[1] == "-" else minutes)) if minutes < 24 * 60 else None
    return _ZONES.get(name.lower())


def _utc(moment: datetime, timezone: tzinfo) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone)).astimezone(UTC)
