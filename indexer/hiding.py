"""The commands that hide an article at once, list what is hidden, and show it again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict

import click

from indexer.options import json_option
from search.engines import Deed, Takedown, connect
from search.terminal import as_json, minute, plain


def _told(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter("say why in a few words")
    return value


@click.command()
@click.argument("article", metavar="ID|URL")
@click.option("--reason", required=True, callback=_told, help="Why; it is kept, and shown to ops only.")
@click.pass_obj
def takedown(url: str, article: str, reason: str) -> None:
    """Hide an article at once, whatever is indexed now or later.

    By its address each article is meant that is at that page, was or will be, however the address is written.
    """
    with closing(connect(url)) as engine:
        done = engine.take_down(article, reason)
    click.echo(f"Taken down: {_named(done)}. `broadsheet takedowns --undo {plain(done.target)}` undoes it.")
    if not done.ids:
        what = "at the page" if _is_page(done.target) else "with the id"
        click.echo(f"note: no article {what} {plain(done.target)} is held; it will be hidden when it comes", err=True)


@click.command()
@click.option("--undo", metavar="ID|URL", help="Show again what was taken down by this name.")
@click.option("--log", "is_log", is_flag=True, help="Everything that was ever taken down or put back, and by whom.")
@json_option
@click.pass_obj
def takedowns(url: str, undo: str | None, is_log: bool, is_json: bool) -> None:
    """List what is taken down, oldest first; or undo a takedown."""
    if undo and (is_log or is_json):
        raise click.UsageError("--undo goes alone: list in a second command")
    with closing(connect(url)) as engine:
        if undo:
            _put_back(undo, engine.put_back(undo))
            return
        found: Sequence[Takedown | Deed] = engine.audit() if is_log else engine.takedowns()
    if is_json:
        click.echo(as_json([asdict(item) for item in found]))
        return
    for line in map(_line, found):
        click.echo(plain(line))
    if not found:
        click.echo("Nothing was ever taken down." if is_log else "Nothing is taken down.")


def _put_back(undone: str, others: Sequence[Takedown]) -> None:
    click.echo(f"Put back: {plain(undone)}.")
    for item in others:
        click.echo(f"note: still hidden by the takedown of {_named(item)}", err=True)


def _line(item: Takedown | Deed) -> str:
    if isinstance(item, Takedown):
        return f"{minute(item.since)}  {_named(item)}  {item.reason}"
    said = [minute(item.at), item.who, item.what, _named(item), item.reason or ""]
    return "  ".join(said).rstrip()


def _named(item: Takedown | Deed) -> str:
    """The id; or the page, and the articles that it meant."""
    ids = f" ({', '.join(item.ids)})" if _is_page(item.target) and item.ids else ""
    return plain(item.target) + ids


def _is_page(target: str) -> bool:
    return "/" in target
