"""Faults: a writer that is killed, a disk that is full, two writers at once, a folder that is gone."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from unittest import mock

import pytest
from scale import SOAK
from whoosh.filedb.filestore import FileStorage

from search import query
from search.article import Article
from search.engines import (
    ArticleMissing,
    Delete,
    EngineUnavailable,
    IndexLocked,
    IndexMissing,
    Put,
    RebuildRefused,
    connect,
)
from search.engines import whoosh as engines
from search.engines.whoosh import ahead, arrays, contents, durable, generations, lock, pieces
from search.engines.whoosh.store import Store

SEED = 20251106


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "index"


@pytest.fixture
def engine(folder):
    engine = connect(f"whoosh:{folder}")
    yield engine
    engine.close()


def accept(engine, *changes):
    run = engine.begin("index", ["s"])
    engine.accept(run, [Delete(one) if isinstance(one, str) else Put(one, "s") for one in changes])


def apply(engine, *changes):
    accept(engine, *changes)
    return engine.catch_up()


def one(id, title="tide", **values):
    return Article(id=id, title=title, **values)


def found(engine, text=""):
    ids, page = [], 1
    while hits := engine.search(query.parse(text, page=page, per_page=100)).hits:
        ids += [hit.article.id for hit in hits]
        page += 1
    return sorted(ids)


def live(folder):
    return folder / "generations" / generations.current(folder)


def check(folder):
    """Nothing is damaged in the live generation."""
    manifest = generations.check(live(folder))
    assert manifest.last == contents.applied(live(folder))


def is_tidy(folder):
    """Nor does anything lie there that it does not name, once a commit has passed."""
    check(folder)
    manifest = generations.read_manifest(live(folder))
    assert {path.name for path in live(folder).iterdir()} == {*manifest.files, "manifest.json"}


@contextmanager
def python(code, *args, **values):
    """Another process; killed at the end, if it is still there."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        **values,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


# A writer that is killed.

WRITER = """
import itertools, json, os, random, sys
from search.article import Article
from search.engines import Delete, Put, connect
from search.engines.whoosh import pieces
pieces.FLUSH_CHARACTERS, pieces.READ_ROWS = 12, 2
folder, log, round = sys.argv[1:]
engine = connect(f"whoosh:{folder}")
dice = random.Random(round)
with open(log, "a") as acknowledged:
    for batch in itertools.count():
        run = engine.begin("index", ["s"])
        names = [f"{round}-{batch}-{n}" for n in range(4)]
        changes = [Put(Article(id=name, title=f"tide {name}"), "s") for name in names]
        changes += [Delete(f"{round}-{batch - 1}-0"), Put(Article(id="same", title=f"tide {round}x{batch}"), "s")]
        engine.accept(run, changes)
        acknowledged.write(json.dumps([round, batch]) + "\\n")
        acknowledged.flush()
        os.fsync(acknowledged.fileno())
        if batch % 5 == 4:
            engine.rebuild()
        elif batch % 3:
            engine.catch_up()
        if batch == 0:
            print("begun", flush=True)
"""


def test_a_killed_writer_loses_nothing_and_doubles_nothing(folder, tmp_path):
    dice = random.Random(SEED)
    log = tmp_path / "acknowledged"
    commits = 0
    for round in range(12 * SOAK):
        with python(WRITER, folder, log, round) as process:
            assert process.stdout.readline() == "begun\n"
            time.sleep(dice.random() * 0.25)
            process.send_signal(signal.SIGKILL)
            process.wait()
        lines = log.read_text().splitlines()
        acknowledged = [json.loads(line) for line in lines if line.endswith("]")]
        commits += len(acknowledged)

        engine = connect(f"whoosh:{folder}")
        held = engine.held(["same", *(f"{r}-{b}-{n}" for r, b in acknowledged for n in range(4))])
        last = dict(acknowledged)  # by round, the last batch; one more may be in, unsaid
        for r, b in acknowledged:
            assert {f"{r}-{b}-{n}" for n in range(1, 4)} <= set(held)
            assert (f"{r}-{b}-0" in held) == (b == last[r]) or b == last[r]
        if (folder / "CURRENT").exists():
            before = found(engine)  # it answers as it was left
            assert len(before) == len(set(before))
        engine.catch_up()
        after = found(engine)
        assert len(after) == len(set(after))
        assert set(held) <= set(after)
        assert set(engine.held(after)) == set(after)
        status = engine.status()
        assert (len(after), status.accepted, status.pending) == (status.articles, status.articles, 0)
        assert found(engine, "tide") == after
        for r, b in acknowledged[-3:]:
            assert found(engine, f'title:"tide {r}-{b}-1"') == [f"{r}-{b}-1"]
        assert engine.catch_up() == 0
        check(folder)
        engine.close()
    assert commits > 24  # else nothing was going on when it was killed


