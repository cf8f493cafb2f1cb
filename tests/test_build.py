"""Update and rebuild: what of the files ends in the index, and what is said about it."""

import errno
import gzip
import io
import json
from pathlib import Path

import pytest

from indexer import build, reading, seen
from indexer import run as runs
from indexer.report import Stopped
from search.article import Article
from search.engines import ArticleMissing, EngineUnavailable, IndexMissing, Put, RebuildRefused, connect


@pytest.fixture
def engine(tmp_path):
    engine = connect(f"whoosh:{tmp_path / 'index'}")
    yield engine
    engine.close()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "articles"
    folder.mkdir()
    return folder


def write(path, *articles):
    path.write_text("".join(json.dumps(item) + "\n" for item in articles))
    return path


def one(id, title="Title", **values):
    return {"id": id, "title": title, "body": "Some text.", **values}


def counts(report):
    return report.added, report.changed, report.unchanged, report.removed, len(report.refused)


def titles(engine, *ids):
    found = []
    for id in ids:
        try:
            found.append(engine.article(id).title)
        except ArticleMissing:
            found.append(None)
    return found


def test_only_what_changed_goes_in(engine, folder):
    file = write(folder / "a.jsonl", one("a"), one("b"))
    assert counts(build.update(engine, [folder])) == (2, 0, 0, 0, 0)
    assert counts(build.update(engine, [folder])) == (0, 0, 2, 0, 0)
    write(file, one("a", "Changed"), one("c"))
    assert counts(build.update(engine, [folder])) == (1, 1, 0, 0, 0)
    assert titles(engine, "a", "b", "c") == ["Changed", "Title", "Title"]
    assert engine.status().pending == 0


def test_a_rebuild_removes_what_is_gone_and_keeps_what_was_pushed(engine, folder, tmp_path):
    other = write(tmp_path / "other.jsonl", one("o"))
    file = write(folder / "a.jsonl", one("a"), one("b"))
    build.update(engine, [folder, other])
    engine.accept(engine.begin("push", []), [Put(Article(id="p", title="Pushed"), "push")])
    before = engine.status().generation
    write(file, one("a", "Changed"))
    report = build.rebuild(engine, [folder], force=True)
    assert counts(report) == (0, 1, 0, 1, 0)
    assert titles(engine, "a", "b", "o", "p") == ["Changed", None, "Title", "Pushed"]
    assert report.generation == engine.status().generation != before


def test_a_rebuild_without_paths_is_from_what_is_accepted(engine, folder):
    file = write(folder / "a.jsonl", one("a"))
    build.update(engine, [folder])
    file.unlink()
    report = build.rebuild(engine)
    assert counts(report) == (0, 0, 0, 0, 0)
    assert report.generation == engine.status().generation
    assert titles(engine, "a") == ["Title"]


def test_a_rebuild_without_an_index_is_missing_one(engine):
    with pytest.raises(Stopped) as stopped:
        build.rebuild(engine)
    assert isinstance(stopped.value.__cause__, IndexMissing)


def test_a_rebuild_makes_the_first_index_too(engine, folder):
    write(folder / "a.jsonl", one("a"))
    assert counts(build.rebuild(engine, [folder])) == (1, 0, 0, 0, 0)
    assert titles(engine, "a") == ["Title"]


def test_a_source_is_the_same_however_it_is_written(engine, folder, monkeypatch):
    file = write(folder / "a.jsonl", one("a"), one("b"))
    build.update(engine, [folder])
    write(file, one("a"))
    monkeypatch.chdir(folder)
    assert counts(build.rebuild(engine, ["../articles/."], force=True)) == (0, 0, 1, 1, 0)


def test_a_renamed_folder_keeps_its_articles_and_loses_them_later(engine, folder, tmp_path):
    write(folder / "a.jsonl", one("a"), one("b"))
    build.update(engine, [folder])
    renamed = folder.rename(tmp_path / "content")
    assert counts(build.rebuild(engine, [renamed])) == (0, 0, 2, 0, 0)
    write(renamed / "a.jsonl", one("a"))
    assert counts(build.rebuild(engine, [renamed], force=True)) == (0, 0, 1, 1, 0)


