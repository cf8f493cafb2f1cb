"""What a reader remembers of an article, as a query: the known items by which a search is judged.

Of each article drawn 2 to 5 words of its title, summary and body, in any order, some in another form; in one of five
queries one that is wrong. What is drawn depends on the articles and the seed alone, not on how any engine reads words.
"""

from __future__ import annotations

import math
import random
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from search.article import Article

ITEMS = 500
SEED = 1
FEWEST, MOST = 2, 5  # words of a query; FEWEST of them are right
TELLING = 10  # titles whose articles hold all the right words, at most: a page of results
TRIES = 50  # words that come to mind
FIELDS = {"title": 6, "summary": 2, "body": 2}  # how often a word is remembered from there
LEAD = 60  # words of the body that stand for a summary where there is none
OTHER_FORM = 1 / 3  # of the words
WRONG = 1 / 5  # of the queries
RARE, COMMON = 3, 0.1  # articles that hold a word at least; share of all articles at most
SHORTEST = 3  # letters of a word
SAME = 5  # letters: words that begin with the same ones may be forms of one word

_WORD = re.compile(r"[^\W\d_]+(?:['’](?!s\b)[^\W\d_]+)*")  # don't is one word, but nobody remembers it
# An ending -> what may stand in its place; a form counts as one if articles use it.
_ENDINGS = {
    "": ("s", "es", "ing", "ed"),
    "e": ("es", "ing", "ed"),
    "y": ("ies", "ied", "ying"),
    "s": ("", "ing", "ed"),
    "es": ("", "e", "ing", "ed"),
    "ies": ("y", "ied", "ying"),
    "ing": ("", "e", "s", "es", "ed"),
    "ed": ("", "e", "s", "es", "ing"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """What a reader types to find an article again. `words`: those of the article, as they stand there."""

    query: str
    id: str
    words: tuple[str, ...]
    wrong: str | None = None


class _Vocabulary:
    """What words a set of articles uses, which articles hold them, and which are names."""

    def __init__(self, articles: Sequence[Article]) -> None:
        titles = same_titles(articles)
        self._titles = [titles[article.id] for article in articles]
        self._holding: dict[str, array[int]] = defaultdict(lambda: array("I"))
        small: Counter[str] = Counter()
        all_: Counter[str] = Counter()
        for number, article in enumerate(articles):
            words = [word for text in _texts(article).values() for word in text]
            for word in dict.fromkeys(word.lower() for word in words):
                self._holding[word].append(number)
            all_.update(word.lower() for word in words)
            small.update(word for word in words if word.islower())
        self._names = {word for word, times in all_.items() if small[word] < times / 2}

    def idf(self, word: str) -> float:
        """How much a word says; 0 for one that no reader would remember."""
        held = len(self._holding[word])
        is_common = held > max(RARE, COMMON * len(self._titles))
        if not word.isalpha() or len(word) < SHORTEST or held < RARE or is_common:
            return 0.0
        return math.log(len(self._titles) / held)

    def forms(self, word: str) -> list[str]:
        """Its other forms; a name has none."""
        if word in self._names:
            return []
        stems = [(word.removesuffix(ending), others) for ending, others in _ENDINGS.items() if word.endswith(ending)]
        forms = dict.fromkeys(stem + other for stem, others in stems if len(stem) > SHORTEST for other in others)
        return [form for form in forms if form != word and len(self._holding.get(form, ())) >= RARE]

    def tells(self, words: Iterable[str]) -> bool:
        """Whether so few articles hold all these words, in any form, that a reader can mean one of them."""
        holding = (set().union(*(self._holding[form] for form in (word, *self.forms(word)))) for word in words)
        return len({self._titles[number] for number in set.intersection(*holding)}) <= TELLING


def same_titles(articles: Iterable[Article]) -> dict[str, str]:
    """Id -> what two articles of the same title have in common; an article without a title is like no other."""
    return {article.id: " ".join(article.title.lower().split()) or article.id for article in articles}


def draw(articles: Sequence[Article], count: int = ITEMS, seed: int = SEED) -> list[Item]:
    """Queries for so many of the articles, or for all that say enough."""
    random_ = random.Random(seed)
    vocabulary = _Vocabulary(articles)
    by_section: dict[str | None, list[Article]] = defaultdict(list)
    for article in articles:
        by_section[article.section].append(article)
    items: list[Item] = []
    for article in random_.sample(articles, len(articles)):
        if len(items) == count:
            break
        other = random_.choice(by_section[article.section])
        if item := _item(article, other, vocabulary, random_):
            items.append(item)
    return items


def _item(article: Article, other: Article, vocabulary: _Vocabulary, random_: random.Random) -> Item | None:
    length = random_.randint(FEWEST, MOST)
    wrong = None
    if random_.random() < WRONG:
        # A reader mixes it up with another article of the section.
        texts = _WORD.findall(" ".join((*article.tags, *article.authors, article.section or "")).lower())
        held = {word.lower() for text in _texts(article).values() for word in text}.union(texts)
        foreign = (word for word in _remembered(other, vocabulary, random_) if not _is_among(held, word))
        wrong = next(foreign, None)
    words: list[str] = []
    for word in _remembered(article, vocabulary, random_):
        if len(words) + bool(wrong) == MOST:
            break
        if not _is_among(words, word):
            words.append(word)
        if len(words) >= max(FEWEST, length - bool(wrong)) and vocabulary.tells(words):
            break
    if len(words) < FEWEST or not vocabulary.tells(words):
        return None
    typed = [_formed(word, vocabulary, random_) for word in words] + ([wrong] if wrong else [])
    random_.shuffle(typed)
    return Item(" ".join(typed), article.id, tuple(words), wrong)


def _is_among(words: Iterable[str], word: str) -> bool:
    """Whether the word, or what may be another form of it, is one of these."""
    return any(word[:same] == other[:same] for other in words if (same := min(SAME, len(word), len(other))) >= SHORTEST)


def _remembered(article: Article, vocabulary: _Vocabulary, random_: random.Random) -> Iterator[str]:
    """Words of an article as they come to mind: of its title first of all, and those that say much."""
    weighed = {}
    for name, text in _texts(article).items():
        words = [word.lower() for word in text]
        if any(weights := [vocabulary.idf(word) for word in words]):
            weighed[name] = words, weights
    if weighed:
        for _ in range(TRIES):
            (name,) = random_.choices(list(weighed), [FIELDS[name] for name in weighed])
            words, weights = weighed[name]
            yield random_.choices(words, weights)[0]


def _formed(word: str, vocabulary: _Vocabulary, random_: random.Random) -> str:
    forms = vocabulary.forms(word)
    return random_.choice(forms) if forms and random_.random() < OTHER_FORM else word


def _texts(article: Article) -> dict[str, list[str]]:
    body = _WORD.findall(article.body)
    return {
        "title": _WORD.findall(article.title),
        "summary": _WORD.findall(article.summary) or body[:LEAD],
        "body": body,
    }
