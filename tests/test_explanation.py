"""Why an article stands where it does: the parts make the score, and every reason for not being found is said."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import generated
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scale import SOAK
from test_oracle import history, queries, runs

from indexer import build
from search import cli, explained, fields, query
from search.answer import answer
from search.article import Article, from_dict
from search.clauses import Either
from search.engines import ArticleMissing, Delete, Engine, Put, connect
from search.engines.whoosh import explaining, writer
from search.explanation import Explanation, Part
from search.query import Query

CORPUS = Path(__file__).parent.parent / "sample_corpus"
ALL: dict[str, Any] = {"per_page": 100, "facets": (), "highlight": False}


def explain(engine: Engine, text: str, id: str, **values: Any) -> Explanation:
    return explained.explain(engine, query.parse(text, **values), id)


def put(engine: Engine, *articles: Article | str) -> None:
    run = engine.begin("index", ["test"])
    engine.accept(run, [Delete(one) if isinstance(one, str) else Put(one, "test") for one in articles])
    engine.catch_up()


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with closing(connect(f"whoosh:{tmp_path_factory.mktemp('sample') / 'index'}")) as engine:
        build.update(engine, [str(CORPUS)], section=None, timezone=UTC, progress=None)
        yield engine


@pytest.fixture(scope="module")
def segments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Generated articles in five segments, some deleted and one hidden."""
    articles = list(generated.articles(400))
    with (
        mock.patch.multiple(writer, SMALL=0, RATIO=0),
        closing(connect(f"whoosh:{tmp_path_factory.mktemp('segments') / 'index'}")) as engine,
    ):
        for size, start in ((200, 0), (100, 200), (50, 300), (25, 350), (25, 375)):
            put(engine, *articles[start : start + size])
        put(engine, *(f"generated-{number}" for number in range(0, 400, 40)))
        engine.take_down("generated-7", "court order")
        assert engine.status().segments == 5
        yield engine


# The parts make the score.


def scored(engine: Engine, text: str, which: int = 3) -> list[tuple[Explanation, float]]:
    """The first articles of the answer and the last one, explained; and what the answer says."""
    found = answer(engine, query.parse(text, **ALL)).results
    chosen = {result.article.id: (rank, result) for rank, result in enumerate(found, 1)}
    rows = []
    for id, (rank, result) in [*chosen.items()][:which] + [*chosen.items()][which:][-1:]:
        explanation = explain(engine, text, id)
        assert (explanation.rank, explanation.state, explanation.id) == (rank, "visible", id)
        assert result.score is not None
        rows.append((explanation, result.score))
    return rows


def leaves(part: Part) -> Iterator[Part]:
    yield from (leaf for inside in part.of for leaf in leaves(inside)) if part.of else (part,)


def check(explanation: Explanation, score: float) -> set[str]:
    """The parts add up, and each is what its numbers make; the roles there are."""
    assert explanation.score == pytest.approx(score, abs=1e-9)
    assert sum(part.score for part in explanation.parts) == pytest.approx(score, abs=1e-6)
    for part in explanation.parts:
        assert part.matches or not part.score
        if part.of and part.matches:
            together = max if isinstance(part.clause, Either) and part.clause.spellings else sum
            assert together(inside.score for inside in part.of) == pytest.approx(part.score)
        if part.role == "freshness":
            before = sum(each.score for each in explanation.parts if each.role in ("required", "optional"))
            assert part.score == pytest.approx(before * (part.weight - 1), abs=1e-6)
            continue
        if part.role == "feedback":
            assert sum(gain for _, gain in part.shared) <= part.score + 1e-9
            continue
        for leaf in leaves(part):
            assert leaf.idf is not None
            assert leaf.tf == pytest.approx(sum(where.frequency * where.factor for where in leaf.fields))
            right = leaf.weight * leaf.idf * leaf.tf * (fields.K1 + 1) / (leaf.tf + fields.K1)
            assert leaf.score == pytest.approx(right, abs=1e-6)
            for where in leaf.fields:
                table = next(field for field in fields.SEARCHED if field.name == where.field)
                weight = (table.weight or 1) / (1 - table.b + table.b * where.length / where.mean)
                assert where.factor == pytest.approx(weight)
                if where.forms:
                    assert where.count == sum(form.count for form in where.forms)
                    frequency = sum(form.count * form.counts for form in where.forms)
                    assert where.frequency == pytest.approx(frequency)
    return {part.role for part in explanation.parts}


