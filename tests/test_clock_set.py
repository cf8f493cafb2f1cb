"""The clock of the machine is set while commands work: what comes after what is told by numbers, not by times."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest

from indexer import backup
from search.article import Article
from search.engines import DONE, Delete, Engine, IndexLocked, Put, connect
from search.engines.whoosh import generations, lock
from search.query import parse


class Clock:
    """The time of day in the engine: it stands still, but for what it is set by."""

    def __init__(self) -> None:
        self.now = datetime(2025, 8, 6, 12)
        self.every = timedelta()  # what it is set by each time it is looked at

    def look(self, zone: tzinfo | None) -> datetime:
        self.now += self.every
        return self.now.replace(tzinfo=zone)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()

    class Told(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return clock.look(tz)

    modules = [module for name, module in sys.modules.items() if name.startswith("search.engines.whoosh.")]
    told = [module for module in modules if getattr(module, "datetime", None) is datetime]
    assert {"generations", "store", "takedowns"} <= {module.__name__.rpartition(".")[2] for module in told}
    for module in told:
        monkeypatch.setattr(module, "datetime", Told)
    return clock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def engine(folder: Path) -> Iterator[Engine]:
    with closing(connect(f"whoosh:{folder}")) as engine:
        yield engine


def run(engine: Engine, command: str, *changes: Article | str, outcome: str | None = DONE) -> int:
    number = engine.begin(command, ["s"])
    engine.accept(number, [Delete(one) if isinstance(one, str) else Put(one, "s") for one in changes])
    if command == "reindex":
        engine.rebuild(run=number)
    else:
        engine.catch_up()
    if outcome:
        engine.end(number, outcome)
    return number


def one(id: str, title: str = "tide") -> Article:
    return Article(id=id, title=title)


def found(engine: Engine) -> dict[str, str]:
    return {hit.article.id: hit.article.title for hit in engine.search(parse("", per_page=100)).hits}


SETS = {
    "it stands still": timedelta(),
    "an hour ahead": timedelta(hours=1),
    "a year ahead": timedelta(days=365),
    "an hour back": timedelta(hours=-1),
    "a year back": timedelta(days=-365),
}


@pytest.mark.parametrize("by", SETS)
def test_generations_are_in_the_order_in_which_they_were_made(
    engine: Engine, folder: Path, clock: Clock, by: str
) -> None:
    """Each look at the clock sets it: names, the three that are kept, the way back, and which takes another's place."""
    clock.every = SETS[by]
    made = []
    for number in range(6):
        run(engine, "reindex", one("a", f"version {number}"))
        made.append(generations.current(folder))
        assert found(engine) == {"a": f"version {number}"}
        assert generations.names(folder) == made[-generations.KEEP :]
        assert [kept.name for kept in engine.kept()] == made[-generations.KEEP :]
    run(engine, "index", one("b"))
    assert engine.rollback()[0] == made[-2]
    assert found(engine) == {"a": "version 4", "b": "tide"}
    (folder / "CURRENT").write_text("lost")
    assert generations.current(folder) == made[-1]  # the newest takes its place
    assert [kept.number for kept in engine.runs()] == list(range(1, len(engine.runs()) + 1))
    assert engine.verify() == []


@pytest.mark.parametrize("by", SETS)
def test_what_was_accepted_last_counts(engine: Engine, clock: Clock, by: str) -> None:
    for version in range(4):
        clock.now += SETS[by]
        run(engine, "index", one("a", f"version {version}"), one(f"b{version}"))
        assert found(engine)["a"] == f"version {version}"
    clock.now += SETS[by]
    undone = engine.undo(4)
    assert (undone.ids, undone.kept) == (("a", "b3"), ())
    clock.now += SETS[by]
    run(engine, "index", "b0")
    assert found(engine) == {"a": "version 2", "b1": "tide", "b2": "tide"}
    assert engine.verify() == []


@pytest.mark.parametrize("then", [1, -1], ids=["again and again", "and right again"])
@pytest.mark.parametrize("by", SETS)
def test_the_last_word_about_a_takedown_counts(
    engine: Engine, clock: Clock, tmp_path: Path, by: str, then: int
) -> None:
    """Also when an old backup is restored."""
    run(engine, "index", one("down"), one("back"), one("other"))
    engine.take_down("back", "court order")
    file = tmp_path / "b.tar"
    backup.write(engine, file, {})
    deeds = [
        lambda: engine.take_down("down", "court order"),
        lambda: engine.put_back("back"),
        lambda: engine.put_back("down"),
        lambda: engine.take_down("down", "again"),
    ]
    for number, deed in enumerate(deeds):
        clock.now += SETS[by] * then**number
        deed()
    log = [(deed.what, deed.target) for deed in engine.audit()]
    clock.now += SETS[by]
    backup.restore(engine, file)
    assert set(found(engine)) == {"back", "other"}
    assert [standing.target for standing in engine.takedowns()] == ["down"]
    assert [(deed.what, deed.target) for deed in engine.audit()] == log


@pytest.mark.parametrize("by", SETS)
def test_a_run_that_was_broken_off_is_said_until_the_next_one_is_done(engine: Engine, clock: Clock, by: str) -> None:
    run(engine, "index", one("a"), outcome="ended by Ctrl-C")
    clock.now += SETS[by]
    assert [one.number for one in engine.broken_off()] == [1]
    run(engine, "index", one("b"))
    assert engine.broken_off() == []


@pytest.mark.parametrize(
    ("by", "age"),
    [("an hour back", "0 s"), ("a year back", "0 s"), ("an hour ahead", "1 h"), ("a year ahead", "365 d")],
)
def test_a_lock_is_never_older_than_it_can_be_nor_younger_than_nothing(
    tmp_path: Path, clock: Clock, by: str, age: str
) -> None:
    with lock.hold(tmp_path / "writer.lock", "indexing"):
        clock.now += SETS[by]
        with pytest.raises(IndexLocked, match=f"for {age}"), lock.hold(tmp_path / "writer.lock", "rebuilding"):
            pass
    with lock.hold(tmp_path / "writer.lock", "rebuilding"):  # it is the kernel's, not the clock's
        pass
