"""What a reader means, a row each. Queries are written in a short form: see `short`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import fields
from search.clauses import Both, Clause, Either, Near, Phrase, Prefix, Word
from search.query import Filters, Query, parse, terms


def short(clause: Clause) -> str:
    """`form`, `"exact phrase"`, `~any form~`, `prefix*`, `{either|or}`, `(both and)`, each with its `field:`."""
    match clause:
        case Word(_, form, field):
            text = form
        case Phrase(words, exact, field):
            quote = '"' if exact else "~"
            text = quote + " ".join(word.form for word in words) + quote
        case Near(words, slop, field):
            text = f"~{' '.join(word.form for word in words)}~{slop or ''}"
        case Prefix(begin, field):
            text = begin + "*"
        case Either(of):
            return "{" + "|".join(map(short, of)) + "}"
        case Both(of):
            return "(" + " ".join(map(short, of)) + ")"
    return f"{field}:{text}" if field else text


def shorts(asked: Query) -> str:
    """All clauses: required, `+` what adds to the score, `-` excluded; without the pairs of words that tell."""
    return " ".join(
        [*map(short, asked.required)]
        + ["+" + short(clause) for clause in (*asked.optional, *(near for near in asked.near if not near.slop))]
        + ["-" + short(clause) for clause in asked.excluded]
    )


MEANT = [
    ("", ""),
    (" \t\n", ""),
    ("climate change", "climate change"),
    ("climate climate Climate", "climate"),
    ("Café O’Neill", "cafe oneill"),
    # phrases
    ('"climate change"', '"climate change"'),
    ("„Klima“ «le monde» “a b” ″c d″ ＂e f＂", '"klima" "le monde" "a b" "c d" "e f"'),
    ('"universities"', '"universities"'),
    ('"U.S. COVID-19 rules"', '"US COVID 19 rules"'),
    ('""', ""),
    ('"" x', "x"),
    ('"climate change', "climate change"),
    ('say "climate change" now" then', 'say "climate change" +~now then~'),
    ("'climate change'", "climate change"),
    # exclusion
    ("alps -huts", "alps -huts"),
    ("alps –huts −snow —ice", "alps -huts -snow -ice"),
    ('alps -"ski huts"', 'alps -"ski huts"'),
    ("alps -title:huts -author:smith", "alps -title:huts -authors:smith"),
    ("alps NOT huts", "alps -huts"),
    ("alps NOT -huts", "alps -huts"),
    ("alps not huts", "alps huts +~alps not~ +~not huts~"),
    ("-huts", "-huts"),
    ("-(huts OR ski the) alps", "alps -({huts|ski} the)"),
    ("-((the alps))", "-(the alps)"),  # no pair of a stop word is wished for in what is left out
    ("-bbc.co.uk alps", "alps -~bbc co uk~"),
    ("-elect* alps", "alps -elect*"),
    ("alps - huts", "alps huts"),
    ("alps -", "alps"),
    ("alps -!!!", "alps"),
    ("alps --huts", "alps huts"),
    ("ski-huts", "{skihuts|~ski huts~}"),
    # OR
    ("alps OR huts", "{alps|huts}"),
    ("alps | huts|ice", "{alps|huts|ice}"),
    ("alps OR huts snow", "{alps|huts} snow"),
    ("snow alps OR huts OR ice", "snow {alps|huts|ice}"),
    ("a OR b c OR d", "{a|b} {c|d}"),
    ('"a b" OR elect* OR COVID-19', '{"a b"|elect*|{covid19|~COVID 19~}}'),
    ("alps or huts", "alps huts +~alps or~ +~or huts~"),
    ("alps AND huts", "alps huts"),
    ("US AND UK", "US UK +~US UK~"),
    ("either/or OR this", "{(either or)|this}"),
    ("the OR alps", "{the|alps}"),
    ("OR alps", "alps"),
    ("alps OR", "alps"),
    ("alps OR OR huts || ice", "{alps|huts|ice}"),
    ("alps OR -huts", "alps -huts"),
    ("alps OR -huts snow", "alps snow -huts"),
    ("snow -alps OR huts", "snow huts -alps"),
    # parentheses
    ("(alps OR huts) snow", "{alps|huts} snow"),
    ("(alps snow) OR (huts ice)", "{(alps snow)|(huts ice)}"),
    ("(alps (snow (ice)))", "alps snow ice"),
    ("alps) (snow", "alps snow"),
    ("f(x)", "f x"),
    ("() alps", "alps"),
    ("(alps -huts) snow", "alps snow -huts"),
    ("(-huts)", "-huts"),
    # prefixes
    ("elect*", "elect*"),
    ("Élect*, alps", "elect* alps"),
    ("e-mai* covid-1*", "emai* covid1*"),
    ("el*", "el"),
    ("ferr＊", "ferr*"),
    ("red｜blue", "{red|blue}"),
    ("*tion foo*bar x*", "tion foo bar x"),
    # fields
    ("title:alps", "title:alps"),
    ("Title: alps snow", "title:alps snow"),
    ("headline:alps by:smith text:snow tags:ice", "title:alps authors:smith body:snow tags:ice"),
    ('title:"the alps" title:elect*', 'title:"the alps" title:elect*'),
    ("title:(alps OR huts) snow", "{title:alps|title:huts} snow"),
    ("title:(the alps)", "title:alps +title:~the alps~"),
    ("title:the alps", "title:the alps"),
    ("title:author:smith", "authors:smith"),
    ("title:COVID-19", "{title:covid19|title:~COVID 19~}"),
    ("title:", "title"),
    ("alps title: OR snow", "alps {title|snow}"),
    ("foo:bar 10:30", "foo bar 10 30"),
    ("https://example.com/a?b=c", "https example com a b c"),
    # words of several parts
    ("COVID-19", "{covid19|~COVID 19~}"),
    ("covid19", "covid19"),
    ("2019-2020", "~2019 2020~"),
    ("a-b-c-d-e-f", "~a b c d e f~"),
    ("S&P 500, C++", "S&P 500 c++"),
    # stop words
    ("the economy", "economy +~the economy~"),
    ("state of the union", "state union +~state of~ +~of the~ +~the union~"),
    ("to be or not to be", "to be or not +~to be~ +~be or~ +~or not~ +~not to~"),
    ("To be OR NOT to be", "to be or not +~to be~ +~be or~ +~or not~ +~not to~"),
    ("TO BE OR NOT TO BE", "to be or not +~to be~ +~be or~ +~or not~ +~not to~"),
    ("The Who", "the who +~the who~"),
    ("the who -tommy", "the who +~the who~ -tommy"),
    ("The Who concert", "concert +~the who~ +~who concert~"),
    ('the "climate change"', '"climate change"'),
    ("the elect*", "elect*"),
    ("US elections", "US elections +~US elections~"),
    ("us elections", "elections +~us elections~"),
    ("U.S. elections", "US elections +~US elections~"),
    ("IT outage", "IT outage +~IT outage~"),
    ("WHO report", "WHO report +~WHO report~"),
    ("US", "US"),
    ("US GDP", "US GDP +~US GDP~"),
    ("Theresa May", "theresa may +~theresa may~"),
    ("theresa may", "theresa +~theresa may~"),
    ("THERESA MAY", "theresa +~theresa may~"),
    ("Will Smith", "will smith +~will smith~"),
    ("will smith", "smith +~will smith~"),
    ("Prime Minister Theresa May", "prime minister theresa may +~theresa may~"),
    (
        "What is the deal with Theresa May",
        "deal theresa may +~what is~ +~is the~ +~the deal~ +~deal with~ +~with theresa~ +~theresa may~",
    ),
    ("The economy", "economy +~the economy~"),
    ("What Is The Economy", "economy +~what is~ +~is the~ +~the economy~"),
]


@pytest.mark.parametrize(("text", "expected"), MEANT)
def test_meaning(text: str, expected: str) -> None:
    assert shorts(parse(text)) == expected


NEARNESS = [  # what is typed -> the pairs that score where they stand near each other; with the places between them
    ("climate change", ["~climate change~2"]),
    ("climate", []),
    ("ban on single use plastics", ["~ban on~", "~on single~", "~ban single~2", "~single use~2", "~use plastics~2"]),
    ("the who", []),  # of stop words alone the pair is asked of every article
    ("alps OR huts snow", []),
    ("title:(alps huts)", ["title:~alps huts~2"]),
    ("-(alps huts) snow", []),
    ('"red green"~5 blue', []),
]


@pytest.mark.parametrize(("text", "expected"), NEARNESS)
def test_neighbours_score_where_they_stand_near_each_other(text: str, expected: list[str]) -> None:
    assert [short(near) for near in parse(text).near] == expected


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("heat", [1]),
        ("heat pump heat", [2**0.5, 1]),
        ("heat heat heat heat", [2]),
        ("heat heated", [1 / 2**0.5, 1 / 2**0.5]),
        ('heat "heat pump"', [1]),
    ],
)
def test_a_word_typed_again_weighs_more_but_less_each_time(text: str, weights: list[float]) -> None:
    words = [clause for clause in parse(text).required if isinstance(clause, Word)]
    assert [word.weight for word in words] == pytest.approx(weights)


@pytest.mark.parametrize(
    ("text", "enough"),
    [
        ("a", 1),
        ("alps huts", 1),
        ("the alps and the huts", 1),
        ("alps huts snow", 10),
        ("alps huts snow ice", 40),
        ('alps huts "snow ice"', 1),
        ("alps huts snow ice wind", 90),
    ],
)
def test_how_many_articles_with_all_words_are_enough(text: str, enough: int) -> None:
    assert parse(text).enough == enough
    assert parse(text, sort="newest").enough == 1


BOUNDS = [
    ("after:2023", datetime(2023, 1, 1, tzinfo=UTC), None),
    ("before:2023-05", None, datetime(2023, 5, 1, tzinfo=UTC)),
    (
        "after:2022 after:2023 before:2025 before:2024",
        datetime(2023, 1, 1, tzinfo=UTC),
        datetime(2024, 1, 1, tzinfo=UTC),
    ),
    ("-before:2023", datetime(2023, 1, 1, tzinfo=UTC), None),
    ("AFTER:2023-08-06T12:00:00Z", datetime(2023, 8, 6, 12, tzinfo=UTC), None),
    ("after: 2023", None, None),
    ("after:lunch", None, None),
]


@pytest.mark.parametrize(("text", "after", "before"), BOUNDS)
def test_dates_that_are_typed(text: str, after: datetime | None, before: datetime | None) -> None:
    asked = parse(f"alps {text}")
    assert (asked.after, asked.before) == (after, before)
    assert asked.required[0] == Word("alp", "alps")


IGNORED = [
    ("climate change -huts", []),
    ("alps - huts & ice", []),
    ("", []),
    ("?!", ["?!"]),
    ("-", ["-"]),
    ('"" ()', ['"" ()']),
    ('"climate', ['"']),
    ('"', ['"']),
    ("OR", ["OR"]),
    ("alps OR", ["OR"]),
    ("| alps", ["|"]),
    ("alps NOT", ["NOT"]),
    ("alps OR -huts", ["OR"]),
    ("el*", ["*"]),
    ("alps after:lunch", ["after:lunch"]),
    ("(alps after:2023) OR snow", ["after:2023"]),
    ("alps OR after:2023 snow", ["after:2023"]),
    ("alps -(after:2023 huts)", ["after:2023"]),
    ("„a b” 〝c d〟", []),
    ("after:2023", []),
    ("*tion foo*bar", ["*"]),
    ("2019-20*", ["*"]),
    ('"elect* day"', ["elect* day"]),
    ("(" * 9 + "alps" + ")" * 9 + " snow", ["("]),
    ("(alps -huts) OR snow", ["(alps -huts)"]),
    ("-(alps -huts) snow", ["(alps -huts)"]),
]


@pytest.mark.parametrize(("text", "expected"), IGNORED)
def test_what_was_ignored_is_said(text: str, expected: list[str]) -> None:
    asked = parse(text)
    assert [part.text for part in asked.ignored] == expected
    assert all(part.reason for part in asked.ignored)


def test_parentheses_too_deep_are_left_out() -> None:
    assert shorts(parse("(" * 9 + "alps" + ")" * 9 + " snow")) == "alps snow"
    assert shorts(parse("(" * 500 + "alps")) == "alps"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("alpine huts " * 100_000, ("alpine huts " * 43)[:510]),  # 512 would be in the middle of a word
        ("x" * 1_000_000, "x" * 512),
        (" " + "x" * 600, " " + "x" * 511),
    ],
)
def test_a_long_query_is_cut_and_said(text: str, read: str) -> None:
    asked = parse(text)
    assert asked.text.rstrip() == read.rstrip()
    assert asked.ignored[0].reason == "only the first 512 characters are read"
    assert text[len(asked.text) :].strip().startswith(asked.ignored[0].text[:60])


def test_a_word_has_a_stem_and_a_form() -> None:
    assert parse("Elections US").required == (Word("elect", "elections"), Word("us", "US"))


def test_what_the_caller_chose_is_kept() -> None:
    filters = Filters(section=("World",), until=datetime(2025, 1, 1, tzinfo=UTC))
    asked = parse("alps", filters=filters, sort="newest", page=2, per_page=0, facets=("tag",), highlight=False)
    assert asked == Query(
        "alps",
        (Word("alp", "alps"),),
        filters=filters,
        sort="newest",
        page=2,
        per_page=0,
        facets=("tag",),
        highlight=False,
        enough=1,
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the alps -huts", ["alps", "~the alps~"]),
        ('"ski huts" OR (elect* alps) alps', ['"ski huts"', "elect*", "alps"]),
        ("COVID-19", ["covid19", "~COVID 19~"]),
        ("-huts", []),
        ("the who concert", ["concert", "~the who~", "~who concert~"]),
        ("what was said about the ferry fire", ["said", "ferry", "fire", "~was said~", "~said about~", "~the ferry~"]),
        ('"ferry fire"~5', ["ferry", "fire"]),
    ],
)
def test_terms_to_highlight(text: str, expected: list[str]) -> None:
    assert [short(term) for term in terms(parse(text))] == expected


PIECES = r"""
    ( ) " „ - — OR AND NOT | * ~5 after:2023 before:x title: by: x: a the The US May elect COVID-19
    é ' & + 10:30 ß 東京 🎉