def test_the_parts_make_the_score_of_the_sample_questions(sample: Engine) -> None:
    with (CORPUS / "questions.csv").open(encoding="utf-8") as file:
        texts = list(dict.fromkeys(row["query"] for row in csv.DictReader(file)))
    roles = set()
    for text in texts:
        for explanation, score in scored(sample, text):
            roles |= check(explanation, score)
    assert len(texts) > 100
    assert {"required", "nearness"} <= roles


QUERIES = (
    '"engine room" ferry',
    "ferry ferries ferry",
    "ferr* OR tram",
    "e-mail",
    "title:ferry section:local",
    "(ferry fire) OR (tram strike)",
    '"ferry fire"~5',
    "to be or not to be",
    "the who",
    'what happened "fire ferry submarine"',
    "passengers engineer zeppelin boiler evacuation mainland",
)


@pytest.mark.parametrize("text", QUERIES)
def test_the_parts_make_the_score_of_every_kind_of_clause(sample: Engine, text: str) -> None:
    rows = scored(sample, text, 10)
    assert rows
    for row in rows:
        check(*row)


def test_the_parts_make_the_score_in_several_segments(segments: Engine) -> None:
    choose = random.Random(5)
    articles = list(generated.articles(400))
    roles = set()
    agains = set()
    for number in range(24):
        words = choose.choice(articles).title.split()[: choose.choice((1, 2, 3, 5, 7))]
        text = " ".join([*words, *(["zeppelin"] if number % 3 == 0 else [])])
        for explanation, score in scored(segments, text):
            roles |= check(explanation, score)
            agains.add(explanation.again)
    assert roles == {"required", "nearness", "feedback"}
    assert {True, None} <= agains


def test_what_is_left_out_of_too_many_words_is_no_part(sample: Engine) -> None:
    body = sample.article("passengers-taken-off-hesk-ferry").body.split()
    text = " ".join(dict.fromkeys(word.strip(".,").lower() for word in body if word.strip(".,").isalpha()))
    asked = query.parse(text)
    assert len(asked.required) > 40
    with mock.patch.object(fields, "MOST_WORDS", 30):
        rows = scored(sample, text)
        hits = sample.search(asked).hits
        assert sample.explain(asked, hits[0].article.id).score == pytest.approx(hits[0].score)
        check(sample.explain(asked, hits[0].article.id), hits[0].score or 0)
    for explanation, score in rows:
        check(explanation, score)
        assert sum(part.role == "required" for part in explanation.parts) == explanation.wanted.words == 30
        assert "not used" in "".join(explained.lines(explanation))


def test_beyond_the_best_nothing_is_added(segments: Engine) -> None:
    common = generated.words(random.Random(1))[:2]
    with mock.patch.object(fields, "POOL", 2):
        rows = scored(segments, " ".join(common), 5)
    assert [explanation.again for explanation, _ in rows] == [True, True, False, False, False, False]
    for explanation, score in rows[2:]:
        assert "nearness" not in check(explanation, score)


def test_a_step_that_nobody_told_of_is_a_part(sample: Engine) -> None:
    """Whatever the order adds, the parts must make the score."""
    with mock.patch.object(explaining, "NEARNESS", "something else"):
        ((explanation, score), *_) = scored(sample, "ferry fire")
    assert [part.role for part in explanation.parts] == ["required", "required", "nearness"]
    assert sum(part.score for part in explanation.parts) == pytest.approx(score)


