"""Generations: the switch is one step that lasts, and what lies there is checked."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from search.engines import EngineUnavailable, IndexCorrupt, IndexMissing
from search.engines.whoosh import damage, durable, generations
from search.engines.whoosh.generations import Epoch, Manifest


def complete(folder, content=b"postings"):
    """A new generation that holds one file."""
    generation = generations.create(folder)
    durable.write(generation / "segment", content)
    files = generations.measure(generation, ["segment"])
    generations.write_manifest(generation, Manifest(datetime(2025, 8, 6, tzinfo=UTC), 7, 3, files))
    return generation


def test_a_new_folder_is_its_owners_alone(tmp_path):
    generation = generations.create(tmp_path)
    assert generation.stat().st_mode & 0o777 == 0o700
    assert generation.parent.stat().st_mode & 0o777 == 0o700


def test_without_current_there_is_no_index(tmp_path):
    with pytest.raises(IndexMissing, match="broadsheet index"):
        generations.current(tmp_path)


def test_current_is_what_was_switched_to(tmp_path):
    first, second = complete(tmp_path), complete(tmp_path)
    for generation in (first, second, first):
        generations.switch(tmp_path, generation.name)
        assert generations.current(tmp_path) == generation.name


@pytest.mark.parametrize("content", [b"20250806T000000-abc\n", b"", b"../../etc\n", b"\xff\xfe"])
def test_current_that_names_nothing_is_the_newest_that_is_whole(tmp_path, content):
    whole, damaged = complete(tmp_path), complete(tmp_path)
    damage.note(damaged, "a byte")
    (tmp_path / "CURRENT").write_bytes(content)
    assert generations.current(tmp_path) == whole.name
    damage.note(whole, "a byte")
    with pytest.raises(IndexCorrupt, match="CURRENT"):
        generations.current(tmp_path)


def test_no_switch_to_what_is_half_made(tmp_path):
    live = complete(tmp_path)
    generations.switch(tmp_path, live.name)
    half = generations.create(tmp_path)
    with pytest.raises(IndexCorrupt, match="no complete generation"):
        generations.switch(tmp_path, half.name)
    assert generations.current(tmp_path) == live.name


def test_the_switch_lasts(tmp_path, monkeypatch):
    """fsync of the file before the rename, of the folder after it: else a power cut can lose either."""
    generation = complete(tmp_path)
    steps = []
    sync, rename = os.fsync, Path.rename

    def watched_sync(descriptor):
        steps.append(("fsync", Path(f"/proc/self/fd/{descriptor}").readlink().name))
        sync(descriptor)

    def watched_rename(self, target):
        steps.append(("rename", self.name))
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", watched_sync)
    monkeypatch.setattr(Path, "rename", watched_rename)
    generations.switch(tmp_path, generation.name)
    assert steps == [("fsync", "CURRENT.new"), ("rename", "CURRENT.new"), ("fsync", tmp_path.name)]


def test_a_manifest_comes_back(tmp_path):
    generation = complete(tmp_path)
    manifest = generations.read_manifest(generation)
    assert (manifest.last, manifest.articles, manifest.created.year) == (7, 3, 2025)
    assert generations.check(generation) == manifest


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (lambda path: path.unlink(), IndexCorrupt),
        (lambda path: path.write_text("{"), IndexCorrupt),
        (lambda path: path.write_text("[]"), IndexCorrupt),
        (lambda path: path.write_text(f'{{"format": {generations.FORMAT}}}'), IndexCorrupt),
        (lambda path: path.write_text('{"format": 99}'), EngineUnavailable),
    ],
)
def test_a_manifest_that_cannot_be_read(tmp_path, damage, kind):
    generation = complete(tmp_path)
    damage(generation / "manifest.json")
    with pytest.raises(kind, match="reindex"):
        generations.read_manifest(generation)


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"posting?"), lambda path: path.unlink()])
def test_a_damaged_file_is_named(tmp_path, damage):
    generation = complete(tmp_path)
    damage(generation / "segment")
    with pytest.raises(IndexCorrupt, match="segment"):
        generations.check(generation)


def test_known_files_are_not_measured_again(tmp_path):
    generation = complete(tmp_path)
    known = generations.read_manifest(generation).files
    (generation / "segment").unlink()
    durable.write(generation / "more", b"more")
    assert set(generations.measure(generation, ["segment", "more"], known)) == {"segment", "more"}


def test_prune_keeps_the_newest_and_the_live_one(tmp_path):
    names = [complete(tmp_path).name for _ in range(5)]
    generations.switch(tmp_path, names[0])
    assert generations.prune(tmp_path, keep=3) == names[1:3]
    assert generations.names(tmp_path) == [names[0], *names[3:]]
    assert generations.prune(tmp_path, keep=1) == names[3:]
    assert generations.names(tmp_path) == [names[0]]


def test_sweep_takes_what_is_half_made_and_nothing_else(tmp_path):
    whole, half = complete(tmp_path), generations.create(tmp_path)
    (half / "segment").write_bytes(b"post")
    assert generations.sweep(tmp_path) == [half.name]
    assert generations.names(tmp_path) == [whole.name]


def test_prune_keeps_what_was_live_before(tmp_path):
    """After a rollback, those that were given up are newer."""
    first, second, third = (complete(tmp_path).name for _ in range(3))
    live = complete(tmp_path)
    manifest = generations.read_manifest(live)
    generations.write_manifest(live, replace(manifest, previous=first))
    generations.switch(tmp_path, live.name)
    assert generations.prune(tmp_path, keep=3) == [second]
    assert generations.names(tmp_path) == [first, third, live.name]
    assert generations.before(tmp_path) == first


def test_prune_leaves_one_that_is_being_filled(tmp_path):
    generations.switch(tmp_path, complete(tmp_path).name)
    half = generations.create(tmp_path)
    generations.prune(tmp_path, keep=1)
    assert half.is_dir()


BUMP = """
import sys
from pathlib import Path
from search.engines.whoosh.generations import Epoch
epoch = Epoch(Path(sys.argv[1]))
for _ in range(200):
    epoch.bump()
"""


def test_every_process_sees_every_bump(tmp_path):
    epoch = Epoch(tmp_path)
    assert epoch.read() == 0
    processes = [subprocess.Popen([sys.executable, "-c", BUMP, tmp_path]) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert epoch.read() == 600
    assert epoch.bump() == 601
    epoch.close()


def test_the_epoch_outlives_its_readers(tmp_path):
    first = Epoch(tmp_path)
    first.bump()
    first.close()
    second = Epoch(tmp_path)
    assert second.read() == 1
    second.close()


def test_no_epoch_without_a_folder(tmp_path):
    with pytest.raises(IndexMissing):
        Epoch(tmp_path / "none")
