"""Query, and how it is made of what a reader types."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from math import sqrt
from typing import TypeVar

from search import analysis, fields
from search.clauses import Clause, Near, Phrase, Word, is_free, leaves
from search.reader import Ignored, Reader

LONGEST_TEXT = 512  # characters read; a headline has 60, a pasted first paragraph 300

PROSE = 10  # words beside what is quoted: so many are a sentence, in which quotation marks insist on nothing

_T = TypeVar("_T")


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

    An article matches if all of `required` match and none of `excluded`; no `required`: every article. Where fewer
    than `enough` articles have all, those with fewer of the free words (`clauses.is_free`) match too: with as many as
    so many articles have, filters aside.

    `optional` clauses add to the score of what matches, `near` to that of the best (`fields.POOL`).
    `after` <= published < `before`: typed, and so of the question itself, as no filter is.
    """

    text: str = ""
    required: tuple[Clause, ...] = ()
    optional: tuple[Clause, ...] = ()
    excluded: tuple[Clause, ...] = ()
    near: tuple[Near, ...] = ()
    spared: tuple[Word, ...] = ()  # stop words that need not be there, beside others
    ignored: tuple[Ignored, ...] = ()
    enough: int = 0
    after: datetime | None = None
    before: datetime | None = None
    filters: Filters = field(default_factory=Filters)
    sort: str = "relevance"  # relevance | newest | oldest
    page: int = 1
    per_page: int = 10
    facets: tuple[str, ...] = fields.DEFAULT_FACETS
    highlight: bool = True
    timezone: tzinfo = UTC  # cuts the days, months and years of the date facet


_UNFILTERED = Filters()


def parse(
    text: str,
    *,
    filters: Filters = _UNFILTERED,
    sort: str = "relevance",
    page: int = 1,
    per_page: int = 10,
    facets: tuple[str, ...] = fields.DEFAULT_FACETS,
    highlight: bool = True,
    timezone: tzinfo = UTC,
    prefix: bool = False,
    field: str | None = None,
) -> Query:
    """Read what a reader typed. Any text is a query; what could not be used of it is named in `ignored`.

    `words`, `"a phrase"`, `"near words"~5`, `-without`, `this OR that`, `begin*`, `title:word` (`fields.PREFIXES`),
    `before:2024-05`, `after:2023`, `(groups)`. Where something was typed and nothing of it was of use, `ignored` says
    so and `required` is empty. `prefix`: the last word may be the beginning of one, as while it is typed. `field`:
    where words are looked for that name no field themselves.
    """
    typed = next(_READ.finditer(text))[0]
    reader = Reader(typed, timezone, unfinished=prefix and typed == text)
    if text[len(typed) :].strip():
        reader.ignore(text[len(typed) :].strip(), f"only the first {LONGEST_TEXT} characters are read")
    read = reader.group(field, 0)
    is_used = read.clauses or read.excluded or reader.after or reader.before
    if typed.strip() and not (is_used or reader.ignored):
        reader.ignore(typed.strip(), "there is no word in it")
    required = _weighed(read.clauses)
    query = Query(
        text=typed,
        required=required,
        optional=_once(reader.optional),
        excluded=_once(read.excluded),
        near=_once(reader.near),
        spared=_once(reader.spared),
        ignored=_once(reader.ignored),
        enough=_enough(required) if sort == "relevance" else 1,
        after=reader.after,
        before=reader.before,
        filters=filters,
        sort=sort,
        page=page,
        per_page=per_page,
        facets=facets,
        highlight=highlight,
        timezone=timezone,
    )
    if sum(map(is_free, required)) >= PROSE:
        return unquoted(query) or query
    return query


def unquoted(query: Query) -> Query | None:
    """The same with the words of its phrases in place of these, which add to the score; None where none was quoted."""
    quoted = tuple(clause for clause in query.required if isinstance(clause, Phrase) and clause.exact)
    quoted = tuple(phrase for phrase in quoted if phrase.field is None)
    if not quoted:
        return None
    free: list[Clause] = [clause for clause in query.required if clause not in quoted]
    for phrase in quoted:
        free += [word for word in phrase.words if _tells(word)] or phrase.words
    required = _weighed(free)
    enough = _enough(required) if query.sort == "relevance" else 1
    return replace(query, required=required, optional=_once((*query.optional, *quoted)), enough=enough)


def terms(query: Query) -> tuple[Clause, ...]:
    """The words, phrases and prefixes that an article may have been found by, for its highlighting.

    A stop word that adds to the score is shown where it does: beside its neighbour. Of two of them (`about the`) that
    is worth showing in a short query only, as in `the who concert`.
    """
    found = leaves((*query.required, *query.optional))
    of_words = [part for leaf in found for part in (leaf.words if isinstance(leaf, Near) else (leaf,))]
    beside = [
        near for near in query.near if not near.slop and (len(query.required) < 3 or any(map(_tells, near.words)))
    ]
    return _once((*of_words, *(Phrase(near.words, False, near.field) for near in beside)))


def _tells(word: Word) -> bool:
    return word.form.lower() not in analysis.STOP_WORDS


# To the end of a word, if one ends.
_READ = re.compile(rf".{{1,{LONGEST_TEXT}}}(?!\S)|.{{0,{LONGEST_TEXT}}}", re.DOTALL)


def _weighed(clauses: Sequence[Clause]) -> tuple[Clause, ...]:
    """Each once. A word typed n times weighs as much as the root of n; shared, where it was in several forms."""
    often = Counter(clause.stem for clause in clauses if isinstance(clause, Word))
    if len(often) == len(clauses):
        return tuple(clauses)
    typed = Counter(clauses)
    return tuple(
        replace(clause, weight=count / sqrt(often[clause.stem])) if isinstance(clause, Word) else clause
        for clause, count in typed.items()
    )


def _enough(required: Sequence[Clause]) -> int:
    """How many articles must have all words, that those with fewer are left out; see `fields.ENOUGH`."""
    words = sum(map(is_free, required))
    return max(1, fields.ENOUGH * (words - 2) ** 2) if words > 2 else 1


def _once(things: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(things))
