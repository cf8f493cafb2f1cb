"""What `make growth` found, as a table in Markdown and as a picture."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent.parent / "docs"
MB = 1_000_000
MOST_MEMORY = 2**30  # bytes, of indexing
INK, PALE = "#333333", "#bbbbbb"
LOOKS = (  # of the first curve of a panel, the second, and a bound
    {"color": "#1f6f8b", "marker": "o", "markersize": 3},
    {"color": "#c2571a", "marker": "o", "markersize": 3},
    {"color": "#777777", "linestyle": "--", "linewidth": 1},
)
STYLE = {
    "svg.hashsalt": "growth",  # else names in the file are drawn by lot
    "svg.fonttype": "none",  # text stays text
    "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica", "Arial", "DejaVu Sans"],
    "font.size": 8,
    "text.color": INK,
    "axes.edgecolor": PALE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "grid.color": "#eeeeee",
    "xtick.color": INK,
    "ytick.color": INK,
}
INTRO = """\
# Growth

How speed, size and memory grow with the number of articles: `make growth`, on {cores} cores with Python {python}. The
articles are generated (`tests/generated.py`), {source:,.0f} bytes of JSONL each. Every index is filled by one run of
`index` in a fresh process, and asked by another one: 20 queries of each kind, of each the best of three, with counts by
section and month, ten results and their snippets. The files are in the cache of the system when they are opened. Memory
is PSS of a process and all below it, looked at ten times a second; the most that was seen.
"""

# What the figures say; to be read again when they change.
LIMIT = """
The embedded engine is the right choice up to about a million articles on a machine like this: a common word with its
counts then takes 17 ms, ten thousand new articles a few seconds, and all of it 2.5 GB of disk. Time and memory grow
with the articles, as counts are exact and every match is looked at; what is larger belongs on a cluster.
"""


@dataclass(frozen=True, slots=True)
class Point:
    """An index of so many articles. `source`, `store` and `index` are bytes per article; memory in bytes (PSS)."""

    articles: int
    rate: float  # articles indexed in a second
    source: float
    store: float
    index: float
    segments: int
    indexing: int
    serving: int
    first: float  # seconds from opening the index to the first answer
    p50s: Mapping[str, float]  # seconds


ROWS: Mapping[str, Callable[[Point], str]] = {
    "articles indexed in a second": lambda point: f"{point.rate:,.0f}",
    "bytes per article: store": lambda point: f"{point.store:,.0f}",
    "bytes per article: index": lambda point: f"{point.index:,.0f}",
    "segments": lambda point: str(point.segments),
    "peak memory of indexing, MB": lambda point: f"{point.indexing / MB:,.0f}",
    "peak memory of answering, MB": lambda point: f"{point.serving / MB:,.0f}",
    "first answer after opening, ms": lambda point: f"{point.first * 1000:,.0f}",
}


def table(points: Sequence[Point]) -> str:
    lines = [
        "| | " + " | ".join(f"{point.articles:,}" for point in points) + " |",
        "|---|" + "---:|" * len(points),
        *(f"| {what} | " + " | ".join(map(tell, points)) + " |" for what, tell in ROWS.items()),
    ]
    for kind in points[0].p50s:
        lines.append(f"| {kind}: p50, ms | " + " | ".join(f"{point.p50s[kind] * 1000:.2f}" for point in points) + " |")
    return "\n".join(lines)


def write(points: Sequence[Point]) -> None:
    """docs/growth.md and docs/growth.svg."""
    intro = INTRO.format(cores=os.cpu_count(), python=platform.python_version(), source=points[-1].source)
    text = f"{intro}\n{table(points)}\n\n![The same as curves over the number of articles](growth.svg)\n{LIMIT}"
    (DOCS / "growth.md").write_text(text, encoding="utf-8")
    draw(points, DOCS / "growth.svg")


def draw(points: Sequence[Point], file: Path) -> None:
    """Small multiples over the number of articles; the same figures give the same file."""
    from matplotlib import pyplot, rc_context  # takes a second, and only the picture needs it

    sizes = {"store": [point.store for point in points], "index": [point.index for point in points]}
    memory = {
        "indexing": [point.indexing / MB for point in points],
        "answering": [point.serving / MB for point in points],
        f"at most {MOST_MEMORY / MB:,.0f}": [MOST_MEMORY / MB] * len(points),
    }
    kinds = {kind: [point.p50s[kind] * 1000 for point in points] for kind in points[0].p50s}
    times = [time for curve in kinds.values() for time in curve]
    with rc_context(STYLE):
        figure, grid = pyplot.subplots(3, 4, figsize=(10, 6.5), layout="constrained")
        upper, lower = grid.flat[:4], grid.flat[4:]
        _panel(upper[0], points, "articles indexed in a second", {"": [point.rate for point in points]})
        _panel(upper[1], points, "bytes per article", sizes)
        _panel(upper[2], points, "peak memory, MB", memory)
        _panel(upper[3], points, "first answer, ms", {"": [point.first * 1000 for point in points]})
        for axes, (kind, curve) in zip(lower, kinds.items(), strict=True):
            _panel(axes, points, f"{kind}: p50, ms", {"": curve})
            axes.set_yscale("log")
            axes.set_ylim(min(times) / 1.5, max(times) * 1.5)  # the same for all, so that they compare
            axes.yaxis.set_major_formatter("{x:g}")
            axes.minorticks_off()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        pyplot.close(figure)


def _panel(axes: Any, points: Sequence[Point], title: str, curves: Mapping[str, Sequence[float]]) -> None:
    """Curves from nothing up, each named at its end."""
    articles = [point.articles for point in points]
    for (name, curve), look in zip(curves.items(), LOOKS, strict=False):
        axes.plot(articles, curve, **look)
        axes.annotate(
            name, (articles[-1], curve[-1]), (0, 4), textcoords="offset points", ha="right", color=look["color"]
        )
    axes.set_title(title)
    axes.set_xscale("log")
    axes.set_xticks(articles, [_short(size) for size in articles])
    axes.minorticks_off()
    axes.tick_params(left=False, bottom=False)
    axes.set_ylim(0, 1.2 * max(max(curve) for curve in curves.values()))


def _short(size: int) -> str:
    return f"{size / 1e6:g}M" if size >= 1e6 else f"{size / 1e3:g}k"
