"""The commands of ops that look at the index, go back, and keep it safe."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click

from indexer import backup, telling
from indexer.events import broken_off_line
from indexer.options import json_option, quiet_option
from search.cli import PARTLY
from search.engines import DONE, Engine, EngineError, IndexMissing, Status, connect
from search.terminal import as_json, minute, plain, size

SECTIONS = 20  # named in the text of the status; its JSON has all


@click.command()
@json_option
@click.pass_obj
def status(url: str, is_json: bool) -> None:
    """Say what lies in the index."""
    with closing(connect(url)) as engine:
        found, broken_off = engine.status(), engine.broken_off()
    if is_json:
        click.echo(as_json(asdict(found) | {"broken_off": [telling.broken_off(run) for run in broken_off]}))
        return
    for line in (
        *_status(found),
        *(f"broken off  {plain(broken_off_line(telling.broken_off(run)))}" for run in broken_off),
    ):
        click.echo(line)


@click.command()
@json_option
@click.pass_obj
def generations(url: str, is_json: bool) -> None:
    """List the complete indexes that are kept, oldest first."""
    with closing(connect(url)) as engine:
        found = engine.kept()
    if is_json:
        click.echo(as_json([asdict(item) for item in found]))
        return
    for item in found:
        if item.damage or not item.created:
            click.echo(plain(f"{item.name}  damaged, asked no more: {item.damage}"))
            continue
        made = f"by run {item.run}" if item.run else ""
        marks = "live" if item.live else ""
        held = f"{item.articles:>9,} articles  {size(item.size):>9}"
        row = f"{item.name}  {minute(item.created)}  {held}  {made:<12}{marks}"
        click.echo(row.rstrip())


@click.command()
@json_option
@click.pass_obj
def runs(url: str, is_json: bool) -> None:
    """List what was accepted, by run, oldest first."""
    with closing(connect(url)) as engine:
        found = engine.runs()
    if is_json:
        click.echo(as_json([asdict(item) for item in found]))
        return
    for item in found:
        outcome = "" if item.outcome == DONE else f"  ({item.outcome or 'goes on'})"
        click.echo(
            f"{item.number:>5}  {minute(item.started)}  {item.command:<8}{item.changes:>9,} changes  "
            f"{plain(' '.join(item.sources) + outcome)}"
        )


@click.command()
@click.argument("run", type=click.IntRange(min=1), required=False)
@click.pass_obj
def rollback(url: str, run: int | None) -> None:
    """Go back: to the generation before, or to what articles were before RUN.

    Without RUN readers get the generation before at once, and the articles that the rebuild of this one had changed
    become what they were. What others have brought since stays, in both cases.
    """
    with closing(connect(url)) as engine, telling.Teller(quiet=False, as_json=False).progress() as told:
        name, undone = (None, engine.undo(run, told)) if run else engine.rollback(told)
    if name:
        click.echo(f"Switched to generation {name}.")
    if undone:
        click.echo(f"{len(undone.ids):,} articles are as they were; this is run {undone.number}.")
        for id in undone.kept:
            click.echo(f"kept {id}: a later run has changed it", err=True)


@click.command()
@quiet_option
@click.pass_obj
def verify(url: str, quiet: bool) -> None:
    """Read everything that lies in the index, and say what is damaged."""
    with closing(connect(url)) as engine, telling.Teller(quiet, as_json=False).progress() as told:
        damages = engine.verify(told)
        generations = len(engine.kept()) if not damages else 0
    for damage in damages:
        click.echo(damage, err=True)
    if damages:
        sys.exit(PARTLY)
    if not quiet:
        click.echo(f"Every byte is as it was written: the articles and {generations:,} generations.")


@click.command(name="backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@quiet_option
@click.pass_obj
def back_up(url: str, file: Path, quiet: bool) -> None:
    """Write the articles, the takedowns and the settings into one FILE, with checksums.

    The index goes on all the while. FILE is there when it is whole, in place of what was there.
    """
    with closing(connect(url)) as engine, telling.Teller(quiet, as_json=False).progress() as told:
        damages = backup.write(engine, file, os.environ, told)
    for damage in damages:
        click.echo(damage, err=True)
    if not quiet:
        click.echo(f"Backed up: {file}, {size(file.stat().st_size)}.")
    if damages:
        sys.exit(PARTLY)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Also in place of an index; its articles are put aside.")
@quiet_option
@click.pass_obj
def restore(url: str, file: Path, force: bool, quiet: bool) -> None:
    """Put back what `backup` wrote into FILE, and make an index of it.

    What was taken down since stays down.
    """
    with closing(connect(url)) as engine, telling.Teller(quiet, as_json=False).progress() as told:
        if not force and _holds(engine):
            raise click.UsageError(f"{url} holds an index; --force puts its articles aside and this in their place")
        made, settings = backup.restore(engine, file, told)
    if made.unread:
        click.echo(f"what was taken down since the backup is not known, as it lay there: {made.unread}", err=True)
    if quiet:
        return
    for name, value in settings.items():
        if os.environ.get(name) != value:
            click.echo(plain(f"note: then it was {name}={value}"), err=True)
    click.echo(f"Restored: {made.articles:,} articles. Switched to generation {made.generation}.")
    if made.aside:
        click.echo(f"What was there before is kept as {made.aside}; remove it when you are sure.")


def _holds(engine: Engine) -> bool:
    """Whether anything lies there, readable or not."""
    try:
        engine.held([])
    except IndexMissing:
        return False
    except EngineError:
        pass
    return True


def _status(found: Status) -> Iterator[str]:
    named = [f"{plain(item.value)} {item.count:,}" for item in found.sections[:SECTIONS]]
    more = len(found.sections) - SECTIONS
    rows = {
        "index": found.url,
        "generation": f"{found.generation}, made {minute(found.created)}",
        "articles": f"{found.articles:,} searchable, {found.hidden:,} of them hidden",
        "accepted": f"{found.accepted:,}, {found.pending:,} changes pending",
        "newest": minute(found.newest) if found.newest else "no dated article",
        "size": f"{size(found.index_bytes)} of index, {size(found.store_bytes)} of articles",
        "segments": f"{found.segments:,}",
        **({"damaged": f"{', '.join(found.damaged)}; `broadsheet generations` says how"} if found.damaged else {}),
        "sections": ", ".join([*named, *([f"and {more:,} more"] if more > 0 else [])]) or "none",
    }
    for name, value in rows.items():
        yield f"{name:<12}{value}"
