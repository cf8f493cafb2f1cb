"""The embedded engine: the store is the truth, a Whoosh index of our own arrays is a view of it."""

from __future__ import annotations

import errno
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from search import addresses
from search.article import Article
from search.engines import (
    ArticleGone,
    ArticleMissing,
    Change,
    Count,
    Deed,
    EngineError,
    EngineUnavailable,
    Found,
    Generation,
    Held,
    Hit,
    Progress,
    RebuildRefused,
    Run,
    Status,
    Takedown,
    Undone,
)
from search.engines.whoosh import contents, explaining, generations, lock, order, writer
from search.engines.whoosh.counts import counts_and_forms
from search.engines.whoosh.evaluate import Matches
from search.engines.whoosh.facets import Filtered, count_values
from search.engines.whoosh.instants import NONE, moment
from search.engines.whoosh.snapshot import Snapshot
from search.engines.whoosh.store import Store
from search.engines.whoosh.workshop import Workshop
from search.explanation import Explanation
from search.query import Filters, Query

WAIT = 30.0  # seconds that a writer waits for another one: a commit of a full batch takes less

# What a disk refuses while an index is written -> the remedy. What was accepted is in the store.
REFUSED = {
    errno.ENOSPC: "make room and run it again, what was accepted is kept",
    errno.EDQUOT: "make room and run it again, what was accepted is kept",
    errno.EIO: "the disk fails: move the index to another one",
    errno.EROFS: "it may not be written: mount it for writing",
    errno.EACCES: "it may not be written: run as the owner of the folder",
    errno.EPERM: "it may not be written: run as the owner of the folder",
    errno.EMFILE: "too many files are open: raise the limit (`ulimit -n`)",
    errno.ENFILE: "too many files are open: raise the limit (`sysctl fs.file-max`)",
}


def open_url(url: str) -> WhooshEngine:
    """The engine of `whoosh:FOLDER`."""
    return WhooshEngine(url, Path(url.partition(":")[2]))