def test_a_rebuild_of_a_folder_removes_what_a_part_of_it_took_over(engine, folder):
    part = folder / "part"
    part.mkdir()
    gone = write(part / "b.jsonl", one("b"))
    write(folder / "a.jsonl", one("a"))
    build.update(engine, [folder])
    build.rebuild(engine, [part])
    gone.unlink()
    assert counts(build.rebuild(engine, [folder], force=True)) == (0, 0, 1, 1, 0)
    assert titles(engine, "a", "b") == ["Title", None]


def test_what_cannot_be_read_is_not_gone(engine, folder, monkeypatch):
    write(folder / "a.jsonl", one("a"))
    locked = write(folder / "b.jsonl", one("b"))
    build.update(engine, [folder])
    opened = Path.open

    def refuse(path, *args, **kwargs):
        if path == locked:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        report = build.rebuild(engine, [folder])
    assert counts(report) == (0, 0, 1, 0, 1)
    assert runs.KEPT in report.notes
    assert titles(engine, "a", "b") == ["Title", "Title"]
    locked.unlink()
    assert build.rebuild(engine, [folder], force=True).removed == 1


def test_the_same_text_under_two_ids_is_said(engine, folder):
    write(folder / "a.jsonl", one("a"), one("b"), one("c", body="Another text."), one("d"))
    report = build.update(engine, [folder])
    assert counts(report) == (4, 0, 0, 0, 0)
    assert report.notes == {runs.SAME_TEXT: (2, str(folder / "a.jsonl"))}


@pytest.mark.parametrize("content", [None, "not JSON\n"])
def test_a_path_without_an_article_loses_nothing(engine, folder, tmp_path, content):
    other = write(tmp_path / "other.jsonl", one("o"))
    file = write(folder / "a.jsonl", one("a"))
    build.update(engine, [folder, other])
    live = engine.status().generation
    file.unlink() if content is None else file.write_text(content)
    report = build.rebuild(engine, [folder])
    assert (report.read, report.removed, report.generation) == (0, 0, None)
    assert report.silent == [str(folder)]
    assert engine.status().generation == live
    assert build.rebuild(engine, [folder, other]).removed == 0
    assert titles(engine, "a", "o") == ["Title", "Title"]


def test_where_nothing_can_be_read_no_index_is_made(engine, folder, tmp_path):
    (folder / "a.jsonl").write_text("not JSON\n")
    report = build.update(engine, [folder])
    assert counts(report) == (0, 0, 0, 0, 1)
    assert not (tmp_path / "index").exists()


def test_the_rest_goes_in(engine, folder):
    (folder / "a.jsonl").write_text(json.dumps(one("a")) + "\n{broken\n" + json.dumps(one("b")) + "\n")
    report = build.update(engine, [folder])
    assert counts(report) == (2, 0, 0, 0, 1)
    assert (report.refused[0].file, report.refused[0].line) == (str(folder / "a.jsonl"), 2)


def test_twice_in_one_run(engine, folder):
    write(folder / "a.jsonl", one("a"), one("b"))
    write(folder / "b.jsonl", one("a"), one("b", "Another"))
    report = build.update(engine, [folder])
    assert counts(report) == (2, 0, 0, 0, 0)
    assert [(twice.id, twice.same) for twice in report.duplicates] == [("a", True), ("b", False)]
    assert titles(engine, "a", "b") == ["Title", "Another"]


def test_a_path_named_twice_is_read_once(engine, folder):
    write(folder / "a.jsonl", one("a"))
    report = build.update(engine, [folder, f"{folder}/"])
    assert (counts(report), report.duplicates) == ((1, 0, 0, 0, 0), [])


def test_notes_are_gathered(engine, folder):
    write(folder / "a.jsonl", one("a", "First", mood="good"))
    write(folder / "b.jsonl", one("b", mood="bad"))
    report = build.update(engine, [folder])
    [(note, (count, first))] = report.notes.items()
    assert "mood" in note
    assert (count, first) == (2, str(folder / "a.jsonl"))


