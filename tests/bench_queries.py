"""The queries of `make bench`: drawn from the articles themselves, so that each finds something."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol

import bench_corpus

from search.analysis import STOP_WORDS

EACH = 40  # queries of a kind, no two alike
SAMPLE = 2000  # articles that they are drawn from
TRIES = 100 * EACH
RARE = 10  # articles that have a rare word, at most


@dataclass(frozen=True, slots=True)
class Asked:
    """One query: the reader's text, and what was chosen beside it. A prefix ends in `*`, and gets no snippets."""

    kind: str
    text: str
    section: str | None = None
    from_date: datetime | None = None
    until: datetime | None = None
    newest: bool = False

    @property
    def is_prefix(self) -> bool:
        return self.text.endswith("*")


class Engine(Protocol):
    """What the bench does with each engine, in this order; `folder` is its own, and fresh."""

    name: str
    is_asked: bool  # or only indexed with

    def __init__(self, folder: Path) -> None: ...

    def index(self, file: Path) -> None:
        """Read the JSONL file; when this returns everything can be found and is on the disk."""

    def remove(self, ids: Sequence[str]) -> None:
        """Hide or delete these articles, and open the index for queries."""

    def ask(self, asked: Asked) -> int:
        """From the text to the top ten, counts by section and month, ten snippets; gives the exact total."""

    def close(self) -> None: ...


class _Text(NamedTuple):
    """An article to draw from: its words, its pairs of neighbours, its section, its year."""

    words: list[str]
    pairs: list[str]
    section: str
    year: int


def draw(file: Path, articles: int, judges: Sequence[Engine]) -> list[Asked]:
    """`EACH` of every kind; each finds something in the index of every judge."""
    random_ = random.Random(7)
    drawn: dict[Asked, None] = {}
    for kind, make in _makers(random_, _sample(file, articles, random_)).items():
        wanted = len(drawn) + EACH
        for _ in range(TRIES):
            asked = make(kind)
            if asked not in drawn and _fits(asked, judges):
                drawn[asked] = None
            if len(drawn) == wanted:
                break
        else:
            raise SystemExit(f"these articles give fewer than {EACH} queries of the kind {kind!r}")
    return list(drawn)


def _fits(asked: Asked, judges: Sequence[Engine]) -> bool:
    totals = [judge.ask(asked) for judge in judges]
    return all(totals) and (asked.kind != "rare word" or max(totals) <= RARE)


def _sample(file: Path, articles: int, random_: random.Random) -> list[_Text]:
    chosen = set(random_.sample(range(articles), min(SAMPLE, articles)))
    texts = []
    for number, row in enumerate(bench_corpus.rows(file)):
        if number in chosen and row.section and row.published is not None:
            body = row.body.lower()
            words = sorted(set(re.findall(r"(?<!\S)[a-z]{4,}(?!\S)", body)) - STOP_WORDS)
            pairs = re.findall(r"(?<!\S)[a-z]{4,} [a-z]{4,}(?!\S)", body)
            if len(words) > 10 and pairs:
                texts.append(_Text(words, pairs, row.section, datetime.fromtimestamp(row.published, UTC).year))
    return texts


def _makers(random_: random.Random, texts: Sequence[_Text]) -> dict[str, Callable[[str], Asked]]:
    df = Counter(word for text in texts for word in text.words)
    ranked = sorted(df, key=lambda word: (-df[word], word))
    middle = frozenset(islice(ranked, 100, 2000))

    def any_of(words: Sequence[str]) -> Callable[[str], Asked]:
        return lambda kind: Asked(kind, random_.choice(words))

    def words(count: int) -> Callable[[str], Asked]:
        return lambda kind: Asked(kind, " ".join(random_.sample(random_.choice(texts).words, count)))

    def narrowed(kind: str) -> Asked:
        text = random_.choice(texts)
        word = random_.choice([word for word in text.words if word in middle] or text.words)
        begin, end = (datetime(year, 1, 1, tzinfo=UTC) for year in (text.year, text.year + 1))
        return Asked(kind, word, section=text.section, from_date=begin, until=end)

    return {
        "rare word": any_of(ranked[len(ranked) // 2 :]),
        "common word": any_of(ranked[:50]),
        "two words": words(2),
        "four words": words(4),
        "phrase": lambda kind: Asked(kind, f'"{random_.choice(random_.choice(texts).pairs)}"'),
        "prefix": lambda kind: Asked(kind, random_.choice(ranked[:2000])[:4] + "*"),
        "word, section and date": narrowed,
        "newest first": lambda kind: Asked(kind, random_.choice(ranked[20:500]), newest=True),
    }
