"""What stands over the text of a dump: the title, the standfirst, the byline, the dates and the buttons between."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import PurePosixPath

from . import dates, furniture
from .lines import count, is_prose, key
from .origin import Origin

TITLE = 40  # words: a longer first line is a paragraph
STANDFIRST = 80  # words: more are the first paragraphs
HEAD = 14  # lines: so far down may the date, the byline and the buttons of an article stand
# The words before a date, and the byline before these: By Jane Doe, published on.
_LABEL = re.compile(
    r"(?P<by>(?:\w+ )?by\b.*?)?[\W_]*(?:"
    r"(?P<published>(?:(?:first |originally |date )?(?:published|posted|created|issued|released)|date)(?: on| at)?)"
    r"|(?P<updated>(?:last |most recently )?(?:updated|modified|revised|edited)(?: on| at)?)|on)?[\W_]*",
    re.IGNORECASE,
)
_STRANGE = re.compile(r"(?:last )?(?:published|posted|updated)(?: on)?:?\s+(?=.*\d)([^.!?]{4,40})", re.IGNORECASE)
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
_EDGES = " |•·,-–—():"


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
        if ago := dates.AGO.fullmatch(line):
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
    if not told or (line.endswith(".") and count(line) > 8):
        return []
    return names(told["who"])


def names(who: str) -> list[str]:
    """The names in a byline behind its By, without offices and agencies."""
    return [part for part in map(str.strip, _WHO.split(who)) if _is_name(part)]


def _is_name(text: str) -> bool:
    return (
        _NAME.fullmatch(text) is not None
        and not _ROLES.search(text)
        and all(not word[0].islower() or word in _PARTICLES for word in text.split())
    )


def read_head(lines: Sequence[str], origin: Origin, sections: set[str]) -> Head:
    """The head of the page, whose `lines` are those below it."""
    head = Head()
    rows = furniture.buttons(lines)
    labels = {*sections, key(origin.section or ""), key(origin.folder)} - {""}
    at = 0
    while at < len(lines) - 1:
        line = lines[at]
        if key(line) in labels:
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
    if count(lines[at]) <= TITLE:
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
            or key(line) == key(head.title)
        ):
            texts.append(line)
            between = begin and (head.summary or len(texts) > 1 or is_prose(line))
            if between or len(texts) > 3 or sum(map(is_prose, texts)) > 1 or sum(map(count, texts)) > STANDFIRST:
                break
    return lines[begin:]


def _crumbs(head: Head, line: str) -> bool:
    """Whether the line is a path through the site, whose first step is a section."""
    steps = [step for step in _CRUMBS.split(line) if step]
    if len(steps) < 2 or key(steps[0]) not in ("home", "homepage", "start") or any(count(step) > 4 for step in steps):
        return False
    head.section = head.section or steps[1]
    return True
