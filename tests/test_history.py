"""Going back: to the generation before, to what articles were before a run; and finding what is damaged."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from scale import SOAK

from indexer import build
from search.article import from_dict
from search.cli import main
from search.engines import Delete, Engine, NothingBefore, Put, connect
from search.engines.whoosh import history
from search.engines.whoosh.store import Store
from search.query import parse


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = connect(f"whoosh:{tmp_path / 'index'}")
    yield engine
    engine.close()


def wire(folder: Path, **titles: str) -> Path:
    """A source with these articles, and no other."""
    folder.mkdir(exist_ok=True)
    lines = [json.dumps({"id": id, "title": title, "body": "Same words."}) for id, title in titles.items()]
    (folder / "wire.jsonl").write_text("\n".join(lines))
    return folder


def pushed(engine: Engine, **titles: str) -> int:
    """A run of another source."""
    run = engine.begin("push", ["push"])
    engine.accept(run, [Put(from_dict({"id": id, "title": title}), "push") for id, title in titles.items()])
    engine.catch_up()
    return run


def titles(engine: Engine) -> dict[str, str | None]:
    """All that readers find."""
    found = engine.search(parse("", sort="oldest", per_page=100))
    assert found.total == len(found.hits)
    return {hit.article.id: hit.article.title for hit in found.hits}


def held(engine: Engine) -> set[str]:
    return set(engine.held(["a", "b", "c", "d", "p"]))


def test_rollback_gives_readers_what_they_had_and_keeps_what_was_pushed_since(engine: Engine, tmp_path: Path) -> None:
    build.update(engine, [wire(tmp_path / "cms", a="First", b="Second")])
    before = engine.kept()[-1].name
    build.rebuild(engine, [wire(tmp_path / "cms", a="Spoilt", c="Rubbish")])
    pushed(engine, p="Pushed")
    assert titles(engine) == {"a": "Spoilt", "c": "Rubbish", "p": "Pushed"}
    name, undone = engine.rollback()
    assert titles(engine) == {"a": "First", "b": "Second", "p": "Pushed"}
    assert name == before == next(one.name for one in engine.kept() if one.live)
    assert undone
    assert undone.ids == ("a", "b", "c")
    # The store follows, so that neither the next run nor the next rebuild brings it back.
    assert held(engine) == {"a", "b", "p"}
    pushed(engine, d="Later")
    engine.rebuild()
    assert titles(engine) == {"a": "First", "b": "Second", "p": "Pushed", "d": "Later"}
    # And back once more is to what was live before that rebuild, not to what was given up.
    assert engine.rollback() == (before, None)
    assert titles(engine) == {"a": "First", "b": "Second", "p": "Pushed", "d": "Later"}


def test_nothing_of_what_is_undone_is_seen_while_the_old_generation_catches_up(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.update(engine, [wire(tmp_path / "cms", a="First")])
    build.rebuild(engine, [wire(tmp_path / "cms", a="Spoilt", c="Rubbish")])
    pushed(engine, p="Pushed")
    monkeypatch.setattr("search.engines.whoosh.pieces.READ_ROWS", 1)
    monkeypatch.setattr("search.engines.whoosh.pieces.FLUSH_CHARACTERS", 1)  # a commit for each row
    from search.engines.whoosh import contents

    seen: list[dict[str, str | None]] = []
    commit = contents.commit

    def watched(*args: Any) -> None:
        commit(*args)
        reader = connect(engine.url)
        seen.append(titles(reader))
        reader.close()

    monkeypatch.setattr(contents, "commit", watched)
    engine.rollback()
    assert seen
    assert all("c" not in one and one["a"] == "First" for one in seen)
    assert titles(engine) == {"a": "First", "p": "Pushed"}


def test_a_reader_that_runs_goes_back_too_without_opening_anew(engine: Engine, tmp_path: Path) -> None:
    build.update(engine, [wire(tmp_path / "cms", a="First")])
    reader = connect(engine.url)
    build.rebuild(engine, [wire(tmp_path / "cms", a="Spoilt")])
    assert titles(reader) == {"a": "Spoilt"}
    engine.rollback()
    assert titles(reader) == {"a": "First"}
    reader.close()


def test_a_takedown_outlives_going_back(engine: Engine, tmp_path: Path) -> None:
    build.update(engine, [wire(tmp_path / "cms", a="First", b="Second")])
    build.rebuild(engine, [wire(tmp_path / "cms", a="Spoilt", b="Second")])
    engine.take_down("b", "court order")
    engine.rollback()
    assert titles(engine) == {"a": "First"}


def test_the_first_generation_has_none_before(engine: Engine, tmp_path: Path) -> None:
    build.update(engine, [wire(tmp_path / "cms", a="First")])
    with pytest.raises(NothingBefore, match="none to go back to"):
        engine.rollback()
    assert titles(engine) == {"a": "First"}


def test_a_run_is_undone_but_for_what_a_later_one_has_changed(engine: Engine) -> None:
    pushed(engine, a="First", b="Second", d="Fourth")
    run = engine.begin("push", ["push"])
    spoilt = [Put(from_dict({"id": id, "title": "Spoilt"}), "push") for id in ("a", "b", "c")]
    engine.accept(run, [*spoilt, Delete("d")])
    engine.catch_up()
    pushed(engine, b="Mended")
    undone = engine.undo(run)
    assert titles(engine) == {"a": "First", "b": "Mended", "d": "Fourth"}
    assert (undone.ids, undone.kept) == (("a", "c", "d"), ("b",))
    # What is undone can be undone: it is a run like any other.
    engine.undo(undone.number)
    assert titles(engine) == {"a": "Spoilt", "b": "Mended", "c": "Spoilt"}


def test_a_run_that_changed_an_article_twice_is_undone_to_before_the_first(engine: Engine) -> None:
    pushed(engine, a="First")
    run = engine.begin("push", ["push"])
    for title in ("Spoilt", "Spoilt again"):
        engine.accept(run, [Put(from_dict({"id": "a", "title": title}), "push")])
    engine.catch_up()
    engine.undo(run)
    assert titles(engine) == {"a": "First"}


def test_undoing_keeps_the_source_and_the_address(engine: Engine, tmp_path: Path) -> None:
    line = {"id": "a", "url": "https://news.example/a", "title": "First"}
    (tmp_path / "a.jsonl").write_text(json.dumps(line))
    build.update(engine, [tmp_path / "a.jsonl"])
    source = engine.held(["a"])["a"]
    run = pushed(engine, a="Spoilt")
    engine.undo(run)
    assert engine.held(["a"])["a"] == source
    assert engine.article_at("https://news.example/a").id == "a"
    assert build.update(engine, [tmp_path / "a.jsonl"]).unchanged == 1


def test_many_articles_are_undone(engine: Engine) -> None:
    pushed(engine, **{f"a{n}": "First" for n in range(1200)})
    run = pushed(engine, **{f"a{n}": "Spoilt" for n in range(300, 1500)})
    engine.undo(run)
    assert [one.changes for one in engine.runs()] == [1200, 1200, 1200]
    found = engine.search(parse("first", per_page=0)).total, engine.search(parse("spoilt", per_page=0)).total
    assert found == (1200, 0)


def test_undoing_reads_rows_once_and_not_once_for_each_other(engine: Engine, tmp_path: Path) -> None:
    """Counted in steps of SQLite's machine: twice the articles are twice the work, and not four times."""
    steps = []
    for count in (500, 1000):
        for text in ("before", "after"):
            run = pushed(engine, **{f"a{number}": f"{text} {count}" for number in range(count)})
        store = Store(tmp_path / "index")
        with store._connection() as db:
            steps.append(0)

            def count_step() -> None:
                steps[-1] += 1

            db.set_progress_handler(count_step, 100)
            found, later = history.before(db, run)
            db.set_progress_handler(None, 0)
        assert (len(found), later) == (count, [])
        store.close()
    assert 0 < steps[1] < 3 * steps[0]


