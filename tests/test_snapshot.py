"""Snapshots: what may be shown at one moment, and which files that is read from."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest

from search.article import Article
from search.engines import Delete, EngineUnavailable, IndexCorrupt, Put, connect
from search.engines.whoosh import clock, contents, generations, snapshot, writer
from search.engines.whoosh.instants import micros
from search.engines.whoosh.postings import FIELD_NAMES
from search.engines.whoosh.snapshot import Snapshot
from search.query import parse

NOW = datetime(2025, 8, 6, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def engine(tmp_path):
    engine = connect(f"whoosh:{tmp_path / 'index'}")
    yield engine
    engine.close()


@pytest.fixture
def live(engine, tmp_path, monkeypatch):
    """Applies changes as a commit, which is a segment; the folder of the live generation."""
    monkeypatch.setattr(writer, "MERGE_TOKENS", 0)

    def apply(*changes):
        run = engine.begin("index", ["s"])
        engine.accept(run, [Delete(one) if isinstance(one, str) else Put(one, "s") for one in changes])
        engine.catch_up()
        folder = tmp_path / "index"
        return folder / "generations" / generations.current(folder)

    return apply


def shown(opened, now):
    visible = opened.visible(now.timestamp())
    return {
        view.ids[doc]
        for view, mask in zip(opened.views, visible.masks, strict=True)
        for doc in range(view.size)
        if mask[doc]
    }


def one(id, title="tide", **values):
    return Article(id=id, title=title, **values)


def late(id, hours, **values):
    return one(id, embargo_until=NOW + hours * HOUR, **values)


MOMENTS = [
    # hours from NOW, what is shown
    (-5, {"plain"}),
    (-1, {"plain", "past"}),
    (0, {"plain", "past", "now"}),
    (0.999, {"plain", "past", "now"}),
    (1, {"plain", "past", "now", "soon"}),
    (99, {"plain", "past", "now", "soon", "later"}),
]


def test_an_embargo_ends_at_its_instant_and_not_before(live):
    live(Article(id="plain", title="tide"), late("past", -1), late("now", 0))
    hidden = late("taken", -3), late("withdrawn", -3, status="withdrawn")
    opened = Snapshot(live(late("soon", 1), late("later", 2), one("gone"), *hidden), frozenset({"taken", "unknown"}))
    for hours, right in MOMENTS:
        visible = opened.visible((NOW + hours * HOUR).timestamp())
        assert shown(opened, NOW + hours * HOUR) - {"gone"} == right
        assert visible.count == len(right) + 1
    opened = Snapshot(live("gone"), frozenset({"taken"}))
    assert shown(opened, NOW + 99 * HOUR) == MOMENTS[-1][1]


def test_the_moment_of_the_next_embargo_is_known(live):
    opened = Snapshot(live(late("a", 1), late("b", 2), one("c")))
    ends = [opened.visible((NOW + hours * HOUR).timestamp()).until for hours in (0, 1, 2)]
    assert ends[:2] == [micros(NOW + HOUR), micros(NOW + 2 * HOUR)]
    assert ends[2] > micros(datetime.max.replace(tzinfo=UTC))


def test_looks_again_when_an_embargo_ends_and_no_sooner(live):
    opened = Snapshot(live(late("a", 1), one("b")))
    with mock.patch.object(clock, "now", return_value=NOW.timestamp()) as now:
        first = opened.visible()
        assert first.count == 1
        now.return_value += 3599
        assert opened.visible() is first
        now.return_value += 1
        second = opened.visible()
        assert second.count == 2
        now.return_value += 9999
        assert opened.visible() is second
        now.return_value -= 10_000  # the clock was wrong, and is set back
        assert opened.visible().count == 1


def test_lengths_are_of_what_is_shown_alone(live):
    live(Article(id="a", title="one two"), Article(id="b", title="one two three four"), one("none", "", body="x"))
    opened = Snapshot(live(late("c", 1, body="x y z"), Article(id="d", title="long " * 60)), frozenset({"d"}))
    assert opened.visible(NOW.timestamp()).average[FIELD_NAMES.index("title")] == 3
    assert opened.visible((NOW + HOUR).timestamp()).average[FIELD_NAMES.index("title")] == pytest.approx(7 / 3)
    assert opened.visible(NOW.timestamp()).average[FIELD_NAMES.index("tags")] == 1.0  # nobody has one


def test_finds_an_article_in_whatever_segment(live):
    live(one("a"), one("b"))
    opened = Snapshot(live(Article(id="a", title="changed"), one("c")), frozenset({"c"}))
    places = {id: opened.find(id) for id in "abcx"}
    assert places["x"] is None
    assert {id: opened.views[place[0]].ids[place[1]] for id, place in places.items() if place} == {
        id: id for id in "abc"
    }
    assert places["a"][0] == places["c"][0] != places["b"][0]


def test_ids_whose_digests_collide_are_told_apart(live):
    """`by_tie` is sorted by 64 bits of a digest; the id itself decides."""
    with (
        mock.patch("search.engines.whoosh.segment.tie_break", return_value=7),
        mock.patch("search.engines.whoosh.writer.tie_break", return_value=7),
    ):
        opened = Snapshot(live(*(one(f"a{n}") for n in range(5))), frozenset({"a3"}))
        assert [opened.find(f"a{n}")[1] for n in range(5)] == [0, 1, 2, 3, 4]
        assert opened.find("a9") is None
        assert shown(opened, NOW) == {"a0", "a1", "a2", "a4"}


def test_a_commit_between_the_table_and_its_files_is_met_with_another_look(live):
    """The table that was read names files that a merge has removed; there is a newer table."""
    generation = live(Article(id="a", title="tide"))
    old = contents.table(generation)
    with mock.patch.object(writer, "MERGE_TOKENS", 1000):
        live(*(Article(id=f"b{n}", title="tide") for n in range(4)))  # the merge takes the first segment's file away
    assert not old.segments[0].file(generation).exists()
    tables = [old, old]

    def table(folder):
        return tables.pop(0) if tables else writer_table(folder)

    writer_table = contents.table
    with mock.patch.object(snapshot.contents, "table", side_effect=table):
        tables.pop()
        opened = Snapshot(generation)
    assert opened.visible().count == 5


def test_a_missing_file_that_nobody_removed_is_said_at_once(live):
    generation = live(one("a"))
    (path,) = generation.glob("*.arr")
    path.unlink()
    started = time.monotonic()
    with pytest.raises(IndexCorrupt, match=path.name):
        Snapshot(generation)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("content", [b"", b"no table", b"\0" * 300])
def test_a_damaged_table_is_corrupt(live, content):
    generation = live(one("a"))
    (toc,) = generation.glob("_*.toc")
    toc.write_bytes(content)
    with pytest.raises(IndexCorrupt, match="not as it was written"):
        Snapshot(generation)
    toc.unlink()
    with pytest.raises(IndexCorrupt, match="no table of contents"):
        Snapshot(generation)


def test_closing_while_others_search_hurts_nobody(tmp_path):
    engine = connect(f"whoosh:{tmp_path / 'index'}")
    run = engine.begin("test", ["here"])
    engine.accept(run, [Put(Article(id="a", title="Title", body="word"), "here")])
    engine.catch_up()
    totals, problems, stop = set(), [], threading.Event()

    def ask():
        while not stop.is_set():
            try:
                totals.add(engine.search(parse("word")).total)
            except EngineUnavailable:  # closed between two looks at the store: said as what it is
                pass
            except Exception as problem:
                problems.append(problem)

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    for _ in range(200):
        engine.close()
    stop.set()
    for asker in askers:
        asker.join()
    engine.close()
    assert problems == []
    assert totals == {1}


def test_a_document_without_words_beyond_what_a_byte_numbers(live, engine):
    """Documents are numbered in a byte where the last one with a word is below 256; the newest has none."""
    live(*(Article(id=f"a{n}", title="the cat") for n in range(256)), Article(id="z", title="—", published=NOW))
    found = engine.search(replace(parse("", sort="newest"), optional=parse("cat").required))
    assert (found.total, found.hits[0].article.id) == (257, "z")
    assert found.hits[0].counts["title"] == {}