"""
TEXTS = st.text() | st.lists(st.sampled_from([" ", " ", "\ud800", "\u0301", "\0", *PIECES.split()]), max_size=40).map(
    "".join
)


@given(TEXTS)
def test_any_text_is_a_query_and_nothing_is_a_silent_zero(text: str) -> None:
    asked = parse(text)
    assert asked.text == text
    is_used = asked.required or asked.excluded or asked.after or asked.before
    assert is_used or asked.ignored or not text.strip()
    for clause in terms(asked):
        assert short(clause)
        assert getattr(clause, "field", None) in {None, *fields.PREFIXES.values()}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ferr", "{ferr|ferr*}"),
        ("old ferr", "old {ferr|ferr*}"),
        ("ferry ", "ferry"),  # the word is finished
        ("fe", "fe"),  # two letters begin thousands of words
        ("Café", "{cafe|cafe*}"),
        ("e-ma", "{{ema|~e ma~}|ema*}"),
        ('"old ferr', "old {ferr|ferr*}"),
        ('"old ferr"', '"old ferr"'),
        ("ferr*", "ferr*"),
        ("ferr.", "ferr"),
        ("old -ferr", "old -ferr"),
        ("old (big OR ferr", "old {big|{ferr|ferr*}}"),
        ("title:ferr", "{title:ferr|title:ferr*}"),
        ("the", "{the|the*}"),
        ("after:2023", ""),
        ("bbc.co.uk", "bbc co uk"),
        ("", ""),
    ],
)
def test_the_last_word_may_be_the_beginning_of_one(typed: str, meant: str) -> None:
    assert shorts(parse(typed, prefix=True)) == meant
    assert parse(typed).required == parse(typed + " ", prefix=True).required


def test_words_may_be_looked_for_in_one_field() -> None:
    assert shorts(parse("ferry body:fire", field="title")) == "title:ferry body:fire"


@given(st.text(max_size=40))
def test_any_beginning_is_a_query(typed: str) -> None:
    parse(typed, prefix=True)