def test_standard_input_is_a_source_of_its_own(engine):
    def stdin(*articles):
        return io.BytesIO("".join(json.dumps(item) + "\n" for item in articles).encode())

    assert counts(build.update(engine, ["-"], stdin=stdin(one("a"), one("b")))) == (2, 0, 0, 0, 0)
    assert counts(build.rebuild(engine, ["-"], stdin=stdin(one("a")), force=True)) == (0, 0, 1, 1, 0)


def test_batches_join_without_a_seam(engine, folder, monkeypatch):
    monkeypatch.setattr(reading, "BATCH", 3)
    file = write(folder / "a.jsonl", *(one(str(n)) for n in range(10)))
    assert counts(build.update(engine, [folder])) == (10, 0, 0, 0, 0)
    write(file, *(one(str(n)) for n in range(2)))
    assert counts(build.rebuild(engine, [folder], force=True)) == (0, 0, 2, 8, 0)
    assert engine.status().articles == 2


def test_what_was_read_long_before_is_known(engine, folder, monkeypatch):
    """Rows that lie on disk count as those in memory do, wherever the batches end."""
    articles = [one(str(n), body=f"Text {n % 40}") for n in range(100)]
    write(folder / "a.jsonl", *articles, articles[3], one("4", "Changed"))
    write(folder / "b.jsonl", one("4", "Changed"), one("new", body="Text 7"))
    reports = []
    for batch, newest in ((1000, 1000), (7, 5), (1, 1)):
        monkeypatch.setattr(reading, "BATCH", batch)
        monkeypatch.setattr(seen, "NEWEST", newest)
        reports.append(build.rebuild(engine, [folder]))
        assert engine.status().articles == 101
    for report in reports:
        assert [(twice.id, twice.line, twice.same) for twice in report.duplicates] == [
            ("3", 101, True),
            ("4", 102, False),
            ("4", 1, True),
        ]
        assert [Path(twice.before.file).name for twice in report.duplicates] == ["a.jsonl"] * 3
        assert [twice.before.line for twice in report.duplicates] == [4, 5, 102]
        assert report.notes == {runs.SAME_TEXT: (61, str(folder / "a.jsonl"))}
    # Where both texts of an article lie in one batch only the last is compared with what is held.
    assert [counts(report)[:3] for report in reports] == [(101, 0, 0), (0, 1, 100), (0, 1, 100)]


def test_a_temporary_folder_that_is_full_loses_nothing(engine, folder, monkeypatch):
    write(folder / "a.jsonl", *(one(f"{n:04}") for n in range(2000)))
    with monkeypatch.context() as patch:
        patch.setattr(seen, "SETTINGS", (*seen.SETTINGS, "max_page_count = 6"))
        patch.setattr(seen, "NEWEST", 10)
        patch.setattr(reading, "BATCH", 10)
        with pytest.raises(Stopped) as stopped:
            build.update(engine, [folder])
    accepted = stopped.value.report.added
    assert 0 < accepted < 2000
    assert "TMPDIR" in str(stopped.value.__cause__)
    assert counts(build.update(engine, [folder])) == (2000 - accepted, 0, accepted, 0, 0)


def test_long_articles_make_short_batches(engine, folder, monkeypatch):
    monkeypatch.setattr(reading, "BATCH_TEXT", 10)
    sizes = []
    accept = engine.accept
    monkeypatch.setattr(engine, "accept", lambda run, changes: (sizes.append(len(changes)), accept(run, changes)))
    write(folder / "a.jsonl", *(one(str(n), body="twelve chars") for n in range(3)))
    build.update(engine, [folder])
    assert sizes == [1, 1, 1]


@pytest.mark.parametrize("cause", [KeyboardInterrupt(), EngineUnavailable("the disk is full")])
def test_what_was_accepted_before_a_stop_is_kept(engine, folder, monkeypatch, cause):
    def stop(_progress=None):
        raise cause

    write(folder / "a.jsonl", one("a"))
    with monkeypatch.context() as patch:
        patch.setattr(engine, "catch_up", stop)
        with pytest.raises(Stopped) as stopped:
            build.update(engine, [folder])
    assert counts(stopped.value.report) == (1, 0, 0, 0, 0)
    assert stopped.value.__cause__ is cause
    assert counts(build.update(engine, [folder])) == (0, 0, 1, 0, 0)
    assert titles(engine, "a") == ["Title"]


