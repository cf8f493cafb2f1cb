"""What is remembered of the addresses that were read, so that the next run asks for what has changed and no more."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from search.engines import EngineUnavailable, Held

from . import Validators

NONE = Validators()
MOST = 1_000  # articles of one address; a larger file is read anew each time, and compared
_SCHEMA = """CREATE TABLE IF NOT EXISTS visits (
  url TEXT PRIMARY KEY, etag TEXT, modified TEXT, changed TEXT, articles TEXT, refusal TEXT, listed_by TEXT,
  missing INTEGER, newest INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS listed ON visits (listed_by)"""
_COLUMNS = "url, etag, modified, changed, articles, refusal, listed_by, missing, newest"


@dataclass(frozen=True, slots=True)
class Visit:
    """One address as it was when it was read."""

    url: str
    validators: Validators = NONE
    changed: str = ""  # when, as the sitemap that lists it says
    articles: tuple[tuple[str, str], ...] = ()  # what it gave: ids and digests
    refusal: str = ""  # why it gave nothing
    listed_by: str = ""  # the sitemap or feed that names it
    missing: int = 0  # how often it was not found since it was left out there
    newest: bool = False  # it is a feed, which holds the newest alone

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(id for id, _ in self.articles)


class Visits:
    """The visits of one index. Those of a run are kept when `save` is called: after what they gave is accepted.

    It is a memory that may be lost: a visit counts only while the index holds what it gave, as it was.
    """

    def __init__(self, place: Callable[[], Path | None], held: Callable[[Iterable[str]], Mapping[str, Held]]) -> None:
        self._place = place
        self._held = held
        self._new: dict[str, Visit | None] = {}
        self._db: sqlite3.Connection | None = None

    def of(self, url: str) -> Visit | None:
        """The last visit to this address, if what it gave is still what the index holds."""
        if url in self._new:
            return self._new[url]
        found = self._read("WHERE url = ?", url)
        return found[0] if found and self._holds(found[0]) else None

    def listed_by(self, url: str) -> list[Visit]:
        """Those that this sitemap or feed named."""
        found = [visit for visit in self._read("WHERE listed_by = ?", url) if visit.url not in self._new]
        return [*found, *(visit for visit in self._new.values() if visit and visit.listed_by == url)]

    def add(self, visit: Visit) -> None:
        self._new[visit.url] = visit

    def forget(self, url: str) -> None:
        self._new[url] = None

    def save(self) -> None:
        """Keep what is new; where there is no index yet, with the next time."""
        gone = [(url,) for url, visit in self._new.items() if visit is None]
        rows = [
            (v.url, v.validators.etag, v.validators.modified, v.changed, json.dumps(v.articles), v.refusal, v.listed_by,
             v.missing, v.newest)
            for v in self._new.values() if v
        ]  # fmt: skip
        with self._opened() as db:
            if db and self._new:
                with db:
                    db.executemany("DELETE FROM visits WHERE url = ?", gone)
                    db.executemany(f"INSERT OR REPLACE INTO visits ({_COLUMNS}) VALUES (?{', ?' * 8})", rows)
                self._new.clear()

    def _holds(self, visit: Visit) -> bool:
        held = self._held(visit.ids)
        return all(id in held and held[id].digest == digest for id, digest in visit.articles)

    def close(self) -> None:
        """Let go of the file."""
        if self._db:
            self._db.close()

    def _read(self, where: str, url: str) -> list[Visit]:
        with self._opened() as db:
            rows = db.execute(f"SELECT {_COLUMNS} FROM visits {where}", (url,)).fetchall() if db else []
        return [
            Visit(url, Validators(etag, modified), changed, _pairs(given), refusal, listed_by, missing, bool(newest))
            for url, etag, modified, changed, given, refusal, listed_by, missing, newest in rows
        ]

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection | None]:
        """The file; None before there is an index, with which it lies."""
        place = self._place()
        try:
            if self._db is None and place is not None:
                self._db = sqlite3.connect(str(place), timeout=30)
                self._db.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {_SCHEMA}")
            yield self._db
        except sqlite3.Error as problem:
            raise EngineUnavailable(
                f"{place}, which remembers what was fetched: {problem}; it may be removed: then all is fetched again"
            ) from problem


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((id, digest) for id, digest in json.loads(text))
