"""Articles made ready to be asked again and again: our index of them, and what the peers answered.

BENCH_KEEP names a folder that keeps them, so that a change of weights is judged in seconds; after a change of what is
indexed (words, stems, fields) delete the folders `broadsheet` in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from peers import Peer, Row

from indexer import build, sources
from search import judging
from search.article import Article
from search.engines import Engine, EngineError, connect

OURS = "Broadsheet"
_T = TypeVar("_T")
Answers = dict[str, list[str]]  # text -> ids, best first


class Prepared:
    """A file of articles in our JSONL. What is kept is made anew where the file or the question is another one."""

    def __init__(self, file: Path, folder: Path) -> None:
        self.file = file
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def articles(self) -> list[Article]:
        """All of the file, as we read them; what we refuse the others do not get either."""
        return [item.article for item in sources.read([str(self.file)]) if isinstance(item, sources.Read)]

    @cached_property
    def engine(self) -> Engine:
        """Ours, filled by the path of ops. An index of another format is made anew; one of other words is not."""
        index, stamp = self._folder / "broadsheet", self._folder / "broadsheet.of"
        engine = connect(f"whoosh:{index}")
        if stamp.exists() and stamp.read_text() == self._digest:
            try:
                engine.status()
                return engine
            except EngineError:
                pass
        engine.close()
        shutil.rmtree(index, ignore_errors=True)
        engine = connect(f"whoosh:{index}")
        build.update(engine, [self.file])
        stamp.write_text(self._digest)
        return engine

    def ask(self, texts: Sequence[str]) -> Answers:
        """What we answer."""
        return {text: judging.ask(self.engine, text) for text in texts}

    def ask_peer(self, peer: type[Peer], texts: Sequence[str], title_weights: Sequence[float] = (1,)) -> list[Answers]:
        """What the peer answers with each weight of the title; asked once, as it does not change while we do."""
        return self.once(peer.name, [title_weights, texts], lambda: self._ask_peer(peer, texts, title_weights))

    def once(self, name: str, of: object, make: Callable[[], _T]) -> _T:
        """What is made of these articles and of what else is named, both as JSON: made once and kept."""
        key = digest(json.dumps([self._digest, of]).encode())
        file = self._folder / f"{name}-{key[:8]}.json"
        if not file.exists():
            file.write_text(json.dumps(make()))
        made: _T = json.loads(file.read_text())
        return made

    def close(self) -> None:
        if "engine" in self.__dict__:
            self.engine.close()

    @cached_property
    def _digest(self) -> str:
        return digest(self.file.read_bytes())

    def _ask_peer(self, peer: type[Peer], texts: Sequence[str], title_weights: Sequence[float]) -> list[Answers]:
        with tempfile.TemporaryDirectory() as folder:
            asked = peer(Path(folder), self._rows())
            answers = [{text: asked.ask(text, judging.DEPTH, weight) for text in texts} for weight in title_weights]
            asked.close()
        return answers

    def _rows(self) -> Iterator[Row]:
        for article in self.articles():
            yield article.id, article.title, f"{article.summary}\n{article.body}"


@contextmanager
def kept() -> Iterator[Path]:
    """The folder that keeps what is prepared: BENCH_KEEP, else a temporary one."""
    if folder := os.environ.get("BENCH_KEEP"):
        yield Path(folder)
    else:
        with tempfile.TemporaryDirectory(prefix="broadsheet-ranking-") as folder:
            yield Path(folder)


def digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
