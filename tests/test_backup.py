"""Backups: one file that says whether it is whole, and puts everything back."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from test_damage import ARTICLES, answers, apply

from indexer import backup
from search.article import from_dict
from search.cli import main
from search.engines import ArticleGone, Engine, EngineUnavailable, IndexMissing, connect
from search.query import parse


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def engine(folder: Path) -> Iterator[Engine]:
    engine = connect(f"whoosh:{folder}")
    apply(engine, *ARTICLES)
    yield engine
    engine.close()


@pytest.fixture
def file(engine: Engine, tmp_path: Path) -> Path:
    file = tmp_path / "backup.tar"
    assert backup.write(engine, file, {"BROADSHEET_TITLE": "The Courier", "HOME": "/root"}) == []
    return file


def run(folder: Path, *args: object, **environment: str) -> Any:
    words = ["--index", f"whoosh:{folder}", *map(str, args)]
    return CliRunner().invoke(main, words, env={"BROADSHEET_TITLE": None, **environment})


def ids(engine: Engine) -> set[str]:
    return {hit.article.id for hit in engine.search(parse("", per_page=100)).hits}


def test_all_comes_back_in_an_empty_folder(engine: Engine, file: Path, tmp_path: Path) -> None:
    engine.take_down("a5", "court order")
    apply(engine, "a1")
    backup.write(engine, file, {})
    right, runs = {one.id for one in ARTICLES} - {"a1", "a5"}, engine.runs()
    with closing(connect(f"whoosh:{tmp_path / 'new'}")) as other:
        made, _ = backup.restore(other, file)
        assert (made.articles, made.aside, made.unread) == (len(right) + 1, None, None)
        assert ids(other) == ids(engine) == right
        assert [one.target for one in other.takedowns()] == ["a5"]
        assert other.audit() == engine.audit()
        assert [(one.number, one.changes) for one in other.runs()] == [(one.number, one.changes) for one in runs]
        with pytest.raises(ArticleGone):
            other.article("a5")
        assert other.held(["a0"]) == engine.held(["a0"])
        assert other.verify() == []
        apply(other, from_dict({"id": "new", "title": "Goes on"}))
        assert "new" in ids(other)
        assert [path.name for path in (tmp_path / "new").glob("restoring*")] == []


def test_every_answer_is_the_same(engine: Engine, file: Path, tmp_path: Path) -> None:
    with closing(connect(f"whoosh:{tmp_path / 'new'}")) as other:
        backup.restore(other, file)
        assert answers(other) == answers(engine)


def test_what_was_taken_down_or_put_back_since_counts(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    engine.take_down("a1", "both")
    engine.take_down("a2", "undone later")
    engine.take_down("paper.example/late", "a page")
    backup.write(engine, file, {})
    engine.put_back("a2")
    engine.take_down("a3", "later")
    engine.take_down("a4", "later, and undone")
    engine.put_back("a4")
    apply(engine, from_dict({"id": "since", "title": "Came since", "url": "https://paper.example/late"}))
    audit = engine.audit()
    made, _ = backup.restore(engine, file)
    assert made.aside
    assert made.unread is None
    assert [one.target for one in engine.takedowns()] == ["a1", "paper.example/late", "a3"]
    assert engine.audit() == audit
    assert ids(engine) == {one.id for one in ARTICLES} - {"a1", "a3"}
    apply(engine, from_dict({"id": "since", "title": "Came since", "url": "https://paper.example/late"}))
    assert "since" not in ids(engine)


def test_a_service_that_runs_sees_the_restored_articles(engine: Engine, file: Path, folder: Path) -> None:
    with closing(connect(engine.url)) as reader:
        apply(engine, "a0", from_dict({"id": "since", "title": "Since"}))
        assert "since" in ids(reader)
        made, _ = backup.restore(engine, file)
        assert ids(reader) == ids(engine) == {one.id for one in ARTICLES}
        assert made.aside
        size = (folder / made.aside).stat().st_size
        assert size > 0
        assert engine.status().store_bytes < 2 * size  # what was put aside does not count
        # A number never stands for two versions, so that nobody mistakes one for the other.
        apply(engine, from_dict({"id": "after", "title": "After"}))
        (last,) = [one for one in engine.runs() if one.changes and one.number > 2]
        assert last.number == 3
        assert ids(reader) == {one.id for one in ARTICLES} | {"after"}


def test_readers_see_one_state_or_the_other_or_are_told_to_come_again(engine: Engine, file: Path) -> None:
    apply(engine, *(from_dict({"id": one.id, "title": "Changed since"}) for one in ARTICLES))
    seen, done = [], threading.Event()

    def reading() -> None:
        with closing(connect(engine.url)) as reader:
            while not done.is_set():
                try:
                    hits = reader.search(parse("", per_page=100)).hits
                    seen.append(tuple(sorted((hit.article.id, hit.article.title) for hit in hits)))
                except Exception as problem:
                    seen.append(type(problem).__name__)

    readers = [threading.Thread(target=reading) for _ in range(4)]
    for reader in readers:
        reader.start()
    for _ in range(3):
        backup.restore(engine, file)
        apply(engine, *(from_dict({"id": one.id, "title": "Changed since"}) for one in ARTICLES))
    done.set()
    for reader in readers:
        reader.join()
    before = tuple(sorted((one.id, one.title) for one in ARTICLES))
    after = tuple(sorted((one.id, "Changed since") for one in ARTICLES))
    assert set(seen) <= {before, after, "IndexMissing"}
    assert after in seen


def test_articles_that_cannot_be_read_any_more_are_put_aside(engine: Engine, file: Path, folder: Path) -> None:
    engine.close()
    spoilt = b"no database" * 9
    (folder / "articles.db").write_bytes(spoilt)
    result = run(folder, "restore", file)
    assert result.exit_code == 2
    assert "--force" in result.stderr
    result = run(folder, "restore", file, "--force")
    assert result.exit_code == 0
    assert "what was taken down since the backup is not known" in result.stderr
    (aside,) = (path for path in folder.glob("articles.db.before-*"))
    assert aside.read_bytes() == spoilt
    with closing(connect(f"whoosh:{folder}")) as other:
        assert ids(other) == {one.id for one in ARTICLES}


SPOILT = {
    "cut short": lambda data: data[: len(data) // 2],
    "empty": lambda _: b"",
    "no tar": lambda _: b"something else" * 999,
    "another tar": lambda _: _tar({"x": b"y"}),
    "a byte of the articles": lambda data: data[:100_000] + bytes([data[100_000] ^ 1]) + data[100_001:],
    "a byte of the list": lambda data: data.replace(b'"format": 1', b'"format"; 1', 1),
    "another format": lambda data: data.replace(b'"format": 1', b'"format": 9', 1),
    "a step out": lambda data: data.replace(b'"articles.db"', b'"../icles.db"', 1),
}


def _tar(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_backup_is_refused_before_anything_is_touched(
    engine: Engine, file: Path, folder: Path, tmp_path: Path, how: str
) -> None:
    file.write_bytes(SPOILT[how](file.read_bytes()))
    before = sorted(path.name for path in folder.rglob("*"))
    with pytest.raises(EngineUnavailable, match=r"backup\.tar"):
        backup.restore(engine, file)
    assert sorted(path.name for path in folder.rglob("*")) == before
    assert ids(engine) == {one.id for one in ARTICLES}
    with closing(connect(f"whoosh:{tmp_path / 'new'}")) as other, pytest.raises(EngineUnavailable):
        backup.restore(other, file)
    assert not (tmp_path / "new").exists()


def test_a_backup_is_there_whole_or_not_at_all(engine: Engine, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = file.read_bytes()
    apply(engine, "a0")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "addfile", full)
    with pytest.raises(EngineUnavailable, match="No space left on device"):
        backup.write(engine, file, {})
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir() if path.name.startswith(".")] == []


BACKING_UP = """
import sys
from pathlib import Path
from indexer import backup
from search.engines import connect
engine = connect(sys.argv[1])
copy = engine.backup
def slow(*args):
    print("begun", flush=True)
    sys.stdin.readline()
    return copy(*args)
