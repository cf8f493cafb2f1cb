"""What the page says above the results that it could not use: each thing once, in words for readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo

from search.answer import TOO_MANY_WORDS, Answer
from search.dates import span
from search.fields import MOST_WORDS
from search.query import LONGEST_TEXT, Query
from web.language import Language, msg
from web.parameters import LONGEST_VALUE, MOST_VALUES, Problem, shortened
from web.schemas import DEEPEST, PER_PAGE

_NO_PAGE = msg("There is no page %(value)s, so this is the first.")
_PAGE_OF = msg("A page cannot show %(value)s results, so it shows up to %(per_page)s.")
_NO_DATE = msg("%(value)s is no date, so it was not used: write 2025, 2025-08 or 2025-08-06.")
_TOO_MANY = msg("More than %(most_values)s values of one kind were chosen, so none of them was used.")
_TOO_LONG = msg("%(value)s is longer than %(longest_value)s characters, so it was not used.")
_REPEATED = msg("More than one value was given where one is meant, so none was used.")
# By parameter and code, or by code alone; what is left is a thing in the address that a reader did not type.
_SAID: dict[str | tuple[str, str], str] = {
    "repeated": _REPEATED,
    "too_many": _TOO_MANY,
    "too_long": _TOO_LONG,
    "not_a_date": _NO_DATE,
    "too_deep": msg("Only the first %(deepest)s results can be paged through, so this is the first page."),
    ("sort", "unknown_value"): msg("There is no order %(value)s, so it was not used."),
    ("q", "repeated"): msg("More than one search was given; the first was used."),
    ("q", "too_long"): msg("Your search was longer than %(longest)s characters; the first %(longest)s were used."),
    ("page", "not_a_number"): _NO_PAGE,
    ("page", "out_of_range"): _NO_PAGE,
    ("per_page", "not_a_number"): _PAGE_OF,
    ("per_page", "out_of_range"): _PAGE_OF,
}
# Parameters that a reader knows; all others are things in the address.
KNOWN = ("q", "section", "tag", "author", "language", "from_date", "to_date", "sort", "page", "per_page")
MOST_NAMED = 3  # things in the address; more are counted

# Why a part of a query was left out, as `search` says it.
REASONS = (
    msg("there is no word in it"),
    msg("the quotation mark has no partner"),
    msg("a date holds for the whole search, and stands outside OR and parentheses"),
    msg("parentheses are read 8 deep"),
    msg("what is left out of what is left out"),
    msg("it stands before what to leave out"),
    msg("it stands between two things to find"),
    msg("what is left out is left out of the whole, not of one side of OR"),
    msg("a query has 8 phrases at most"),
    msg("a star between quotation marks stands for nothing"),
    msg("a star stands after 3 letters or more, at the end of a word"),
    msg("only the first 512 characters are read"),
    msg(
        "that is no date; write a year, a month, a day or an instant: 2025, 2025-08, 2025-08-06 or 2025-08-06T14:30:00Z"
    ),
)


def notices(
    problems: Sequence[Problem],
    given: Mapping[str, Sequence[str]],
    answer: Answer,
    language: Language,
    timezone: tzinfo,
    *,
    is_narrowed: bool,
) -> list[str]:
    """What could not be used of the parameters that were given and of the query, and what was answered instead."""
    said = [_said(problem, given, language, timezone) for problem in problems if problem.parameter in KNOWN]
    said += _things([problem.parameter for problem in problems if problem.parameter not in KNOWN], language)
    said += _ignored(answer.query, language)
    if answer.is_unquoted:
        said.append(
            language.text(
                "No article has what you put in quotation marks together with all else that is asked for; "
                "these were found by its words."
            )
        )
    if answer.relaxed:
        said.append(_relaxed(answer, language, is_narrowed=is_narrowed))
    return list(dict.fromkeys(said))


def _said(problem: Problem, given: Mapping[str, Sequence[str]], language: Language, timezone: tzinfo) -> str:
    if problem.code == "dates_reversed":
        first, last = (_date(_value(given[name]), language, timezone) for name in ("from_date", "to_date"))
        return language.text(
            "The dates were the wrong way round, so they were not used: from %(first)s to %(last)s.",
            first=first,
            last=last,
        )
    return language.text(
        _SAID.get((problem.parameter, problem.code)) or _SAID[problem.code],
        value=_quoted(_value(given[problem.parameter]), language),
        per_page=language.number(PER_PAGE),
        most_values=language.number(MOST_VALUES),
        longest_value=language.number(LONGEST_VALUE),
        longest=language.number(LONGEST_TEXT),
        deepest=language.number(DEEPEST),
    )


def _things(names: Sequence[str], language: Language) -> list[str]:
    if not names:
        return []
    if len(names) > MOST_NAMED:
        return [
            language.texts_for(
                "%(num)s thing in this address could not be used.",
                "%(num)s things in this address could not be used.",
                len(names),
            )
        ]
    listed = language.text(", ").join(_quoted(name, language) for name in names)
    return [language.text("This was not used of the address: %(names)s.", names=listed)]


def _ignored(query: Query, language: Language) -> list[str]:
    return [
        language.text(
            "Your search has more than %(most)s words; only the rarest were used.", most=language.number(MOST_WORDS)
        )
        if part.reason == TOO_MANY_WORDS
        else language.text("“%(part)s” was left out: %(reason)s.", part=part.text, reason=language.text(part.reason))
        for part in query.ignored
    ]


def _relaxed(answer: Answer, language: Language, *, is_narrowed: bool) -> str:
    if answer.whole and answer.has_most:
        return language.texts_for(
            "%(num)s article has all these words; the others have most of them.",
            "%(num)s articles have all these words; the others have most of them.",
            answer.whole,
        )
    if answer.whole:
        return language.texts_for(
            "%(num)s article has all these words; the others have some of them.",
            "%(num)s articles have all these words; the others have some of them.",
            answer.whole,
        )
    if is_narrowed:
        if answer.has_most:
            return language.text("Of what is chosen, no article has all these words; these have most of them.")
        return language.text("Of what is chosen, no article has all these words; these have some of them.")
    if answer.has_most:
        return language.text("No article has all these words; these have most of them.")
    return language.text("No article has all these words; these have some of them.")


def _quoted(text: str, language: Language) -> str:
    return language.text("“%(text)s”", text=shortened(text))


def _value(texts: Sequence[str]) -> str:
    return next(text.strip() for text in texts if text.strip())


def _date(text: str, language: Language, timezone: tzinfo) -> str:
    """9 March 2026; an instant as it was written."""
    whole = span(text, timezone)
    return text if ":" in text else language.span(whole.start, whole.end, timezone)
