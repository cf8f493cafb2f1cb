"""`broadsheet`: ask the index from a terminal, and the commands that the edges register."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any, Unpack

import click

from search import ending, explained, judging, runs, scores, terminal
from search.answer import answer
from search.asking import Asking, Narrowed, asked, narrowed
from search.engines import Engine, EngineError, connect
from search.terminal import plain

REGISTERED = "broadsheet.commands"  # entry points; the value of each is a list of click commands
DONE, PARTLY, NOTHING_DONE = 0, 1, 2  # and what `ending` has
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
            with ending.by_sigterm():
                return super().invoke(ctx)
        except EngineError as problem:
            raise Failure(str(problem)) from problem
        except KeyboardInterrupt as problem:
            click.echo("stopped", err=True)
            sys.exit(ending.code(problem))

    def _registered(self) -> Iterator[str]:
        """Add the commands of one entry point after the other, as long as it is asked."""
        for point in entry_points(group=REGISTERED):
            for command in point.load():
                self.add_command(command)
            yield point.name


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

    Exit codes: 0 done, 1 done with articles refused (each named, with its reason), 2 nothing done, 130 ended by Ctrl-C,
    143 by SIGTERM.
    """
    ctx.obj = index


@main.command(cls=Asking)
@click.argument("words", metavar="QUERY", nargs=-1)
@narrowed
@click.option("--page", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--per-page", type=click.IntRange(0, MOST_PER_PAGE), default=10, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.pass_obj
def search(
    url: str,
    /,
    words: tuple[str, ...],
    page: int,
    per_page: int,
    as_json: bool,
    **values: Unpack[Narrowed],
) -> None:
    """Search as the page does: words, "phrases", -without, OR, prefix*, title:word.

    Write -- before a QUERY that begins with a minus.
    """
    query = asked(words, page, per_page, **values)
    with closing(connect(url)) as engine:
        found = answer(engine, query)
    if as_json:
        click.echo(json.dumps(terminal.data(found), ensure_ascii=False, indent=2))
    else:
        for line in terminal.lines(found):
            click.echo(line)


@main.command(cls=Asking)
@click.argument("words", metavar="QUERY", nargs=-1, required=True)
@click.argument("article", metavar="ID|URL")
@narrowed
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.pass_obj
def explain(url: str, /, words: tuple[str, ...], article: str, as_json: bool, **values: Unpack[Narrowed]) -> None:
    """Say why an article stands where it does in the answer to QUERY, or why it is not in it.

    Each part of its score in words and numbers; the words that it lacks, the filters that it does not pass. Write --
    before a QUERY that begins with a minus, and '' for none.
    """
    query = asked(words, **values)
    with closing(connect(url)) as engine:
        found = explained.explain(engine, query, article)
    if as_json:
        click.echo(json.dumps(explained.data(found), ensure_ascii=False, indent=2))
    else:
        for line in explained.lines(found):
            click.echo(plain(line))


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
