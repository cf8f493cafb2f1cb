"""Every search as a feed, newest first: RSS 2.0 and JSON Feed 1.1."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from email.utils import format_datetime
from html import escape
from typing import Any

from flask import Blueprint, Response, json, request, url_for
from flask.typing import ResponseReturnValue
from lxml import etree
from lxml.builder import ElementMaker

from search.answer import Answer, Result, answer
from search.article import iso
from search.engines import Engine
from search.fields import FILTERS
from search.snippets import Snippet, to_html
from web.api import given
from web.language import Language
from web.links import link, neighbours, web_address
from web.pages import BADGES
from web.schemas import PER_FEED, PER_PAGE, Asked, FeedSchema, read_leniently
from web.settings import Settings

ATOM, DC = "http://www.w3.org/2005/Atom", "http://purl.org/dc/elements/1.1/"
JSON_FEED = "https://jsonfeed.org/version/1.1"
RSS_SPECIFICATION = "https://www.rssboard.org/rss-specification"
_FEED = Asked(per_page=PER_FEED)
_RSS = ElementMaker(nsmap={"atom": ATOM, "dc": DC})
_ATOM, _DC = ElementMaker(namespace=ATOM), ElementMaker(namespace=DC)
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # section 2.2 of XML 1.0


def blueprint(settings: Settings, engine: Engine) -> Blueprint:
    """The routes of the feeds. They are asked for years: what cannot be used is left out, as on the page."""
    feeds = Blueprint("feeds", __name__)
    parameters = FeedSchema(settings.timezone)
    language = Language(settings.language)

    def found() -> tuple[Asked, Answer]:
        """What its address says, and the answer: newest first, unless it says otherwise."""
        asked, _ = read_leniently(parameters, given())
        asked = replace(asked, per_page=asked.per_page or PER_FEED)  # counts alone are no feed
        newest = replace(asked, sort=asked.sort or "newest", facets=())
        return asked, answer(engine, newest.query(settings.timezone))

    def title(asked: Asked) -> str:
        chosen = [value for name in FILTERS for value in getattr(asked, name)]
        return " – ".join(filter(None, [asked.q, ", ".join(chosen), settings.title]))

    @feeds.get("/search.rss")
    def rss() -> ResponseReturnValue:
        asked, answered = found()
        base = base_address(settings)
        channel = _RSS.channel(
            _text("title", title(asked)),
            _text("link", _page(asked, base)),
            _text("description", title(asked)),
            _text("language", settings.language.lower()),
            _text("docs", RSS_SPECIFICATION),
            _ATOM.link(rel="self", type="application/rss+xml", href=link(base + url_for("feeds.rss"), asked, _FEED)),
            *(_item(result, language) for result in answered.results),
        )
        body = etree.tostring(_RSS.rss(channel, version="2.0"), xml_declaration=True, encoding="utf-8")
        return Response(body, mimetype="application/rss+xml")

    @feeds.get("/search.json")
    def json_feed() -> ResponseReturnValue:
        asked, answered = found()
        base = base_address(settings)
        own = base + url_for("feeds.json_feed")
        _, after = neighbours(asked, answered.pages)
        about = {
            "version": JSON_FEED,
            "title": title(asked),
            "home_page_url": _page(asked, base),
            "feed_url": link(own, asked, _FEED),
            "next_url": link(own, asked, _FEED, page=after) if after else None,
            "language": settings.language,
        }
        feed = {**_given(about), "items": [_json_item(result, language) for result in answered.results]}
        return Response(json.dumps(feed), mimetype="application/feed+json")

    return feeds


def base_address(settings: Settings) -> str:
    """Where this service is reached: what is read far away names it whole."""
    return settings.url or request.host_url.rstrip("/")


def _page(asked: Asked, base: str) -> str:
    return link(base + url_for("pages.search"), asked, page=1, per_page=PER_PAGE)


def _item(result: Result, language: Language) -> Any:
    article = result.article
    elements = [
        _text("title", article.title or ""),
        _text("description", _html(result, language)),
        _RSS.guid(_clean(article.id), isPermaLink="false"),
    ]
    if address := _absolute(article.url):
        elements.append(_text("link", address))
    if article.published:
        elements.append(_text("pubDate", format_datetime(article.published)))
    elements += [_text("category", name) for name in filter(None, (article.section, *article.tags))]
    elements += [_DC.creator(_clean(author)) for author in article.authors]
    return _RSS.item(*elements)


def _json_item(result: Result, language: Language) -> dict[str, Any]:
    article = result.article
    return _given(
        {
            "id": article.id,
            "url": _absolute(article.url),
            "title": article.title,
            "summary": article.summary,
            "content_html": _html(result, language),
            "image": _absolute(article.image),
            "date_published": iso(article.published) if article.published else None,
            "date_modified": iso(article.updated) if article.updated else None,
            "authors": [{"name": author} for author in article.authors],
            "tags": [*filter(None, (article.section, *article.tags))],
            "language": article.language,
        }
    )


def _html(result: Result, language: Language) -> str:
    """What the page shows of it: never the text of the article."""
    return "".join(f"<p>{part}</p>" for part in _paragraphs(result, language))


def _paragraphs(result: Result, language: Language) -> Iterator[str]:
    article = result.article
    if article.status in BADGES:
        yield f"<strong>{escape(language.text(BADGES[article.status]))}</strong>"
    if article.notice:
        yield f"<strong>{escape(article.notice)}</strong>"
    yield from map(to_html, result.snippets or (Snippet(article.title or ""),))


def _absolute(url: str | None) -> str | None:
    """An address that says by itself where it leads."""
    return url if url and web_address(url) and not url.startswith("/") else None


def _given(item: dict[str, Any]) -> dict[str, Any]:
    """Without what there is nothing to say of: `null` stands nowhere in a JSON Feed."""
    return {name: value for name, value in item.items() if value not in (None, "", [])}


def _text(name: str, text: str) -> Any:
    return _RSS(name, _clean(text))


def _clean(text: str) -> str:
    return _NO_XML.sub(" ", text)
