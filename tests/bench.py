"""`make bench`: our engine against stock Whoosh, the same work in one run; prints ratios, fails beyond the bounds.

BENCH_CORPUS=file.jsonl takes other articles than generated ones, BENCH_ARTICLES=n so many of them. A query goes from
the reader's text to the top ten, the exact total, the counts by section and by month, and ten highlighted snippets.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from statistics import geometric_mean, median
from typing import Any

import generated
from whoosh import fields, highlight, index, qparser, sorting
from whoosh.analysis import StemmingAnalyzer

from indexer import sources
from search import analysis, query
from search.answer import answer
from search.article import Article
from search.engines import Engine, Put, connect

COUNT = int(os.environ.get("BENCH_ARTICLES", "4000"))
EACH = 12  # queries of a kind, each asked three times; the best counts
# What the figures may be at most, as shares of stock Whoosh's time; the measured ones stand in docs/figures.md.
MOST_INDEXING, MOST_QUERY = 0.5, 0.5


def main() -> int:
    articles = _articles()
    asked = _queries(articles)
    folder = Path(tempfile.mkdtemp(prefix="broadsheet-bench-"))
    try:
        ours, our_indexing = _timed(lambda: _index_ours(folder / "ours", articles))
        stock, stock_indexing = _timed(lambda: _index_stock(folder / "stock", articles))
        print(f"{len(articles):,} articles, {EACH} queries of each kind; time of ours / time of stock Whoosh")
        indexing = our_indexing / stock_indexing
        rates = f"{len(articles) / our_indexing:,.0f} and {len(articles) / stock_indexing:,.0f} articles/s"
        print(f"{'indexing':14}{indexing:8.3f}   {rates}")
        searcher = stock.searcher()
        parser = qparser.MultifieldParser(["title", "body"], stock.schema)
        ratios = []
        for kind, texts in asked.items():
            mine = [_best(lambda text=text: answer(ours, query.parse(text))) for text in texts]
            theirs = [_best(lambda text=text: _ask_stock(searcher, parser.parse(text))) for text in texts]
            ratios.append(median(mine) / median(theirs))
            print(f"{kind:14}{ratios[-1]:8.3f}   p50 {median(mine) * 1000:.2f} and {median(theirs) * 1000:.2f} ms")
        mean = geometric_mean(ratios)
        print(f"{'mean':14}{mean:8.3f}   geometric, of all kinds")
        searcher.close()
        ours.close()
    finally:
        shutil.rmtree(folder)
    return int(indexing > MOST_INDEXING or mean > MOST_QUERY)


def _articles() -> list[Article]:
    corpus = os.environ.get("BENCH_CORPUS")
    if not corpus:
        return list(generated.articles(COUNT))
    read = (item.article for item in sources.read([corpus]) if isinstance(item, sources.Read))
    return list(islice(read, COUNT))


def _queries(articles: Sequence[Article]) -> dict[str, list[str]]:
    """Words of the articles themselves, so that each query has a hit."""
    random_ = random.Random(7)
    texts = [re.findall(r"[a-z]{4,}", article.body.lower()) for article in articles]
    texts = [text for text in texts if len(text) > 20]
    df = Counter(word for text in texts for word in set(text) - analysis.STOP_WORDS)
    ranked = [word for word, _ in df.most_common()]

    def some(k: int) -> str:
        return " ".join(random_.sample(sorted(set(random_.choice(texts)) - analysis.STOP_WORDS), k))

    def phrase() -> str:
        text = random_.choice(texts)
        at = random_.randrange(len(text) - 1)
        return f'"{text[at]} {text[at + 1]}"'

    makers: dict[str, Callable[[], str]] = {
        "rare word": lambda: random_.choice(ranked[len(ranked) // 2 :]),
        "common word": lambda: random_.choice(ranked[:50]),
        "two words": lambda: some(2),
        "four words": lambda: some(4),
        "phrase": phrase,
        "prefix": lambda: random_.choice(ranked[:2000])[:4] + "*",
    }
    return {kind: [make() for _ in range(EACH)] for kind, make in makers.items()}


def _index_ours(folder: Path, articles: Sequence[Article]) -> Engine:
    engine = connect(f"whoosh:{folder}")
    run = engine.begin("bench", ["bench"])
    for at in range(0, len(articles), 500):
        engine.accept(run, [Put(article, "bench") for article in articles[at : at + 500]])
    engine.catch_up()
    return engine


def _index_stock(folder: Path, articles: Sequence[Article]) -> Any:
    folder.mkdir()
    analyzer = StemmingAnalyzer()
    schema = fields.Schema(
        id=fields.ID(stored=True, unique=True),
        title=fields.TEXT(analyzer, stored=True, field_boost=3.0),
        body=fields.TEXT(analyzer, stored=True),
        section=fields.ID(sortable=True),
        month=fields.ID(sortable=True),
    )
    stock = index.create_in(str(folder), schema)
    writer = stock.writer(limitmb=256)
    for article in articles:
        month = f"{article.published:%Y-%m}" if article.published else ""
        section = article.section or ""
        writer.add_document(id=article.id, title=article.title, body=article.body, section=section, month=month)
    writer.commit()
    return stock


def _ask_stock(searcher: Any, parsed: Any) -> list[str]:
    facets = sorting.Facets().add_field("section").add_field("month")
    results = searcher.search(parsed, limit=10, groupedby=facets, maptype=sorting.Count)
    results.fragmenter = highlight.SentenceFragmenter()
    results.groups("section"), results.groups("month"), len(results)
    return [hit.highlights("body", top=2) for hit in results]


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.perf_counter()
    done = work()
    return done, time.perf_counter() - begun


def _best(work: Callable[[], object]) -> float:
    return min(_timed(work)[1] for _ in range(3))


if __name__ == "__main__":
    sys.exit(main())
