"""The commands of ops: fill the index, rebuild it; all the others are registered here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from contextlib import closing
from datetime import tzinfo
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from indexer import build, frequent, hiding, upkeep, watch
from indexer.acceptance import Examination
from indexer.fetch import Fetcher
from indexer.following import Following
from indexer.frequent import Frequent
from indexer.options import Duration, Source, fetcher, lines_option, private_option, quiet_option, rate_option
from indexer.report import Report, Stopped
from indexer.showing import Showing
from indexer.sources import Names, mapping
from indexer.telling import Teller
from search import judging
from search.asking import TIMEZONE
from search.engines import connect
from search.judging import Question

EVERY = 300.0  # seconds between two questions to an address that is followed

_section = click.option("--section", help="The section of every article that names none itself.")
_timezone = click.option(
    "--timezone",
    type=TIMEZONE,
    default="UTC",
    show_default=True,
    envvar="BROADSHEET_TIMEZONE",
    help="That of dates without a zone (BROADSHEET_TIMEZONE).",
)


class _Mapping(click.Path):
    """A mapping file, read."""

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> Any:
        try:
            return mapping.load(value)
        except mapping.MappingError as error:
            self.fail(str(error), param, context)


_Value = TypeVar("_Value")


def _read(
    reader: Callable[[Path], list[_Value]],
) -> Callable[[click.Context, click.Parameter, str | None], list[_Value]]:
    """What the file of an option holds; nothing where it is not named."""

    def callback(_context: click.Context, _option: click.Parameter, file: str | None) -> list[_Value]:
        try:
            return reader(Path(file)) if file else []
        except (ValueError, OSError) as problem:
            raise click.BadParameter(str(problem)) from problem

    return callback


_mapping = click.option(
    "--mapping", "names", type=_Mapping(), help="A TOML file that says how foreign JSON and CSV call the fields."
)


@click.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=Source())
@_section
@_timezone
@_mapping
@click.option(
    "--dry-run",
    is_flag=True,
    help="Write nothing: show the first three articles and say what would be; with --json write all as JSONL.",
)
@click.option("--prune", is_flag=True, help="Remove what came from PATH before and is not there now.")
@click.option("--force", is_flag=True, help="Prune also where a PATH has lost more than a tenth of its articles.")
@click.option("--watch", "follow", is_flag=True, help="Go on, and index what changes at PATH, until Ctrl-C or SIGTERM.")
@click.option(
    "--every",
    type=Duration(),
    help="How often a followed address is asked, such as 90s or 2h; less often if its site says so.  [default: 5m]",
)
@rate_option
@private_option
@quiet_option
@lines_option
@click.pass_obj
def index(
    url: str,
    paths: tuple[str, ...],
    section: str | None,
    timezone: tzinfo,
    names: Names | None,
    dry_run: bool,
    prune: bool,
    force: bool,
    follow: bool,
    every: float | None,
    rate: float,
    allow_private: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Add articles, and replace those that changed.

    PATH is a file, a folder, an archive, a pattern in quotes ('content/**/*.md'), - for standard input, or an address:
    of a page, a feed or a sitemap, of which what has changed is fetched. Nothing is removed but what its site says is
    gone for good (410).
    """
    if follow and dry_run:
        raise click.UsageError("--dry-run reads once: it does not go with --watch")
    if follow:
        if "-" in paths:
            raise click.UsageError("standard input cannot be followed: name files, folders or addresses")
        how = {"section": section, "timezone": timezone, "mapping": names, "force": force}
        _follow(url, paths, how, every or EVERY, prune, fetcher(rate, allow_private), Teller(quiet, as_json))
        return
    if every:
        raise click.UsageError("--every is for --watch")
    work, teller = partial(build.update, prune=prune, force=force), Teller(quiet, as_json)
    if dry_run:
        show = Showing(as_json, quiet)
        work, teller = partial(build.preview, prune=prune, force=force, show=show), Teller(quiet or as_json, False)
    _run(work, url, paths, section, timezone, names, fetcher(rate, allow_private), teller)


@click.command()
@click.argument("paths", metavar="[PATH...]", nargs=-1, type=Source())
@_section
@_timezone
@_mapping
@click.option("--dry-run", is_flag=True, help="Write nothing, say what would be.")
@click.option(
    "--judged",
    metavar="FILE",
    envvar="BROADSHEET_JUDGED",
    callback=_read(judging.read),
    help="Questions as eval takes them: refuse if they are answered worse (BROADSHEET_JUDGED).",
)
@click.option(
    "--queries",
    metavar="FILE",
    envvar="BROADSHEET_QUERIES",
    callback=_read(frequent.read),
    help="The most frequent queries, one a line and after a tab how often: say what changes, refuse if many find"
    " nothing any more (BROADSHEET_QUERIES).",
)
@click.option("--force", is_flag=True, help="Also where so much is lost that it is refused.")
@rate_option
@private_option
@quiet_option
@lines_option
@click.pass_obj
def reindex(
    url: str,
    paths: tuple[str, ...],
    section: str | None,
    timezone: tzinfo,
    names: Names | None,
    dry_run: bool,
    judged: list[Question],
    queries: list[Frequent],
    force: bool,
    rate: float,
    allow_private: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Build a new index beside the old one, then switch to it.

    With PATH, what came from there before and is there no longer is removed; articles that were pushed, or came
    from elsewhere, stay. Without, it is built from the articles as they were accepted.

    It is refused, and all stays as it was, where a PATH has lost more than a tenth of its articles, or judged questions
    or frequent queries are answered much worse.
    """
    teller = Teller(quiet, as_json)
    rebuild = partial(build.rehearse, named=teller.planned) if dry_run else build.rebuild
    work = partial(rebuild, examination=Examination(judged, queries), force=force)
    _run(work, url, paths, section, timezone, names, fetcher(rate, allow_private), teller)


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
    fetcher: Fetcher,
    teller: Teller,
) -> None:
    how = {"section": section, "timezone": timezone, "mapping": names, "fetcher": fetcher}
    with closing(connect(url)) as engine, closing(fetcher), teller.progress() as told:
        try:
            report, problem = work(engine, paths, progress=told, **how), None
        except Stopped as stopped:
            report, problem = stopped.report, stopped.__cause__
    sys.exit(teller.report(report, problem, bool(paths)))


def _follow(
    url: str,
    paths: tuple[str, ...],
    how: dict[str, Any],
    every: float,
    prune: bool,
    fetcher: Fetcher,
    teller: Teller,
) -> None:
    following = Following(teller)
    with closing(connect(url)) as engine, closing(fetcher):

        def update(path: str, only: Collection[Path] | None = None, *, prune: bool = False) -> Report:
            return build.update(engine, [path], only=only, prune=prune, fetcher=fetcher, **how)

        watch.watch(paths, update, following, every=every, prune=prune)
    following.totals()
