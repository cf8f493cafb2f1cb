"""The index stays a Whoosh index: stock Whoosh opens it and finds the same, and none of its traps is ours."""

from __future__ import annotations

import random
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest import mock

import numpy as np
import pytest
from whoosh import index
from whoosh.qparser import QueryParser
from whoosh.query import And, Every, Not, Or, Phrase, Prefix, Term

from search import analysis, clauses, fields, query
from search.article import Article
from search.clauses import Word
from search.engines import Delete, Put, connect
from search.engines.whoosh import generations, snapshot, writer
from search.query import Query

VOCABULARY = "news new university universe snow snowing glacier huts storm harbour vote voting tide race medal cat"
VOCABULARY = VOCABULARY.split()
FIELDS = ("title", "body", "tags")


def made(dice, id):
    def words(most):
        return " ".join(dice.choices(VOCABULARY, weights=range(16, 0, -1), k=dice.randint(1, most)))

    return Article(
        id=id,
        title=words(4),
        body=words(30),
        subheads=tuple(words(3) for _ in range(dice.randint(0, 2))),
        tags=tuple(words(2) for _ in range(dice.randint(0, 3))),
        section=dice.choice(["World", "Sport", None]),
        published=dice.choice([None, datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=dice.randint(0, 300))]),
    )


def apply(engine, *changes):
    run = engine.begin("index", ["s"])
    engine.accept(run, [Delete(one) if isinstance(one, str) else Put(one, "s") for one in changes])
    engine.catch_up()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("codec") / "index"


@pytest.fixture(scope="module")
def engine(folder):
    """300 articles less those deleted and changed, in several segments."""
    dice = random.Random(11)
    engine = connect(f"whoosh:{folder}")
    with mock.patch.object(writer, "MERGE_TOKENS", 0):  # else what is so small is one segment
        for batch in range(3):
            apply(engine, *(made(dice, f"a{batch}-{n:03}") for n in range(100)))
        apply(engine, *(f"a0-{n:03}" for n in range(0, 40, 3)), *(made(dice, f"a1-{n:03}") for n in range(0, 40, 3)))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def stock(engine, folder):  # noqa: ARG001
    """Whoosh's own searcher on the live generation."""
    opened = index.open_dir(str(folder / "generations" / generations.current(folder)))
    with opened.searcher() as searcher:
        yield searcher
    opened.close()


def by_stock(searcher, asked):
    return sorted(hit["id"] for hit in searcher.search(asked, limit=None))


def by_us(engine, asked):
    found, page = [], 1
    while hits := engine.search(replace(asked, page=page, per_page=100, facets=())).hits:
        found += [hit.article.id for hit in hits]
        page += 1
    return sorted(found)


def term(text, field):
    return Term(field, analysis.stem(text))


def word(text, field):
    return Word(analysis.stem(text), text, field)


def ours(*required, **values):
    return Query(required=required, **values)


def test_whoosh_opens_it(stock, engine):
    assert len(stock.reader().leaf_readers()) > 1
    assert any(reader.has_deletions() for reader, _ in stock.reader().leaf_readers())
    assert stock.doc_count() == engine.status().articles
    assert by_stock(stock, Every()) == by_us(engine, Query())
    assert set(stock.reader().indexed_field_names()) == {"title", "subheads", "body", "tags", "section"}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("text", [*VOCABULARY, "absent"])
def test_terms(stock, engine, field, text):
    assert by_stock(stock, term(text, field)) == by_us(engine, ours(word(text, field)))


@pytest.mark.parametrize("seed", range(40))
def test_trees(stock, engine, seed):
    """And, Or and Not of terms; the same tree in both languages."""
    dice = random.Random(seed)
    chosen = [(dice.choice(VOCABULARY), dice.choice(FIELDS)) for _ in range(4)]
    terms = [term(*pair) for pair in chosen]
    words = [word(*pair) for pair in chosen]
    for whoosh, mine in (
        (And(terms[:2]), ours(*words[:2])),
        (Or(terms), ours(clauses.Either(tuple(words)))),
        (And([Or(terms[:2]), Or(terms[2:])]), ours(clauses.Either(tuple(words[:2])), clauses.Either(tuple(words[2:])))),
        (Or([And(terms[:2]), terms[2]]), ours(clauses.Either((clauses.Both(tuple(words[:2])), words[2])))),
        (And([terms[0], Not(terms[1])]), ours(words[0], excluded=(words[1],))),
    ):
        assert by_stock(stock, whoosh) == by_us(engine, mine)


