"""Turn text into terms: the words, where they stand, and what makes two of them the same."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from search import stemmer

LONGEST = 64  # characters of a term; what is longer is no word (the longest in English dictionaries has 45)
LONGEST_JOINED = 5  # words in a chain; `state-of-the-art` is one term too, a slug of ten words is not

APOSTROPHES = "'`´‘’ʻʼʹ′＇׳״"  # the last two join Hebrew abbreviations
HYPHENS = r"\-‐‑‒–−﹣－"
INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u2060-\u2064\ufeff"  # soft hyphen, joiners, marks of direction

# What a reader may leave out of a query beside other words. The index holds them all. It is NLTK's list of English stop
# words (without those of apostrophes), and `may`, `us`, `would`, which are names and acronyms too.
_FUNCTION_WORDS = """
    a about above after again against ain all am an and any are aren as at be because been before being below between
    both but by can couldn d did didn do does doesn doing don down during each few for from further had hadn has hasn
    have haven having he her here hers herself him himself his how i if in into is isn it its itself just ll m ma may me
    mightn more most mustn my myself needn no nor not now o of off on once only or other our ours ourselves out over own
    re s same shan she should shouldn so some such t than that the their theirs them themselves then there these they
    this those through to too under until up us ve very was wasn we were weren what when where which while who whom why
    will with won would wouldn y you your yours yourself yourselves
