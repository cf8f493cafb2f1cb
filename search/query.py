"""Query, and how it is read from what a reader types."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from search import fields


@dataclass(frozen=True, slots=True)
class Word:
    """One word. `stem` finds it, `form` is the word as typed, folded; capitals in it only for an acronym (`US`).

    `field` is a name of `fields.SEARCHED`, or None: any of them with a weight.
    """

    stem: str
    form: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand side by side in one field. `exact`: as typed (quoted); else any word of each stem."""

    words: tuple[Word, ...]
    exact: bool = True
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Prefix:
    """Any word whose folded form, in small letters, begins with `text`."""

    text: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of these."""

    of: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Both:
    """All of these: what stands between two ORs, or in parentheses."""

    of: tuple[Clause, ...]


Clause = Word | Phrase | Prefix | Either | Both


@dataclass(frozen=True, slots=True)
class Ignored:
    """A part of the query that could not be used, and why, in words for the reader."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Filters:
    """Exact values, any of several in a field, all fields; instants with `from_date <= published < until`."""

    section: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    author: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    from_date: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked, in the engine's terms.

    An article matches if at least `minimum` of `required` match (None: all) and none of `excluded`;
    no `required`: every article. `optional` clauses add to the score of what matches.
    """

    text: str = ""
    required: tuple[Clause, ...] = ()
    optional: tuple[Clause, ...] = ()
    excluded: tuple[Clause, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    minimum: int | None = None
    filters: Filters = field(default_factory=Filters)
    sort: str = "relevance"  # relevance | newest | oldest
    page: int = 1
    per_page: int = 10
    facets: tuple[str, ...] = fields.DEFAULT_FACETS
    highlight: bool = True
    timezone: tzinfo = UTC  # cuts the days, months and years of the date facet