@pytest.mark.parametrize("field", ["body", "tags", "subheads"])
@pytest.mark.parametrize("length", [2, 3])
def test_phrases(stock, engine, field, length):
    dice = random.Random(length)
    for _ in range(20):
        texts = dice.choices(VOCABULARY[:6], k=length)
        whoosh = Phrase(field, [analysis.stem(text) for text in texts])
        mine = clauses.Phrase(tuple(word(text, None) for text in texts), exact=False, field=field)
        assert by_stock(stock, whoosh) == by_us(engine, ours(mine)), texts


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("text", ["sno", "uni", "new", "s", "zzz", "vot"])
def test_prefixes(stock, engine, field, text):
    assert by_stock(stock, Prefix(field, text)) == by_us(engine, ours(clauses.Prefix(text, field)))


TYPED = [
    "snowing",
    "universities",
    "glacier huts",
    "glacier -huts",
    "storm OR medal",
    '"snow news"',
    "(storm OR tide) race",
    "title:news",
    "title:news body:cat",
    "UNIVERSITY",
]


@pytest.mark.parametrize("text", TYPED)
def test_what_is_typed_to_whoosh_is_analysed_as_we_do(stock, engine, text):
    """One field, where both languages mean the same."""
    typed = QueryParser("body", stock.schema).parse(text.replace(" -", " NOT "))
    assert by_stock(stock, typed) == by_us(engine, _in_body(query.parse(text)))


def _in_body(asked):
    def clause(one):
        if isinstance(one, clauses.Either | clauses.Both):
            return replace(one, of=tuple(map(clause, one.of)))
        if isinstance(one, clauses.Phrase):  # Whoosh knows stems alone
            one = replace(one, exact=False)
        return replace(one, field=one.field or "body")

    required, excluded = (tuple(map(clause, part)) for part in (asked.required, asked.excluded))
    return replace(asked, required=required, excluded=excluded, enough=0)


def test_whoosh_sorts_by_the_date_column(stock, engine):
    found = [hit["id"] for hit in stock.search(Every(), limit=None, sortedby="published")]
    dates = [engine.article(id).published for id in found]
    dated = [date for date in dates if date]
    assert dated == sorted(dated)
    assert dates[: dates.count(None)] == [None] * dates.count(None)


def test_the_dictionary_is_whole_and_in_order(stock):
    """Over all segments, each term once; and what Whoosh is told of a term is what its postings say."""
    reader = stock.reader()
    listed = list(reader.all_terms())
    assert listed == sorted(set(listed))
    assert {text.decode() for field, text in listed if field == "body"} <= {analysis.stem(word) for word in VOCABULARY}
    assert [text for field, text in reader.terms_from("tags", b"s") if field == "tags"] == [
        text for field, text in listed if field == "tags" and text >= b"s"
    ]
    for leaf, _ in reader.leaf_readers():
        for (field, text), info in leaf:
            matcher = leaf.postings(field, text)
            weights = []
            while matcher.is_active():
                weights.append(matcher.weight())
                assert len(matcher.value_as("positions")) == matcher.weight()
                assert info.min_id() <= matcher.id() <= info.max_id()
                matcher.next()
            assert info.max_weight() >= max(weights, default=0)
            if not leaf.has_deletions():
                assert (info.doc_frequency(), info.weight()) == (len(weights), sum(weights))
            assert leaf.doc_frequency(field, text) == info.doc_frequency()
            assert leaf.frequency(field, text) == info.weight()
    assert reader.doc_frequency("body", b"absent") == reader.frequency("body", b"absent") == 0


# The traps of WHOOSH that were reproduced on stock indexes.


