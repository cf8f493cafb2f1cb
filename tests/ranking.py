"""`make ranking`: how well judged questions are answered, beside tantivy, SQLite FTS5 and stock Whoosh.

BENCH_IR names a folder of judged collections, each a folder with docs.jsonl (or docs.jsonl.xz), queries.jsonl and
qrels.tsv; BENCH_KEEP is that of `prepared.py`.
"""

from __future__ import annotations

import json
import lzma
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from peers import PEERS
from prepared import OURS, Prepared, kept

from search import judging
from search.judging import Figures, Question

COLLECTIONS = Path(os.environ.get("BENCH_IR", Path(__file__).parents[2] / "shared" / "corpora" / "ir"))
GOALS = {"cranfield": 0.505, "cacm": 0.488, "med": 0.708, "npl": 0.439}  # nDCG@10: the best known of other programs
GOAL = 0.562  # of their mean


class Collection(NamedTuple):
    """A judged collection, indexed."""

    name: str
    articles: Prepared
    questions: list[Question]

    def judge(self) -> Figures:
        """How well we do."""
        return self._figures(self.articles.ask(self._texts))

    def judge_peers(self) -> dict[str, Figures]:
        """How well the others do, with the words of the question and the weights that they come with."""
        return {peer.name: self._figures(self.articles.ask_peer(peer, self._texts)[0]) for peer in PEERS}

    @property
    def _texts(self) -> list[str]:
        return [question.text for question in self.questions]

    def _figures(self, answers: Mapping[str, list[str]]) -> Figures:
        return judging.mean([judging.judged(question, answers[question.text]) for question in self.questions])


def prepare(keep: Path, collections: Path = COLLECTIONS) -> dict[str, Collection]:
    """Every judged collection of the folder by its name, those with a goal first."""
    named = {path.parent.name: path.parent for path in collections.glob("*/qrels.tsv")}
    order = [*(name for name in GOALS if name in named), *sorted(named.keys() - GOALS.keys())]
    return {name: _prepared(named[name], keep / name) for name in order}


def _prepared(source: Path, keep: Path) -> Collection:
    keep.mkdir(parents=True, exist_ok=True)
    file = keep / "articles.jsonl"
    if not file.exists():
        file.write_text("".join(json.dumps(_article(document)) + "\n" for document in _documents(source)))
    return Collection(source.name, Prepared(file, keep), judging.read(source))


def _documents(source: Path) -> Iterator[dict[str, Any]]:
    packed = source / "docs.jsonl.xz"
    with lzma.open(packed, "rt") if packed.exists() else (source / "docs.jsonl").open() as lines:
        yield from map(json.loads, lines)


def _article(document: dict[str, Any]) -> dict[str, Any]:
    """As it stands, and its keywords as tags: a publisher would call them so."""
    keywords = document.pop("keywords", "")
    return document | {"tags": [word.strip() for word in keywords.split(",")]}


def main() -> int:
    if not COLLECTIONS.is_dir():
        sys.exit(f"there is no folder {COLLECTIONS}: name one with judged collections, BENCH_IR=FOLDER make ranking")
    with kept() as keep:
        missed = _show(prepare(keep))
    return int(bool(missed))


def _show(collections: Mapping[str, Collection]) -> list[str]:
    names = [OURS, *(peer.name for peer in PEERS)]
    print(
        f"{'nDCG@10':12}{'questions':>10}" + "".join(f"{name:>12}" for name in names) + f"{'MAP':>14}{'recall@100':>12}"
    )
    ndcgs: dict[str, list[float]] = {name: [] for name in names}
    missed = []
    for name, collection in collections.items():
        ours = collection.judge()
        figures = {OURS: ours, **collection.judge_peers()}
        cells = "".join(f"{figures[engine].ndcg:12.3f}" for engine in names)
        line = f"{name:12}{ours.questions:10}{cells}{ours.map:14.3f}{ours.recall:12.3f}"
        if name in GOALS:
            for engine in names:
                ndcgs[engine].append(figures[engine].ndcg)
            least = max(GOALS[name], *(figures[engine].ndcg for engine in names))
            if ours.ndcg < least:
                missed.append(name)
                line += f"  <- at least {least:.3f}"
        print(line, flush=True)
        collection.articles.close()
    if len(ndcgs[OURS]) == len(GOALS):
        line = f"{f'mean of {len(GOALS)}':22}" + "".join(f"{fmean(ndcgs[engine]):12.3f}" for engine in names)
        if fmean(ndcgs[OURS]) < GOAL:
            missed.append("mean")
            line += f"  <- at least {GOAL}"
        print(line)
    return missed


if __name__ == "__main__":
    sys.exit(main())
