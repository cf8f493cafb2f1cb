"""The store: what was accepted is there, whole, whatever happened since."""

import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import UTC, datetime

import pytest
import zstandard

from search import article
from search.article import Article
from search.engines import ArticleMissing, Delete, EngineUnavailable, Held, IndexCorrupt, IndexMissing, Put
from search.engines.whoosh import compression, database
from search.engines.whoosh import store as stores
from search.engines.whoosh.compression import FIRST, PLAIN, Frames
from search.engines.whoosh.store import Store

FULL = Article(
    id="a",
    url="https://Example.org/A?utm_source=x",
    title="Tête-à-tête",
    body="Körper & <b>Text</b>\n\nمرحبا",
    subheads=("One", "Two"),
    authors=("Ann",),
    published=datetime(2025, 8, 6, 12, 30, tzinfo=UTC),
    status="corrected",
    notice="The date was wrong.",
    embargo_until=datetime(2025, 8, 7, tzinfo=UTC),
    related=({"id": "b"},),
    extra={"desk": {"nested": [1, 2.5, None]}},
)


def put(id, title="T", source="folder", **values):
    return Put(Article(id=id, title=title, **values), source)


@pytest.fixture
def store(tmp_path):
    store = Store.create(tmp_path / "index")
    yield store
    store.close()


@pytest.fixture
def run(store):
    return store.begin("index folder", ["folder"])


def test_nothing_there_is_missing(tmp_path):
    with pytest.raises(IndexMissing, match="broadsheet index"):
        Store(tmp_path)


def test_the_folder_is_its_owners_alone(store):
    assert store.path.parent.stat().st_mode & 0o777 == 0o700


def test_is_made_once_and_opened_after(store, run, tmp_path):
    store.accept(run, [put("a")])
    again = Store.create(tmp_path / "index")
    assert again.last() == 1
    again.close()


def test_an_article_comes_back_as_it_was(store, run):
    assert store.accept(run, [Put(FULL, "folder")]) == 1
    assert store.articles([1]) == [FULL]
    assert store.held(["a", "b"]) == {"a": Held(article.digest(FULL), "folder")}


def test_what_could_not_be_read_back_is_not_accepted(store, run):
    with pytest.raises(article.ArticleError, match="'b' has neither title nor body"):
        store.accept(run, [put("a"), Put(Article(id="b"), "folder")])
    assert store.last() == 0


def test_versions_stay_and_the_newest_counts(store, run):
    store.accept(run, [put("a", "old"), put("b"), put("a", "new")])
    assert [found.title for found in store.articles([3, 1])] == ["new", "old"]
    assert [(row.seq, row.id) for row in store.newest_after(0, 500, store.last())] == [(2, "b"), (3, "a")]
    assert [(row.seq, row.article.title) for row in store.rows_after(0)] == [(1, "old"), (2, "T"), (3, "new")]
    assert [row.seq for row in store.rows_after(1, limit=1)] == [2]


def test_a_deletion_is_a_row(store, run):
    store.accept(run, [put("a", url="https://example.org/a")])
    assert store.accept(run, [Delete("a")]) == 2
    assert store.rows_after(1) == [stores.Row(2, "a", None)]
    assert store.held(["a"]) == {}
    assert store.ids_at("https://example.org/a") == []
    assert list(store.held_from("folder")) == []
    assert list(store.newest_after(0, 500, store.last())) == []


@pytest.mark.parametrize("before", [[], [put("a"), Delete("a")]])
def test_deleting_what_is_not_held_is_no_row(store, run, before):
    last = store.accept(run, before)
    assert store.accept(run, [Delete("a")]) == last


def test_a_deletion_in_its_batch(store, run):
    store.accept(run, [put("a"), Delete("a"), Delete("a"), put("b"), Delete("b"), put("b", "again"), Delete("c")])
    assert [(row.id, row.article and row.article.title) for row in store.rows_after(0)] == [
        *(("a", "T"), ("a", None)),
        *(("b", "T"), ("b", None), ("b", "again")),
    ]
    assert [(row.seq, row.id) for row in store.newest_after(0, 500, 5)] == [(5, "b")]


def test_an_article_can_come_back(store, run):
    store.accept(run, [put("a"), Delete("a"), put("a", "again", source="push")])
    assert list(store.held_from("folder")) == []
    assert list(store.held_from("push")) == ["a"]


def test_found_by_any_spelling_of_its_url(store, run):
    store.accept(run, [Put(FULL, "folder"), put("b", url="https://example.org/A")])
    assert store.ids_at("HTTPS://example.org:443/A?fbclid=1#top")[0] == "b"
    assert store.ids_at("https://example.org/B") == []


