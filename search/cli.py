"""`broadsheet`: ask the index from a terminal, and the commands that the edges register."""

from __future__ import annotations

import calendar
import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta, tzinfo
from importlib.metadata import entry_points
from typing import Any
from zoneinfo import ZoneInfo

import click

from search import query
from search.answer import Answer, Result, answer
from search.article import parse_date
from search.engines import DateFacet, EngineError, Facet, connect
from search.query import Filters
from search.snippets import Snippet, to_html

REGISTERED = "broadsheet.commands"  # entry points; the value of each is a list of click commands
DONE, PARTLY, NOTHING_DONE, INTERRUPTED = 0, 1, 2, 130
MOST_PER_PAGE = 100
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_DAY = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?", re.ASCII)


def plain(text: str) -> str:
    """Text for a terminal: an article's escape sequences would be obeyed there."""
    return _CONTROL.sub(" ", text)


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
            sys.exit(INTERRUPTED)

    def _registered(self) -> Iterator[str]:
        """Add the commands of one entry point after the other, as long as it is asked."""
        for point in entry_points(group=REGISTERED):
            for command in point.load():
                self.add_command(command)
            yield point.name


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

    Exit codes: 0 done, 1 done with articles refused (each named, with its reason), 2 nothing done.
    """
    ctx.obj = index


@main.command()
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
    start = _span("--from", from_date, timezone)[0] if from_date else None
    until = _span("--to", to_date, timezone)[1] if to_date else None
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
        click.echo(json.dumps(_data(found), ensure_ascii=False, indent=2))
    else:
        for line in _lines(found):
            click.echo(line)


def _span(option: str, text: str, timezone: tzinfo) -> tuple[datetime, datetime]:
    """The first instant of what is meant and the first after it. A month is meant whole, and so is a day."""
    match = _DAY.fullmatch(text.strip())
    try:
        if not match:
            moment = parse_date(text, timezone)
            return moment, moment + timedelta(microseconds=1)
        year, month, day = (int(part) if part else None for part in match.groups())
        first = datetime(year or 0, month or 1, day or 1, tzinfo=timezone)
        last = first.replace(month=month or 12)
        last = last.replace(day=day or calendar.monthrange(last.year, last.month)[1])
        return first.astimezone(UTC), (last + timedelta(days=1)).astimezone(UTC)
    except (ValueError, OverflowError):
        message = f"{text!r} is no date; write 2025, 2025-08, 2025-08-06 or 2025-08-06T14:30:00Z"
        raise click.BadParameter(message, param_hint=option) from None


def _lines(found: Answer) -> Iterator[str]:
    """The answer as text. What matched is bold on a terminal, in brackets elsewhere."""
    for part in found.query.ignored:
        yield plain(f"Not used: {part.text!r} ({part.reason})")
    if found.relaxed:
        yield f"No article has all the words; these have {found.query.minimum} or more of them."
    page = f"page {found.query.page} of {found.pages}, " if found.pages > 1 else ""
    yield f"{found.total:,} {'article' if found.total == 1 else 'articles'} ({page}{found.took_ms} ms)"
    first = (found.query.page - 1) * found.query.per_page + 1
    for number, result in enumerate(found.results, first):
        yield ""
        yield from _result(number, result)
    counted = [(name, _facet(facet)) for name, facet in found.facets.items()]
    if any(text for _, text in counted):
        yield ""
        yield from (f"{name}: {text}" for name, text in counted if text)


def _result(number: int, result: Result) -> Iterator[str]:
    article = result.article
    margin = " " * (len(str(number)) + 2)
    about = (
        article.section,
        f"{article.published:%Y-%m-%d}" if article.published else "undated",
        article.url or article.id,
        f"score {result.score:.2f}" if result.score is not None else None,
    )
    yield f"{number}. {_marked(result.title) or plain(article.id)}"
    yield margin + plain(" · ".join(part for part in about if part))
    for snippet in result.snippets:
        yield margin + _marked(snippet)


def _marked(snippet: Snippet) -> str:
    parts, end = [], 0
    for start, stop in snippet.marks:
        word = plain(snippet.text[start:stop])
        parts += [plain(snippet.text[end:start]), click.style(word, bold=True) if sys.stdout.isatty() else f"[{word}]"]
        end = stop
    return " ".join("".join([*parts, plain(snippet.text[end:])]).split())


def _facet(facet: Facet | DateFacet) -> str:
    values = [f"{plain(item.value)} {item.count:,}{' (chosen)' if item.selected else ''}" for item in facet.values]
    if isinstance(facet, Facet) and facet.other:
        values.append(f"others {facet.other:,}")
    if facet.missing:
        values.append(f"none {facet.missing:,}")
    inside = [_facet(item.inside) for item in facet.values if item.inside] if isinstance(facet, DateFacet) else []
    return "; ".join([", ".join(values), *inside])


def _data(found: Answer) -> dict[str, Any]:
    """The answer as JSON, with the names of the API."""
    return {
        "query": {
            "q": found.query.text,
            "sort": found.query.sort,
            "ignored": [{"text": part.text, "reason": part.reason} for part in found.query.ignored],
            "relaxed": found.relaxed,
        },
        "total": found.total,
        "groups": found.groups,
        "page": found.query.page,
        "per_page": found.query.per_page,
        "pages": found.pages,
        "took_ms": found.took_ms,
        "results": [_result_data(result) for result in found.results],
        "facets": {name: _facet_data(facet) for name, facet in found.facets.items()},
    }


def _result_data(result: Result) -> Mapping[str, Any]:
    article = result.article
    return {
        "id": article.id,
        "url": article.url,
        "title": article.title,
        "summary": article.summary,
        "section": article.section,
        "authors": article.authors,
        "tags": article.tags,
        "published": article.published.isoformat() if article.published else None,
        "status": article.status,
        "score": result.score,
        "highlight": {"title": to_html(result.title), "snippets": [to_html(part) for part in result.snippets]},
    }


def _facet_data(facet: Facet | DateFacet) -> dict[str, Any]:
    values = [{"value": item.value, "count": item.count, "selected": item.selected} for item in facet.values]
    if isinstance(facet, Facet):
        return {"values": values, "other": facet.other, "missing": facet.missing}
    for value, period in zip(values, facet.values, strict=True):
        if period.inside:
            value["inside"] = _facet_data(period.inside)
    return {"interval": facet.interval, "values": values, "missing": facet.missing}