KILLED_AT = """
import json, os, signal, sys
from collections import Counter
from search.article import Article
from search.engines import Put, connect
from search.engines.whoosh import arrays, contents, generations, pieces
places = {
    "piece": (arrays, "write"),
    "move": (pieces.Piece, "opened"),
    "commit": (contents, "commit"),
    "table": (contents.DurableStorage, "rename_file"),
    "clean": (contents, "clean_files"),
    "manifest": (generations, "write_manifest"),
    "switch": (generations, "switch"),
    "bump": (generations.Epoch, "bump"),
    "settle": (generations.Epoch, "settle"),
}
folder, command, killed_at, time = sys.argv[1:]
done = Counter()

def watched(place, step):
    def does(*args, **values):
        done[place] += 1
        if (place, done[place]) == (killed_at, int(time)):
            os.kill(os.getpid(), signal.SIGKILL)
        return step(*args, **values)
    return does

for place, (holder, name) in places.items():
    setattr(holder, name, watched(place, getattr(holder, name)))
engine = connect(f"whoosh:{folder}")
engine.accept(engine.begin("index", ["s"]), [Put(Article(id="new", title="tide"), "s")])
getattr(engine, command)()
print(json.dumps(done))
"""

# Where a process dies: before it does this for the first time, the second, ..; how often it does it at all.
STEPS = {
    # A piece of the row is moved in and committed, then what it is merged with.
    "catch_up": {"piece": 2, "move": 2, "commit": 2, "table": 2, "clean": 3, "manifest": 1, "bump": 1, "settle": 1},
    # An empty table, then a piece of all rows is moved in and committed, then the number of the last row; the manifest
    # says at the end whose the generation is.
    "rebuild": {
        "piece": 1, "move": 1, "commit": 2, "table": 3, "clean": 3, "manifest": 2, "switch": 1, "bump": 1, "settle": 1
    },
    # The switch, and then what the generation before has missed.
    "rollback": {
        "switch": 1, "piece": 2, "move": 2, "commit": 2, "table": 2, "clean": 3, "manifest": 1, "bump": 2, "settle": 1
    },
}  # fmt: skip


def before(command, engine):
    """What is there when the process begins that is killed."""
    apply(engine, one("old"))
    if command == "rollback":
        engine.rebuild()


@pytest.mark.parametrize("command", STEPS)
def test_the_steps_at_which_it_is_killed_are_all(engine, folder, command):
    before(command, engine)
    with python(KILLED_AT, folder, command, "never", 0) as process:
        assert json.loads(process.stdout.read()) == STEPS[command]


@pytest.mark.parametrize(
    ("command", "place", "time"),
    [
        (command, place, time)
        for command, places in STEPS.items()
        for place, times in places.items()
        for time in range(1, times + 1)
    ],
)
def test_killed_at_any_step(engine, folder, command, place, time):
    """Others go on with the old state or the new one; and the next writer tells them of what was committed unsaid."""
    before(command, engine)
    assert found(engine) == ["old"]
    with python(KILLED_AT, folder, command, place, time) as process:
        assert process.wait() == -signal.SIGKILL
    if command == "rollback":  # it tells once of the switch, and who looks then sees as much as is in
        assert found(engine) in (["old"], ["new", "old"])
    else:
        assert found(engine) == (["new", "old"] if place == "settle" else ["old"])
    fresh = connect(f"whoosh:{folder}")
    assert found(fresh) in (["old"], ["new", "old"])
    fresh.catch_up()
    for each in (fresh, engine):
        assert found(each) == ["new", "old"]
        assert each.status().pending == 0
    check(folder)
    apply(fresh, one("next"))
    is_tidy(folder)
    fresh.rebuild()
    assert found(engine) == ["new", "next", "old"]
    is_tidy(folder)
    assert {path.name for path in (folder / "generations").iterdir()} == set(generations.names(folder))
    assert list((folder / "building").iterdir()) == []
    fresh.close()