def test_what_came_from_below_a_source_came_from_it(store, run):
    sources = {"a": "/paper", "b": "/paper/sport", "c": "/paper/sport/x.md", "d": "/paper2", "e": "/pape", "f": "-"}
    store.accept(run, [put(id, source=source) for id, source in sources.items()])
    assert list(store.held_from("/paper")) == ["a", "b", "c"]
    assert list(store.held_from("/paper/sport")) == ["b", "c"]
    assert list(store.held_from("-")) == ["f"]


def test_pages_join_without_a_seam(store, run, monkeypatch):
    monkeypatch.setattr(stores, "BATCH", 3)
    store.accept(run, [put(f"{n:02}") for n in range(9)])
    assert list(store.held_from("folder")) == [f"{n:02}" for n in range(9)]
    assert [row.seq for row in store.newest_after(0, 500, 8)] == list(range(1, 9))


def test_a_rebuild_sees_no_article_twice(store, run):
    store.accept(run, [put(str(n)) for n in range(4)])
    last = store.last()
    seen = [row.id for row in store.newest_after(0, 2, last)]
    store.accept(run, [put("0", "changed"), put("3", "changed"), put("9")])
    seen += [row.id for row in store.newest_after(2, 9, last)]
    assert seen == ["0", "1", "2"]  # "3" has moved behind: it comes with the rows after, as "9" does


def test_all_or_nothing(store):
    with pytest.raises(sqlite3.IntegrityError):
        store.accept(999, [put("a"), put("b")])
    assert store.last() == 0


def test_what_cannot_be_written_leaves_nothing(store, run):
    with pytest.raises(UnicodeEncodeError):
        store.accept(run, [put("a"), put("b", extra={"broken": "\ud800"})])
    assert store.held(["a"]) == {}


def test_counts(store, run):
    store.accept(run, [put("a"), put("b"), put("a", "new"), Delete("b")])
    assert store.last() == 4
    counts = store.counts(after=1)
    assert (counts.articles, counts.pending) == (1, 3)
    assert counts.size > 0


def test_takedowns(store):
    store.take_down("a", "court order")
    store.take_down("b", "rights")
    store.take_down("a", "court order 12/25")
    assert [(item.target, item.reason) for item in store.takedowns()] == [("a", "court order 12/25"), ("b", "rights")]
    assert store.takedowns()[0].since.tzinfo is not None
    store.put_back("a")
    assert [item.target for item in store.takedowns()] == ["b"]
    with pytest.raises(ArticleMissing, match="'a' is not taken down"):
        store.put_back("a")


def damage(store, sql):
    with sqlite3.connect(store.path) as db:
        db.execute(sql)
    db.close()


def flip(store, position):
    with sqlite3.connect(store.path) as db:
        content = bytearray(db.execute("SELECT content FROM articles").fetchone()[0])
        content[position] ^= 1
        db.execute("UPDATE articles SET content = ?", (bytes(content),))
    db.close()


@pytest.mark.parametrize("position", [0, 3, 20, -1])
def test_a_flipped_bit_is_found(store, run, position):
    store.accept(run, [Put(FULL, "folder")])
    flip(store, position)
    for read in (lambda: store.articles([1]), lambda: store.rows_after(0), lambda: list(store.newest_after(0, 500, 1))):
        with pytest.raises(IndexCorrupt, match="version 1 of the article 'a'"):
            read()


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM articles",
        "UPDATE articles SET content = NULL",
        "UPDATE articles SET id = 'another'",
        "UPDATE articles SET content = 'text'",
    ],
)
def test_a_damaged_row_is_corrupt(store, run, sql):
    store.accept(run, [put("a")])
    damage(store, sql)
    with pytest.raises(IndexCorrupt):
        store.articles([1])


@pytest.fixture
def early(monkeypatch):
    """A dictionary is learnt from twenty articles, and a better one from forty."""
    monkeypatch.setattr(stores, "LEARN_AT", (20, 40))


def alike(first, count):
    """Articles that have much in common, each with something of its own."""
    words = ["council", "minister", "harbour", "budget", "museum", "railway", "election", "storm"]
    bodies = (" ".join(words[(n * k) % 8] + str(n * k % 7) for k in range(1, 60)) for n in range(first, first + count))
    return [put(f"{n:02}", f"Report {n}", body=body) for n, body in enumerate(bodies, first)]


def dictionaries(store):
    with store._connection() as db:
        frames = [frame for (frame,) in db.execute("SELECT content FROM articles ORDER BY seq") if frame]
    return [zstandard.get_frame_parameters(frame).dict_id for frame in frames]


