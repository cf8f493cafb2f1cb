"""Commands in processes that can be killed, and a reader beside them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from stage import Answer, asked
from test_ending import helpers, is_there, wait_for

from search.engines import Engine, IndexMissing, connect

# Carries out commands, each in a process that is forked when everything is imported: imports take longer than most
# commands, and a kill in them tests nothing.
SERVER = """
import json, os, sys, indexer.cli
from search.cli import main
for order in sys.stdin:
    if child := os.fork():
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    else:
        for number, (name, flags) in enumerate([
            (os.devnull, os.O_RDONLY), ("stdout", os.O_RDWR | os.O_CREAT), ("stderr", os.O_RDWR | os.O_CREAT)
        ]):
            os.dup2(os.open(name, flags | os.O_TRUNC * (number > 0)), number)
        main(json.loads(order))
"""
PAUSE = 0.03  # seconds between two questions of the reader, so that the command has a processor too
NO_INDEX = "no index"  # what a reader is told


class Processes:
    """The command line, one command after another, each in a process of its own that can be killed."""

    def __init__(self, folder: Path) -> None:
        """`folder`: for what they say."""
        self._folder = folder
        self._server = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path or os.curdir for path in sys.path)},
        )
        self._pid = 0

    def begin(self, args: Sequence[str]) -> None:
        assert self._server.stdin
        self._server.stdin.write(json.dumps(list(args)) + "\n")
        self._server.stdin.flush()
        self._pid = self._read()

    def ended(self) -> tuple[int, str, str]:
        """The exit code of what was begun last and what it said, when it has ended."""
        return self._read(), (self._folder / "stdout").read_text(), (self._folder / "stderr").read_text()

    def kill(self, alone: bool) -> tuple[int, str, str]:
        """SIGKILL: to all of its processes, or to it `alone`; those that it started end then by themselves."""
        beside = helpers(self._pid)
        for pid in [self._pid] if alone else [self._pid, *beside]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        ended = self.ended()
        wait_for(lambda: not any(map(is_there, beside)))
        return ended

    def close(self) -> None:
        self._server.kill()
        self._server.communicate()

    def _read(self) -> int:
        assert self._server.stdout
        return int(self._server.stdout.readline())


class Reader(threading.Thread):
    """Asks the same index all the while: each different answer or error, and what it saw accepted of these articles."""

    def __init__(self, url: str, ids: Sequence[str]) -> None:
        super().__init__()
        self._url, self._ids = url, ids
        self._done = threading.Event()
        self.answers: list[Answer | str] = []
        self.accepted: dict[str, str] = {}  # id -> digest

    def run(self) -> None:
        with closing(connect(self._url)) as engine:
            while not self._done.is_set():
                self._ask(engine)
                time.sleep(PAUSE)
            self._ask(engine)

    def _ask(self, engine: Engine) -> None:
        seen: Answer | str
        try:
            seen = asked(engine)
        except IndexMissing:
            seen = NO_INDEX
        except Exception as problem:
            seen = f"{type(problem).__name__}: {problem}"
        if not self.answers or seen != self.answers[-1]:
            self.answers.append(seen)
        with suppress(IndexMissing):
            self.accepted = {id: held.digest for id, held in engine.held(self._ids).items()}

    def end(self) -> None:
        self._done.set()
        self.join()


@contextmanager
def reading(index: Path, ids: Sequence[str]) -> Iterator[Reader]:
    reader = Reader(f"whoosh:{index}", ids)
    reader.start()
    try:
        yield reader
    finally:
        reader.end()
