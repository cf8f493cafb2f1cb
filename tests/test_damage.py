"""Damaged generations: what is found of them, who answers in their place, and that they stay where they are."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest

from search.article import Article, from_dict
from search.engines import Delete, Engine, EngineUnavailable, IndexCorrupt, Put, connect
from search.engines.whoosh import arrays, damage, generations, lock
from search.query import parse

WORDS = "tide ebb harbour glacier huts voters market rain"
ARTICLES = [
    from_dict(
        {
            "id": f"a{n}",
            "title": f"{word} {n}",
            "body": f"The {word} of {n} days, {' '.join(WORDS.split()[: n % 5])}; running, runs and ran.",
            "section": ("World", "Local")[n % 2],
            "tags": [word],
            "authors": ["Ann Lee"],
            "published": f"2025-0{1 + n % 9}-06T12:00:00Z",
        }
    )
    for n, word in enumerate(WORDS.split() * 3)
]
QUERIES = [*WORDS.split(), "run", '"of 3 days"', "ha*", "tide -ebb", "huts market", "title:rain", ""]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def engine(folder: Path) -> Iterator[Engine]:
    engine = connect(f"whoosh:{folder}")
    apply(engine, *ARTICLES)
    engine.rebuild()
    yield engine
    engine.close()


def apply(engine: Engine, *changes: Article | str) -> int:
    run = engine.begin("index", ["s"])
    engine.accept(run, [Delete(one) if isinstance(one, str) else Put(one, "s") for one in changes])
    return engine.catch_up()


def answers(engine: Engine) -> list[object]:
    """All that can be asked, as far as it does not hang on how an index is parted into segments."""
    found = []
    for text in QUERIES:
        got = engine.search(parse(text, per_page=100, facets=("section", "date", "tag", "author")))
        found.append((got.total, [(hit.article, hit.score) for hit in got.hits], got.facets))
    found += [engine.article(one.id) for one in ARTICLES]
    return found


def live(folder: Path) -> Path:
    return folder / "generations" / generations.current(folder)


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 0x10
    path.write_bytes(bytes(data))


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


@pytest.mark.parametrize("name", ["*.arr", "*.toc", "manifest.json"])
def test_a_flipped_byte_anywhere_changes_no_answer(engine: Engine, folder: Path, name: str) -> None:
    """Of every file of the live generation, some sixty places: what answers then is the generation before."""
    right = answers(engine)
    (file,) = live(folder).glob(name)
    whole, live_before = file.read_bytes(), live(folder)
    noted = 0
    for place in range(0, len(whole), len(whole) // 60 + 1):
        flip(file, place)
        reader = connect(engine.url)
        assert answers(reader) == right, place
        reader.close()
        noted += damage.is_noted(live_before)
        file.write_bytes(whole)
        damage.clear(live_before)
        generations.switch(folder, live_before.name)
    assert noted > 40  # all but what nobody asked for, and the padding between arrays


@pytest.mark.parametrize(
    "harm", [Path.unlink, cut, lambda file: file.write_bytes(b""), lambda file: file.write_bytes(file.read_bytes() * 2)]
)
@pytest.mark.parametrize("name", ["*.arr", "*.toc", "manifest.json"])
def test_a_file_lost_or_of_another_length_is_found_at_opening(
    engine: Engine, folder: Path, name: str, harm: Callable[[Path], object]
) -> None:
    right, before = answers(engine), live(folder)
    harm(next(before.glob(name)))
    reader = connect(engine.url)
    assert answers(reader) == right
    assert live(folder) != before
    reader.close()


def test_what_is_open_already_is_checked_where_it_is_first_used(
    engine: Engine, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    right = answers(engine)
    reader = connect(engine.url)
    reader.search(parse("", per_page=0))
    (file,) = live(folder).glob("*.arr")
    gone = live(folder).name
    whole = file.read_bytes()
    at = whole.index(arrays.Arrays(file)["occ.pos"].tobytes())
    with file.open("r+b") as written:  # the same file, as a failing disk has it
        written.seek(at)
        written.write(bytes([whole[at] ^ 1]))
    assert answers(reader) == right
    assert {record.levelno for record in caplog.records} == {logging.CRITICAL}
    said = caplog.messages[0]
    assert "occ.pos" in said
    assert gone in said
    assert reader.status().damaged == (gone,)
    (listed,) = (one for one in reader.kept() if one.damage)
    assert (listed.name, listed.live) == (gone, False)
    assert "occ.pos" in str(listed.damage)
    reader.close()


def test_other_engines_follow_and_the_damaged_one_is_never_removed(engine: Engine, folder: Path) -> None:
    other = connect(engine.url)
    right = answers(other)
    gone = live(folder)
    cut(next(gone.glob("*.arr")))
    assert answers(other) == right  # it has read that file already
    reader = connect(engine.url)
    assert answers(reader) == right
    assert other.status().generation == reader.status().generation != gone.name
    for _ in range(generations.KEEP + 1):
        reader.rebuild()
        apply(reader, ARTICLES[0])
    assert damage.is_noted(gone)
    assert (gone / "manifest.json").exists()
    assert len(generations.names(folder)) == generations.KEEP
    reader.close()
    other.close()


def test_one_that_another_process_has_noted_and_not_told_of_is_asked_no_more(engine: Engine, folder: Path) -> None:
    right = answers(engine)
    reader = connect(engine.url)
    reader.search(parse("", per_page=0))
    (file,) = live(folder).glob("*.arr")
    at = file.read_bytes().index(arrays.Arrays(file)["occ.pos"].tobytes())
    with file.open("r+b") as written:
        written.seek(at)
        written.write(b"\xff" * 9)
    damage.note(live(folder), "killed after this")
    assert answers(reader) == right
    reader.close()


def test_the_stand_in_is_brought_up_to_date_by_itself(engine: Engine, folder: Path) -> None:
    apply(engine, from_dict({"id": "new", "title": "Tide of today"}), "a0")
    right = answers_of(engine, "tide")
    cut(next(live(folder).glob("*.arr")))
    reader = connect(engine.url)
    reader.status()
    reader.close()  # waits for what it has begun
    reader = connect(engine.url)
    assert reader.status().pending == 0
    assert answers_of(reader, "tide") == right
    reader.close()


def answers_of(engine: Engine, text: str) -> set[str]:
    return {hit.article.id for hit in engine.search(parse(text, per_page=100)).hits}


def test_what_was_taken_away_since_is_never_seen_again(engine: Engine, folder: Path) -> None:
    """Deleted, withdrawn, put under embargo: the generation before still has them, and nobody could catch up."""
    shown = from_dict({"id": "a3", "title": "Withdrawn for an hour", "body": "tide"})
    gone = [
        from_dict({"id": "a1", "title": "ebb", "status": "withdrawn"}),
        from_dict({"id": "a2", "title": "harbour", "embargo_until": "2100-01-01"}),
        from_dict({"id": "a3", "title": "glacier", "status": "withdrawn"}),
    ]
    apply(engine, "a0", *gone)
    apply(engine, shown)
    cut(next(live(folder).glob("*.arr")))
    with lock.hold(folder / "writer.lock", "a test"), mock.patch("search.engines.whoosh.WAIT", 0.01):
        reader = connect(engine.url)
        left = answers_of(reader, "")
        assert left == {one.id for one in ARTICLES} - {"a0", "a1", "a2"}
        assert reader.search(parse("", per_page=0, facets=("section",))).total == len(ARTICLES) - 3
        assert reader.status().pending > 0
        reader.close()


def test_a_writer_that_finds_damage_writes_to_the_next(engine: Engine, folder: Path) -> None:
    before = live(folder)
    (toc,) = before.glob("*.toc")
    flip(toc, 200)
    assert apply(engine, from_dict({"id": "new", "title": "Fresh"})) >= 1
    assert live(folder) != before
    assert answers_of(engine, "fresh") == {"new"}
    assert answers_of(engine, "") == {one.id for one in ARTICLES} | {"new"}


def test_without_another_generation_the_damage_is_said_and_nothing_is_noted(tmp_path: Path) -> None:
    engine = connect(f"whoosh:{tmp_path / 'index'}")
    apply(engine, *ARTICLES)
    right = answers(engine)
    only = live(tmp_path / "index")
    cut(next(only.glob("*.arr")))
    reader = connect(engine.url)
    for _ in range(2):
        with pytest.raises(IndexCorrupt, match="broadsheet reindex"):
            reader.search(parse("tide"))
    assert not damage.is_noted(only)
    reader.rebuild()
    assert answers(reader) == right
    assert only.exists()
    reader.close()
    engine.close()


@pytest.mark.parametrize(("number", "is_damage"), [(errno.EIO, True), (errno.EMFILE, False), (errno.EACCES, False)])
def test_a_disk_that_fails_is_damage_and_a_lack_of_rights_is_none(
    engine: Engine, folder: Path, number: int, is_damage: bool
) -> None:
    right, before = answers(engine), live(folder)
    reader = connect(engine.url)
    read = os.pread
    failing = {path.stat().st_ino for path in before.iterdir()}

    def pread(descriptor: int, size: int, start: int) -> bytes:
        if os.fstat(descriptor).st_ino in failing:
            raise OSError(number, os.strerror(number))
        return read(descriptor, size, start)

    with mock.patch.object(os, "pread", pread):
        if is_damage:
            assert answers(reader) == right
        else:
            with pytest.raises(EngineUnavailable, match=r"ulimit|owner"):
                answers(reader)
    assert damage.is_noted(before) == is_damage
    reader.close()


def test_where_it_cannot_be_noted_nobody_is_told_otherwise(engine: Engine, folder: Path) -> None:
    before = live(folder)
    cut(next(before.glob("*.arr")))
    reader = connect(engine.url)
    refused = OSError(errno.EROFS, "Read-only file system")
    with mock.patch.object(Path, "touch", side_effect=refused), pytest.raises(IndexCorrupt, match=r"\.arr"):
        reader.search(parse("tide"))
    reader.close()


def test_a_full_disk_keeps_nobody_from_noting_it(engine: Engine, folder: Path) -> None:
    right, before = answers(engine), live(folder)
    cut(next(before.glob("*.arr")))
    full = OSError(errno.ENOSPC, "No space left on device")
    reader = connect(engine.url)
    with mock.patch("search.engines.whoosh.durable.write", side_effect=full):
        assert answers(reader) == right
        reader.close()
    assert damage.reason(before) == "damaged"


def test_verify_notes_what_it_finds_and_clears_what_is_whole_again(
    engine: Engine, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    right, before = answers(engine), live(folder)
    (file,) = before.glob("*.arr")
    shutil.copy(file, folder / "copy")
    flip(file, file.stat().st_size - 1)
    (said,) = engine.verify()
    assert file.name in said
    caplog.clear()
    assert engine.verify() == [said]
    assert caplog.messages == []  # the log has it already
    assert live(folder) != before
    assert answers(engine) == right
    shutil.move(folder / "copy", file)
    assert engine.verify() == []
    assert damage.reason(before) is None
    assert live(folder) == before


def test_a_lost_name_of_the_live_one_is_found_again(
    engine: Engine, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    right = answers(engine)
    for content in (b"gone\n", b"", b"\xff\xfe"):
        (folder / "CURRENT").write_bytes(content)
        reader = connect(engine.url)
        caplog.clear()
        assert answers(reader) == right
        assert [text.split(" names ")[0] for text in caplog.messages] == ["CURRENT"]
        apply(reader, ARTICLES[0])
        assert (folder / "CURRENT").read_text().strip() == reader.status().generation
        reader.close()
