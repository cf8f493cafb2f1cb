"""The other articles that a dump points to: teasers in the midst of the text, and the list at its end."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from . import dates, furniture
from .lines import count, is_prose

LABEL = 5  # words: Health, Science and the Environment
_DASH = re.compile(r"[-–—•·|*_]+")


def cut(lines: list[str], timezone: tzinfo) -> tuple[list[str], list[dict[str, Any]]]:
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
    prose = [at for at in range(start, end) if is_prose(lines[at]) and not {at, at + 1} & marks]
    last = max(marks, default=-1)
    after = [at for at in prose if at > last]
    if not after or (marks and (len(after) == 1 or any(map(furniture.is_foot, lines[last + 1 : after[0]])))):
        return end
    labelled = [at for at in after if at > start and count(lines[at - 1]) <= 3]
    if len(labelled) == len(after) >= 2:
        return end  # section, teaser, section, teaser
    return after[0]


def _teaser_date(line: str, timezone: tzinfo) -> datetime | None:
    return dates.parse(line.lstrip("-–—•·|* "), timezone) if len(line) <= 60 else None


def _is_when(line: str, timezone: tzinfo) -> bool:
    """Whether the line tells a date, also one that is not understood."""
    return bool(_teaser_date(line, timezone) or _WHEN.fullmatch(line) or dates.AGO.fullmatch(line))


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
    if len(group) < 2 or is_prose(group[-2]) or (len(group) > 2 and count(group[-2]) > LABEL):
        return _guessed(group[:-1]) + [{"title": line} for line in group[-1:]]
    return [*_guessed(group[:-2]), {"title": group[-1], "section": group[-2]}]


def _guessed(lines: Sequence[str]) -> list[dict[str, Any]]:
    """Teasers without a mark between them: a short line over a longer one is its section."""
    items: list[dict[str, Any]] = []
    section = ""
    for line, below in zip(lines, [*lines[1:], ""], strict=False):
        if not section and count(line) <= 3 and count(line) < count(below):
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
    teasers = {at for at in range(foot) if is_prose(lines[at]) or (at and lines[at - 1] in sections)}
    return [
        line for at, line in enumerate(lines[:foot]) if at in teasers or (at + 1 in teasers and count(line) <= LABEL)
    ]