engine.backup = slow
backup.write(engine, Path(sys.argv[2]), {})
"""


def test_what_a_killed_backup_left_goes_with_the_next_and_one_that_goes_on_stays(
    engine: Engine, file: Path, tmp_path: Path
) -> None:
    def begun(name: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", BACKING_UP, engine.url, str(tmp_path / name)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        return process

    def unfinished() -> int:
        return sum(path.name.startswith(backup.UNFINISHED) for path in tmp_path.iterdir())

    with begun("killed.tar") as killed, begun("other.tar") as other:
        killed.kill()
        killed.wait()
        assert unfinished() == 2
        assert backup.write(engine, file, {}) == []
        assert unfinished() == 1
        other.communicate("go on\n")
        assert other.returncode == 0
    assert unfinished() == 0
    assert (tmp_path / "other.tar").exists()
    assert not (tmp_path / "killed.tar").exists()


def test_what_a_killed_restore_left_goes_with_the_next_rebuild(engine: Engine, folder: Path) -> None:
    left = folder / "restoring"
    left.mkdir()
    (left / "articles.db").write_bytes(b"a copy")
    engine.rebuild()
    assert not left.exists()


def test_a_backup_is_its_owners_alone(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("engine")
def test_what_was_damaged_before_is_said(folder: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(folder / "articles.db")) as db:
        db.execute("UPDATE articles SET content = x'00' WHERE id = 'a7'")
        db.commit()
    result = run(folder, "backup", tmp_path / "b.tar")
    assert result.exit_code == 1
    assert "'a7' is damaged" in result.stderr
    assert (tmp_path / "b.tar").exists()


def test_the_commands(engine: Engine, folder: Path, tmp_path: Path) -> None:
    engine.close()
    file = tmp_path / "b.tar"
    result = run(folder, "backup", file, BROADSHEET_TITLE="The Courier")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"Backed up: {file}, ")
    result = run(tmp_path / "new", "restore", file)
    assert result.exit_code == 0
    assert "note: then it was BROADSHEET_TITLE=The Courier" in result.stderr
    assert f"Restored: {len(ARTICLES)} articles. Switched to generation " in result.stdout
    assert run(tmp_path / "new", "restore", file, "--force", "--quiet").stdout == ""
    assert json.loads(run(tmp_path / "new", "status", "--json").stdout)["articles"] == len(ARTICLES)
    assert run(tmp_path / "none", "backup", file).exit_code == 2


KILLED = """
import os, sys
from pathlib import Path
from indexer import backup
from search.engines import connect
from search.engines.whoosh import durable, generations, safekeeping
step = int(sys.argv[3])
def counted(real):
    def call(*args, **options):
        global step
        step -= 1
        if step == 0:
            os.kill(os.getpid(), 9)
        return real(*args, **options)
    return call