def test_runs_and_generations_are_listed(engine: Engine, tmp_path: Path) -> None:
    folder = wire(tmp_path / "cms", a="First", b="Second")
    build.update(engine, [folder])
    build.rebuild(engine, [wire(folder, a="Changed")], force=True)
    pushed(engine, p="Pushed")
    assert [(one.number, one.command, one.changes) for one in engine.runs()] == [
        (1, "index", 2),
        (2, "reindex", 2),
        (3, "push", 1),
    ]
    assert engine.runs()[0].sources == (str(folder),)
    assert [(one.articles, one.run, one.live) for one in engine.kept()] == [(2, None, False), (2, 2, True)]
    assert all(one.size > 0 for one in engine.kept())


def test_there_is_no_such_run(engine: Engine) -> None:
    pushed(engine, a="First")
    with pytest.raises(NothingBefore, match="no run 9"):
        engine.undo(9)


# What is damaged is found.


@pytest.fixture
def folder(engine: Engine, tmp_path: Path) -> Path:
    build.update(engine, [wire(tmp_path / "cms", a="First", b="Second")])
    engine.rebuild()
    engine.close()
    return tmp_path / "index"


def test_what_is_whole_is_found_whole(engine: Engine, folder: Path) -> None:  # noqa: ARG001
    assert engine.verify() == []


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.parametrize("where", ["first", "middle", "last"])
def test_a_flipped_byte_of_any_file_of_a_generation_is_found(engine: Engine, folder: Path, where: str) -> None:
    files = [path for path in folder.glob("generations/*/*") if path.name != "manifest.json"]
    assert len(files) == 4  # two generations, each a segment and a table of contents
    for path in files:
        whole = path.read_bytes()
        flip(path, {"first": 0, "middle": len(whole) // 2, "last": -1}[where])
        (damage,) = engine.verify()
        assert path.name in damage
        assert path.parent.name in damage
        assert "reindex" in damage
        path.write_bytes(whole)
    assert engine.verify() == []


def test_a_file_that_is_gone_or_cut_short_is_found(engine: Engine, folder: Path) -> None:
    path = next(path for path in folder.glob("generations/*/*") if path.suffix not in (".json", ".toc"))
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    assert path.name in engine.verify()[0]
    path.unlink()
    assert path.name in engine.verify()[0]
    manifest = next(folder.glob("generations/*/manifest.json"))
    manifest.write_text("{")
    assert any("manifest.json" in damage for damage in engine.verify())


def test_an_article_that_cannot_be_read_back_is_found(engine: Engine, folder: Path) -> None:
    import sqlite3

    db = sqlite3.connect(folder / "articles.db")
    (content,) = db.execute("SELECT content FROM articles WHERE id = 'b'").fetchone()
    spoilt = bytearray(content)
    spoilt[-1] ^= 0xFF
    db.execute("UPDATE articles SET content = ? WHERE id = 'b'", (bytes(spoilt),))
    db.commit()
    db.close()
    (damage,) = engine.verify()
    assert "'b'" in damage
    assert "puts back a backup" in damage


def test_a_damaged_page_of_the_store_is_found(engine: Engine, folder: Path) -> None:
    flip(folder / "articles.db", 16384 + 8)  # in the head of the second page
    assert any("articles.db" in damage for damage in engine.verify())


# What is kept.


def versions(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "articles.db")) as db:
        return int(db.execute("SELECT count(*) FROM articles").fetchone()[0])


def test_old_versions_go_with_the_generations_that_needed_them(engine: Engine, folder: Path, tmp_path: Path) -> None:
    counts = []
    for night in range(9):
        build.rebuild(engine, [wire(tmp_path / "cms", a=f"Night {night}", b="Same", c=f"Also {night}")], force=True)
        engine.accept(engine.begin("push", ["push"]), [Put(from_dict({"id": "p", "title": f"Push {night}"}), "push")])
        counts.append(versions(folder))
    assert len(set(counts[5:])) == 1  # it grows no more
    assert counts[-1] < 15
    runs = engine.runs()
    assert [one.changes for one in runs if one.command == "reindex"] == [3, *[2] * 8]  # and it is known what they did
    with pytest.raises(NothingBefore, match="no longer kept"):
        engine.undo(runs[0].number)
    assert engine.rollback()[1]
    assert titles(engine) == {"a": "Night 7", "b": "Same", "c": "Also 7", "p": "Push 8"}
    assert engine.verify() == []


@pytest.mark.parametrize("seed", range(4 * SOAK))
def test_pruning_is_seen_by_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Two indexes to which the same is done, of which one keeps everything."""
    dice, pruned = random.Random(seed), 0
    prune = history.prune
    with closing(connect(f"whoosh:{tmp_path / 'all'}")) as whole, closing(connect(f"whoosh:{tmp_path / 'few'}")) as few:

        def both(work: Callable[[Engine], Any]) -> tuple[Any, Any]:
            nonlocal pruned
            monkeypatch.setattr(history, "prune", lambda *_: 0)
            first = work(whole)
            monkeypatch.setattr(history, "prune", prune)
            second = work(few)
            pruned = versions(tmp_path / "all") - versions(tmp_path / "few")
            return first, second

        def change(engine: Engine, changes: list[Any], command: str) -> int:
            run = engine.begin(command, [command])
            engine.accept(run, changes)
            if command == "index":
                engine.catch_up()
            else:
                engine.rebuild(run=run)
            return run

        def tried(work: Callable[[Engine], Any], engine: Engine) -> Any:
            try:
                return work(engine)
            except NothingBefore as problem:
                return str(problem)

        for step in range(40):
            what = dice.choice(["index"] * 4 + ["reindex"] * 4 + ["rollback", "undo"]) if step else "index"
            if what in ("index", "reindex"):
                ids = dice.sample("abcdefgh", 3)
                changes = [
                    Delete(id) if dice.random() < 0.3 else Put(from_dict({"id": id, "title": f"{id} {step}"}), "s")
                    for id in ids
                ]
                both(lambda engine, changes=changes, what=what: change(engine, changes, what))
            elif what == "rollback":
                first, second = both(lambda engine: tried(lambda it: it.rollback()[1], engine))
                if not isinstance(first, str):
                    assert first == second
            else:
                run = dice.randint(1, max(one.number for one in whole.runs()))
                second = tried(lambda engine, run=run: engine.undo(run), few)
                if isinstance(second, str):
                    assert "no longer kept" in second
                else:
                    assert whole.undo(run) == second
            first, second = both(titles)
            assert first == second
            assert whole.held("abcdefgh") == few.held("abcdefgh")
            assert [(one.number, one.changes) for one in whole.runs()] == [
                (one.number, one.changes) for one in few.runs()
            ]
        assert pruned > 5
        assert few.verify() == []


# The commands.


def run(folder: Path, *args: str) -> Any:
    return CliRunner().invoke(main, ["--index", f"whoosh:{folder}", *args])


def test_the_commands_of_going_back(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    build.update(engine, [wire(tmp_path / "cms", a="First", b="Second")])
    build.rebuild(engine, [wire(tmp_path / "cms", a="Spoilt", b="Second")])
    listed = run(folder, "generations").stdout.splitlines()
    assert [line.endswith("live") for line in listed] == [False, True]
    assert "by run 2" in listed[1]
    assert [line.split()[0] for line in run(folder, "runs").stdout.splitlines()] == ["1", "2"]
    assert json.loads(run(folder, "runs", "--json").stdout)[1]["command"] == "reindex"
    assert len(json.loads(run(folder, "generations", "--json").stdout)) == 2
    result = run(folder, "rollback")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == f"Switched to generation {listed[0].split()[0]}."
    assert result.stdout.splitlines()[1] == "1 articles are as they were; this is run 3."
    assert titles(engine) == {"a": "First", "b": "Second"}
    result = run(folder, "rollback")
    assert (result.exit_code, "none to go back to" in result.output) == (2, True)
    pushed(engine, b="Pushed")
    result = run(folder, "rollback", "1")
    assert (result.exit_code, result.stderr) == (
        0,
        "kept a: a later run has changed it\nkept b: a later run has changed it\n",
    )
    assert run(folder, "rollback", "77").exit_code == 2


def test_the_command_that_verifies(engine: Engine, folder: Path) -> None:
    result = run(folder, "verify")
    assert (result.exit_code, result.stdout) == (
        0,
        "Every byte is as it was written: the articles and 2 generations.\n",
    )
    flip(next(folder.glob("generations/*/*.toc")), -1)
    result = run(folder, "verify", "--quiet")
    assert (result.exit_code, result.stdout) == (1, "")
    assert ".toc" in result.stderr
    assert engine.verify()
