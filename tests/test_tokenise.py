"""The tokeniser over bytes finds what the analysis finds, word by word, whatever the text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scale import SOAK

from search import analysis
from search.engines.whoosh import tokenise
from search.engines.whoosh.tokenise import Tokeniser

JOINERS = "'’‘`´-–—‑.,&+#\u00ad\u200d…“”•_/ \n\t()\x00\x1f"
PIECES = [
    *JOINERS,
    *"aZé1٣ßŁ中",
    "U.S.",
    "O’Neill",
    "rock-'n'-roll",
    "C++",
    "C#",
    "2,000",
    "3.5",
    "AT&T",
    "e\u0301",
    "x" * 30,
]
HARD = (
    "The U.S.-led force; U.S. and U.S, and the U.K.’s 2,000 men, 2,00 and 2,0000 ,5, .5 5.",
    "‘Quoted’ and “quoted”—dashed–joined…‘tis rock-'n'-roll, rock ’n’ roll, 'twas '90s, o'clock' -x- --y-- &z& &",
    "AT&T R&D Johnson&Johnson C++ C# F#m #tag a+b a++b +c+ ++ .net node.js e.g. i.e. a.b.c. ...d",
    "café CAFÉ cafe\u0301 naïve\u00adly zero\u200bwidth ｆｕｌｌ　ｗｉｄｔｈ 中文句子没有空格，但有逗号。 हिन्दी का पाठ",
    "state-of-the-art one-two-three-four-five-six COVID-19 2020-21 covid19 well-known-",
    "ＡＢＣ　１，０００ 1٬000 ١٢٣ \u2019\u2019x\u2019 \u2014\u2019y \u2019. .\u2019z U.S.\u2019s U.S.\u2013led",
    "SHOUTING TEXT OF THE US IN CAPITALS WITH SOMETHING",
    "x-" * 300 + "中" * 300,
    "x" * 23 + " " + "x" * 24 + " " + "é" * 11 + " " + "é" * 12 + " " + "x" * 300,
    "",
    ".",
    "’",
)


def words(tokeniser, texts):
    """By text: stem, form and position of each word."""
    form, step, ends = tokeniser.tokens(texts)
    found, begin = [], 0
    for end in ends.tolist():
        forms = [tokeniser.forms[i] for i in form[begin:end].tolist()]
        stems = [tokeniser.stems[tokeniser.stem_of[i]] for i in form[begin:end].tolist()]
        found.append(list(zip(stems, forms, (np.cumsum(step[begin:end], dtype=int) - 1).tolist(), strict=True)))
        begin = end
    return found


def expected(texts):
    return [[(token.stem, token.form, token.position) for token in analysis.tokens(text)] for text in texts]


@pytest.mark.parametrize("text", HARD)
def test_hard_texts(text):
    assert words(Tokeniser(), [text]) == expected([text])


def test_texts_do_not_run_into_each_other():
    tokeniser = Tokeniser()
    for _ in range(2):  # the second time everything is known
        assert words(tokeniser, HARD) == expected(HARD)
        assert words(tokeniser, HARD[::-1]) == expected(HARD[::-1])


@settings(max_examples=300 * SOAK, deadline=None)
@given(st.lists(st.lists(st.sampled_from(PIECES) | st.characters(exclude_categories=["Cs"]), max_size=12).map("".join)))
def test_any_text(texts):
    assert words(Tokeniser(), texts) == expected(texts)


def test_a_table_that_grows_and_keys_that_fall_on_one_slot(monkeypatch):
    monkeypatch.setattr(tokenise, "_hash", lambda keys: (keys[0] % np.uint64(7)) << np.uint64(32))
    tokeniser = Tokeniser()
    tokeniser._slots = np.full(16, tokenise.FREE, dtype=np.int32)
    texts = [" ".join(f"word{number}" for number in range(start, start + 40)) for start in range(0, 400, 17)]
    texts += ["漢字" * 12, "假名" * 12]  # too long for a key
    assert words(tokeniser, texts) == expected(texts)
    assert words(tokeniser, texts) == expected(texts)
    assert len(set(tokeniser.forms)) == len(tokeniser.forms)


def test_more_new_words_at_once_than_the_table_has_room_for():
    tokeniser = Tokeniser()
    tokeniser._slots = np.full(16, tokenise.FREE, dtype=np.int32)
    text = " ".join(f"word{number}" for number in range(500))
    assert words(tokeniser, [text]) == expected([text])