def test_what_was_killed_before_its_manifest_is_no_damage(engine, folder):
    apply(engine, one("old"))
    engine.rebuild()
    before = generations.current(folder)
    with python(KILLED_AT, folder, "catch_up", "manifest", 1) as process:
        process.wait()
    assert engine.verify() == []
    assert generations.current(folder) == before
    check(folder)
    assert found(engine) == ["new", "old"]


def test_a_rollback_that_could_not_bring_what_came_since_is_not_repeated(engine, folder):
    apply(engine, one("old"))
    engine.rebuild()
    engine.rebuild()
    apply(engine, one("new"))
    name = generations.before(folder)
    full = OSError(errno.ENOSPC, "No space left on device")
    with (
        mock.patch.object(arrays, "write", side_effect=full),
        pytest.raises(EngineUnavailable, match=f"{name}.*make room.*another rollback would go back further"),
    ):
        engine.rollback()
    assert generations.current(folder) == name
    assert engine.catch_up() == 1
    assert found(engine) == ["new", "old"]


def test_a_first_run_that_is_killed_leaves_nothing_to_the_next(engine, folder):
    with python(KILLED_AT, folder, "catch_up", "commit", 1) as process:
        process.wait()
    (half,) = (folder / "generations").iterdir()
    with python(HOLDER, folder / "rebuild.lock") as process:  # one that is being filled looks the same
        process.stdout.readline()
        engine.catch_up()
    assert half.exists()
    assert found(engine) == ["new"]
    shutil.rmtree(live(folder))
    (folder / "CURRENT").unlink()
    engine.catch_up()
    assert not half.exists()
    assert found(engine) == ["new"]


def test_a_process_that_has_seen_nothing_of_it_tells_itself(engine, folder):
    """A push into a running service: the rows are in by the hand of a writer that died before it said so."""
    apply(engine, one("old"))
    assert found(engine) == ["old"]
    with python(KILLED_AT, folder, "catch_up", "bump", 1) as process:
        process.wait()
    assert engine.catch_up() == 0
    assert found(engine) == ["new", "old"]


# A disk that is full.


class Disk:
    """Takes `fsyncs` of them, then refuses."""

    def __init__(self, fsyncs, number=errno.ENOSPC):
        self.left, self.number, self.refused = fsyncs, number, False
        self._fsync = os.fsync

    def fsync(self, descriptor):
        self.left -= 1
        if self.left < 0:
            self.refused = True
            raise OSError(self.number, os.strerror(self.number))
        self._fsync(descriptor)


@pytest.mark.parametrize("command", ["catch_up", "rebuild"])
def test_a_disk_that_fills_up_at_any_write(engine, folder, command):
    apply(engine, one("a"), one("b"))
    right = ["a", "b"]
    for fsyncs in range(40):
        accept(engine, one(f"n{fsyncs:02}"), one("a", f"tide version{fsyncs}"))
        disk = Disk(fsyncs)
        with mock.patch.object(os, "fsync", disk.fsync):
            problem = None
            try:
                getattr(engine, command)()
            except EngineUnavailable as refused:
                problem = str(refused)
        assert (problem is not None) == disk.refused
        assert problem is None or ("No space left" in problem and "make room" in problem)
        before, right = right, [*right, f"n{fsyncs:02}"]
        assert found(engine) in (before, right)  # one state or the other, whole
        assert len(found(engine, f"version{fsyncs}")) == (found(engine) == right)
        assert engine.status().accepted == len(right)
        engine.catch_up()
        assert found(engine) == right
        check(folder)
        if not disk.refused:
            break
    assert 5 < fsyncs < 39  # each write of it was refused once
    apply(engine, one("next"))
    is_tidy(folder)


