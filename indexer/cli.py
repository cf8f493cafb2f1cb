"""The commands of ops: fill the index, rebuild it, look at it, take articles down."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import datetime, tzinfo
from functools import partial
from typing import Any

import click
from tqdm import tqdm

from indexer import build
from indexer.build import Report, Stopped
from search.article import as_id
from search.asking import TIMEZONE
from search.cli import DONE, INTERRUPTED, NOTHING_DONE, PARTLY
from search.engines import Engine, EngineError, Progress, Status, connect
from search.terminal import plain

EVERY = 5.0  # seconds between two lines of progress where there is no terminal
SECTIONS = 20  # named in the text of the status; its JSON has all

_quiet = click.option("--quiet", "-q", is_flag=True, help="Say only what was refused.")
_section = click.option("--section", help="The section of every article that names none itself.")
_timezone = click.option(
    "--timezone",
    type=TIMEZONE,
    default="UTC",
    show_default=True,
    envvar="BROADSHEET_TIMEZONE",
    help="That of dates without a zone (BROADSHEET_TIMEZONE).",
)
_json = click.option("--json", "as_json", is_flag=True, help="Write JSON.")
_PATHS = click.Path(exists=True, allow_dash=True)


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=_PATHS)
@_section
@_timezone
@_quiet
@click.pass_obj
def index(url: str, paths: tuple[str, ...], section: str | None, timezone: tzinfo, quiet: bool) -> None:
    """Add articles, and replace those that changed.

    PATH is a file, a folder, or - for standard input; JSONL, Markdown, saved HTML pages and plain text.
    Nothing is removed: that is what reindex is for.
    """
    _run(build.update, url, paths, section, timezone, quiet)


@click.command()
@click.argument("paths", metavar="[PATH...]", nargs=-1, type=_PATHS)
@_section
@_timezone
@_quiet
@click.option("--force", is_flag=True, help="Also where a PATH has lost more than a tenth of its articles.")
@click.pass_obj
def reindex(url: str, paths: tuple[str, ...], section: str | None, timezone: tzinfo, quiet: bool, force: bool) -> None:
    """Build a new index beside the old one, then switch to it.

    With PATH, what came from there before and is there no longer is removed; articles that were pushed, or came
    from elsewhere, stay. Without, it is built from the articles as they were accepted.
    """
    _run(partial(build.rebuild, force=force), url, paths, section, timezone, quiet)


@click.command()
@_json
@click.pass_obj
def status(url: str, as_json: bool) -> None:
    """Say what lies in the index."""
    with closing(connect(url)) as engine:
        found = engine.status()
    click.echo(_dump(asdict(found)) if as_json else "\n".join(_status(found)))


@click.command()
@_json
@click.pass_obj
def generations(url: str, as_json: bool) -> None:
    """List the complete indexes that are kept, oldest first."""
    with closing(connect(url)) as engine:
        found = engine.kept()
    if as_json:
        click.echo(_dump([asdict(item) for item in found]))
        return
    for item in found:
        made = f"by run {item.run}" if item.run else ""
        marks = "live" if item.live else ""
        size = f"{item.articles:>9,} articles  {_bytes(item.size):>9}"
        row = f"{item.name}  {_moment(item.created)}  {size}  {made:<12}{marks}"
        click.echo(row.rstrip())


@click.command()
@_json
@click.pass_obj
def runs(url: str, as_json: bool) -> None:
    """List what was accepted, by run, oldest first."""
    with closing(connect(url)) as engine:
        found = engine.runs()
    if as_json:
        click.echo(_dump([asdict(item) for item in found]))
        return
    for item in found:
        click.echo(
            f"{item.number:>5}  {_moment(item.started)}  {item.command:<8}{item.changes:>9,} changes  "
            f"{plain(' '.join(item.sources))}"
        )


@click.command()
@click.argument("run", type=click.IntRange(min=1), required=False)
@click.pass_obj
def rollback(url: str, run: int | None) -> None:
    """Go back: to the generation before, or to what articles were before RUN.

    Without RUN readers get the generation before at once, and the articles that the rebuild of this one had changed
    become what they were. What others have brought since stays, in both cases.
    """
    with closing(connect(url)) as engine:
        name, undone = (None, engine.undo(run)) if run else engine.rollback()
    if name:
        click.echo(f"Switched to generation {name}.")
    if undone:
        click.echo(f"{len(undone.ids):,} articles are as they were; this is run {undone.number}.")
        for id in undone.kept:
            click.echo(f"kept {id}: a later run has changed it", err=True)


@click.command()
@_quiet
@click.pass_obj
def verify(url: str, quiet: bool) -> None:
    """Read everything that lies in the index, and say what is damaged."""
    with closing(connect(url)) as engine, _progress(quiet) as progress:
        damages = engine.verify(progress)
        generations = len(engine.kept()) if not damages else 0
    for damage in damages:
        click.echo(damage, err=True)
    if damages:
        sys.exit(PARTLY)
    if not quiet:
        click.echo(f"Every byte is as it was written: the articles and {generations:,} generations.")


def _told(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter("say why in a few words")
    return value


def _meant(engine: Engine, article: str) -> str:
    """The id of the article that was named by id or by address."""
    if "://" in article:
        return engine.article_at(article).id
    return as_id(article)


@click.command()
@click.argument("article", metavar="ID|URL")
@click.option("--reason", required=True, callback=_told, help="Why; it is kept, and shown to ops only.")
@click.pass_obj
def takedown(url: str, article: str, reason: str) -> None:
    """Hide an article at once, whatever is indexed now or later."""
    with closing(connect(url)) as engine:
        id = _meant(engine, article)
        engine.take_down(id, reason)
        known = id in engine.held([id])
    click.echo(f"Taken down: {id}. `broadsheet restore {id}` undoes it.")
    if not known:
        click.echo(f"note: no article has the id {id!r} now; it will be hidden when it comes", err=True)


@click.command()
@click.argument("id")
@click.pass_obj
def restore(url: str, id: str) -> None:
    """Undo a takedown."""
    with closing(connect(url)) as engine:
        engine.restore(as_id(id))
    click.echo(f"Restored: {as_id(id)}.")


@click.command()
@_json
@click.pass_obj
def takedowns(url: str, as_json: bool) -> None:
    """List what is taken down, oldest first."""
    with closing(connect(url)) as engine:
        found = engine.takedowns()
    if as_json:
        click.echo(_dump([asdict(item) for item in found]))
        return
    for item in found:
        click.echo(f"{item.since:%Y-%m-%d %H:%M}  {item.id}  {plain(item.reason)}")
    if not found:
        click.echo("Nothing is taken down.")


COMMANDS = (index, reindex, status, generations, runs, rollback, verify, takedown, restore, takedowns)


def _run(
    work: Callable[..., Report], url: str, paths: tuple[str, ...], section: str | None, timezone: tzinfo, quiet: bool
) -> None:
    with closing(connect(url)) as engine, _progress(quiet) as progress:
        try:
            report, problem = work(engine, paths, section=section, timezone=timezone, progress=progress), None
        except Stopped as stopped:
            report, problem = stopped.report, stopped.__cause__
    for line in _complaints(report):
        click.echo(line, err=True)
    if not quiet:
        for line in _remarks(report):
            click.echo(line, err=True)
    sys.exit(_verdict(report, problem, bool(paths), quiet))


def _verdict(report: Report, problem: BaseException | None, asked: bool, quiet: bool) -> int:
    """Say how it ended; the exit code."""
    kept = "what was accepted is kept, and the next run makes it searchable"
    if problem:
        if report.read:
            click.echo(_counts(report), err=True)
            click.echo(f"broadsheet: stopped before the end; {kept}", err=True)
        if isinstance(problem, EngineError):
            click.echo(f"broadsheet: {problem}", err=True)
            return NOTHING_DONE
        return INTERRUPTED
    if asked and not report.read:
        click.echo("broadsheet: no article could be read; nothing was done", err=True)
        return NOTHING_DONE
    if not quiet:
        if asked:
            click.echo(_counts(report))
        if report.generation:
            click.echo(f"Switched to generation {report.generation}.")
    return PARTLY if report.refused else DONE


def _counts(report: Report) -> str:
    names = ("added", "changed", "unchanged", "removed")
    parts = [f"{getattr(report, name):,} {name}" for name in names]
    return ", ".join([*parts, f"{len(report.refused):,} refused"])


def _complaints(report: Report) -> Iterator[str]:
    """What ops must know even of a quiet run: each refusal, each article that was there twice."""
    for item in report.refused:
        yield plain(f"refused {_place(item.file, item.line)}: {item.reason}")
    for twice in report.duplicates:
        said = (
            "the same article twice" if twice.same else "the same id again with another text, which replaces the first"
        )
        first = _place(twice.before.file, twice.before.line)
        yield plain(f"twice {_place(twice.file, twice.line)}: {said}; first seen {first} (id {twice.id})")
    if report.read:
        for path in report.silent:
            yield plain(f"nothing could be read from {path}: what came from it before stays")
    if report.removed and report.refused:
        yield "an article whose file is refused now counts as removed: mend the file and run it again"


def _remarks(report: Report) -> Iterator[str]:
    for note, (count, first) in report.notes.items():
        yield plain(f"note: {note} ({first}{f' and {count - 1:,} more' if count > 1 else ''})")


def _place(file: str, line: int | None) -> str:
    return file if line is None else f"{file}:{line}"


def _status(found: Status) -> Iterator[str]:
    named = [f"{plain(item.value)} {item.count:,}" for item in found.sections[:SECTIONS]]
    more = len(found.sections) - SECTIONS
    rows = {
        "index": found.url,
        "generation": f"{found.generation}, made {_moment(found.created)}",
        "articles": f"{found.articles:,} searchable, {found.hidden:,} of them hidden",
        "accepted": f"{found.accepted:,}, {found.pending:,} changes pending",
        "newest": _moment(found.newest) if found.newest else "no dated article",
        "size": f"{_bytes(found.index_bytes)} of index, {_bytes(found.store_bytes)} of articles",
        "segments": f"{found.segments:,}",
        "sections": ", ".join([*named, *([f"and {more:,} more"] if more > 0 else [])]) or "none",
    }
    for name, value in rows.items():
        yield f"{name:<12}{value}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _bytes(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"


def _dump(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2, default=lambda moment: moment.isoformat())


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress | None]:
    """A bar on a terminal, a line now and then elsewhere."""
    if quiet:
        yield None
        return
    shown = _Bar() if sys.stderr.isatty() else _Lines()
    try:
        yield shown
    finally:
        shown.close()


class _Bar:
    """One bar a stage, with rate and time left."""

    def __init__(self) -> None:
        self._stage = ""
        self._bar: Any = None

    def __call__(self, stage: str, done: int, of: int) -> None:
        if stage != self._stage:
            self.close()
            self._stage, self._bar = stage, tqdm(desc=stage, unit=" articles", file=sys.stderr, dynamic_ncols=True)
        self._bar.total = of or None
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class _Lines:
    """A line every few seconds, for logs."""

    def __init__(self) -> None:
        self._stage = ""
        self._begun = self._said = 0.0

    def __call__(self, stage: str, done: int, of: int) -> None:
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._begun, self._said = stage, now, now
        if now - self._said >= EVERY:
            self._said = now
            rate = done / max(now - self._begun, 0.001)
            left = f" of about {of:,}, {(of - done) / rate:,.0f} s left" if of and rate else ""
            click.echo(f"{stage}: {done:,}{left}, {rate:,.0f} articles/s", err=True)

    def close(self) -> None:
        """Nothing is open."""
