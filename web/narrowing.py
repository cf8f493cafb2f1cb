"""Ways to narrow a search and to widen it again: facets as links, chips of what is chosen, ways out of nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any

from search.dates import label, range_label, span
from search.engines import DateFacet, Facet
from search.fields import FILTERS
from web.links import link
from web.schemas import Asked

# What a facet is called, and what an article that it does not count is without.
TITLES = {
    "section": ("Section", "a section"),
    "date": ("Date", "a date"),
    "tag": ("Topic", "a topic"),
    "author": ("Author", "an author"),
    "language": ("Language", "a language"),
}
NO_DATES: dict[str, Any] = {"from_date": None, "to_date": None, "page": 1}
NONE: dict[str, Any] = {**dict.fromkeys(FILTERS, ()), **NO_DATES}
_SIGNS = re.compile(r'(?<!\S)(?:[-–−—]|NOT\s)\s*\S+|(?<!\S)(?:OR|AND)(?!\S)|(?<!\S)\w+:(?=\S)|["“”„«»()|*]')


@dataclass(frozen=True, slots=True)
class Option:
    """A link that changes the search. `share`: the count as percent of the greatest of its group."""

    text: str
    url: str
    count: int = 0
    selected: bool = False
    share: int = 0
    inside: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A facet as links."""

    name: str
    title: str
    one: str
    options: tuple[Option, ...]
    other: int
    missing: int


def groups(path: str, asked: Asked, facets: Mapping[str, Facet | DateFacet], timezone: tzinfo) -> list[Group]:
    """Every facet that has something to choose."""
    found = []
    for name, facet in facets.items():
        if isinstance(facet, DateFacet):
            group = Group(name, *TITLES[name], _periods(path, asked, facet, timezone), 0, facet.missing)
        else:
            group = Group(name, *TITLES[name], _values(path, asked, name, facet), facet.other, facet.missing)
        if group.options:
            found.append(group)
    return found


def chips(path: str, asked: Asked, timezone: tzinfo) -> list[Option]:
    """What is chosen; each link leads to the same search without it."""
    return [Option(text, link(path, wider)) for text, wider in _choices(asked, timezone)]


def wider(asked: Asked, timezone: tzinfo) -> Iterator[tuple[str, Asked]]:
    """Searches that ask for less, and how each is called."""
    plain = " ".join(_SIGNS.sub(" ", asked.q).split())
    if plain and plain != asked.q:
        yield f"Search for {plain} without quotation marks and signs", replace(asked, q=plain, page=1)
    choices = list(_choices(asked, timezone))
    for text, without in choices:
        yield f"Search without {text}", without
    if len(choices) > 1:
        yield "Search without any of these", replace(asked, **NONE)


def _choices(asked: Asked, timezone: tzinfo) -> Iterator[tuple[str, Asked]]:
    """What is chosen, and the same search without it."""
    for name in FILTERS:
        values = getattr(asked, name)
        for value in values:
            fewer: dict[str, Any] = {name: _without(values, value), "page": 1}
            yield value, replace(asked, **fewer)
    if asked.from_date or asked.to_date:
        yield range_label(*_bounds(asked), timezone), replace(asked, **NO_DATES)


def _bounds(asked: Asked) -> tuple[datetime | None, datetime | None]:
    return asked.from_date.start if asked.from_date else None, asked.to_date.end if asked.to_date else None


def _values(path: str, asked: Asked, name: str, facet: Facet) -> tuple[Option, ...]:
    chosen = getattr(asked, name)
    greatest = max((count.count for count in facet.values), default=0)
    return tuple(
        Option(
            text=count.value,
            url=link(
                path,
                asked,
                **{name: _without(chosen, count.value) if count.selected else (*chosen, count.value)},
                page=1,
            ),
            count=count.count,
            selected=count.selected,
            share=_share(count.count, greatest),
        )
        for count in facet.values
    )


def _periods(
    path: str, asked: Asked, facet: DateFacet, timezone: tzinfo, *, within: bool = False
) -> tuple[Option, ...]:
    """Newest first, as readers look for news; a period that is chosen shows what is inside it."""
    greatest = max((period.count for period in facet.values), default=0)
    options = []
    for period in reversed(facet.values):
        whole = span(period.value, timezone)
        # The engine marks every period that lies in the choice, the page the one that is the choice.
        chosen = _bounds(asked) == (period.start, period.end)
        dates = NO_DATES if chosen else {"from_date": whole, "to_date": whole, "page": 1}
        options.append(
            Option(
                text=label(period.value, within=within),
                url=link(path, asked, **dates),
                count=period.count,
                selected=chosen,
                share=_share(period.count, greatest),
                inside=_periods(path, asked, period.inside, timezone, within=True) if period.inside else (),
            )
        )
    return tuple(options)


def _without(values: tuple[str, ...], value: str) -> tuple[str, ...]:
    return tuple(other for other in values if other != value)


def _share(count: int, greatest: int) -> int:
    return -(-100 * count // greatest) if greatest else 0