@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS, errno.EACCES, errno.EDQUOT, errno.EMFILE])
def test_what_a_disk_refuses_comes_with_a_remedy(engine, folder, number):
    apply(engine, one("a"))
    accept(engine, one("b"))
    with mock.patch.object(os, "fsync", Disk(0, number).fsync), pytest.raises(EngineUnavailable) as problem:
        engine.catch_up()
    assert str(folder) in str(problem.value)
    assert os.strerror(number) in str(problem.value)
    assert engine.catch_up() == 1


@pytest.mark.parametrize(
    "place",
    [
        (arrays, "write"),
        (durable, "write"),
        (durable, "rename"),
        (durable, "sync_folder"),
        (FileStorage, "create_file"),
        (generations, "measure"),
        (pieces.Piece, "opened"),
        (contents, "clean_files"),
    ],
    ids=lambda place: place[1],
)
def test_an_error_in_the_middle_of_a_commit(engine, folder, place):
    apply(engine, one("a"))
    accept(engine, one("b"), "a")
    full = OSError(errno.ENOSPC, "No space left on device")
    with mock.patch.object(*place, side_effect=full), pytest.raises(EngineUnavailable, match="make room"):
        engine.catch_up()
    assert found(engine) in (["a"], ["b"])
    engine.catch_up()
    assert found(engine) == ["b"]
    check(folder)
    apply(engine, one("next"))
    is_tidy(folder)
    with lock.hold(folder / "writer.lock", "test"):
        pass


def test_batches_before_the_error_are_searchable(engine):
    apply(engine, one("a"))
    assert found(engine) == ["a"]
    accept(engine, *(one(f"n{n}") for n in range(6)))
    wrote = []
    write = arrays.write

    def third_time_full(*args):
        wrote.append(args)
        if len(wrote) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(*args)

    small = mock.patch.multiple(pieces, FLUSH_CHARACTERS=2, READ_ROWS=2)
    with small, mock.patch.object(arrays, "write", third_time_full), pytest.raises(EngineUnavailable):
        engine.catch_up()
    assert found(engine) == ["a", "n0", "n1", "n2", "n3"]
    assert engine.catch_up() == 2
    assert len(found(engine)) == 7


def test_another_error_stays_what_it_is(engine):
    accept(engine, one("a"))
    with pytest.raises(BrokenPipeError):
        engine.catch_up(mock.Mock(side_effect=BrokenPipeError(errno.EPIPE, "pipe")))
    assert engine.catch_up() == 1


def test_what_is_accepted_while_a_rebuild_is_validated_does_not_refuse_it(engine, folder):
    """It counts what it holds, and the rows after that are caught up with."""
    apply(engine, one("a"), one("b"))
    check_files = generations.check

    def late(*args):
        accept(engine, one("c"), one("d"), "a")
        return check_files(*args)

    with mock.patch.object(generations, "check", late):
        name = engine.rebuild()
    assert generations.current(folder) == name
    assert (found(engine), engine.status().pending) == (["a", "b"], 3)
    assert engine.catch_up() == 3
    assert found(engine) == ["b", "c", "d"]


def test_a_generation_that_is_not_let_through_takes_no_room(engine, folder):
    """Not even until the next rebuild: there may be a large one, on a disk that is nearly full."""
    apply(engine, one("a"))
    before = sorted((folder / "generations").iterdir())
    with pytest.raises(RebuildRefused):
        engine.rebuild(judge=mock.Mock(side_effect=RebuildRefused("worse")))
    assert sorted((folder / "generations").iterdir()) == before


def test_what_is_accepted_after_the_count_does_not_refuse_a_rebuild(engine):
    apply(engine, one("a"), one("b"))
    count = Store.counts

    def late(store, after=0):
        counts = count(store, after)
        accept(engine, one("c"), one("d"), "a")
        return counts

    with mock.patch.object(Store, "counts", late):
        engine.rebuild()
    assert engine.status().pending > 0
    engine.catch_up()
    assert found(engine) == ["b", "c", "d"]


