"""What is shown of a text and marked in it, a row each: `[..]` for a mark, `…` for what was left out."""

from __future__ import annotations

import re
import sys
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import snippets
from search.places import Sought
from search.query import parse, terms
from search.snippets import Snippet, beginning, cut, cut_many, mark, to_html


def sought(query: str, field: str = "body") -> Sought:
    return Sought(terms(parse(query)), field)


def shown(snippet: Snippet) -> str:
    text, at = "… " if snippet.before else "", 0
    for start, end in snippet.marks:
        text += f"{snippet.text[at:start]}[{snippet.text[start:end]}]"
        at = end
    return text + snippet.text[at:] + (" …" if snippet.after else "")


MARKED = [
    ("election", "Elections were electing an election.", "[Elections] were [electing] an [election]."),
    ("university", "A universe of universities", "A [universe] of [universities]"),
    ("news", "New news", "New [news]"),
    ("cafe", "The CAFÉ, the cafe\u0301s", "The [CAFÉ], the [cafe\u0301s]"),
    ("oneill", "O’Neill’s luck", "[O’Neill’s] luck"),
    ("mail", "An e-mail", "An e-[mail]"),
    ("email", "An e-mail", "An [e-mail]"),
    ("e-mail", "email or E-mail or e mail", "[email] or [E-mail] or [e mail]"),
    ("covid19", "COVID-19 and covid 19", "[COVID-19] and covid 19"),
    ("US", "The US told us", "The [US] told us"),
    ("U.S.", "The U.S. told us", "The [U.S.] told us"),
    ("US", "They told us", "They told [us]"),
    ("US", "US ELECTIONS", "[US] ELECTIONS"),
    ("us told", "The US told us", "The [US told] us"),
    ("C++ S&P", "C, C++, S&P, S and P", "C, [C++], [S&P], S and P"),
    # phrases
    ('"climate change"', "Climate change, the change of climate", "[Climate change], the change of climate"),
    ('"climate change"', "climates changed; climate   change", "climates changed; [climate   change]"),
    ('"climate change" change', "change of climate change", "[change] of [climate change]"),
    ('"the the"', "The the the, the", "[The the the, the]"),
    ('"universities"', "university, universities", "university, [universities]"),
    ('"COVID-19 rules"', "COVID-19 rules, covid 19 rules", "[COVID-19 rules], [covid 19 rules]"),
    ("the economy", "The economy of the land", "[The economy] of the land"),
    ("2019-2020", "in 2019, 2020 and 2019", "in [2019, 2020] and 2019"),
    # prefixes, OR, groups, exclusions, fields
    ("elect*", "Elections, ÉLECTION, select", "[Elections], [ÉLECTION], select"),
    ("covid1*", "a COVID-19 case", "a [COVID-19] case"),
    ("alps OR (huts snow)", "snow on huts in alps", "[snow] on [huts] in [alps]"),
    ("alps -huts", "alps huts", "[alps] huts"),
    ("title:alps huts", "alps huts", "[alps] [huts]"),
    ("body:alps huts", "alps huts", "alps [huts]"),
    ("", "alps", "alps"),
    ("alps", "", ""),
    ("الكتاب", "قرأت الكِتَابَ أمس", "قرأت [الكِتَابَ] أمس"),
    ("हिन्दी", "यह हिन्दी है", "यह [हिन्दी] है"),
]


@pytest.mark.parametrize(("query", "text", "expected"), MARKED)
def test_marks(query: str, text: str, expected: str) -> None:
    assert shown(mark(text, sought(query, "title"))) == expected


def test_a_field_is_marked_in_that_field_only() -> None:
    assert mark("alps", sought("title:alps", "title")).marks == ((0, 4),)
    assert cut("alps", sought("title:alps")).marks == ()
    assert cut("alps", sought("title:alps", "title")).marks == ((0, 4),)


FILLER = "Nothing that matters stands in this sentence at all. " * 20
FIRST = "Dr. J. Smith of the U.S. Senate climbed the Alps on Jan. 5 with all of his friends from the valley below."
SECOND = "The huts were closed, all of them!"

CUT = [  # how the passage begins
    (
        "alps huts",
        f"{FILLER}{FIRST} {SECOND} {FILLER}",
        "… Dr. J. Smith of the U.S. Senate climbed the [Alps] on Jan. 5",
    ),
    ("alps", f"Alps. {FILLER} Alps huts. {FILLER}", "[Alps]. Nothing"),
    ("alps huts", f"Alps. {FILLER} Alps huts. {FILLER}", "… [Alps] [huts]. Nothing"),
    ("huts", f"Hut. {FILLER} Huts. {FILLER}", "… [Huts]. Nothing"),  # the word as typed before its stem-mate
    ('"ski hut" alps ice', f"Alps and ice. {FILLER} A ski hut. {FILLER}", "… A [ski hut]."),
    ("huts", f"{FILLER}\n\nA line without an end\nof huts\n{FILLER}", "… of [huts] Nothing"),
    ("huts", f"{'قال الرجل إن الطقس جميل؟ ' * 30}Huts. {FILLER}", "… [Huts]. Nothing"),
    ("大阪", f"{'東京都。' * 99}大阪。{'東京都。' * 99}", "… [大阪]。東京都。"),
    ("alps", FILLER, "Nothing that matters"),
    ("alps", " \n", ""),
]


