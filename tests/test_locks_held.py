"""Which lock each command needs: while another holds it, the command is refused, says by whom, and changes nothing."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from unittest import mock

import pytest

from indexer import backup
from search.article import Article
from search.engines import Engine, IndexLocked, Put, connect
from search.engines import whoosh as embedded
from search.engines.whoosh import generations, lock
from search.query import parse

COMMANDS: dict[str, tuple[Callable[[Engine, Path], object], tuple[str, ...]]] = {
    "index": (lambda engine, _: engine.catch_up(), ("writer",)),
    "reindex": (lambda engine, _: engine.rebuild(), ("rebuild", "writer")),
    "rollback": (lambda engine, _: engine.rollback(), ("rebuild", "writer")),
    "rollback RUN": (lambda engine, _: engine.undo(1), ("writer",)),
    "verify": (lambda engine, _: engine.verify(), ("writer",)),
    "restore": (backup.restore, ("rebuild", "writer", "takedowns")),
    "takedown": (lambda engine, _: engine.take_down("a", "court order"), ("takedowns",)),
    "takedowns --undo": (lambda engine, _: engine.put_back("b"), ("takedowns",)),
}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with closing(connect(f"whoosh:{tmp_path / 'index'}")) as engine:
        for ids in (["a", "b", "c"], ["d"]):
            run = engine.begin("index", ["s"])
            engine.accept(run, [Put(Article(id=id, title="tide"), "s") for id in ids])
            engine.catch_up()
            engine.rebuild()
        engine.take_down("b", "court order")
        backup.write(engine, tmp_path / "b.tar", {})
        run = engine.begin("index", ["s"])
        engine.accept(run, [Put(Article(id="e", title="tide"), "s")])
        yield engine


def state(engine: Engine) -> tuple[object, ...]:
    found = engine.search(parse("", per_page=100))
    return engine.status().generation, sorted(hit.article.id for hit in found.hits), len(engine.kept())


@pytest.mark.parametrize(("name", "needed"), [(name, one) for name, (_, locks) in COMMANDS.items() for one in locks])
def test_a_command_needs_its_locks(engine: Engine, tmp_path: Path, name: str, needed: str) -> None:
    command, _ = COMMANDS[name]
    before = state(engine)
    with lock.hold(tmp_path / "index" / f"{needed}.lock", "a test"), mock.patch.object(embedded, "WAIT", 0.05):
        with pytest.raises(IndexLocked, match=f"{needed}.lock is held by process {os.getpid()} .*a test"):
            command(engine, tmp_path / "b.tar")
        assert state(engine) == before
    command(engine, tmp_path / "b.tar")


def test_the_first_index_removes_nothing_that_is_being_filled(tmp_path: Path) -> None:
    with closing(connect(f"whoosh:{tmp_path}")) as engine:
        engine.accept(engine.begin("index", ["s"]), [Put(Article(id="a", title="tide"), "s")])
        filled = generations.create(tmp_path)
        with lock.hold(tmp_path / "rebuild.lock", "a test"):
            engine.catch_up()
        assert filled.exists()


@pytest.mark.parametrize("what", ["the store is made", "readers are told"])
def test_what_is_short_waits(engine: Engine, tmp_path: Path, what: str) -> None:
    """Two processes that make a store at once, or count an epoch on, take turns."""
    folder = tmp_path / "index"
    held = {"the store is made": folder, "readers are told": folder / generations.EPOCH}[what]
    short = {
        "the store is made": lambda: engine.begin("index", []),
        "readers are told": lambda: generations.Epoch(folder).bump(),
    }[what]
    descriptor = os.open(held, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    thread = threading.Thread(target=short)
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    os.close(descriptor)
    thread.join()
