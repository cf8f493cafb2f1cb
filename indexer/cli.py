"""The commands of ops: fill the index, rebuild it; all the others are registered here."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from datetime import tzinfo
from functools import partial
from typing import Any

import click

from indexer import build, hiding, upkeep
from indexer.build import Report, Stopped
from indexer.options import lines_option, quiet_option
from indexer.sources import Names, files, mapping
from indexer.telling import Teller
from search.asking import TIMEZONE
from search.engines import connect

_section = click.option("--section", help="The section of every article that names none itself.")
_timezone = click.option(
    "--timezone",
    type=TIMEZONE,
    default="UTC",
    show_default=True,
    envvar="BROADSHEET_TIMEZONE",
    help="That of dates without a zone (BROADSHEET_TIMEZONE).",
)


class _Source(click.Path):
    """A file, a folder, `-`, or a pattern that names files."""

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> Any:
        return value if files.is_pattern(value) else super().convert(value, param, context)


class _Mapping(click.Path):
    """A mapping file, read."""

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> Any:
        try:
            return mapping.load(value)
        except mapping.MappingError as error:
            self.fail(str(error), param, context)


_mapping = click.option(
    "--mapping", "names", type=_Mapping(), help="A TOML file that says how foreign JSON and CSV call the fields."
)
_PATHS = _Source(exists=True, allow_dash=True)


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=_PATHS)
@_section
@_timezone
@_mapping
@quiet_option
@lines_option
@click.pass_obj
def index(
    url: str,
    paths: tuple[str, ...],
    section: str | None,
    timezone: tzinfo,
    names: Names | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Add articles, and replace those that changed.

    PATH is a file, a folder, an archive, a pattern in quotes ('content/**/*.md'), or - for standard input.
    Nothing is removed: that is what reindex is for.
    """
    _run(build.update, url, paths, section, timezone, names, Teller(quiet, as_json))


@click.command()
@click.argument("paths", metavar="[PATH...]", nargs=-1, type=_PATHS)
@_section
@_timezone
@_mapping
@click.option("--force", is_flag=True, help="Also where a PATH has lost more than a tenth of its articles.")
@quiet_option
@lines_option
@click.pass_obj
def reindex(
    url: str,
    paths: tuple[str, ...],
    section: str | None,
    timezone: tzinfo,
    names: Names | None,
    force: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Build a new index beside the old one, then switch to it.

    With PATH, what came from there before and is there no longer is removed; articles that were pushed, or came
    from elsewhere, stay. Without, it is built from the articles as they were accepted.
    """
    _run(partial(build.rebuild, force=force), url, paths, section, timezone, names, Teller(quiet, as_json))


COMMANDS = (
    index,
    reindex,
    upkeep.status,
    upkeep.generations,
    upkeep.runs,
    upkeep.rollback,
    upkeep.verify,
    upkeep.back_up,
    upkeep.restore,
    hiding.takedown,
    hiding.takedowns,
)


def _run(
    work: Callable[..., Report],
    url: str,
    paths: tuple[str, ...],
    section: str | None,
    timezone: tzinfo,
    names: Names | None,
    teller: Teller,
) -> None:
    with closing(connect(url)) as engine, teller.progress() as told:
        try:
            how = {"section": section, "timezone": timezone, "mapping": names, "progress": told}
            report, problem = work(engine, paths, **how), None
        except Stopped as stopped:
            report, problem = stopped.report, stopped.__cause__
    sys.exit(teller.report(report, problem, bool(paths)))
