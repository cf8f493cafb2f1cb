"""`make bench`: our engine against tantivy, SQLite FTS5 and stock Whoosh, the same work in one process, as ratios.

BENCH_CORPUS=file.jsonl takes other articles than generated ones, BENCH_ARTICLES=n so many of them, BENCH_ENGINES=a,b
not all of `RIVALS`. A query goes from the reader's text to the top ten, the exact total, the counts by section and by
month, and ten snippets. It fails where a ratio is beyond `AT_MOST`; the measured ones stand in docs/figures.md.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from statistics import geometric_mean, median, quantiles

import bench_corpus
import bench_measure
import bench_queries
from bench_fts5 import Fts5
from bench_measure import Answered, Built
from bench_ours import Ours
from bench_queries import Asked, Engine
from bench_stock import Stock
from bench_tantivy import Tantivy, TwoThreads

RIVALS: Mapping[str, Sequence[type[Engine]]] = {"tantivy": (Tantivy, TwoThreads), "fts5": (Fts5,), "stock": (Stock,)}
TAKEN_DOWN = 100  # articles, before anything is asked

# What is measured, and against whom -> ours / theirs at most. `mean`: geometric, of the p50 of all kinds of queries.
AT_MOST = {
    ("time to index", "tantivy"): 1.0,
    ("time to index", "stock Whoosh"): 0.067,
    ("size on disk", "tantivy"): 1.3,
    ("p50", "tantivy"): 1.0,
    ("p95", "tantivy"): 1.5,
    ("mean", "tantivy"): 0.7,
    ("mean", "FTS5"): 0.5,
    ("mean", "stock Whoosh"): 0.02,
}
Ratios = dict[tuple[str, str], float]  # by the same keys


def main() -> int:
    names = os.environ.get("BENCH_ENGINES", ",".join(RIVALS)).split(",")
    folder = Path(tempfile.mkdtemp(prefix="broadsheet-bench-"))
    try:
        return int(_bench(folder, [rival for name in names for rival in RIVALS[name]]) > 0)
    finally:
        shutil.rmtree(folder)


def _bench(folder: Path, rivals: Sequence[type[Engine]]) -> int:
    """Measure and print; how many ratios are beyond their bounds."""
    file = folder / "articles.jsonl"
    ids = bench_corpus.write(file)
    print(f"{len(ids):,} articles, {file.stat().st_size / 1e6:.0f} MB of JSONL; ratios are ours / theirs\n", flush=True)
    kinds: list[type[Engine]] = [Ours, *rivals]
    engines = [kind(folder / kind.__name__) for kind in kinds]
    built = {engine.name: bench_measure.build(engine, file, folder / type(engine).__name__) for engine in engines}
    engines = [engine for engine in engines if engine.is_asked]
    beyond = _show_indexing(built, len(ids))
    taken_down = random.Random(5).sample(ids, min(TAKEN_DOWN, len(ids) // 2))
    for engine in engines:
        engine.remove(taken_down)
    queries = bench_queries.draw(file, len(ids), [engine for engine in engines if isinstance(engine, Ours | Tantivy)])
    how = f"{bench_queries.EACH} queries of a kind, of each the best of {bench_measure.ROUNDS}"
    print(f"\n{len(taken_down)} articles taken down; {how}\n", flush=True)
    beyond += _show_queries(queries, bench_measure.ask(engines, queries))
    for engine in engines:
        engine.close()
    print(f"\n{beyond} of the ratios are beyond their bounds" if beyond else "\nall within their bounds")
    return beyond


def _show_indexing(built: Mapping[str, Built], articles: int) -> int:
    print(f"{'indexing':24}{'articles/s':>12}{'MB':>12}{'time ratio':>12}{'disk ratio':>12}")
    ours = built[Ours.name]
    beyond = 0
    for name, index in built.items():
        seconds, size = ours.seconds / index.seconds, ours.size / index.size
        line = f"{name:24}{articles / index.seconds:12,.0f}{index.size / 1e6:12.1f}{seconds:12.3f}{size:12.3f}"
        beyond += _show(line, {("time to index", name): seconds, ("size on disk", name): size})
    return beyond


def _show_queries(queries: Sequence[Asked], answered: Mapping[str, Answered]) -> int:
    """A table of times, the means, and a table of totals, which show that the same was asked."""
    bounded = [key for key in AT_MOST if key[0] in ("p50", "p95") and key[1] in answered]
    heads = [*(f"{what}/{whom}" for what, whom in bounded), *(f"{name} ms" for name in answered)]
    print(f"{'p50':24}" + "".join(f"{head:>17}" for head in heads))
    beyond = 0
    p50s: dict[str, list[float]] = {name: [] for name in answered}
    totals = []
    for kind, group in groupby(queries, key=lambda asked: asked.kind):
        alike = list(group)
        times = {name: [answers.times[asked] for asked in alike] for name, answers in answered.items()}
        ratios = _ratios(times)
        shown = [*(ratios[key] for key in bounded), *(median(taken) * 1000 for taken in times.values())]
        beyond += _show(f"{kind:24}" + "".join(f"{cell:17.3f}" for cell in shown), ratios)
        for name in answered:
            p50s[name].append(ratios["p50", name])
        found = (median(answers.totals[asked] for asked in alike) for answers in answered.values())
        totals.append(f"{kind:24}" + "".join(f"{total:17,.0f}" for total in found))
    print("\ngeometric mean of the ratios of p50")
    for name in list(answered)[1:]:
        mean = geometric_mean(p50s[name])
        beyond += _show(f"{name:24}{mean:17.3f}", {("mean", name): mean})
    print(f"\n{'median total':24}" + "".join(f"{name:>17}" for name in answered), *totals, sep="\n")
    return beyond


def _ratios(times: Mapping[str, Sequence[float]]) -> Ratios:
    ours = times[Ours.name]
    halves = {("p50", name): median(ours) / median(theirs) for name, theirs in times.items()}
    return halves | {("p95", name): _p95(ours) / _p95(theirs) for name, theirs in times.items()}


def _p95(times: Sequence[float]) -> float:
    return quantiles(times, n=20, method="inclusive")[-1]


def _show(line: str, ratios: Ratios) -> int:
    """Print a line, marked with what should be where a ratio in it is beyond its bound; how many are."""
    missed = [f"{key[0]} at most {AT_MOST[key]}" for key, ratio in ratios.items() if ratio > AT_MOST.get(key, ratio)]
    print(line + (f"  <- {', '.join(missed)}" if missed else ""), flush=True)
    return len(missed)


if __name__ == "__main__":
    sys.exit(main())
