"""What an answer holds: results with the passages that show why, counts, and fewer words where all give nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from search import analysis, fields
from search.answer import TOO_MANY_WORDS, Answer, answer
from search.article import Article, from_dict
from search.clauses import Prefix
from search.engines import Engine, Found, Hit, Put, connect
from search.places import Sought
from search.query import Filters, parse, terms


def ask(engine: Engine, text: str, **asked: Any) -> Answer:
    return answer(engine, parse(text, **asked))


def ids(found: Answer) -> list[str]:
    return [result.article.id for result in found.results]


def marked(snippet: Any) -> list[str]:
    return [snippet.text[start:end] for start, end in snippet.marks]


@pytest.mark.parametrize(
    ("text", "title", "passages"),
    [
        ("glacier huts", ["Glacier", "huts"], ["huts", "glacier"]),
        ("warm", [], ["warm"]),  # of the summary: the body has not the word
        ("lima", [], []),  # found by its author: neither title nor text has the word
    ],
)
def test_a_result_shows_why_it_was_found(newsroom: Engine, text: str, title: list[str], passages: list[str]) -> None:
    result = ask(newsroom, text).results[0]
    assert result.article.id == "huts"
    assert marked(result.title) == title
    assert [word for snippet in result.snippets for word in marked(snippet)] == passages


def test_a_result_without_a_word_to_show_begins_with_the_summary(newsroom: Engine) -> None:
    assert ask(newsroom, "lima").results[0].snippets[0].text == "Wardens blame a warm summer."


@pytest.mark.parametrize(
    ("text", "passages"),
    [
        ("subhead:the", ["[The] way down"]),  # and no `the` of the text, which was not asked about
        ("subhead:down subhead:pays", ["Who [pays]", "The way [down]"]),
        ("subhead:pays huts", ["Who pays\n[Huts] are full. The way down\nTake the path."]),
        ("section:world", ["Who pays\nHuts are full. The way down\nTake the path."]),
        ("elsewhere", ["[Elsewhere]"]),
    ],
)
def test_a_subhead_shows_why_an_article_was_found(text: str, passages: list[str]) -> None:
    body = "Who pays\nHuts are full. The way down\nTake the path."
    subheads = ("Who pays", "The way down", "Elsewhere")  # the last of them not in the text
    article = Article(id="x", title="T", body=body, subheads=subheads, section="World")

    class One:
        def search(self, query: Any) -> Found:  # noqa: ARG002
            return Found((Hit(article, 1.0),), 1, {})

    (result,) = answer(One(), parse(text)).results  # type: ignore[arg-type]
    assert [bracketed(snippet) for snippet in result.snippets] == [part.replace("\n", " ") for part in passages]


@pytest.mark.parametrize(("text", "section"), [("section:world", ["World"]), ("title:snow", []), ("snow world", [])])
def test_a_section_is_marked_where_it_was_asked_for(newsroom: Engine, text: str, section: list[str]) -> None:
    for result in ask(newsroom, text).results:
        assert result.section is not None
        assert result.section.text == result.article.section
        assert marked(result.section) == section


JOINED: list[dict[str, Any]] = [
    {
        "title": "E-mail rules run",
        "summary": "US, us, U.S.; e mails",
        "body": "Run-ning e-mails, email of the U.S.-led " * 300,
    },
    {"title": "us", "body": "Running, runs: O'Neill's E-MAIL. COVID-19 and covid19, re-run run", "tags": ["email"]},
    {"title": "RUN US THE ELECTIONS", "summary": "Cafés, cafe; 2,000 of 2000", "body": "Nothing of it"},
]


@pytest.mark.parametrize(
    "text",
    ["e-mail OR run", "us OR email OR cafe", '"e mail" OR "covid 19" OR US', "run* OR ema*", "2000 OR oneill OR the"],
)
def test_an_engine_says_how_often_each_word_stands_in_a_text(tmp_path: Path, text: str) -> None:
    engine = connect(f"whoosh:{tmp_path}")
    for number, article in enumerate(JOINED):  # two segments or three
        engine.accept(engine.begin("test", []), [Put(from_dict({"id": f"a{number}", **article}), "test")])
        engine.catch_up()
    query = parse(text)
    asked = terms(query)
    found = engine.search(query)
    engine.close()
    assert found.hits
    for hit in found.hits:
        assert hit.counts is not None
        for field in ("title", "summary", "body"):
            tokens = analysis.tokens(getattr(hit.article, field))
            right = Counter(token.stem for token in tokens if token.stem in Sought(asked).stems)
            for prefix in (term.text for term in asked if isinstance(term, Prefix)):
                right[f"{prefix}*"] = sum(token.form.lower().startswith(prefix) for token in tokens)
            assert {key: count for key, count in hit.counts[field].items() if count} == {**+right}


def bracketed(snippet: Any) -> str:
    text, at = "", 0
    for start, end in snippet.marks:
        text += f"{snippet.text[at:start]}[{snippet.text[start:end]}]"
        at = end
    return text + snippet.text[at:]


def test_nothing_is_marked_unless_asked(newsroom: Engine) -> None:
    result = ask(newsroom, "glacier huts", highlight=False).results[0]
    assert not result.title.marks
    assert not any(snippet.marks for snippet in result.snippets)


def test_no_words_give_the_newest(newsroom: Engine) -> None:
    found = ask(newsroom, "")
    assert ids(found)[:3] == ["snow", "huts", "medal"]
    assert found.query.sort == "newest"
    assert (found.total, found.groups, found.pages) == (32, 32, 4)


@pytest.mark.parametrize(
    ("text", "minimum", "whole", "found"),
    [
        ("glacier huts", None, 1, ["huts"]),
        ("glacier huts zebra", 1, 0, ["huts", "snow"]),
        ("glacier zebra-like huts", 1, 0, ["huts", "snow"]),  # a hyphen is no insisting
        ("glacier huts snow", 1, 1, ["huts", "snow", "race"]),  # too few have all three
        ("zebra yak", None, 0, []),
        ('glacier (zebra OR "yak gnu")', None, 0, []),
        ("glacier title:zebra", None, 0, []),
        ("glacier (zebra OR yak)", None, 0, []),
        ("zebra", None, 0, []),
    ],
)
def test_where_too_few_have_all_words_some_will_do(
    newsroom: Engine, text: str, minimum: int | None, whole: int, found: list[str]
) -> None:
    got = ask(newsroom, text)
    assert (got.minimum, got.whole, got.relaxed) == (minimum, whole, minimum is not None)
    assert ids(got) == found
    assert got.total == len(found)


@pytest.mark.parametrize(
    ("text", "is_unquoted", "found"),
    [
        ('"glacier huts"', False, ["huts"]),
        ('"huts glacier"', True, ["huts"]),
        ('snow "the glacier huts zebra"', True, ["huts", "snow", "race"]),
        ('"zebra yak"', False, []),
        ('title:"huts glacier"', False, []),
        ('snow -"huts glacier"', False, ["huts", "race", "snow"]),
    ],
)
def test_where_nothing_has_what_was_quoted_its_words_will_do(
    newsroom: Engine, text: str, is_unquoted: bool, found: list[str]
) -> None:
    got = ask(newsroom, text)
    assert got.is_unquoted == is_unquoted
    assert sorted(ids(got)) == sorted(found)


def test_in_a_whole_sentence_quotation_marks_insist_on_nothing(newsroom: Engine) -> None:
    sentence = (
        'children were out before breakfast when snow fell thin and "it lay deep" on valley floors near glacier huts'
    )
    assert ids(ask(newsroom, sentence))[0] == "snow"
    assert not ask(newsroom, sentence).is_unquoted


def test_of_too_many_words_the_most_frequent_are_named(newsroom: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "MOST_WORDS", 2)
    found = ask(newsroom, "tide zebra huts glacier")
    assert ids(found)[0] == "huts"  # 25 articles have the tide, two the glacier, none the zebra
    assert [(part.text, part.reason) for part in found.query.ignored] == [("tide zebra", TOO_MANY_WORDS)]
    assert bracketed(found.results[0].title) == "[Glacier] [huts] close early"
    assert not any("tide" in id for id in ids(found))


def test_filters_stay_where_words_go(newsroom: Engine) -> None:
    found = ask(newsroom, "snow zebra", filters=Filters(section=("Sport",)))
    assert (found.minimum, found.whole) == (1, 0)
    assert ids(found) == ["race"]


def test_where_nothing_typed_is_of_use_nothing_is_found_and_that_is_said(newsroom: Engine) -> None:
    found = ask(newsroom, "?!", filters=Filters(section=("World",)), facets=("section", "date"))
    assert (found.total, found.pages, found.results) == (0, 0, ())
    assert found.query.ignored
    assert [(count.value, count.count, count.selected) for count in found.facets["section"].values] == [
        ("World", 0, True)
    ]
    assert found.facets["date"].values == ()


def test_leaving_words_out_ranks_nothing(newsroom: Engine) -> None:
    found = ask(newsroom, "-tide", per_page=3)
    assert found.total == 7
    assert ids(found) == ["snow", "huts", "medal"]


def test_a_page_past_the_end_is_empty_and_counts_all(newsroom: Engine) -> None:
    found = ask(newsroom, "tide", page=9)
    assert (found.total, found.pages, found.results) == (25, 3, ())


def test_counts_alone(newsroom: Engine) -> None:
    found = ask(newsroom, "tide", per_page=0)
    assert (found.total, found.pages, found.results) == (25, 0, ())
    assert found.took_ms >= 0
