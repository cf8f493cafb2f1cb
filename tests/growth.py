"""`make growth`: how speed, size and memory grow with the number of articles; it fails where they grow too much.

GROWTH_SIZES=1000,2000 takes other numbers of generated articles. `python tests/growth.py --write` writes the table to
docs/growth.md and draws docs/growth.svg. Each index is made in a temporary folder (TMPDIR), which takes some 8 GB for a
million articles, and is removed before the next.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

import bench_fresh
import generated
import growth_report
from bench_fresh import Memory
from growth_report import Point

from search.article import Article, to_json
from search.engines import connect

SIZES = "10000,50000,250000,1000000"
EACH = 20  # queries of a kind
BASE, HELD = 50_000, 0.8  # the greatest index is filled at this share of the rate of this one, at least


def main(arguments: Sequence[str]) -> int:
    if list(arguments) not in ([], ["--write"]):
        raise SystemExit("usage: python tests/growth.py [--write]")
    sizes = sorted({int(size) for size in os.environ.get("GROWTH_SIZES", SIZES).split(",")})
    points = list(_points(sizes))
    print(growth_report.table(points))
    if arguments:
        growth_report.write(points)
    failed = _failed(points)
    marked = [f"<- {problem}" for problem in failed] or ["all within their bounds"]
    print("", *marked, sep="\n")
    return int(bool(failed))


def _points(sizes: Sequence[int]) -> Iterator[Point]:
    """One file grows from size to size, and is indexed anew each time."""
    folder = Path(tempfile.mkdtemp(prefix="broadsheet-growth-"))
    file = folder / "articles.jsonl"
    articles = generated.articles(sizes[-1])
    written = 0
    try:
        for size in sizes:
            _append(file, islice(articles, size - written))
            written = size
            point = _measure(folder / "index", file, size)
            shutil.rmtree(folder / "index")
            print(growth_report.table([point]), file=sys.stderr, flush=True)
            yield point
    finally:
        shutil.rmtree(folder)


def _append(file: Path, articles: Iterator[Article]) -> None:
    with file.open("a", encoding="utf-8") as lines:
        lines.writelines(to_json(article) + "\n" for article in articles)
    os.sync()  # it is not to be written while the index is


def _measure(folder: Path, file: Path, size: int) -> Point:
    indexing, serving = Memory(), Memory()
    seconds = bench_fresh.run(bench_fresh.index, folder, file, memory=indexing)
    files = [path for path in folder.rglob("*") if path.is_file()]
    store = sum(path.stat().st_size for path in files if path.name.startswith("articles.db"))
    queries = bench_fresh.run(bench_fresh.draw, folder, file, size, EACH)
    served = bench_fresh.run(bench_fresh.serve, folder, queries, memory=serving)
    return Point(
        articles=size,
        rate=size / seconds,
        source=file.stat().st_size / size,
        store=store / size,
        index=(sum(path.stat().st_size for path in files) - store) / size,
        segments=bench_fresh.run(_segments, folder),
        indexing=indexing.peak,
        serving=serving.peak,
        first=served.first,
        p50s=served.p50s,
    )


def _segments(folder: Path) -> int:
    with closing(connect(f"whoosh:{folder}")) as engine:
        return engine.status().segments


def _failed(points: Sequence[Point]) -> list[str]:
    """What is not as it should be."""
    failed = [
        f"indexing {point.articles:,} articles took {point.indexing / growth_report.MB:,.0f} MB,"
        f" at most {growth_report.MOST_MEMORY / growth_report.MB:,.0f}"
        for point in points
        if point.indexing > growth_report.MOST_MEMORY
    ]
    rates = {point.articles: point.rate for point in points}
    greatest = max(rates)
    if BASE not in rates or greatest == BASE:
        print(f"\nthe rate is compared with that at {BASE:,} articles, which is not asked for")
    elif rates[greatest] < HELD * rates[BASE]:
        share = rates[greatest] / rates[BASE]
        failed.append(f"the rate at {greatest:,} articles is {share:.2f} of that at {BASE:,}, at least {HELD}")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