def test_freshness_is_a_part(tmp_path: Path) -> None:
    rows = [{"id": f"old{n}", "title": "Harbour", "published": f"20{n:02}-01-01"} for n in range(1, 20)]
    rows += [{"id": f"quiet{n}", "title": "Weather", "published": f"20{n:02}-02-01"} for n in range(1, 25)]
    rows += [{"id": f"new{n}", "title": "Ferry fire harbour", "published": f"2025-08-{n:02}"} for n in range(1, 10)]
    rows += [{"id": "before", "title": "Ferry fire", "published": "2025-01-01"}, {"id": "when", "title": "Ferry fire"}]
    with closing(connect(f"whoosh:{tmp_path / 'index'}")) as engine:
        put(engine, *map(from_dict, rows))
        found = {explanation.id: (explanation, score) for explanation, score in scored(engine, "ferry fire", 20)}
        for each in found.values():
            assert check(*each) == {"required", "freshness", "nearness"}
        fresh = {id: part for id, (each, _) in found.items() for part in each.parts if part.role == "freshness"}
        assert fresh["new9"].weight > fresh["new1"].weight > fresh["before"].weight >= fresh["when"].weight == 1
        assert fresh["when"].score == 0
        assert any(f"× {fresh['new9'].weight:.3f}" in line for line in explained.lines(found["new9"][0]))
        ((alone, score), *_) = scored(engine, "fire")
        assert check(alone, score) == {"required", "freshness"}
        assert alone.again is None
        for explanation, score in scored(engine, "ferry fire after:2024"):
            assert "freshness" not in check(explanation, score)


def test_feedback_names_what_the_best_share(sample: Engine) -> None:
    ((explanation, score), *_) = scored(sample, "passengers engineer zeppelin boiler evacuation mainland")
    (part,) = (part for part in explanation.parts if part.role == "feedback")
    gains = [gain for _, gain in part.shared]
    assert len(gains) == explaining.SHARED
    assert gains == sorted(gains, reverse=True)
    assert 0 < sum(gains) < part.score < score
    with mock.patch.object(explaining, "SHARED", 100):
        ((explanation, _), *_) = scored(sample, explanation.query.text)
    (part,) = (part for part in explanation.parts if part.role == "feedback")
    assert sum(gain for _, gain in part.shared) == pytest.approx(part.score)
    assert explanation.again


def test_ranks_are_those_of_the_answer(sample: Engine) -> None:
    for sort in ("relevance", "newest", "oldest"):
        found = answer(sample, query.parse("the harbour", sort=sort, **ALL)).results
        assert len(found) > 5
        for rank, result in enumerate(found, 1):
            explanation = explain(sample, "the harbour", result.article.id, sort=sort, page=3, per_page=1)
            assert (explanation.rank, explanation.total) == (rank, len(found))
            assert explanation.score == result.score


