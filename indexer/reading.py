"""How sources are read: files by their readers, addresses through the web; and in which portions."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import BinaryIO

from indexer import address, sources
from indexer.fetch import Fetcher, is_address, without_secrets
from indexer.fetch.visits import Visits
from indexer.items import Item
from indexer.site import Site
from indexer.sources import Names, Read
from search.article import Article, canonical_url

STDIN = "-"
BATCH = 1_000  # articles accepted in one transaction, which writes the pages of the indexes that they touch once
BATCH_TEXT = 8_000_000  # characters; a batch of books ends sooner
BATCH_TIME = 10.0  # seconds; what is fetched page by page is not lost when the command is ended


def source(path: str | Path) -> str:
    """The name under which the engine keeps where an article came from: the same however the path is written."""
    if is_address(path):
        return canonical_url(without_secrets(str(path)))
    name = STDIN if str(path) == STDIN else sources.files.source(path)
    return os.fsencode(name).decode("utf-8", "replace")  # a name of other bytes than UTF-8 is no text


@dataclass(frozen=True, slots=True)
class Reading:
    """How the sources are read."""

    section: str | None
    timezone: tzinfo
    mapping: Names | None
    stdin: BinaryIO | None
    fetcher: Fetcher | None = None  # None: the default one, made where an address is read
    afresh: bool = False  # also what has not changed since the last time, as its site says
    prune: bool = False
    only: Collection[Path] | None = None  # of the files these alone
    show: Callable[[Article], None] = lambda _: None  # is shown each as it is read

    def items(self, path: str, visits: Visits) -> Iterator[Item]:
        """What is at a path."""
        for item in self._items(path, visits):
            if isinstance(item, Read):
                self.show(item.article)
            yield item

    def _items(self, path: str, visits: Visits) -> Iterator[Item]:
        if not is_address(path):
            yield from sources.read(
                [path],
                section=self.section,
                timezone=self.timezone,
                mapping=self.mapping,
                stdin=self.stdin,
                only=self.only,
            )
            return
        fetcher = self.fetcher or Fetcher()
        try:
            yield from address.read(Site(fetcher, visits, self.section, self.timezone, self.mapping, self.afresh), path)
        finally:
            if fetcher is not self.fetcher:
                fetcher.close()


def batches(reads: Iterable[Read]) -> Iterator[list[Read]]:
    batch: list[Read] = []
    length, end = 0, time.monotonic() + BATCH_TIME
    for read in reads:
        batch.append(read)
        length += len(read.article.body)
        if len(batch) == BATCH or length > BATCH_TEXT or time.monotonic() > end:
            yield batch
            batch, length, end = [], 0, time.monotonic() + BATCH_TIME
    if batch:
        yield batch
