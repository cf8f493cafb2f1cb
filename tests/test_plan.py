"""What is put and what is left alone, for every way in which an article can meet what is held."""

from dataclasses import replace

import pytest

from indexer.plan import compare
from indexer.sources import Read
from search import article
from search.article import Article
from search.engines import Held


def read(id, title, line=1):
    return Read(Article(id=id, title=title), "a.jsonl", line)


def held(id, title, source="here"):
    return {id: Held(article.digest(Article(id=id, title=title)), source)}


@pytest.mark.parametrize(
    ("batch", "there", "put", "counts"),  # counts: added, changed, unchanged
    [
        ([], {}, [], (0, 0, 0)),
        ([read("a", "new")], {}, ["new"], (1, 0, 0)),
        ([read("a", "new")], held("a", "old"), ["new"], (0, 1, 0)),
        ([read("a", "same")], held("a", "same"), [], (0, 0, 1)),
        ([read("a", "same")], held("a", "same", "elsewhere"), [], (0, 0, 1)),
        ([read("a", "new"), read("b", "new")], held("b", "old"), ["new", "new"], (1, 1, 0)),
        ([read("a", "x"), read("a", "x", 2)], {}, ["x"], (1, 0, 0)),
        ([read("a", "x"), read("a", "y", 2)], {}, ["y"], (1, 0, 0)),
        ([read("a", "x"), read("a", "y", 2), read("a", "y", 3)], held("a", "x"), ["y"], (0, 1, 0)),
        ([read("a", "y"), read("a", "x", 2)], held("a", "x"), [], (0, 0, 1)),
    ],
)
def test_what_is_put(batch, there, put, counts):
    todo = compare(batch, there, {}, "here")
    assert [item.article.title for item in todo.put] == put
    assert (todo.added, todo.changed, todo.unchanged) == counts
    assert {item.source for item in todo.put} <= {"here"}


@pytest.mark.parametrize(("source", "put"), [("here", 0), ("elsewhere", 1)])
def test_a_rebuild_adopts_what_came_from_elsewhere(source, put):
    todo = compare([read("a", "same")], held("a", "same", source), {}, "here", adopt=True)
    assert (len(todo.put), todo.unchanged) == (put, 1)


@pytest.mark.parametrize(
    ("source", "is_teaser", "put"), [("here", True, 1), ("elsewhere", True, 0), ("elsewhere", False, 1)]
)
def test_a_teaser_never_replaces_what_another_source_has(source, is_teaser, put):
    todo = compare([replace(read("a", "new"), is_teaser=is_teaser)], held("a", "old", source), {}, "here")
    assert (len(todo.put), todo.changed, todo.unchanged) == (put, put, 1 - put)


@pytest.mark.parametrize(("second", "same"), [("x", True), ("y", False)])
def test_twice_is_said(second, same):
    todo = compare([read("a", "x"), read("a", second, 7)], {}, {}, "here")
    [twice] = todo.duplicates
    assert (twice.id, twice.line, twice.before.line, twice.same) == ("a", 7, 1, same)


@pytest.mark.parametrize(("second", "put", "there"), [("x", 0, "x"), ("y", 1, "x")])
def test_twice_in_two_batches_counts_once(second, put, there):
    seen = {}
    compare([read("a", "x")], {}, seen, "here")
    todo = compare([read("a", second, 2)], held("a", there), seen, "here")
    assert (len(todo.put), len(todo.duplicates)) == (put, 1)
    assert (todo.added, todo.changed, todo.unchanged) == (0, 0, 0)


def by_path(title):
    return Read(Article(id="a", title=title), "a.md", None, from_path=True)


@pytest.mark.parametrize(
    ("title", "source", "adopt", "put", "refused"),
    [
        ("other", "/paper/there", False, 0, 1),  # two files that happen to have one path: neither is lost
        ("other", "/paper/there", True, 1, 0),  # a renamed folder
        ("old", "/paper/there", False, 0, 0),
        ("other", "/paper/here", False, 1, 0),
        ("other", "/paper/here/a.md", False, 1, 0),  # the file of the folder, by itself
        ("other", "/paper", False, 1, 0),
        ("other", "/paper/here2", False, 0, 1),
        ("other", "-", False, 0, 1),
    ],
)
def test_one_path_in_two_places(title, source, adopt, put, refused):
    todo = compare([by_path(title)], held("a", "old", "/paper/here"), {}, source, adopt=adopt)
    assert (len(todo.put), len(todo.refused)) == (put, refused)
    assert all("/paper/here" in item.reason and "reindex" in item.reason for item in todo.refused)


def test_an_id_of_its_own_may_come_from_anywhere():
    todo = compare([read("a", "other")], held("a", "old", "/paper/here"), {}, "/paper/there")
    assert len(todo.put) == 1
