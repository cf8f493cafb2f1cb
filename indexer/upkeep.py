"""The commands of ops that look at the index, and go back: status, generations, runs, rollback, verify."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict

import click

from indexer import telling
from indexer.options import json_option, quiet_option
from search.cli import PARTLY
from search.engines import DONE, Status, connect
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
        *(f"broken off  {plain(telling.broken_off_line(telling.broken_off(run)))}" for run in broken_off),
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
    with closing(connect(url)) as engine:
        name, undone = (None, engine.undo(run)) if run else engine.rollback()
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