@pytest.mark.parametrize("seed", range(30))
def test_the_top_ten_is_the_top_of_all(engine, seed):
    """T1: stock Whoosh skips scores in an AND of ORs, which every query of two words over several fields is."""
    texts = random.Random(seed).sample(VOCABULARY, 2)
    asked = replace(query.parse(" ".join(texts), facets=()), near=(), enough=0)
    everything = scores(engine, asked)
    assert [(hit.article.id, hit.score) for hit in engine.search(asked).hits] == list(everything.items())[:10]
    assert list(everything.values()) == sorted(everything.values(), reverse=True)
    first, second = (scores(engine, query.parse(text, facets=())) for text in texts)
    assert everything == pytest.approx({id: first[id] + second[id] for id in first if id in second})


def scores(engine, asked):
    """The score of everything that matches, the best first."""
    found, page = {}, 1
    while hits := engine.search(replace(asked, page=page, per_page=100)).hits:
        found |= {hit.article.id: hit.score for hit in hits}
        page += 1
    return found


TEXTS = ["", "news", "snow glacier", "storm OR tide", '"snow news"', "uni*", "title:vote", "news -cat", "race medal"]
ASKED = [query.parse(text, facets=fields.FACETS) for text in TEXTS]


@pytest.fixture
def short_turns():
    """Threads change places so often that a race shows; with the default of 5 ms it hides."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def run(workers):
    problems = []

    def guarded(work):
        try:
            work()
        except Exception as problem:
            problems.append(repr(problem))

    threads = [threading.Thread(target=guarded, args=(work,)) for work in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


@pytest.mark.usefixtures("short_turns")
def test_one_engine_serves_all_threads(engine):
    """T3: a stock searcher shared by threads gives wrong hits and no error."""
    right = [engine.search(asked) for asked in ASKED]
    wrong = []

    def work(seed):
        dice = random.Random(seed)
        for _ in range(40):
            number = dice.randrange(len(ASKED))
            if engine.search(ASKED[number]) != right[number]:
                wrong.append(number)

    run([lambda seed=seed: work(seed) for seed in range(8)])
    assert wrong == []


@pytest.mark.usefixtures("short_turns")
def test_threads_see_one_commit_each(tmp_path):
    """Every commit moves all articles from one section to another: an answer never holds a part of each."""
    engine = connect(f"whoosh:{tmp_path / 'index'}")
    dice = random.Random(3)
    base = [replace(made(dice, f"a{n}"), body="tide", section="v0") for n in range(30)]
    apply(engine, *base)
    done = threading.Event()
    asked = query.parse("tide", facets=("section",), per_page=100)
    torn, seen = [], set()

    def read():
        last = -1
        while not done.is_set():
            answer = engine.search(asked)
            sections = {hit.article.section for hit in answer.hits}
            counted = {one.value: one.count for one in answer.facets["section"].values}
            version = int(next(iter(sections))[1:])
            if answer.total != 30 + version or len(sections) > 1 or counted != {f"v{version}": 30 + version}:
                torn.append((answer.total, sections, counted))
            if version < last:
                torn.append((last, version))
            last = version
            seen.add(version)

    def write():
        try:
            for version in range(1, 13):
                base.append(replace(base[0], id=f"more{version}"))
                apply(engine, *(replace(one, section=f"v{version}") for one in base))
        finally:
            done.set()

    run([write, *[read] * 6])
    engine.close()
    assert torn == []
    assert len(seen) > 2


def test_opening_maps_and_does_not_copy(engine):
    """T4: stock Whoosh copies a whole segment to the heap for each searcher."""
    engine.search(ASKED[1])
    for view in engine._files.snapshot().views:
        file = view.arrays
        for name in file:
            base = array = file[name]
            if not len(array):
                continue
            assert not array.flags.writeable
            while isinstance(base, np.ndarray):
                base = base.base
            assert (base.obj if isinstance(base, memoryview) else base) is file._map, name


def test_one_snapshot_serves_until_the_next_commit(tmp_path):
    engine = connect(f"whoosh:{tmp_path / 'index'}")
    apply(engine, Article(id="a", title="tide"))
    first = engine._files.snapshot()
    assert engine._files.snapshot() is first
    apply(engine, Article(id="b", title="tide"))
    assert isinstance(engine._files.snapshot(), snapshot.Snapshot)
    assert engine._files.snapshot() is not first
    # What it was stays as it was, though its files may be gone.
    for _ in range(3):
        apply(engine, "a", Article(id="b", title="ebb"))
    assert [view.ids[0] for view in first.views] == ["a"]
    assert first.visible().count == 1
    engine.close()