def test_a_rebuild_that_is_refused_leaves_nothing(engine, folder):
    apply(engine, one("a"), one("b"))
    before = generations.names(folder)
    newest_after = Store.newest_after

    def forgetful(store, seq, limit, until):
        return newest_after(store, max(1, seq), limit, until)

    with (
        mock.patch.object(Store, "newest_after", forgetful),
        pytest.raises(RebuildRefused, match="holds 1 articles, 2 are"),
    ):
        engine.rebuild()
    assert generations.names(folder) == before == [path.name for path in (folder / "generations").iterdir()]
    assert found(engine) == ["a", "b"]
    engine.rebuild()
    assert found(engine) == ["a", "b"]


@pytest.mark.parametrize("place", ["check", "write_manifest"])
def test_a_rebuild_cut_short_leaves_nothing_to_go_back_to(engine, folder, place):
    apply(engine, one("a"))
    before = generations.names(folder)
    failing = OSError(errno.EIO, "Input/output error")
    with (
        mock.patch.object(generations, place, side_effect=failing),
        pytest.raises(EngineUnavailable, match="disk fails"),
    ):
        engine.rebuild()
    assert generations.names(folder) == before
    assert found(engine) == ["a"]


@pytest.mark.parametrize("command", ["catch_up", "rebuild"])
def test_what_a_commit_names_lasts_before_it_is_named(engine, command):
    """A file's bytes, then its name, then the table that names it, then the manifest: power may fail at any time."""
    apply(engine, one("a"))
    accept(engine, one("b"))
    steps = []
    sync, rename = os.fsync, Path.rename

    def kind(name):
        last = Path(name)
        return "segment" if ".arr" in name else "table" if ".toc" in name else "folder" if last.is_dir() else last.name

    def watched_sync(descriptor):
        steps.append(("fsync", kind(str(Path(f"/proc/self/fd/{descriptor}").readlink()))))
        sync(descriptor)

    def watched_rename(self, target):
        steps.append(("rename", kind(str(self))))
        return rename(self, target)

    with mock.patch.object(os, "fsync", watched_sync), mock.patch.object(Path, "rename", watched_rename):
        getattr(engine, command)()

    def replaced(name):
        return [("fsync", name), ("rename", name), ("fsync", "folder")]

    moved_in = [("fsync", "segment"), ("rename", "segment")]
    commit = [("fsync", "folder"), *replaced("table")]
    told = replaced("manifest.json.new")
    if command == "catch_up":
        assert steps == [*moved_in, *commit, *moved_in, *commit, *told]  # the new one, then both as one
    else:
        made = [("fsync", "folder"), *replaced("table")]
        assert steps == [*made, *moved_in, *commit, *commit, *told, *told, *replaced("CURRENT.new")]


# Two at once.

HOLDER = """
import sys, time
from pathlib import Path
from search.engines.whoosh import lock
with lock.hold(Path(sys.argv[1]), "indexing"):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.parametrize(("held", "command"), [("writer", "catch_up"), ("writer", "rebuild"), ("rebuild", "rebuild")])
def test_a_second_writer_is_told_who_the_first_is(engine, folder, held, command):
    apply(engine, one("a"))
    accept(engine, one("b"))
    before = generations.names(folder)
    with python(HOLDER, folder / f"{held}.lock") as process:
        assert process.stdout.readline() == "held\n"
        holder = f"process {process.pid} on .*indexing"
        with mock.patch.object(engines, "WAIT", 0.1), pytest.raises(IndexLocked, match=holder):
            getattr(engine, command)()
        assert found(engine) == ["a"]  # readers do not wait, nor does a takedown
        engine.take_down("a", "r")
        assert found(engine) == []
    assert generations.names(folder) == before
    getattr(engine, command)()
    assert found(engine) == ["b"]


def test_two_takedowns_do_not_overtake_each_other(engine, folder):
    """Else the one that ends would call off the look at takedowns that the other, should it die, must leave behind."""
    apply(engine, one("a"))
    with python(HOLDER, folder / "takedowns.lock") as process:
        process.stdout.readline()
        with mock.patch.object(engines, "WAIT", 0.1), pytest.raises(IndexLocked, match="takedown cannot start"):
            engine.take_down("a", "r")
        assert found(engine) == ["a"]
    engine.take_down("a", "r")
    assert found(engine) == []


def test_a_rebuild_does_not_hold_up_who_indexes(engine, folder):
    apply(engine, one("a"))
    accept(engine, one("b"))
    with python(HOLDER, folder / "rebuild.lock") as process:
        process.stdout.readline()
        assert engine.catch_up() == 1


MANY = """
import sys
from search.article import Article
from search.engines import Put, connect
engine = connect(f"whoosh:{sys.argv[1]}")
for batch in range(6):
    run = engine.begin("index", ["s"])
    name = f"{sys.argv[2]}-{batch}"
    engine.accept(run, [Put(Article(id=name, title="tide"), "s"), Put(Article(id="same", title=f"tide {name}"), "s")])
    engine.catch_up()
    if sys.argv[2] == "0" and batch == 2:
        engine.rebuild()
