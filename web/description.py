"""The OpenSearch 1.1 description, by which a browser searches the site from its address bar, and its suggestions."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urljoin

from flask import Blueprint, Response, json, request, url_for
from flask.typing import ResponseReturnValue
from lxml import etree
from lxml.builder import ElementMaker

from search.article import Article
from search.dates import day
from search.engines import Engine
from search.query import LONGEST_TEXT, Filters
from search.suggestions import suggest
from web.feeds import base_address
from web.language import Language
from web.links import web_address
from web.look import ICON
from web.pages import BADGES
from web.settings import Settings

NAMESPACE = "http://a9.com/-/spec/opensearch/1.1/"
LONGEST_NAME = 16  # characters of a short name, by the specification
MOST = 8  # suggestions: as many as a browser shows
_OS = ElementMaker(namespace=NAMESPACE, nsmap={None: NAMESPACE})


def blueprint(settings: Settings, engine: Engine) -> Blueprint:
    """The routes that a browser asks."""
    description = Blueprint("description", __name__)
    language = Language(settings.language)

    @description.get("/opensearch.xml")
    def opensearch() -> ResponseReturnValue:
        base = base_address(settings)
        ways = (
            ("text/html", "results", "pages.search", "q"),
            ("application/x-suggestions+json", "suggestions", "description.suggestions", "q"),
            ("application/rss+xml", "results", "feeds.rss", "q"),
            ("application/opensearchdescription+xml", "self", "description.opensearch", None),
        )
        found = _OS.OpenSearchDescription(
            _OS.ShortName(settings.title[:LONGEST_NAME].strip()),
            _OS.Description(language.text("Search the articles") + f" – {settings.title}"),
            *(
                _OS.Url(type=kind, rel=rel, template=base + url_for(name) + (f"?{q}={{searchTerms}}" if q else ""))
                for kind, rel, name, q in ways
            ),
            _OS.Image(ICON, type="image/svg+xml", width="16", height="16"),
            _OS.Language(settings.language),
            _OS.InputEncoding("UTF-8"),
        )
        body = etree.tostring(found, xml_declaration=True, encoding="utf-8")
        return Response(body, mimetype="application/opensearchdescription+xml")

    @description.get("/opensearch/suggest")
    def suggestions() -> ResponseReturnValue:
        """Titles, what is known of each, and its address."""
        typed = request.args.get("q", "")
        found = suggest(engine, typed[:LONGEST_TEXT], Filters(), MOST).articles
        articles = [result.article for result in found if result.article.title]
        reply = [
            typed,
            [article.title for article in articles],
            [", ".join(_known(article)) for article in articles],
            [_whole(article.url) for article in articles],
        ]
        return Response(json.dumps(reply), mimetype="application/x-suggestions+json")

    def _whole(url: str | None) -> str:
        return urljoin(base_address(settings), url) if url and web_address(url) else ""

    def _known(article: Article) -> Iterator[str]:
        if article.status in BADGES:
            yield language.text(BADGES[article.status])
        if article.section:
            yield article.section
        if article.published:
            yield language.day(day(article.published, settings.timezone))

    return description
