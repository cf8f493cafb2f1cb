"""Ways to narrow a search and to widen it again: facets as links, chips of what is chosen, ways out of nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any

from search.engines import DateFacet, Facet
from search.fields import FILTERS
from web.language import Language, msg
from web.links import link, pairs
from web.schemas import Asked

# What a facet is called, and what is said of the articles that it does not count.
TITLES = {
    "section": (msg("Section"), msg("%(num)s without a section")),
    "tag": (msg("Topic"), msg("%(num)s without a topic")),
    "author": (msg("Author"), msg("%(num)s without an author")),
    "language": (msg("Language"), msg("%(num)s without a language")),
}
SHOWN = 8  # values of a facet; the others open on demand
FEWEST = {"language": 2}  # values for a facet to be of use: all articles in one language are no choice
NO_DATES: dict[str, Any] = {"from_date": None, "to_date": None, "page": 1}
NONE: dict[str, Any] = {**dict.fromkeys(FILTERS, ()), **NO_DATES}
MOST_WORDS = 6  # of a search, for each to be left out in turn
_SIGNS = re.compile(
    r'(?<!\S)(?:[-–−—]|NOT\s)\s*\S+|(?<!\S)(?:OR|AND)(?!\S)|(?<!\S)(?!(?:after|before):)\w+:(?=\S)|["“”„«»()|*]'
)


@dataclass(frozen=True, slots=True)
class Option:
    """A link that changes the search. `share`: the count as percent of the greatest of its group."""

    text: str
    url: str
    count: int = 0
    selected: bool = False
    share: int = 0
    value: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A facet as links, and as checkboxes of a form; `rest` opens on demand."""

    name: str
    title: str
    options: tuple[Option, ...]
    rest: tuple[Option, ...]
    other: int
    missing: str | None


def groups(path: str, asked: Asked, facets: Mapping[str, Facet | DateFacet], language: Language) -> list[Group]:
    """Every facet of values that has something to choose."""
    found = []
    for name, facet in facets.items():
        if isinstance(facet, DateFacet) or (len(facet.values) < FEWEST.get(name, 1) and not getattr(asked, name)):
            continue
        title, without = TITLES[name]
        options = _values(path, asked, name, facet, language)
        # What is chosen is seen, wherever it stands.
        first = [option for i, option in enumerate(options) if i < SHOWN or option.selected]
        rest = [option for i, option in enumerate(options) if not (i < SHOWN or option.selected)]
        missing = language.text(without, num=language.number(facet.missing)) if facet.missing else None
        found.append(Group(name, language.text(title), tuple(first), tuple(rest), facet.other, missing))
    return [group for group in found if group.options]


def unlisted(asked: Asked, groups: list[Group]) -> list[tuple[str, str]]:
    """The parameters that the form of these groups keeps: all but those that its checkboxes say."""
    listed: dict[str, Any] = {group.name: () for group in groups}
    return pairs(asked, **listed, page=1)


def chips(path: str, asked: Asked, language: Language, timezone: tzinfo) -> list[Option]:
    """What is chosen; each link leads to the same search without it."""
    return [Option(text, link(path, wider)) for text, wider in _choices(asked, language, timezone)]


def wider(asked: Asked, language: Language, timezone: tzinfo) -> Iterator[tuple[str, Asked]]:
    """Searches that ask for less, and how each is called."""
    plain = " ".join(_SIGNS.sub(" ", asked.q).split())
    if plain and plain != asked.q:
        yield (
            language.text("Search for %(query)s without quotation marks and signs", query=plain),
            replace(asked, q=plain, page=1),
        )
    choices = list(_choices(asked, language, timezone))
    for text, without in choices:
        yield language.text("Search without %(choice)s", choice=text), without
    if len(choices) > 1:
        yield language.text("Search without any of these"), replace(asked, **NONE)
    yield from _fewer_words(plain, asked, language)


def _fewer_words(plain: str, asked: Asked, language: Language) -> Iterator[tuple[str, Asked]]:
    words = plain.split()
    if 1 < len(words) <= MOST_WORDS:
        for left_out in reversed(range(len(words))):
            fewer = " ".join(words[:left_out] + words[left_out + 1 :])
            yield language.text("Search for %(query)s", query=fewer), replace(asked, q=fewer, page=1)


def _choices(asked: Asked, language: Language, timezone: tzinfo) -> Iterator[tuple[str, Asked]]:
    """What is chosen, and the same search without it."""
    for name in FILTERS:
        values = getattr(asked, name)
        for value in values:
            fewer: dict[str, Any] = {name: _without(values, value), "page": 1}
            yield language.name_of(name, value), replace(asked, **fewer)
    if any(asked.dates):
        yield language.span(*asked.dates, timezone), replace(asked, **NO_DATES)


def _values(path: str, asked: Asked, name: str, facet: Facet, language: Language) -> tuple[Option, ...]:
    chosen = getattr(asked, name)
    greatest = max((count.count for count in facet.values), default=0)
    return tuple(
        Option(
            text=language.name_of(name, count.value),
            url=link(
                path,
                asked,
                **{name: _without(chosen, count.value) if count.selected else (*chosen, count.value)},
                page=1,
            ),
            count=count.count,
            selected=count.selected,
            share=_share(count.count, greatest),
            value=count.value,
        )
        for count in facet.values
    )


def _without(values: tuple[str, ...], value: str) -> tuple[str, ...]:
    return tuple(other for other in values if other != value)


def _share(count: int, greatest: int) -> int:
    return -(-100 * count // greatest) if greatest else 0
