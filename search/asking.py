"""A query on the command line: the words, and the options that narrow and order what they find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo
from functools import reduce
from typing import Any, TypedDict, TypeVar, Unpack
from zoneinfo import ZoneInfo

import click

from search import dates, query
from search.query import Filters, Query

_Function = TypeVar("_Function", bound=Callable[..., Any])


class Asking(click.Command):
    """A command whose words may begin with a minus, which a reader of its errors should know how to write."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as problem:
            if problem.option_name.startswith("--"):
                raise
            usage = " ".join(
                argument.make_metavar(ctx) for argument in self.params if argument.param_type_name == "argument"
            )
            message = f"{problem.message} Write -- before a query with a minus: {ctx.command_path} -- {usage}"
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
_OPTIONS = (
    click.option("--section", multiple=True, help="Only of this section; repeated: of any of these."),
    click.option("--tag", multiple=True, help="Only with this tag; repeated: any of these."),
    click.option("--author", multiple=True, help="Only by this author; repeated: any of these."),
    click.option("--language", multiple=True, help="Only in this language; repeated: any of these."),
    click.option("--from", "from_date", metavar="DATE", help="From this year, month, day or instant on."),
    click.option("--to", "to_date", metavar="DATE", help="Up to the end of this year, month or day, or this instant."),
    click.option(
        "--sort", type=click.Choice(["relevance", "newest", "oldest"]), help="Relevance, unless QUERY is empty."
    ),
    click.option(
        "--timezone",
        type=TIMEZONE,
        default="UTC",
        show_default=True,
        envvar="BROADSHEET_TIMEZONE",
        help="That of DATE, and of days and months (BROADSHEET_TIMEZONE).",
    ),
)


class Narrowed(TypedDict):
    """The values of `narrowed`."""

    section: tuple[str, ...]
    tag: tuple[str, ...]
    author: tuple[str, ...]
    language: tuple[str, ...]
    from_date: str | None
    to_date: str | None
    sort: str | None
    timezone: tzinfo


def narrowed(command: _Function) -> _Function:
    """Give a command the options by which a search is narrowed and put in order."""
    return reduce(lambda of, option: option(of), reversed(_OPTIONS), command)


def asked(words: Sequence[str], page: int = 1, per_page: int = 10, **values: Unpack[Narrowed]) -> Query:
    """The query that the words and the options of `narrowed` make.

    Raises:
        click.UsageError: a date is none, or the dates are the wrong way round.
    """
    text, timezone = " ".join(words), values["timezone"]
    start, until = values["from_date"], values["to_date"]
    from_date = _span("--from", start, timezone).start if start else None
    end = _span("--to", until, timezone).end if until else None
    if from_date and end and from_date >= end:
        raise click.UsageError(f"--from {start} lies after --to {until}")
    return query.parse(
        text,
        filters=Filters(
            values["section"], values["tag"], values["author"], values["language"], from_date=from_date, until=end
        ),
        sort=values["sort"] or ("relevance" if text.strip() else "newest"),
        page=page,
        per_page=per_page,
        timezone=timezone,
    )


def _span(option: str, text: str, timezone: tzinfo) -> dates.Span:
    try:
        return dates.span(text.strip(), timezone)
    except ValueError as problem:
        raise click.BadParameter(f"{text!r} is no date; {problem}", param_hint=option) from None