def test_progress_knows_about_how_many_there_will_be(engine, folder, monkeypatch):
    monkeypatch.setattr(runs, "TELL", 1)
    write(folder / "a.jsonl", *(one(str(n), body="word " * 200) for n in range(50)))
    write(folder / "b.jsonl", *(one(str(n), body="word " * 200) for n in range(50, 100)))
    told = []
    build.update(engine, [folder], progress=lambda *step: told.append(step))
    reading = [(done, of) for stage, done, of in told if stage == "reading"]
    assert [done for done, _ in reading] == [*range(1, 101), 100]
    assert all(80 <= of <= 120 for _, of in reading)
    assert {stage for stage, _, _ in told} > {"reading"}


@pytest.mark.parametrize(
    ("left", "new", "goes_on"),
    [
        (range(20), (), True),
        (range(18), (), True),  # a tenth may go
        (range(17), (), False),
        (range(17), ("x",), True),  # as many come as are needed: no drop, but another selection
        (range(0, 1), (), False),
    ],
)
def test_a_path_that_has_lost_more_than_a_tenth_of_its_articles_stops_the_rebuild(engine, folder, left, new, goes_on):
    def fill(ids):
        (folder / "wire.jsonl").write_text("\n".join(json.dumps({"id": f"a{id}", "title": "A"}) for id in ids))

    (folder / "wire.jsonl").unlink(missing_ok=True)
    for path in folder.iterdir():
        path.unlink()
    fill(range(20))
    build.update(engine, [folder])
    generation = engine.status().generation
    fill([*left, *new])
    if goes_on:
        assert build.rebuild(engine, [folder]).removed == 20 - len(left)
        return
    with pytest.raises(Stopped) as stopped:
        build.rebuild(engine, [folder])
    assert isinstance(stopped.value.__cause__, RebuildRefused)
    assert f"had 20 articles and has {len(left)} now, without " in str(stopped.value.__cause__)
    assert (engine.status().generation, engine.status().accepted) == (generation, 20)
    report = build.rebuild(engine, [folder], force=True)
    assert (report.removed, engine.status().articles) == (20 - len(left), len(left))


def test_a_pattern_is_a_source_of_its_own(engine, folder):
    """What its files had and have no longer goes; what other files of the folder have stays."""
    for name in ("a", "b"):
        write(folder / f"{name}.jsonl", one(name), one(f"{name}2"))
    (folder / "c.md").write_text("# A page")
    pattern = f"{folder}/*.jsonl"
    assert counts(build.update(engine, [pattern, folder / "c.md"])) == (5, 0, 0, 0, 0)
    (folder / "b.jsonl").unlink()
    assert counts(build.rebuild(engine, [pattern], force=True)) == (0, 0, 2, 2, 0)
    assert engine.status().articles == 3
    (folder / "a.jsonl").unlink()
    report = build.rebuild(engine, [pattern], force=True)
    assert (counts(report), report.silent) == ((0, 0, 0, 0, 1), [pattern])


def test_what_a_pattern_read_is_the_same_article_in_its_folder(engine, folder):
    (folder / "c.md").write_text("# A page")
    build.update(engine, [f"{folder}/**/*.md"])
    (folder / "c.md").write_text("# A page that changed")
    assert counts(build.update(engine, [folder])) == (0, 1, 0, 0, 0)


def test_an_archive_that_breaks_off_removes_nothing(engine, folder):
    packed = gzip.compress(b"".join(json.dumps(one(str(n))).encode() + b"\n" for n in range(9_000)))
    (folder / "a.jsonl.gz").write_bytes(packed)
    build.update(engine, [folder])
    (folder / "a.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    report = build.rebuild(engine, [folder])
    assert 0 < report.unchanged < 9_000
    assert (report.removed, engine.status().articles) == (0, 9_000)
