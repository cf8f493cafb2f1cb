"""The contract of the engine port: what every engine does, written once. A new engine adds one line to ENGINES."""

from __future__ import annotations

import os
import pwd
import random
import socket
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from search import fields, query
from search.article import Article, from_dict, tie_break
from search.clauses import Word
from search.engines import (
    ArticleGone,
    ArticleMissing,
    Count,
    DateFacet,
    Delete,
    EngineUnavailable,
    Facet,
    Held,
    IndexMissing,
    Put,
    RebuildRefused,
    connect,
)
from search.query import Filters, Query

# From an empty folder of the test to the address of an index that does not exist yet.
ENGINES = {"whoosh": lambda folder: f"whoosh:{folder / 'index'}"}

NEW_YORK = ZoneInfo("America/New_York")
FUTURE = datetime.now(UTC) + timedelta(days=365)
PAST = datetime(2001, 1, 1, tzinfo=UTC)


@pytest.fixture(params=ENGINES.values(), ids=ENGINES.keys(), scope="module")
def engine_url(request):
    return request.param


@pytest.fixture
def url(engine_url, tmp_path):
    return engine_url(tmp_path)


@pytest.fixture
def engine(url):
    engine = connect(url)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def shared(engine_url, tmp_path_factory):
    """Makes an engine that the rows of one table share: they ask it and change nothing."""
    opened = []

    def make(articles):
        opened.append(connect(engine_url(tmp_path_factory.mktemp("shared"))))
        put(opened[-1], *articles)
        return opened[-1]

    yield make
    for engine in opened:
        engine.close()


def one(id, title="Title", **values):
    return from_dict({"id": id, "title": title, **values})


def accept(engine, *changes, source="folder"):
    """Articles are put, ids deleted; nothing is searchable yet."""
    run = engine.begin("index", [source])
    engine.accept(run, [Delete(item) if isinstance(item, str) else Put(item, source) for item in changes])


def put(engine, *changes, source="folder"):
    accept(engine, *changes, source=source)
    return engine.catch_up()


def ask(text="", **values):
    return query.parse(text, **values)


def ids(engine, text="", **values):
    return [hit.article.id for hit in engine.search(ask(text, **values)).hits]


def found(engine, text="", **values):
    return sorted(ids(engine, text, per_page=100, **values))


def counts(facet):
    assert isinstance(facet, Facet)
    return {item.value: item.count for item in facet.values}


def periods(facet):
    assert isinstance(facet, DateFacet)
    return {item.value: item.count for item in facet.values}


def at(text):
    return datetime.fromisoformat(text).astimezone(UTC)


# Before anything is indexed.

READING = {
    "search": lambda engine: engine.search(ask("huts")),
    "explain": lambda engine: engine.explain(ask("huts"), "a"),
    "search for nothing": lambda engine: engine.search(ask()),
    "article": lambda engine: engine.article("a"),
    "article_at": lambda engine: engine.article_at("https://example.org/a"),
    "hides": lambda engine: engine.hides(["a"]),
    "status": lambda engine: engine.status(),
}
# These ask what is accepted, which is there before anything is searchable.
ASKING = {
    "held": lambda engine: engine.held(["a"]),
    "held_from": lambda engine: list(engine.held_from("folder")),
    "takedowns": lambda engine: engine.takedowns(),
    "audit": lambda engine: engine.audit(),
    "put_back": lambda engine: engine.put_back("a"),
    "accept": lambda engine: engine.accept(1, []),
    "catch_up": lambda engine: engine.catch_up(),
    "rebuild": lambda engine: engine.rebuild(),
}


@pytest.mark.parametrize("call", [*READING.values(), *ASKING.values()], ids=[*READING, *ASKING])
@pytest.mark.parametrize("folder_is_there", [False, True])
def test_nothing_indexed_is_no_empty_answer(engine, tmp_path, call, folder_is_there):
    if folder_is_there:
        (tmp_path / "index").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for _ in range(2):
        with pytest.raises(IndexMissing, match="broadsheet index"):
            call(engine)
    assert sorted(tmp_path.rglob("*")) == before  # asking makes nothing


@pytest.mark.parametrize("call", READING.values(), ids=READING)
def test_accepted_is_not_yet_indexed(engine, call):
    accept(engine, one("a"))
    with pytest.raises(IndexMissing, match="broadsheet reindex"):
        call(engine)
    assert engine.catch_up() == 1
    assert found(engine) == ["a"]


@pytest.mark.parametrize("address", ["elastic:x", "nothing", "whoosh:", ":x", "", "../whoosh:x", "a.b:x"])
def test_an_address_that_no_engine_has(address):
    with pytest.raises(EngineUnavailable, match="write whoosh:"):
        connect(address)


def test_connecting_opens_and_makes_nothing(url, tmp_path):
    engine = connect(url)
    assert engine.url == url
    engine.close()
    assert list(tmp_path.iterdir()) == []


def test_after_close_it_opens_again(engine):
    put(engine, one("a"))
    engine.close()
    engine.close()
    assert found(engine) == ["a"]


# Put, replace, delete.

HISTORIES = [
    ([["a", "b"]], ["a", "b"]),
    ([["a"], ["b"], ["c"]], ["a", "b", "c"]),
    ([["a", "b"], ["-a"]], ["b"]),
    ([["a", "a"]], ["a"]),
    ([["a"], ["a"], ["a", "b"]], ["a", "b"]),
    ([["a", "-a"]], []),
    ([["a"], ["-a"]], []),
    ([["a"], ["-a"], ["a"]], ["a"]),
    ([["a", "-a", "a"]], ["a"]),
    ([["-a"]], []),
    ([["a"], ["-x"]], ["a"]),
    ([["a"], ["-a", "-a"]], []),
    ([["a"], []], ["a"]),
    ([[]], []),
]


@pytest.mark.parametrize(("runs", "right"), HISTORIES)
def test_what_is_found_is_what_was_put_last(engine, runs, right):
    version = 0
    newest = {}
    for run in runs:
        changes = []
        for id in run:
            version += 1
            if id.startswith("-"):
                changes.append(id[1:])
            else:
                newest[id] = f"common version{version}"
                changes.append(one(id, newest[id]))
        put(engine, *changes)
    for _ in range(2):
        assert found(engine) == right
        assert found(engine, "common") == right
        for id in right:
            assert engine.article(id).title == newest[id]
            assert found(engine, newest[id].split()[1]) == [id]  # once, and by its new words
        for number in set(range(1, version + 1)) - {int(newest[id].split("version")[1]) for id in right}:
            assert found(engine, f"version{number}") == []  # and no more by its old ones
        status = engine.status()
        assert (status.articles, status.accepted, status.pending) == (len(right), len(right), 0)
        engine.rebuild()


def test_catching_up_twice_does_nothing_the_second_time(engine):
    assert put(engine, one("a"), one("b")) == 2
    assert engine.catch_up() == 0
    assert put(engine, "a", "b") == 2
    assert engine.catch_up() == 0
    assert (engine.status().pending, found(engine)) == (0, [])
    assert put(engine, one("c")) == 1


def test_an_article_comes_back_as_it_was(engine):
    full = Article(
        id="a",
        url="https://Example.org/A?utm_source=x",
        title="Tête-à-tête & <b>",
        summary="S",
        body="Körper\n\nمرحبا",
        subheads=("One", "One"),
        section="Arts & Books",
        authors=("Zoë May",),
        tags=("x",),
        type="news",
        published=at("2025-08-06T12:30:00.123456Z"),
        updated=at("2025-08-07T00:00Z"),
        language="en",
        image="https://example.org/i.jpg",
        status="corrected",
        notice="The date was wrong.",
        embargo_until=PAST,
        related=({"id": "b"},),
        extra={"desk": {"nested": [1, 2.5, None]}},
    )
    put(engine, full)
    assert engine.article("a") == full
    assert engine.search(ask("körper")).hits[0].article == full
    assert engine.article_at("HTTPS://example.org:443/A?fbclid=1#top") == full


def test_progress_is_told(engine):
    accept(engine, *(one(str(n)) for n in range(1200)))
    for work in (engine.catch_up, engine.rebuild):
        told = []
        work(lambda *step, told=told: told.append(step))
        indexing = [step for step in told if step[0] == "indexing"]
        assert indexing[-1] == ("indexing", 1200, 1200)
        for stage in {step[0] for step in told}:
            steps = [(done, of) for name, done, of in told if name == stage]
            assert steps == sorted(steps)
            assert steps[-1][0] == steps[-1][1]


