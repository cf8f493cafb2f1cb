"""`broadsheet`: ask the index from a terminal, and the commands that the edges register."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, tzinfo
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from search import dates, judging, query, runs, scores, terminal
from search.answer import answer
from search.engines import Engine, EngineError, connect
from search.query import Filters
from search.terminal import plain

REGISTERED = "broadsheet.commands"  # entry points; the value of each is a list of click commands
DONE, PARTLY, NOTHING_DONE, INTERRUPTED = 0, 1, 2, 130
MOST_PER_PAGE = 100


class Failure(click.ClickException):
    """Nothing was done; one line says why."""

    exit_code = NOTHING_DONE

    def show(self, file: Any = None) -> None:
        click.echo(f"broadsheet: {plain(self.message)}", file=file or sys.stderr)


class Commands(click.Group):
    """Our own commands, and those of the edges, which this side of the house does not know by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        for _ in self._registered():
            pass
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        registered = self._registered()
        while cmd_name not in self.commands and next(registered, None):
            pass
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EngineError as problem:
            raise Failure(str(problem)) from problem
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
            sys.exit(INTERRUPTED)

    def _registered(self) -> Iterator[str]:
        """Add the commands of one entry point after the other, as long as it is asked."""
        for point in entry_points(group=REGISTERED):
            for command in point.load():
                self.add_command(command)
            yield point.name