class WhooshEngine:
    """One index folder. Any number of threads and processes may use it at once; they see one commit each."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self._folder = folder
        self._opening = threading.RLock()
        self._store: Store | None = None
        self._epoch: generations.Epoch | None = None
        self._seen: tuple[int, Snapshot] | None = None
        self._bulk = False  # whether many changes are coming, and then
        self._workshop: Workshop | None = None  # where they are made ready

    # What readers ask.

    def search(self, query: Query) -> Found:
        snapshot = self._snapshot()
        matches, filtered = _matching(query, snapshot)
        total = sum(map(len, filtered.docs))
        known: dict[int, Article] = {}

        def read(segments: Iterable[int], docs: Iterable[int]) -> list[Article]:
            seqs = list(map(snapshot.seq, segments, docs))
            missing = [seq for seq in seqs if seq not in known]
            known.update(zip(missing, self._articles().articles(missing), strict=True))
            return [known[seq] for seq in seqs]

        page = order.page(query, snapshot, matches, filtered.docs, read)
        articles = read((place.segment for place in page), (place.doc for place in page))
        counts, forms = counts_and_forms(query, snapshot, page)
        is_lowered = 0 < matches.minimum < matches.words and total > matches.whole_of(filtered.docs)
        return Found(
            hits=tuple(map(Hit, articles, (place.score for place in page), counts)),
            total=total,
            facets={name: filtered.facet(name) for name in query.facets},
            minimum=matches.minimum if is_lowered else None,
            whole=matches.whole_of(filtered.docs) if is_lowered else total,
            left_out=matches.left_out,
            forms=forms,
        )

    def explain(self, query: Query, article: str) -> Explanation:
        snapshot = self._snapshot()
        return explaining.explain(query, article, snapshot, *_matching(query, snapshot), self._articles())

    def values(self, name: str, words: Sequence[str], filters: Filters, most: int) -> tuple[Count, ...]:
        snapshot = self._snapshot()
        visible = snapshot.visible()
        docs = Filtered(Query(filters=filters), snapshot, visible.masks).docs
        counts: Counter[str] = Counter()
        for view, found in zip(snapshot.views, docs, strict=True):
            places = view.lexicon(name).holding(words)
            if len(places):
                held = count_values(view, name, found)[0][places]
                counts.update(dict(zip(view.texts(name, places), held.tolist(), strict=True)))
        ranked = sorted(((-count, value) for value, count in counts.items() if count))[:most]
        return tuple(Count(value, -count) for count, value in ranked)

    def article(self, id: str) -> Article:
        snapshot = self._snapshot()
        place = snapshot.find(id)
        if place is None:
            raise ArticleMissing(f"there is no article {id!r}")
        segment, doc = place
        if not snapshot.visible().masks[segment][doc]:
            if snapshot.embargoed(segment, doc):
                raise ArticleMissing(f"there is no article {id!r}")
            raise ArticleGone(f"the article {id!r} was withdrawn")
        return self._articles().articles([snapshot.seq(segment, doc)])[0]

    def article_at(self, url: str) -> Article:
        self._snapshot()
        hidden = ArticleMissing(f"there is no article at {url}")
        for id in self._articles().ids_at(url):  # of several, the one accepted last that may be seen
            try:
                return self.article(id)
            except ArticleGone as gone:
                hidden = gone
            except ArticleMissing:
                pass
        raise hidden

    def hides(self, named: Iterable[str]) -> set[str]:
        snapshot = self._snapshot()
        masks, store = snapshot.visible().masks, self._articles()

        def is_hidden(name: str) -> bool:
            ids = store.ids_of(name)
            places = [place for id in ids if (place := snapshot.find(id))]
            if any(masks[segment][doc] for segment, doc in places):
                return False
            return bool(places) or not snapshot.hidden.isdisjoint([*ids, addresses.page(name)])

        return {name for name in named if is_hidden(name)}

    def status(self) -> Status:
        snapshot = self._snapshot()
        manifest = generations.read_manifest(snapshot.generation)
        visible = snapshot.visible()
        counts = self._articles().counts(after=snapshot.applied)
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
            newest=moment(newest),
            sections=tuple(Count(*item) for item in sorted(sections.items(), key=lambda item: (-item[1], item[0]))),
        )

    # What ops do.

    def begin(self, command: str, sources: Sequence[str]) -> int:
        with self._opening:
            created = Store.create(self._folder)
            self._store = self._store or created
            return self._store.begin(command, sources)

    def held(self, ids: Iterable[str]) -> dict[str, Held]:
        return self._articles().held(ids)

    def held_from(self, source: str) -> Iterator[str]:
        return self._articles().held_from(source)

    def accept(self, run: int, changes: Sequence[Change]) -> None:
        store = self._articles()
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
        store = self._articles()
        with (
            _writing(self._folder),
            self._at_work(store) as workshop,
            lock.hold(self._folder / "writer.lock", "indexing", wait=WAIT),
        ):
            if not self._is_live():
                return self._begin(store, workshop, progress)
            with closing(generations.Epoch(self._folder)) as epoch:
                owed = epoch.owe(generations.COMMITS)
                try:
                    done = writer.catch_up(self._live(), store, workshop, progress)
                except BaseException:  # some batches may be in
                    epoch.bump()
                    raise
                if done or owed:
                    epoch.bump()
                epoch.settle(generations.COMMITS)
        return done

    def rebuild(self, progress: Progress | None = None, run: int | None = None) -> str:
        store = self._articles()
        with (
            _writing(self._folder),
            lock.hold(self._folder / "rebuild.lock", "rebuilding"),
            closing(Workshop(self._folder, store)) as workshop,
        ):
            generations.sweep(self._folder)
            generation = generations.create(self._folder)
            contents.create(generation)
            writer.fill(generation, workshop, store.last(), progress)
            with lock.hold(self._folder / "writer.lock", "switching", wait=WAIT):
                # To a row that was counted in the same instant: others accept articles all the while.
                counts = store.counts()
                try:
                    writer.catch_up(generation, store, workshop, until=counts.last)
                    manifest = _validated(generation, counts.articles)
                    previous = generations.current(self._folder) if self._is_live() else None
                    generations.write_manifest(generation, replace(manifest, run=run, previous=previous))
                except BaseException:  # it looks complete, and nobody is to go back to it
                    generations.remove(generation)
                    raise
                with closing(generations.Epoch(self._folder)) as epoch:
                    epoch.owe(generations.COMMITS)
                    generations.switch(self._folder, generation.name)
                    epoch.bump()
                    epoch.settle(generations.COMMITS)
            generations.prune(self._folder)
        return generation.name

    def kept(self) -> list[Generation]:
        live = generations.current(self._folder)
        found = []
        for name in generations.names(self._folder):
            manifest = generations.read_manifest(self._folder / generations.FOLDER / name)
            size = sum(file.size for file in manifest.files.values())
            found.append(Generation(name, manifest.created, manifest.articles, size, manifest.run, name == live))
        return found

    def runs(self) -> list[Run]:
        return self._articles().runs()

    def rollback(self) -> tuple[str, Undone | None]:
        store = self._articles()
        with (
            _writing(self._folder),
            lock.hold(self._folder / "rebuild.lock", "going back"),
            lock.hold(self._folder / "writer.lock", "going back", wait=WAIT),
            closing(Workshop(self._folder, store)) as workshop,
            closing(generations.Epoch(self._folder)) as epoch,
        ):
            name = generations.before(self._folder)
            generation = self._folder / generations.FOLDER / name
            Snapshot(generation, frozenset())  # what cannot be opened is not gone back to
            run = generations.read_manifest(self._live()).run
            undone = store.undo(run) if run else None
            epoch.owe(generations.COMMITS)
            generations.switch(self._folder, name)
            epoch.bump()  # readers are there; what came since follows
            try:
                without = (run, undone.number) if run and undone else ()
                writer.catch_up(generation, store, workshop, without=without)
            finally:
                epoch.bump()
            epoch.settle(generations.COMMITS)
        return name, undone

    def undo(self, run: int) -> Undone:
        undone = self._articles().undo(run)
        self.catch_up()
        return undone

    def verify(self, progress: Progress | None = None) -> list[str]:
        store = self._articles()
        with lock.hold(self._folder / "writer.lock", "verifying", wait=WAIT):  # files of the live one come and go
            found = generations.damages(self._folder, progress)
        return found + store.damages(progress)

    def take_down(self, named: str, reason: str) -> Takedown:
        with self._hiding() as store:
            return store.take_down(named, reason)

    def put_back(self, named: str) -> list[Takedown]:
        with self._hiding() as store:
            return store.put_back(named)

    def takedowns(self) -> list[Takedown]:
        return self._articles().takedowns()

    def audit(self) -> list[Deed]:
        return self._articles().audit()

    def close(self) -> None:
        with self._opening:
            if self._store:
                self._store.close()
            # Somebody may be reading: what is mapped goes when the last one lets go of it.
            self._store = self._epoch = self._seen = None

    # Files, opened when first needed and again when they change.

    def _snapshot(self) -> Snapshot:
        changes = self._changes()
        epoch, seen = changes.read(), self._seen
        if seen and seen[0] == epoch and not changes.owed(generations.TAKEDOWNS):
            return seen[1]
        with self._opening:
            hidden = self._articles().hidden()
            while not (self._seen and self._seen[0] == epoch and self._seen[1].hidden == hidden):
                self._seen = (epoch, Snapshot(self._live(), hidden, self._seen and self._seen[1]))
                hidden = self._articles().hidden()  # an article may have come to a page that is taken down meanwhile
            return self._seen[1]

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
        store = self._articles()
        with (
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
            return contents.applied(self._live())
        except EngineError:  # there is none, or `catch_up` says what is wrong with it
            return 0

    def _is_live(self) -> bool:
        """Whether any generation is."""
        return (self._folder / generations.CURRENT).exists()

    def _live(self) -> Path:
        return self._folder / generations.FOLDER / generations.current(self._folder)

    def _articles(self) -> Store:
        with self._opening:
            if self._store is None:
                self._store = Store(self._folder)
            return self._store

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

    def _announce(self) -> None:
        """Tell every process to look again."""
        with closing(generations.Epoch(self._folder)) as epoch:
            epoch.bump()

    def _begin(self, store: Store, workshop: Workshop, progress: Progress | None) -> int:
        """Make the first generation. Readers hear of it when it holds everything: until then there is no index."""
        generation = generations.create(self._folder)
        try:
            contents.create(generation)
            done = writer.catch_up(generation, store, workshop, progress)
        except BaseException:
            generations.remove(generation)
            raise
        generations.switch(self._folder, generation.name)
        self._announce()
        return done


def _matching(query: Query, snapshot: Snapshot) -> tuple[Matches, Filtered]:
    """Who matches, and what the filters leave."""
    matches = Matches(query, snapshot, snapshot.visible())
    return matches, Filtered(query, snapshot, matches.masks)


def _validated(generation: Path, accepted: int) -> generations.Manifest:
    """The manifest, if every article is counted and every byte as written."""
    manifest = generations.check(generation)
    if manifest.articles != accepted:
        raise RebuildRefused(
            f"the new generation holds {manifest.articles} articles, {accepted} are accepted: "
            f"the old one goes on; run `broadsheet reindex` again, and report this if it stays"
        )
    return manifest


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """What a disk refuses becomes EngineUnavailable here; SQLite's refusals do in the store."""
    try:
        yield
    except OSError as problem:
        if problem.errno not in REFUSED:
            raise
        raise EngineUnavailable(f"{folder}: {problem.strerror}; {REFUSED[problem.errno]}") from problem
