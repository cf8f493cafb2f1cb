"""The engine equals the oracle: same articles, same totals, same counts, scores within float error."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from unittest import mock
from zoneinfo import ZoneInfo

import oracle
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scale import SOAK

from search import analysis, fields, query
from search.article import Article
from search.clauses import Both, Clause, Either, Near, Phrase, Prefix, Word
from search.engines import DateFacet, Delete, Engine, Facet, Period, Put, connect
from search.engines.whoosh import pieces, writer
from search.query import Filters, Query

# Words that share stems, differ by capitals only, join and split: what an engine gets wrong.
WORDS = ["news", "new", "News", "university", "universe", "universes", "US", "us", "U.S.", "IT", "it", "café", "cafe"]
WORDS += ["COVID-19", "covid", "re-s", "may", "May", "will"]
START = datetime(2024, 1, 30, tzinfo=UTC)

texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
titles = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)
instants = st.integers(0, 900).map(lambda hours: START + timedelta(hours=hours * 20))
articles = st.builds(
    Article,
    id=st.sampled_from([f"a{i}" for i in range(12)]),
    title=titles | titles.map(str.upper),
    summary=texts,
    body=texts,
    subheads=st.lists(texts, max_size=2).map(tuple),
    section=st.sampled_from(["World", "Arts & Books", "news", None]),
    authors=st.lists(st.sampled_from(["Zoë May", "Will Smith"]), unique=True, max_size=2).map(tuple),
    tags=st.lists(st.sampled_from(["US", "new news", "café"]), unique=True, max_size=3).map(tuple),
    published=instants | st.none(),
    language=st.sampled_from(["en", "fr", None]),
    status=st.sampled_from(["live", "live", "live", "corrected", "withdrawn"]),
    embargo_until=st.sampled_from([None, None, datetime(2000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)]),
)

field_names = st.sampled_from([*[None] * 7, *[field.name for field in fields.SEARCHED]])


def _word(text: str, field: str | None) -> Word:
    part = analysis.parts(text)[0]
    return Word(part.stem, part.form, field, weight=1.5 if text == "it" else 1.0)


words = st.builds(_word, st.sampled_from(WORDS), field_names)
phrases = st.builds(
    lambda texts, exact, field: Phrase(tuple(_word(text, None) for text in texts), exact, field),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3),
    st.booleans(),
    field_names,
)
prefixes = st.builds(Prefix, st.sampled_from(["new", "uni", "us", "c", "zzz"]), field_names)
nears = st.builds(
    lambda texts, slop, field: Near(tuple(_word(text, None) for text in texts), slop, field),
    st.lists(st.sampled_from(WORDS), min_size=2, max_size=3),
    st.integers(0, 20),
    field_names,
)
leaves: st.SearchStrategy[Clause] = words | phrases | nears | prefixes
clauses = leaves | st.lists(leaves, min_size=1, max_size=3).flatmap(
    lambda parts: st.sampled_from([Either(tuple(parts)), Both(tuple(parts))])
)
# Mostly one filter or none: with all of them at once hardly an article is left to compare.
filters = (
    st.just(Filters())
    | st.builds(
        Filters, section=st.lists(st.sampled_from(["World", "news", "absent"]), unique=True, max_size=2).map(tuple)
    )
    | st.builds(Filters, from_date=st.none() | instants, until=st.none() | instants)
    | st.builds(
        Filters,
        section=st.lists(st.sampled_from(["World", "news", "absent"]), unique=True, max_size=2).map(tuple),
        tag=st.lists(st.sampled_from(["US", "café", "absent"]), unique=True, max_size=2).map(tuple),
        author=st.sampled_from([(), ("Will Smith",)]),
        language=st.sampled_from([(), (), ("en", "fr")]),
        from_date=st.none() | instants,
        until=st.none() | instants,
    )
)
queries = st.builds(
    Query,
    required=st.lists(clauses, min_size=1, max_size=2).map(tuple),
    optional=st.lists(leaves, max_size=2).map(tuple),
    excluded=st.just(()) | st.lists(leaves, max_size=1).map(tuple),
    near=st.lists(nears, max_size=2).map(tuple),
    enough=st.sampled_from([0, 0, 1, 4]),
    after=st.sampled_from([None, None, START + timedelta(days=100)]),
    before=st.sampled_from([None, None, START + timedelta(days=500)]),
    filters=filters,
    sort=st.sampled_from(["relevance", "newest", "oldest"]),
    per_page=st.integers(1, 5),
    facets=st.just(fields.FACETS),
    timezone=st.sampled_from([UTC, ZoneInfo("America/New_York")]),
)
typed = st.lists(
    st.sampled_from([*WORDS, "OR", '"', "-", "(", ")", "uni*", "title:", "the", '"us it"~2', "after:2024-06"]),
    max_size=6,
).map(" ".join)


@dataclass
class Case:
    """An engine after some history, and what should be visible in it."""

    engine: Engine
    visible: list[Article]


@contextmanager
def history(runs: list[list[Article | str]], taken: set[str]) -> Iterator[Case]:
    """Apply each run (articles put, ids deleted) as a commit of its own; then take some down."""
    folder = Path(mkdtemp())
    engine = connect(f"whoosh:{folder / 'index'}")
    held: dict[str, Article] = {}
    small = [  # else what is so small is always one segment, and all of it among the best
        mock.patch.multiple(writer, SMALL=0, RATIO=2),
        mock.patch.multiple(
            fields,
            POOL=5,
            FEEDBACK_WORDS=2,
            FEEDBACK_ARTICLES=3,
            FEEDBACK_LEAD=40,
            FEEDBACK_LIKELY=6,
            FEEDBACK_TERMS=4,
        ),
        mock.patch.multiple(fields, MOST_WORDS=3, FRESH_DAYS=(1, 30, 200), FRESH_FEWEST=1, FRESH_SURPRISE=0.1),
    ]
    for patch in small:
        patch.start()
    try:
        for changes in runs:
            run = engine.begin("index", ["test"])
            engine.accept(run, [Delete(one) if isinstance(one, str) else Put(one, "test") for one in changes])
            for one in changes:
                if isinstance(one, str):
                    held.pop(one, None)
                else:
                    held[one.id] = one
            engine.catch_up()
        for id in taken:
            engine.take_down(id, "test")
        now = datetime.now(UTC)
        visible = [
            article
            for article in held.values()
            if article.id not in taken
            and article.status != "withdrawn"
            and not (article.embargo_until and article.embargo_until > now)
        ]
        yield Case(engine, visible)
    finally:
        for patch in small:
            patch.stop()
        engine.close()
        shutil.rmtree(folder)


def check(case: Case, asked: Query) -> None:
    right = oracle.answer(case.visible, asked)
    ids: list[str] = []
    scores: dict[str, float] = {}
    pages = -(-right.total // asked.per_page)
    for page in range(1, pages + 2):
        found = case.engine.search(replace(asked, page=page))
        assert found.total == right.total
        assert len(found.hits) == max(0, min(asked.per_page, right.total - len(ids)))
        ids += [hit.article.id for hit in found.hits]
        scores |= {hit.article.id: hit.score for hit in found.hits if hit.score is not None}
    assert sorted(ids) == sorted(right.ids)
    assert scores == pytest.approx(right.scores, abs=1e-6)
    assert _untied(ids, right.scores) == _untied(right.ids, right.scores)
    by_id = {article.id: article for article in case.visible}
    assert all(hit.article == by_id[hit.article.id] for hit in found.hits)

    for name in ("section", "tag", "author", "language"):
        facet = found.facets[name]
        assert isinstance(facet, Facet)
        chosen = getattr(asked.filters, name)
        listed = {count.value: count.count for count in facet.values}
        assert listed == {**dict.fromkeys(chosen, 0), **right.counts[name]}
        assert {count.value for count in facet.values if count.selected} == set(chosen)
        assert facet.other == 0
        assert facet.missing == right.missing[name]
    dates = found.facets["date"]
    assert isinstance(dates, DateFacet)
    assert dates.missing == right.missing["date"]
    assert sum(period.count for period in dates.values) == len(right.dates)
    for period in dates.values:
        _check_period(period, right.dates)


def _check_period(period: Period, dates: list[datetime]) -> None:
    inside = [date for date in dates if period.start <= date < period.end]
    assert period.count == len(inside)
    assert period.count or period.selected
    if period.inside:
        assert sum(finer.count for finer in period.inside.values) == period.count
        for finer in period.inside.values:
            assert period.start <= finer.start < finer.end <= period.end
            _check_period(finer, inside)


def _untied(ids: list[str], scores: dict[str, float]) -> list[list[str]]:
    """Ids in order; those whose scores differ by float noise alone, in a group of their own."""
    groups: list[list[str]] = []
    for id in ids:
        if groups and id in scores and 0 < abs(scores[groups[-1][-1]] - scores[id]) < 1e-6:
            groups[-1] = sorted([*groups[-1], id])
        else:
            groups.append([id])
    return groups


changes = articles | st.sampled_from([f"a{i}" for i in range(12)])
# A first run that leaves something to find, then what a week does to it.
runs = st.builds(
    lambda first, later: [first, *later],
    st.lists(articles, min_size=10, max_size=16),
    st.lists(st.lists(changes, min_size=1, max_size=6), max_size=5),
)


@settings(max_examples=120 * SOAK, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(runs, st.sets(st.sampled_from(["a0", "a1", "a11"]), max_size=2), st.lists(queries, min_size=3, max_size=3))
def test_engine_equals_oracle(runs: list[list[Article | str]], taken: set[str], asked: list[Query]) -> None:
    with history(runs, taken) as case:
        for one in asked:
            check(case, one)


@settings(max_examples=60 * SOAK, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(runs, st.lists(typed, min_size=3, max_size=3), filters)
def test_what_readers_type_is_answered_as_the_oracle_does(
    runs: list[list[Article | str]], asked: list[str], narrowed: Filters
) -> None:
    with history(runs, set()) as case:
        for text in asked:
            check(case, query.parse(text, filters=narrowed, facets=fields.FACETS, per_page=4))


@settings(max_examples=30 * SOAK, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(runs, st.lists(queries, min_size=2, max_size=2))
def test_the_answer_does_not_depend_on_how_segments_were_cut(
    runs: list[list[Article | str]], asked: list[Query]
) -> None:
    every_row_a_segment = mock.patch.multiple(pieces, FLUSH_CHARACTERS=1, READ_ROWS=1)
    with every_row_a_segment, mock.patch.object(writer, "MERGE_TOKENS", 0), history(runs, set()) as case:
        for one in asked:
            check(case, one)
        case.engine.rebuild()
        for one in asked:
            check(case, one)
