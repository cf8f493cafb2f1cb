"""What goes out: the shape of every JSON answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

from marshmallow import Schema
from marshmallow import fields as marshmallow

from search.answer import Answer, Result
from search.article import Article, iso
from search.dates import day, last_day
from search.engines import DateFacet, Facet
from search.snippets import to_html
from search.suggestions import Suggestions
from web.links import web_address


class Instant(marshmallow.Field[datetime]):
    """2025-08-06T00:00:00Z."""

    def _serialize(self, value: datetime | None, *_: Any, **__: Any) -> str | None:
        return iso(value) if value else None


class Address(marshmallow.Field[str]):
    """An address that may be followed, else null: what an article came with may be javascript:."""

    def _serialize(self, value: str | None, *_: Any, **__: Any) -> str | None:
        return web_address(value)


class Related(marshmallow.Field[Mapping[str, Any]]):
    """What the article itself named as related, its `url` as that of an article."""

    def _serialize(self, value: Mapping[str, Any] | None, *_: Any, **__: Any) -> dict[str, Any]:
        item = dict(value or {})
        if "url" in item:
            item["url"] = web_address(item["url"]) if isinstance(item["url"], str) else None
        return item


class ArticleReply(Schema):
    """An article without its text, which is given only to a key that may have it."""

    id = marshmallow.String()
    url = Address()
    title = marshmallow.String()
    summary = marshmallow.String()
    section = marshmallow.String()
    authors = marshmallow.List(marshmallow.String())
    tags = marshmallow.List(marshmallow.String())
    type = marshmallow.String()
    language = marshmallow.String()
    published = Instant()
    updated = Instant()
    status = marshmallow.String()
    notice = marshmallow.String()
    image = Address()
    related = marshmallow.List(Related())
    extra = marshmallow.Dict()


_ARTICLE = ArticleReply()
_SUGGESTED = ArticleReply(only=("id", "url", "title", "section", "published", "status"))
_PLURALS = {"section": "sections", "tag": "tags", "author": "authors"}
_FOUND = ArticleReply(exclude=("type", "language", "related", "extra"))


class IgnoredReply(Schema):
    """A part of the query that could not be used."""

    text = marshmallow.String()
    reason = marshmallow.String()


class CountReply(Schema):
    """A value of a facet."""

    value = marshmallow.String()
    count = marshmallow.Integer()
    selected = marshmallow.Boolean()


_IGNORED = IgnoredReply(many=True)
_COUNTS = CountReply(many=True)


def article_reply(article: Article) -> dict[str, Any]:
    """One article by itself."""
    return dict(_ARTICLE.dump(article))


def answer_reply(answer: Answer, q: str, links: dict[str, str | None]) -> dict[str, Any]:
    """The answer to a search."""
    query = answer.query
    return {
        "query": {
            "q": q,
            "corrected": None,
            "ignored": _IGNORED.dump(query.ignored),
            "relaxed": answer.relaxed,
            "unquoted": answer.is_unquoted,
        },
        "total": answer.total,
        "total_relation": "eq",
        "groups": answer.groups,
        "page": query.page,
        "per_page": query.per_page,
        "pages": answer.pages,
        "took_ms": answer.took_ms,
        "partial": False,
        "timezone": str(query.timezone),
        "results": [_result(result, query.highlight) for result in answer.results],
        "facets": {name: _facet(facet, query.timezone) for name, facet in answer.facets.items()},
        "links": links,
    }


def suggestions_reply(found: Suggestions, q: str) -> dict[str, Any]:
    """What may be meant by what was typed so far."""
    return {
        "query": {"q": q},
        "took_ms": found.took_ms,
        "articles": [
            {**_SUGGESTED.dump(result.article), "highlight": {"title": to_html(result.title)}}
            for result in found.articles
        ],
        **{
            _PLURALS[name]: [
                {"value": value.value, "count": value.count, "highlight": to_html(value.marked)} for value in values
            ]
            for name, values in found.values.items()
        },
    }


def _result(result: Result, highlight: bool) -> dict[str, Any]:
    marked = {"title": to_html(result.title), "snippets": [to_html(snippet) for snippet in result.snippets]}
    return {
        **_FOUND.dump(result.article),
        "score": None if result.score is None else round(result.score, 4),
        "highlight": marked if highlight else None,
    }


def _facet(facet: Facet | DateFacet, timezone: tzinfo) -> dict[str, Any]:
    if isinstance(facet, DateFacet):
        return _date_facet(facet, timezone)
    return {"values": _COUNTS.dump(facet.values), "other": facet.other, "missing": facet.missing}


def _date_facet(facet: DateFacet, timezone: tzinfo) -> dict[str, Any]:
    """`from` and `to` are the first and the last day, as the parameters from_date and to_date take them."""
    return {
        "interval": facet.interval,
        "values": [
            {
                "value": period.value,
                "from": day(period.start, timezone).isoformat(),
                "to": last_day(period.end, timezone).isoformat(),
                "count": period.count,
                "selected": period.selected,
                **({"inside": _date_facet(period.inside, timezone)} if period.inside else {}),
            }
            for period in facet.values
        ],
        "missing": facet.missing,
    }
