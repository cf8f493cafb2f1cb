"""Fill an index from article files: update what changed, or rebuild with what is there and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import UTC, tzinfo
from functools import partial
from pathlib import Path
from typing import BinaryIO

from indexer.acceptance import Examination
from indexer.fetch import Fetcher
from indexer.reading import Reading
from indexer.report import Report
from indexer.run import Run
from indexer.sources import Names
from search.article import Article
from search.engines import ArticleMissing, Engine, IndexMissing, Progress, RebuildRefused, Searchable

NOTHING_ASKED = Examination()

Named = Callable[[str, str, str], None]  # added, changed or removed; id; title


def update(
    engine: Engine,
    paths: Sequence[str | Path],
    *,
    section: str | None = None,
    timezone: tzinfo = UTC,
    mapping: Names | None = None,
    stdin: BinaryIO | None = None,
    fetcher: Fetcher | None = None,
    progress: Progress | None = None,
    prune: bool = False,
    force: bool = False,
    only: Collection[Path] | None = None,
) -> Report:
    """Add what is new and replace what changed, by digest; nothing is removed but what its site says is gone (410).

    `prune`: what came from one of the paths before and is there no longer is removed, by the rules of `rebuild`.
    `only`: of the files of the paths these alone are read.

    Raises:
        Stopped: by Ctrl-C or an EngineError.
    """
    reading = Reading(section, timezone, mapping, stdin, fetcher, prune=prune, only=only)
    run = Run(engine, "index", paths, reading, progress)
    with run.stoppable(), engine.bulk():
        try:
            run.take_over(adopt=False, prune=prune, force=force)
        finally:
            if run.report.read or run.report.removed:
                engine.catch_up(progress)
    return run.report


def preview(
    engine: Engine,
    paths: Sequence[str | Path],
    *,
    section: str | None = None,
    timezone: tzinfo = UTC,
    mapping: Names | None = None,
    stdin: BinaryIO | None = None,
    fetcher: Fetcher | None = None,
    progress: Progress | None = None,
    prune: bool = False,
    force: bool = False,
    show: Callable[[Article], None],
) -> Report:
    """What `update` would do: it is done to a copy, of which nothing is kept. `show` is shown each article.

    Raises:
        Stopped: by Ctrl-C or an EngineError.
    """
    reading = Reading(section, timezone, mapping, stdin, fetcher, prune=prune, show=show)
    with engine.trial() as trial:
        run = Run(trial, "index", paths, reading, progress)
        report = run.report
        report.is_kept, report.is_tried = False, True
        with run.stoppable():
            run.take_over(adopt=False, prune=prune, force=True)
            report.is_refused = bool(report.objections) and not force
    return report


def rebuild(
    engine: Engine,
    paths: Sequence[str | Path] = (),
    *,
    section: str | None = None,
    timezone: tzinfo = UTC,
    mapping: Names | None = None,
    stdin: BinaryIO | None = None,
    fetcher: Fetcher | None = None,
    progress: Progress | None = None,
    examination: Examination = NOTHING_ASKED,
    force: bool = False,
) -> Report:
    """Make a new generation of all that is accepted, and switch to it.

    With paths: what came from one before and is there no longer is removed first; what was pushed, or came from
    elsewhere, stays. A path from which nothing can be read loses nothing: it is rather not mounted than empty. Where
    one would lose more than `run.MOST_LOST` of its articles, or the new generation does not pass the examination,
    nothing is done, unless `force` says that it is meant.

    Raises:
        Stopped: by Ctrl-C or an EngineError.
    """
    run = Run(engine, "reindex", paths, Reading(section, timezone, mapping, stdin, fetcher, afresh=True), progress)

    def judge(new: Searchable) -> None:
        run.examine(examination, engine, new)
        run.object(force)

    with run.stoppable():
        if not paths:
            run.begin()
        try:
            run.take_over(adopt=True, prune=True, force=force)
            if run.report.read or not paths:
                run.report.generation = engine.rebuild(progress, run.number, judge)
        except RebuildRefused:
            run.take_back()
            raise
    return run.report


def rehearse(
    engine: Engine,
    paths: Sequence[str | Path] = (),
    *,
    section: str | None = None,
    timezone: tzinfo = UTC,
    mapping: Names | None = None,
    stdin: BinaryIO | None = None,
    fetcher: Fetcher | None = None,
    progress: Progress | None = None,
    examination: Examination = NOTHING_ASKED,
    force: bool = False,
    named: Named = lambda *_: None,
) -> Report:
    """What `rebuild` would do, and what would object: it is done to a copy, of which nothing is kept.

    `named` is told of each article that would be added, changed or removed, with its title.

    Raises:
        Stopped: by Ctrl-C or an EngineError.
    """

    def name(what: str, id: str, title: str | None) -> None:
        named(what, id, _title(engine, id) if title is None else title)

    with engine.trial() as trial:
        run = Run(
            trial, "reindex", paths, Reading(section, timezone, mapping, stdin, fetcher, afresh=True), progress, name
        )
        report = run.report
        report.is_kept, report.is_tried = False, True
        with run.stoppable():
            if not paths:
                engine.held([])  # raises IndexMissing with its own address
                run.begin()
            run.take_over(adopt=True, prune=True, force=True)
            if examination != NOTHING_ASKED and (report.read or not paths):
                trial.rebuild(progress, run.number, partial(run.examine, examination, engine))
            with suppress(IndexMissing):
                report.broken_off, report.pending = engine.broken_off(), engine.status().pending
            report.is_refused = bool(report.objections) and not force
    return report


def _title(engine: Engine, id: str) -> str:
    """That of a visible article; of another none is told."""
    try:
        return engine.article(id).title
    except ArticleMissing:
        return ""
