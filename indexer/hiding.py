"""The commands that hide an article at once, and show it again."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict

import click

from indexer.options import json_option
from search.article import as_id
from search.engines import Engine, connect
from search.terminal import as_json, plain


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
@json_option
@click.pass_obj
def takedowns(url: str, is_json: bool) -> None:
    """List what is taken down, oldest first."""
    with closing(connect(url)) as engine:
        found = engine.takedowns()
    if is_json:
        click.echo(as_json([asdict(item) for item in found]))
        return
    for item in found:
        click.echo(f"{item.since:%Y-%m-%d %H:%M}  {item.id}  {plain(item.reason)}")
    if not found:
        click.echo("Nothing is taken down.")