@pytest.mark.parametrize(("query", "text", "expected"), CUT)
def test_the_best_passage(query: str, text: str, expected: str) -> None:
    snippet = cut(text, sought(query))
    assert shown(snippet).startswith(expected)
    assert len(snippet.text) <= snippets.MOST


def test_a_passage_is_whole_sentences_where_they_fit() -> None:
    assert shown(cut(FILLER, Sought(()))) == "Nothing that matters stands in this sentence at all. " * 3 + (
        "Nothing that matters stands in this sentence at all. …"
    )


def test_a_passage_is_whole_words_where_sentences_do_not_fit() -> None:
    snippet = cut("and so on " * 100 + "to the alps " + "and so on " * 100, sought("alps"))
    assert snippet.text.startswith(("and ", "so ", "on "))
    assert snippet.text.endswith((" and", " so", " on"))
    assert snippets.LEAST <= len(snippet.text) <= snippets.MOST


def test_a_match_at_the_end_is_shown_with_what_comes_before() -> None:
    snippet = cut(f"{FILLER}The alps.", sought("alps"))
    assert snippet.text.endswith("The alps.")
    assert len(snippet.text) > snippets.LEAST
    assert (snippet.before, snippet.after) == (True, False)


@pytest.mark.parametrize("text", ["東京都" * 200, "e\u0301" * 400, "👩‍💻" * 200, "x" * 1000, "\u0301" * 1000])
def test_a_text_without_spaces_is_cut_between_characters(text: str) -> None:
    snippet = cut(text, Sought(()))
    assert 0 < len(snippet.text) <= snippets.MOST
    rest = text[len(snippet.text) :]
    assert not rest.startswith(("\u0301", "\u200d", "💻")) or set(text) == {"\u0301"}


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("alps huts", f"Huts. {FILLER} Alps. {FILLER}", 2),  # the second shows what the first does not
        ("alps huts", f"Alps and huts. {FILLER} Alps. {FILLER}", 1),
        ("alps huts", f"Alps and huts. {FILLER} Huts, alps. {FILLER}", 2),  # as good as the first
        ("alps", "The alps and the alps.", 1),
        ("alps", FILLER, 0),
        ("alps", "", 0),
    ],
)
def test_a_second_passage_must_be_worth_it(query: str, text: str, expected: int) -> None:
    cuts = cut_many(text, sought(query))
    assert len(cuts) == expected
    assert [text.index(one.text) for one in cuts] == sorted(text.index(one.text) for one in cuts)


HTML = [
    ("rock", "Rock & <b>roll</b>", "<mark>Rock</mark> &amp; &lt;b&gt;roll&lt;/b&gt;"),
    ("b", '<b>"it\'s"</b>', "&lt;<mark>b</mark>&gt;&quot;it&#x27;s&quot;&lt;/<mark>b</mark>&gt;"),
    ("amp", "&amp; &lt;", "&amp;<mark>amp</mark>; &amp;lt;"),
    ("S&P", "the S&P 500", "the <mark>S&amp;P</mark> 500"),
    ("a", "a\nb\x00\ud800c", "<mark>a</mark> b  c"),
]


@pytest.mark.parametrize(("query", "text", "expected"), HTML)
def test_html(query: str, text: str, expected: str) -> None:
    assert to_html(mark(text, sought(query))) == expected


def test_html_says_where_text_was_left_out() -> None:
    assert to_html(Snippet("a < b", ((0, 1),), before=True, after=True)) == "… <mark>a</mark> &lt; b …"


PIECES = """alps Alps’ huts hut the US us COVID-19 <b> & &amp; . ! 。 ؟ Dr. 東京 e\u0301 👩\u200d💻"""
TEXTS = st.text() | st.lists(st.sampled_from([*PIECES.split(), " ", " ", "\n", "\ud800"]), max_size=300).map("".join)
QUERIES = st.sampled_from(
    ["alps", "huts alps", '"the alps"', "the hut", "al*", "alp*", "US", "COVID-19", "東京", "b amp", "-a"]
)


@given(TEXTS, QUERIES)
def test_passages_are_of_the_text_and_html_says_the_same(text: str, query: str) -> None:
    asked = sought(query)
    found = cut_many(text, asked) or (beginning(text),)
    assert cut(text, asked) in found or len(found) > 1
    for snippet in (*found, mark(text, asked)):
        assert all(0 <= start < end <= len(snippet.text) for start, end in snippet.marks)
        assert all(a[1] <= b[0] for a, b in zip(snippet.marks, snippet.marks[1:], strict=False))
        html = to_html(snippet).removeprefix("… " if snippet.before else "").removesuffix(" …" if snippet.after else "")
        assert unescape(re.sub("</?mark>", "", html)) == snippet.text
    for snippet in found:
        assert len(snippet.text) <= snippets.MOST
        assert snippet.text in snippets._BLANK.sub(" ", text)
    assert bool(mark(text, asked).marks) <= any(snippet.marks for snippet in found)


def test_white_space_is_blank() -> None:
    assert all(
        snippets._BLANK.fullmatch(chr(code)) for code in range(sys.maxunicode) if chr(code).isspace() and code != 32
    )
