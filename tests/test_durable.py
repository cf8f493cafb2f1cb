"""What lasts: the order in which each command writes, syncs and names, as power may fail between any two of them."""

from __future__ import annotations

import builtins
import io
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from indexer import backup
from search.article import Article
from search.engines import Engine, Put, connect
from search.engines.whoosh import damage, database, generations

NAMING = (".toc", "manifest.json", "CURRENT", "articles.db", "b.tar")  # how files end that others are found by
SCRATCH = ("building", ".backup-")  # what lies in these nobody looks for after a power cut


class Power:
    """Watches what is written, and says what a power cut would lose that something else counts on."""

    def __init__(self) -> None:
        self.unsynced: set[int] = set()  # files that were written, by their number
        self.unnamed: set[Path] = set()  # folders in which a name was made, changed or removed
        self.lost: list[str] = []
        self.named: list[str] = []

    def _opened(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
            file = real(path, mode, *args, **options)
            if set("wxa+") & set(mode):
                self.unsynced.add(os.fstat(file.fileno()).st_ino)
            return file

        return call

    def _synced(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(descriptor: int) -> None:
            real(descriptor)
            self.unsynced.discard(os.fstat(descriptor).st_ino)
            self.unnamed.discard(Path(f"/proc/self/fd/{descriptor}").readlink())

        return call

    def _renamed(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(source: Any, target: Any) -> None:
            path = Path(target)
            if Path(source).is_file() and Path(source).stat().st_ino in self.unsynced:
                self.lost.append(f"the content of {path.name}")
            if path.name.endswith(NAMING):
                self.named.append(path.name)
                self.lost += [f"a name in {folder.name} before {path.name}" for folder in self.unnamed]
            real(source, target)
            self.unnamed.add(path.parent)

        return call

    def _changed(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, *args: Any, **options: Any) -> None:
            real(path, *args, **options)
            folder = Path(path).parent
            counts = real is MKDIR or Path(path).name in ("CURRENT", damage.FILE)
            if counts and folder.is_absolute() and not any(part.startswith(SCRATCH) for part in Path(path).parts):
                self.unnamed.add(folder)

        return call

    @contextmanager
    def watched(self) -> Iterator[None]:
        how = {
            (io, "open"): self._opened,
            (builtins, "open"): self._opened,
            (os, "fsync"): self._synced,
            (os, "rename"): self._renamed,
            (os, "replace"): self._renamed,
            (os, "mkdir"): self._changed,
            (os, "unlink"): self._changed,
        }
        with ExitStack() as patched:
            for (place, name), watch in how.items():
                patched.enter_context(mock.patch.object(place, name, watch(getattr(place, name))))
            yield
        self.lost += [f"a name in {folder.name} at the end" for folder in self.unnamed]


MKDIR = os.mkdir


def accept(engine: Engine, *ids: str) -> int:
    run = engine.begin("index", ["s"])
    engine.accept(run, [Put(Article(id=id, title="tide"), "s") for id in ids])
    return run


def first(engine: Engine, _: Path) -> None:
    accept(engine, "a")
    engine.catch_up()


def index(engine: Engine, _: Path) -> None:
    accept(engine, "b")
    engine.catch_up()


def reindex(engine: Engine, _: Path) -> None:
    engine.rebuild(run=accept(engine, "c"))


def rollback(engine: Engine, _: Path) -> None:
    engine.rollback()


def back_up(engine: Engine, folder: Path) -> None:
    backup.write(engine, folder / "b.tar", {})


def restore(engine: Engine, folder: Path) -> None:
    backup.restore(engine, folder / "b.tar")


def give_up(engine: Engine, folder: Path) -> None:
    live = folder / "index" / generations.FOLDER / generations.current(folder / "index")
    for file in live.glob("*.arr"):
        os.truncate(file, 9)
    with closing(connect(engine.url)) as reader:
        assert reader.status().damaged == (live.name,)


def trust_again(_: Engine, folder: Path) -> None:
    for generation in (folder / "index" / generations.FOLDER).iterdir():
        damage.clear(generation)


STEPS = (first, index, reindex, index, rollback, back_up, restore, index, reindex, give_up, trust_again)


def test_a_power_cut_loses_nothing_that_something_counts_on(tmp_path: Path) -> None:
    """Bytes before the name of their file, names before what tells of them, all of it before the command ends."""
    with closing(connect(f"whoosh:{tmp_path / 'index'}")) as engine:
        for step in STEPS:
            power = Power()
            with power.watched():
                step(engine, tmp_path)
            assert power.lost == [], step.__name__
            if step in (first, index, reindex, rollback, back_up, restore):
                assert power.named, step.__name__


def test_an_accepted_article_lasts(tmp_path: Path) -> None:
    """SQLite syncs its log with every transaction, on any build of it."""
    with closing(connect(f"whoosh:{tmp_path}")) as engine:
        accept(engine, "a")
    with closing(database.connect(tmp_path / "articles.db")) as db:
        assert db.execute("PRAGMA synchronous").fetchone() == (2,)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize("step", [first, index, reindex, rollback, back_up, restore])
def test_without_any_fsync_it_is_seen(tmp_path: Path, step: Callable[[Engine, Path], None]) -> None:
    """The test before cannot pass because it sees nothing."""
    with closing(connect(f"whoosh:{tmp_path / 'index'}")) as engine:
        for earlier in (first, index, reindex, back_up)[: 0 if step is first else 4]:
            earlier(engine, tmp_path)
        power = Power()
        with power.watched(), mock.patch.object(os, "fsync", return_value=None):
            step(engine, tmp_path)
        assert power.lost
