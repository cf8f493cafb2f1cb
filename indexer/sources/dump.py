"""Read plain-text dumps of article pages: what one gets by copying a page, with all that stands around the article.

A dump has no marks, so each rule here asks of a line what only furniture would say, and keeps the line in doubt: a
stray button in the text costs less than a lost paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Any, BinaryIO

from . import furniture, related
from .head import Head, read_head
from .lines import SENTENCE, count, key, paragraphs
from .origin import NotAnArticle, Origin, Read, Refused, decode, load

PARAGRAPH = 15  # words: what a subhead may stand over
SUBHEAD = 20  # words: one sentence; seen up to 18. 16 -> 20 finds 702 for 645 in 3,146 articles of three other houses
SHORT = 16  # words: a line that may stand over a paragraph stands not beside one of these
TOLD = 5  # words: "He never came back." is told, a subhead with a full stop says more
_QUOTES = "\"'“”‘’«»„‚"
_NUMBER = re.compile(r"\d+[.)]\s+")


def read(stream: BinaryIO, origin: Origin) -> Iterator[Read | Refused]:
    """The one article of a dump."""
    try:
        yield _article(decode(load(stream)), origin)
    except NotAnArticle as refusal:
        yield Refused(origin.file, None, str(refusal))


def _article(text: str, origin: Origin) -> Read:
    lines = paragraphs(text)
    if not lines:
        raise NotAnArticle("empty")
    lines, others = related.cut(lines, origin.timezone)
    head = read_head(lines, origin, {key(str(item["section"])) for item in others if "section" in item})
    body, subheads = _body(head)
    if not (body or head.summary):
        raise NotAnArticle("only a title, and no text")
    section, notes = _section(origin, head, others)
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
            "related": others,
        },
        head.notes + notes,
    )


# The text


def _body(head: Head) -> tuple[list[str], list[str]]:
    """The paragraphs, and those among them that are subheads."""
    rows = furniture.buttons(head.lines)
    known = {key(head.title), key(head.summary), ""}
    body = [
        line
        for at, line in enumerate(head.lines)
        if not (at in rows or furniture.is_furniture(line) or furniture.is_credit(line) or key(line) in known)
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
    counts = [0, *map(count, body), 0]
    found = [
        (line, above >= PARAGRAPH and count(line) >= TOLD)
        for line, above, below in zip(body, counts, counts[2:], strict=False)
        if below >= PARAGRAPH and (above == 0 or above > SHORT) and _may_be_subhead(line)
    ]
    open_ended = any(not line.endswith((".", "!", "?")) for line, _ in found)
    return [line for line, announces in found if not line.endswith((".", "!")) or (announces and not open_ended)]


def _may_be_subhead(line: str) -> bool:
    return (
        count(line) <= SUBHEAD
        and len(line) <= 140
        and not SENTENCE.search(_NUMBER.sub("", line))
        and line[0] not in _QUOTES + "-–—•·*(["
        and not line[0].islower()
        and not line.endswith((":", ";", ",", "…", "...", ")", *_QUOTES))
        and (not line.endswith("?") or count(line) >= 3)
    )


# The section


def _section(origin: Origin, head: Head, others: Sequence[dict[str, Any]]) -> tuple[str | None, list[str]]:
    """As ops say, else the folder, else the page's own label, else what all related articles have; and what to note."""
    spelled: dict[str, str] = {}
    for item in others:
        if "section" in item:
            spelled.setdefault(_label(item["section"]), item["section"])
    if origin.section:
        return origin.section, []
    if origin.folder:
        return spelled.get(_label(origin.folder), _spelled(origin.folder)), []
    if head.section:
        return spelled.get(_label(head.section), head.section), []
    naming = sum("section" in item for item in others)
    if len(spelled) == 1 and 2 * naming >= len(others):
        (section,) = spelled.values()
        return section, [f"section {section!r} inferred from related articles"]
    return None, []


def _label(section: str) -> str:
    """What the spellings of a section have in common: `food-and-drink` is Food & Drink."""
    return key(section.replace("&", " and "))


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