# What is held.


def test_held_is_the_newest_accepted_version(engine):
    accept(engine, one("a"), one("b"), one("c"))
    accept(engine, one("b", "Other"), one("d"), "c", source="push")
    held = engine.held(["a", "b", "c", "d", "x"])
    assert {id: item.source for id, item in held.items()} == {"a": "folder", "b": "push", "d": "push"}
    assert isinstance(held["a"], Held)
    assert held["a"].digest != held["b"].digest
    assert engine.held([]) == {}
    assert list(engine.held_from("folder")) == ["a"]
    assert list(engine.held_from("push")) == ["b", "d"]
    assert list(engine.held_from("elsewhere")) == []


def test_status_numbers(engine, url):
    put(
        engine,
        one("a", section="World", published="2025-01-01"),
        one("b", section="World", published="2025-03-01"),
        one("c", section="Sport"),
        one("none"),
        one("taken", section="Hidden", published="2026-01-01"),
        one("withdrawn", section="Hidden", status="withdrawn", published="2026-01-01"),
        one("later", section="Hidden", embargo_until=FUTURE.isoformat(), published="2026-01-01"),
        one("gone"),
    )
    put(engine, "gone")
    engine.take_down("taken", "r")
    accept(engine, one("new"), one("a", "Changed"), "b")
    status = engine.status()
    assert (status.articles, status.hidden, status.accepted, status.pending) == (7, 3, 7, 3)
    assert status.sections == (Count("World", 2), Count("Sport", 1))
    assert status.newest == at("2025-03-01T00:00Z")
    assert (status.url, status.segments > 0, status.index_bytes > 0, status.store_bytes > 0) == (url, True, True, True)
    assert abs(datetime.now(UTC) - status.created) < timedelta(minutes=5)
    engine.catch_up()
    assert (engine.status().articles, engine.status().pending) == (7, 0)
    generation = engine.status().generation
    assert engine.rebuild() == engine.status().generation != generation


def test_status_of_an_empty_index(engine):
    put(engine)
    status = engine.status()
    assert (status.articles, status.hidden, status.newest, status.sections) == (0, 0, None, ())
    answer = engine.search(ask("huts", facets=fields.FACETS))
    assert (answer.hits, answer.total) == ((), 0)
    assert answer.facets["section"] == Facet(())
    assert answer.facets["date"].values == ()


# Filters and facets.

SHELF = [
    one("w1", section="World", tags=["alps", "snow"], authors=["Ana Lima"], language="en", published="2025-01-10"),
    one("w2", section="World", tags=["alps"], authors=["Joe Hu"], language="en", published="2025-02-10"),
    one("s1", section="Sport", tags=["snow"], authors=["Joe Hu", "Ana Lima"], language="fr", published="2025-02-20"),
    one("s2", section="Sport", tags=["race"], authors=["Zoë May"], language="en"),
    one("a1", section="Arts & Books", language="de", published="2024-12-31"),
    one("n1", tags=["alps", "race"], published="2025-02-28T23:59:59.999999Z"),
]


@pytest.fixture(scope="module")
def shelf(shared):
    return shared(SHELF)


NARROWED = [
    ({}, ["a1", "n1", "s1", "s2", "w1", "w2"]),
    ({"section": ("World",)}, ["w1", "w2"]),
    ({"section": ("World", "Sport")}, ["s1", "s2", "w1", "w2"]),
    ({"section": ("Arts & Books",)}, ["a1"]),
    ({"section": ("world",)}, []),  # exact
    ({"section": ("Worl",)}, []),
    ({"section": ("absent",)}, []),
    ({"section": ("absent", "Sport")}, ["s1", "s2"]),
    ({"tag": ("alps",)}, ["n1", "w1", "w2"]),
    ({"tag": ("alps", "snow")}, ["n1", "s1", "w1", "w2"]),
    ({"author": ("Ana Lima",)}, ["s1", "w1"]),
    ({"author": ("Zoë May",)}, ["s2"]),
    ({"language": ("fr", "de")}, ["a1", "s1"]),
    ({"section": ("World",), "tag": ("snow",)}, ["w1"]),
    ({"section": ("World", "Sport"), "tag": ("snow",)}, ["s1", "w1"]),
    ({"section": ("World", "Sport"), "tag": ("snow", "alps"), "author": ("Joe Hu",)}, ["s1", "w2"]),
    ({"section": ("World",), "language": ("fr",)}, []),
    ({"from_date": at("2025-02-10T00:00Z")}, ["n1", "s1", "w2"]),  # the first instant counts
    ({"until": at("2025-02-10T00:00Z")}, ["a1", "w1"]),  # the last does not
    ({"from_date": at("2025-01-01T00:00Z"), "until": at("2025-03-01T00:00Z")}, ["n1", "s1", "w1", "w2"]),
    ({"until": at("2025-02-28T23:59:59.999999Z")}, ["a1", "s1", "w1", "w2"]),
    ({"from_date": at("2025-03-01T00:00Z")}, []),
    ({"from_date": at("2025-02-01T00:00Z"), "until": at("2025-01-01T00:00Z")}, []),
    ({"from_date": at("0001-01-01T00:00Z")}, ["a1", "n1", "s1", "w1", "w2"]),  # undated: outside every date filter
    ({"until": at("9999-12-31T00:00Z")}, ["a1", "n1", "s1", "w1", "w2"]),
    ({"section": ("Sport",), "from_date": at("2000-01-01T00:00Z")}, ["s1"]),
]


@pytest.mark.parametrize(("chosen", "right"), NARROWED)
def test_filters(shelf, chosen, right):
    for text in ("", "title"):
        assert found(shelf, text, filters=Filters(**chosen)) == right
        assert shelf.search(ask(text, filters=Filters(**chosen), per_page=1)).total == len(right)


FACETED = [
    # filters, facet, its counts, missing
    ({}, "section", {"Sport": 2, "World": 2, "Arts & Books": 1}, 1),
    ({}, "tag", {"alps": 3, "race": 2, "snow": 2}, 1),
    ({}, "author", {"Ana Lima": 2, "Joe Hu": 2, "Zoë May": 1}, 2),
    ({}, "language", {"en": 3, "de": 1, "fr": 1}, 1),
    # its own filter changes no count of a facet, others do
    ({"section": ("World",)}, "section", {"Sport": 2, "World": 2, "Arts & Books": 1}, 1),
    ({"section": ("World",)}, "tag", {"alps": 2, "snow": 1}, 0),
    ({"section": ("World",), "tag": ("snow",)}, "section", {"Sport": 1, "World": 1}, 0),
    ({"section": ("World",), "tag": ("snow",)}, "tag", {"alps": 2, "snow": 1}, 0),
    ({"section": ("World",), "tag": ("snow",)}, "language", {"en": 1}, 0),
    # what is chosen is listed, with 0 if need be
    ({"section": ("absent",)}, "section", {"Sport": 2, "World": 2, "Arts & Books": 1, "absent": 0}, 1),
    ({"section": ("Arts & Books",), "tag": ("snow",)}, "section", {"Sport": 1, "World": 1, "Arts & Books": 0}, 0),
    ({"section": ("absent",)}, "tag", {}, 0),
    ({"from_date": at("2025-02-01T00:00Z")}, "section", {"Sport": 1, "World": 1}, 1),
]


@pytest.mark.parametrize(("chosen", "name", "right", "missing"), FACETED)
def test_facets_ignore_their_own_filter(shelf, chosen, name, right, missing):
    facet = shelf.search(ask(filters=Filters(**chosen), facets=fields.FACETS)).facets[name]
    assert counts(facet) == right
    assert list(counts(facet)) == list(right)  # by count, then by name; what is chosen and has none, last
    assert {item.value for item in facet.values if item.selected} == set(chosen.get(name, ()))
    assert (facet.other, facet.missing) == (0, missing)


def test_only_the_facets_asked_for(shelf):
    assert set(shelf.search(ask(facets=("tag",))).facets) == {"tag"}
    assert shelf.search(ask(facets=())).facets == {}


