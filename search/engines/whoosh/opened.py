"""The files of an index folder, opened when first needed and again when they change.

Where the live generation turns out to be damaged the newest of the others answers instead, after a word in the log.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypeVar

from search.engines import ArticlesCorrupt, EngineError, IndexCorrupt
from search.engines.whoosh import damage, generations
from search.engines.whoosh.database import REMEDY
from search.engines.whoosh.snapshot import Snapshot
from search.engines.whoosh.store import Store

_log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")


class Opened:
    """What one engine has open of a folder.

    `catch_up` brings a generation up to date that has taken the place of another.
    """

    def __init__(self, folder: Path, catch_up: Callable[[], object]) -> None:
        self._folder = folder
        self._catch_up = catch_up
        self._opening = threading.RLock()
        self._store: Store | None = None
        self._epoch: generations.Epoch | None = None
        self._seen: tuple[int, Snapshot] | None = None
        self._recovering: threading.Thread | None = None

    def ask(self, question: Callable[[Snapshot], _Answer]) -> _Answer:
        """What it comes to in the newest snapshot; where its files turn out to be damaged, in that of another."""
        while True:
            snapshot, store = self.snapshot(), self.store().file
            try:
                answer = question(snapshot)
                if self.store().file == store:  # else another was put in its place meanwhile
                    return answer
            except ArticlesCorrupt:
                if self.store().file == store:
                    raise
            except IndexCorrupt as problem:
                self.give_up(snapshot.generation, problem)
                self._recover()

    def snapshot(self) -> Snapshot:
        """The live generation as it is now."""
        while True:
            changes = self._changes()
            epoch, seen = changes.read(), self._seen
            if seen and seen[0] == epoch and not changes.owed(generations.TAKEDOWNS):
                return seen[1]
            live = self.live()
            if (named := generations.named(self._folder)) not in generations.names(self._folder):
                _log.critical("CURRENT names %r, which is damaged or not there; %s answers", named, live.name)
            try:
                return self._newest(live, epoch, changes)
            except ArticlesCorrupt:
                raise
            except IndexCorrupt as problem:
                self.give_up(live, problem)
                self._recover()

    def _newest(self, live: Path, epoch: int, changes: generations.Epoch) -> Snapshot:
        with self._opening:
            store = self.store()
            seen, taken = self._seen, store.hidden()
            while not (seen and seen[0] == epoch and seen[1].taken == taken):
                known = seen and seen[1]
                seen = (epoch, Snapshot(live, taken, partial(store.withheld, until=changes.seen()), known))
                taken = store.hidden()  # an article may have come to a page that is taken down meanwhile
            self._seen = seen
            return seen[1]

    def store(self) -> Store:
        """The articles. Raises IndexMissing."""
        with self._opening:
            if self._store is None:
                self._store = self._whole(Store(self._folder))
            return self._store

    def make_store(self) -> Store:
        """The articles, made if absent."""
        with self._opening:
            created = Store.create(self._folder)
            self._store = self._store or self._whole(created)
            return self._store

    def _whole(self, store: Store) -> Store:
        """The store, unless readers have seen rows that it lacks: their numbers would come to stand for others."""
        if (self._folder / generations.EPOCH).exists():
            with closing(generations.Epoch(self._folder)) as epoch:
                seen, number = epoch.seen(), store.number()
            if number < seen:
                raise ArticlesCorrupt(
                    f"{store.path} ends with row {number}, and readers have seen row {seen}: a part of it is lost,"
                    f" as when it was copied without its log; {REMEDY}"
                )
        return store

    def live(self) -> Path:
        """The folder of the live generation."""
        return self._folder / generations.FOLDER / generations.current(self._folder)

    def announce(self) -> None:
        """Tell every process to look again."""
        with closing(generations.Epoch(self._folder)) as epoch:
            epoch.bump()

    def give_up(self, generation: Path, problem: IndexCorrupt) -> None:
        """Nobody is to ask this generation any more. Raises the problem where there is no other."""
        self._seen = None
        if damage.is_noted(generation):  # somebody was faster
            return
        others = [name for name in generations.names(self._folder) if name != generation.name]
        if not others:
            raise problem
        try:
            damage.note(generation, str(problem))
        except OSError:
            raise problem from None
        self.announce()
        _log.critical(
            "%s. The generation %s is asked no more, and stays for you to look at; %s takes its place",
            *(problem, generation.name, others[-1]),
        )

    def close(self) -> None:
        """Let go of files. Somebody may be reading: what is mapped goes when the last one lets go of it."""
        if self._recovering:
            self._recovering.join()
        with self._opening:
            if self._store:
                self._store.close()
            self._store = self._epoch = self._seen = None

    def _recover(self) -> None:
        """Catch up in the background: what came since that generation was live is not in it."""

        def work() -> None:
            try:
                self._catch_up()
            except EngineError as problem:
                _log.error("not brought up to date: %s", problem)

        with self._opening:
            if not (self._recovering and self._recovering.is_alive()):
                self._recovering = threading.Thread(target=work, name="catching up")
                self._recovering.start()

    def _changes(self) -> generations.Epoch:
        known = self._epoch
        if known and not known.moved():
            return known
        with self._opening:
            if self._epoch and self._epoch.moved():  # the folder was removed, and perhaps made anew
                self._epoch = self._seen = None
            if self._epoch is None:
                generations.current(self._folder)  # before anything is indexed there is nothing to follow
                self._epoch = generations.Epoch(self._folder)
            return self._epoch
