"""Articles of a seeded generator: for what must not depend on data that may not be passed on."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from search.article import Article

SECTIONS = ("World", "Politics", "Business", "Science", "Culture", "Sport", "Travel", "Food", "Local")
BEGIN = datetime(2015, 1, 1, tzinfo=UTC)
VOCABULARY = 30_000
_SYLLABLES = tuple(consonant + vowel for consonant in ("st", "tr", *"bcdfglmnprstv") for vowel in "aeiou")
_ENDINGS = ("", "", "", "s", "ed", "ing", "ly", "ation")
SHARED = 5  # articles that have a name in common


def words(random_: random.Random) -> list[str]:
    """A vocabulary with inflections, in the order of frequency."""
    made: dict[str, None] = {}
    while len(made) < VOCABULARY:
        root = "".join(random_.choices(_SYLLABLES, k=random_.randint(2, 4)))
        made.setdefault(root + random_.choice(_ENDINGS))
    return list(made)


def name(number: int) -> str:
    """A word that is not in the vocabulary, another for each number."""
    made = ""
    while number or len(made) < 6:
        number, syllable = divmod(number, len(_SYLLABLES))
        made += _SYLLABLES[syllable]
    return made + "x"


def articles(count: int, seed: int = 1) -> Iterator[Article]:
    """Articles of 100 to 500 words by Zipf's law, in nine sections, over ten years; one in fifty undated.

    Every one has a name in it that only its neighbours have too, so that many articles have more words than few, and
    some of them are rare. The first ones are the same whatever the count.
    """
    random_ = random.Random(seed)
    vocabulary = words(random_)
    weights = list(accumulate(1 / rank for rank in range(3, len(vocabulary) + 3)))
    for number in range(count):
        text = random_.choices(vocabulary, cum_weights=weights, k=random_.randint(100, 500))
        text[9] = name(number // SHARED)  # in the first sentence
        sentences = [" ".join(text[at : at + 14]).capitalize() + "." for at in range(8, len(text), 14)]
        yield Article(
            id=f"generated-{number}",
            title=" ".join(text[:8]).capitalize(),
            body="\n\n".join(" ".join(sentences[at : at + 4]) for at in range(0, len(sentences), 4)),
            section=random_.choice(SECTIONS),
            published=BEGIN + timedelta(minutes=random_.randrange(5_250_000)) if number % 50 else None,
        )