def test_a_long_facet_is_cut_and_says_so(engine):
    put(engine, *(one(f"{n}-{m}", tags=[f"t{n:02}"]) for n in range(fields.FACET_SIZE + 5) for m in range(1 + (n < 2))))
    facet = engine.search(ask(facets=("tag",), filters=Filters(tag=("t24", "zzz")))).facets["tag"]
    listed = [item.value for item in facet.values]
    assert listed == [f"t{n:02}" for n in range(fields.FACET_SIZE)] + ["t24", "zzz"]
    assert facet.values[0] == Count("t00", 2)
    assert facet.values[-2:] == (Count("t24", 1, selected=True), Count("zzz", 0, selected=True))
    assert facet.other == 4


def test_facets_count_words_and_not_the_page(shelf):
    answer = shelf.search(ask("title -tag:alps", per_page=1, page=2, facets=("section",)))
    assert (answer.total, counts(answer.facets["section"])) == (3, {"Sport": 2, "Arts & Books": 1})
    answer = shelf.search(ask(per_page=0, facets=("section",)))
    assert (answer.hits, answer.total, len(answer.facets["section"].values)) == ((), 6, 3)


DATED = [
    # published, interval, periods in UTC, periods in New York
    (["2025-08-06T03:59Z", "2025-08-06T04:00Z"], "day", {"2025-08-06": 2}, {"2025-08-05": 1, "2025-08-06": 1}),
    (["2025-08-01T03:00Z", "2025-10-01T12:00Z"], "month", {"2025-08": 1, "2025-10": 1}, {"2025-07": 1, "2025-10": 1}),
    (["2020-01-01T04:59Z", "2025-01-01T05:00Z"], "year", {"2020": 1, "2025": 1}, {"2019": 1, "2025": 1}),
    # the clocks change: the day of 23 hours, the day of 25
    (["2025-03-09T05:00Z", "2025-03-10T03:59Z"], "day", {"2025-03-09": 1, "2025-03-10": 1}, {"2025-03-09": 2}),
    (["2025-11-02T04:00Z", "2025-11-03T04:59Z"], "day", {"2025-11-02": 1, "2025-11-03": 1}, {"2025-11-02": 2}),
    (["2024-02-29T12:00Z", "2024-03-01T12:00Z"], "day", {"2024-02-29": 1, "2024-03-01": 1}, None),
    (["2025-01-01T12:00Z", "2025-01-31T11:00Z"], "day", {"2025-01-01": 1, "2025-01-31": 1}, None),
    (["2025-01-01T12:00Z", "2025-02-20T12:00Z"], "month", {"2025-01": 1, "2025-02": 1}, None),
    # where calendars end
    (["0001-01-01T00:00Z", "9999-12-31T23:59Z"], "year", {"0001": 1, "9999": 1}, {"0001": 1, "9999": 1}),
    (["0001-01-01T00:00Z", "0001-01-01T12:00Z"], "day", {"0001-01-01": 2}, {"0001-01-01": 2}),
    (["9999-12-31T04:00Z", "9999-12-31T23:59Z"], "day", {"9999-12-31": 2}, {"9999-12-30": 1, "9999-12-31": 1}),
]


@pytest.mark.parametrize(("published", "interval", "in_utc", "in_new_york"), DATED)
def test_dates_by_year_month_or_day_as_fits(engine, published, interval, in_utc, in_new_york):
    put(engine, *(one(str(n), published=date) for n, date in enumerate(published)), one("undated"))
    for zone, right in ((UTC, in_utc), (NEW_YORK, in_new_york)):
        facet = engine.search(ask(timezone=zone)).facets["date"]
        if right is not None:
            assert (facet.interval, periods(facet), facet.missing) == (interval, right, 1)
        for period in facet.values:
            assert sum(period.start <= at(date) < period.end for date in published) == period.count
            assert not period.selected
            assert period.inside is None


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_the_first_and_the_last_instant_have_a_period(engine, zone):
    put(engine, one("a", published="0001-01-01"), one("z", published="9999-12-31T23:59:59.999999Z"))
    for narrowed in (Filters(), Filters(from_date=datetime.min.replace(tzinfo=UTC)), Filters(until=FUTURE)):
        facet = engine.search(ask(timezone=ZoneInfo(zone), filters=narrowed)).facets["date"]
        assert periods(facet) == {"0001": 1, "9999": 1}
    put(engine, "a")
    facet = engine.search(ask(timezone=ZoneInfo(zone))).facets["date"]
    assert periods(facet) == {"9999-12-31": 1}


def test_a_period_says_where_it_begins_and_ends(engine):
    put(engine, one("a", published="2025-03-09T12:00Z"))
    (day,) = engine.search(ask(timezone=NEW_YORK)).facets["date"].values
    assert (day.start, day.end) == (at("2025-03-09T05:00Z"), at("2025-03-10T04:00Z"))


@pytest.fixture(scope="module")
def years(shared):
    """Two a month, on the 1st and on the 15th, through three years far apart."""
    dates = [f"{year}-{month:02}-{day:02}" for year in (2014, 2024, 2025) for month in range(1, 13) for day in (1, 15)]
    return shared([one(date, published=date) for date in dates])


@pytest.mark.parametrize(
    ("text", "start", "end", "path"),
    [
        ("zzzz", "2024-05-01", "2024-06-01", ["2024-05"]),
        ("zzzz", "2024-05-03", "2024-05-04", ["2024-05-03"]),
        ("zzzz", "2021-01-01", "2022-01-01", ["2021"]),
        ("", "2021-01-01", "2022-01-01", ["2021"]),
        ("", "2024-05-03", "2024-05-04", ["2024", "2024-05", "2024-05-03"]),
        ("title", "2021-02-01", "2021-03-01", ["2021", "2021-02"]),
    ],
)
def test_a_chosen_period_is_listed_with_0_if_need_be(years, text, start, end, path):
    chosen = Filters(from_date=at(f"{start}T00:00Z"), until=at(f"{end}T00:00Z"))
    facet = years.search(query.parse(text, filters=chosen)).facets["date"]
    for value in path:
        (period,) = [period for period in facet.values if period.selected]
        assert period.value == value
        facet = period.inside
    assert period.count == 0


def test_a_chosen_month_is_listed_among_days(engine):
    put(engine, one("a", published="2024-05-06"), one("b", published="2024-05-08"))
    chosen = Filters(from_date=at("2023-01-01T00:00Z"), until=at("2023-02-01T00:00Z"))
    facet = engine.search(ask(filters=chosen)).facets["date"]
    assert [(period.value, period.count, period.selected) for period in facet.values] == [
        ("2023-01", 0, True),
        ("2024-05", 2, False),
    ]


def test_periods_inside_the_one_chosen(years):
    def dates(start, end):
        return years.search(ask(filters=Filters(from_date=start and at(start), until=end and at(end)))).facets["date"]

    year = dates("2024-01-01T00:00Z", "2025-01-01T00:00Z")
    assert periods(year) == {"2014": 24, "2024": 24, "2025": 24}
    assert [(p.value, p.selected) for p in year.values] == [("2014", False), ("2024", True), ("2025", False)]
    assert [p.inside is not None for p in year.values] == [False, True, False]
    months = year.values[1].inside
    assert (months.interval, periods(months)) == ("month", {f"2024-{n:02}": 2 for n in range(1, 13)})
    assert all(p.selected and p.inside is None for p in months.values)

    month = dates("2024-02-01T00:00Z", "2024-03-01T00:00Z")
    (chosen,) = [p for p in month.values if p.selected]
    assert chosen.value == "2024"
    (within,) = [p for p in chosen.inside.values if p.selected]
    assert (within.value, within.count) == ("2024-02", 2)
    assert periods(within.inside) == {"2024-02-01": 1, "2024-02-15": 1}

    day = dates("2024-02-15T00:00Z", "2024-02-16T00:00Z").values[1].inside.values[1].inside
    assert [(p.value, p.selected, p.inside) for p in day.values] == [
        ("2024-02-01", False, None),
        ("2024-02-15", True, None),
    ]

    empty = dates("2022-01-01T00:00Z", "2023-01-01T00:00Z")  # chosen, and with nothing in it
    assert periods(empty) == {"2022": 0, "2014": 24, "2024": 24, "2025": 24}
    open_end = dates("2024-01-01T00:00Z", None)
    assert [p.selected for p in open_end.values] == [False, True, True]
    assert all(p.inside is None for p in open_end.values)


# Order and pages.

