"""`make bench`: the switch as readers see it: the longest answer, the longest pause and the errors under a query load.

A real service answers ten readers over HTTP while the index is rebuilt and gone back with; BENCH_CORPUS and
BENCH_ARTICLES take other articles, as in bench.py. It fails with any error, or with a longer pause than `AT_MOST`.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from urllib.parse import quote, urlsplit

import bench_corpus

COMMAND = [sys.executable, "-c", "from search.cli import main; main()"]
ENVIRON = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}
ARTICLES = 20_000
READERS = 10
THINK = 0.05  # seconds from an answer to the next question of the same reader
QUERIES = 500
QUIET = 10.0  # seconds before anything is rebuilt
REBUILDS, ROLLBACKS = 3, 2
BEFORE, AFTER = 0.5, 2.0  # seconds around a switch that count as it
AT_MOST = 1.0  # seconds without an answer to anybody around a switch


@dataclass(frozen=True)
class Answered:
    """One answer: when it was asked for and when it was there, and what was wrong with it."""

    begun: float
    ended: float
    error: str | None

    @property
    def took(self) -> float:
        return self.ended - self.begun


Span = tuple[float, float]


def main() -> int:
    if len(sys.argv) > 1:
        return _read(*sys.argv[1:])
    if "BENCH_CORPUS" not in os.environ:
        os.environ.setdefault("BENCH_ARTICLES", str(ARTICLES))
    with tempfile.TemporaryDirectory(prefix="broadsheet-switch-") as temporary:
        folder = Path(temporary)
        corpus = folder / "articles.jsonl"
        ids = bench_corpus.write(corpus)
        (folder / "queries.json").write_text(json.dumps(_queries(corpus)))
        _run(folder, "index", corpus)
        with _served(folder) as address, _readers(folder, address) as readers:
            begun = time.time()
            time.sleep(QUIET)
            quiet = (begun + 1, time.time())
            rebuilt = [_span(folder, "reindex", corpus) for _ in range(REBUILDS)]
            gone_back = [_span(folder, "rollback") for _ in range(ROLLBACKS)]
            time.sleep(AFTER)
            readers.communicate("end\n")
        answers = [Answered(*json.loads(line)) for line in (folder / "answers").read_text().splitlines()]
    print(f"{len(ids):,} articles, {READERS} readers, milliseconds\n")
    print(f"{'':28}{'answers':>9}{'errors':>8}{'p50':>8}{'p99':>8}{'longest':>9}{'pause':>8}")
    _show("nothing else", answers, [quiet])
    _show("while it is rebuilt", answers, [(begun, switched - BEFORE) for begun, switched, _ in rebuilt])
    pauses = [
        _show(name, answers, [(switched - BEFORE, switched + AFTER) for _, switched, _ in commands])
        for name, commands in (("around the switch", rebuilt), ("around a rollback", gone_back))
    ]
    switched = [switched - begun for begun, switched, _ in gone_back]
    print(f"\nfrom the command to the switch of a rollback: {max(switched) * 1000:,.0f} ms at most")
    for error in sorted({one.error for one in answers if one.error}):
        print(f"error: {error}")
    return int(max(pauses) > AT_MOST or any(one.error for one in answers))


def _show(name: str, answers: Sequence[Answered], spans: Sequence[Span]) -> float:
    """A row of the answers that were under way then; the longest pause, in seconds."""
    under_way = [[one for one in answers if one.ended >= begin and one.begun <= end] for begin, end in spans]
    all_of_them = [one for each in under_way for one in each]
    took = sorted(one.took for one in all_of_them)
    pause = max(later - sooner for each in under_way for sooner, later in pairwise(sorted(one.ended for one in each)))
    cells = [quantiles(took, n=100)[place] * 1000 for place in (49, 98)] + [took[-1] * 1000, pause * 1000]
    errors = sum(one.error is not None for one in all_of_them)
    print(
        f"{name:28}{len(took):9,}{errors:8,}" + "".join(f"{c:{w}.0f}" for c, w in zip(cells, (8, 8, 9, 8), strict=True))
    )
    return pause


def _queries(corpus: Path) -> list[str]:
    """Two words of a title each."""
    random_ = random.Random(1)
    titles = [row.title.split() for row in bench_corpus.rows(corpus)]
    return [" ".join(random_.sample(words, 2)) for words in random_.choices(titles, k=QUERIES) if len(words) > 1]


def _run(folder: Path, *args: object) -> None:
    subprocess.run(
        [*COMMAND, "--index", f"whoosh:{folder}/index", *map(str, args)], check=True, env=ENVIRON, capture_output=True
    )


def _span(folder: Path, *args: object) -> tuple[float, float, float]:
    """When a command was begun, when it switched, and when it ended."""
    begun = time.time()
    _run(folder, *args)
    return begun, (folder / "index" / "CURRENT").stat().st_mtime, time.time()


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """Host and port of a service."""
    command = [*COMMAND, "--index", f"whoosh:{folder}/index", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRON) as process:
        try:
            assert process.stdout
            yield next(urlsplit(word).netloc for word in process.stdout.readline().split() if word.startswith("http"))
        finally:
            process.terminate()


@contextmanager
def _readers(folder: Path, address: str) -> Iterator[subprocess.Popen[str]]:
    """Readers in a process of their own, until they are told to end."""
    command = [sys.executable, __file__, str(folder), address]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True, env=ENVIRON) as process:
        try:
            yield process
        finally:
            process.kill()


def _read(folder: str, address: str) -> int:
    """What that process does."""
    texts = json.loads(Path(folder, "queries.json").read_text())
    over: list[str] = []

    def ask(number: int) -> list[Answered]:
        random_ = random.Random(number)
        answers = []
        with closing(HTTPConnection(address, timeout=60)) as connection:
            while not over:
                begun, error = time.time(), None
                try:
                    connection.request("GET", f"/api/v1/search?q={quote(random_.choice(texts))}")
                    response = connection.getresponse()
                    body = response.read()
                    error = None if response.status == 200 else f"{response.status}: {body[:200]!r}"
                except (OSError, HTTPException) as problem:
                    error = repr(problem)
                    connection.close()
                answers.append(Answered(begun, time.time(), error))
                time.sleep(THINK)
        return answers

    with ThreadPoolExecutor(READERS) as threads:
        at_work = [threads.submit(ask, number) for number in range(READERS)]
        over.append(sys.stdin.readline())
        answers = [one for each in at_work for one in each.result()]
    lines = (json.dumps([one.begun, one.ended, one.error]) for one in sorted(answers, key=lambda one: one.ended))
    Path(folder, "answers").write_text("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
