"""The search page: rendered on the server, whole without a script."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from search.answer import Answer, answer
from search.article import Article
from search.dates import Span, day, last_day
from search.engines import DateFacet, Engine
from search.fields import DEFAULT_FACETS, FACETS
from search.query import LONGEST_TEXT
from search.snippets import Snippet, to_html
from web import narrowing
from web.api import given
from web.language import Language, msg
from web.links import link, pairs, web_address
from web.narrowing import Option
from web.notices import notices
from web.paging import paging
from web.schemas import Asked, SearchSchema, read_leniently
from web.settings import Settings
from web.timeline import timeline

SORT_NAMES = {"relevance": msg("Relevance"), "newest": msg("Newest"), "oldest": msg("Oldest")}
BADGES = {"corrected": msg("Corrected"), "retracted": msg("Retracted")}
NEWEST = 5  # articles offered where nothing was found
MOST_WAYS = 4  # out of nothing


def blueprint(settings: Settings, engine: Engine) -> Blueprint:
    """The routes that answer with pages."""
    pages = Blueprint("pages", __name__)
    parameters = SearchSchema(settings.timezone)
    language = Language(settings.language)
    pages.add_app_template_filter(_marked, "marked")
    pages.add_app_template_filter(zip)
    pages.add_app_template_filter(web_address, "web_address")
    pages.add_app_template_filter(language.number, "number")

    @pages.app_template_filter("day")
    def day_name(moment: Any) -> str:
        return language.day(day(moment, settings.timezone))

    @pages.app_template_filter("picture")
    def picture(url: str | None) -> str | None:
        """The address of an image that the page may show: of a host that the settings name."""
        parts = urlsplit(url or "")
        return url if f"{parts.scheme}://{parts.netloc}".lower() in (settings.images or ()) else None

    @pages.get("/")
    def home() -> ResponseReturnValue:
        return redirect(url_for("pages.search"))

    @pages.get("/search")
    def search() -> ResponseReturnValue:
        asked, problems = read_leniently(parameters, given())
        found = _ask(asked)
        view = _view(asked, found)
        said = notices(problems, given(), found, language, settings.timezone, is_narrowed=bool(view["chips"]))
        return render_template("search.html", notices=said, **view, **_helps(asked, found))

    def _ask(asked: Asked, **changes: Any) -> Answer:
        asked = replace(asked, **changes)
        if asked.facets == DEFAULT_FACETS:  # of a program; a page has room for all
            asked = replace(asked, facets=FACETS)
        return answer(engine, asked.query(settings.timezone))

    def _view(asked: Asked, found: Answer) -> dict[str, Any]:
        path = url_for("pages.search")
        groups = narrowing.groups(path, asked, found.facets, language)
        dates = found.facets.get("date")
        return {
            "asked": asked,
            "answer": found,
            "badges": BADGES,
            "longest_query": LONGEST_TEXT,
            "groups": groups,
            "unlisted": narrowing.unlisted(asked, groups),
            "timeline": timeline(path, asked, dates, language, settings.timezone, lambda time: _strongest(asked, time))
            if isinstance(dates, DateFacet)
            else None,
            "chips": narrowing.chips(path, asked, language, settings.timezone),
            "clear": link(path, asked, **narrowing.NONE),
            "sorts": _sorts(path, asked, found),
            "paging": paging(path, asked, found),
            "rss": link(url_for("feeds.rss"), asked, sort=None, page=1),
            "json_feed": link(url_for("feeds.json_feed"), asked, sort=None, page=1),
            "narrow_to": lambda name, value: link(path, asked, **{name: (value,)}, page=1),
            "kept": pairs(asked, q="", page=1, prefix=False),
            "kept_without_dates": pairs(asked, from_date=None, to_date=None, page=1),
            "from_day": day(asked.from_date.start, settings.timezone) if asked.from_date else "",
            "to_day": last_day(asked.to_date.end, settings.timezone) if asked.to_date else "",
        }

    def _strongest(asked: Asked, time: Span) -> Article | None:
        """What comes first of this time."""
        first = _ask(asked, from_date=time, to_date=time, page=1, per_page=1, facets=(), highlight=False)
        return first.results[0].article if first.results else None

    def _helps(asked: Asked, found: Answer) -> dict[str, Any]:
        """Ways on from where nothing was found: each is asked first, so that none leads to nothing."""
        if found.total:
            return {}
        path = url_for("pages.search")
        ways: list[Option] = []
        for text, wider in narrowing.wider(asked, language, settings.timezone):
            if len(ways) < MOST_WAYS and (total := _ask(wider, page=1, per_page=0, facets=()).total):
                ways.append(Option(text, link(path, wider), total))
        newest = _ask(Asked(section=asked.section), per_page=NEWEST, facets=())
        if asked.section and not newest.total:
            newest = _ask(Asked(), per_page=NEWEST, facets=())
        return {"ways": ways, "newest": newest}

    return pages


def _sorts(path: str, asked: Asked, found: Answer) -> list[Option]:
    names = SORT_NAMES if found.query.required else {name: SORT_NAMES[name] for name in ("newest", "oldest")}
    return [
        Option(text, link(path, asked, sort=name, page=1), selected=name == found.query.sort)
        for name, text in names.items()
    ]


def _marked(snippet: Snippet) -> Markup:
    return Markup(to_html(snippet))  # the one place where text is taken for HTML: to_html has escaped it
