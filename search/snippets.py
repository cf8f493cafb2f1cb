"""Cut the passage of a text that shows most of what was asked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import NamedTuple

from search import analysis
from search.analysis import Token
from search.query import Clause, Phrase, Prefix, Word

LEAST, MOST = 160, 240  # characters of a passage: two to three lines of a list of results
LEAD = 60  # characters before the first match, where its sentence began too far away
STEM_MATE = 0.7  # a passage that shows the word as typed is better than one with another word of its stem
QUOTED = 1.5  # and one that shows a quoted phrase is better than one with as many words
NEARLY = 0.8  # of the best passage: a second one as good as this is shown, though it shows nothing new
KNOWN = 2**13  # raw words remembered for a query; a page of ten articles has some 3,000


@dataclass(frozen=True, slots=True)
class Snippet:
    """A passage, and the ranges of it that were asked for, in order and apart from each other.

    `before`, `after`: whether something of the text was left out there. White space is single characters of space.
    """

    text: str
    marks: tuple[tuple[int, int], ...] = ()
    before: bool = False
    after: bool = False


class _Match(NamedTuple):
    """A place in the text that a term was found at, and how much it says."""

    start: int
    end: int
    term: Clause
    weight: float


def mark(text: str, terms: Sequence[Clause], field: str = "title") -> Snippet:
    """The whole text, marked."""
    return _snippet(text, 0, len(text), _matches(text, terms, field))


def cut(text: str, terms: Sequence[Clause], field: str = "body") -> Snippet:
    """The best passage; the beginning of the text where nothing of it was asked for."""
    return cut_many(text, terms, 1, field)[0]


def cut_many(text: str, terms: Sequence[Clause], most: int = 2, field: str = "body") -> tuple[Snippet, ...]:
    """The best passages, in the order of the text: after the best those that show more, or nearly as much."""
    matches = left = _matches(text, terms, field)
    passages: list[tuple[int, int]] = []
    shown: set[Clause] = set()
    best = 0.0
    while len(passages) < most and left:
        window = _best_window(left, shown)
        if passages and not window.news and window.score < NEARLY * best:
            break
        passage = _passage(text, window.start, window.end, passages)
        best = max(best, window.score)
        shown |= {match.term for match in matches if passage[0] <= match.start and match.end <= passage[1]}
        passages.append(passage)
        left = [match for match in left if match.end <= passage[0] or match.start >= passage[1]]
    return tuple(_snippet(text, *passage, matches) for passage in sorted(passages or [_passage(text, 0, 0, [])]))


def to_html(snippet: Snippet) -> str:
    """The snippet as HTML: everything escaped, marks as `<mark>`, an ellipsis where text was left out."""
    html, at = "… " if snippet.before else "", 0
    for start, end in snippet.marks:
        html += f"{escape(snippet.text[at:start])}<mark>{escape(snippet.text[start:end])}</mark>"
        at = end
    return html + escape(snippet.text[at:]) + (" …" if snippet.after else "")


class _Wanted(dict[str, tuple[int, tuple[Token, ...]]]):
    """Raw word -> how many positions it takes, and those of its parts that the terms are about (mostly none)."""

    def __init__(self, terms: tuple[Clause, ...], shouting: bool) -> None:
        self.shouting = shouting
        self.stems: set[str] = set()
        self.forms: set[str] = set()
        prefixes: list[str] = []
        for term in terms:
            match term:
                case Word(stem):
                    self.stems.add(stem)
                case Phrase(words, True):
                    self.forms.update(word.form.lower() for word in words)
                case Phrase(words):
                    self.stems.update(word.stem for word in words)
                case Prefix(begin):
                    prefixes.append(begin)
        self.prefixes = tuple(prefixes)
        self.initials = {word[:1] for word in (*self.stems, *self.forms, *prefixes)}

    def __missing__(self, raw: str) -> tuple[int, tuple[Token, ...]]:
        if len(self) >= KNOWN:
            self.clear()
        if raw.isascii() and raw.isalpha() and raw[0].lower() not in self.initials:
            self[raw] = 1, ()  # nine words in ten need no analysis: a stem begins as its word does
            return self[raw]
        position, found = -1, []
        for part, (start, end) in zip(analysis.parts(raw, self.shouting), analysis.spans(raw), strict=True):
            position += part.step
            form = part.form.lower()
            if part.stem in self.stems or form in self.forms or form.startswith(self.prefixes):
                found.append(Token(part.stem, part.form, position, start, end))
        self[raw] = position + 1, tuple(found)
        return self[raw]


_wanted = lru_cache(16)(_Wanted)  # the ten articles of a page have many words in common


def _matches(text: str, terms: Sequence[Clause], field: str) -> list[_Match]:
    """Every place that a term is found at, in the order of the text."""
    asked = [term for term in terms if isinstance(term, Word | Phrase | Prefix) and term.field in (None, field)]
    if not asked:
        return []
    wanted = _wanted(tuple(asked), analysis.is_shouting(text))
    tokens: list[Token] = []
    position = 0
    for match in analysis.WORD.finditer(text):
        steps, found = wanted[match[0]]
        if found:
            at = match.start()
            tokens += [Token(t.stem, t.form, position + t.position, at + t.start, at + t.end) for t in found]
        position += steps
    return sorted((match for term in asked for match in _of_term(term, tokens)), key=lambda match: match[:2])


def _of_term(term: Word | Phrase | Prefix, tokens: list[Token]) -> list[_Match]:
    match term:
        case Word(stem, form):
            found = [t for t in tokens if t.stem == stem]
            if form != form.lower() and any(t.form == form for t in found):
                found = [t for t in found if t.form == form]  # US, and not us, where the text has both
            return [_Match(t.start, t.end, term, 1 if t.form.lower() == form.lower() else STEM_MATE) for t in found]
        case Prefix(begin):
            return [_Match(t.start, t.end, term, STEM_MATE) for t in tokens if t.form.lower().startswith(begin)]
        case Phrase(words, exact):
            weight = len(words) * (QUOTED if exact else 1)
            return [_Match(start, end, term, weight) for start, end in _runs(words, exact, tokens)]


def _runs(words: tuple[Word, ...], exact: bool, tokens: list[Token]) -> Iterable[tuple[int, int]]:
    """Where the words stand side by side: from the first to the last."""
    at: dict[tuple[int, str], Token] = {}
    for token in tokens:
        at[token.position, token.form.lower() if exact else token.stem] = token
    keys = [word.form.lower() if exact else word.stem for word in words]
    for token in tokens:
        run = [at.get((token.position + i, key)) for i, key in enumerate(keys)]
        if run[0] is token and run[-1] and all(run):
            yield token.start, run[-1].end


class _Window(NamedTuple):
    """The stretch from one match to another; what it shows that was not shown before, and what it shows."""

    news: float
    score: float
    start: int
    end: int


def _best_window(matches: list[_Match], shown: set[Clause]) -> _Window:
    """Of the windows that fit in a passage the one that shows most different terms; the first of the best."""
    heaviest: dict[Clause, float] = {}
    for match in matches:
        heaviest[match.term] = max(match.weight, heaviest.get(match.term, 0))
    perfect = _worth(heaviest, shown)
    best = _Window(-1, -1, 0, 0)
    for i, first in enumerate(matches):
        end = first.end
        weights: dict[Clause, float] = {}
        for j in range(i, len(matches)):
            match = matches[j]
            if weights and match.end > first.start + MOST - LEAD:
                break
            weights[match.term] = max(match.weight, weights.get(match.term, 0))
            end = max(end, match.end)
        best = max(best, _Window(*_worth(weights, shown), first.start, end), key=lambda window: window[:2])
        if best[:2] == perfect:
            break
    return best


def _worth(weights: dict[Clause, float], shown: set[Clause]) -> tuple[float, float]:
    return sum(weight for term, weight in weights.items() if term not in shown), sum(weights.values())


# What ends a sentence, with the space after it. The end of a line does; a full stop before a small letter does not.
_END = re.compile(r"[.!?…؟۔।]+[\"'”’»)\]]*\s+(?![a-z])|[。！？]+[」』”]*|\s*\n\s*")
_ABBREVIATION = re.compile(
    r"\b(?:[^\W\d_]|Mrs?|Ms|Dr|St|Mt|Prof|Sen|Rep|Gov|Gen|Lt|Col|Sgt|Capt|Rev|Hon|Jr|Sr|vs|Nos?|Inc|Co|Corp|Ltd|etc"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.[ \xa0]+"
)
_SPACE = re.compile(r"\s+")
_BLANK = re.compile(r"[\s\0-\x1f\x7f-\x9f\ud800-\udfff]")  # what no page can show, or only as a space


def _sentences(text: str, low: int, high: int) -> list[int]:
    """Where from low to high a sentence begins."""
    begins = [0] if low == 0 else []
    near = max(0, low - 40)
    within = text[near : high + 1]  # one more, so that what follows the end is seen
    abbreviations = {match.end() for match in _ABBREVIATION.finditer(within)}
    for match in _END.finditer(within):
        if low <= near + match.end() <= high and match.end() not in abbreviations:
            begins.append(near + match.end())
    return begins


def _passage(text: str, first: int, last: int, taken: list[tuple[int, int]]) -> tuple[int, int]:
    """The passage around text[first:last]: whole sentences if they fit, else whole words; apart from those taken."""
    floor = max((end for _, end in taken if end <= first), default=0)
    roof = min((start for start, _ in taken if start > first), default=len(text))
    last = min(last, first + MOST)
    low = max(floor, last - MOST)
    start = (_sentences(text, low, first) or [_word_begins(text, max(low, first - LEAD), first)])[-1]
    if roof - start > MOST:
        ends = _sentences(text, max(last, start + LEAST), start + MOST)
        end = ends[-1] if ends else _word_ends(text, max(last, start + LEAST // 2), start + MOST)
    else:
        end = roof
        if end - start < LEAST:  # the text is at its end: take more of what comes before
            low = max(floor, end - MOST)
            start = (_sentences(text, low, start) or [_word_begins(text, low, start)])[0]
    passage = text[start:end]
    return start + len(passage) - len(passage.lstrip()), start + len(passage.rstrip())


def _word_begins(text: str, low: int, high: int) -> int:
    """The first place from low to high where a word begins after a space; high where there is none."""
    if low == 0:
        return 0
    space = _SPACE.search(text, low - 1, high)
    return space.end() if space else high


def _word_ends(text: str, low: int, high: int) -> int:
    """The last place from low to high before a space. A script without spaces is cut between two characters."""
    spaces = [space.start() for space in _SPACE.finditer(text, low, high + 1)]
    if spaces:
        return spaces[-1]
    while high > low and (_joins(text[high]) or text[high - 1] == "\u200d"):
        high -= 1
    return high


def _joins(character: str) -> bool:
    """Whether it belongs to the character before: a mark, a joiner, the colour of a hand."""
    return unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf", "Sk")


def _snippet(text: str, start: int, end: int, matches: list[_Match]) -> Snippet:
    marks: list[tuple[int, int]] = []
    for match in matches:
        first, last = max(match.start, start) - start, min(match.end, end) - start
        if first >= last:
            continue
        if marks and first < marks[-1][1]:
            first, last = marks[-1][0], max(marks.pop()[1], last)
        marks.append((first, last))
    before, after = bool(text[:start].strip()), bool(text[end:].strip())
    return Snippet(_BLANK.sub(" ", text[start:end]), tuple(marks), before, after)
