"""The search page: rendered on the server, whole without a script."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from search.answer import Answer, answer
from search.dates import day, last_day, long
from search.engines import Engine
from search.query import LONGEST_TEXT
from search.snippets import Snippet, to_html
from web import narrowing
from web.api import given
from web.links import link, neighbours, pairs, reachable, web_address
from web.narrowing import Option
from web.notices import notices
from web.schemas import Asked, SearchSchema, read_leniently
from web.settings import Settings

SORT_NAMES = {"relevance": "Relevance", "newest": "Newest", "oldest": "Oldest"}
BADGES = {"corrected": "Corrected", "retracted": "Retracted"}
NEWEST = 5  # articles offered where nothing was found


def blueprint(settings: Settings, engine: Engine) -> Blueprint:
    """The routes that answer with pages."""
    pages = Blueprint("pages", __name__)
    parameters = SearchSchema(settings.timezone)
    pages.add_app_template_filter(_marked, "marked")
    pages.add_app_template_filter(zip)
    pages.add_app_template_filter(web_address, "web_address")
    pages.add_app_template_global(_asset, "asset")

    @pages.app_template_filter("day")
    def day_name(moment: Any) -> str:
        return long(day(moment, settings.timezone))

    @pages.get("/")
    def home() -> ResponseReturnValue:
        return redirect(url_for("pages.search"))

    @pages.get("/search")
    def search() -> ResponseReturnValue:
        asked, problems = read_leniently(parameters, given())
        found = answer(engine, asked.query(settings.timezone))
        said = notices(problems, given(), found.query, settings.timezone)
        return render_template("search.html", notices=said, **_view(asked, found), **_helps(asked, found))

    def _view(asked: Asked, found: Answer) -> dict[str, Any]:
        path = url_for("pages.search")
        before, after = neighbours(asked, found.pages)
        return {
            "asked": asked,
            "answer": found,
            "badges": BADGES,
            "longest_query": LONGEST_TEXT,
            "groups": narrowing.groups(path, asked, found.facets, settings.timezone),
            "chips": narrowing.chips(path, asked, settings.timezone),
            "clear": link(path, asked, **narrowing.NONE),
            "sorts": _sorts(path, asked, found),
            "first": (asked.page - 1) * asked.per_page + 1,
            "before": link(path, asked, page=before) if before else None,
            "after": link(path, asked, page=after) if after else None,
            "numbers": _numbers(path, asked, reachable(asked, found.pages)),
            "narrow_to": lambda name, value: link(path, asked, **{name: (value,)}, page=1),
            "kept": pairs(asked, q="", page=1),
            "kept_without_dates": pairs(asked, from_date=None, to_date=None, page=1),
            "from_day": day(asked.from_date.start, settings.timezone) if asked.from_date else "",
            "to_day": last_day(asked.to_date.end, settings.timezone) if asked.to_date else "",
        }

    def _helps(asked: Asked, found: Answer) -> dict[str, Any]:
        """Ways on from where nothing was found: each is asked first, so that none leads to nothing."""
        if found.total:
            return {}
        path = url_for("pages.search")
        ways = []
        for text, wider in narrowing.wider(asked, settings.timezone):
            total = _ask(wider, per_page=0).total
            if total:
                ways.append(Option(text, link(path, wider), total))
        newest = _ask(Asked(section=asked.section), per_page=NEWEST)
        if asked.section and not newest.total:
            newest = _ask(Asked(), per_page=NEWEST)
        return {"ways": ways, "newest": newest}

    def _ask(asked: Asked, per_page: int) -> Answer:
        return answer(engine, replace(asked, page=1, per_page=per_page, facets=()).query(settings.timezone))

    return pages


def _sorts(path: str, asked: Asked, found: Answer) -> list[Option]:
    names = SORT_NAMES if found.query.required else {name: SORT_NAMES[name] for name in ("newest", "oldest")}
    return [
        Option(text, link(path, asked, sort=name, page=1), selected=name == found.query.sort)
        for name, text in names.items()
    ]


def _numbers(path: str, asked: Asked, last: int) -> list[Option | None]:
    """The first page, the last, and those about this one; None where some are left out."""
    shown = sorted({page for page in (1, asked.page - 1, asked.page, asked.page + 1, last) if 1 <= page <= last})
    numbers: list[Option | None] = []
    for earlier, page in zip([0, *shown], shown, strict=False):
        if page - earlier > 1:
            numbers.append(None)
        numbers.append(Option(str(page), link(path, asked, page=page), selected=page == asked.page))
    return numbers


def _marked(snippet: Snippet) -> Markup:
    return Markup(to_html(snippet))  # the one place where text is taken for HTML: to_html has escaped it


def _asset(name: str) -> str:
    """The address of a static file, which changes with its content."""
    content = (Path(__file__).parent / "static" / name).read_bytes()
    return url_for("static", filename=name, v=hashlib.blake2b(content, digest_size=6).hexdigest())
