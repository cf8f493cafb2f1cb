"""Where among the pages of an answer a reader is, and the ways to the others."""

from __future__ import annotations

from dataclasses import dataclass

from search.answer import Answer
from web.links import link, neighbours, reachable
from web.schemas import Asked


@dataclass(frozen=True, slots=True)
class PageLink:
    """The way to one page."""

    number: int
    url: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Paging:
    """`first` and `last` are the places of the results on this page; None in `numbers` where some are left out."""

    first: int
    last: int
    before: str | None
    after: str | None
    numbers: tuple[PageLink | None, ...]


def paging(path: str, asked: Asked, answer: Answer) -> Paging:
    """The first page, the last, and those about this one."""
    first = (asked.page - 1) * asked.per_page + 1
    before, after = neighbours(asked, answer.pages)
    return Paging(
        first=first,
        last=first + len(answer.results) - 1,
        before=link(path, asked, page=before) if before else None,
        after=link(path, asked, page=after) if after else None,
        numbers=tuple(_numbers(path, asked, reachable(asked, answer.pages))),
    )


def _numbers(path: str, asked: Asked, last: int) -> list[PageLink | None]:
    shown = sorted({page for page in (1, asked.page - 1, asked.page, asked.page + 1, last) if 1 <= page <= last})
    numbers: list[PageLink | None] = []
    for earlier, page in zip([0, *shown], shown, strict=False):
        if page - earlier > 1:
            numbers.append(None)
        numbers.append(PageLink(page, link(path, asked, page=page), page == asked.page))
    return numbers