class Asking(click.Command):
    """A command whose words may begin with a minus, which a reader of its errors should know how to write."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as problem:
            if problem.option_name.startswith("--"):
                raise
            message = f"{problem.message} Write -- before a query with a minus: {ctx.command_path} -- QUERY"
            raise click.NoSuchOption(problem.option_name, message, ctx=ctx) from None


class Timezone(click.ParamType[tzinfo]):
    """A name of the IANA database."""

    name = "timezone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tzinfo:
        if isinstance(value, tzinfo):
            return value
        try:
            return UTC if value == "UTC" else ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            self.fail(f"{value!r} is no time zone; write a name such as Europe/London or UTC", param, ctx)


TIMEZONE = Timezone()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--index",
    metavar="URL",
    envvar="BROADSHEET_INDEX",
    default="whoosh:var/index",
    show_default=True,
    help="The index (BROADSHEET_INDEX).",
)
@click.version_option(package_name="broadsheet")
@click.pass_context
def main(ctx: click.Context, index: str) -> None:
    """Broadsheet: full-text search for publishers.

    Exit codes: 0 done, 1 done with articles refused (each named, with its reason), 2 nothing done, 130 ended by Ctrl-C.
    """
    ctx.obj = index


@main.command(cls=Asking)
@click.argument("words", metavar="QUERY", nargs=-1)
@click.option("--section", multiple=True, help="Only of this section; repeated: of any of these.")
@click.option("--tag", multiple=True, help="Only with this tag; repeated: any of these.")
@click.option("--author", multiple=True, help="Only by this author; repeated: any of these.")
@click.option("--language", multiple=True, help="Only in this language; repeated: any of these.")
@click.option("--from", "from_date", metavar="DATE", help="From this year, month, day or instant on.")
@click.option("--to", "to_date", metavar="DATE", help="Up to the end of this year, month or day, or this instant.")
@click.option("--sort", type=click.Choice(["relevance", "newest", "oldest"]), help="Relevance, unless QUERY is empty.")
@click.option("--page", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--per-page", type=click.IntRange(0, MOST_PER_PAGE), default=10, show_default=True)
@click.option(
    "--timezone",
    type=TIMEZONE,
    default="UTC",
    show_default=True,
    envvar="BROADSHEET_TIMEZONE",
    help="That of DATE, and of days and months (BROADSHEET_TIMEZONE).",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.pass_obj
def search(
    url: str,
    /,
    words: tuple[str, ...],
    from_date: str | None,
    to_date: str | None,
    sort: str | None,
    page: int,
    per_page: int,
    timezone: tzinfo,
    as_json: bool,
    **values: tuple[str, ...],
) -> None:
    """Search as the page does: words, "phrases", -without, OR, prefix*, title:word.

    Write -- before a QUERY that begins with a minus.
    """
    text = " ".join(words)
    start = _span("--from", from_date, timezone).start if from_date else None
    until = _span("--to", to_date, timezone).end if to_date else None
    if start and until and start >= until:
        raise click.UsageError(f"--from {from_date} lies after --to {to_date}")
    asked = query.parse(
        text,
        filters=Filters(**values, from_date=start, until=until),
        sort=sort or ("relevance" if text.strip() else "newest"),
        page=page,
        per_page=per_page,
        timezone=timezone,
    )
    with closing(connect(url)) as engine:
        found = answer(engine, asked)
    if as_json:
        click.echo(json.dumps(terminal.data(found), ensure_ascii=False, indent=2))
    else:
        for line in terminal.lines(found):
            click.echo(line)


def _span(option: str, text: str, timezone: tzinfo) -> dates.Span:
    try:
        return dates.span(text.strip(), timezone)
    except ValueError as problem:
        raise click.BadParameter(f"{text!r} is no date; {problem}", param_hint=option) from None


@main.command("eval")
@click.argument(
    "questions", metavar="QUESTIONS...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
@click.option("--verbose", is_flag=True, help="Each question too, the worst first.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON, with the figures of each question.")
@click.option(
    "--against",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Compare with what --json wrote before: each question that changed, the worst loss first.",
)
@click.option(
    "--by",
    type=click.Choice(list(runs.NAMES)),
    default="ndcg@10",
    show_default=True,
    help="The figure that questions are listed by.",
)
@click.option("--allow-missing", is_flag=True, help="Count judged articles that are not in the index as not found.")
@click.pass_obj
def evaluate(
    url: str,
    /,
    questions: tuple[Path, ...],
    verbose: bool,
    as_json: bool,
    against: Path | None,
    by: str,
    allow_missing: bool,
) -> None:
    """Judge the ranking: how well QUESTIONS are answered.

    QUESTIONS is a CSV file (query,id,grade) or a folder with queries.jsonl and qrels.tsv; of several, each and their
    mean. The articles must be indexed.

    To compare two indexes, versions or tables of weights: eval --json > before.json with the one, then eval --against
    before.json with the other.
    """
    try:
        before = runs.read(against) if against else None
        with closing(connect(url)) as engine:
            after = [_judge(engine, path, name, allow_missing) for path, name in _named(list(dict.fromkeys(questions)))]
        compared = runs.compare(before, after) if before is not None else None
    except (judging.QuestionsError, runs.RunError, OSError, UnicodeDecodeError) as problem:
        raise Failure(str(problem)) from problem
    if as_json:
        run = {"version": version("broadsheet"), "index": url, **runs.data(after)}
        comparison = {"against": runs.comparison_data(compared)} if compared else {}
        click.echo(json.dumps(run | comparison, ensure_ascii=False, indent=2))
        return
    if verbose or not compared:
        for line in scores.lines(after, by if verbose else None):
            click.echo(plain(line))
    if verbose and compared:
        click.echo()
    if compared:
        for note in compared.notes:
            click.echo(plain(note), err=True)
        for line in scores.compared(compared, by):
            click.echo(plain(line))


def _named(paths: Sequence[Path]) -> list[tuple[Path, str]]:
    """Each with the name of its folder or file; with all of its path where two have the same name."""
    names = [path.resolve().name for path in paths]
    return [(path, name if names.count(name) == 1 else str(path)) for path, name in zip(paths, names, strict=True)]


def _judge(engine: Engine, path: Path, name: str, allow_missing: bool) -> runs.Collection:
    questions = judging.read(path)
    if missing := judging.missing(engine, questions):
        named = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        if not allow_missing:
            remedy = "index the articles that the questions are about, or count them as not found: --allow-missing"
            raise judging.QuestionsError(f"{name}: judged, but not in the index: {named}; {remedy}")
        click.echo(plain(f"{name}: not in the index, so not found: {named}"), err=True)
    return runs.collection(name, judging.judge(engine, questions))