"""
STOP_WORDS = frozenset(_FUNCTION_WORDS.split())


def _marks() -> str:
    """The combining marks, as ranges of a character class: `\\w` leaves them out, so Hindi would fall to pieces."""
    ranges: list[list[int]] = []
    for code in range(0x300, 0x1F000):  # none stand between here and the variation selectors of plane 14
        if unicodedata.category(chr(code))[0] == "M":
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


# All repeats are bounded, so that no input makes a word of a megabyte, which the memo would keep.
_LETTER = r"[^\W\d_]"
_RUN = rf"[^\W_]{{1,256}}(?:(?=[^\0-\x7f])[{_marks()}{INVISIBLE}]{{1,256}}[^\W_]{{0,256}}){{0,64}}"
_INITIAL_DOT = rf"(?<=\.{_LETTER})\."  # the last one of `U.S.`
WORD = re.compile(
    rf"""
    {_RUN}
    (?: (?=[{APOSTROPHES}{HYPHENS}.,&])                   # one look at the next character settles it for most words
      (?: (?:{_INITIAL_DOT})?[{APOSTROPHES}{HYPHENS}]{_RUN}  # don't, e-mail, U.S.-led
        | (?<=\d),(?<!\d{{4}},)(?=\d{{3}}(?!\d)){_RUN}    # 2,000
        | (?<=\d)\.(?=\d){_RUN}                           # 3.5
        | (?<={_LETTER})(?<![^\W_].)\.{_LETTER}(?![^\W_]) # U.S
        | (?<![^\W_]{{4}})&(?=[^\W_]{{1,3}}(?![^\W_])){_RUN} # AT&T, but Johnson&Johnson is two words
      )
    ){{0,16}}
    (?: (?=[.+\#])
      (?: {_INITIAL_DOT} | (?<={_LETTER})\+\+ | (?<={_LETTER})(?<![^\W_].)\#(?![^\W_]) )  # U.S.  C++  C#
    )?
    """,
    re.VERBOSE | re.DOTALL,
)

_PIECE = re.compile(f"[^{HYPHENS}]+")
_POSSESSIVE = re.compile(f"[{APOSTROPHES}][sS]$")
_SEPARATOR = re.compile(r"(?<!\d)\.|\.(?!\d)|,")  # of initials and of thousands; the point of 3.5 stays
_NUMBER = re.compile(r"\d+(?:[.,]\d+)+")
_NO_ACRONYM = re.compile(rf"{_LETTER}{{6}}|\b(?:THE|OF|TO)\b")

# Letters that carry their accent inside, so that no normal form takes it off, and the signs that count for nothing.
_LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h", "ŧ": "t", "ı": "i"}
_NOTHING = re.compile(
    rf"[\s{APOSTROPHES}{INVISIBLE}"
    r"\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f"  # accents, variation selectors
    r"\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"  # Hebrew points
    r"\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]"  # tashkeel, tatweel
)


class Part(NamedTuple):
    """What a raw word, or a word of a hyphenated one, is found by.

    `stem` is shared by its inflections. `form` is the word itself, folded; it keeps its capitals if it is an acronym.
    `step` is how far the position advances before it: 0 for an alternative that stands where the part before stands.
    """

    stem: str
    form: str
    step: int


class Token(NamedTuple):
    """A part at its place: `position` counts words, `start` and `end` are offsets in the original text."""

    stem: str
    form: str
    position: int
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """All words of a text. An alternative of a hyphenated word spans the whole of it."""
    shouting = is_shouting(text)
    found = []
    position = -1
    for match in WORD.finditer(text):
        raw = match[0]
        start, end = match.span()
        of_word = parts(raw, shouting)
        if len(of_word) == 1:  # the quick way: 95 words in 100
            position += 1
            found.append(Token(of_word[0].stem, of_word[0].form, position, start, end))
            continue
        for part, (first, last) in zip(of_word, spans(raw), strict=True):
            position += part.step
            found.append(Token(part.stem, part.form, position, start + first, start + last))
    return found


@lru_cache(2**14)
def parts(raw: str, shouting: bool = False) -> tuple[Part, ...]:
    """The terms of one raw word: several if it is hyphenated, none if nothing is left of it.

    `COVID-19` is `covid`, at the same place `covid19`, and then `19`.
    """
    return tuple(Part(stem(form), form, step) for form, step in forms(raw, shouting))


def forms(raw: str, shouting: bool = False) -> list[tuple[str, int]]:
    """The form and the step of each of the `parts`."""
    word = raw[:-2] if raw[-2:-1] in APOSTROPHES and raw[-1:] in "sS" else raw
    if word.isascii() and word.isalnum():  # the quick ways: 96 new words in 100
        return [(plain_form(word, shouting), 1)]
    if raw.isascii():
        if _NUMBER.fullmatch(raw):
            return [(raw.replace(",", "")[:LONGEST], 1)]
        words = raw.split("-")  # government-to-government
        if 1 < len(words) <= LONGEST_JOINED and (joined := "".join(words)).isalnum() and all(words):
            found = [(plain_form(word, shouting), 1) for word in words]
            if not joined.isdecimal():
                found.insert(1, (plain_form(joined, shouting), 0))
            return found
    return [(_form(raw[first:last], shouting), step) for (first, last), step in _pieces(raw)]


def plain_form(word: str, shouting: bool) -> str:
    """The form of a word of ASCII letters and digits alone."""
    if word.isupper() and not shouting and _is_acronym(word):
        return word
    return word.lower()[:LONGEST]


@lru_cache(2**14)
def spans(raw: str) -> tuple[tuple[int, int], ...]:
    """Where in the raw word each of its `parts` stands."""
    return tuple(span for span, _ in _pieces(raw))


def _pieces(raw: str) -> list[tuple[tuple[int, int], int]]:
    """The spans of the parts, each with its step."""
    pieces = [(m.span(), 1) for m in _PIECE.finditer(raw) if (m[0].isascii() and m[0].isalnum()) or _form(m[0], True)]
    if 1 < len(pieces) <= LONGEST_JOINED and not all(_is_number(raw[a:b]) for (a, b), _ in pieces):
        pieces.insert(1, ((0, len(raw)), 0))
    return pieces


def _is_number(piece: str) -> bool:
    return not piece.isalpha() and _SEPARATOR.sub("", piece).replace(".", "").isdecimal()


def _form(piece: str, shouting: bool) -> str:
    """The form of one word, or of a whole hyphenated one, joined."""
    if not piece.isascii() or not piece.isalnum():
        piece = _SEPARATOR.sub("", _POSSESSIVE.sub("", "".join(_PIECE.findall(piece))))
    form = fold(piece)[:LONGEST]
    if not shouting and _is_acronym(piece.replace("&", "")):
        capitals = form.upper()
        if capitals.lower() == form:  # else an engine could not come back: the lower case of a Greek Σ depends on place
            return capitals
    return form


def _is_acronym(letters: str) -> bool:
    return letters.isupper() and 2 <= len(letters) <= 5 and letters.isalpha()


def is_shouting(text: str) -> bool:
    """Whether capitals mean nothing here: no small letter, and a word that is no acronym, being too long or `THE`."""
    if not text.isupper():
        return False
    return any(match[0].isupper() for match in _NO_ACRONYM.finditer(text))


def fold(word: str) -> str:
    """The word in small letters, without accents, apostrophes and invisible characters, in compatible form (NFKC)."""
    if word.isascii():
        return word.lower() if word.isalnum() else _NOTHING.sub("", word.lower())
    word = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", word).casefold())
    word = _NOTHING.sub("", word.translate(_FOLDED))
    return unicodedata.normalize("NFC", word)


def stem(form: str) -> str:
    """What the inflections of a word have in common (Snowball's English stemmer)."""
    form = form.lower()
    if not form.endswith(_INFLECTED) and form.replace(".", "").isalnum():
        return form
    return stemmer.stem(form)


# Every ending that a step of the stemmer looks for ends in one of these. A word that has none is its own stem.
_INFLECTED = ("s", "e", "y", "i", "ed", "ing", "ion", "er", "or", "ant", "ent", "ism", "ic", "al", "ful", "ll")
_FOLDED = str.maketrans(_LETTERS) | {
    c: str(unicodedata.decimal(chr(c))) for c in range(0x660, 0x1F000) if chr(c).isdecimal()
}
