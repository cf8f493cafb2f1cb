"""The workshop: what worker processes make of the rows is what this process would, whoever dies meanwhile."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from unittest import mock

import pytest

from search import fields, query
from search.article import Article
from search.engines import Delete, EngineUnavailable, IndexCorrupt, IndexLocked, Put, connect
from search.engines.whoosh import contents, durable, generations, pieces, workshop, writer
from search.engines.whoosh.arrays import Arrays, Strings
from search.engines.whoosh.store import Store
from search.engines.whoosh.workshop import Workshop

ORDER = 10  # rows handed to a worker at once


class Workers:
    """The worker processes of a test. `first` is what they do before they begin to work."""

    def __init__(self):
        self.first = ""
        self.started = []

    def popen(self, arguments, **values):
        *python, code = arguments
        self.started.append(subprocess.Popen([*python, f"{self.first}\n{code}"], **values))
        return self.started[-1]


@pytest.fixture(autouse=True)
def workers(monkeypatch):
    found = Workers()
    monkeypatch.setattr(workshop, "subprocess", SimpleNamespace(Popen=found.popen, PIPE=subprocess.PIPE))
    for name, value in (("WORKERS", 2), ("PIECE_ROWS", ORDER), ("MANY_ROWS", ORDER)):
        monkeypatch.setattr(workshop, name, value)
    yield found
    assert [process.poll() for process in found.started if process.poll() is None] == []


class Inline:
    """A pool whose workers are threads of this process: the same orders and answers, and quick to start."""

    def __init__(self):
        self._threads = ThreadPoolExecutor(2)
        self._own = threading.local()

    def submit(self, order):
        return self._threads.submit(self._run, json.dumps(order))

    def _run(self, order):
        self._own.worker = getattr(self._own, "worker", None) or workshop._Worker()
        return workshop._read(self._own.worker.answer(order))

    def close(self):
        self._threads.shutdown(cancel_futures=True)


@pytest.fixture
def inline(monkeypatch):
    monkeypatch.setattr(workshop, "_Pool", Inline)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "index"
    yield folder
    assert left(folder) == []


@pytest.fixture
def engine(folder):
    engine = connect(f"whoosh:{folder}")
    yield engine
    engine.close()


@pytest.fixture
def other(folder):
    """Another program, that does all by itself."""
    engine = connect(f"whoosh:{folder}")
    yield engine
    engine.close()


def left(folder):
    """What lies under building/."""
    return sorted((folder / "building").iterdir()) if (folder / "building").exists() else []


def accept(engine, *changes):
    run = engine.begin("index", ["s"])
    engine.accept(run, [Delete(one) if isinstance(one, str) else Put(one, "s") for one in changes])


def some(first, last, title="tide"):
    return [Article(id=f"a{n:02}", title=f"{title} word{n}") for n in range(first, last)]


def found(engine, text=""):
    return sorted(hit.article.id for hit in engine.search(query.parse(text, per_page=100)).hits)


def ids(first, last):
    return [f"a{n:02}" for n in range(first, last)]


def live(folder):
    return folder / "generations" / generations.current(folder)


def is_whole(engine, folder, right):
    """These articles, each once, and every file as the manifest says."""
    assert found(engine) == right
    manifest = generations.check(live(folder))
    assert (manifest.last, manifest.articles) == (contents.applied(live(folder)), len(right))
    assert engine.status().pending == 0


@contextmanager
def alone():
    """No processes beside this one."""
    with mock.patch.object(workshop, "WORKERS", 1):
        yield


# The same index.

VOCABULARY = ["news", "new", "university", "universe", "snow", "storm", "harbour", "Storm", "US", "us", "café", "vote"]
TEXTS = ["", "news", "storm tide", "uni*", '"new harbour"', "title:vote", "snow -news", "us", "US", "cafe"]
ASKED = [query.parse(text, facets=fields.FACETS, per_page=100) for text in TEXTS]
ASKED += [query.parse("news", sort="newest", per_page=5, page=2)]


def made(dice, id):
    def words(most):
        return " ".join(dice.choices(VOCABULARY, k=dice.randint(1, most)))

    return Article(
        id=id,
        title=words(4),
        body=words(30),
        tags=tuple(words(2) for _ in range(dice.randint(0, 2))),
        section=dice.choice(["World", "Sport", None]),
        published=dice.choice([None, datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=dice.randint(0, 300))]),
        status=dice.choice(["live", "live", "withdrawn"]),
    )


def batches(seed):
    """Articles that come, change, go and come again, most of them within the same few rows."""
    dice = random.Random(seed)
    names = [f"a{n}" for n in range(40)]
    for _ in range(12):
        chosen = dice.choices(names, k=7)
        yield [id if dice.random() < 0.3 else made(dice, id) for id in chosen]


SMALL = {"FLUSH_CHARACTERS": 300, "READ_ROWS": 3}  # several pieces of an order
CUTS = [
    # pieces, merging, at least so many segments
    ({"READ_ROWS": 500}, {"SMALL": writer.SMALL}, 1),
    ({"READ_ROWS": 500}, {"MERGE_TOKENS": 0}, 6),
    (SMALL, {"MERGE_TOKENS": 0}, 8),
    (SMALL, {"SMALL": 0, "RATIO": 2}, 1),
    (SMALL, {"MERGE_TOKENS": 300}, 2),
]


@pytest.fixture
def is_same(engine, folder, tmp_path):
    """Makes an index in a bulk and by a rebuild, and compares each with one that is made without workers."""
    plain = connect(f"whoosh:{tmp_path / 'plain'}")

    def compare(segments):
        assert generations.check(live(folder)).articles == engine.status().articles == plain.status().articles
        assert len(contents.table(live(folder)).segments) >= segments
        for asked in ASKED:
            mine, right = engine.search(asked), plain.search(asked)
            assert [hit.article for hit in mine.hits] == [hit.article for hit in right.hits]
            assert [hit.score for hit in mine.hits] == pytest.approx([hit.score for hit in right.hits])
            assert [hit.counts for hit in mine.hits] == [hit.counts for hit in right.hits]
            assert (mine.total, mine.facets, mine.forms) == (right.total, right.facets, right.forms)

    def check(segments):
        before, *coming = batches(seed=3)
        with alone():
            for one in (plain, engine):
                accept(one, *before)
                one.catch_up()
            for changes in coming:
                accept(plain, *changes)
            plain.catch_up()
        with engine.bulk():
            for changes in coming:
                accept(engine, *changes)
            pending = engine.status().pending
            assert engine.catch_up() == pending > 50
        compare(segments)
        engine.rebuild()
        compare(segments)

    yield check
    plain.close()


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize(("cut", "merged", "segments"), CUTS)
def test_an_index_of_pieces_is_the_one_made_at_once(is_same, cut, merged, segments):
    with mock.patch.multiple(pieces, **cut), mock.patch.multiple(writer, **merged):
        is_same(segments)


def test_an_index_made_by_processes_is_the_one_made_by_this_one(is_same, workers):
    workers.first = "from search.engines.whoosh import pieces; pieces.FLUSH_CHARACTERS, pieces.READ_ROWS = 300, 3"
    is_same(1)
    assert len(workers.started) == 4


def test_pieces_are_made_while_articles_are_accepted(engine, folder, workers):
    with engine.bulk():
        accept(engine, *some(0, ORDER))
        while not list((folder / "building").glob("*/*.arr")):
            time.sleep(0.01)
        assert engine.catch_up() == ORDER
    assert len(workers.started) == 1
    is_whole(engine, folder, ids(0, ORDER))


def test_a_few_rows_are_no_work_for_a_worker(engine, folder, workers):
    with engine.bulk():
        accept(engine, *some(0, ORDER - 1))
        assert engine.catch_up() == ORDER - 1
    engine.rebuild()
    assert workers.started == []
    is_whole(engine, folder, ids(0, ORDER - 1))


@pytest.mark.usefixtures("inline")
def test_pieces_follow_each_other(folder):
    """Whatever was ordered before: from the row asked for to the last one, without a gap."""
    store = Store.create(folder)
    store.accept(store.begin("index", []), [Put(one, "s") for one in some(0, 47)])
    for ordered, after in [((0, 30), 0), ((0, 30), 10), ((0, 30), 5), ((0, 30), 30), ((0, 30), 44), ((7, 28), 17)]:
        shop = Workshop(folder, store, ordered[0])
        shop.accepted(ordered[1])
        made = [piece for ready in shop.pieces(after, 47) for piece in ready]
        assert [after, *(piece.until for piece in made)] == [*(piece.after for piece in made), 47]
        opened = [Arrays(piece.opened().file(shop.folder())) for piece in made]
        assert [id for one in opened for id in Strings.of(one, "doc.ids").texts()] == ids(after, 47)
        shop.close()
    store.close()


# Somebody else at work meanwhile.


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize("done", [1, 10, 15, 20, 39, 40])
@pytest.mark.parametrize("what", ["catch_up", "rebuild"])
def test_rows_that_another_applied_meanwhile_are_not_applied_again(engine, other, folder, what, done):
    accept(engine, *some(0, 20, "ebb"))
    engine.catch_up()
    with engine.bulk():
        accept(engine, *some(10, 10 + done))  # half of them, or more, are there already
        with alone():
            getattr(other, what)()
        assert other.status().pending == 0
        accept(engine, *some(10 + done, 50), "a00")
        assert engine.catch_up() == 40 - done + 1
    is_whole(engine, folder, ids(1, 50))
    assert found(engine, "tide") == ids(10, 50)
    assert found(engine, "ebb") == ids(1, 10)


@pytest.mark.usefixtures("inline")
def test_a_second_catch_up_in_a_bulk(engine, folder):
    with engine.bulk():
        for first in range(0, 60, 15):
            accept(engine, *some(first, first + 15))
            assert engine.catch_up() == 15
            is_whole(engine, folder, ids(0, first + 15))


# A worker that ends, or fails.

DIE = "os.kill(os.getpid(), signal.SIGKILL)"
KILLED = {
    "as it starts": DIE,
    "at work": f"pieces.gather = lambda *_: {DIE}",
    "as it answers": f"workshop.print = lambda text, flush: (os.write(1, text[:9].encode()), {DIE})",
}
MODULES = "import os, signal, time; from search.engines import *; from search.engines.whoosh import pieces, workshop\n"


@pytest.mark.parametrize("killed", KILLED.values(), ids=KILLED)
def test_a_worker_that_is_killed(engine, folder, workers, killed):
    """The next time it is made all the same, by another."""
    workers.first = MODULES + killed
    with engine.bulk():
        accept(engine, *some(0, ORDER))
        with pytest.raises(EngineUnavailable, match=r"code -9.*killed, or short of memory.*kept: run it again"):
            engine.catch_up()
        workers.first = ""
        assert engine.catch_up() == ORDER
    is_whole(engine, folder, ids(0, ORDER))


def test_a_worker_that_is_gone_before_it_has_its_order(engine, folder, workers, monkeypatch):
    """What was written to nobody is not written again when its pipe is closed."""

    def gone(*arguments, **values):
        process = workers.popen(*arguments, **values)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        return process

    with monkeypatch.context() as patch:
        patch.setattr(workshop.subprocess, "Popen", gone)
        workers.first = MODULES + DIE
        accept(engine, *some(0, ORDER))
        with pytest.raises(EngineUnavailable, match="run it again"):
            engine.catch_up()
    workers.first = ""
    assert engine.catch_up() == ORDER
    is_whole(engine, folder, ids(0, ORDER))


def test_a_worker_that_is_killed_while_it_has_nothing_to_do_is_replaced(engine, folder, workers):
    with engine.bulk():
        accept(engine, *some(0, 10))
        engine.catch_up()
        (process,) = workers.started
        process.kill()
        process.wait()
        accept(engine, *some(10, 20))
        assert engine.catch_up() == 10
    is_whole(engine, folder, ids(0, 20))


FAILURES = [
    (OSError(28, "No space left on device"), EngineUnavailable, "index: No space left on device; make room"),
    (OSError(32, "Broken pipe"), BrokenPipeError, "Broken pipe"),
    (OSError("odd"), OSError, "odd"),
    (IndexCorrupt("version 7 is damaged"), IndexCorrupt, "^version 7 is damaged$"),
    (IndexLocked("by é\n"), IndexLocked, "^by é\n$"),
    (ValueError("odd"), RuntimeError, "^ValueError: odd$"),
    (MemoryError(), RuntimeError, "^MemoryError: $"),
]


@pytest.mark.usefixtures("inline")
@pytest.mark.parametrize(("failure", "kind", "said"), FAILURES)
def test_what_fails_in_a_worker_fails_here(engine, folder, failure, kind, said):
    with engine.bulk():
        accept(engine, *some(0, 25))
        with (
            mock.patch.object(pieces, "gather", side_effect=failure),
            pytest.raises(kind, match=said) as problem,
        ):
            engine.catch_up()
        assert type(problem.value) is kind
    assert engine.catch_up() == 25
    is_whole(engine, folder, ids(0, 25))


def test_a_damaged_row_is_said(engine, folder):
    accept(engine, *some(0, 25))
    with closing(sqlite3.connect(folder / "articles.db", isolation_level=None)) as db:
        (content,) = db.execute("SELECT content FROM articles WHERE seq = 8").fetchone()
        db.execute("UPDATE articles SET content = ? WHERE seq = 8", (content[:-4],))
        for command in (engine.catch_up, engine.rebuild):
            with pytest.raises(IndexCorrupt, match="version 8 of the article 'a07' is damaged"):
                command()
        db.execute("UPDATE articles SET content = ? WHERE seq = 8", (content,))
    assert engine.catch_up() == 25
    is_whole(engine, folder, ids(0, 25))


@pytest.mark.usefixtures("inline")
def test_pieces_before_one_that_fails_are_searchable(engine, folder):
    """Even where the one that fails is ready first."""
    gather = pieces.gather

    def late(store, into, after, *rest):
        if after >= 3 * ORDER:
            raise IndexCorrupt("here")
        time.sleep(0.02)
        return gather(store, into, after, *rest)

    accept(engine, *some(0, 1))
    engine.catch_up()
    accept(engine, *some(1, 61))
    with mock.patch.object(pieces, "gather", late), pytest.raises(IndexCorrupt, match="here"):
        engine.catch_up()
    assert found(engine) == ids(0, 31)
    assert engine.catch_up() == 30
    is_whole(engine, folder, ids(0, 61))


@pytest.mark.usefixtures("inline")
def test_accepted_is_accepted_though_nothing_can_be_made_ready(engine, folder):
    full = OSError(28, "No space left on device")
    run = engine.begin("index", [])
    with engine.bulk():
        with mock.patch.object(durable, "make_folder", side_effect=full):
            engine.accept(run, [Put(one, "s") for one in some(0, 25)])
            with pytest.raises(EngineUnavailable, match="make room"):
                engine.catch_up()
        assert engine.catch_up() == 25
    is_whole(engine, folder, ids(0, 25))


def test_a_module_of_the_same_name_where_the_command_is_run(engine, folder, tmp_path, monkeypatch):
    for name in ("search.py", "json.py", "numpy.py"):
        (tmp_path / name).write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    accept(engine, *some(0, ORDER))
    assert engine.catch_up() == ORDER
    is_whole(engine, folder, ids(0, ORDER))


# Ctrl-C, and a program that is killed.


def test_ctrl_c_ends_the_workers(engine, folder, workers):
    """While one is at work for a long time."""
    workers.first = MODULES + "pieces.gather = lambda *_: (os.kill(os.getppid(), signal.SIGINT), time.sleep(60))"
    started = time.monotonic()

    def run():
        with engine.bulk():
            accept(engine, *some(0, ORDER))
            engine.catch_up()
            time.sleep(60)

    with pytest.raises(KeyboardInterrupt):
        run()
    assert time.monotonic() - started < 30
    (process,) = workers.started
    assert process.returncode == -signal.SIGKILL
    workers.first = ""
    assert engine.catch_up() == ORDER
    is_whole(engine, folder, ids(0, ORDER))


def test_a_bulk_that_ends_while_workers_start(engine, workers, monkeypatch):
    """A process that is being started then is ended too."""
    ending = threading.Event()
    close, start = workshop._Pool.close, workers.popen

    def late(*arguments, **values):
        assert ending.wait(30)
        return start(*arguments, **values)

    monkeypatch.setattr(workshop.subprocess, "Popen", late)
    monkeypatch.setattr(workshop._Pool, "close", lambda self: (ending.set(), close(self)))
    with engine.bulk():
        accept(engine, *some(0, 50))
    assert len(workers.started) <= 2  # and the fixture looks whether they have ended
    pool = workshop._Pool()
    pool.close()
    with pytest.raises(EngineUnavailable, match="run it again"):
        pool._start()


PROGRAM = """
import os, subprocess, sys, time
from types import SimpleNamespace
from search.article import Article
from search.engines import Put, connect
from search.engines.whoosh import workshop

