"""What comes in: the parameters that the page and the API share, read into one frozen value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from marshmallow import post_load, validates_schema

from search import query as queries
from search import suggestions
from search.article import TRACKING
from search.dates import Span
from search.fields import DEFAULT_FACETS, FACETS, FILTERS
from search.query import LONGEST_TEXT, Filters, Query
from web.parameters import (
    Choice,
    Date,
    Flag,
    Names,
    Number,
    Parameter,
    ParameterError,
    ParameterSchema,
    Problem,
    Several,
    wrong,
)

MOST_SUGGESTED = 20
SORTS = ("relevance", "newest", "oldest")
PER_PAGE, PER_FEED, MOST_PER_PAGE = 10, 20, 100
DEEPEST = 10_000  # page * per_page: each page costs what all before it cost


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters of a search, as asked; the names are those of the URL."""

    q: str = ""
    section: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    author: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    from_date: Span | None = None
    to_date: Span | None = None
    sort: str | None = None
    page: int = 1
    per_page: int = PER_PAGE
    facets: tuple[str, ...] = DEFAULT_FACETS
    highlight: bool = True
    prefix: bool = False
    fold: bool = True
    key: str | None = None

    @property
    def dates(self) -> tuple[datetime | None, datetime | None]:
        """When what was chosen begins, and when it ends."""
        return self.from_date.start if self.from_date else None, self.to_date.end if self.to_date else None

    @property
    def filters(self) -> Filters:
        """What narrows the search."""
        from_date, until = self.dates
        return Filters(**{name: getattr(self, name) for name in FILTERS}, from_date=from_date, until=until)

    def query(self, timezone: tzinfo) -> Query:
        """The query that is meant. Without words the newest come first."""
        return queries.parse(
            self.q,
            filters=self.filters,
            sort=self.sort or ("relevance" if self.q else "newest"),
            page=self.page,
            per_page=self.per_page,
            facets=self.facets,
            highlight=self.highlight,
            timezone=timezone,
            prefix=self.prefix,
        )


class SearchSchema(ParameterSchema):
    """The parameters of a search, on the page and in the API."""

    items = PER_PAGE  # unless `per_page` says otherwise

    q = Parameter(f"what is searched, as a reader types it; at most {LONGEST_TEXT} characters", most=LONGEST_TEXT)
    section = Several("only articles of this section; repeat it for any of several")
    tag = Several("only articles with this tag; repeat it for any of several")
    author = Several("only articles by this author; repeat it for any of several")
    language = Several("only articles in this language (BCP 47); repeat it for any of several")
    from_date = Date("only articles published on this day or later")
    to_date = Date("only articles published on this day or earlier; the whole day counts")
    sort = Choice(SORTS, "relevance (the default where there are words), newest (the default without) or oldest")
    page = Number(1, DEEPEST, "the page, from 1")
    per_page = Number(0, MOST_PER_PAGE, f"results on a page, {PER_PAGE} by default; 0 gives the counts alone")
    facets = Names(FACETS, "what is counted; repeated or with commas between")
    highlight = Flag("whether passages are cut and words are marked; yes by default")
    prefix = Flag("whether the last word may be the beginning of one, as while it is typed; no by default")
    fold = Flag("whether near-duplicates are folded into one result; nothing is folded yet, so that it changes nothing")
    key = Parameter("an access key; search is open, so that it is taken and not used")

    @validates_schema(skip_on_field_errors=False)
    def _in_order(self, data: dict[str, Any], **_: Any) -> None:
        first, last = data.get("from_date"), data.get("to_date")
        if first and last and first.start >= last.end:
            detail = f"from_date {first.text} lies after to_date {last.text}; exchange them"
            raise wrong("dates_reversed", detail, names=("from_date", "to_date"))

    @validates_schema(skip_on_field_errors=False)
    def _within_reach(self, data: dict[str, Any], **_: Any) -> None:
        page, per_page = data.get("page", 1), data.get("per_page", self.items)
        if page * per_page > DEEPEST:
            detail = (
                f"page {page} of {per_page} lies beyond the first {DEEPEST:,} results; "
                "narrow the search by section or date, or sort by newest or oldest and narrow by date"
            )
            raise wrong("too_deep", detail, str(DEEPEST // per_page), names=("page",))

    @post_load
    def _asked(self, data: dict[str, Any], **_: Any) -> Asked:
        return Asked(**{"per_page": self.items, **data})


class FeedSchema(SearchSchema):
    """The same of a feed, which holds more than a page."""

    items = PER_FEED


class SuggestSchema(ParameterSchema):
    """The parameters of suggestions."""

    q = Parameter(f"what was typed so far; at most {LONGEST_TEXT} characters", most=LONGEST_TEXT)
    section = Several("only of articles of this section; repeat it for any of several")
    tag = Several("only of articles with this tag; repeat it for any of several")
    author = Several("only of articles by this author; repeat it for any of several")
    language = Several("only of articles in this language (BCP 47); repeat it for any of several")
    limit = Number(1, MOST_SUGGESTED, f"suggestions of each kind, {suggestions.MOST} by default")
    key = Parameter("an access key; suggestions are open, so that it is taken and not used")


class ArticleSchema(ParameterSchema):
    """The parameters of one article by its id."""

    key = Parameter("an access key; the text of articles is given to nobody yet, so that it is taken and not used")


class AddressSchema(ArticleSchema):
    """The parameters of one article by its address."""

    url = Parameter("the address of the article, in any spelling that leads to the same page", most=2000, required=True)


def read_leniently(schema: SearchSchema, given: Mapping[str, Sequence[str]]) -> tuple[Asked, tuple[Problem, ...]]:
    """What the page is asked, without what cannot be used, and what that was. Trackers are dropped in silence."""
    given = {name: values for name, values in given.items() if not TRACKING.fullmatch(name)}
    problems: tuple[Problem, ...] = ()
    while True:
        try:
            return schema.read(given), problems
        except ParameterError as refused:
            # A schema-wide rule may see its first whole pair only now; each round drops a name, so that this ends.
            problems += refused.problems
            given = _repaired(given, {problem.parameter for problem in refused.problems})


def _repaired(given: Mapping[str, Sequence[str]], wrong: set[str]) -> dict[str, Sequence[str]]:
    """Without the wrong ones, but for the query: what was typed is used as far as it can be."""
    query = [text.strip()[:LONGEST_TEXT] for text in given.get("q", ()) if text.strip()][:1]
    return {name: query if name == "q" else texts for name, texts in given.items() if name == "q" or name not in wrong}
