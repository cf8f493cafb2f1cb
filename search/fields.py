"""The one table of fields: what is searched, with what weight, what filters and what is counted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Searched:
    """A field whose words are found.

    `weight` multiplies a word's frequency in BM25F, `b` is how much the field's length counts (0 to 1);
    weight 0: found only when asked for by name, as in `section:sport`.
    """

    name: str
    weight: float
    b: float


# Weights to start from: a title says most in fewest words. They are to be tuned on judged collections.
SEARCHED = (
    Searched("title", 3.0, 0.6),
    Searched("summary", 1.5, 0.7),
    Searched("subheads", 1.5, 0.7),
    Searched("body", 1.0, 0.75),
    Searched("tags", 1.5, 0.5),
    Searched("authors", 1.5, 0.5),
    Searched("section", 0.0, 0.5),
)
K1 = 1.2  # saturation of BM25F, the customary value (Robertson and Zaragoza 2009, section 3.5)
STEM_MATE = 0.6  # an occurrence of another word of the same stem counts this much of the word as typed

# What a reader writes before a colon -> the field; the names of the filters, plurals and the usual synonyms too.
PREFIXES = {
    "title": "title",
    "headline": "title",
    "summary": "summary",
    "subhead": "subheads",
    "subheads": "subheads",
    "body": "body",
    "text": "body",
    "tag": "tags",
    "tags": "tags",
    "author": "authors",
    "authors": "authors",
    "by": "authors",
    "section": "section",
}

# Parameter of the page and the API -> field of Article; an exact value, any of several.
FILTERS = {"section": "section", "tag": "tags", "author": "authors", "language": "language"}

FACETS = ("section", "date", "tag", "author", "language")
DEFAULT_FACETS = ("section", "date")
FACET_SIZE = 20  # values listed a facet; the others are counted in `other`
