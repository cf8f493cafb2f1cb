"""Where words are found with counts and without: the same places, whether a text was read or looked at."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer import sources
from search import analysis, judging, places
from search.clauses import Prefix
from search.places import Sought, _Page, find
from search.query import parse, terms
from search.snippets import cut_many

SAMPLE = Path(__file__).parent.parent / "sample_corpus"


def counted(text: str, query: str) -> dict[str, int]:
    """What an engine says of a text: how often each stem stands in it, and each prefix."""
    tokens = analysis.tokens(text)
    asked = terms(parse(query))
    counts = dict.fromkeys(Sought(asked).stems, 0) | Counter(token.stem for token in tokens)
    for term in asked:
        if isinstance(term, Prefix):
            counts[f"{term.text}*"] = sum(token.form.lower().startswith(term.text) for token in tokens)
    return counts


def of_stems(tokens: list[analysis.Token]) -> dict[str, list[str]]:
    forms: dict[str, set[str]] = {}
    for token in tokens:
        forms.setdefault(token.stem, set()).add(token.form)
    return {stem: sorted(of) for stem, of in forms.items()}


def same(text: str, query: str, forms: dict[str, list[str]]) -> bool:
    asked = terms(parse(query))
    read = sorted(_Page(text, Sought(asked)).read())
    found = find(text, Sought(asked, None, forms), counted(text, query))
    cuts = cut_many(text, Sought(asked, None, forms), 2, counted(text, query))
    return found == read == find(text, Sought(asked)) and cuts == cut_many(text, Sought(asked))


HIDDEN = [  # what is written otherwise than its form, or within another word
    ("us", "The U.S. and us, U.S.-led; the bus, US's"),
    ("US", "us and US"),
    ("cafe", "Café, cafe, cafés; CAFE\u0301S cafe"),
    ("2000", "2,000 and 2000 of 12,000 and 2000,000"),
    ("email", "e-mail email E-Mail, an email-er"),
    ("COVID-19", "COVID-19, covid19 and covid 19; COVID‑19’s"),
    ("covid*", "COVID-19, covid; Covids"),
    ("running", "run-ning, run, running"),
    ('"run home"', "run-ning home; run home"),
    ('"e mail rules" email', "e-mail rules; e mail -- rules, email rules"),
    ('"the economy"', "The—economy. The ' economy, the ʹ economy; the\neconomy; the  economy"),
    ("dying sky", "Die, dying: skies; DIED"),
    ("oneill", "O’Neill O'Neill's ONeill"),
    ("c", "C, C++ C# c. .c"),
    ("s", "It's s's S 's"),
    ("x", "a-x-b x_y _x_ x\u0301 x\u00ad x'x x' x's' x."),
    ("THE END", "THE END OF US"),
    ("alps", "İİ alps ALPS"),
    ("word", "x" * 300 + "word word"),
]


@pytest.mark.parametrize(("query", "text"), HIDDEN)
def test_hidden_words_are_found(query: str, text: str) -> None:
    assert same(text, query, of_stems(analysis.tokens(text)))
    assert same(text, query, {})


PIECES = """
    the US us U.S. run running Run- RUN run-ning
    COVID-19 covid 19 2,000 2000 ' ’s 's - . , & _ é \u0301 \u00ad + # “ ”
"""
TEXTS = st.lists(st.sampled_from([*PIECES.split(), *[" "] * 9, "\n", "\xa0"]), max_size=60).map("".join)
QUERIES = st.sampled_from(
    [
        "run",
        "running us",
        "US",
        '"us run"',
        '"the run"',
        "run*",
        "covid*",
        "COVID-19",
        "the run",
        "2000",
        "s",
        '"the us run"',
    ]
)


@given(TEXTS, QUERIES, st.booleans())
def test_looking_finds_what_reading_finds(text: str, query: str, known: bool) -> None:
    assert same(text, query, of_stems(analysis.tokens(text)) if known else {})


def test_looking_finds_what_reading_finds_for_the_questions_of_the_sample() -> None:
    articles = {read.article.id: read.article for read in sources.read([SAMPLE]) if isinstance(read, sources.Read)}
    forms = of_stems([token for article in articles.values() for token in analysis.tokens(article.body)])
    for question in judging.read(SAMPLE / "questions.csv"):
        for id in question.grades:
            assert same(articles[id].body, question.text, forms)
            assert same(articles[id].title, question.text, forms)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("email", "An e-mail; emails, and E-Mail"),
        ("cooperative", "The co-operative and its (Co‑operative) rules"),
        ("noncommissioned us", "a non-commissioned officer told us"),
        ("covid*", "CO-VID and covid"),
    ],
)
def test_a_hyphen_more_does_not_have_a_text_read_through(query: str, text: str) -> None:
    filler = "Nothing of the kind. " * 50
    long = filler + text + filler
    sought, counts = Sought(terms(parse(query))), counted(long, query)
    with mock.patch.object(analysis, "WORD", wraps=analysis.WORD) as read:
        assert find(long, sought, counts)
        spans = [call.args[2] - call.args[1] for call in read.finditer.call_args_list]
    assert 0 < sum(spans) < len(text)


@pytest.mark.parametrize("space", ["\n", "\t", "\xa0"])
def test_a_phrase_in_a_text_without_spaces_is_not_looked_for_by_reading_it_again_and_again(space: str) -> None:
    text = space.join(["prime", "minister"] * 400)
    with mock.patch.object(places, "analysis", wraps=analysis) as read:
        read.WORD = mock.Mock(wraps=analysis.WORD)
        assert same(text, '"prime minister"', {})
        spans = [call.args[2] - call.args[1] for call in read.WORD.finditer.call_args_list]
    assert sum(spans) < 12 * len(text)