ORDERED = [
    one("may", body="tide", published="2025-05-01"),
    one("old", body="tide", published="1969-07-20"),
    one("undated", body="tide tide tide"),
    one("jan", body="tide", published="2025-01-01"),
    one("unknown", body="tide tide"),
    one("new", body="tide", published="2025-05-01T00:00:00.000001Z"),
]


@pytest.mark.parametrize("text", ["", "tide"])
def test_undated_is_last_by_either_date(engine, text):
    put(engine, *ORDERED[:3])
    put(engine, *ORDERED[3:])
    dated = ["new", "may", "jan", "old"]
    newest = ids(engine, text, sort="newest")
    oldest = ids(engine, text, sort="oldest")
    assert newest[:4] == dated
    assert oldest[:4] == dated[::-1]
    assert newest[4:] == oldest[4:]
    assert set(newest[4:]) == {"undated", "unknown"}
    if not text:
        assert ids(engine) == newest  # nothing to score


def test_scores_only_where_something_was_scored(engine):
    put(engine, *ORDERED)
    for asked, scored in ((ask("tide"), True), (ask("tide", sort="newest"), False), (ask(""), False)):
        assert all((hit.score is not None) == scored for hit in engine.search(asked).hits)
    scores = [hit.score for hit in engine.search(ask("tide")).hits]
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0


@pytest.fixture(scope="module")
def ties(engine_url, tmp_path_factory):
    """180 articles in several segments: many have the same words, the same date, or none."""
    engine = connect(engine_url(tmp_path_factory.mktemp("ties")))
    dice = random.Random(5)
    for batch in range(6):
        put(
            engine,
            *(
                one(
                    f"t{batch}-{n}",
                    body="tide " * dice.choice([1, 1, 1, 2]),
                    published=dice.choice([None, "2025-01-01", "2025-01-01", "2025-01-02"]),
                )
                for n in range(30)
            ),
        )
    yield engine
    engine.close()