"""


def test_processes_that_index_at_once(folder):
    """Also into a folder that is not there yet."""
    with python(MANY, folder, 0) as a, python(MANY, folder, 1) as b, python(MANY, folder, 2) as c:
        assert [process.wait(60) for process in (a, b, c)] == [0, 0, 0]
    engine = connect(f"whoosh:{folder}")
    assert found(engine) == sorted(["same", *(f"{p}-{b}" for p in range(3) for b in range(6))])
    assert (engine.catch_up(), engine.status().pending) == (0, 0)
    check(folder)
    engine.close()


READER = """
import sys
from search import query
from search.engines import connect
engine = connect(f"whoosh:{sys.argv[1]}")
for line in sys.stdin:
    print(engine.search(query.parse(line.strip())).total, engine.status().generation, flush=True)
"""


def test_a_reader_in_another_process_sees_each_change_at_its_next_query(engine, folder):
    apply(engine, one("a"))
    with python(READER, folder) as process:

        def total(text="tide"):
            process.stdin.write(f"{text}\n")
            process.stdin.flush()
            count, generation = process.stdout.readline().split()
            assert generation == engine.status().generation
            return int(count)

        assert total() == 1
        apply(engine, one("b"), one("c", "ebb"))
        assert (total(), total("ebb")) == (2, 1)
        engine.take_down("a", "r")
        assert total() == 1
        engine.put_back("a")
        assert total() == 2
        apply(engine, "a", one("b", "ebb"))
        assert (total(), total("ebb")) == (0, 2)
        engine.rebuild()
        assert (total(), total("ebb")) == (0, 2)


# A folder that is gone, or another one.


def test_a_folder_that_is_gone_is_missing(engine, folder):
    apply(engine, one("a", url="https://example.org/a"))
    run = engine.begin("index", [])
    assert found(engine) == ["a"]
    shutil.rmtree(folder)
    for call in (
        lambda: found(engine),
        lambda: engine.article("a"),
        lambda: engine.article_at("https://example.org/a"),
        lambda: engine.status(),
        lambda: engine.held(["a"]),
        lambda: list(engine.held_from("s")),
        lambda: engine.takedowns(),
        lambda: engine.accept(run, [Put(one("b"), "s")]),
        lambda: engine.catch_up(),
        lambda: engine.rebuild(),
    ):
        with pytest.raises(IndexMissing):
            call()
    assert not folder.exists()


def test_a_folder_made_anew_under_a_running_engine(engine, folder):
    apply(engine, one("old"))
    assert found(engine) == ["old"]
    shutil.rmtree(folder)
    other = connect(f"whoosh:{folder}")
    accept(other, one("new"))
    with pytest.raises(IndexMissing):
        found(engine)
    other.catch_up()
    assert found(engine) == ["new"]
    assert set(engine.held(["old", "new"])) == {"new"}
    with pytest.raises(ArticleMissing):
        engine.article("old")
    apply(other, one("newer"))
    assert found(engine) == ["new", "newer"]
    assert apply(engine, one("newest")) == 1
    assert found(other) == ["new", "newer", "newest"]
    other.close()


def test_a_folder_exchanged_for_another(engine, folder, tmp_path):
    """As `mv` does it: the epochs may even be equal."""
    apply(engine, one("old"))
    other = connect(f"whoosh:{tmp_path / 'other'}")
    apply(other, one("new"))
    other.close()
    assert found(engine) == ["old"]
    folder.rename(tmp_path / "before")
    (tmp_path / "other").rename(folder)
    assert found(engine) == ["new"]
    assert engine.article("new").title == "tide"


def test_indexing_goes_on_in_a_folder_that_was_removed(engine, folder):
    apply(engine, one("old"))
    found(engine)
    shutil.rmtree(folder)
    apply(engine, one("new"))
    assert found(engine) == ["new"]
    shutil.rmtree(folder)
    with pytest.raises(IndexMissing):
        engine.take_down("new", "r")
    assert not folder.exists()


def test_a_first_run_that_is_cut_short_is_no_index_and_not_an_empty_one(engine):
    accept(engine, *[one(f"a{number}") for number in range(20)])

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.catch_up(stop)
    with pytest.raises(IndexMissing, match="are in no index yet"):
        engine.search(query.parse(""))
    engine.catch_up()
    assert engine.search(query.parse("")).total == 20


DIES = """
import os, sys
from unittest import mock
from search.engines import connect
from search.engines.whoosh import generations
with mock.patch.object(generations.Epoch, "bump", lambda self: os._exit(9)):
    getattr(connect(sys.argv[1]), sys.argv[2])(*sys.argv[3:])
