"""Articles that are no longer as they were written: who finds it, what is said, and that a backup puts it right."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from stage import Stage, everything, left_over, run

from search.engines import connect
from search.engines.whoosh.database import PAGE

FILE = "articles.db"
COMMANDS = {
    "search": ("search", "a0040", "--per-page", "1"),
    "status": ("status",),
    "runs": ("runs",),
    "generations": ("generations",),
    "index": ("index", "own.jsonl"),
    "reindex": ("reindex",),
    "reindex PATH": ("reindex", "own.jsonl"),
    "rollback": ("rollback",),
    "takedown": ("takedown", "a0050", "--reason", "court order"),
    "takedowns": ("takedowns",),
    "backup": ("backup", "new.tar"),
    "verify": ("verify",),
}
NO_ARTICLES = {"generations"}  # it asks the index alone


def empty(index: Path) -> None:
    (index / FILE).write_bytes(b"")


def another(index: Path) -> None:
    (index / FILE).write_bytes(b"no database " * 9_999)


def halved(index: Path) -> None:
    os.truncate(index / FILE, (index / FILE).stat().st_size // 2)


def without_a_page(index: Path) -> None:
    os.truncate(index / FILE, (index / FILE).stat().st_size - PAGE)


def flip(index: Path, what: bytes, at: int = 0) -> None:
    """A byte of it."""
    data = bytearray((index / FILE).read_bytes())
    data[data.index(what) + at] ^= 0x55
    (index / FILE).write_bytes(data)


def article_flipped(index: Path) -> None:
    with closing(sqlite3.connect(index / FILE)) as db:
        row = db.execute("SELECT content FROM newest JOIN articles USING (seq) WHERE newest.id = 'a0040'").fetchone()
    flip(index, row[0], len(row[0]) // 2)


def without_its_log(index: Path) -> None:
    """As when the file alone is copied while somebody writes."""
    with closing(connect(f"whoosh:{index}")) as writer:
        writer.held([])
        assert run(index, "index", str(index.parent / "own.jsonl")).exit_code == 0
        shutil.copy(index / FILE, index / "copy")
    (index / "copy").replace(index / FILE)


EVERYBODY = set(COMMANDS) - NO_ARTICLES
# Who finds it, and what is said.
HARMS: dict[str, tuple[Callable[[Path], None], set[str], str]] = {
    "empty": (empty, EVERYBODY, "holds no articles"),
    "no database": (another, EVERYBODY, "it is no database"),
    "halved": (halved, EVERYBODY, "the file is damaged"),
    "without its last page": (without_a_page, EVERYBODY, "the file is damaged"),
    "a byte of its head": (lambda index: flip(index, b"SQLite format"), EVERYBODY, "it is no database"),
    "a byte of its schema": (lambda index: flip(index, b"CREATE TABLE runs"), EVERYBODY, "the file is damaged"),
    "a byte of an article": (article_flipped, {"search", "reindex", "backup", "verify"}, "'a0040' is damaged"),
    "without its log": (without_its_log, EVERYBODY, "a part of it is lost"),
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("damaged") / "stage")


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("harm", HARMS)
def test_who_finds_it_and_what_is_said(stage: Stage, tmp_path: Path, harm: str, name: str) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(stage.folder, folder)
    spoil, finders, said = HARMS[harm]
    spoil(folder / "index")
    result = run(folder / "index", *stage.words(COMMANDS[name], folder))
    if name in finders:
        assert result.exit_code in (1, 2), result.stdout
        assert said in result.stderr
        assert "`broadsheet restore FILE --force`" in result.stderr
    else:
        assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize("harm", HARMS)
def test_a_backup_puts_it_right(stage: Stage, tmp_path: Path, harm: str) -> None:
    folder = tmp_path / "copy"
    index = folder / "index"
    shutil.copytree(stage.folder, folder)
    with closing(connect(f"whoosh:{index}")) as reader:
        assert everything(reader) == stage.before
        HARMS[harm][0](index)
        result = run(index, "restore", str(folder / "b.tar"), "--force")
        assert result.exit_code == 0, result.stderr
        is_known = "what was taken down since the backup is not known" not in result.stderr
        right = {id: version.replace("p2", "p1") for id, version in stage.before.items()}
        if not is_known:
            right |= dict.fromkeys(stage.hidden, "v2")
        assert everything(reader) == right
        assert run(index, "verify").exit_code == 0
        assert run(index, "index", str(folder / "own.jsonl")).exit_code == 0
        assert everything(reader)["a0040"] == "v3"
    assert left_over(index) == set()