def popen(arguments, **values):
    *python, code = arguments
    process = subprocess.Popen([*python, sys.argv[2] + code], **values)
    apart = "apart" if os.getpgid(process.pid) == process.pid else ""
    os.write(1, f"started {apart}\\n".encode())  # in one piece: three threads say something
    return process

workshop.subprocess = SimpleNamespace(Popen=popen, PIPE=subprocess.PIPE)
workshop.WORKERS, workshop.PIECE_ROWS, workshop.MANY_ROWS = 2, 10, 10
engine = connect(f"whoosh:{sys.argv[1]}")
try:
    with engine.bulk():
        run = engine.begin("index", ["s"])
        engine.accept(run, [Put(Article(id=f"a{n:02}", title=f"tide word{n}"), "s") for n in range(25)])
        os.write(1, b"accepted\\n")
        time.sleep(60)
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


@contextmanager
def program(folder, first=""):
    """Another process, which has accepted 25 articles and whose workers were started; in a group of its own."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), first],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        try:
            lines = sorted(process.stdout.readline() for _ in range(3))
            assert lines == ["accepted\n", "started apart\n", "started apart\n"]
            yield process
        finally:
            process.kill()


def test_ctrl_c_at_a_terminal_is_said_once(engine, folder):
    """There it goes to all processes of the program, however new: workers leave it to their parent."""
    with program(folder) as process:
        os.killpg(process.pid, signal.SIGINT)
        assert process.communicate(timeout=30) == ("stopped\n", "")
        assert process.returncode == 0
    assert left(folder) == []
    assert engine.catch_up() == 25


AT_WORK = """
import time
from pathlib import Path
from search.engines.whoosh import pieces
gather = pieces.gather
def late(store, into, *rest):
    Path(into, "at work").touch()
    while not Path({go!r}).exists():
        time.sleep(0.01)
    return gather(store, into, *rest)
