"""What the page says above the results that it could not use: each thing once, in words for readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo

from search.answer import TOO_MANY_WORDS
from search.dates import range_label, span
from search.fields import MOST_WORDS
from search.query import LONGEST_TEXT, Query
from web.parameters import LONGEST_VALUE, MOST_VALUES, Problem, quoted
from web.schemas import DEEPEST, PER_PAGE

# Parameters that a reader knows under another name; all others are things in the address.
NAMES = {
    "q": "search",
    "section": "section",
    "tag": "topic",
    "author": "author",
    "language": "language",
    "from_date": "first day",
    "to_date": "last day",
    "sort": "order",
    "page": "page number",
    "per_page": "number of results",
}
_NO_PAGE = "There is no page {value}, so this is the first."
_PAGE_OF = f"A page cannot show {{value}} results, so it shows up to {PER_PAGE}."
# By code, or by parameter and code where that says it better.
_SAID: dict[str | tuple[str, str], str] = {
    "repeated": "More than one {name} was given, so none was used.",
    "too_many": f"More than {MOST_VALUES} {{name}}s were chosen, so none was used.",
    "too_long": f"The {{name}} was longer than {LONGEST_VALUE} characters, so it was not used.",
    "not_a_date": "{value} is no date, so it was not used: write 2025, 2025-08 or 2025-08-06.",
    "unknown_value": "There is no {name} {value}, so it was not used.",
    "too_deep": f"Only the first {DEEPEST:,} results can be paged through, so this is the first page.",
    ("q", "repeated"): "More than one search was given; the first was used.",
    ("q", "too_long"): f"Your search was longer than {LONGEST_TEXT} characters; the first {LONGEST_TEXT} were used.",
    ("page", "not_a_number"): _NO_PAGE,
    ("page", "out_of_range"): _NO_PAGE,
    ("per_page", "not_a_number"): _PAGE_OF,
    ("per_page", "out_of_range"): _PAGE_OF,
}
_OTHERWISE = "The {name} could not be used."
MOST_NAMED = 3  # things in the address; more are counted


def notices(
    problems: Sequence[Problem], given: Mapping[str, Sequence[str]], query: Query, timezone: tzinfo
) -> list[str]:
    """What could not be used of the parameters that were given, and of the query."""
    said = [_said(problem, given, timezone) for problem in problems if problem.parameter in NAMES]
    said += _things([problem.parameter for problem in problems if problem.parameter not in NAMES])
    for part in query.ignored:
        if part.reason == TOO_MANY_WORDS:
            said.append(f"Your search has more than {MOST_WORDS} words; only the rarest were used.")
        else:
            said.append(f"“{part.text}” was left out: {part.reason}.")
    return list(dict.fromkeys(said))


def _said(problem: Problem, given: Mapping[str, Sequence[str]], timezone: tzinfo) -> str:
    if problem.code == "dates_reversed":
        first, last = (_date(_value(given[name]), timezone) for name in ("from_date", "to_date"))
        return f"The dates were the wrong way round, so they were not used: from {first} to {last}."
    template = _SAID.get((problem.parameter, problem.code)) or _SAID.get(problem.code, _OTHERWISE)
    return template.format(name=NAMES[problem.parameter], value=quoted(_value(given[problem.parameter])))


def _things(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    count = "One thing" if len(names) == 1 else f"{len(names):,} things"
    named = ": " + ", ".join(map(quoted, names)) if len(names) <= MOST_NAMED else ""
    return [f"{count} in this address could not be used{named}."]


def _value(texts: Sequence[str]) -> str:
    return next(text.strip() for text in texts if text.strip())


def _date(text: str, timezone: tzinfo) -> str:
    """9 March 2026; an instant as it was written."""
    whole = span(text, timezone)
    return text if ":" in text else range_label(whole.start, whole.end, timezone)
