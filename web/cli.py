"""The commands of the service."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from dataclasses import replace

import click

from search.engines import EngineError, connect
from web import create_app, widgets
from web.serve import ListenError
from web.serve import serve as listen
from web.settings import SettingsError, read


@click.command()
@click.option("--host", help="The address to listen on (BROADSHEET_HOST; 127.0.0.1 unless set).")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; 0 takes any (BROADSHEET_PORT; 8000 unless set).")
@click.pass_obj
def serve(index: str, host: str | None, port: int | None) -> None:
    """Serve the search page and the API."""
    try:
        settings = read()
        settings = replace(
            settings, index=index, host=host or settings.host, port=settings.port if port is None else port
        )
        with closing(connect(settings.index)) as engine:
            listen(create_app(settings, engine), settings, ready=_ready)
    except (SettingsError, ListenError, EngineError) as problem:
        click.echo(f"broadsheet: {problem}", err=True)
        sys.exit(2)


def _ready(address: str) -> None:
    click.echo(f"Broadsheet answers at {address} (end it with Ctrl-C)")


@click.command("widget-tag")
@click.option("--service", metavar="URL", help="The public address of the service (BROADSHEET_URL).")
@click.option("--integrity", is_flag=True, help="Pin the widget as it is now; it is served for three releases.")
def widget_tag(service: str | None, integrity: bool) -> None:
    """Print the lines of HTML that put the search into a page."""
    try:
        address = read({"BROADSHEET_URL": service} if service else os.environ).url
    except SettingsError as problem:
        click.echo(f"broadsheet: {problem}", err=True)
        sys.exit(2)
    if not address:
        click.echo(
            "broadsheet: say where the service is: --service https://search.example.org, or BROADSHEET_URL", err=True
        )
        sys.exit(2)
    click.echo(widgets.tag(address, integrity=integrity))


COMMANDS = (serve, widget_tag)