for module, name in ((durable, "sync_folder"), (generations, "remove"), (safekeeping, "adopt")):
    setattr(module, name, counted(getattr(module, name)))
Path.rename = counted(Path.rename)
Path.unlink = counted(Path.unlink)
backup.restore(connect(sys.argv[1]), Path(sys.argv[2]))
print("done")
"""


def test_a_restore_that_is_killed_at_any_step_is_run_again(engine: Engine, file: Path) -> None:
    apply(engine, *(from_dict({"id": one.id, "title": "Changed since"}) for one in ARTICLES))
    apply(engine, from_dict({"id": "since", "title": "Since"}))
    engine.take_down("a3", "later")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    states = []
    for step in range(1, 99):
        command = [sys.executable, "-c", KILLED, engine.url, str(file), str(step)]
        killed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        with closing(connect(engine.url)) as reader:
            try:
                found = {hit.article.id: hit.article.title for hit in reader.search(parse("", per_page=100)).hits}
                states.append("since" in found)
                titles = set(found.values())
                assert (titles == {"Changed since", "Since"}) if "since" in found else "Changed since" not in titles
                assert "a3" not in found
            except IndexMissing:
                states.append(None)
            backup.restore(reader, file)
            assert ids(reader) == {one.id for one in ARTICLES} - {"a3"}
            assert answers_of_a3(reader) == "gone"
            assert reader.verify() == []
            apply(reader, *(from_dict({"id": one.id, "title": "Changed since"}) for one in ARTICLES))
            apply(reader, from_dict({"id": "since", "title": "Since"}))
        if killed.stdout:
            break
        assert killed.returncode == -9, killed.stderr
    assert states.count(True) > 5
    assert states[-1] is False
    assert None in states


def answers_of_a3(engine: Engine) -> str:
    try:
        engine.article("a3")
    except ArticleGone:
        return "gone"
    return "there"
