"""The timeline: how many articles were published when, as bars that lead to their time."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from statistics import median

from search import dates
from search.article import Article
from search.dates import Span, span
from search.engines import DateFacet, Period
from web.language import Language
from web.links import link
from web.narrowing import NO_DATES
from web.schemas import Asked

# Sizes in CSS pixels; across, everything is in percent.
HIGHEST, ROOM, FOOT = 52, 18, 20  # the highest bar, the numbers of the peaks above it, the dates below
LOWEST = 2  # a period with one article is seen beside one with thousands
MOST_BARS = 150  # of more only those that hold articles: one article of the year 1 leaves the others readable
MOST_TICKS = 7
LAST_TICK = {"short": 92, "brief": 75}  # percent: the name of what begins there has no room to its right

PEAK = 2  # a peak has at least so many times what the median period has
MOST_PEAKS = 5


@dataclass(frozen=True, slots=True)
class Bar:
    """One year, month or day. `x`, `width` in percent, `height` in pixels; `peak` is its number among the peaks."""

    value: str
    label: str
    count: int
    url: str
    x: float
    width: float
    height: int
    selected: bool
    peak: int | None

    @property
    def y(self) -> int:
        return ROOM + HIGHEST - self.height


@dataclass(frozen=True, slots=True)
class Tick:
    """A date below the bars, where it begins, or ends if `is_last`."""

    x: float
    text: str
    is_last: bool


@dataclass(frozen=True, slots=True)
class Peak:
    """A time of which much was written, and the article that comes first of it."""

    number: int
    bar: Bar
    article: Article


@dataclass(frozen=True, slots=True)
class Crumb:
    """A larger time that these bars are a part of; the last is what they show, and has no address."""

    text: str
    url: str | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The periods of one size. `base`: the address without dates; `is_odd`: chosen is no year, month or day."""

    interval: str
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    peaks: tuple[Peak, ...]
    crumbs: tuple[Crumb, ...]
    base: str
    missing: int
    is_odd: bool
    height: int = ROOM + HIGHEST + FOOT
    foot: int = ROOM + HIGHEST

    @property
    def held(self) -> list[Bar]:
        """The bars that hold articles."""
        return [bar for bar in self.bars if bar.count]


def timeline(
    path: str,
    asked: Asked,
    facet: DateFacet,
    language: Language,
    timezone: tzinfo,
    strongest: Callable[[Span], Article | None],
) -> Timeline | None:
    """The bars inside what was chosen; None where there is none, or one and nothing was chosen.

    `strongest` gives the first article of a time.
    """
    around, level = _innermost(facet)
    is_chosen = bool(asked.from_date or asked.to_date)
    if not (level.values or around) or (len(level.values) < 2 and not is_chosen):
        return None
    held = {period.value: period for period in level.values}
    names = list(_names(level.interval, held, around[-1].value if around else None))
    if len(names) > MOST_BARS:
        names = list(held)
    counts = [held[name].count if name in held else 0 for name in names]
    selected = {period.value for period in level.values if period.selected}
    if len(selected) == len(held):  # to mark all is to mark none
        selected = set()
    peaks = {place: number for number, place in enumerate(_peaks(counts), 1)}
    greatest, width = max(counts, default=0), 100 / max(1, len(names))
    bars = []
    for place, (name, count) in enumerate(zip(names, counts, strict=True)):
        whole = span(name, timezone)
        bars.append(
            Bar(
                value=name,
                label=language.period(name),
                count=count,
                url=link(path, asked, from_date=whole, to_date=whole, page=1),
                x=round(place * width, 3),
                width=round(width, 3),
                height=max(LOWEST, round(HIGHEST * count / greatest)) if count else 0,
                selected=name in selected,
                peak=peaks.get(place),
            )
        )
    tops = [(bar.peak, bar, strongest(span(bar.value, timezone))) for bar in bars if bar.peak]
    return Timeline(
        interval=level.interval,
        bars=tuple(bars),
        ticks=_ticks(bars, language, is_inside=bool(around)),
        peaks=tuple(Peak(number, bar, article) for number, bar, article in tops if article),
        crumbs=_crumbs(path, asked, around, language, timezone) if is_chosen else (),
        base=link(path, asked, **NO_DATES),
        missing=facet.missing,
        is_odd=is_chosen and not _is_period(asked, timezone),
    )


def _is_period(asked: Asked, timezone: tzinfo) -> bool:
    start, end = asked.dates
    return bool(start and end and dates.period(dates.day(start, timezone), dates.last_day(end, timezone), timezone))


def _innermost(facet: DateFacet) -> tuple[list[Period], DateFacet]:
    """The periods that each hold all of what was chosen, and the periods inside the last of them."""
    for period in facet.values:
        if period.inside:
            around, level = _innermost(period.inside)
            return [period, *around], level
    return [], facet


def _names(interval: str, held: Collection[str], within: str | None) -> Iterator[str]:
    """The names of all periods of this size in the larger one, or from the first that holds an article to the last."""
    if within and interval == "month":
        first, last = f"{within}-01", f"{within}-12"
    elif within:
        first, last = f"{within}-01", f"{within}-{monthrange(*map(int, within.split('-')))[1]}"
    else:
        first, last = min(held), max(held)
    if interval == "year":
        yield from (f"{year:04}" for year in range(int(first), int(last) + 1))
    elif interval == "month":
        for month in range(_months(first), _months(last) + 1):
            yield f"{month // 12:04}-{month % 12 + 1:02}"
    else:
        for number in range(date.fromisoformat(first).toordinal(), date.fromisoformat(last).toordinal() + 1):
            yield date.fromordinal(number).isoformat()


def _months(value: str) -> int:
    return int(value[:4]) * 12 + int(value[5:]) - 1


def _peaks(counts: Sequence[int]) -> list[int]:
    """The places of the highest local maxima of at least twice the median of what holds anything, in their order."""
    least = PEAK * median([count for count in counts if count] or [1])
    around = [0, *counts, 0]
    found = [
        place
        for place, (before, count, after) in enumerate(zip(around, counts, around[2:], strict=False))
        if count >= least and before < count >= after
    ]
    return sorted(sorted(found, key=lambda place: -counts[place])[:MOST_PEAKS])


def _ticks(bars: list[Bar], language: Language, *, is_inside: bool) -> tuple[Tick, ...]:
    """As many dates as there is room for, in even steps."""
    marked, length, style, most = bars, 10, "short", MOST_TICKS
    if bars and not is_inside and len(bars[0].value) > 4:
        januaries = [bar for bar in bars if bar.value.endswith("-01")]
        if len(bars[0].value) == 7 and len(januaries) > 1:  # months of several years: the years are what tells
            marked, length = januaries, 4
        else:
            style, most = "brief", MOST_TICKS // 2
    step = -(-len(marked) // most) or 1
    ticks = []
    for bar in marked[::step]:
        is_last = bar.x > LAST_TICK[style]
        ticks.append(Tick(bar.x + bar.width * is_last, language.period(bar.value[:length], style), is_last))
    return tuple(ticks)


def _crumbs(
    path: str, asked: Asked, around: Sequence[Period], language: Language, timezone: tzinfo
) -> tuple[Crumb, ...]:
    crumbs = [Crumb(language.text("All dates"), link(path, asked, **NO_DATES))]
    for period in around:
        whole = span(period.value, timezone)
        crumbs.append(Crumb(language.period(period.value), link(path, asked, from_date=whole, to_date=whole, page=1)))
    last = language.span(*asked.dates, timezone)
    if crumbs[-1].text == last:
        crumbs.pop()
    return (*crumbs, Crumb(last, None))
