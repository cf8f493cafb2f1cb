"""Articles made ready to be asked again and again: our index of them, and what the peers answered, kept in a folder."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from peers import Peer, Row

from indexer import build, sources
from search import judging
from search.engines import Engine, EngineError, connect


class Prepared:
    """A file of articles in our JSONL. What is kept is made anew where the file or the question is another one."""

    def __init__(self, file: Path, folder: Path) -> None:
        self.file = file
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

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

    def ask(self, texts: Sequence[str]) -> dict[str, list[str]]:
        """What we answer: the ids, best first."""
        return {text: judging.ask(self.engine, text) for text in texts}

    def ask_peer(self, peer: type[Peer], texts: Sequence[str], title_weight: float = 1.0) -> dict[str, list[str]]:
        """What the peer answers; asked once, as it does not change while we do."""
        key = _digest(json.dumps([self._digest, title_weight, texts]).encode())
        kept = self._folder / f"{peer.name}-{title_weight:g}.json"
        if kept.exists() and (answers := json.loads(kept.read_text()))["of"] == key:
            return dict(answers["ids"])
        with tempfile.TemporaryDirectory() as folder:
            asked = peer(Path(folder), self._rows(), title_weight)
            ids = {text: asked.ask(text, judging.DEPTH) for text in texts}
            asked.close()
        kept.write_text(json.dumps({"of": key, "ids": ids}))
        return ids

    def close(self) -> None:
        if "engine" in self.__dict__:
            self.engine.close()

    @cached_property
    def _digest(self) -> str:
        return _digest(self.file.read_bytes())

    def _rows(self) -> Iterator[Row]:
        """As we read them: what we refuse, the others do not get either."""
        for item in sources.read([str(self.file)]):
            if isinstance(item, sources.Read):
                yield item.article.id, item.article.title, item.article.body


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
