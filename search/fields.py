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


# The figures beside these settings are the mean nDCG@10 of four judged collections, and what it would be without;
# docs/ranking.md tells how they were found, and what did not help.
SEARCHED = (
    Searched("title", 5.0, 0.6),
    Searched("summary", 1.5, 0.7),
    Searched("subheads", 1.5, 0.7),
    Searched("body", 1.0, 0.6),
    Searched("tags", 1.0, 0.5),
    Searched("authors", 1.5, 0.5),
    Searched("section", 0.0, 0.5),
)
K1 = 1.3  # saturation of BM25F
STEM_MATE = 0.6  # an occurrence of another word of the same stem counts this much of the word as typed

MOST_WORDS = 64  # of a query; of more the rarest count

# All of one or two words must match. Of n there may be fewer, where not so many times (n - 2) ** 2 articles have all.
ENOUGH = 10

# Where the subject is in the news, the fresh come first: the shares of the score that age costs is FRESH / (1 + FRESH).
FRESH = 0.3  # 1 would be half of the score, the most that is allowed, and hides older articles that are looked for
FRESH_DAYS = (1, 3, 7, 14, 30, 60, 90)  # the last days in which a story may have broken
FRESH_FEWEST = 3  # articles of these days at least: two are no burst
FRESH_SURPRISE = 5.0  # logarithm of the likelihood ratio at least: by chance alone once in 600 times

# The best by their words alone are looked at again:
POOL = 100  # so many articles, for what follows; 50: -.001, 200: the same
NEAR, NEAR_WEIGHT = 2, 0.07  # for neighbours in the query with so many places between them at most
FEEDBACK_WORDS = 5  # for what the best have in common, where the query has so many words or more (long ones only:
FEEDBACK_ARTICLES = 10  # a short one is a name more often than a subject): in so many of them
FEEDBACK_LEAD = 1_000  # characters of whose body are read: news says in its first paragraphs what it is about
FEEDBACK_LIKELY, FEEDBACK_TERMS = 60, 30  # words that they share: the most frequent, and of these the most telling
FEEDBACK_SHARE = 0.33  # of the score of the best ten

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