@pytest.mark.parametrize("batch", [1, 7, 50])
@pytest.mark.usefixtures("early")
def test_dictionaries_are_learnt_and_old_rows_stay_readable(store, run, batch):
    changes = alike(0, 50)
    for start in range(0, 50, batch):
        store.accept(run, changes[start : start + batch])
    numbers = dictionaries(store)
    assert numbers == sorted(numbers)
    assert set(numbers) == ({FIRST} if batch == 50 else {PLAIN, FIRST, FIRST + 1})
    again = Store(store.path.parent)
    for reader in (store, again):
        assert reader.articles(range(1, 51)) == [change.article for change in changes]
        assert [row.article for row in reader.newest_after(0, 500, 50)] == [change.article for change in changes]
    again.close()


def test_of_too_little_no_dictionary_is_learnt(store, run, monkeypatch):
    monkeypatch.setattr(stores, "LEARN_AT", (1, 3))
    store.accept(run, [put("a")])
    store.accept(run, [Delete("a"), put("a", "again")])
    assert dictionaries(store) == [PLAIN] * 2
    assert store.articles([3])[0].title == "again"


@pytest.mark.usefixtures("early")
def test_a_dictionary_packs_better(store, run):
    for start in (0, 20, 40):
        store.accept(run, alike(start, 20))
    plain = sum(len(Frames({}.get).pack(article.to_line(change.article))) for change in alike(41, 19))
    with store._connection() as db:
        packed = db.execute("SELECT sum(length(content)) FROM articles WHERE seq > 41").fetchone()[0]
    assert packed < plain


@pytest.mark.usefixtures("early")
def test_another_process_has_learnt_a_dictionary(store, run, monkeypatch):
    store.accept(run, alike(0, 10))
    other = Store(store.path.parent)
    learn = compression.learn

    def meanwhile(number, lines):
        monkeypatch.setattr(compression, "learn", learn)
        other.accept(run, alike(10, 10))
        return learn(number, [*lines, b"and more" * 1000])

    monkeypatch.setattr(compression, "learn", meanwhile)
    store.accept(run, alike(20, 10))
    for reader in (store, other, Store(store.path.parent)):
        assert sorted(found.id for found in reader.articles(range(1, 31))) == [f"{n:02}" for n in range(30)]
        reader.close()


@pytest.mark.usefixtures("early")
@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM dictionaries",
        "UPDATE dictionaries SET content = x'00'",
        "UPDATE dictionaries SET content = 'text'",
        "UPDATE dictionaries SET content = CAST(substr(content, 1, 60) || x'0101' || substr(content, 63) AS BLOB)",
        "UPDATE dictionaries SET content = (SELECT content FROM articles WHERE seq = 1)",
    ],
)
def test_a_damaged_dictionary_is_corrupt(store, run, sql):
    store.accept(run, alike(0, 19))
    store.accept(run, alike(19, 2))
    damage(store, sql)
    store = Store(store.path.parent)
    assert store.articles([1])[0].id == "00"
    with pytest.raises(IndexCorrupt, match=r"version 20 of the article '19'.*new folder"):
        store.articles([20])
    if "DELETE" not in sql:
        with pytest.raises(IndexCorrupt, match="new folder"):
            store.accept(run, alike(21, 1))
    store.close()


@pytest.mark.parametrize("which", range(4))
def test_what_is_not_the_article_of_the_row_is_corrupt(store, run, which):
    store.accept(run, [put("a"), put("b")])
    line = [b"[]", b'"a"', b"{}", b'{"id":"a","mood":"good"}'][which]
    with sqlite3.connect(store.path) as db:
        db.execute("UPDATE articles SET content = ? WHERE seq = 1", (Frames({}.get).pack(line),))
    db.close()
    with pytest.raises(IndexCorrupt, match="version 1 of the article 'a'"):
        store.articles([1])
    damage(store, "UPDATE articles SET content = (SELECT content FROM articles WHERE seq = 2)")
    with pytest.raises(IndexCorrupt, match="it holds another"):
        store.articles([1])


def test_what_asks_for_too_much_memory_is_corrupt(store, run, monkeypatch):
    store.accept(run, [put("a", body="word " * 1000)])
    monkeypatch.setattr(compression, "LONGEST", 1000)
    with pytest.raises(IndexCorrupt, match="longer than any article"):
        store.articles([1])
    with pytest.raises(article.ArticleError, match="longer than"):
        store.accept(run, [put("b", body="word " * 1000)])


