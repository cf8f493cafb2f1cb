"""Read plain-text dumps of article pages: what one gets by copying a page, with all that stands around the article.

A dump has no marks, so each rule here asks of a line what only furniture would say, and keeps the line in doubt: a
stray button in the text costs less than a lost paragraph.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from . import dates, furniture
from .origin import NotAnArticle, Origin, Read, Refused, decode, load

# The words before a date, and the byline before these: By Jane Doe, published on.
_LABEL = re.compile(
    r"(?P<by>(?:\w+ )?by\b.*?)?[\W_]*(?:"
    r"(?P<published>(?:(?:first |originally |date )?(?:published|posted|created|issued|released)|date)(?: on| at)?)"
    r"|(?P<updated>(?:last |most recently )?(?:updated|modified|revised|edited)(?: on| at)?)|on)?[\W_]*",
    re.IGNORECASE,
)
_STRANGE = re.compile(r"(?:last )?(?:published|posted|updated)(?: on)?:?\s+(?=.*\d)([^.!?]{4,40})", re.IGNORECASE)
_AGO = re.compile(
    r"((?:last )?(?:published|posted|updated)\W*)?"
    r"(?:(?:\d+|an?) ?(?:second|sec|minute|min|hour|hr|day|week|month|year)s? ago|yesterday|today|just now)\W*",
    re.IGNORECASE,
)
_BYLINE = re.compile(
    r"(?:(?:words?|text|story|written|reported|posted|published|analysis|report|review|opinion) )?by[:\s]\s*"
    r"(?P<who>\S.{1,150})",
    re.IGNORECASE,
)
_WHO = re.compile(r"\s*(?:[,;|•·]|\band\b|&|\s[-–—]\s|\bfor\b|\bin\b)\s*")
_NAME = re.compile(r"[^\W\d_][\w'’.\-]*(?:\s+[^\W\d_][\w'’.\-]*){1,4}")
_PARTICLES = frozenset(re.findall(r"\w+", "al bin da de del della der di dos du el ibn la le ten ter van von y zu"))
_ROLES = re.compile(
    r"\b(?:editor|writer|reporter|correspondent|staff|news|press|agency|critic|columnist|contributor|bureau|desk|team"
    r"|times|post|chief|producer)\b",
    re.IGNORECASE,
)
_CRUMBS = re.compile(r"\s*(?:>|»|›|→|\||\s/)\s*")
_DASH = re.compile(r"[-–—•·|*_]+")
_EDGES = " |•·,-–—():"
_QUOTES = "\"'“”‘’«»„‚"
_SENTENCE = re.compile(r"[.!?…][\"'”’)\]]*\s+[\"'“‘(\[]?[^\W\d_a-z]")
_NUMBER = re.compile(r"\d+[.)]\s+")

TITLE = 40  # words: a longer first line is a paragraph
STANDFIRST = 80  # words: more are the first paragraphs
HEAD = 14  # lines: so far down may the date, the byline and the buttons of an article stand
LONG = 25  # words: shorter paragraphs are as often subheads, teasers and captions
PARAGRAPH = 15  # words: what a subhead may stand over
SUBHEAD = 20  # words: one sentence; seen up to 18. 16 -> 20 finds 702 for 645 in 3,146 articles of three other houses
SHORT = 16  # words: a line that may stand over a paragraph stands not beside one of these
LABEL = 5  # words: Health, Science and the Environment
TOLD = 5  # words: "He never came back." is told, a subhead with a full stop says more


def read(stream: BinaryIO, origin: Origin) -> Iterator[Read | Refused]:
    """The one article of a dump."""
    try:
        yield _article(decode(load(stream)), origin)
    except NotAnArticle as refusal:
        yield Refused(origin.file, None, str(refusal))


def _article(text: str, origin: Origin) -> Read:
    lines = _lines(text)
    if not lines:
        raise NotAnArticle("empty")
    lines, related = _cut_related(lines, origin.timezone)
    head = _head(lines, origin, {_key(str(item["section"])) for item in related if "section" in item})
    body, subheads = _body(head)
    if not (body or head.summary):
        raise NotAnArticle("only a title, and no text")
    section, notes = _section(origin, head, related)
    return origin.article(
        {
            "title": head.title,
            "summary": head.summary,
            "body": "\n\n".join(body),
            "subheads": subheads,
            "section": section,
            "authors": head.authors,
            "published": head.published,
            "updated": head.updated,
            "related": related,
        },
        head.notes + notes,
    )


# Lines


def _lines(text: str) -> list[str]:
    """The paragraphs: a line each, unless the text is wrapped at a width; then the lines between empty ones."""
    text = unicodedata.normalize("NFC", text).translate(_SPACES)
    blocks = [[" ".join(line.split()) for line in block.split("\n") if line.strip()] for block in _EMPTY.split(text)]
    wrapped = _is_wrapped([len(line) for block in blocks for line in block[:-1]])
    return [line for block in blocks for line in ([" ".join(block)] if wrapped and _joins(block) else block)]


_EMPTY = re.compile(r"\n\s*\n")
# Spaces of every kind are spaces; what has no width is nothing.
_SPACES = {ord(c): " " for c in "\u00a0\u202f\u2007\u2009\t\f\v"} | {
    ord(c): None for c in "\u200b\u2060\ufeff\u00ad\x1a\x1b"
}


def _is_wrapped(widths: Sequence[int]) -> bool:
    """Lines inside paragraphs that are nearly all of one width were broken by a program, not by a person."""
    wide = [width for width in widths if 45 <= width <= 120]
    return len(wide) >= 3 and len(wide) >= 0.7 * len(widths)


def _joins(block: Sequence[str]) -> bool:
    return len(block) > 1 and all(len(line) >= 45 for line in block[:-1])


def _key(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))


def _count(line: str) -> int:
    return len(line.split())


def _is_prose(line: str) -> bool:
    return _count(line) >= LONG or (_count(line) >= 15 and _SENTENCE.search(line) is not None)


# The list of other articles


def _cut_related(lines: list[str], timezone: tzinfo) -> tuple[list[str], list[dict[str, Any]]]:
    """The lines without the teasers of other articles, and those."""
    kept, related = lines[:2], list[dict[str, Any]]()
    at = 2
    while at < len(lines):
        line = lines[at]
        at += 1
        if told := furniture.teaser(line):
            related.append({"title": told})
        elif furniture.heads_related(line):
            end = _end_of_related(lines, at, timezone)
            if end == at < len(lines) and line.lower().startswith("more "):
                kept.append(line)  # "More on taxes" over a paragraph is a subhead
            related += _items(lines[at:end], timezone)
            at = end
        else:
            kept.append(line)
    return kept, related


def _end_of_related(lines: list[str], start: int, timezone: tzinfo) -> int:
    """Where the article goes on after a list of others; mostly it does not.

    A dash or a date under a text makes it a teaser. Prose that is none, with no teaser behind it, is the article again:
    then the list was an inset. A single such paragraph behind teasers, or any behind "About us", is the foot of the
    page.
    """
    end = next((at for at in range(start, len(lines)) if furniture.heads_related(lines[at])), len(lines))
    marks = {at for at in range(start, end) if _DASH.fullmatch(lines[at]) or _is_when(lines[at], timezone)}
    prose = [at for at in range(start, end) if _is_prose(lines[at]) and not {at, at + 1} & marks]
    last = max(marks, default=-1)
    after = [at for at in prose if at > last]
    if not after or (marks and (len(after) == 1 or any(map(furniture.is_foot, lines[last + 1 : after[0]])))):
        return end
    labelled = [at for at in after if at > start and _count(lines[at - 1]) <= 3]
    if len(labelled) == len(after) >= 2:
        return end  # section, teaser, section, teaser
    return after[0]


def _teaser_date(line: str, timezone: tzinfo) -> datetime | None:
    return dates.parse(line.lstrip("-–—•·|* "), timezone) if len(line) <= 60 else None


def _is_when(line: str, timezone: tzinfo) -> bool:
    """Whether the line tells a date, also one that is not understood."""
    return bool(_teaser_date(line, timezone) or _WHEN.fullmatch(line) or _AGO.fullmatch(line))


_WHEN = re.compile(r"[-–—•·|*\s]*\d{1,4}[./-]\d{1,2}[./-]\d{1,4}")


def _items(lines: Sequence[str], timezone: tzinfo) -> list[dict[str, Any]]:
    """Teasers with their section and date, of which either may be missing."""
    lines = [line for line in lines if not furniture.is_furniture(line)]
    dashes = {at for at, line in enumerate(lines) if _DASH.fullmatch(line)}
    dated = {at for at in dashes if at + 1 < len(lines) and _is_when(lines[at + 1], timezone)}
    dated |= {at for at, line in enumerate(lines) if line[0] in "-–—•·|*" and _is_when(line, timezone)}
    items: list[dict[str, Any]] = []
    group: list[str] = []
    for at, line in enumerate(lines):
        if at in dated:
            items += _above_dash(group)
            group = []
        if at in dashes:
            continue
        if not _is_when(line, timezone):
            group.append(line)
            continue
        items += _guessed(group)
        group = []
        date = _teaser_date(line, timezone)
        if date and items:
            items[-1].setdefault("published", date.isoformat().replace("+00:00", "Z"))
    return items + _guessed(_without_foot(group, items if dated else None))


def _above_dash(group: list[str]) -> list[dict[str, Any]]:
    """What stands over the dash of a date: the teaser, above it the section, and what has no date above these.

    Of two lines the first is the section however long, of more only if it is as short as sections are.
    """
    if len(group) < 2 or _is_prose(group[-2]) or (len(group) > 2 and _count(group[-2]) > LABEL):
        return _guessed(group[:-1]) + [{"title": line} for line in group[-1:]]
    return [*_guessed(group[:-2]), {"title": group[-1], "section": group[-2]}]


def _guessed(lines: Sequence[str]) -> list[dict[str, Any]]:
    """Teasers without a mark between them: a short line over a longer one is its section."""
    items: list[dict[str, Any]] = []
    section = ""
    for line, below in zip(lines, [*lines[1:], ""], strict=False):
        if not section and _count(line) <= 3 and _count(line) < _count(below):
            section = line
        else:
            items.append({"title": line, **({"section": section} if section else {})})
            section = ""
    return items


def _without_foot(lines: Sequence[str], above: Sequence[Mapping[str, Any]] | None) -> list[str]:
    """The lines behind the last date without the foot of the page.

    In a list with dashes (`above` is what they told) a teaser is prose, or stands under a section of the list.
    """
    feet = [furniture.is_foot(line) for line in lines]
    # One such line over a teaser is a section, as Jobs may be.
    foot = next((at for at, pair in enumerate(zip(feet, [*feet[1:], True], strict=False)) if all(pair)), len(lines))
    if above is None:
        return list(lines[:foot])
    sections = {item.get("section") for item in above}
    teasers = {at for at in range(foot) if _is_prose(lines[at]) or (at and lines[at - 1] in sections)}
    return [
        line for at, line in enumerate(lines[:foot]) if at in teasers or (at + 1 in teasers and _count(line) <= LABEL)
    ]


# The head of the page


@dataclass(slots=True)
class Head:
    """What stands over the article, and the lines of the article itself."""

    title: str = ""
    summary: str = ""
    authors: list[str] = field(default_factory=list)
    section: str = ""
    published: datetime | None = None
    updated: datetime | None = None
    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def takes(self, line: str, timezone: tzinfo, *, bare: bool) -> bool:
        """Whether the line says when or by whom, which is then kept. `bare`: also without a word of what it says."""
        if len(line) > 200:
            return False
        if ago := _AGO.fullmatch(line):
            return bare or bool(ago[1])
        found = list(dates.find(line, timezone))
        if not found:
            return self._strange_date(line) or (bare and self.byline(line))
        starts, ends = [start for start, _, _ in found], [end for _, end, _ in found]
        kinds = [self._label(line[end:start]) for end, start in zip([0, *ends], starts, strict=False)]
        rest = line[ends[-1] :].strip(_EDGES)
        if (
            None in kinds
            or not (bare or any(kinds))
            or (rest and not furniture.is_furniture(rest) and not self.byline(rest))
        ):
            return False
        for kind, (_, _, moment) in zip(kinds, found, strict=True):
            name = kind or ("updated" if self.published else "published")
            setattr(self, name, getattr(self, name) or moment)
        return True

    def byline(self, line: str) -> bool:
        """Whether the line names who wrote it."""
        names = _names(line)
        self.authors += [name for name in names if name not in self.authors]
        return bool(names)

    def _label(self, words: str) -> str | None:
        """What the words before a date say that it is; None if they say something else."""
        words = words.strip(_EDGES)
        if told := _LABEL.fullmatch(words):
            by, published, updated = told.group("by", "published", "updated")
            if not by or self.byline(by):
                return "updated" if updated else "published" if published else ""
        return None

    def _strange_date(self, line: str) -> bool:
        told = _STRANGE.fullmatch(line)
        if told:
            self.notes.append(f"date {told[1]!r} not understood")
        return bool(told)


def _names(line: str) -> list[str]:
    """Who a byline names: words with capitals, in pairs and more. By Land and Sea is none."""
    told = _BYLINE.fullmatch(line.strip(_EDGES))
    if not told or (line.endswith(".") and _count(line) > 8):
        return []
    return [part for part in map(str.strip, _WHO.split(told["who"])) if _is_name(part)]


def _is_name(text: str) -> bool:
    return (
        _NAME.fullmatch(text) is not None
        and not _ROLES.search(text)
        and all(not word[0].islower() or word in _PARTICLES for word in text.split())
    )


def _head(lines: Sequence[str], origin: Origin, sections: set[str]) -> Head:
    """The head of the page, whose `lines` are those below it."""
    head = Head()
    rows = furniture.buttons(lines)
    labels = {*sections, _key(origin.section or ""), _key(origin.folder)} - {""}
    at = 0
    while at < len(lines) - 1:
        line = lines[at]
        if _key(line) in labels:
            head.section = head.section or line
        elif not (
            at in rows
            or furniture.is_furniture(line)
            or furniture.is_navigation(line)
            or _crumbs(head, line)
            or head.takes(line, origin.timezone, bare=True)
        ):
            break
        at += 1
    if _count(lines[at]) <= TITLE:
        head.title = lines[at]
        at += 1
    else:
        name = PurePosixPath(origin.path).stem
        head.title = re.sub(r"[-_\s]+", " ", name).strip().capitalize()
        head.notes.append("no title line: the title is the file's name")
    head.lines = [*_above(head, lines[at : at + HEAD], origin.timezone), *lines[at + HEAD :]]
    return head


def _above(head: Head, lines: Sequence[str], timezone: tzinfo) -> Sequence[str]:
    """Take from the lines under the title what belongs to the head; return those of the article.

    What stands between the title and the first mark of a head - a date, a byline, buttons - is the standfirst. Without
    any mark nothing tells it from the first paragraph.
    """
    rows = furniture.buttons(lines, alone=True)
    texts: list[str] = []
    begin = 0
    for at, line in enumerate(lines):
        if at in rows or head.takes(line, timezone, bare=True):
            if len(texts) > 1 and not head.authors and _is_name(texts[-1]):
                head.authors.append(texts.pop())  # a name alone over the date
            head.summary = head.summary or " ".join(texts)
            texts = []
            begin = at + 1
        elif not (
            furniture.is_furniture(line)
            or furniture.is_navigation(line)
            or furniture.is_credit(line)
            or _key(line) == _key(head.title)
        ):
            texts.append(line)
            between = begin and (head.summary or len(texts) > 1 or _is_prose(line))
            if between or len(texts) > 3 or sum(map(_is_prose, texts)) > 1 or sum(map(_count, texts)) > STANDFIRST:
                break
    return lines[begin:]


def _crumbs(head: Head, line: str) -> bool:
    """Whether the line is a path through the site, whose first step is a section."""
    steps = [step for step in _CRUMBS.split(line) if step]
    if len(steps) < 2 or _key(steps[0]) not in ("home", "homepage", "start") or any(_count(step) > 4 for step in steps):
        return False
    head.section = head.section or steps[1]
    return True


# The text


def _body(head: Head) -> tuple[list[str], list[str]]:
    """The paragraphs, and those among them that are subheads."""
    rows = furniture.buttons(head.lines)
    known = {_key(head.title), _key(head.summary), ""}
    body = [
        line
        for at, line in enumerate(head.lines)
        if not (at in rows or furniture.is_furniture(line) or furniture.is_credit(line) or _key(line) in known)
        and not head.takes(line, UTC, bare=False)
    ]
    if len(body) > 1 and not head.authors and head.byline(body[-1]):
        body.pop()
    return body, _subheads(body)


def _subheads(body: Sequence[str]) -> list[str]:
    """Short lines of one sentence, each over a paragraph and not beside another short line.

    A newspaper sets its subheads in one way: with full stops only if none is without; a question goes with either. As a
    short sentence with a full stop may as well be told as announced, it must not be one of the very short, and not open
    the text.
    """
    counts = [0, *map(_count, body), 0]
    found = [
        (line, above >= PARAGRAPH and _count(line) >= TOLD)
        for line, above, below in zip(body, counts, counts[2:], strict=False)
        if below >= PARAGRAPH and (above == 0 or above > SHORT) and _may_be_subhead(line)
    ]
    open_ended = any(not line.endswith((".", "!", "?")) for line, _ in found)
    return [line for line, announces in found if not line.endswith((".", "!")) or (announces and not open_ended)]


def _may_be_subhead(line: str) -> bool:
    return (
        _count(line) <= SUBHEAD
        and len(line) <= 140
        and not _SENTENCE.search(_NUMBER.sub("", line))
        and line[0] not in _QUOTES + "-–—•·*(["
        and not line[0].islower()
        and not line.endswith((":", ";", ",", "…", "...", ")", *_QUOTES))
        and (not line.endswith("?") or _count(line) >= 3)
    )


# The section


def _section(origin: Origin, head: Head, related: Sequence[dict[str, Any]]) -> tuple[str | None, list[str]]:
    """As ops say, else the folder, else the page's own label, else what all related articles have; and what to note."""
    spelled: dict[str, str] = {}
    for item in related:
        if "section" in item:
            spelled.setdefault(_label(item["section"]), item["section"])
    if origin.section:
        return origin.section, []
    if origin.folder:
        return spelled.get(_label(origin.folder), _spelled(origin.folder)), []
    if head.section:
        return spelled.get(_label(head.section), head.section), []
    naming = sum("section" in item for item in related)
    if len(spelled) == 1 and 2 * naming >= len(related):
        (section,) = spelled.values()
        return section, [f"section {section!r} inferred from related articles"]
    return None, []


def _label(section: str) -> str:
    """What the spellings of a section have in common: `food-and-drink` is Food & Drink."""
    return _key(section.replace("&", " and "))


def _spelled(folder: str) -> str:
    """The name of a folder as that of a section: `arts-and-culture` is Arts and Culture, `us-news` US News."""
    words = re.split(r"[-_\s]+", folder.strip("-_ "))
    inside = range(1, len(words) - 1)
    return " ".join(
        word.upper()
        if word in _ACRONYMS
        else word.capitalize()
        if word.islower() and not (at in inside and word in _SMALL)
        else word
        for at, word in enumerate(words)
    )


_ACRONYMS = frozenset({"us", "uk", "eu", "un", "tv", "it"})
_SMALL = frozenset({"and", "of", "the", "in", "for"})
