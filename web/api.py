"""The API: search, one article, and whether the service lives and can answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from search import suggestions
from search.answer import answer
from search.article import Article, as_id
from search.engines import Engine
from search.fields import DEFAULT_FACETS, FILTERS
from search.query import Filters, Query
from web.links import link, neighbours
from web.replies import answer_reply, article_reply, suggestions_reply
from web.schemas import PER_PAGE, AddressSchema, ArticleSchema, Asked, SearchSchema, SuggestSchema
from web.settings import Settings

OF_A_FEED = {
    "sort": None,
    "page": 1,
    "per_page": PER_PAGE,
    "facets": DEFAULT_FACETS,
    "highlight": True,
    "prefix": False,
}
# What tells a program's answer apart and a page not.
ON_THE_PAGE = {"facets": DEFAULT_FACETS, "highlight": True, "fold": True}


def blueprint(settings: Settings, engine: Engine) -> Blueprint:
    """The routes that answer with JSON."""
    api = Blueprint("api", __name__)
    of_search, of_suggestions, of_article, of_address = (
        schema(settings.timezone) for schema in (SearchSchema, SuggestSchema, ArticleSchema, AddressSchema)
    )

    @api.get("/api/v1/search")
    def search() -> ResponseReturnValue:
        asked: Asked = of_search.read(given())
        found = answer(engine, asked.query(settings.timezone))
        return answer_reply(found, asked.q, _links(asked, found.pages, settings.url or request.host_url.rstrip("/")))

    @api.get("/api/v1/suggest")
    def suggest() -> ResponseReturnValue:
        asked = of_suggestions.read(given())
        filters = Filters(**{name: asked.get(name, ()) for name in FILTERS})
        q = asked.get("q", "")
        return suggestions_reply(suggestions.suggest(engine, q, filters, asked.get("limit", suggestions.MOST)), q)

    @api.get("/api/v1/articles/<id>")
    def article(id: str) -> ResponseReturnValue:
        of_article.read(given())
        return article_reply(_without_hidden(engine.article(as_id(id))))

    @api.get("/api/v1/articles")
    def article_at() -> ResponseReturnValue:
        asked = of_address.read(given())
        return article_reply(_without_hidden(engine.article_at(asked["url"])))

    def _without_hidden(article: Article) -> Article:
        """Of what it names as related nothing that must not be shown: its address and title may stand there."""
        hidden = engine.hides({name for item in article.related for name in _names(item)})
        return replace(article, related=tuple(item for item in article.related if hidden.isdisjoint(_names(item))))

    @api.get("/healthz")
    def healthz() -> ResponseReturnValue:
        return {"status": "ok"}

    @api.get("/readyz")
    def readyz() -> ResponseReturnValue:
        engine.search(Query(per_page=0, facets=()))  # the same path that a reader's question takes
        return {"status": "ok"}

    return api


def given() -> dict[str, list[str]]:
    """The parameters of the request, each with all its values."""
    return {name: request.args.getlist(name) for name in request.args}


def _names(item: Mapping[str, Any]) -> list[str]:
    """The id and the URL of what is named as related, as far as it has them."""
    return [name for key in ("id", "url") if isinstance(name := item.get(key), str) and name]


def _links(asked: Asked, pages: int, base: str) -> dict[str, str | None]:
    """Absolute addresses: an answer is read far from where it was asked."""
    path = base + url_for("api.search")
    before, after = neighbours(asked, pages)
    return {
        "self": link(path, asked),
        "next": link(path, asked, page=after) if after else None,
        "prev": link(path, asked, page=before) if before else None,
        "html": link(base + url_for("pages.search"), asked, **ON_THE_PAGE, per_page=asked.per_page or PER_PAGE),
        "rss": link(base + url_for("feeds.rss"), asked, **OF_A_FEED),
    }
