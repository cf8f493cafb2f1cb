"""Cut the passage of a text that shows most of what was asked."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from html import escape
from typing import NamedTuple

from search import places
from search.places import Place, Sought

LEAST, MOST = 160, 240  # characters of a passage: two to three lines of a list of results
LEAD = 60  # characters before the first match, where its sentence began too far away
NEARLY = 0.8  # of the best passage: a second one as good as this is shown, though it shows nothing new


class Snippet(NamedTuple):
    """A passage, and the ranges of it that were asked for, in order and apart from each other.

    `before`, `after`: whether something of the text was left out there. White space is single characters of space.
    """

    text: str
    marks: tuple[tuple[int, int], ...] = ()
    before: bool = False
    after: bool = False


def mark(text: str, sought: Sought, counts: Mapping[str, int] | None = None) -> Snippet:
    """The whole text, marked. `counts`: how many words of each stem it has, where that is known (`places.find`)."""
    return _snippet(text, 0, len(text), places.find(text, sought, counts))


def cut(text: str, sought: Sought) -> Snippet:
    """The best passage; the beginning of the text where nothing of it was asked for."""
    return (*cut_many(text, sought, 1), beginning(text))[0]


def beginning(text: str) -> Snippet:
    """The passage that a text begins with."""
    return _snippet(text, *_passage(text, 0, 0, []), [])


def cut_many(text: str, sought: Sought, most: int = 2, counts: Mapping[str, int] | None = None) -> tuple[Snippet, ...]:
    """The best passages, in the order of the text: after the best those that show more, or nearly as much.

    None where nothing of the text was asked for. `counts`: as for `mark`.
    """
    found = left = places.find(text, sought, counts)
    passages: list[tuple[int, int]] = []
    shown: set[int] = set()
    best = 0.0
    while left:
        news, score, first, last = _best_window(left, shown)
        if passages and not news and score < NEARLY * best:
            break
        low, high = passage = _passage(text, first, last, passages)
        passages.append(passage)
        if len(passages) == most:
            break
        best = max(best, score)
        shown.update([term for start, end, term, _ in found if low <= start and end <= high])
        left = [place for place in left if place[1] <= low or place[0] >= high]
    return tuple(_snippet(text, *passage, found) for passage in sorted(passages))


def to_html(snippet: Snippet) -> str:
    """The snippet as HTML: everything escaped, marks as `<mark>`, an ellipsis where text was left out."""
    html, at = "… " if snippet.before else "", 0
    for start, end in snippet.marks:
        html += f"{escape(snippet.text[at:start])}<mark>{escape(snippet.text[start:end])}</mark>"
        at = end
    return html + escape(snippet.text[at:]) + (" …" if snippet.after else "")


# The stretch from one match to another, after what it shows that was not shown before, and what it shows.
_Window = tuple[float, float, int, int]


def _best_window(found: list[Place], shown: set[int]) -> _Window:
    """Of the windows that fit in a passage the one that shows most different terms; the first of the best."""
    heaviest: dict[int, float] = {}
    for _, _, term, weight in found:
        if weight > heaviest.get(term, 0):
            heaviest[term] = weight
    perfect = _worth(heaviest, shown)
    if (count := len(found)) == 1:
        return (*perfect, *found[0][:2])
    best, worth = (0, 0), (-1.0, -1.0)
    reached = 0
    for i, (start, end, term, weight) in enumerate(found):
        j, limit = max(i + 1, reached), start + MOST - LEAD
        while j < count and found[j][1] <= limit:
            j += 1
        if j == reached:  # a part of the window before
            continue
        reached = j
        weights = {term: weight}
        for _, other_end, term, weight in found[i + 1 : j]:
            if weight > weights.get(term, 0):
                weights[term] = weight
            if other_end > end:
                end = other_end
        if (new := _worth(weights, shown)) > worth:
            best, worth = (start, end), new
            if worth == perfect:
                break
    return (*worth, *best)


def _worth(weights: dict[int, float], shown: set[int]) -> tuple[float, float]:
    score = sum(weights.values())
    return (sum([weight for term, weight in weights.items() if term not in shown]) if shown else score), score


# What ends a sentence, with the space after it. The end of a line does; a full stop before a small letter does not.
_END = re.compile(
    r"""[\n.!?…؟۔।。！？]
    (?: (?<=\n)\s* | (?<=[。！？])[。！？]*[」』”]* | (?<=[.!?…؟۔।])[.!?…؟۔।]*[\"'”’»)\]]*\s+(?![a-z]) )""",
    re.VERBOSE,
)
_ABBREVIATION = re.compile(
    r"\b(?:[^\W\d_]|Mrs?|Ms|Dr|St|Mt|Prof|Sen|Rep|Gov|Gen|Lt|Col|Sgt|Capt|Rev|Hon|Jr|Sr|vs|Nos?|Inc|Co|Corp|Ltd|etc"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\Z"
)
_SPACE = re.compile(r"\s+")
_INK = re.compile(r"\S")
# What no page can show, or only as a space; one class of characters is found four times as fast as `[^\S ]|[..]`.
_BLANK = re.compile(r"[\0-\x1f\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ud800-\udfff]")


def _sentence(text: str, low: int, high: int, *, first: bool = False) -> int | None:
    """Where from low to high the last sentence begins, or the first."""
    if first and low == 0:
        return 0
    # One character more, so that what follows the end is seen.
    ends = [match.span() for match in _END.finditer(text, max(0, low - 40), high + 1)]
    for stop, end in ends if first else reversed(ends):
        if low <= end <= high and not _is_abbreviated(text, stop, end):
            return end
    return 0 if low == 0 else None


def _is_abbreviated(text: str, stop: int, end: int) -> bool:
    """Whether the full stop is that of `Dr.`, and no end."""
    blank = text[stop] == "." and not text[stop + 1 : end].strip(" \xa0")
    return blank and _ABBREVIATION.search(text, max(0, stop - 5), stop) is not None


def _passage(text: str, first: int, last: int, taken: list[tuple[int, int]]) -> tuple[int, int]:
    """The passage around text[first:last]: whole sentences if they fit, else whole words; apart from those taken."""
    floor, roof = 0, len(text)
    for start, end in taken:
        if end <= first:
            floor = max(floor, end)
        if start > first:
            roof = min(roof, start)
    last = min(last, first + MOST)
    low, near = max(floor, last - MOST), first - LEAD
    begin = _sentence(text, near, first) if near > low else None
    if begin is None:
        begin = _sentence(text, low, first)
    start = _word_begins(text, max(low, near), first) if begin is None else begin
    if roof - start > MOST:
        after = _sentence(text, max(last, start + LEAST), start + MOST)
        end = _word_ends(text, max(last, start + LEAST // 2), start + MOST) if after is None else after
    else:
        end = roof
        if end - start < LEAST:  # the text is at its end: take more of what comes before
            low, high = max(floor, end - MOST), start
            begin = _sentence(text, low, high, first=True)
            start = _word_begins(text, low, high) if begin is None else begin
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
    for at in range(min(high, len(text) - 1), low - 1, -1):
        if text[at].isspace():
            return low + len(text[low:at].rstrip())
    while high > low and (_joins(text[high]) or text[high - 1] == "\u200d"):
        high -= 1
    return high


def _joins(character: str) -> bool:
    """Whether it belongs to the character before: a mark, a joiner, the colour of a hand."""
    return unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf", "Sk")


def _snippet(text: str, start: int, end: int, found: list[Place]) -> Snippet:
    marks: list[tuple[int, int]] = []
    for first, last, _, _ in found:
        if first >= end:
            break
        if last <= start:
            continue
        first, last = max(first, start) - start, min(last, end) - start
        if marks and first < marks[-1][1]:
            first, last = marks[-1][0], max(marks.pop()[1], last)
        marks.append((first, last))
    passage = text[start:end]
    if not passage.isprintable():
        passage = _BLANK.sub(" ", passage)
    before = start > 0 and _INK.search(text, 0, start) is not None
    after = end < len(text) and _INK.search(text, end) is not None
    return Snippet(passage, tuple(marks), before, after)
