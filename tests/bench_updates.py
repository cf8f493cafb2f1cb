"""`make bench`: what single updates cost: how soon others see a change, how fast the index stays, how soon it opens.

In an index of 50,000 articles; BENCH_CORPUS and BENCH_ARTICLES take others, as in bench.py. It fails beyond `AT_MOST`.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles
from time import monotonic, perf_counter, sleep

import bench_corpus
import bench_fresh
import bench_measure
from bench_fresh import Memory
from bench_ours import Ours

from search import query
from search.article import Article
from search.engines import Engine, Put, connect

ARTICLES = 50_000
WATCHED, UPDATED = 100, 1_000  # changes that another process looks out for; single updates before queries are timed
PATIENCE = 30.0  # seconds that the other process looks out for one
PAUSE = 0.001  # seconds between two looks

FRESHNESS = "seen by others: p95, ms"
FIRST = "first answer, ms"
MEMORY = "memory of answering, MB"
RATIO = "updated / rebuilt"
AT_MOST = {FRESHNESS: 200, FIRST: 300, MEMORY: 250, RATIO: 1.3}


class Updated(Ours):
    name = "updated"


class Rebuilt(Ours):
    name = "rebuilt"


def main() -> int:
    if "BENCH_CORPUS" not in os.environ:
        os.environ.setdefault("BENCH_ARTICLES", str(ARTICLES))
    folder = Path(tempfile.mkdtemp(prefix="broadsheet-updates-"))
    try:
        beyond = _bench(folder)
    finally:
        shutil.rmtree(folder)
    print(f"\n{beyond} of the figures are beyond their bounds" if beyond else "\nall within their bounds")
    return int(beyond > 0)


def _bench(folder: Path) -> int:
    """Measure and print; how many figures are beyond their bounds."""
    index, rebuilt, file = (folder / name for name in ("index", "rebuilt", "articles.jsonl"))
    ids = bench_corpus.write(file)
    random_ = random.Random(5)
    print(f"\n{len(ids):,} articles, in one index; each figure from fresh processes\n", flush=True)
    bench_fresh.run(bench_fresh.index, index, file)
    beyond = _show_serving("as indexed", index, file, len(ids))

    changed = random_.sample(ids, min(WATCHED, len(ids)))
    seconds = bench_fresh.run(_seen, index, changed)
    beyond += _show("seen by others: p50, ms", median(seconds) * 1000)
    beyond += _show(FRESHNESS, quantiles(seconds, n=20, method="inclusive")[-1] * 1000, FRESHNESS)

    changed = random_.sample(ids, min(UPDATED, len(ids)))
    seconds = bench_fresh.run(_update, index, changed)
    beyond += _show("a single update: p50, ms", median(seconds) * 1000)
    beyond += _show_serving(f"after {len(changed):,} updates", index, file, len(ids))

    shutil.copytree(index, rebuilt)
    bench_fresh.run(_rebuild, rebuilt)
    return beyond + _show_ratios(bench_fresh.run(_compare, index, rebuilt, file, len(ids)))


def _show_serving(when: str, index: Path, file: Path, articles: int) -> int:
    queries = bench_fresh.run(bench_fresh.draw, index, file, articles)
    memory = Memory()
    served = bench_fresh.run(bench_fresh.serve, index, queries, memory=memory)
    beyond = _show(f"{FIRST}, {when}", served.first * 1000, FIRST)
    return beyond + _show(f"{MEMORY}, {when}", memory.last / 1e6, MEMORY)


def _show_ratios(p50s: Mapping[str, tuple[float, float]]) -> int:
    print(f"\n{'p50':44}{'updated ms':>12}{'rebuilt ms':>12}{'ratio':>12}")
    return sum(
        _show(f"{kind:44}{updated * 1000:12.2f}{rebuilt * 1000:12.2f}", updated / rebuilt, RATIO)
        for kind, (updated, rebuilt) in p50s.items()
    )


def _show(what: str, figure: float, bound: str = "") -> int:
    """Print a line, marked with what should be where it is beyond its bound; whether it is."""
    at_most = AT_MOST.get(bound, figure)
    print(f"{what:44}{figure:12.2f}" + (f"  <- at most {at_most}" if figure > at_most else ""), flush=True)
    return int(figure > at_most)


# The tasks, each in a process of its own


@contextmanager
def _changing(index: Path, ids: Sequence[str]) -> Iterator[tuple[Engine, int, Sequence[Article]]]:
    with closing(connect(f"whoosh:{index}")) as engine:
        yield engine, engine.begin("bench", ["bench"]), [engine.article(id) for id in ids]


def _seen(index: Path, ids: Sequence[str]) -> list[float]:
    """Change one article after the other; the seconds from each durable row to the answer that another process has."""
    ours, theirs = bench_fresh.SPAWN.Pipe()
    watcher = bench_fresh.SPAWN.Process(target=_watch, args=(theirs, index), daemon=True)  # it ends with this one
    watcher.start()
    theirs.close()
    seconds = []
    with _changing(index, ids) as (engine, run, articles):
        ours.recv()  # it has opened the index
        for number, article in enumerate(articles):
            word = f"zqx{number}"
            ours.send(word)
            engine.accept(run, [Put(replace(article, body=f"{article.body}\n\n{word}"), "bench")])
            accepted = monotonic()
            engine.catch_up()
            seconds.append(ours.recv() - accepted)
    ours.send(None)
    watcher.join()
    return seconds


def _watch(connection: Connection, index: Path) -> None:
    """Ask for each word that is told until it is found, and tell when: the clock is that of the machine."""
    with closing(connect(f"whoosh:{index}")) as engine:
        engine.search(query.parse("anything"))
        connection.send(None)
        for word in iter(connection.recv, None):
            asked, given_up = query.parse(word), monotonic() + PATIENCE
            while not engine.search(asked).total:
                if monotonic() > given_up:
                    raise SystemExit(f"{word} was not found within {PATIENCE} s")
                sleep(PAUSE)
            connection.send(monotonic())


def _update(index: Path, ids: Sequence[str]) -> list[float]:
    """Change one article after the other; the seconds of each."""
    seconds = []
    with _changing(index, ids) as (engine, run, articles):
        for number, article in enumerate(articles):
            changed = replace(article, body=f"{article.body}\n\nUpdate {number}.")
            begun = perf_counter()
            engine.accept(run, [Put(changed, "bench")])
            engine.catch_up()
            seconds.append(perf_counter() - begun)
    return seconds


def _rebuild(index: Path) -> None:
    with closing(connect(f"whoosh:{index}")) as engine:
        engine.rebuild()


def _compare(updated: Path, rebuilt: Path, file: Path, articles: int) -> dict[str, tuple[float, float]]:
    """The p50 of each kind of queries in both, asked by turns."""
    queries = bench_fresh.draw(rebuilt, file, articles)
    engines = Updated(updated), Rebuilt(rebuilt)
    answered = bench_measure.ask(engines, queries)
    left, right = (answered[engine.name] for engine in engines)
    if left.totals != right.totals:
        raise SystemExit("the updated index and the rebuilt one find different articles")
    p50s = [bench_fresh.p50s(queries, answers.times) for answers in (left, right)]
    return {kind: (p50s[0][kind], p50s[1][kind]) for kind in p50s[0]}


if __name__ == "__main__":
    sys.exit(main())
