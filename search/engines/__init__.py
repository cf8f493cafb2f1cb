"""The engine port: what an engine does, the values it gives, the errors it raises, and how one is found.

An engine is one file or folder here, named by the scheme of its URL: `connect("whoosh:var/index")`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import IO, Protocol

from search.article import Article
from search.clauses import Clause
from search.explanation import Explanation
from search.query import Filters, Query


class EngineError(Exception):
    """Something is wrong with the index; the message names it and the remedy.

    EngineError
    ├── EngineUnavailable    it cannot be asked now
    │   └── IndexCorrupt     what lies there cannot be trusted
    │       └── ArticlesCorrupt   nor can what it is made of
    ├── IndexMissing         nothing was ever indexed there
    ├── IndexLocked          another process is writing
    ├── ArticleMissing       no article of that id is visible
    │   └── ArticleGone      there was one; it was withdrawn or taken down
    ├── RebuildRefused       the new generation did not pass, the old one goes on
    └── NothingBefore        there is nothing to go back to
    """


class EngineUnavailable(EngineError):
    """The engine cannot be asked now."""


class IndexCorrupt(EngineUnavailable):
    """A file of the index is damaged."""


class ArticlesCorrupt(IndexCorrupt):
    """What was accepted is damaged, of which the index is a view."""


class IndexMissing(EngineError):
    """Nothing was ever indexed at this address."""


class IndexLocked(EngineError):
    """Another process writes to this index; the message says which."""


class ArticleMissing(EngineError):
    """No article of that id or URL is visible."""


class ArticleGone(ArticleMissing):
    """The article was withdrawn or taken down."""


class RebuildRefused(EngineError):
    """The new generation did not pass its validation; the old one goes on answering."""


class NothingBefore(EngineError):
    """There is no earlier generation, or no such run."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One article found. `score` is None where nothing was scored (no words, or sorted by date).

    `counts`: by field how often each stem asked for, and each prefix (as `begin*`), stands there; those that do not may
    be left out. None, or a field left out, where the engine does not say, and the text is read through for its marks.
    """

    article: Article
    score: float | None
    counts: Mapping[str, Mapping[str, int]] | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """How many matching articles have this value."""

    value: str
    count: int
    selected: bool = False


@dataclass(frozen=True, slots=True)
class Facet:
    """Values by count, then by name. `other`: (value, article) pairs not listed; `missing`: articles with none."""

    values: tuple[Count, ...]
    other: int = 0
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Period:
    """A year, month or day: `value` is `2025`, `2025-08` or `2025-08-06`; it spans start <= published < end.

    `inside`: the periods one step finer, where the reader has chosen this period or a part of it.
    """

    value: str
    start: datetime
    end: datetime
    count: int
    selected: bool = False
    inside: DateFacet | None = None


@dataclass(frozen=True, slots=True)
class DateFacet:
    """Periods that hold matching articles, oldest first. `interval` is year, month or day."""

    interval: str
    values: tuple[Period, ...]
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what matched, and the counts of all of it.

    `minimum`: the free words that each has at least, None where all have all; `whole`: how many have all.
    `left_out`: of more than `fields.MOST_WORDS` free words the most frequent, which were not asked for.
    `forms`: the surface forms of each stem asked for, as far as the hits may hold them.
    """

    hits: tuple[Hit, ...]
    total: int
    facets: Mapping[str, Facet | DateFacet] = field(default_factory=dict)
    minimum: int | None = None
    whole: int = 0
    left_out: tuple[Clause, ...] = ()
    forms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Held:
    """What the engine holds of an article: the digest of its newest accepted version and where it came from."""

    digest: str
    source: str


