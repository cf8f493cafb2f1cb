"""A disk that fills up, a real one: a small tmpfs, of which each command gets so many bytes and no more."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from stage import HARMLESS, Stage, answer, asked, everything, left_over, run

from search.engines import connect
from search.engines.whoosh import generations

SIZE = 24 * 2**20  # bytes of the disk
PAGE = 4096
STEPS = 6  # between what was too little and what was enough: there a command has done a part of its work
COMMANDS = {
    "index": ("index", "own.jsonl"),
    "index, 3,000 articles": ("index", "many.jsonl"),
    "reindex": ("reindex", "own.jsonl"),
    "rollback": ("rollback",),
    "rollback RUN": ("rollback", "3"),
    "takedown": ("takedown", "a0040", "--reason", "court order"),
    "takedowns --undo": ("takedowns", "--undo", "a0020"),
    "backup": ("backup", "b.tar"),
    "restore": ("restore", "b.tar", "--force"),
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("full") / "stage")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk; test_engine_faults.py plays one that is full for everybody")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def put(stage: Stage, disk: Path) -> Path:
    """The stage on the disk, as it was; the index of it."""
    for path in disk.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(stage.folder, disk, dirs_exist_ok=True)
    return disk / "index"


def fill(disk: Path, room: int) -> Path:
    """Leave so many bytes of it; what takes up the others."""
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(max(0, shutil.disk_usage(disk).free - room)))
    return ballast


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_on_a_full_disk(stage: Stage, disk: Path, name: str) -> None:
    """The old state or the new one answers; once there is room the same command comes to its end, nothing is lost."""
    command = stage.words(COMMANDS[name], disk)
    index = put(stage, disk)
    assert run(index, *command).exit_code == 0
    with closing(connect(f"whoosh:{index}")) as engine:
        after = everything(engine)
    right = [answer(stage.before), answer(after)]
    if name == "rollback":
        right.append(answer(stage.first))

    def comes_to_its_end(room: int) -> bool:
        index = put(stage, disk)
        with closing(connect(f"whoosh:{index}")) as reader:
            assert asked(reader) == right[0]
            ballast = fill(disk, room)
            result = run(index, *command)
            with closing(connect(f"whoosh:{index}")) as fresh:
                for seen in (asked(reader), asked(fresh)):
                    is_part = name.startswith("index") and seen == answer(stage.partly(COMMANDS[name], seen))
                    assert seen in right or is_part
            ballast.unlink()
            if result.exit_code:
                assert result.exit_code == 2
                assert "make room" in result.stderr
                is_back = "another rollback would go back further" in result.stderr
                assert run(index, *(stage.words(HARMLESS, disk) if is_back else command)).exit_code == 0
            assert everything(reader) == after
            assert reader.status().pending == 0
            assert reader.verify() == []
        assert left_over(index) == set()
        assert {path.name for path in disk.iterdir()} == {path.name for path in stage.folder.iterdir()}
        return not result.exit_code

    assert not comes_to_its_end(0)
    enough = PAGE
    while not comes_to_its_end(enough):
        enough *= 2
    for step in range(1, STEPS):
        comes_to_its_end(enough // 2 + step * enough // 2 // STEPS // PAGE * PAGE)


def damaged(index: Path) -> Path:
    """The live generation, no longer as it was written."""
    live = index / generations.FOLDER / generations.current(index)
    for file in live.glob("*.arr"):
        file.write_bytes(file.read_bytes()[:-1])
    return live


def test_damage_on_a_full_disk(stage: Stage, disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Another generation answers all the same; it is brought up to date when there is room."""
    index = put(stage, disk)
    with closing(connect(f"whoosh:{index}")) as running:
        running.held([])  # what SQLite needs beside its file
        live = damaged(index)
        ballast = fill(disk, 0)
        with closing(connect(f"whoosh:{index}")) as reader:
            stand_in = {id: version for id, version in stage.first.items() if id in stage.before}
            assert asked(reader) == answer(stand_in)
        assert f"{live.name} is asked no more" in caplog.text
        ballast.unlink()
        assert run(index, "index", str(disk / "other.jsonl")).exit_code == 0
        with closing(connect(f"whoosh:{index}")) as reader:
            assert everything(reader) == stage.before
    assert live.exists()


def test_who_comes_to_a_disk_without_any_room_is_told_to_make_some(stage: Stage, disk: Path) -> None:
    index = put(stage, disk)
    ballast = fill(disk, 0)
    result = run(index, "status")
    assert result.exit_code == 2
    assert "make room" in result.stderr
    ballast.unlink()
    assert run(index, "status").exit_code == 0
