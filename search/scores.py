"""Judged runs, and what changed between two, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from search import judging, runs
from search.runs import Change, Collection, Compared, Comparison

LABELS = dict(zip(runs.NAMES, judging.FIGURES, strict=True))  # "ndcg@10" -> "nDCG@10"
MEAN = "mean"


def lines(collections: Sequence[Collection], by: str | None = None) -> Iterator[str]:
    """A line a collection and their mean; before them, where a figure is named, each question, the worst first."""
    if by:
        for each in collections:
            yield from _questions(each, by)
    width = max(len(name) for name in (MEAN, *(each.name for each in collections)))
    yield f"{'':{width}}{'questions':>11}{_heads()}"
    for each in collections:
        yield f"{each.name:{width}}{len(each.questions):11,}{_cells(each.mean())}"
    if len(collections) > 1:
        questions = sum(len(each.questions) for each in collections)
        yield f"{MEAN:{width}}{questions:11,}{_cells(runs.mean(collections))}"


def compared(comparison: Comparison, by: str) -> Iterator[str]:
    """Each question whose figure changed, worst loss first; then all the figures of each collection, and their mean."""
    several = len(comparison.collections) > 1
    yield f"{LABELS[by]:>9}{'before':>8}{'after':>8}"
    for change in comparison.mean[by].changes:
        yield _change(change, several)
    if not comparison.mean[by].changes:
        yield "no question changed"
    for name, figures in comparison.collections.items():
        yield from _table(name, figures)
    if several:
        yield from _table(MEAN, comparison.mean)


def _questions(each: Collection, by: str) -> Iterator[str]:
    yield f"{_heads()}  {each.name}"
    for text, figures in sorted(each.questions.items(), key=lambda item: (item[1][by], item[0])):
        yield f"{_cells(figures)}  {text}"
    yield ""


def _change(change: Change, several: bool) -> str:
    where = f"{change.collection}: " if several else ""
    return f"{change.difference:+9.3f}{change.before:8.3f}{change.after:8.3f}  {where}{change.question}"


def _table(name: str, figures: Mapping[str, Compared]) -> Iterator[str]:
    yield ""
    width = max(len(name), *map(len, LABELS.values()))
    yield f"{name:{width}}" + "".join(
        f"{head:>9}" for head in ("before", "after", "change", "better", "worse", "same", "p")
    )
    for figure, one in figures.items():
        means = f"{one.before:9.3f}{one.after:9.3f}{one.after - one.before:+9.3f}"
        yield f"{LABELS[figure]:{width}}{means}{one.better:9,}{one.worse:9,}{one.same:9,}{_chance(one.p):>9}"


def _chance(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else "<0.001"


def _heads() -> str:
    return "".join(f"{label:>{_width(label)}}" for label in LABELS.values())


def _cells(figures: Mapping[str, float]) -> str:
    return "".join(f"{figures[name]:{_width(label)}.3f}" for name, label in LABELS.items())


def _width(label: str) -> int:
    return max(len(label), 5) + 2
