"""What the analysis must get right, a row each."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.stem.snowball import EnglishStemmer

from search import analysis
from search.analysis import Part, Token, fold, is_shouting, parts, stem, tokens


def forms(text: str) -> str:
    """The forms of a text as the index sees them: `/` before an alternative at the same place."""
    found, position = "", -1
    for token in tokens(text):
        found += ("/" if token.position == position else " ") + token.form
        position = token.position
    return found.strip()


SAME = [  # every spelling of a row gives the same forms
    ("café", "cafe", "Café", "cafe\u0301", "ｃａｆｅ́", "ca\u00adfe", "ca\u200bfe"),
    ("oneill", "O’Neill", "O'Neill", "ONeill", "OʼNeill", "O＇Neill", "O`Neill", "O’Neill’s"),
    ("trump", "Trump’s", "Trump's", "Trumpʼs", "Trump", "Trump'"),
    ("dont", "don't", "don’t", "Dont"),
    ("US", "U.S.", "U.S", "US", "U.S.’s", "US's", "ＵＳ"),
    ("UN", "U.N.", "UN"),
    ("JK rowling", "J.K. Rowling", "JK Rowling", "J.K.Rowling"),
    ("eg", "e.g.", "eg", "e.g"),
    ("2000", "2,000", "2000", "２０００", "٢٠٠٠"),
    ("1250000", "1,250,000", "1250000"),
    ("final", "ﬁnal", "final"),
    ("strasse", "Straße", "STRASSE", "strasse"),
    ("lodz", "Łódź", "lodz"),
    ("malmo", "Malmø", "malmö"),
    ("encyclopaedia", "encyclopædia", "encyclopaedia"),
    ("istanbul", "İstanbul", "istanbul", "ıstanbul"),
    ("hawaii", "Hawaiʻi", "Hawai‘i", "Hawaii"),
    ("ежик", "Ёжик", "ежик", "Ежик"),
    ("αθηνα", "Αθήνα", "αθηνα"),
    ("σοφοσ", "σοφός", "ΣΟΦΌΣ"),
    ("الكتاب", "الكِتَابُ", "الكتــاب", "الكتاب"),
    ("שלום", "שָׁלוֹם", "שלום"),
    ("צהל", "צה״ל", "צהל"),
]


@pytest.mark.parametrize("row", SAME, ids=lambda row: row[0])
def test_spellings_of_one_word(row: tuple[str, ...]) -> None:
    assert {forms(f"the {spelling} so") for spelling in row} == {
        f"the {fold(row[0]) if row[0].islower() else row[0]} so"
    }


FORMS = [
    ("S&P 500", "S&P 500"),
    ("AT&T and R&D, Q&A", "AT&T and R&D Q&A"),
    ("Johnson&Johnson", "johnson johnson"),
    ("Marks & Spencer", "marks spencer"),
    ("C++, C# and F#. Page#2, #MeToo", "c++ c# and f# page 2 metoo"),
    ("a .NET house", "a NET house"),
    ("Covid-19 cases", "covid/covid19 19 cases"),
    ("the COVID-19 wave", "the COVID/covid19 19 wave"),
    ("the coronavirus COVID‑19’s", "the coronavirus COVID/covid19 19"),
    ("e-mail, E‐mail, email", "e/email mail e/email mail email"),
    ("U.S.-led and US-UK", "US/usled led and US/USUK UK"),
    ("CD-ROM or CDROM", "CD/CDROM ROM or CDROM"),
    ("a state-of-the-art thing", "a state/stateoftheart of the art thing"),
    ("a-b-c-d-e", "a/abcde b c d e"),
    ("the follow-upʼs, 2-3's", "the follow/followup up 2/23 3"),
    ("a-b-c-d-e-f", "a b c d e f"),
    ("2019-2020", "2019 2020"),
    ("2019–2020", "2019 2020"),
    ("on 2025-08-06", "on 2025 08 06"),
    ("won 3-2", "won 3 2"),
    ("3.5 per cent, 2,000.75", "3.5 per cent 2000.75"),
    ("3,5 and 2019,2020,2021", "3 5 and 2019 2020 2021"),
    ("in 2019.The end", "in 2019 the end"),
    ("Python 3.11.2", "python 3.11.2"),
    ("$2,000m 50%", "2000m 50"),
    ("www.example.com/a_b", "www example com a b"),
    ("_emphasis_ __init__", "emphasis init"),
    ("one—two -- three - four", "one two three four"),
    ('‘quoted’ "words" `here`', "quoted words here"),
    ("’tis rock ’n’ roll", "tis rock n roll"),
    ("dogs’ James’s", "dogs james"),
    ("US, IT and the WHO", "US IT and the WHO"),
    ("let us say it, who?", "let us say it who"),
    ("IT’s and it’s", "IT and it"),
    ("A G20 MPs OPEC+ NASA UNESCO", "a g20 mps OPEC NASA unesco"),
    ("A GREEK ΕΕ and ΕΕΣ", "a GREEK ΕΕ and εεσ"),  # Python makes ΕΕΣ small with a final ς, the index does not
    ("THERESA MAY TELLS US", "theresa may tells us"),
    ("US GDP", "US GDP"),
    ("हिन्दी में", "हिन्दी में"),
    ("東京都, 大阪", "東京都 大阪"),
    ("서울 한국어", "서울 한국어"),
    ("がぎぐ", "がぎぐ"),
    ("🎉 ?! … ❤️ — ·", ""),
    ("1️⃣ 👩‍💻 x", "1 x"),
    ("a\x00b \ud800 c", "a b c"),
    ("x" * 70, "x" * 64),
    ("", ""),
]


@pytest.mark.parametrize(("text", "expected"), FORMS)
def test_forms(text: str, expected: str) -> None:
    assert forms(text) == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("news", "new", False),
        ("university", "universe", True),
        ("university", "universities", True),
        ("US", "us", True),
        ("elections", "Election", True),
        ("don't", "dont", True),
        ("cafés", "CAFE", True),
        ("C++", "C", False),
        ("C#", "C", False),
        ("S&P", "sp", False),
    ],
)
def test_stems(one: str, other: str, same: bool) -> None:
    assert (tokens(one)[0].stem == tokens(other)[0].stem) is same


def test_a_stem_is_of_small_letters() -> None:
    assert stem("US") == stem("us") == "us"
    assert [part.stem for part in parts("U.S.")] == ["us"]


def test_parts_of_a_text_in_capitals() -> None:
    assert parts("US")[0].form == "US"
    assert parts("US", True)[0].form == "us"


def test_offsets_are_those_of_the_original_text() -> None:
    assert tokens("The U.S. COVID-19’s\u00a0cafe\u0301.") == [
        Token("the", "the", 0, 0, 3),
        Token("us", "US", 1, 4, 8),
        Token("covid", "COVID", 2, 9, 14),
        Token("covid19", "covid19", 2, 9, 19),
        Token("19", "19", 3, 15, 19),
        Token("cafe", "cafe", 4, 20, 25),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("THERESA MAY", True),
        ("Theresa MAY", False),
        ("US GDP", False),
        ("US", False),
        ("", False),
        ("東京都庁舎前広場", False),
    ],
)
def test_shouting(text: str, expected: bool) -> None:
    assert is_shouting(text) is expected


def test_stop_words_are_forms() -> None:
    assert all(forms(word) == word for word in analysis.STOP_WORDS)
    assert 150 <= len(analysis.STOP_WORDS) <= 160


TEXTS = st.text() | st.text(st.sampled_from("aSé\u0301i'’-–.,&+#0٣ _İßﬁ字ا\u064bह\u0902\u200b\ud800\n"), max_size=40)


@given(TEXTS)
def test_any_text_has_tokens_at_their_places(text: str) -> None:
    position, start = -1, 0
    for token in tokens(text):
        raw = text[token.start : token.end]
        assert token.form
        assert token.form in {part.form for part in (*parts(raw), *parts(raw, True))}
        assert token.stem == stem(token.form)
        assert 0 <= token.position - position <= 1
        assert token.start >= start
        position, start = token.position, token.start


@given(TEXTS)
def test_folding_is_done_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


SAMPLE = Path(__file__).parent.parent / "sample_corpus" / "archive.jsonl"
SAMPLE_WORDS = frozenset(analysis.WORD.findall(SAMPLE.read_text(encoding="utf-8")))
ENDINGS = sorted({ending for name, of in vars(EnglishStemmer).items() if name.endswith("_suffixes") for ending in of})
WORDS = st.builds(
    str.__add__, st.text("aeiouybdgklmnrstAU2'é", max_size=6), st.sampled_from(["", "'s", "ll", *ENDINGS])
)

RAW_PIECES = ["US", "Ab", "x", "s", "12", "345", "'s", "ʼs", "’S", *"é--‑'’ʼ.,,&#_"]
RAWS = st.lists(st.sampled_from(RAW_PIECES), max_size=8).map("".join)


def slowly(raw: str, shouting: bool) -> tuple[Part, ...]:
    """The parts of a word, as they are made of any word that is not of plain letters."""
    forms = [(analysis._form(raw[start:end], shouting), step) for (start, end), step in analysis._pieces(raw)]
    return tuple(Part(EnglishStemmer().stem(form.lower()), form, step) for form, step in forms)


def test_the_quick_ways_give_the_same_for_the_words_of_the_sample() -> None:
    for raw in SAMPLE_WORDS:
        assert parts(raw) == slowly(raw, False)
        assert parts(raw, True) == slowly(raw, True)
        assert fold(raw) == fold(raw + "\u00ad")  # the soft hyphen counts for nothing, and is not ASCII


@given(WORDS | RAWS)
def test_the_quick_ways_give_the_same(raw: str) -> None:
    assert stem(raw) == EnglishStemmer().stem(raw.lower())
    assert parts(raw) == slowly(raw, False)
    assert parts(raw, True) == slowly(raw, True)
    assert fold(raw) == fold(raw + "\u00ad")


def test_a_word_with_no_ending_of_the_stemmer_is_its_own_stem() -> None:
    special = vars(EnglishStemmer)["_EnglishStemmer__special_words"]
    assert len(ENDINGS) > 50
    others = {ending for ending in {*ENDINGS, *special} if not ending.endswith(analysis._INFLECTED)}
    assert others == {"'", "'s'", "l"}  # no form has an apostrophe; the l is of a double one


def test_a_word_begins_as_its_stem_does_but_for_two_letters() -> None:  # by which `places` looks for it
    forms = {part.form.lower() for raw in SAMPLE_WORDS for part in parts(raw)}
    assert all(form.startswith(stem(form)[:-2] or stem(form)[:1]) for form in forms)


@given(WORDS)
def test_any_word_begins_as_its_stem_does_but_for_two_letters(raw: str) -> None:
    for part in parts(raw):
        assert part.form.lower().startswith(part.stem[:-2] or part.stem[:1])