pieces.gather = late
"""


@pytest.mark.parametrize("at_work", [False, True])
def test_workers_of_a_program_that_is_killed_end(engine, folder, tmp_path, at_work):
    go = tmp_path / "go"
    with program(folder, AT_WORK.format(go=str(go)) if at_work else "") as process:
        while not list((folder / "building").glob("*/at work" if at_work else "*/*.arr")):
            time.sleep(0.01)
        process.kill()
        process.wait()
        assert len(left(folder)) == 1
        if at_work:  # the next writer sweeps while they are
            assert engine.catch_up() == 25
            go.touch()
        # They hold its standard error until they end, and say nothing there.
        assert process.communicate(timeout=30) == ("", "")
    engine.catch_up()
    is_whole(engine, folder, ids(0, 25))


# The folder.


def test_folders_of_those_at_work_are_not_swept(folder):
    store = Store.create(folder)
    first, second, third = (Workshop(folder, store) for _ in range(3))
    held = first.folder()
    gone = held.with_name("1-dead")
    gone.mkdir()
    (gone / "left.arr").write_bytes(b"x")
    assert left(folder) == sorted([held, gone])
    assert sorted([first.folder(), second.folder()]) == left(folder)
    assert held.stat().st_mode & 0o777 == 0o700
    first.close()
    first.close()
    assert (folder / "building" / held.name).exists() is False
    assert sorted([second.folder(), third.folder()]) == left(folder)
    for one in (second, third):
        one.close()
    store.close()


def test_a_folder_that_is_swept_while_it_is_made_is_made_anew(folder, monkeypatch):
    """Between its making and its lock another process looks for what is left."""
    store = Store.create(folder)
    first, second = Workshop(folder, store), Workshop(folder, store)
    made, looked = threading.Event(), threading.Event()
    mkdtemp = tempfile.mkdtemp

    def slow(**values):
        path = mkdtemp(**values)
        if not made.is_set():
            made.set()
            looked.wait(30)
        return path

    monkeypatch.setattr(tempfile, "mkdtemp", slow)
    making = threading.Thread(target=first.folder)
    making.start()
    assert made.wait(30)
    second.folder()
    looked.set()
    making.join()
    assert left(folder) == sorted([first.folder(), second.folder()])
    first.close()
    second.close()
    store.close()