@settings(max_examples=40 * SOAK, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(runs, st.sets(st.sampled_from(["a0", "a1", "a11"]), max_size=2), st.lists(queries, min_size=3, max_size=3))
def test_every_article_is_explained_whatever_is_asked(
    runs: list[list[Article | str]], taken: set[str], asked: list[Query]
) -> None:
    with history(runs, taken) as case:
        for one in asked:
            hits = case.engine.search(replace(one, page=1, per_page=100)).hits
            ranks = {hit.article.id: (rank, hit.score) for rank, hit in enumerate(hits, 1)}
            for article in case.visible:
                explanation = case.engine.explain(one, article.id)
                assert explanation.article == article
                assert (explanation.rank, explanation.score) == ranks.get(article.id, (None, None))
                assert (explanation.rank is None) == bool(explained.data(explanation)["reasons"])
                assert list(explained.lines(explanation))
                if explanation.score is not None:
                    check(explanation, explanation.score)
            for id in taken:
                assert case.engine.explain(one, id).state == "taken down"


# What keeps an article out.

PAPER: list[dict[str, Any]] = [
    {
        "id": "huts",
        "url": "https://paper.example/huts",
        "title": "Huts in the Alps",
        "body": "The mountain huts are full. University wardens met the harbour master, and booked early.",
        "section": "Travel",
        "tags": ["alps", "climate"],
        "authors": ["Ann Lee"],
        "language": "en",
        "published": "2025-08-06T12:00:00Z",
    },
    {"id": "undated", "title": "Huts without a date", "section": "Travel"},
    {"id": "budget", "title": "The budget of the harbour", "body": "Ferry and tram, ship and hut.", "section": "World"},
    {"id": "secret", "url": "https://paper.example/secret", "title": "Zanzibar merger", "status": "withdrawn"},
    {"id": "later", "title": "Zanzibar launch", "embargo_until": "2999-01-01T00:00:00Z"},
    {"id": "down", "url": "https://paper.example/down", "title": "Zanzibar libel", "body": "Huts."},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paper")
    with closing(connect(f"whoosh:{folder / 'index'}")) as engine:
        put(engine, *(from_dict(article) for article in PAPER))
        engine.take_down("down", "court order 12")
        run = engine.begin("index", ["test"])
        undated = from_dict(PAPER[1] | {"body": "Zanzibar, in another version."})
        engine.accept(run, [Put(from_dict({"id": "new", "title": "Zanzibar arrives"}), "test"), Put(undated, "test")])
    return folder


@pytest.fixture
def paper(folder: Path) -> Iterator[Engine]:
    with closing(connect(f"whoosh:{folder / 'index'}")) as engine:
        yield engine


Row = tuple[str, dict[str, Any], str, list[str]]
REASONS: list[Row] = [
    ("zeppelin", {}, "huts", ["it lacks zeppelin (any word of the stem zeppelin)"]),
    ("univercity", {}, "huts", ["it lacks univercity (any word of the stem univerc); it has university"]),
    ("title:mountains", {}, "huts", ["it lacks title:mountains (any word of the stem mountain)"]),
    ("ful", {}, "huts", ["it lacks ful (any word of the stem ful)"]),
    ("bookings huts", {}, "huts", []),
    ("wardenry", {}, "huts", ["it lacks wardenry (any word of the stem wardenri); it has wardens"]),
    (
        "ship huts",
        {},
        "huts",
        ["it has 1 of the 2 words, and 2 must be there", "it lacks ship (any word of the stem ship)"],
    ),
    ('"huts full"', {}, "budget", ["it has 1 of the 2 words, and 2 must be there"]),
    ("title:harbour", {}, "huts", ["it lacks title:harbour (any word of the stem harbour)"]),
    ("fer*", {}, "huts", ["it lacks fer*"]),
    ("ferry OR zeppelin", {}, "huts", ["it lacks ferry OR zeppelin"]),
    ("(harbour ferry) OR zeppelin", {}, "huts", ["it lacks (harbour ferry) OR zeppelin"]),
    ("huts -wardens", {}, "huts", ["it has wardens, which is excluded: body"]),
    ('huts -"harbour master"', {}, "huts", ['it has "harbour master", which is excluded: body']),
    ("huts", {"section": ("World",)}, "huts", ["its section is Travel; asked for is World"]),
    ("huts", {"tag": ("snow", "ice")}, "huts", ["its tag is alps, climate; asked for is snow or ice"]),
    ("huts", {"author": ("Ann",)}, "huts", ["its author is Ann Lee; asked for is Ann"]),
    ("huts", {"language": ("fr",)}, "undated", ["its language is none; asked for is fr"]),
    (
        "huts",
        {"from_date": datetime(2025, 9, 1, tzinfo=UTC)},
        "huts",
        ["it was published 2025-08-06T12:00:00Z; asked for is what was published from 2025-09-01T00:00:00Z"],
    ),
    (
        "huts",
        {"until": datetime(2025, 1, 1, tzinfo=UTC)},
        "undated",
        ["it is undated, and no filter of dates finds it; asked for is what was published before 2025-01-01T00:00:00Z"],
    ),
    (
        "huts before:2020",
        {},
        "huts",
        ["it was published 2025-08-06T12:00:00Z; asked for is what was published before 2020-01-01T00:00:00Z"],
    ),
    ("((", {}, "huts", ["nothing of the query could be used"]),
]


@pytest.mark.parametrize(("text", "filters", "id", "reasons"), REASONS)
def test_why_an_article_is_not_found(
    paper: Engine, text: str, filters: dict[str, Any], id: str, reasons: list[str]
) -> None:
    explanation = explain(paper, text, id, filters=query.Filters(**filters))
    said = explained.data(explanation)["reasons"]
    found = {result.article.id for result in answer(paper, query.parse(text, filters=query.Filters(**filters))).results}
    assert (explanation.rank is None) == (id not in found) == bool(reasons)
    assert said[: len(reasons)] == reasons
    assert explanation.score is None or not reasons


def test_several_reasons_are_all_said(paper: Engine) -> None:
    filters = query.Filters(section=("World",), from_date=datetime(2026, 1, 1, tzinfo=UTC))
    said = explained.data(explain(paper, "title:zeppelin huts -wardens", "huts", filters=filters))["reasons"]
    assert [reason.split()[1] for reason in said] == ["lacks", "has", "section", "was"]


HIDDEN = [
    ("secret", "withdrawn", "withdrawn by its status"),
    ("https://paper.example/secret", "withdrawn", "withdrawn by its status"),
    ("later", "embargoed", "under embargo until 2999-01-01T00:00:00Z"),
    ("down", "taken down", "`broadsheet takedowns` says why"),
    ("https://PAPER.example/down#top", "taken down", "`broadsheet takedowns --undo down` undoes it"),
    ("new", "pending", "accepted and not searchable yet"),
]


@pytest.mark.parametrize(("id", "state", "said"), HIDDEN)
@pytest.mark.parametrize("text", ["zanzibar", "huts", "zanzibat -libel"])
def test_of_a_hidden_article_no_word_is_told(paper: Engine, text: str, id: str, state: str, said: str) -> None:
    explanation = explain(paper, text, id)
    told = "\n".join(explained.lines(explanation)) + json.dumps(explained.data(explanation))
    assert explanation.state == state
    assert said in told
    assert explanation.rank is explanation.score is explanation.article is None
    assert [*explanation.parts, *explanation.excluded, *explanation.barriers] == []
    typed = set(text.replace("-", "").split())
    assert not {word for word in ("merger", "launch", "libel", "arrives", "court") if word in told} - typed
    if text != "zanzibar":
        assert "zanzibar" not in told.lower()


def test_of_several_at_a_url_the_one_that_may_be_seen(tmp_path: Path) -> None:
    url = "https://paper.example/huts"
    with closing(connect(f"whoosh:{tmp_path / 'index'}")) as engine:
        for id, status in (("first", "withdrawn"), ("second", "live"), ("third", "withdrawn")):
            put(engine, from_dict({"id": id, "url": url, "title": "Huts", "status": status}))
        assert explain(engine, "huts", f"{url}#top").id == "second"
        put(engine, "second")
        assert (found := explain(engine, "huts", url)).id == "third"
        assert found.state == "withdrawn"
        engine.accept(engine.begin("index", ["test"]), [Put(from_dict({"url": f"{url}/new", "title": "New"}), "test")])
        assert explain(engine, "huts", f"{url}/new").state == "pending"


def test_a_hidden_article_counts_nowhere(paper: Engine) -> None:
    explanation = explain(paper, "zanzibar huts zeppelin", "huts")
    assert explanation.articles == 3
    assert [part.articles for part in explanation.parts if part.role == "required"] == [0, 3, 0]


def test_an_article_that_nobody_accepted(paper: Engine) -> None:
    for id in ("nosuch", "https://paper.example/nosuch"):
        with pytest.raises(ArticleMissing, match="broadsheet index PATH"):
            explain(paper, "huts", id)


def test_a_newer_version_that_waits_is_said_and_not_told(paper: Engine) -> None:
    explanation = explain(paper, "zanzibar OR huts", "undated")
    assert explanation.changed
    assert not explain(paper, "huts", "huts").changed
    assert "Another version of it is accepted" in "\n".join(explained.lines(explanation))
    assert not any(leaf.fields for part in explanation.parts for leaf in leaves(part) if leaf.name == "zanzibar")


def test_an_article_that_goes_is_still_explained(tmp_path: Path) -> None:
    with closing(connect(f"whoosh:{tmp_path / 'index'}")) as engine:
        put(engine, from_dict(PAPER[0]))
        engine.accept(engine.begin("index", ["test"]), [Delete("huts")])
        explanation = explain(engine, "huts", "huts")
        assert (explanation.rank, explanation.changed) == (1, True)
        engine.catch_up()
        with pytest.raises(ArticleMissing):
            explain(engine, "huts", "huts")


def test_an_embargo_that_ends_and_a_takedown_that_is_undone_show_it(tmp_path: Path) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.5)
    with closing(connect(f"whoosh:{tmp_path / 'index'}")) as engine:
        put(engine, from_dict(PAPER[0] | {"embargo_until": soon.isoformat()}))
        states = [explain(engine, "huts", "huts").state]
        while datetime.now(UTC) <= soon:
            pass
        states.append(explain(engine, "huts", "huts").state)
        engine.take_down("huts", "x")
        states.append(explain(engine, "huts", "huts").state)
        engine.put_back("huts")
        states.append(explain(engine, "huts", "huts").state)
    assert states == ["embargoed", "visible", "taken down", "visible"]


# How many words must be there.

ENOUGH = [
    ("huts", {}, []),
    ("huts harbour", {}, ["Both words must be there: 2 articles have all."]),
    ("huts alps", {}, ["Both words must be there: 1 article has all."]),
    (
        "huts harbour zeppelin",
        {},
        [
            f"1 of the 3 words must be there: fewer than {fields.ENOUGH} articles have more.",
            "How many articles have all words: 0, 2 or more: 2, 1 or more: 3.",
        ],
    ),
    (
        "huts harbour zeppelin",
        {"sort": "newest"},
        [
            "2 of the 3 words must be there: no article has more.",
            "How many articles have all words: 0, 2 or more: 2.",
        ],
    ),
    (
        "huts zeppelin",
        {},
        ["1 of the 2 words must be there: no article has more.", "How many articles have all words: 0, 1 or more: 3."],
    ),
]


@pytest.mark.parametrize(("text", "values", "said"), ENOUGH)
def test_how_many_words_must_be_there_and_why(
    paper: Engine, text: str, values: dict[str, Any], said: list[str]
) -> None:
    told = explained.data(explain(paper, text, "huts", **values))["query"]["asked"]
    assert [line for line in told if "words" in line] == said


READ = [
    ("Huts", "huts (stem hut): must be there"),
    ("hut huts", "hut (stem hut, weight 0.71): must be there"),
    ("huts zeppelin", "zeppelin (stem zeppelin): wanted"),
    ("huts huts alps", "huts (stem hut, weight 1.41): must be there"),
    ("huts -wardens", "wardens (stem warden): must not be there"),
    ("the huts", "the (stem the): need not be there, beside other words"),
    ("the huts", f"the beside huts: adds to the score of the best {fields.POOL}"),
    ("huts alps", f"huts near alps: adds to the score of the best {fields.POOL}"),
    ("in the", "in the (stems: in → in, the → the): side by side, in any form; adds to the score"),
    ('"mountain huts"', '"mountain huts" (stems: mountain → mountain, huts → hut): word for word; must be there'),
    ("hut*", "hut*: any word that begins so; must be there"),
    ("tag:alps huts~", "tags:alps (stem alp): must be there"),
    ("huts OR ferry", "huts OR ferry (stems: huts → hut, ferry → ferri): any of these; must be there"),
    ('"huts alps"~3', "3 other words between them at most, in any order and form; must be there"),
    ("huts after:2023", "published from 2023-01-01T00:00:00Z (typed)"),
    ('huts "', "not used: '\"' (the quotation mark has no partner)"),
    ("-ferry", "no word: every article that passes the rest"),
    ('"huts zeppelin"', "No article has what was quoted, word for word; its words are asked for."),
]


@pytest.mark.parametrize(("text", "line"), READ)
def test_how_the_query_was_read(paper: Engine, text: str, line: str) -> None:
    lines = list(explained.lines(explain(paper, text, "huts")))
    assert [each for each in lines if each.strip().endswith(line)], "\n".join(lines)


# The command.


@pytest.fixture
def broadsheet(folder: Path) -> Any:
    def run(*args: str) -> Any:
        environment = {"BROADSHEET_INDEX": f"whoosh:{folder / 'index'}", "BROADSHEET_TIMEZONE": None}
        return CliRunner().invoke(cli.main, ["explain", *args], env=environment)

    return run


# The weights that these numbers are of, whatever becomes of the real ones.
WEIGHTS = {"title": (5.0, 0.6), "body": (1.0, 0.6)}
TABLE = tuple(replace(one, weight=w, b=b) for one in fields.SEARCHED for w, b in [WEIGHTS.get(one.name, (1.0, 0.5))])
GOLDEN = [
    (
        ["hut", "wardens", "https://paper.example/huts"],
        """\
Huts in the Alps
Travel · 2025-08-06 · huts · https://paper.example/huts

Rank 1 of 1, score 1.085.

The query, as it was read:
  hut (stem hut): must be there
  wardens (stem warden): must be there
  hut near wardens: adds to the score of the best 100
  Both words must be there: 1 article has all.

The score, part by part:
    0.209  hut: in 3 of 3 articles, idf 0.134, tf 3.629
             title 1 × huts at 0.6: 0.6 × 5.242 (4 words, mean 4.3, weight 5)
             body 1 × huts at 0.6: 0.6 × 0.806 (14 words, mean 10.0, weight 1)
    0.876  wardens: in 1 of 3 articles, idf 0.981, tf 0.806
             body 1 × wardens: 1 × 0.806 (14 words, mean 10.0, weight 1)
    0.000  nowhere in it: hut near wardens
    1.085  together
It is among the best 100 by their words, which are scored again for what is near and alike.
""",
    ),
    (
        ["the harbor", "wardens", "budget", "--section", "Travel"],
        """\
The budget of the harbour
World · undated · budget

It is not among the 1 found:
- it has 0 of the 2 words, and 1 must be there
- it lacks harbor (any word of the stem harbor); it has harbour
- it lacks wardens (any word of the stem warden)
- its section is World; asked for is Travel

The query, as it was read:
  harbor (stem harbor): wanted
  wardens (stem warden): wanted
  the (stem the): need not be there, beside other words
  the beside harbor, harbor near wardens: adds to the score of the best 100
  section Travel (filter)
  1 of the 2 words must be there: no article has more.
  How many articles have all words: 0, 1 or more: 1.
""",
    ),
    (
        ["harbour OR snow", "huts", "--sort", "oldest", "--timezone", "Asia/Tokyo"],
        """\
Huts in the Alps
Travel · 2025-08-06 · huts · https://paper.example/huts

Rank 1 of 2, the oldest first: published 2025-08-06T12:00:00Z. Nothing is scored.

The query, as it was read:
  harbour OR snow (stems: harbour → harbour, snow → snow): any of these; must be there

What it has of the query:
  harbour OR snow: harbour body 1 × harbour
""",
    ),
    (
        ["huts OR harbour", "budget", "--sort", "newest"],
        """\
The budget of the harbour
World · undated · budget

Rank 2 of 3, the newest first: undated, so after all that have a date. Nothing is scored.

The query, as it was read:
  huts OR harbour (stems: huts → hut, harbour → harbour): any of these; must be there

What it has of the query:
  huts OR harbour: huts body 1 × hut; harbour title 1 × harbour
""",
    ),
    (
        ["huts", "down"],
        """\
down

It is taken down, and found by nothing; `broadsheet takedowns` says why, `broadsheet takedowns --undo down` undoes it.

The query, as it was read:
  huts (stem hut): must be there
""",
    ),
]


@pytest.mark.parametrize(("args", "text"), GOLDEN)
def test_what_is_said(broadsheet: Any, args: list[str], text: str) -> None:
    with mock.patch.multiple(fields, K1=1.0, STEM_MATE=0.6, NEAR=2, NEAR_WEIGHT=0.1, POOL=100, SEARCHED=TABLE):
        result = broadsheet(*args)
    assert (result.exit_code, result.stdout) == (0, text)


def test_json(broadsheet: Any) -> None:
    found = json.loads(broadsheet("hut", "the", "warden", "zeppelin", "huts", "--json").stdout)
    assert (found["id"], found["state"], found["rank"], found["total"], found["articles"]) == (
        "huts",
        "visible",
        1,
        3,
        3,
    )
    assert found["score"] == pytest.approx(sum(part["score"] for part in found["parts"]))
    hut, warden, zeppelin, *_ = found["parts"]
    assert [part["name"] for part in (hut, warden, zeppelin)] == ["hut", "warden", "zeppelin"]
    assert (warden["stems"], warden["articles"], warden["matches"]) == ({"warden": "warden"}, 1, True)
    assert warden["fields"][0]["forms"] == [{"form": "wardens", "count": 1, "counts": fields.STEM_MATE}]
    assert (zeppelin["matches"], zeppelin["fields"]) == (False, [])
    assert found["wanted"] == {"words": 3, "minimum": 1, "enough": fields.ENOUGH, "having": [3, 1, 0], "has": 2}
    read = {part["name"]: part["effect"] for part in found["query"]["read"]}
    assert read["the"] == "need not be there, beside other words"
    out = json.loads(broadsheet("--json", "--section", "World", "--", "huts -warden", "huts").stdout)
    assert (out["rank"], out["score"]) == (None, None)
    assert out["barriers"] == [{"name": "section", "wanted": ["World"], "has": ["Travel"]}]
    assert [part["matches"] for part in out["excluded"]] == [True]
    down = json.loads(broadsheet("huts", "down", "--json").stdout)
    assert (down["state"], down["title"], down["parts"]) == ("taken down", None, [])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["huts", "nosuch"], "there is no article 'nosuch'"),
        (["huts", "nosuch", "--json"], "`broadsheet index PATH` adds it"),
        (["huts"], "Missing argument 'QUERY'"),
        ([], "Missing argument 'QUERY'"),
        (["huts", "-ferry", "huts"], "Write -- before a query with a minus: main explain -- QUERY ID|URL"),
        (["huts", "huts", "--from", "2025", "--to", "2024"], "lies after"),
        (["huts", "huts", "--sort", "best"], "--sort"),
    ],
)
def test_a_failure_is_said_and_is_2(broadsheet: Any, args: list[str], said: str) -> None:
    result = broadsheet(*args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_escape_sequences_do_not_reach_the_terminal(tmp_path: Path) -> None:
    with closing(connect(f"whoosh:{tmp_path / 'index'}")) as engine:
        put(engine, from_dict({"id": "x", "title": "Red \x1b[31m alert", "section": "\x9b2J"}))
    result = CliRunner().invoke(cli.main, ["--index", f"whoosh:{tmp_path / 'index'}", "explain", "alert \x1b]0;", "x"])
    assert result.exit_code == 0
    assert not set("\x1b\x9b") & set(result.stdout)
