"""Whether there is something to read on a page: an article, and not a menu, a list of others, a wall or an error."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from . import json_ld
from .lines import key
from .page import Page, words

# Letters, since not every script has spaces between words, of what is no link: a sentence. A page with less, and
# without a headline of its own, is a menu, a wall or an error; with a headline three words are something to find.
FEWEST = 60
FEWEST_WITH_HEADLINE = 9
CARD = 80  # words: a linked heading with its teaser, date and author
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_NO_ARTICLE = re.compile(
    r"(?:error )?(?:40[0-9]|50[0-9])\b.{0,40}|(?:page |file )?not found|access denied|forbidden|just a moment\W*"
    r"|attention required!?|are you a robot\??|log ?in|sign ?in|redirecting\W*|page unavailable",
    re.I,
)


def has_article(page: Page, title: str, body: str) -> bool:
    """Whether there is something to read here: not a menu, a wall or an error."""
    if _NO_ARTICLE.fullmatch(title):
        return False
    kinds = {*json_ld.kinds(page.ld), *page.meta.get("og:type", ())}
    if title and kinds & {*json_ld.TYPES, "article"}:
        return True  # by its own word; the text may be behind a wall, the headline is to be found
    # The longest first: "Story 1" is part of "Story 10".
    links = sorted({link for link in map(key, map(words, _links(page))) if link}, key=len, reverse=True)
    share = _share(page, body, links)
    if share.is_listing or kinds & {"ProfilePage", "CollectionPage", "SearchResultsPage", "profile"}:
        return False
    if "website" in kinds and not share.prose:
        return False
    own = title if key(title) not in map(key, page.sites()) else ""
    return len(_without([*links, key(title)], key(body))) >= (FEWEST_WITH_HEADLINE if own else FEWEST)


def _links(page: Page) -> list[Any]:
    return list(page.tree.xpath("//a[@href and not(starts-with(@href, '#') or starts-with(@href, 'javascript:'))]"))


def _share(page: Page, body: str, links: list[str]) -> Share:
    """How much of the text is prose of its own, and how much leads elsewhere: links and the teasers of cards."""
    long = [link for link in links if len(link) >= 4]  # "a" is part of every word
    teasers = _teasers(page)
    share = Share()
    for line in map(key, body.split("\n\n")):
        left = _without(long, line)
        # A link with a name and a date behind it, and not a name that is a link in a short sentence.
        leads = len(left) < FEWEST and left != line and (line.startswith(tuple(long)) or 2 * len(left) <= len(line))
        if line in teasers or leads:
            share.lines += 1
            share.linked += len(line)
        elif len(line) >= FEWEST:
            share.prose += len(line)
        else:
            share.short += len(line)
    return share


def _teasers(page: Page) -> set[str]:
    """The texts beside headings that are links: of the cards of other articles."""
    teasers: set[str] = set()
    for heading in page.tree.iter(*_HEADINGS[1:]):
        links = [*heading.xpath(".//a[@href and not(contains(@href, '#'))]"), *heading.xpath("ancestor::a[@href]")]
        if not any(key(words(heading)) in key(words(link)) for link in links):
            continue
        card = heading
        for above in islice(heading.iterancestors(), 6):
            if len(list(islice(above.iter(*_HEADINGS), 2))) > 1:
                break
            card = above
        # Longer ones are articles of a list of them, or the one of a page whose headline links to itself.
        if len(words(card).split()) <= CARD:
            teasers |= {key(words(part)) for part in card.iter("p", "div", "span", "time", "a")}
    return teasers - {""}


@dataclass(slots=True)
class Share:
    """Letters of a text by what their lines are."""

    prose: int = 0
    linked: int = 0
    short: int = 0
    lines: int = 0  # how many are links and teasers

    @property
    def is_listing(self) -> bool:
        """More than the links below an article: of 188 judged pages one, a line of text under a podcast, is refused."""
        return self.lines >= 5 and self.linked > 2 * self.prose and self.linked > self.short


def _without(links: Iterable[str], text: str) -> str:
    for link in links:
        text = text.replace(link, "") if link else text
    return text
