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


# Beside a setting stands what other values give: nDCG@10 as the mean of four judged collections (.564 as it is) and,
# behind the stroke, success@3 of a thousand articles found again (.963). A difference in nDCG below .007 may be chance.
# docs/ranking.md tells how this was measured, and what did not help.
SEARCHED = (
    Searched("title", 5.0, 0.6),  # weight 1: .558 / .938, 3: .565 / .961, 10: .561 / .961; b 0: .564 / .958
    Searched("summary", 1.5, 0.7),  # none in the collections; weight 1 or 3, b 0.5 or 0.9: .963
    Searched("subheads", 1.5, 0.7),  # none in either
    Searched("body", 1.0, 0.6),  # b 0.4: .559 / .964, 0.5: .563 / .964, 0.75: .559 / .960
    Searched("tags", 1.0, 0.5),  # only CACM has any; weight 0: .559 / .963, 0.5: .563 / .963, 3: .559 / .963
    Searched("authors", 1.5, 0.5),  # only CACM has any; weight 0: .561 / .964, 1: .562 / .963, 3: .564 / .963
    Searched("section", 0.0, 0.5),
)
K1 = 1.0  # saturation of BM25F; 1.3: .564 / .963, 1.8: .559 / .956
# An occurrence of another word of the same stem counts this much of the word as typed.
STEM_MATE = 0.6  # 0: .530 / .932, 0.4: .561 / .965, 0.8: .561 / .964, 1: .558 / .964

MOST_WORDS = 64  # of a query; of more the rarest count

# All of one or two words must match. Of n there may be fewer, where not so many times (n - 2) ** 2 articles have all.
ENOUGH = 10  # 2: .558 / .963, 40: .567 / .960, any of the words: .567 / .959

# Where the subject is in the news, the fresh come first: the shares of the score that age costs is FRESH / (1 + FRESH).
FRESH = 0.3  # 1 would be half of the score, the most that is allowed, and hides older articles that are looked for
#   0: .564 / .963, 1: .564 / .958
FRESH_DAYS = (1, 3, 7, 14, 30, 60, 90)  # the last days in which a story may have broken
FRESH_FEWEST = 3  # articles of these days at least: two are no burst
FRESH_SURPRISE = 5.0  # logarithm of the likelihood ratio at least: by chance alone once in 600 times

# The best by their words alone are looked at again:
POOL = 100  # so many articles, for what follows; 25: .563 / .963, 200: .564 / .963
NEAR, NEAR_WEIGHT = 2, 0.1  # for neighbours in the query with so many places between them at most
#   NEAR 8: .563 / .965; NEAR_WEIGHT 0: .559 / .965, 0.07: .564 / .963, 0.2: .563 / .958
FEEDBACK_WORDS = 6  # for what the best have in common, where the query has so many words or more (long ones only:
#   a short one is a name more often than a subject); 3: .564 / .956, 5: .564 / .963, 8: .563 / .965, never: .551 / .965
FEEDBACK_ARTICLES = 10  # in so many of them; 5: .561 / .962, 20: .562 / .962
FEEDBACK_LEAD = 1_000  # characters of whose body are read: news says in its first paragraphs what it is about
#   500: .564 / .961, all: .563 / .963
FEEDBACK_LIKELY, FEEDBACK_TERMS = 60, 30  # words that they share: the most frequent, and of these the most telling
#   LIKELY 30: .563 / .963, 100: .564 / .963; TERMS 15: .562 / .962, 60: .562 / .963
FEEDBACK_SHARE = 0.33  # of the score of the best ten; 0.2: .562 / .964, 0.5: .558 / .956

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
