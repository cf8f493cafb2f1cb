"""Kill commands at random moments: processes that can be killed, a reader beside them, what a folder may then hold."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from test_ending import helpers, is_there, wait_for

from search.engines import Engine, IndexMissing, connect
from search.engines.whoosh import contents, generations
from search.query import parse

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
NEWEST, PAGE = 20, 100
NO_INDEX = "no index"  # what a reader is told

State = dict[str, str]  # the id of each article that readers see -> its version
Answer = tuple[int, tuple[tuple[str, int], ...], tuple[tuple[str, str], ...]]


def line(id: str, version: str) -> str:
    """An article of the test's: its title and its section say which version it is, and its date where it stands."""
    day, hour = divmod(int(id[1:]), 24)
    return json.dumps(
        {
            "id": id,
            "url": f"https://paper.example/{id}",
            "title": f"Tide {id} {version}",
            "section": version,
            "body": f"High water of {id} in the harbour, low water in the evening. " * 2,
            "published": f"{2000 + day // 300}-{day % 300 // 25 + 1:02}-{day % 25 + 1:02}T{hour:02}:00:00Z",
        }
    )


def answer(state: State) -> Answer:
    """What readers are answered in that state: how many, by version, and the newest."""
    newest = sorted(state.items(), key=lambda item: int(item[0][1:]), reverse=True)[:NEWEST]
    return len(state), tuple(sorted(Counter(state.values()).items())), tuple(newest)


def asked(engine: Engine) -> Answer:
    """What a reader is answered."""
    found = engine.search(parse("tide", per_page=NEWEST, sort="newest", facets=("section",)))
    for hit in found.hits:
        assert hit.article.title == f"Tide {hit.article.id} {hit.article.section}"
    counts = {value.value: value.count for value in found.facets["section"].values if value.count}
    return (
        found.total,
        tuple(sorted(counts.items())),
        tuple((hit.article.id, hit.article.section) for hit in found.hits),
    )


def everything(engine: Engine) -> State:
    """Every article that readers see; none comes twice."""
    seen: list[tuple[str, str]] = []
    page = 1
    while hits := engine.search(parse("tide", page=page, per_page=PAGE, sort="newest")).hits:
        seen += [(hit.article.id, hit.article.section or "") for hit in hits]
        page += 1
    state = dict(seen)
    assert len(state) == len(seen), [id for id, count in Counter(id for id, _ in seen).items() if count > 1]
    return state


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


FILES = {
    "articles.db",
    "articles.db-wal",
    "articles.db-shm",
    "CURRENT",
    "epoch",
    "building",
    "generations",
    "visits.db",
}
LOCKS = {"writer.lock", "rebuild.lock", "takedowns.lock", "runs.lock"}


def left_over(folder: Path) -> set[str]:
    """What lies there and belongs to nothing."""
    left = {path.name for path in folder.iterdir()} - FILES - LOCKS
    left -= {path.name for path in folder.glob("articles.db.before-*")}  # for ops to remove
    left |= {f"building/{path.name}" for path in (folder / "building").glob("*")}
    for generation in (folder / "generations").iterdir():
        if not (generation / generations.MANIFEST).exists():
            left.add(generation.name)
            continue
        manifest = generations.check(generation)
        assert manifest.last == contents.applied(generation)
        named = {*manifest.files, generations.MANIFEST}
        left |= {f"{generation.name}/{path.name}" for path in generation.iterdir() if path.name not in named}
    return left