@dataclass(frozen=True, slots=True)
class Put:
    """Accept this article, from this source (the path that the command line named, or `push`).

    `line`, `digest`: what is kept of it and the digest of that, where they are made already.
    """

    article: Article
    source: str
    line: bytes | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove the article of this id."""

    id: str


Change = Put | Delete
Progress = Callable[[str, int, int], None]  # stage, done, of
DONE, REFUSED, KILLED = "done", "refused", "killed"  # how a run ended; or in other words


@dataclass(frozen=True, slots=True)
class Takedown:
    """What must not be shown, whatever is indexed: `target` is an id, or a page as `addresses.page` writes it.

    `ids`: of what is held the articles that it hides.
    """

    target: str
    reason: str
    since: datetime
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deed:
    """An entry of the audit log: who (user and host) did what about a takedown, and which articles that meant."""

    at: datetime
    who: str
    what: str
    target: str
    ids: tuple[str, ...]
    reason: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """What lies in the index. Sizes in bytes."""

    url: str
    generation: str
    created: datetime
    articles: int  # searchable in the live generation
    hidden: int  # of them masked: taken down, withdrawn, under embargo
    accepted: int  # newest accepted versions in the store that are no deletions
    pending: int  # accepted rows that are not searchable yet
    segments: int
    index_bytes: int
    store_bytes: int
    damaged: tuple[str, ...]  # generations that are asked no more
    newest: datetime | None  # published, of the newest visible article
    sections: tuple[Count, ...]


@dataclass(frozen=True, slots=True)
class Generation:
    """One complete index. `size` in bytes; `run`: whose rebuild made it, None where none did.

    `damage`: what was found wrong with it; then it is asked no more, and the numbers may be unknown.
    """

    name: str
    created: datetime | None
    articles: int
    size: int
    run: int | None
    live: bool
    damage: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One command or one push, and how many versions of articles it brought.

    `changed`: when it last brought one. `outcome`: `DONE`, or in words why it ended before its end; None while it goes
    on. `ended`: None also where it was killed, as nobody could say when.
    """

    number: int
    command: str
    sources: tuple[str, ...]
    started: datetime
    changed: datetime | None
    ended: datetime | None
    outcome: str | None
    changes: int