def test_two_urls_of_one_hash_are_two(store, run, monkeypatch):
    monkeypatch.setattr(database, "page_hash", lambda _url: 7)
    store.accept(run, [put("a", url="https://example.org/a"), put("b", url="https://example.org/b")])
    assert store.ids_at("https://example.org/a") == ["a"]
    assert store.ids_at("https://example.org/c") == []


def test_no_database_is_corrupt(tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "articles.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(IndexCorrupt, match="no database"):
        Store(folder).last()


# What makes of a store of a version one as the version before left it.
EARLIER = {
    6: "ALTER TABLE runs DROP pruned; DROP TABLE pruned;",
    5: """
        ALTER TABLE runs DROP outcome;
        ALTER TABLE runs DROP ended;
        ALTER TABLE runs RENAME changed TO ended;
    """,
    4: """
        DROP TABLE addresses; DROP TABLE hidden; DROP TABLE takedowns; DROP TABLE audit;
        ALTER TABLE newest ADD COLUMN url INTEGER;
        CREATE INDEX newest_by_url ON newest (url) WHERE url IS NOT NULL;
        CREATE TABLE takedowns (id TEXT PRIMARY KEY, reason TEXT NOT NULL, since TEXT NOT NULL) WITHOUT ROWID;
        INSERT INTO takedowns VALUES ('b', 'court order', '2025-08-06T12:00:00.000000+00:00');
    """,
    3: "DROP INDEX withheld;",
}


def make_earlier(store, version):
    """Leave it as that version would have."""
    store.close()
    with closing(sqlite3.connect(store.path)) as db:
        for earlier in range(database.VERSION - 1, version - 1, -1):
            db.executescript(EARLIER[earlier])
        db.execute(f"PRAGMA user_version = {version}")


@pytest.mark.parametrize("version", EARLIER)
def test_a_store_of_an_earlier_version_is_brought_forward(store, run, tmp_path, version):
    store.accept(run, [Put(FULL, "folder"), put("b"), put("was", url="https://paper.example/oak")])
    store.accept(run, [put("was")])
    store.take_down("b", "court order")
    make_earlier(store, version)
    damage(store, "UPDATE articles SET content = x'00' WHERE id = 'b'")  # what is damaged stands in nobody's way
    again = Store(tmp_path / "index")
    assert again.articles([1]) == [FULL]
    assert again.ids_at("https://example.org/A") == ["a"]
    assert again.take_down("www.paper.example/oak", "r").ids == ("was",)
    assert again.hidden() >= {"b", "was"}
    assert [(deed.what, deed.target, deed.ids, deed.reason) for deed in again.audit()][:1] == [
        ("taken down", "b", ("b",), "court order")
    ]
    again.put_back("b")
    again.accept(again.begin("index", []), [Delete("b")])
    assert again.withheld(4, 5) == {"b"}
    before, since = again.runs()
    if version < 6:  # since then a run says when it ends, and this one did not
        assert (before.outcome, before.ended, since.outcome) == ("done", before.changed, None)
    again.close()
    with closing(sqlite3.connect(store.path)) as old, closing(sqlite3.connect(":memory:")) as new:
        new.executescript(database.SCHEMA)
        said = "SELECT name, sql FROM sqlite_master WHERE sql NOT NULL ORDER BY name"
        assert old.execute("PRAGMA user_version").fetchone() == (database.VERSION,)
        assert [name for name, _ in old.execute(said)] == [name for name, _ in new.execute(said)]


def test_a_migration_that_is_cut_short_leaves_the_store_as_it_was(store, run, tmp_path, monkeypatch):
    store.accept(run, [put("a")])
    make_earlier(store, 4)
    again = Store(tmp_path / "index")
    with monkeypatch.context() as patched:
        patched.setattr(
            database, "MIGRATIONS", database.MIGRATIONS | {4: database.MIGRATIONS[4] + "SELECT no_such_function();\n"}
        )
        with pytest.raises(EngineUnavailable, match="no_such_function"):
            again.last()
    assert again.hidden() == {"b"}
    again.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET who = 'nobody'",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit SELECT number, at, 'nobody', what, target, ids, reason FROM audit LIMIT 1",
    ],
)
def test_the_audit_log_is_append_only(store, statement):
    store.take_down("a", "r")
    store.put_back("a")
    deeds = store.audit()
    with closing(sqlite3.connect(store.path)) as db, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(statement)
    assert store.audit() == deeds
    assert len(deeds) == 2


