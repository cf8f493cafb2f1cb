"""The stemmer says what NLTK's says."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.stem.snowball import EnglishStemmer
from scale import SOAK

from search import analysis
from search.stemmer import stem

SAMPLE = Path(__file__).parent.parent / "sample_corpus"
NAMES = vars(EnglishStemmer)
ENDINGS = sorted({ending for name, of in NAMES.items() if name.endswith("_suffixes") for ending in of})
SPECIAL = sorted(NAMES["_EnglishStemmer__special_words"])
BEGINNINGS = ["", "gener", "commun", "arsen", "y", "'", "’", *SPECIAL]
LETTERS = "aeiouyY" * 2 + "bcdfghklmnprstvwxz'’‘‛é1ßİ\n."

nltk = EnglishStemmer().stem


def words(most: int) -> st.SearchStrategy[str]:
    """A beginning, letters, and a chain of endings with a letter here and there between them."""
    ending = st.sampled_from(ENDINGS) | st.sampled_from(LETTERS)
    chain = st.lists(ending, max_size=4).map("".join)
    parts = st.sampled_from(BEGINNINGS), st.text(LETTERS, max_size=5), chain
    return st.tuples(*parts).map(lambda found: "".join(found).lower()[:most])


def test_the_words_of_the_sample() -> None:
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in SAMPLE.rglob("*") if path.is_file()]
    forms = {word.lower() for text in texts for word in analysis.WORD.findall(text)}
    assert len(forms) > 1_000
    assert {form: stem(form) for form in forms} == {form: nltk(form) for form in forms}


@pytest.mark.parametrize("word", [*SPECIAL, *analysis.STOP_WORDS, *ENDINGS, "", "y", "yy", "'''", "''s", "'s'"])
def test_words_of_the_lists(word: str) -> None:
    assert stem(word) == nltk(word)


def test_every_chain_of_two_endings() -> None:
    begins = ("", "b", "ab", "bab", "babab", "hop", "gener")
    chains = {begin + one + other for begin in begins for one in ENDINGS for other in ("", *ENDINGS)}
    assert {word: stem(word) for word in chains} == {word: nltk(word) for word in chains}


@settings(max_examples=2_000 * SOAK, deadline=None)
@given(words(30))
def test_words_of_all_endings(word: str) -> None:
    assert stem(word) == nltk(word)


@settings(max_examples=1_000 * SOAK, deadline=None)
@given(st.text(LETTERS, max_size=30) | st.text(max_size=30))
def test_any_letters(text: str) -> None:
    word = text.lower()
    assert stem(word) == nltk(word)