@dataclass(frozen=True, slots=True)
class Undone:
    """What undoing a run did, as the run `number`: the ids that are as before; those that a later run had changed."""

    number: int
    ids: tuple[str, ...]
    kept: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore made: the generation, its articles; `aside` names what was there before, which is kept.

    `unread`: why what was taken down since the backup could not be taken over from there.
    """

    generation: str
    articles: int
    aside: str | None
    unread: str | None


class Searchable(Protocol):
    """What readers ask. All methods may be called from several threads."""

    def search(self, query: Query) -> Found:
        """Answer a query. Raises EngineUnavailable or IndexMissing; a failure is never an empty result."""

    def explain(self, query: Query, article: str) -> Explanation:
        """Why the article of this id or URL stands where it does in the answer. Nothing is told of a hidden one."""

    def values(self, name: str, words: Sequence[str], filters: Filters, most: int) -> tuple[Count, ...]:
        """The values of a filter that hold all these words, the last as a beginning, in any order and case.

        Counted are the visible articles that the filters leave; most first, then by name. Words are folded as
        `analysis` folds them.
        """

    def article(self, id: str) -> Article:
        """The visible article of that id. Raises ArticleMissing or ArticleGone."""

    def article_at(self, url: str) -> Article:
        """The visible article whose canonical URL equals that of `url`. Raises as `article` does."""

    def hides(self, named: Iterable[str]) -> set[str]:
        """Those of these ids and URLs that mean articles, but none that may be shown; unknown ones are not."""


class Engine(Searchable, Protocol):
    """What every engine does. All methods may be called from several threads."""

    url: str

    def status(self) -> Status:
        """What lies in the index. Raises IndexMissing."""

    # What ops do. Accepting makes rows durable; catching up makes them searchable.
    def begin(self, command: str, sources: Sequence[str]) -> int:
        """Open a run: one command or one push, to which every accepted change belongs. Makes the index if absent."""

    def end(self, run: int, outcome: str = DONE) -> None:
        """Close a run of this process. One that is never closed was killed when its process is gone."""

    def broken_off(self) -> list[Run]:
        """The runs that ended before their end, oldest first; but where the same command has since come to its end.

        One that was refused and taken back is none of them.
        """

    def held(self, ids: Iterable[str]) -> dict[str, Held]:
        """What is held of these articles; ids that are not held are left out."""

    def held_from(self, source: str) -> Iterator[str]:
        """The ids of the articles that came from this source, or from a path below it; nothing is below an address."""

    def beside(self, name: str) -> Path | None:
        """Where a file may lie that goes with the index and may be lost; None before there is an index."""

    def accept(self, run: int, changes: Sequence[Change]) -> None:
        """Make the changes durable, all or none."""

    def bulk(self) -> AbstractContextManager[None]:
        """Many changes will be accepted in this context, and then caught up with: make them ready meanwhile."""

    def catch_up(self, progress: Progress | None = None) -> int:
        """Make every accepted change searchable; the number of rows applied. Raises IndexLocked."""

    def rebuild(
        self,
        progress: Progress | None = None,
        run: int | None = None,
        judge: Callable[[Searchable], None] | None = None,
    ) -> str:
        """Fill a new generation from what is accepted, validate it, switch to it; its name. `run`: whose it is.

        `judge` is given it as readers would ask it. Where it raises, as where the validation does, there is no switch.
        """

    def trial(self) -> AbstractContextManager[Engine]:
        """An engine of its own with the same articles, searchable once it is rebuilt; it vanishes with the context.

        Nothing that is done to it is done to this one, also where there is no index yet.
        """

    def kept(self) -> list[Generation]:
        """The complete indexes that are kept, oldest first."""

    def runs(self) -> list[Run]:
        """What was accepted, by run, oldest first."""

    def rollback(self, progress: Progress | None = None) -> tuple[str, Undone | None]:
        """Answer from the generation before, and undo the run that made this one: what others brought since stays.

        The name of that generation, and what was undone. Raises NothingBefore where there is none.
        """

    def undo(self, run: int, progress: Progress | None = None) -> Undone:
        """Make each article as it was before this run, but those that a later one changed. Raises NothingBefore."""

    def verify(self, progress: Progress | None = None) -> list[str]:
        """Read everything that lies there; a line for each thing that is not as it was written, with its remedy."""

    def backup(self, folder: Path, progress: Progress | None = None) -> list[str]:
        """Write what cannot be made again into this folder; a line for each thing in it that cannot be read back."""

    def restore(self, kept: Callable[[str], IO[bytes]], progress: Progress | None = None) -> Restored:
        """Put what `backup` wrote, by the name of the file, in place of all that is here, and make an index of it.

        What was taken down since stays so.
        """

    def take_down(self, named: str, reason: str) -> Takedown:
        """Hide the article of an id; of an address each that is at that page, was or will be, whatever is indexed.

        What is hidden stays so until this is undone, wherever it moves. Nothing need be held yet.
        """

    def put_back(self, named: str) -> list[Takedown]:
        """Undo a takedown; others that hide articles of it all the same. Raises ArticleMissing where there is none."""

    def takedowns(self) -> list[Takedown]:
        """What is taken down, oldest first."""

    def audit(self) -> list[Deed]:
        """What was ever done about takedowns, oldest first; nothing is taken out of it."""

    def close(self) -> None:
        """Let go of files."""


def connect(url: str) -> Engine:
    """The engine at this address, `scheme:place`; nothing is opened or made before it is used.

    Raises:
        EngineUnavailable: for a scheme that no engine answers to.
    """
    scheme, _, place = url.partition(":")
    if not place or not (scheme.isascii() and scheme.isalpha()):
        is_path = url and (not place or "/" in scheme) and not url.endswith(":")
        folder = url if is_path else "FOLDER"
        raise EngineUnavailable(f"{url!r} is no index address: write whoosh:{folder}")
    try:
        module = import_module(f"search.engines.{scheme}")
    except ModuleNotFoundError as problem:
        if problem.name != f"search.engines.{scheme}":
            raise
        raise EngineUnavailable(f"no engine is called {scheme!r}: write whoosh:FOLDER") from None
    engine: Engine = module.open_url(url)
    return engine