PAST, FUTURE = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def test_what_later_rows_take_away_is_told(store, run):
    store.accept(run, [put(id) for id in "abcdef"])
    store.accept(
        run,
        [
            Delete("a"),
            put("b", status="withdrawn"),
            put("c", embargo_until=FUTURE),
            put("d", embargo_until=PAST),
            put("e", title="Corrected", status="corrected"),
        ],
    )
    assert store.withheld(6, 11) == {"a", "b", "c"}
    assert store.withheld(6, 7) == {"a"}
    assert store.withheld(7, 11) == {"b", "c"}
    assert store.withheld(11, 11) == frozenset()
    store.accept(run, [put("a", "Again"), put("b", "Again"), put("c", embargo_until=PAST)])
    assert store.withheld(6, 11) == frozenset()


@pytest.mark.parametrize("version", [2, 99])
def test_another_format_is_refused(store, version):
    damage(store, f"PRAGMA user_version = {version}")
    other = Store(store.path.parent)
    with pytest.raises(EngineUnavailable, match=rf"format {version}.*index the sources into a new folder"):
        other.last()


def test_another_writer_is_waited_for_and_then_named(store, run, monkeypatch):
    monkeypatch.setattr(database, "WAIT", 0.1)
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    hurried = Store(store.path.parent)
    with pytest.raises(EngineUnavailable, match="try again"):
        hurried.accept(run, [put("a")])
    assert hurried.last() == 0  # readers do not wait
    other.execute("ROLLBACK")
    hurried.accept(run, [put("a")])
    hurried.close()
    other.close()


def test_a_full_disk_says_so(store, run):
    store.accept(run, [put("a")])
    with store._connection() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(EngineUnavailable, match="make room"):
        store.accept(run, [put(str(n), extra={"n": str(hash((n, n)))}, source="s" * 200) for n in range(500)])
    assert store.last() == 1


@pytest.mark.usefixtures("early")
def test_threads_read_while_one_writes(store, run):
    problems = []

    def read():
        try:
            for _ in range(50):
                rows = store.rows_after(0, limit=1000)
                assert len(rows) % 5 == 0
                assert len(store.articles([row.seq for row in rows])) == len(rows)
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for batch in range(20):
        store.accept(run, alike(5 * batch, 5))
    for thread in threads:
        thread.join()
    assert problems == []


def test_closed_is_closed(tmp_path):
    store = Store.create(tmp_path)
    store.close()
    store.close()
    with pytest.raises(EngineUnavailable, match="closed"):
        store.last()


def test_a_reader_outlives_close(store, run):
    store.accept(run, [put("a")])
    with store._connection() as db:
        store.close()
        assert db.execute("SELECT count(*) FROM articles").fetchone() == (1,)


def test_processes_that_make_it_at_once_make_one(tmp_path):
    code = "import sys; from pathlib import Path; from search.engines.whoosh.store import Store\n"
    code += "s = Store.create(Path(sys.argv[1]) / 'index'); s.begin('index', []); s.close()"
    processes = [subprocess.Popen([sys.executable, "-c", code, tmp_path]) for _ in range(4)]
    assert [process.wait() for process in processes] == [0, 0, 0, 0]
    store = Store(tmp_path / "index")
    assert store.begin("index", []) == 5
    store.close()


WRITER = """
import itertools, sys
from pathlib import Path
from search.article import Article
from search.engines import Put
from search.engines.whoosh import store as stores
stores.LEARN_AT = (100, 300, 500)
store = stores.Store.create(Path(sys.argv[1]))
run = store.begin("index", [])
for batch in itertools.count():
    store.accept(run, [Put(Article(id=f"{run}-{batch}-{n}", title="T", body=f"{batch} {n} " * 99), "s")
                       for n in range(20)])
    print(run, batch, flush=True)
"""


def test_a_killed_writer_loses_nothing_acknowledged(tmp_path):
    acknowledged = set()
    for kill in range(4):
        with subprocess.Popen([sys.executable, "-c", WRITER, tmp_path], stdout=subprocess.PIPE, text=True) as writer:
            for _ in range(3 + 5 * kill):
                acknowledged.add(tuple(writer.stdout.readline().split()))
            writer.send_signal(signal.SIGKILL)
            acknowledged |= {tuple(line.split()) for line in writer.stdout if line.endswith("\n")}
    store = Store(tmp_path)
    batches = {}
    for row in store.rows_after(0, limit=100_000):
        run, batch, _ = row.id.split("-")
        batches[run, batch] = batches.get((run, batch), 0) + 1
    assert acknowledged <= set(batches)
    assert set(batches.values()) == {20}
    assert len(store.newest_after(0, 100_000, store.last())) == 20 * len(batches)
    store.close()
