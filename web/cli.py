"""The commands of the service."""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import replace

import click

from search.engines import EngineError, connect
from web import create_app
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


COMMANDS = (serve,)
