"""Articles found again by what a reader remembers of them; how the queries are drawn, and how ranks are counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
import remembered
from known_items import AT_LEAST, Found
from prepared import Prepared
from remembered import FEWEST, MOST, Item

from indexer import sources
from search.article import Article, to_json

ROOT = Path(__file__).parent.parent
ENDING = re.compile(r"(?:e|y|i?es|s|ing|i?ed)?$")


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    read = sources.read([str(ROOT / "sample_corpus")])
    return [item.article for item in read if isinstance(item, sources.Read)]


@pytest.fixture(scope="module")
def items(articles: Sequence[Article]) -> list[Item]:
    return remembered.draw(articles)


def words(*texts: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", " ".join(texts).lower())


def stem(word: str) -> str:
    return ENDING.sub("", word, count=1)


def test_the_same_seed_gives_the_same_queries_and_another_gives_others(
    articles: Sequence[Article], items: Sequence[Item]
) -> None:
    assert remembered.draw(articles) == items
    assert remembered.draw(articles, seed=2) != items
    assert remembered.draw(articles, 5) == items[:5]


def test_no_article_is_asked_for_twice(items: Sequence[Item]) -> None:
    assert len({item.id for item in items}) == len(items) >= 50


def test_a_query_holds_words_of_its_article_and_one_wrong_one_at_most(
    articles: Sequence[Article], items: Sequence[Item]
) -> None:
    by_id = {article.id: article for article in articles}
    for item in items:
        article = by_id[item.id]
        held = set(words(article.title, article.summary, article.body))
        typed = item.query.split()
        assert FEWEST <= len(typed) <= MOST, item
        assert len(item.words) == len(typed) - bool(item.wrong) >= FEWEST, item
        assert held >= set(item.words), item
        # Another form of a word of the article, or the wrong one.
        right = [word for word in typed if word != item.wrong]
        assert Counter(map(stem, right)) == Counter(map(stem, item.words)), item
        assert item.wrong not in held, item


def test_queries_are_of_every_kind(items: Sequence[Item]) -> None:
    assert {len(item.query.split()) for item in items} == set(range(FEWEST, MOST + 1))
    right = [[word for word in item.query.split() if word != item.wrong] for item in items]
    assert 0.1 < sum(item.wrong is not None for item in items) / len(items) < 0.3
    kinds = [
        (typed == list(item.words), sorted(typed) == sorted(item.words))
        for typed, item in zip(right, items, strict=True)
    ]
    assert min(Counter(kinds)[kind] for kind in ((True, True), (False, True), (False, False))) >= len(items) / 10


def test_what_a_page_of_articles_holds_too_is_not_asked(articles: Sequence[Article]) -> None:
    def asked(titles: int) -> int:
        crowd = [Article(f"zeppelin-{n}", title=f"Zeppelin ahoy {n}", body="A zeppelin, ahoy!") for n in range(titles)]
        return sum(item.id.startswith("zeppelin") for item in remembered.draw([*crowd, *articles, *articles]))

    assert asked(remembered.TELLING) == remembered.TELLING
    assert asked(remembered.TELLING + 1) == 0


@pytest.mark.parametrize(
    ("found", "rank"),
    [
        (["snow", "huts"], 1),
        (["huts", "snow"], 2),
        (["huts", "again", "snow"], 2),  # filed twice: the same title, however it is written
        (["huts"], None),
    ],
)
def test_an_article_of_the_same_title_is_as_good(found: list[str], rank: int | None) -> None:
    filed = [
        Article("snow", title="Snow falls"),
        Article("again", title="SNOW  FALLS"),
        Article("huts", title="Huts"),
    ]
    counted = Found([Item("fall", "snow", ("falls",))], {"fall": found}, remembered.same_titles(filed))
    assert counted.ranks == [rank]
    assert counted.success(1) == (rank == 1)
    assert counted.mrr == (1 / rank if rank else 0)


def test_articles_without_a_title_are_not_the_same() -> None:
    assert len(set(remembered.same_titles([Article("a"), Article("b")]).values())) == 2


def test_the_sample_articles_are_found_again(
    articles: Sequence[Article], items: Sequence[Item], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "articles.jsonl"
    file.write_text("".join(f"{to_json(article)}\n" for article in articles))
    prepared = Prepared(file, tmp_path / "kept")
    found = Found(items, prepared.ask([item.query for item in items]), remembered.same_titles(articles))
    prepared.close()
    with capsys.disabled():
        print(f"\n{len(items)} sample articles found again: success@3 {found.success(3):.3f}, MRR {found.mrr:.3f}")
    assert found.success(3) >= AT_LEAST
