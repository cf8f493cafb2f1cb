"""What a disk may refuse: calls of every kind in every command, one at a time; `make soak` refuses each of them."""

from __future__ import annotations

import builtins
import errno
import io
import os
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from scale import SOAK
from stage import HARMLESS, Stage, answer, asked, everything, left_over, run

from search.engines import IndexMissing, connect

SEED = 20261123
CALLS = 3  # of a kind that are refused, of each command
COMMANDS = {
    "index": ("index", "own.jsonl"),
    "reindex": ("reindex", "own.jsonl"),
    "rollback": ("rollback",),
    "rollback RUN": ("rollback", "3"),
    "takedown": ("takedown", "a0040", "--reason", "court order"),
    "takedowns --undo": ("takedowns", "--undo", "a0020"),
    "backup": ("backup", "b.tar"),
    "restore": ("restore", "b.tar", "--force"),
    "verify": ("verify",),
}
# Where a call is found, and with what it is refused: a disk that is full, fails, or may only be read any more.
KINDS = {
    "fsync": ([(os, "fsync")], (errno.ENOSPC, errno.EIO)),
    "rename": ([(os, "rename"), (os, "replace")], (errno.EIO, errno.EROFS, errno.ENOSPC)),
    "write": ([(io, "open"), (builtins, "open"), (os, "pwrite")], (errno.ENOSPC, errno.EROFS, errno.EIO)),
    "read": ([(os, "pread")], (errno.EIO,)),
}
REMEDIES = ("make room", "mount it for writing", "another one", "`broadsheet reindex`", "another place", "again")


class Disk:
    """Counts the calls of a kind, and refuses the one of this number."""

    def __init__(self, kind: str, refused: int) -> None:
        self.calls = 0
        self._refused = refused
        self._places, self._errors = KINDS[kind]

    @contextmanager
    def used(self) -> Iterator[None]:
        with ExitStack() as patched:
            for place, name in self._places:
                patched.enter_context(mock.patch.object(place, name, self._watched(name, getattr(place, name))))
            yield

    def _watched(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            mode = str(options.get("mode", args[1] if len(args) > 1 else "r"))
            if name != "open" or set("wax+") & set(mode):
                self.calls += 1
                if self.calls == self._refused:
                    error = self._errors[self.calls % len(self._errors)]
                    raise OSError(error, os.strerror(error))
            return real(*args, **options)

        return call


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("refused") / "stage")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_refused_is_said_and_costs_nothing(stage: Stage, tmp_path: Path, name: str, kind: str) -> None:
    """The old state or the new one answers, and the same command comes to its end when the disk is well again."""
    folder = tmp_path / "copy"
    index, command = folder / "index", stage.words(COMMANDS[name], folder)

    def done(refused: int) -> tuple[int, Any]:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(stage.folder, folder)
        disk = Disk(kind, refused)
        with closing(connect(f"whoosh:{index}")) as reader:
            assert asked(reader) == answer(stage.before)
            with disk.used():
                result = run(index, *command)
            for engine in (reader, connect(reader.url)):
                with suppress(IndexMissing) if name == "restore" else nullcontext():
                    seen = asked(engine)
                    assert seen in right or (name == "index" and seen == answer(stage.partly(COMMANDS[name], seen)))
                engine.close()
        return disk.calls, result

    right = [answer(stage.before)]
    if name == "rollback":
        right.append(answer(stage.first))
    shutil.copytree(stage.folder, folder)
    assert run(index, *command).exit_code == 0
    with closing(connect(f"whoosh:{index}")) as engine:
        after = everything(engine)
    right.append(answer(after))
    calls, _ = done(0)
    dice = random.Random(f"{SEED} {name} {kind}")
    every = range(1, calls + 1)
    for refused in every if SOAK > 1 else sorted(dice.sample(every, min(CALLS, calls))):
        _, result = done(refused)
        said = result.stderr
        if result.exit_code:  # else it had another way: where a generation cannot be read there are others
            assert isinstance(result.exception, SystemExit), (refused, result.exception)
            assert any(remedy in said for remedy in REMEDIES), (refused, said)
            is_done = "another rollback would go back further" in said or "is not taken down" in said
            again = run(index, *(stage.words(HARMLESS, folder) if is_done else command))
            assert again.exit_code == 0 or "is not taken down" in again.stderr, (refused, said, again.stderr)
        with closing(connect(f"whoosh:{index}")) as engine:
            assert engine.verify() == []  # nor is anything thought to be damaged any more
            engine.catch_up()
            assert everything(engine) == after, (refused, said)
        assert left_over(index) == set()
        assert {path.name for path in folder.iterdir()} == {path.name for path in stage.folder.iterdir()}
