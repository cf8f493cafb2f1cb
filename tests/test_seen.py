"""What a run remembers of the articles it has read: all of it, in bounded memory, in no file that is left."""

import random
import tracemalloc
from contextlib import closing
from pathlib import Path

import pytest

from indexer import seen
from indexer.plan import Seen
from indexer.seen import SeenArticles
from search.article import Article


@pytest.fixture
def articles():
    with closing(SeenArticles()) as articles:
        yield articles


def at(number, file="a.jsonl"):
    return Seen(file, number, f"{number:032x}")


@pytest.mark.parametrize("newest", [1, 3, 1000])
def test_what_was_read_is_known(articles, monkeypatch, newest):
    monkeypatch.setattr(seen, "NEWEST", newest)
    monkeypatch.setattr(seen, "BITS", 64)  # too few, so that most are asked for in vain
    choose, known = random.Random(1), {}
    for number in range(300):
        ids = [str(choose.randrange(500)) for _ in range(5)]
        assert articles.of(ids) == {id: known[id] for id in ids if id in known}
        assert sorted(articles.lacking(ids)) == sorted({id for id in ids if id not in known})
        added = {id: at(number, choose.choice(["a", "b"])) for id in ids[:2]}
        articles.add(added)
        known |= added


def test_places_come_back_as_they_were(articles, monkeypatch):
    monkeypatch.setattr(seen, "NEWEST", 1)
    places = {"a": at(1, "caf\udce9.md"), "b": Seen("standard input", None, "0" * 32), "c": at(2**40)}
    articles.add(places)
    assert articles.of(places) == places


@pytest.mark.parametrize("newest", [1, 1000])
def test_the_same_text_is_known_by_title_and_body(articles, monkeypatch, newest):
    monkeypatch.setattr(seen, "NEWEST", newest)
    rows = [
        ("a", "T", "x", False),
        ("b", "T", "x", True),
        ("b", "T", "x", True),
        ("a", "T", "x", False),
        ("c", "U", "x", False),
        ("d", "T", "", False),
        ("e", "T", "", False),
    ]
    made = [Article(id=id, title=title, body=body) for id, title, body, _ in rows]
    same = [same for *_, same in rows]
    assert articles.same_text(made) == same
    assert articles.same_text(made) == same
    with closing(SeenArticles()) as others:
        assert [others.same_text([one])[0] for one in made] == same


def test_memory_does_not_grow_with_the_articles(articles, monkeypatch):
    monkeypatch.setattr(seen, "NEWEST", 1000)

    def read(begin, end):
        for start in range(begin, end, 100):
            ids = [str(number) for number in range(start, start + 100)]
            articles.same_text([Article(id=id, body=f"Text {id}") for id in ids])
            assert not articles.of(ids)
            articles.add({id: at(int(id), f"{id}.md") for id in ids})

    read(0, 2000)
    tracemalloc.start()
    try:
        read(2000, 20_000)
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown < 500_000  # of those in memory; all 18,000 would be 8 MB


def test_no_file_is_left(articles, monkeypatch):
    """Its file has no name while it is used, so that a process that is killed leaves none."""
    monkeypatch.setattr(seen, "NEWEST", 1000)
    before = opened()
    for start in range(0, 100_000, 1000):
        articles.add({str(number): at(number) for number in range(start, start + 1000)})
    (name,) = opened() - before
    assert name.endswith("(deleted)")
    articles.close()
    assert opened() <= before


def opened():
    return {str(file.readlink()) for file in Path("/proc/self/fd").iterdir() if file.is_symlink()}
