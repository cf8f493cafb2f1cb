"""`make ranking`, its second half: is an article found by what a reader remembers of it?

BENCH_CORPUS=file.jsonl names the articles, else they are generated; BENCH_KEEP is that of `prepared.py`. `--verbose`
shows what is not found, `--seed 2` draws other articles and words.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from itertools import compress, repeat
from pathlib import Path
from statistics import fmean

import bench_corpus
import remembered
from peers import PEERS
from prepared import OURS, Answers, Prepared, digest, kept
from remembered import SEED, Item, same_titles

from search.article import Article

TITLE_WEIGHTS = (1, 3, 8)  # the others are given the best one
TOP = 3
AT_LEAST = 0.95  # success@3


class Found:
    """At which rank each item was found; an article of the same title is the same, as agencies file stories twice."""

    def __init__(self, items: Sequence[Item], answers: Answers, titles: Mapping[str, str]) -> None:
        self.answers = answers
        self.ranks = [_rank(item, answers[item.query], titles) for item in items]

    def success(self, top: int, among: Iterable[bool] = repeat(True)) -> float:
        """The share of the items, or of those among them that are meant, that stand among the first `top`."""
        return fmean(rank is not None and rank <= top for rank in compress(self.ranks, among))

    @property
    def mrr(self) -> float:
        """The mean of 1 / rank."""
        return fmean(1 / rank if rank else 0.0 for rank in self.ranks)


def _rank(item: Item, ids: Sequence[str], titles: Mapping[str, str]) -> int | None:
    return next((rank for rank, id in enumerate(ids, 1) if titles[id] == titles[item.id]), None)


def main() -> int:
    reader = ArgumentParser()
    reader.add_argument("--seed", type=int, default=SEED, help="another draw, to see what a change does to it")
    reader.add_argument("--verbose", action="store_true", help="show what is not found")
    asked = reader.parse_args()
    named = os.environ.get("BENCH_CORPUS")
    if named and not Path(named).is_file():
        sys.exit(f"there is no file {named}: BENCH_CORPUS names articles as JSONL")
    with kept() as keep:
        folder = keep / "known-items"
        folder.mkdir(parents=True, exist_ok=True)
        file = Path(named or folder / "articles.jsonl")
        if not file.exists():
            bench_corpus.write(file)
        found = _show(Prepared(file, folder), asked.seed, asked.verbose)
    return int(found[OURS].success(TOP) < max(AT_LEAST, *(other.success(TOP) for other in found.values())))


def drawn(prepared: Prepared, articles: Sequence[Article], seed: int = SEED) -> list[Item]:
    """The items of these articles; drawn once, as that takes longer than to ask for them."""
    how = digest(Path(remembered.__file__).read_bytes())
    made = prepared.once("items", [seed, how], lambda: [astuple(item) for item in remembered.draw(articles, seed=seed)])
    return [Item(query, id, tuple(words), wrong) for query, id, words, wrong in made]


def measure(prepared: Prepared, items: Sequence[Item], articles: Sequence[Article]) -> dict[str, Found]:
    """Where we find the items, and where each of the others does, by its name and the best weight of the title."""
    titles = same_titles(articles)
    texts = [item.query for item in items]
    found = {OURS: Found(items, prepared.ask(texts), titles)}
    for peer in PEERS:
        answers = prepared.ask_peer(peer, texts, TITLE_WEIGHTS)
        by_weight = {w: Found(items, asked, titles) for w, asked in zip(TITLE_WEIGHTS, answers, strict=True)}
        best = max(by_weight, key=lambda weight: by_weight[weight].success(TOP))
        found[f"{peer.name}, title x {best}"] = by_weight[best]
    return found


def _show(prepared: Prepared, seed: int, verbose: bool) -> dict[str, Found]:
    articles = prepared.articles()
    items = drawn(prepared, articles, seed)
    found = measure(prepared, items, articles)
    prepared.close()
    if verbose:
        _show_misses(items, found, {article.id: article.title for article in articles})
    wrong = [item.wrong is not None for item in items]
    print(f"{len(items)} of {len(articles):,} articles, remembered; {sum(wrong)} with a wrong word\n")
    heads = ("success@1", "success@3", "MRR", "@3, all right", "@3, one wrong")
    print(f"{'':20}" + "".join(f"{head:>15}" for head in heads))
    for name, row in found.items():
        figures = (
            row.success(1),
            row.success(TOP),
            row.mrr,
            row.success(TOP, [not w for w in wrong]),
            row.success(TOP, wrong),
        )
        print(f"{name:20}" + "".join(f"{figure:15.3f}" for figure in figures))
    return found


def _show_misses(items: Sequence[Item], found: Mapping[str, Found], titles: Mapping[str, str]) -> None:
    """Each item that we do not find: its rank with everyone, the title that was meant and those that we put first."""
    for number, item in enumerate(items):
        ours = found[OURS].ranks[number]
        if ours is None or ours > TOP:
            ranks = ", ".join(f"{name} {row.ranks[number] or 'not at all'}" for name, row in found.items())
            print(f"{item.query}" + (f"  (wrong: {item.wrong})" if item.wrong else ""))
            print(f"    {ranks}")
            print(f"    meant: {titles[item.id]}  [{item.id}]")
            for id in found[OURS].answers[item.query][:TOP]:
                print(f"    found: {titles[id]}  [{id}]")
            print()


if __name__ == "__main__":
    sys.exit(main())