@pytest.mark.parametrize("text", ["", "tide"])
@pytest.mark.parametrize("sort", ["relevance", "newest", "oldest"])
@pytest.mark.parametrize("per_page", [1, 7, 10, 90, 100])
def test_no_article_repeats_or_vanishes_over_pages(ties, text, sort, per_page):
    pages = -(-180 // per_page)
    step = 9 if per_page == 1 else 1  # of 180 pages of one, every ninth
    whole = ids(ties, text, sort=sort, per_page=90) + ids(ties, text, sort=sort, per_page=90, page=2)
    assert len(set(whole)) == 180
    for page in range(1, pages + 1, step):
        answer = ties.search(ask(text, sort=sort, per_page=per_page, page=page))
        assert answer.total == 180
        assert [hit.article.id for hit in answer.hits] == whole[(page - 1) * per_page : page * per_page]
    beyond = ties.search(ask(text, sort=sort, per_page=per_page, page=pages + 1))
    assert (beyond.hits, beyond.total) == ((), 180)


@pytest.mark.parametrize("sort", ["relevance", "newest", "oldest"])
def test_the_order_of_ties_outlives_a_rebuild(ties, sort):
    before = ids(ties, "tide", sort=sort, per_page=100)
    ties.rebuild()
    assert ids(ties, "tide", sort=sort, per_page=100) == before


@pytest.mark.parametrize("sort", ["relevance", "newest", "oldest"])
def test_the_order_of_ties_is_that_of_their_digests(engine, sort):
    """Whatever came first and whatever was changed last: no page shifts because an article was put again."""
    names = [f"t{n}" for n in range(20)]
    put(engine, *(one(name, body="tide") for name in names))
    right = sorted(names, key=tie_break)
    assert ids(engine, "tide", sort=sort, per_page=100) == right
    for some in (right[3::2], right[:2]):
        put(engine, *(one(name, body="tide", extra={"note": "changed"}) for name in some))
        assert ids(engine, "tide", sort=sort, per_page=100) == right


def test_of_equal_scores_the_newest_comes_first(engine):
    dates = [None, "2025-03-01", "1969-07-20", "2025-01-01", None, "2025-02-01", "2025-04-01", "2024-01-01"]
    put(engine, *(one(f"t{n}", body="tide", published=date) for n, date in enumerate(dates)))
    whole = ids(engine, "tide")
    assert whole[:6] == ["t6", "t1", "t5", "t3", "t7", "t2"]
    assert ids(engine, "tide", per_page=3) + ids(engine, "tide", per_page=3, page=2) == whole[:6]


# Words. Each row: what is asked, what is found, the best first.

WORDS = [
    one("news", "The news today"),
    one("newer", "A new day"),
    one("university", "University of the north", body="It is old."),
    one("universe", "A universe of stars", body="It is old."),
    one("hamlet", "To be or not to be", body="That is the question."),
    one("band", "The Who play again", body="The Who sang. Roger Daltrey too."),
    one("health", "Who is who in health", body="People who work, and those who do not."),
    one("pm", "Theresa May resigns", body="Theresa May stood at the door."),
    one("theresa", "Theresa, a saint", body="She may be remembered in may."),
    one("outage", "IT outage grounds flights", body="The IT outage began on Friday."),
    one("power", "Power outage", body="It was dark, and it was cold; it passed."),
    one("vote", "US elections near", body="The US votes. US elections are costly."),
    one("local", "Local elections", body="Tell us what us neighbours should vote for; join us."),
    one("cafe", "A café in Zürich"),
    one("oneill", "O’Neill wins again"),
    one("usa", "U.S. troops leave"),
    one("index", "S&P 500 falls", body="Traders saw it."),
    one("five", "500 days of S and P"),
    one("cpp", "C++ turns forty"),
    one("letter", "Vitamin C and you"),
    one("covid", "COVID-19 returns"),
    one("nineteen", "Nineteen covid nurses honoured", body="All 20 of them."),
    one("thousand", "2,000 march in Bern"),
    one("year", "Party like 2 000 000"),
    one("mail", "Send an e-mail now"),
    one("tags", "Tagged", tags=["north", "korea"], authors=["Will Smith", "Jones Bell"]),
    one("korea", "Tagged too", tags=["north korea"], authors=["Smith Jones"]),
    one("arab", "العاصفة تضرب الميناء"),
]
SPELT = [
    ("cafe", ["cafe"]),
    ("café", ["cafe"]),
    ("CAFÉ", ["cafe"]),
    ("cafe\u0301", ["cafe"]),
    ("zurich", ["cafe"]),
    *((spelling, ["oneill"]) for spelling in ("O’Neill", "O'Neill", "ONeill", "oneill", "O´Neill", '"O\'Neill wins"')),
    *((spelling, ["index"]) for spelling in ("S&P 500", '"S&P 500"', "s&p 500", "S&P")),
    *((spelling, ["cpp"]) for spelling in ("C++", "c++", '"C++"')),
    *((spelling, ["covid"]) for spelling in ("COVID-19", "covid-19", "Covid‑19", "COVID 19", "covid19", '"covid 19"')),
    *((spelling, ["thousand"]) for spelling in ("2,000", "2000", '"2,000 march"')),
    *((spelling, ["mail"]) for spelling in ("e-mail", "email", "e mail", "E-Mails")),
    ("الميناء", ["arab"]),
    # quoted, the words as written
    ('"news"', ["news"]),
    ('"new"', ["newer"]),
    ('"university"', ["university"]),
    ('"universe"', ["universe"]),
    ('"universities"', []),
    ('"to be or not to be"', ["hamlet"]),
    ('"be to"', []),
    ('"theresa may"', ["pm"]),
    ('"the who"', ["band"]),
    # no phrase spans two tags or two authors
    ('"north korea"', ["korea"]),
    ('tag:"north korea"', ["korea"]),
    ('"smith jones"', ["korea"]),
    ('"will smith"', ["tags"]),
    ('author:"will smith"', ["tags"]),
    # left out
    ("outage -power", ["outage"]),
    ("elections -local", ["vote"]),
    ('universe -"university of the north"', ["universe"]),
    ("covid -nurses", ["covid"]),
    # fields
    ("title:outage", ["outage", "power"]),
    ("body:outage", ["outage"]),
    ("headline:universe", ["universe", "university"]),
    ("body:universe", []),
    ("tag:korea", ["korea", "tags"]),
    ("by:smith", ["korea", "tags"]),
    ("title:smith", []),
    # prefixes
    ("univ*", ["universe", "university"]),
    ("universi*", ["university"]),
    ("theres*", ["pm", "theresa"]),
    # one or the other
    ("zürich OR bern", ["cafe", "thousand"]),
    ("(zürich OR bern) march", ["thousand"]),
]


@pytest.fixture(scope="module")
def words(shared):
    return shared(WORDS)


@pytest.mark.parametrize(("text", "right"), SPELT)
def test_what_readers_type_finds_what_they_mean(words, text, right):
    assert found(words, text) == right


BEST_FIRST = [
    ("university", ["university", "universe"]),  # an exact word outranks its stem-mate
    ("universe", ["universe", "university"]),
    ("to be or not to be", ["hamlet"]),
    ("The Who", ["band"]),
    ("Theresa May", ["pm"]),
    ("theresa may", ["pm"]),
    ("IT outage", ["outage"]),
    ("US elections", ["vote"]),
    ("us elections", ["vote"]),
    ("U.S. elections", ["vote"]),
    *((spelling, ["vote", "usa", "local"]) for spelling in ("US", "U.S.", "U.S")),  # `us` is a mate of `US`, and last
    ("Will Smith", ["tags"]),
]


@pytest.mark.parametrize(("text", "right"), BEST_FIRST)
def test_the_best_comes_first(words, text, right):
    assert ids(words, text)[: len(right)] == right


MISSING = [  # what is asked; what is found, the words that all of it has, and how many articles have all
    ("stars bern", {"universe", "thousand"}, 1, 0),
    ("stars universe bern", {"universe"}, 2, 0),
    ("zebra yak", set(), None, 0),
    ('stars "vitamin c"', set(), None, 0),  # quoted: the reader insists
    ("stars title:bern", set(), None, 0),
    ("stars (bern OR zürich)", set(), None, 0),
    ("outage power", {"power"}, None, 1),  # two words: one article that has both is enough
    ("power outage flights", {"power", "outage"}, 2, 0),
    ("stars bern -universe", {"thousand"}, 1, 0),
]


@pytest.mark.parametrize(("text", "right", "minimum", "whole"), MISSING)
def test_where_too_few_have_all_words_those_with_most_are_found(words, text, right, minimum, whole):
    asked = ask(text)
    answer = words.search(replace(asked, enough=1))
    assert {hit.article.id for hit in answer.hits} == right
    assert (answer.total, answer.minimum, answer.whole) == (len(right), minimum, whole)
    if minimum:
        assert words.search(replace(asked, enough=0)).total == 0


@pytest.mark.parametrize(("enough", "minimum"), [(0, None), (1, None), (2, 2), (4, 2), (5, 1), (7, 1), (99, 1)])
def test_so_many_words_are_asked_as_leave_enough_articles(engine, enough, minimum):
    """One article has three of the words, three have two, three have one."""
    texts = ["red green blue", "red green", "red blue", "green blue", "red", "green", "blue", "x"]
    put(engine, *(one(f"a{number}", text) for number, text in enumerate(texts)))
    answer = engine.search(replace(ask("red green blue"), enough=enough))
    assert answer.minimum == minimum
    assert (answer.total, answer.whole) == ({None: 1, 2: 4, 1: 7}[minimum], 1)
    assert answer.hits[0].article.id == "a0"


def test_a_filter_changes_nothing_of_how_many_words_must_match(engine):
    """So that each value of a facet leads to as many articles as it says."""
    put(
        engine,
        one("both", "red green", section="A"),
        one("red", "red", section="B"),
        one("green", "green", section="B"),
    )
    answer = engine.search(ask("red green", filters=Filters(section=("B",))))
    assert (answer.total, answer.minimum) == (0, None)
    assert counts(answer.facets["section"]) == {"A": 1, "B": 0}
    chosen = engine.search(ask("red green", filters=Filters(section=("A",))))
    assert (chosen.total, chosen.minimum, chosen.whole) == (1, None, 1)


def test_it_is_not_said_that_words_are_missing_where_none_are(engine):
    """Too few have all three, but all that have one have all."""
    put(engine, *(one(f"a{number}", "Hesk ferry evacuated") for number in range(3)), one("x", "y"))
    answer = engine.search(ask("hesk ferry evacuated"))
    assert (answer.total, answer.minimum, answer.whole) == (3, None, 3)


def test_a_long_phrase_of_one_word(engine):
    put(engine, one("long", "x", body="the " * 127), one("short", "x", body="the " * 126))
    assert found(engine, f'"{"the " * 127}"') == ["long"]
    assert found(engine, f'"{"the " * 126}"') == ["long", "short"]


def test_of_too_many_words_the_rarest_are_asked_for(engine, monkeypatch):
    monkeypatch.setattr(fields, "MOST_WORDS", 2)
    put(engine, one("both", "red blue"), one("green", "green red"), one("more", "green"), one("most", "green"))
    answer = engine.search(ask("green red blue"))
    assert [clause.form for clause in answer.left_out] == ["green"]
    assert answer.hits[0].article.id == "both"
    assert answer.whole == 1
    assert engine.search(ask("red blue")).left_out == ()


NEAR = [  # what is asked; who is found
    ('"red green"~0', ["beside", "turned"]),
    ('"red green"~1', ["beside", "between", "turned"]),
    ('"green red"~1', ["beside", "between", "turned"]),
    ('"red green"~4', ["beside", "between", "far", "turned"]),
    ('"red greens"~0', ["beside", "turned"]),  # in any form
    ('"red green word"~1', ["between"]),
    ('title:"red green"~9', ["beside", "turned"]),
    ('"red green"~99', ["beside", "between", "far", "turned", "veryfar"]),  # no stretch spans two tags
    ('"red zebra"~9', []),
    ('"red green"~20.', ["beside", "between", "far", "turned", "veryfar"]),
    ('"red green"~1000', ["beside", "between", "far", "turned", "veryfar"]),
]


@pytest.mark.parametrize(("text", "right"), NEAR)
def test_words_near_each_other(shared, text, right):
    near = shared(
        [
            one("beside", "Red green"),
            one("turned", "Green red"),
            one("between", "x", body="One word: red word green."),
            one("far", "x", body="Red is as far as green."),
            one("apart", "x", tags=["red", "green"]),
            one("veryfar", "x", body=f"Red {'w ' * 20} green."),
        ]
    )
    assert found(near, text) == right


def test_neighbours_in_the_query_that_stand_near_each_other_score(engine):
    filler = "one two three four five"
    put(
        engine,
        one("far", "x", body=f"Silver {filler} moon."),
        one("near", "x", body=f"Silver moon {filler}."),
        one("none", "x", body="Nothing of it."),
    )
    assert ids(engine, "silver moon") == ["near", "far"]
    assert ids(engine, "moon silver") == ["near", "far"]


def archive(newest, *, burst):
    """An archive of a hundred articles, one in four about floods, evenly; and the last days, with floods or without."""
    start = datetime(2023, 1, 1, tzinfo=UTC)
    for number in range(100):
        title = "Flood in the valley" if number % 4 == 0 else "Council meets"
        yield one(f"old-{number}", title, published=(start + timedelta(days=7 * number)).isoformat())
    for number in range(12):
        title = "Flood in the valley again" if burst else "Council meets again"
        yield one(f"new-{number}", title, published=(newest - timedelta(days=number)).isoformat())


def test_where_a_story_has_broken_the_fresh_come_first(engine, monkeypatch):
    """The old ones are shorter, so that their words count more; but a burst of the last days is news."""
    put(engine, *archive(datetime(2025, 6, 1, tzinfo=UTC), burst=True), one("undated", "Flood in the valley"))
    assert ids(engine, "flood")[:3] == ["new-0", "new-1", "new-2"]
    assert ids(engine, "flood", sort="oldest")[0] == "old-0"
    chosen = Filters(from_date=datetime(2022, 1, 1, tzinfo=UTC))
    for asked in (ids(engine, "flood", filters=chosen), ids(engine, "flood after:2022")):
        assert asked[0].startswith("old")  # who chooses dates has chosen
    monkeypatch.setattr(fields, "FRESH", 0)
    assert ids(engine, "flood")[0].startswith(("old", "undated"))


def test_a_date_to_come_is_not_fresh(engine):
    old = [one(f"old-{n}", "Storm", published=f"2001-0{n % 9 + 1}-01") for n in range(40)]
    put(
        engine,
        *old,
        *(one(f"new-{n}", "Storm", published="2999-01-01") for n in range(10)),
        one("x", "y", published="2002-01-01"),
    )
    assert len({hit.score for hit in engine.search(ask("storm", per_page=100)).hits}) == 1


def test_an_old_archive_has_news_too(engine):
    put(
        engine,
        *(
            one(id, title, published=f"1{date[1:]}")
            for id, title, date in (
                (a.id, a.title, a.published.isoformat()) for a in archive(datetime(2025, 6, 1, tzinfo=UTC), burst=True)
            )
        ),
    )
    assert ids(engine, "flood")[:3] == ["new-0", "new-1", "new-2"]


def test_in_the_archive_age_costs_nothing(engine):
    """No more floods in the last days than at other times."""
    put(engine, *archive(datetime(2025, 6, 1, tzinfo=UTC), burst=False))
    scores = {hit.score for hit in engine.search(ask("flood", per_page=100)).hits}
    assert len(scores) == 1


def test_age_costs_half_of_the_score_at_most(engine, monkeypatch):
    monkeypatch.setattr(fields, "FRESH", 0)
    put(engine, *archive(datetime(2025, 6, 1, tzinfo=UTC), burst=True))
    plain = {hit.article.id: hit.score for hit in engine.search(ask("flood", per_page=100)).hits}
    for fresh in (0.3, 1.0):
        monkeypatch.setattr(fields, "FRESH", fresh)
        blended = {hit.article.id: hit.score for hit in engine.search(ask("flood", per_page=100)).hits}
        assert blended.keys() == plain.keys()
        assert all(1 <= blended[id] / plain[id] <= 1 + fresh for id in plain)


TYPED_DATES = [
    ("march before:2024", ["y2022", "y2023"]),
    ("march after:2023", ["y2023", "y2024"]),
    ("march after:2023 before:2024", ["y2023"]),
    ("march after:2023-06-15", ["y2023", "y2024"]),
    ("march after:2023-06-16", ["y2024"]),
    ("march -after:2023", ["y2022"]),
    ("march -before:2024", ["y2024"]),
    ("after:2024", ["y2024"]),
    ("march AFTER:2024.", ["y2024"]),
    ("march before:2022", []),
]


@pytest.mark.parametrize(("text", "right"), TYPED_DATES)
def test_a_date_that_is_typed_holds_for_everything(shared, text, right):
    years = shared(
        [
            *(one(f"y{year}", "A march", published=f"{year}-06-15T12:00:00Z") for year in (2022, 2023, 2024)),
            one("undated", "A march"),
        ]
    )
    assert found(years, text) == right
    facet = years.search(ask(text, facets=("date",))).facets["date"]
    assert sum(period.count for period in facet.values) == len(right)


def test_a_stem_mate_counts_less_among_many(engine):
    """Also where both words of a stem stand in one article, and whatever segment they lie in."""
    put(engine, one("exact", "x", body="universities a b c"), one("mate", "x", body="universe a b c"))
    put(
        engine,
        one("both", "x", body="universe universities a b"),
        one("twice", "x", body="universities universities a b"),
    )
    assert ids(engine, "universities") == ["twice", "both", "exact", "mate"]


def test_the_stem_may_be_asked_without_the_form(words):
    clause = Word("univers", "universal")
    assert sorted(h.article.id for h in words.search(Query(required=(clause,))).hits) == ["universe", "university"]


# What must not be shown.

HIDDEN = {
    "withdrawn": (one("x", "secret", url="https://example.org/x", status="withdrawn", section="Hidden"), ArticleGone),
    "embargo": (
        one("x", "secret", url="https://example.org/x", embargo_until=FUTURE.isoformat(), section="Hidden"),
        ArticleMissing,
    ),
    "takedown": (one("x", "secret", url="https://example.org/x", section="Hidden"), ArticleGone),
}


def is_hidden(engine, kind):
    for text in ("", "secret", '"secret"', "secr*", "title:secret", "secret OR open", "-open"):
        answer = engine.search(ask(text, facets=fields.FACETS, filters=Filters()))
        right = ["open"] if text in ("", "secret OR open") else []
        assert ([hit.article.id for hit in answer.hits], answer.total) == (right, len(right))
        assert "Hidden" not in counts(answer.facets["section"])
        assert sum(period.count for period in answer.facets["date"].values) == len(right)
    assert found(engine, filters=Filters(section=("Hidden",))) == []
    for read in (lambda: engine.article("x"), lambda: engine.article_at("https://example.org/x")):
        with pytest.raises(ArticleMissing) as problem:
            read()
        assert type(problem.value) is kind
    assert {item.value for item in engine.status().sections} == {"World"}
    return True


@pytest.mark.parametrize("reason", HIDDEN)
def test_hidden_is_hidden_everywhere(engine, reason):
    article, kind = HIDDEN[reason]
    put(engine, replace(article, published=PAST), one("open", "open", section="World", published="2025-01-01"))
    if reason == "takedown":
        engine.take_down("x", "court order")
    assert is_hidden(engine, kind)
    engine.rebuild()
    assert is_hidden(engine, kind)
    put(engine, one("open", "open", section="World", published="2025-01-02"))
    assert is_hidden(engine, kind)


def test_hidden_words_change_no_score(engine):
    put(engine, one("a", "tide", body="high water"), one("b", "water"))
    before = [(hit.article.id, hit.score) for hit in engine.search(ask("tide OR water")).hits]
    put(engine, one("x", "tide " * 50, status="withdrawn"), one("y", "water", embargo_until=FUTURE.isoformat()))
    put(engine, one("z", "tide"))
    engine.take_down("z", "r")
    assert [(hit.article.id, hit.score) for hit in engine.search(ask("tide OR water")).hits] == before


def test_an_embargo_ends_by_itself(engine):
    ends = datetime.now(UTC) + timedelta(seconds=0.4)
    put(engine, one("a", embargo_until=ends.isoformat()), one("b", embargo_until=PAST.isoformat()))
    assert found(engine) == ["b"]
    while datetime.now(UTC) <= ends:
        threading.Event().wait(0.02)
    assert found(engine) == ["a", "b"]
    assert engine.article("a").id == "a"


def test_unknown_is_missing_and_deleted_is_too(engine):
    put(engine, one("a", url="https://example.org/a"))
    put(engine, "a")
    for read in (
        lambda: engine.article("a"),
        lambda: engine.article("never"),
        lambda: engine.article(""),
        lambda: engine.article_at("https://example.org/a"),
        lambda: engine.article_at("no address"),
    ):
        with pytest.raises(ArticleMissing) as problem:
            read()
        assert type(problem.value) is ArticleMissing


def test_of_two_articles_at_one_address_the_visible_one(engine):
    put(engine, one("first", url="https://example.org/a"), one("second", url="https://example.org/a"))
    assert engine.article_at("https://example.org/a").id == "second"
    engine.take_down("second", "r")
    assert engine.article_at("https://example.org/a").id == "first"
    engine.take_down("first", "r")
    with pytest.raises(ArticleGone):
        engine.article_at("https://example.org/a")


def test_what_is_accepted_only_hides_nothing(engine):
    """Between accepting and catching up a reader sees the state before."""
    put(engine, one("a", url="https://example.org/a"))
    accept(engine, one("b", url="https://example.org/a"))
    assert engine.article_at("https://example.org/a").id == "a"
    accept(engine, one("a", "Changed", url="https://example.org/a"))
    assert engine.article("a").title == "Title"


def test_a_takedown_holds_for_what_comes_later(engine):
    put(engine, one("a"))
    engine.take_down("later", "court order")
    put(engine, one("later"))
    assert found(engine) == ["a"]
    put(engine, one("later", "changed"))
    engine.rebuild()
    assert found(engine) == ["a"]
    put(engine, "later")
    put(engine, one("later", "again"))
    assert found(engine) == ["a"]
    engine.put_back("later")
    assert found(engine) == ["a", "later"]
    assert engine.takedowns() == []


def test_a_takedown_where_nothing_was_ever_accepted_is_an_error(engine):
    """A mistyped address must not say that the article is hidden."""
    with pytest.raises(IndexMissing):
        engine.take_down("a", "court order")


def test_a_takedown_before_anything_is_indexed_holds(engine):
    accept(engine, one("b"))
    engine.take_down("a", "court order")
    assert [item.target for item in engine.takedowns()] == ["a"]
    for call in READING.values():
        with pytest.raises(IndexMissing):
            call(engine)
    put(engine, one("a"), one("b"))
    assert found(engine) == ["b"]
    engine.put_back("a")
    assert found(engine) == ["a", "b"]


def test_a_takedown_undone_before_anything_is_searchable(engine):
    accept(engine, one("a"))
    engine.take_down("a", "r")
    engine.put_back("a")
    engine.catch_up()
    assert found(engine) == ["a"]


def test_takedowns_are_listed_oldest_first(engine):
    put(engine, one("a"))
    engine.take_down("z", "first")
    engine.take_down("a", "second")
    engine.take_down("z", "first, once more")
    assert [(item.target, item.reason) for item in engine.takedowns()] == [("z", "first, once more"), ("a", "second")]
    assert abs(datetime.now(UTC) - engine.takedowns()[0].since) < timedelta(minutes=5)
    with pytest.raises(ArticleMissing, match="'b' is not taken down"):
        engine.put_back("b")


OAK = "https://paper.example/oak"


@pytest.mark.parametrize("named", [OAK, "http://www.paper.example/oak/", "PAPER.example/oak?utm_source=x#top"])
def test_a_takedown_of_a_page_means_every_article_there(engine, named):
    put(engine, one("a", url=OAK), one("b", url="http://paper.example/oak/"), one("c", url=f"{OAK}-tree"))
    done = engine.take_down(named, "court order")
    assert (done.target, done.ids, done.reason) == ("paper.example/oak", ("a", "b"), "court order")
    assert found(engine) == ["c"]
    with pytest.raises(ArticleGone):
        engine.article_at(OAK)
    put(engine, one("d", url="https://www.paper.example/oak"), one("a", "changed", url=OAK))
    assert found(engine) == ["c"]
    engine.rebuild()
    assert found(engine) == ["c"]
    assert engine.takedowns()[0].ids == ("a", "b", "d")
    assert engine.put_back(OAK) == []
    assert found(engine) == ["a", "b", "c", "d"]
    put(engine, one("e", url=OAK))
    assert found(engine) == ["a", "b", "c", "d", "e"]


def test_a_takedown_of_a_page_holds_for_who_comes_there_and_who_leaves(engine):
    put(engine, one("came"), one("left", url=OAK), one("pending", url=OAK), one("was", url=OAK))
    put(engine, one("was", url=f"{OAK}-tree"))
    accept(engine, one("pending", url=f"{OAK}-tree"))  # readers have it at the page still
    assert engine.take_down(OAK, "r").ids == ("left", "pending", "was")
    assert found(engine) == ["came"]
    engine.catch_up()
    put(engine, one("left", url=f"{OAK}-tree"))
    assert found(engine) == ["came"]
    accept(engine, one("came", url=OAK))
    engine.catch_up()
    assert found(engine) == []
    put(engine, one("came"))
    assert found(engine) == []


def test_a_takedown_of_a_page_where_nothing_is_holds_when_it_comes(engine):
    put(engine, one("a"))
    assert engine.take_down(OAK, "r").ids == ()
    put(engine, one("b", url=f"{OAK}/"), from_dict({"title": "No id of its own", "url": OAK}))
    assert found(engine) == ["a"]
    assert engine.put_back("paper.example/oak") == []
    assert len(found(engine)) == 3


def test_what_is_taken_down_twice_is_put_back_twice(engine):
    put(engine, one("a", url=OAK), one("b", url=OAK))
    engine.take_down("a", "r")
    engine.take_down(OAK, "r")
    assert [item.target for item in engine.put_back(OAK)] == ["a"]
    assert found(engine) == ["b"]
    engine.take_down(OAK, "r")
    assert [item.target for item in engine.put_back("a")] == ["paper.example/oak"]
    assert found(engine) == []
    with pytest.raises(
        ArticleMissing, match=r"'a' is not taken down; it is hidden by the takedown of 'paper.example/oak'"
    ):
        engine.put_back("a")


def test_an_undone_run_comes_back_hidden(engine):
    put(engine, one("a", url=OAK))
    put(engine, one("a"))
    put(engine, "a")
    engine.take_down(OAK, "r")
    for run in (3, 2):
        engine.undo(run)
        assert found(engine) == []
    assert engine.held(["a"])


def test_what_was_done_about_takedowns_is_never_forgotten(engine):
    put(engine, one("a", url=OAK))
    engine.take_down(OAK, "court order")
    engine.take_down(OAK, "court order 12")
    put(engine, one("b", url=OAK))
    put(engine, one("b", "changed", url=OAK))  # hidden already: nothing new is to be told
    engine.put_back(OAK)
    engine.rebuild()
    engine.rebuild()
    engine.rollback()
    deeds = engine.audit()
    assert [(deed.what, deed.ids, deed.reason) for deed in deeds] == [
        ("taken down", ("a",), "court order"),
        ("taken down", ("a",), "court order 12"),
        ("came, hidden", ("b",), None),
        ("put back", ("a", "b"), None),
    ]
    assert {deed.target for deed in deeds} == {"paper.example/oak"}
    assert {deed.who for deed in deeds} == {f"{pwd.getpwuid(os.getuid()).pw_name}@{socket.gethostname()}"}
    assert sorted(deed.at for deed in deeds) == [deed.at for deed in deeds]
    assert abs(datetime.now(UTC) - deeds[0].at) < timedelta(minutes=5)


def test_names_of_what_is_hidden(engine):
    put(
        engine,
        one("open", url="https://paper.example/open"),
        one("taken", url=OAK),
        one("withdrawn", url=f"{OAK}-1", status="withdrawn"),
        one("later", url=f"{OAK}-2", embargo_until=FUTURE.isoformat()),
        one("twin", url="https://paper.example/open", status="withdrawn"),
    )
    engine.take_down("taken", "r")
    engine.take_down("https://paper.example/in-advance", "r")
    names = ["taken", "withdrawn", "later", "twin", OAK, "http://www.paper.example/oak-1/", f"{OAK}-2"]
    assert engine.hides([*names, "open", "https://paper.example/open", "unknown", "https://other.example/"]) == set(
        names
    )
    assert engine.hides(["http://paper.example/in-advance#x"]) == {"http://paper.example/in-advance#x"}
    assert engine.hides(["", "not an address"]) == set()


def test_another_engine_at_the_same_place_sees_every_change(engine, url):
    other = connect(url)
    put(engine, one("a"))
    assert found(other) == ["a"]
    put(engine, one("b"))
    assert found(other) == ["a", "b"]
    engine.take_down("a", "r")
    assert found(other) == ["b"]
    other.put_back("a")
    assert found(engine) == ["a", "b"]
    name = other.rebuild()
    assert engine.status().generation == name
    other.close()


# Rebuilding.


def test_what_changes_during_a_rebuild_is_in_the_new_generation(engine, url):
    put(engine, *(one(f"a{n:04}") for n in range(600)))
    pushing = connect(url)
    pushed = []

    def push(*_):
        if not pushed:
            pushed.append(put(pushing, one("a0000", "changed"), one("a0599", "changed"), one("fresh"), "a0300"))
            pushing.take_down("a0301", "r")

    before = engine.status().generation
    engine.rebuild(push)
    pushing.close()
    assert pushed == [4]
    assert engine.status().generation != before
    assert found(engine, "changed") == ["a0000", "a0599"]
    assert engine.search(ask()).total == 599
    assert (engine.status().articles, engine.status().pending, engine.catch_up()) == (600, 0, 0)
    for id in ("a0300", "a0301"):
        with pytest.raises(ArticleMissing):
            engine.article(id)
    assert engine.article("fresh").id == "fresh"


def test_what_is_accepted_all_through_a_rebuild_refuses_nothing(engine, url):
    """A CMS that pushes without a pause; each rebuild counts what it holds, not what has come since."""
    put(engine, *(one(f"a{n}") for n in range(50)))
    stop = threading.Event()
    pushing = connect(url)

    def push():
        run = pushing.begin("push", ["push"])
        n = 0
        while not stop.is_set():
            n += 1
            changed = one("a1", f"version {n}")
            pushing.accept(run, [Put(one(f"p{n}"), "push"), Put(changed, "push"), Delete(f"p{n - 3}")])

    thread = threading.Thread(target=push)
    thread.start()
    try:
        for _ in range(5):
            engine.rebuild()
    finally:
        stop.set()
        thread.join()
    pushing.close()
    engine.catch_up()
    status = engine.status()
    assert (status.articles, status.pending) == (status.accepted, 0)
    assert engine.search(ask()).total == status.articles


def test_a_new_generation_is_asked_before_anybody_else_sees_it(engine, url):
    put(engine, one("a", "Old", url="https://example.org/a"), one("b"), one("gone"))
    accept(engine, one("a", "New", url="https://example.org/a"), one("c"), "gone")
    engine.take_down("b", "court order")
    readers = connect(url)
    asked = []

    def judge(new):
        asked.append(True)
        assert (found(new), found(readers), found(engine)) == (["a", "c"], ["a", "gone"], ["a", "gone"])
        assert [each.article("a").title for each in (new, readers)] == ["New", "Old"]
        assert new.article_at("https://example.org/a").title == "New"
        assert new.hides(["a", "b"]) == {"b"}
        assert new.values("section", [], Filters(), 9) == ()
        assert new.explain(ask("new"), "a").article.id == "a"
        put(readers, one("d"))  # nobody waits for the judge

    engine.rebuild(judge=judge)
    assert asked
    assert found(readers) == ["a", "c", "d"]
    assert (engine.status().pending, engine.status().articles) == (0, 4)
    readers.close()


@pytest.mark.parametrize("refusal", [RebuildRefused("worse"), EngineUnavailable("no memory"), KeyboardInterrupt()])
def test_what_is_not_let_through_leaves_nothing_behind(engine, refusal):
    put(engine, one("a"))
    accept(engine, one("b"))
    before = engine.kept()

    def judge(_):
        raise refusal

    with pytest.raises(type(refusal)) as raised:
        engine.rebuild(judge=judge)
    assert raised.value is refusal
    assert (engine.kept(), found(engine), engine.status().pending) == (before, ["a"], 1)
    engine.rebuild()
    assert found(engine) == ["a", "b"]


# Trying.


def test_a_trial_has_the_same_and_changes_nothing(engine):
    put(engine, one("a"), one("b", "Old"), source="one")
    accept(engine, one("pending"))
    engine.take_down("a", "court order")
    runs = engine.runs()
    with engine.trial() as trial:
        assert set(trial.held(["a", "b", "pending"])) == {"a", "b", "pending"}
        assert list(trial.held_from("one")) == ["a", "b"]
        assert [one.target for one in trial.takedowns()] == ["a"]
        with pytest.raises(IndexMissing):
            trial.search(ask())
        accept(trial, one("b", "New"), one("c"), "pending")
        trial.rebuild()
        assert (found(trial), trial.article("b").title) == (["b", "c"], "New")
        trial.take_down("b", "r")
    assert (found(engine), engine.article("b").title) == (["b"], "Old")
    assert (engine.runs(), engine.status().pending) == (runs, 1)
    assert set(engine.held(["a", "b", "c", "pending"])) == {"a", "b", "pending"}


def test_a_trial_before_there_is_an_index(engine):
    with engine.trial() as trial:
        put(trial, one("a"))
        assert found(trial) == ["a"]
    with pytest.raises(IndexMissing):
        engine.held(["a"])


# Runs.


def test_a_run_has_an_end(engine):
    first, second = engine.begin("index", ["folder"]), engine.begin("index", [])
    engine.accept(second, [Put(one("a"), "folder")])
    engine.end(first, "refused")
    assert [run.outcome for run in engine.runs()] == ["refused", None]
    engine.end(second, "failed: the disk is full")
    assert [(run.outcome, run.changes, run.changed is not None) for run in engine.broken_off()] == [
        ("failed: the disk is full", 1, True)
    ]
    engine.end(engine.begin("index", []))
    assert engine.broken_off() == []
    assert [run.outcome for run in engine.runs()] == ["refused", "failed: the disk is full", "done"]
    assert all(run.started <= run.ended for run in engine.runs())


def test_a_rebuild_of_what_was_never_searchable(engine):
    accept(engine, one("a"), one("b"), "a")
    engine.rebuild()
    assert found(engine) == ["b"]
    assert engine.status().pending == 0


def test_a_rebuild_of_nothing(engine):
    put(engine, one("a"))
    put(engine, "a")
    engine.rebuild()
    assert (found(engine), engine.catch_up(), engine.status().pending) == ([], 0, 0)


def test_threads_share_one_engine(shelf):
    asked = [ask(text, filters=Filters(**chosen)) for text in ("", "title") for chosen, _ in NARROWED[:12]]
    right = [shelf.search(one) for one in asked]
    wrong = []

    def work(seed):
        order = list(range(len(asked)))
        random.Random(seed).shuffle(order)
        wrong.extend(number for number in order if shelf.search(asked[number]) != right[number])

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# The values of filters, by their words

VALUES = [
    (("sp",), ["Sport", "Water Sport"]),
    (("spor",), ["Sport", "Water Sport"]),
    (("sport",), ["Sport", "Water Sport"]),
    (("sports",), []),
    (("sport", "w"), ["Water Sport"]),
    (("wat", "sport"), []),  # the last is a beginning, those before are words
    (("cafe",), ["Café & Bar"]),
    (("z",), []),
    ((), []),
]


@pytest.mark.parametrize(("words", "right"), VALUES)
def test_values_that_hold_words(engine, words, right):
    sections = ["Sport", "Sport", "Water Sport", "Café & Bar"]
    put(engine, *(one(f"a{n}", section=section) for n, section in enumerate(sections)), one("none"))
    put(engine, one("later", section="Sport"))  # a segment of its own
    assert [count.value for count in engine.values("section", words, Filters(), 5)] == right


def test_values_are_counted_among_what_is_visible_and_chosen(engine):
    put(
        engine,
        *(one(f"a{n}", tags=["north", "nova"], section="World") for n in range(3)),
        one("b", tags=["north"], section="Sport", published="2024-05-06"),
        one("secret", tags=["noah"], embargo_until="2999-01-01T00:00Z"),
        one("gone", tags=["nobel"], status="withdrawn"),
        one("taken", tags=["noon"]),
    )
    engine.take_down("taken", "r")

    def counts(**filters):
        return {count.value: count.count for count in engine.values("tag", ("no",), Filters(**filters), 5)}

    assert counts() == {"north": 4, "nova": 3}
    assert list(counts()) == ["north", "nova"]
    assert counts(section=("World",)) == {"north": 3, "nova": 3}
    assert counts(from_date=at("2024-01-01T00:00Z")) == {"north": 1}
    assert [count.value for count in engine.values("tag", ("no",), Filters(), 1)] == ["north"]
    engine.put_back("taken")
    assert counts() == {"north": 4, "nova": 3, "noon": 1}


def test_a_prefix_beside_a_word_may_find_nothing_more(engine):
    put(engine, one("a", title="apples running", body="runs"))  # a stem in both fields, what begins so in one
    assert ids(engine, "apples OR runs*") == ["a"]
    assert ids(engine, "apples OR zzz*") == ["a"]


MIXED = [  # several words of one stem in one text
    ('"run mates"', ["both", "second"]),
    ('"running mates"', ["both", "first"]),
    ('"run mates" -"running mates"', ["second"]),
    ("runn*", ["both", "first", "runner", "second"]),
    ("runn* -runner", ["both", "first", "second"]),
]


@pytest.mark.parametrize(("text", "right"), MIXED)
def test_words_of_one_stem_are_told_apart(engine, text, right):
    put(
        engine,
        one("both", body="Running mates and run mates."),
        one("first", body="Run, running mates, run."),
        one("second", body="Running, run mates, running."),
        one("runner", body="A runner of mates."),
        one("run", body="They run."),
    )
    assert found(engine, text) == right


@pytest.mark.parametrize("text", ["glacier huts", "huts", "e-mail", "to be or not to be", "the glacier"])
def test_a_word_that_is_whole_scores_the_same_while_it_is_typed(engine, text):
    put(
        engine,
        one("a", title="Glacier huts", body="To be or not to be, by e-mail."),
        one("b", title="Huts near the glacier", body="Email to the warden. Glacier. Huts."),
        one("c", title="Snow", body="No lake."),
    )
    whole, typed = (engine.search(query.parse(text, prefix=begun)) for begun in (False, True))
    assert [(hit.article.id, hit.score) for hit in typed.hits] == [
        (hit.article.id, pytest.approx(hit.score)) for hit in whole.hits
    ]