"""


def test_a_takedown_holds_while_others_write_for_long(engine, folder):
    """As when a run of many articles is undone, which is one transaction."""
    apply(engine, one("a"), one("b", url="https://paper.example/b"), one("c"))
    assert found(engine) == ["a", "b", "c"]
    with (
        ThreadPoolExecutor() as threads,
        closing(sqlite3.connect(folder / "articles.db", isolation_level=None)) as busy,
    ):
        busy.execute("BEGIN IMMEDIATE")
        waiting = threads.submit(engine.take_down, "http://www.paper.example/b", "court order")
        tries = 0
        while found(engine) != ["a", "c"]:
            tries += 1
            assert tries < 1000
            time.sleep(0.01)
        assert not waiting.done()
        assert engine.takedowns() == []
        busy.execute("COMMIT")
        assert waiting.result().ids == ("b",)
    assert found(engine) == ["a", "c"]
    assert not (folder / ahead.FILE).exists()
    engine.put_back("paper.example/b")
    assert found(engine) == ["a", "b", "c"]


WAITS = """
import sys
from unittest import mock
from search.engines import connect
from search.engines.whoosh.database import Connection
def wait(self):
    print("waits", flush=True)
    sys.stdin.read()
with mock.patch.object(Connection, "transaction", wait):
    connect(sys.argv[1]).take_down("a", "court order")
"""


def test_a_takedown_that_is_killed_while_it_waits_holds_and_is_written_by_the_next(engine, folder):
    apply(engine, one("a"), one("b"), one("c"))
    assert found(engine) == ["a", "b", "c"]
    with python(WAITS, engine.url) as process:
        assert process.stdout.readline() == "waits\n"
        assert found(engine) == ["b", "c"]
        process.kill()
        process.wait()
    assert found(engine) == ["b", "c"]
    engine.rebuild()
    assert found(engine) == ["b", "c"]
    engine.take_down("b", "another")
    assert [(item.target, item.reason) for item in engine.takedowns()] == [("a", "court order"), ("b", "another")]
    with python(WAITS, engine.url) as process:
        process.stdout.readline()
        process.kill()
        process.wait()
    engine.put_back("a")
    assert found(engine) == ["a", "c"]
    (folder / ahead.FILE).write_text("[")
    with pytest.raises(EngineUnavailable, match=r"takedowns\.ahead cannot be read"):
        engine.take_down("c", "r")


def test_a_takedown_that_dies_before_it_is_told_holds_all_the_same(engine):
    """The row is durable, so the article is gone for everybody, in processes that were answering before too."""
    apply(engine, one("a"), one("b"))
    assert found(engine) == ["a", "b"]
    for arguments, right in ([("take_down", "a", "court order"), ["b"]], [("put_back", "a"), ["a", "b"]]):
        died = subprocess.run([sys.executable, "-c", DIES, engine.url, *arguments], check=False)
        assert died.returncode == 9
        assert found(engine) == right
    engine.take_down("b", "court order")
    assert found(engine) == ["a"]
