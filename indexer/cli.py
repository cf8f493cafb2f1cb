"""The commands of ops: fill the index, rebuild it; all the others are registered here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import tzinfo
from functools import partial

import click

from indexer import build, hiding, progress, upkeep
from indexer.build import Report, Stopped
from indexer.options import quiet_option
from search.asking import TIMEZONE
from search.cli import DONE, INTERRUPTED, NOTHING_DONE, PARTLY
from search.engines import EngineError, connect
from search.terminal import plain

_section = click.option("--section", help="The section of every article that names none itself.")
_timezone = click.option(
    "--timezone",
    type=TIMEZONE,
    default="UTC",
    show_default=True,
    envvar="BROADSHEET_TIMEZONE",
    help="That of dates without a zone (BROADSHEET_TIMEZONE).",
)
_PATHS = click.Path(exists=True, allow_dash=True)


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=_PATHS)
@_section
@_timezone
@quiet_option
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
@quiet_option
@click.option("--force", is_flag=True, help="Also where a PATH has lost more than a tenth of its articles.")
@click.pass_obj
def reindex(url: str, paths: tuple[str, ...], section: str | None, timezone: tzinfo, quiet: bool, force: bool) -> None:
    """Build a new index beside the old one, then switch to it.

    With PATH, what came from there before and is there no longer is removed; articles that were pushed, or came
    from elsewhere, stay. Without, it is built from the articles as they were accepted.
    """
    _run(partial(build.rebuild, force=force), url, paths, section, timezone, quiet)


COMMANDS = (
    index,
    reindex,
    upkeep.status,
    upkeep.generations,
    upkeep.runs,
    upkeep.rollback,
    upkeep.verify,
    hiding.takedown,
    hiding.takedowns,
)


def _run(
    work: Callable[..., Report], url: str, paths: tuple[str, ...], section: str | None, timezone: tzinfo, quiet: bool
) -> None:
    with closing(connect(url)) as engine, progress.shown(quiet) as told:
        try:
            report, problem = work(engine, paths, section=section, timezone=timezone, progress=told), None
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
