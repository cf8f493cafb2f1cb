"""The embedded engine: the store is the truth, a Whoosh index of our own arrays is a view of it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO

from search.engines import (
    DONE,
    ArticlesCorrupt,
    Change,
    Count,
    Deed,
    EngineError,
    EngineUnavailable,
    Generation,
    Held,
    IndexCorrupt,
    IndexLocked,
    Progress,
    RebuildRefused,
    Restored,
    Run,
    Searchable,
    Status,
    Takedown,
    Undone,
)
from search.engines.whoosh import contents, durable, generations, lock, refusals, safekeeping, writer
from search.engines.whoosh.facets import count_values
from search.engines.whoosh.instants import NONE, moment
from search.engines.whoosh.opened import Opened
from search.engines.whoosh.reading import Alone, Reading
from search.engines.whoosh.scratch import Scratch
from search.engines.whoosh.snapshot import Snapshot
from search.engines.whoosh.store import FILE, Store
from search.engines.whoosh.workshop import Workshop

TRIAL = "broadsheet-trial-"  # begins the names of folders below TMPDIR
WAIT = 30.0  # seconds that a writer waits for another one: a commit of a full batch takes less


def open_url(url: str) -> WhooshEngine:
    """The engine of `whoosh:FOLDER`."""
    return WhooshEngine(url, Path(url.partition(":")[2]))


class WhooshEngine(Reading):
    """One index folder. Any number of threads and processes may use it at once; they see one commit each."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self._folder = folder
        self._files: Opened = Opened(folder, self.catch_up)
        self._bulk = False  # whether many changes are coming, and then
        self._workshop: Workshop | None = None  # where they are made ready

    def status(self) -> Status:
        return self._files.ask(self._status)

    def _status(self, snapshot: Snapshot) -> Status:
        manifest = generations.read_manifest(snapshot.generation)
        visible = snapshot.visible()
        counts = self._files.store().counts(after=snapshot.applied)
        sections: Counter[str] = Counter()
        newest = NONE
        for view, mask in zip(snapshot.views, visible.masks, strict=True):
            found, _ = count_values(view, "section", mask.nonzero()[0])
            held = found.nonzero()[0]
            sections.update(dict(zip(view.texts("section", held), found[held].tolist(), strict=True)))
            newest = max(newest, int(view.arrays["doc.published"][mask].max(initial=NONE)))
        live = sum(int(view.live.sum()) for view in snapshot.views)
        return Status(
            url=self.url,
            generation=snapshot.generation.name,
            created=manifest.created,
            articles=live,
            hidden=live - visible.count,
            accepted=counts.articles,
            pending=counts.pending,
            segments=len(snapshot.views),
            index_bytes=sum(file.size for file in manifest.files.values()),
            store_bytes=counts.size,
            damaged=tuple(name for name, _ in generations.damaged(self._folder)),
            newest=moment(newest),
            sections=tuple(Count(*item) for item in sorted(sections.items(), key=lambda item: (-item[1], item[0]))),
        )

    # What ops do.

    def begin(self, command: str, sources: Sequence[str]) -> int:
        return self._files.make_store().begin(command, sources)

    def end(self, run: int, outcome: str = DONE) -> None:
        self._files.store().end(run, outcome)

    def broken_off(self) -> list[Run]:
        return self._files.store().broken_off()

    def held(self, ids: Iterable[str]) -> dict[str, Held]:
        return self._files.store().held(ids)

    def held_from(self, source: str) -> Iterator[str]:
        return self._files.store().held_from(source)

    def beside(self, name: str) -> Path | None:
        return self._folder / name if (self._folder / FILE).exists() else None

    def accept(self, run: int, changes: Sequence[Change]) -> None:
        store = self._files.store()
        last = store.accept(run, changes)
        if self._bulk:
            if self._workshop is None:
                self._workshop = Workshop(self._folder, store, self._applied())
            self._workshop.accepted(last)

    @contextmanager
    def bulk(self) -> Iterator[None]:
        self._bulk = True
        try:
            yield
        finally:
            if self._workshop:
                self._workshop.close()
            self._bulk, self._workshop = False, None

    def catch_up(self, progress: Progress | None = None) -> int:
        store = self._files.store()
        with (
            refusals.translated(self._folder),
            self._at_work(store) as workshop,
            lock.hold(self._folder / "writer.lock", "indexing", wait=WAIT),
        ):
            if not self._is_live():
                return self._begin(store, workshop, progress)
            with closing(generations.Epoch(self._folder)) as epoch:
                owed = epoch.owe(generations.COMMITS)
                try:
                    done = self._caught_up(store, workshop, progress)
                except BaseException:  # some batches may be in
                    epoch.bump()
                    raise
                epoch.show(contents.applied(self._files.live()))
                if done or owed:
                    epoch.bump()
                epoch.settle(generations.COMMITS)
        return done

    def _caught_up(self, store: Store, workshop: Workshop, progress: Progress | None) -> int:
        """The number of rows applied to the live generation, or to the next where it is damaged."""
        while True:
            live = self._files.live()
            try:
                done = writer.catch_up(live, store, workshop, progress)
                if generations.named(self._folder) != live.name:
                    generations.switch(self._folder, live.name)
                return done
            except ArticlesCorrupt:
                raise
            except IndexCorrupt as problem:
                if generations.is_whole(live):  # then it is something else that cannot be read
                    raise
                self._files.give_up(live, problem)

    def rebuild(
        self,
        progress: Progress | None = None,
        run: int | None = None,
        judge: Callable[[Searchable], None] | None = None,
    ) -> str:
        store = self._files.store()
        with (
            refusals.translated(self._folder),
            lock.hold(self._folder / "rebuild.lock", "rebuilding"),
            closing(Workshop(self._folder, store)) as workshop,
            ExitStack() as failed,
        ):
            generations.sweep(self._folder)
            safekeeping.sweep(self._folder)
            generation = generations.create(self._folder)
            failed.callback(generations.remove, generation)  # it may look complete, and nobody is to go back to it
            contents.create(generation)
            writer.fill(generation, workshop, store.last(), progress)
            if judge:
                judge(Reading(Alone(Snapshot(generation, store.hidden()), store)))
            with lock.hold(self._folder / "writer.lock", "switching", wait=WAIT):
                # To a row that was counted in the same instant: others accept articles all the while.
                counts = store.counts()
                writer.catch_up(generation, store, workshop, until=counts.last)
                manifest = _validated(generation, counts.articles, progress)
                previous = generations.current(self._folder) if self._is_live() else None
                generations.write_manifest(generation, replace(manifest, run=run, previous=previous, began=counts.last))
                failed.pop_all()
                with closing(generations.Epoch(self._folder)) as epoch:
                    epoch.owe(generations.COMMITS)
                    generations.switch(self._folder, generation.name)
                    epoch.show(counts.last)
                    epoch.bump()
                    epoch.settle(generations.COMMITS)
            generations.prune(self._folder)
            store.prune(generations.oldest(self._folder))
        return generation.name

    @contextmanager
    def trial(self) -> Iterator[WhooshEngine]:
        parent = Path(os.environ.get("TMPDIR") or "/var/tmp")  # where SQLite puts its own
        try:
            scratch = Scratch(parent, TRIAL)
        except OSError as problem:
            remedy = "set TMPDIR to a folder with room for a copy of the index"
            raise EngineUnavailable(f"{parent}: {problem.strerror}; {remedy}") from problem
        folder = scratch.path / "index"  # a lock on the folder of an index has another meaning
        with closing(scratch), closing(WhooshEngine(f"whoosh:{folder}", folder)) as trial:
            if (self._folder / FILE).exists():
                durable.make_folder(folder)
                safekeeping.copy(self._folder / FILE, folder / FILE)
            yield trial

    def kept(self) -> list[Generation]:
        live = generations.current(self._folder)
        found = []
        for name in generations.names(self._folder):
            manifest = generations.read_manifest(self._folder / generations.FOLDER / name)
            size = sum(file.size for file in manifest.files.values())
            found.append(Generation(name, manifest.created, manifest.articles, size, manifest.run, name == live))
        found += [
            Generation(name, None, 0, 0, None, live=False, damage=reason)
            for name, reason in generations.damaged(self._folder)
        ]
        return sorted(found, key=lambda one: one.name)

    def runs(self) -> list[Run]:
        return self._files.store().runs()

    def rollback(self, progress: Progress | None = None) -> tuple[str, Undone | None]:
        store = self._files.store()
        with (
            refusals.translated(self._folder),
            lock.hold(self._folder / "rebuild.lock", "going back"),
            lock.hold(self._folder / "writer.lock", "going back", wait=WAIT),
            closing(Workshop(self._folder, store)) as workshop,
            closing(generations.Epoch(self._folder)) as epoch,
        ):
            name = generations.before(self._folder)
            generation = self._folder / generations.FOLDER / name
            Snapshot(generation)  # what cannot be opened is not gone back to
            run = generations.read_manifest(self._files.live()).run
            undone = store.undo(run) if run else None
            epoch.owe(generations.COMMITS)
            generations.switch(self._folder, name)
            try:
                without = (run, undone.number) if run and undone else ()
                with refusals.translated(self._folder), _telling(epoch):  # readers are there; what came since follows
                    writer.catch_up(generation, store, workshop, progress, without=without)
            except EngineError as problem:
                raise EngineUnavailable(
                    f"switched to generation {name}, but without what has come since ({problem}):"
                    " the next `broadsheet index` brings it, where another rollback would go back further"
                ) from problem
        return name, undone

    def undo(self, run: int, progress: Progress | None = None) -> Undone:
        undone = self._files.store().undo(run)
        self.catch_up(progress)
        return undone

    def verify(self, progress: Progress | None = None) -> list[str]:
        store = self._files.store()
        with (
            refusals.translated(self._folder),
            lock.hold(self._folder / "writer.lock", "verifying", wait=WAIT),  # files of the live one come and go
        ):
            for name in generations.complete(self._folder):
                with suppress(EngineError, OSError):  # it is damaged, as is found then
                    contents.finish(self._folder / generations.FOLDER / name)
            damages = generations.damages(self._folder, progress)
            for name, problem in damages.items():
                with suppress(IndexCorrupt):  # where no other is left, this one goes on as far as it can
                    self._files.give_up(self._folder / generations.FOLDER / name, IndexCorrupt(problem))
        return [*damages.values(), *store.damages(progress)]

    def backup(self, folder: Path, progress: Progress | None = None) -> list[str]:
        store = self._files.store()
        with refusals.translated(folder):
            safekeeping.copy(store.path, folder / FILE)
        with closing(Store(folder)) as copied:
            return copied.damages(progress)

    def restore(self, kept: Callable[[str], IO[bytes]], progress: Progress | None = None) -> Restored:
        with refusals.translated(self._folder):
            durable.make_folder(self._folder)
        with (
            refusals.translated(self._folder),
            lock.hold(self._folder / "rebuild.lock", "restoring"),
            kept(FILE) as copied,
            safekeeping.workshop(self._folder, copied) as inside,
        ):
            with closing(WhooshEngine(f"whoosh:{inside}", inside)) as other:
                name = other.rebuild(progress)
                articles = other.status().articles
            with (
                lock.hold(self._folder / "writer.lock", "restoring", wait=WAIT),
                lock.hold(self._folder / "takedowns.lock", "restoring", wait=WAIT),
                closing(generations.Epoch(self._folder)) as epoch,
            ):
                unread = safekeeping.adopt(self._folder, inside, epoch.seen())

                def announce(seq: int) -> None:
                    epoch.show(seq)
                    epoch.bump()

                aside = safekeeping.swap(self._folder, inside, name, announce)
        return Restored(name, articles, aside, unread)

    def take_down(self, named: str, reason: str) -> Takedown:
        with self._hiding() as store:
            return store.take_down(named, reason)

    def put_back(self, named: str) -> list[Takedown]:
        with self._hiding() as store:
            return store.put_back(named)

    def takedowns(self) -> list[Takedown]:
        return self._files.store().takedowns()

    def audit(self) -> list[Deed]:
        return self._files.store().audit()

    def close(self) -> None:
        self._files.close()

    # How they do it.

    @contextmanager
    def _at_work(self, store: Store) -> Iterator[Workshop]:
        """The workshop that makes pieces already, or one for this time."""
        if self._workshop:
            yield self._workshop
        else:
            with closing(Workshop(self._folder, store)) as workshop:
                yield workshop

    @contextmanager
    def _hiding(self) -> Iterator[Store]:
        """While takedowns change, readers look at them with every request; whoever dies here leaves them looking."""
        store = self._files.store()
        with (
            refusals.translated(self._folder),
            lock.hold(self._folder / "takedowns.lock", "a takedown", wait=WAIT),
            closing(generations.Epoch(self._folder)) as epoch,
        ):
            epoch.owe(generations.TAKEDOWNS)
            try:
                yield store
            finally:
                epoch.bump()
                epoch.settle(generations.TAKEDOWNS)

    def _applied(self) -> int:
        try:
            return contents.applied(self._files.live())
        except EngineError:  # there is none, or `catch_up` says what is wrong with it
            return 0

    def _is_live(self) -> bool:
        """Whether any generation is."""
        return (self._folder / generations.CURRENT).exists()

    def _begin(self, store: Store, workshop: Workshop, progress: Progress | None) -> int:
        """Make the first generation. Readers hear of it when it holds everything: until then there is no index."""
        with suppress(IndexLocked), lock.hold(self._folder / "rebuild.lock", "indexing"):
            generations.sweep(self._folder)  # another first run may have been killed
        generation = generations.create(self._folder)
        try:
            contents.create(generation)
            done = writer.catch_up(generation, store, workshop, progress)
        except BaseException:
            generations.remove(generation)
            raise
        generations.switch(self._folder, generation.name)
        with closing(generations.Epoch(self._folder)) as epoch:
            epoch.show(contents.applied(generation))
            epoch.bump()
        return done


@contextmanager
def _telling(epoch: generations.Epoch) -> Iterator[None]:
    """Tell readers at once, and again at the end, however that comes."""
    epoch.bump()
    try:
        yield
    finally:
        epoch.bump()
    epoch.settle(generations.COMMITS)


def _validated(generation: Path, accepted: int, progress: Progress | None) -> generations.Manifest:
    """The manifest, if every article is counted and every byte as written."""
    manifest = generations.check(generation, progress)
    if manifest.articles != accepted:
        raise RebuildRefused(
            f"the new generation holds {manifest.articles} articles, {accepted} are accepted: "
            f"the old one goes on; run `broadsheet reindex` again, and report this if it stays"
        )
    return manifest
