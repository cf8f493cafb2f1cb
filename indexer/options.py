"""Options that several commands of ops take."""

from __future__ import annotations

import os
from typing import Any

import click

from indexer.fetch import Fetcher, is_address
from indexer.sources import files

quiet_option = click.option("--quiet", "-q", is_flag=True, help="Say only what went wrong.")
json_option = click.option("--json", "is_json", is_flag=True, help="Write JSON.")
lines_option = click.option(
    "--json", "as_json", is_flag=True, help="Write a JSON object a line: each event, as it happens."
)
rate_option = click.option(
    "--rate",
    type=click.FloatRange(0.01, 100),
    default=1.0,
    show_default=True,
    help="Requests a second to one site; a Crawl-delay in its robots.txt is kept too.",
)
private_option = click.option(
    "--allow-private", is_flag=True, help="Also addresses inside the network, such as localhost and 10.0.0.1."
)


class Source(click.Path):
    """A file, a folder, -, a pattern that names files, or an address of the web."""

    def __init__(self) -> None:
        super().__init__(exists=True, allow_dash=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return value if is_address(value) or files.is_pattern(value) else super().convert(value, param, ctx)


_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Duration(click.ParamType[float]):
    """A span of time such as 90s, 5m, 2h or 1d, in seconds."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        number, unit = str(value)[:-1], str(value)[-1:]
        if not number.isdigit() or unit not in _SECONDS or not int(number):
            self.fail(f"{value!r} is no time (write 90s, 5m, 2h or 1d)", param, ctx)
        return float(int(number) * _SECONDS[unit])


def fetcher(rate: float, private: bool) -> Fetcher:
    """What fetches, as the options say; it names the public address of the service to those whom it asks."""
    return Fetcher(rate=rate, private=private, contact=os.environ.get("BROADSHEET_URL"))
